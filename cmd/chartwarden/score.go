package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"chartwarden/internal/outcome"
	"chartwarden/internal/simulate/score"
)

// scoreCases judges a detector's cases against a simulation's labels, or takes the mean of such judgements.
func scoreCases(_ context.Context, l *line) error {
	labels := l.String("labels", "", "`FILE` labels.ndjson of the simulation")
	cases := l.String("cases", "", "`FILE` cases.ndjson of the detector")
	verdicts := l.String("verdicts", "", "`FILE` verdicts.ndjson of the detector, for the shares explained")
	dir := l.String("context", "", "`DIR` context of the simulation, for false cases by role")
	require := l.String("require", "", "`AIMS` such as recall@2=.80,detectable@2=.95,false<=2; exit 1 when one is missed")
	report := l.String("out", "", "`FILE` that gets the report as Markdown")
	asJSON := l.Bool("json", false, "print the result as JSON")
	var mean many
	l.Var(&mean, "mean", "`FILES` that --json wrote for several seeds: print their means instead")
	if err := l.parse(); err != nil {
		return err
	}
	if len(mean) > 0 {
		return scoreMeans(l.out, mean)
	}
	if *labels == "" || *cases == "" {
		return outcome.New(outcome.Required, "name the labels and the cases: --labels FILE --cases FILE")
	}
	var in score.Input
	for _, f := range []struct {
		name string
		to   *io.Reader
	}{{*labels, &in.Labels}, {*cases, &in.Cases}, {*verdicts, &in.Verdicts}, {rolesIn(*dir), &in.Roles}} {
		if f.name == "" {
			continue
		}
		file, err := os.Open(f.name)
		if err != nil {
			return outcome.Wrap("score", outcome.NotFound, "there is no readable file "+f.name, err)
		}
		defer file.Close()
		*f.to = file
	}
	result, err := score.Judge(in)
	if err != nil {
		return err
	}
	missed, err := result.Missed(*require)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	result.Print(&text)
	if *report != "" {
		if err := os.WriteFile(*report, text.Bytes(), 0o644); err != nil {
			return outcome.Wrap("score", outcome.NoStore, "the report cannot be written to "+*report, err)
		}
	}
	if *asJSON {
		if err := json.NewEncoder(l.out).Encode(result); err != nil {
			return err
		}
	} else if *report == "" {
		if _, err := text.WriteTo(l.out); err != nil {
			return err
		}
	}
	for _, m := range missed {
		fmt.Fprintln(os.Stderr, "missed: "+m)
	}
	if len(missed) > 0 {
		return errDoesNotHold
	}
	return nil
}

func rolesIn(dir string) string {
	if dir == "" {
		return ""
	}
	name := filepath.Join(dir, "PractitionerRole.ndjson")
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		if st, err := os.Stat(dir); err == nil && st.IsDir() { // a context without roles has no false cases by role
			return ""
		}
	}
	return name
}

func scoreMeans(out io.Writer, files []string) error {
	var results []*score.Result
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return outcome.Wrap("score", outcome.NotFound, "there is no readable file "+name, err)
		}
		r := &score.Result{}
		if err := json.Unmarshal(text, r); err != nil {
			return outcome.Wrap("score", outcome.Invalid, name+" is not what `score --json` prints", err)
		}
		results = append(results, r)
	}
	return score.PrintMeans(out, results)
}
