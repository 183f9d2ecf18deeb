// Package outcome is the one error vocabulary: what went wrong, said so that a person may read it and a program may branch on it.
//
// Every error that reaches a surface is, or wraps, an [*Error]. Its Error() is safe to show: it holds the operation, the place and
// the mend, never patient data. The cause stays reachable through Unwrap for [errors.Is] and is never printed to a client.
//
//	return outcome.New(outcome.Invalid, "birthDate is not a date: write YYYY-MM-DD").At("Patient.birthDate")
//	return outcome.Wrap("record: commit", outcome.Transient, "the record could not be saved, please try again", err)
//
// Codes are the FHIR issue types (https://hl7.org/fhir/R4/valueset-issue-type.html); [Status] maps them to HTTP in one table.
package outcome

import (
	"errors"
	"strings"
	"time"
)

// Code is a FHIR issue type. The zero Code is not valid; [CodeOf] reports [Exception] for errors that carry none.
type Code string

// The codes in use, each a FHIR R4 IssueType.
const (
	Invalid      Code = "invalid"
	Structure    Code = "structure"
	Required     Code = "required"
	Value        Code = "value"
	Invariant    Code = "invariant"
	CodeInvalid  Code = "code-invalid"
	Extension    Code = "extension"
	Login        Code = "login"
	Expired      Code = "expired"
	Forbidden    Code = "forbidden"
	Suppressed   Code = "suppressed"
	NotSupported Code = "not-supported"
	Duplicate    Code = "duplicate"
	NotFound     Code = "not-found"
	Deleted      Code = "deleted"
	TooLong      Code = "too-long"
	TooCostly    Code = "too-costly"
	BusinessRule Code = "business-rule"
	Conflict     Code = "conflict"
	Transient    Code = "transient"
	Lock         Code = "lock-error"
	NoStore      Code = "no-store"
	Exception    Code = "exception"
	Timeout      Code = "timeout"
	Throttled    Code = "throttled"
	Precondition Code = "precondition" // shown as "conflict"; HTTP 412
)

// Way names what the asking person can do next. It becomes the coding of an OperationOutcome's details and the offer on a page.
type Way string

// The ways forward that a refusal may offer.
const (
	BreakGlass         Way = "break-glass-available"
	StepUp             Way = "step-up"
	StepUpThenGlass    Way = "break-glass-available+step-up"
	Approval           Way = "approval"
	Training           Way = "training"
	KnownDevice        Way = "registered-device" // the same from a device that is registered here
	TakeOrder          Way = "take-order"
	AskTeam            Way = "ask-team"
	AskGrant           Way = "ask-grant"
	NoWay              Way = ""
	codingSystem           = "https://chartwarden.example/fhir/CodeSystem/way-forward"
	operationOutcomeID     = "OperationOutcome"
)

// Error is one failure: a code, a text that is safe for people, and where it is.
// An Error is immutable once returned; its With-like methods give copies.
type Error struct {
	Code       Code
	Public     string  // one sentence: what is wrong and how to mend it, without any value from a record
	Expression string  // FHIRPath of the element, or a place such as `line 3, byte 120`; may be empty
	Reason     string  // id of the policy or rule that refused; may be empty
	More       []Way   // what else would help
	Way        Way     // what would help
	Issues     []Issue // more than one finding (validation); then Public is the summary
	Proof      *Proof  // the sign-in that would help, of a program's request; nil: none
	Op         string  // operation, for people who run the server: `record: commit`
	cause      error
}

// Issue is one finding of a validation.
type Issue struct {
	Code       Code
	Public     string
	Expression string
	Warning    bool
}

// Proof is the sign-in that a request needs, as a program passes it on to an authorization server (RFC 9470).
type Proof struct {
	AAL    int           // assurance level
	MaxAge time.Duration // how old the sign-in may be; negative: as old as it is
}

// New returns an error with a code and a sentence.
func New(code Code, public string) *Error { return &Error{Code: code, Public: public} }

// Wrap returns an error that keeps its cause. If cause already is an [*Error] its code, sentence and place win, so that the first
// place that knew what happened is the one that speaks; op is put in front.
func Wrap(op string, code Code, public string, cause error) *Error {
	var inner *Error
	if errors.As(cause, &inner) {
		out := *inner
		if out.Op != "" {
			op += ": " + out.Op
		}
		out.Op, out.cause = op, cause
		return &out
	}
	return &Error{Code: code, Public: public, Op: op, cause: cause}
}

// At returns a copy that names the place.
func (e *Error) At(expression string) *Error { out := *e; out.Expression = expression; return &out }

// Because returns a copy that names the rule that refused.
func (e *Error) Because(reason string) *Error { out := *e; out.Reason = reason; return &out }

// Also returns a copy that names more ways behind the first.
func (e *Error) Also(w ...Way) *Error { out := *e; out.More = w; return &out }

// Proving returns a copy that asks a program for another sign-in of its person: code [Login].
func (e *Error) Proving(p Proof) *Error { out := *e; out.Code, out.Proof = Login, &p; return &out }

// Offering returns a copy that names the way forward.
func (e *Error) Offering(w Way) *Error { out := *e; out.Way = w; return &out }

// Error is safe to show: operation, sentence and place. It never prints the cause, which may quote a record.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op + ": ")
	}
	b.WriteString(e.Public)
	if e.Expression != "" {
		b.WriteString(" (at " + e.Expression + ")")
	}
	return b.String()
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.cause }

// Invalids bundles validation findings into one error; nil when none is an error.
func Invalids(issues []Issue) error {
	for _, is := range issues {
		if !is.Warning {
			return &Error{Code: is.Code, Public: is.Public, Expression: is.Expression, Issues: issues}
		}
	}
	return nil
}

// CodeOf reports the code of err, or [Exception] when it carries none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Exception
}

// Is reports whether err carries code.
func Is(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}
