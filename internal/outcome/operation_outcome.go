package outcome

import (
	"encoding/json"
	"errors"
	"net/http"
)

// statuses is the one table from code to HTTP; a code that is missing is a 500, and a test walks them all.
var statuses = map[Code]int{
	Invalid: http.StatusBadRequest, Structure: http.StatusBadRequest, Required: http.StatusBadRequest,
	Value: http.StatusBadRequest, Extension: http.StatusBadRequest, CodeInvalid: http.StatusUnprocessableEntity,
	Invariant: http.StatusUnprocessableEntity, BusinessRule: http.StatusUnprocessableEntity,
	Login: http.StatusUnauthorized, Expired: http.StatusUnauthorized,
	Forbidden: http.StatusForbidden, Suppressed: http.StatusForbidden,
	NotFound: http.StatusNotFound, Deleted: http.StatusGone,
	NotSupported: http.StatusBadRequest, TooCostly: http.StatusBadRequest,
	Duplicate: http.StatusConflict, Conflict: http.StatusConflict, Precondition: http.StatusPreconditionFailed,
	TooLong: http.StatusRequestEntityTooLarge, Throttled: http.StatusTooManyRequests,
	Transient: http.StatusServiceUnavailable, Lock: http.StatusServiceUnavailable, NoStore: http.StatusServiceUnavailable,
	Timeout: http.StatusServiceUnavailable, Exception: http.StatusInternalServerError,
}

// Status is the HTTP status of err.
func Status(err error) int {
	if s, ok := statuses[CodeOf(err)]; ok {
		return s
	}
	return http.StatusInternalServerError
}

type coding struct {
	System string `json:"system,omitempty"`
	Code   string `json:"code"`
}

type details struct {
	Coding []coding `json:"coding,omitempty"`
	Text   string   `json:"text"`
}

type issue struct {
	Severity   string   `json:"severity"`
	Code       Code     `json:"code"`
	Details    details  `json:"details"`
	Expression []string `json:"expression,omitempty"`
}

// ReasonSystem is the coding system of refusal reasons (policy ids) in details.coding.
const ReasonSystem = "https://chartwarden.example/fhir/CodeSystem/reason"

// OperationOutcome renders err as a FHIR OperationOutcome resource (JSON). Errors without a code become one neutral sentence, so
// that no cause leaks. Source: https://hl7.org/fhir/R4/operationoutcome.html.
func OperationOutcome(err error) []byte {
	var e *Error
	if !errors.As(err, &e) {
		e = New(Exception, "the server could not answer; the fault is recorded on the server")
	}
	var issues []issue
	for _, is := range e.Issues {
		severity := "error"
		if is.Warning {
			severity = "warning"
		}
		issues = append(issues, newIssue(severity, is.Code, is.Public, is.Expression))
	}
	if len(issues) == 0 {
		one := newIssue("error", e.Code, e.Public, e.Expression)
		if e.Reason != "" {
			one.Details.Coding = append(one.Details.Coding, coding{ReasonSystem, e.Reason})
		}
		switch e.Way {
		case NoWay:
		case StepUpThenGlass:
			one.Details.Coding = append(one.Details.Coding, coding{codingSystem, string(BreakGlass)}, coding{codingSystem, string(StepUp)})
		default:
			one.Details.Coding = append(one.Details.Coding, coding{codingSystem, string(e.Way)})
		}
		for _, way := range e.More {
			one.Details.Coding = append(one.Details.Coding, coding{codingSystem, string(way)})
		}
		issues = append(issues, one)
	}
	body, _ := json.Marshal(struct { // a struct of strings always marshals
		ResourceType string  `json:"resourceType"`
		Issue        []issue `json:"issue"`
	}{operationOutcomeID, issues})
	return body
}

func newIssue(severity string, code Code, text, expression string) issue {
	if code == Precondition {
		code = Conflict
	}
	out := issue{Severity: severity, Code: code, Details: details{Text: text}}
	if expression != "" {
		out.Expression = []string{expression}
	}
	return out
}
