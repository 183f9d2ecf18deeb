package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
)

// practiceRequest is the request of `practice declare`.
type practiceRequest struct {
	Reviewer, Reason, Item string
	Ask, JSON              bool
}

// practiceDeclare asks that the site count as a practice.
func practiceDeclare(ctx context.Context, l *line) error {
	var c server.Config
	var r practiceRequest
	l.installation(&c)
	l.StringVar(&r.Reviewer, "reviewer", "", "`PERSON` from outside who looks at what the officers of this practice open: a privacy officer who is nothing else here")
	l.StringVar(&r.Reason, "reason", "", "`TEXT`: why, in a few words")
	l.BoolVar(&r.Ask, "ask", false, "in a sandbox: wait for a second person, as every other installation does")
	l.StringVar(&r.Item, "item", "", "`N` of an item that was approved: carry it out now, where no server runs")
	l.BoolVar(&r.JSON, "json", false, "as JSON")
	if err := l.parse(); err != nil {
		return err
	}
	if r.Item == "" && strings.TrimSpace(r.Reason) == "" {
		return outcome.New(outcome.Required, "say why: --reason TEXT")
	}
	return carryOut(ctx, c, "practice-declare", r, l.out)
}

func declarePractice(ctx context.Context, s *server.Server, r practiceRequest, out *bytes.Buffer) error {
	operator := access.Job(access.Operator)
	if r.Item != "" {
		return carryItem(ctx, s, r.Item, out)
	}
	if s.Sandbox() && !r.Ask {
		if err := s.Gate.DeclarePractice(ctx, operator, r.Reviewer); err != nil {
			return err
		}
		return tellPractice(ctx, s, r.JSON, out)
	}
	a, err := s.Gate.AskPractice(ctx, operator, r.Reviewer, r.Reason)
	if err != nil {
		return err
	}
	return writeWaiting(out, a, r.JSON)
}

func practiceEnd(ctx context.Context, l *line) error {
	var c server.Config
	l.installation(&c)
	if err := l.parse(); err != nil {
		return err
	}
	return carryOut(ctx, c, "practice-end", false, l.out)
}

func endPractice(ctx context.Context, s *server.Server, _ bool, out *bytes.Buffer) error {
	if err := s.Gate.EndPractice(ctx, access.Job(access.Operator)); err != nil {
		return err
	}
	return tellPractice(ctx, s, false, out)
}

// tellPractice says how the site stands.
func tellPractice(ctx context.Context, s *server.Server, asJSON bool, out *bytes.Buffer) error {
	d, err := s.Gate.Practice(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		told := struct {
			Practice bool       `json:"practice"`
			Since    *time.Time `json:"since,omitempty"`
			Reviewer string     `json:"reviewer,omitempty"`
			Entry    string     `json:"entry,omitempty"`
		}{Practice: d != nil}
		if d != nil {
			told.Since, told.Reviewer, told.Entry = &d.Since, d.Reviewer, d.Entry
		}
		return writeJSON(out, told)
	}
	if d == nil {
		fmt.Fprintln(out, "This site is no practice: a chart opens by care teams, appointments, orders, tasks and shifts, and by the glass.")
		return nil
	}
	fmt.Fprintf(out, "This site is a practice since %s: everybody who treats opens the charts of patients who were seen or booked within 24 months.\n", d.Since.UTC().Format("2 Jan 2006 15:04 MST"))
	if d.Reviewer == "" {
		fmt.Fprintln(out, "Nobody from outside looks at what its officers open.")
		return nil
	}
	fmt.Fprintf(out, "Person %s, from outside, looks at what its officers open.\n", d.Reviewer)
	return nil
}
