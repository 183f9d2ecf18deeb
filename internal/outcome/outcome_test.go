package outcome

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestWrapKeepsTheFirstSpeaker(t *testing.T) {
	inner := New(Value, "not a date: write YYYY-MM-DD").At("Patient.birthDate")
	err := fmt.Errorf("outer: %w", Wrap("record: prepare", Transient, "try again", inner))
	if CodeOf(err) != Value || !Is(err, Value) {
		t.Fatalf("code %q, want the inner one", CodeOf(err))
	}
	if !strings.Contains(err.Error(), "Patient.birthDate") || !strings.Contains(err.Error(), "record: prepare") {
		t.Fatalf("%q names neither place nor operation", err)
	}
}

func TestCauseIsNeverPrinted(t *testing.T) {
	err := Wrap("record: open", Exception, "could not be opened", errors.New("Okafor, Maren"))
	for _, s := range []string{err.Error(), string(OperationOutcome(err)), string(OperationOutcome(errors.New("Okafor, Maren")))} {
		if strings.Contains(s, "Okafor") {
			t.Fatalf("the cause leaks: %s", s)
		}
	}
}

func TestEveryCodeHasAStatus(t *testing.T) {
	for _, c := range []Code{Invalid, Structure, Required, Value, Invariant, CodeInvalid, Extension, Login, Expired, Forbidden, Suppressed,
		NotSupported, Duplicate, NotFound, Deleted, TooLong, TooCostly, BusinessRule, Conflict, Transient, Lock, NoStore, Exception, Timeout,
		Throttled, Precondition} {
		if _, ok := statuses[c]; !ok {
			t.Errorf("%s has no status", c)
		}
	}
	if Status(errors.New("x")) != http.StatusInternalServerError {
		t.Error("an error without a code is a 500")
	}
}

func TestOperationOutcomeOffersBothWays(t *testing.T) {
	var got struct {
		Issue []struct {
			Code    string
			Details struct{ Coding []struct{ Code string } }
		}
	}
	if err := json.Unmarshal(OperationOutcome(New(Forbidden, "closed").Because("no.relation").Offering(StepUpThenGlass)), &got); err != nil {
		t.Fatal(err)
	}
	codes := fmt.Sprint(got.Issue[0].Details.Coding)
	if got.Issue[0].Code != "forbidden" || codes != "[{no.relation} {break-glass-available} {step-up}]" {
		t.Fatalf("%+v", got)
	}
}
