package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/governance"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/server"
)

// policyMatrix asks a bundle about every role, act, field group and relation; with --against only what another one answers differently.
func policyMatrix(_ context.Context, l *line) error {
	against := l.String("against", "", "`DIR` of rules to compare with: list only what they answer differently")
	role := l.String("role", "", "only this `ROLE`")
	asJSON := l.Bool("json", false, "as JSON")
	bundle, err := l.rules()
	if err != nil {
		return err
	}
	set, err := policy.Load(bundle)
	if err != nil {
		return err
	}
	if *role != "" && !slices.Contains(set.RoleNames(), *role) {
		return outcome.New(outcome.Value, "choose --role "+strings.Join(set.RoleNames(), ", "))
	}
	of := (*policy.Set).Matrix
	if *role != "" {
		of = func(s *policy.Set) []policy.Cell { return s.MatrixOf(*role) }
	}
	cells := of(set)
	if *against != "" {
		other, err := policy.Load(os.DirFS(*against))
		if err != nil {
			return err
		}
		cells = policy.Changed(of(other), cells)
	}
	if *asJSON {
		if cells == nil {
			cells = []policy.Cell{}
		}
		return writeJSON(l.out, struct {
			Bundle string        `json:"bundle"`
			Cells  []policy.Cell `json:"cells"`
		}{set.Hash(), cells})
	}
	for _, c := range cells {
		word := "refused"
		if c.Allowed {
			word = "allowed"
		} else if *against == "" {
			continue
		}
		fmt.Fprintf(l.out, "%-18s %-9s %-7s %-13s %-8s %s\n", c.Role, c.Stand, c.Action, c.Group, word, strings.Join(c.Rules, " "))
	}
	return nil
}

type adviceRequest struct{ Days int }

type adviceAnswer struct {
	Entry       string              `json:"entry"`
	Since       time.Time           `json:"since"`
	Advice      []governance.Unused `json:"advice"`
	NewRefusals int64               `json:"new_refusals"` // had nobody held what is advised away
}

// policyAdvice lists what is held and was not needed.
func policyAdvice(ctx context.Context, l *line) error {
	var c server.Config
	var r adviceRequest
	l.installation(&c)
	l.IntVar(&r.Days, "days", 90, "how many `DAYS` back")
	asJSON := l.Bool("json", false, "as JSON")
	if err := l.parse(); err != nil {
		return err
	}
	if r.Days < 1 || r.Days > 3660 {
		return outcome.New(outcome.Value, "name a number of days from 1 to 3660").At("--days")
	}
	var text bytes.Buffer
	if err := carryOut(ctx, c, "policy-advice", r, &text); err != nil {
		return err
	}
	var a adviceAnswer
	if err := json.Unmarshal(text.Bytes(), &a); err != nil {
		return err
	}
	if *asJSON {
		return writeJSON(l.out, a)
	}
	for _, u := range a.Advice {
		switch {
		case u.Idle:
			fmt.Fprintf(l.out, "%s  %s: opened no chart\n", u.Person, u.Name)
		default:
			var what []string
			if len(u.Roles) > 0 {
				what = append(what, "role "+strings.Join(u.Roles, ", "))
			}
			if len(u.Clearances) > 0 {
				what = append(what, "clearance "+strings.Join(u.Clearances, ", "))
			}
			fmt.Fprintf(l.out, "%s  %s: without use, %s (%d decisions by %s)\n", u.Person, u.Name, strings.Join(what, "; "), u.Decisions, strings.Join(u.Used, ", "))
		}
	}
	fmt.Fprintf(l.out, "Had nobody held it since %s: %d decisions would have been refused.\n", a.Since.Format(time.DateOnly), a.NewRefusals)
	return nil
}

func adviseRules(ctx context.Context, s *server.Server, r adviceRequest, out *bytes.Buffer) error {
	since := s.Now().AddDate(0, 0, -r.Days)
	advice, entry, err := s.Rules.Advise(ctx, operator, since)
	if err != nil {
		return err
	}
	tried, err := s.Rules.TryWithout(ctx, operator, advice, since)
	if err != nil {
		return err
	}
	_, losses, _ := tried.Counts()
	if advice == nil {
		advice = []governance.Unused{}
	}
	return json.NewEncoder(out).Encode(adviceAnswer{entry, since, advice, losses})
}
