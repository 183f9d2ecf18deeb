package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/server"
	shipped "chartwarden/policies"
)

// rules is the shipped bundle, or a folder to try out.
func (l *line) rules() (fs.FS, error) {
	dir := l.String("bundle", "", "`DIR` with schema, policies and scenarios; without, the shipped ones")
	if err := l.parse(); err != nil {
		return nil, err
	}
	if *dir == "" {
		return shipped.Files, nil
	}
	if info, err := os.Stat(*dir); err != nil || !info.IsDir() {
		return nil, outcome.New(outcome.NotFound, "there is no folder "+*dir).At("--bundle")
	}
	return os.DirFS(*dir), nil
}

// policyCheck loads and lints the rules, and tries them against what no house may enforce.
func policyCheck(_ context.Context, l *line) error {
	bundle, err := l.rules()
	if err != nil {
		return err
	}
	faults := policy.Check(bundle)
	if len(faults) == 0 {
		broken, err := policy.Broken(bundle)
		if err != nil {
			return err
		}
		for _, law := range broken {
			faults = append(faults, "no house may enforce this: "+law)
		}
	}
	for _, f := range faults {
		fmt.Fprintln(l.out, f)
	}
	if len(faults) > 0 {
		return errDoesNotHold
	}
	set, err := policy.Load(bundle)
	if err != nil {
		return err
	}
	fmt.Fprintf(l.out, "%d policies, no fault, bundle %s\n", len(set.Policies()), set.Hash())
	return nil
}

// policyTest runs the scenarios and prints those that do not hold.
func policyTest(_ context.Context, l *line) error {
	bundle, err := l.rules()
	if err != nil {
		return err
	}
	set, err := policy.Load(bundle)
	if err != nil {
		return err
	}
	trials, err := set.Test(bundle)
	if err != nil {
		return err
	}
	failed := 0
	for _, t := range trials {
		if !t.Passed {
			failed++
			fmt.Fprintf(l.out, "%s: %s: %s: got %s\n", t.Place, t.Scenario, t.Step, t.Got)
		}
	}
	fmt.Fprintf(l.out, "%d scenario lines hold, %d do not\n", len(trials)-failed, failed)
	if failed > 0 {
		return errDoesNotHold
	}
	return nil
}

// question is the request of `policy explain`.
type question struct {
	Person, Patient, Action string
	At                      time.Time // zero: now
}

// chartActions are those that are asked about one chart.
var chartActions = []string{policy.Read, policy.Search, policy.Write, policy.Export, policy.Print}

func policyExplain(ctx context.Context, l *line) error {
	var c server.Config
	var q question
	l.installation(&c)
	l.StringVar(&q.Person, "person", "", "`ID` of the person")
	l.StringVar(&q.Patient, "patient", "", "`ID` of the Patient")
	l.StringVar(&q.Action, "action", policy.Read, "`ACTION`: "+strings.Join(chartActions, ", "))
	at := l.String("at", "", "as of `TIME`, 2026-11-22 or 2026-11-22T08:30:00Z; without, now")
	if err := l.parse(); err != nil {
		return err
	}
	q.Patient = strings.TrimPrefix(q.Patient, "Patient/")
	if q.Person == "" || q.Patient == "" {
		return outcome.New(outcome.Required, "name both: "+l.Name()+" --person ID --patient ID; `chartwarden person list` shows the ids of people")
	}
	if !slices.Contains(chartActions, q.Action) {
		return outcome.New(outcome.Value, "choose --action "+strings.Join(chartActions, ", "))
	}
	var err error
	if q.At, err = moment("--at", *at, c); err != nil {
		return err
	}
	return carryOut(ctx, c, "policy-explain", q, l.out)
}

func explain(ctx context.Context, s *server.Server, q question, out *bytes.Buffer) error {
	if q.At.IsZero() {
		q.At = s.Now()
	}
	text, err := s.Gate.Explain(ctx, q.Person, q.Patient, q.Action, q.At)
	if err != nil {
		return err
	}
	out.WriteString(text)
	return nil
}
