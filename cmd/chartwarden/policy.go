package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/server"
	shipped "chartwarden/policies"
)

// policies checks the rules, runs their scenarios, or explains one decision.
func policies(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return outcome.New(outcome.Required, "say what to do: policy check, policy test or policy explain")
	}
	switch args[0] {
	case "check":
		bundle, err := bundleOf(args[1:])
		if err != nil {
			return err
		}
		faults := policy.Check(bundle)
		for _, f := range faults {
			fmt.Fprintln(out, f)
		}
		if len(faults) > 0 {
			return errDoesNotHold
		}
		set, err := policy.Load(bundle)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%d policies, no fault, bundle %s\n", len(set.Policies()), set.Hash())
		return nil
	case "test":
		bundle, err := bundleOf(args[1:])
		if err != nil {
			return err
		}
		set, err := policy.Load(bundle)
		if err != nil {
			return err
		}
		return policyTest(set, bundle, out)
	case "explain":
		c, rest, err := dataFlag("policy explain", args[1:])
		if err != nil {
			return err
		}
		var text bytes.Buffer
		err = server.RunCommand(ctx, c, server.Options{Logger: logger()}, "policy", policyExplain, rest, &text)
		_, _ = out.Write(text.Bytes())
		return err
	default:
		return outcome.New(outcome.Invalid, "there is no `policy "+args[0]+"` in this version; there are check, test and explain")
	}
}

// bundleOf is the shipped bundle, or a folder to try out.
func bundleOf(args []string) (fs.FS, error) {
	flags := flag.NewFlagSet("chartwarden policy", flag.ContinueOnError)
	dir := flags.String("bundle", "", "folder with schema, policies and scenarios; empty: the shipped ones")
	if err := parse(flags, args, false); err != nil {
		return nil, err
	}
	if *dir == "" {
		return shipped.Files, nil
	}
	return os.DirFS(*dir), nil
}

func policyExplain(ctx context.Context, s *server.Server, args []string, out *bytes.Buffer) error {
	flags := flag.NewFlagSet("chartwarden policy explain", flag.ContinueOnError)
	flags.SetOutput(out)
	who := flags.String("person", "", "id of the person")
	patient := flags.String("patient", "", "id of the Patient")
	action := flags.String("action", policy.Read, "read, search, write, export, print")
	at := flags.String("at", "", "as of then (RFC 3339); empty: now")
	if err := parse(flags, args, false); err != nil {
		return err
	}
	when := s.Now()
	if *at != "" {
		var err error
		if when, err = time.Parse(time.RFC3339, *at); err != nil {
			return outcome.New(outcome.Value, "write --at as 2026-11-22T08:30:00Z").At("--at")
		}
	}
	text, err := s.Gate.Explain(ctx, *who, *patient, *action, when)
	if err != nil {
		return err
	}
	out.WriteString(text)
	return nil
}

// policyTest runs the scenarios and prints those that do not hold.
func policyTest(set *policy.Set, bundle fs.FS, out io.Writer) error {
	trials, err := set.Test(bundle)
	if err != nil {
		return err
	}
	failed := 0
	for _, t := range trials {
		if !t.Passed {
			failed++
			fmt.Fprintf(out, "%s: %s: %s: got %s\n", t.Place, t.Scenario, t.Step, t.Got)
		}
	}
	fmt.Fprintf(out, "%d scenario lines hold, %d do not\n", len(trials)-failed, failed)
	if failed > 0 {
		return errDoesNotHold
	}
	return nil
}
