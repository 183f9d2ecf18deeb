package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
)

// undoRequest is the request of `undo`.
type undoRequest struct {
	Person, Reason, Item string
	Since                time.Time
	DryRun, Ask, JSON    bool
}

// undo lists what taking back a person's work would do, asks for it, or does it once a second person agreed.
func undo(ctx context.Context, l *line) error {
	var c server.Config
	var r undoRequest
	l.installation(&c)
	l.StringVar(&r.Person, "person", "", "`ID` of the person whose work is to be taken back")
	since := l.String("since", "", "what was written since `TIME`, 2026-11-22 or 2026-11-22T08:30:00Z")
	l.BoolVar(&r.DryRun, "dry-run", false, "only list what would be done")
	l.StringVar(&r.Reason, "reason", "", "`TEXT`: why, in a few words; the second person decides by it")
	l.BoolVar(&r.Ask, "ask", false, "in a sandbox: wait for a second person, as every other installation does")
	l.StringVar(&r.Item, "item", "", "`N` of an item that was approved: carry it out now, where no server runs")
	l.BoolVar(&r.JSON, "json", false, "as JSON")
	if err := l.parse(); err != nil {
		return err
	}
	if r.Item == "" && (r.Person == "" || *since == "") {
		return outcome.New(outcome.Required, "say whose work and since when: --person P --since T; `chartwarden person list` shows the ids")
	}
	var err error
	if r.Since, err = moment("--since", *since, c); err != nil {
		return err
	}
	return carryOut(ctx, c, "undo", r, l.out)
}

func takeBack(ctx context.Context, s *server.Server, r undoRequest, out *bytes.Buffer) error {
	operator := access.Job(access.Operator)
	switch {
	case r.Item != "":
		return carryItem(ctx, s, r.Item, out)
	case r.DryRun:
		u, err := s.Gate.UndoDryRun(ctx, operator, r.Person, r.Since)
		if err != nil {
			return unknownPerson(err)
		}
		return writeUndoing(out, u, r.JSON, true)
	case s.Sandbox() && !r.Ask:
		u, err := s.Gate.UndoNow(ctx, operator, r.Person, r.Since, r.Reason)
		if err != nil {
			return unknownPerson(err)
		}
		return writeUndoing(out, u, r.JSON, false)
	}
	if strings.TrimSpace(r.Reason) == "" {
		return outcome.New(outcome.Required, "say why, in a few words: --reason TEXT")
	}
	a, err := s.Gate.AskUndo(ctx, operator, r.Person, r.Since, r.Reason)
	if err != nil {
		return unknownPerson(err)
	}
	return writeWaiting(out, a, r.JSON)
}

// writeWaiting says that an act waits for a second person, and for whom.
func writeWaiting(out *bytes.Buffer, a access.Approval, asJSON bool) error {
	if asJSON {
		return writeJSON(out, struct {
			Item   string    `json:"item"`
			Who    string    `json:"who_may_approve"`
			Lapses time.Time `json:"lapses"`
		}{a.ID, a.Who, a.Lapses})
	}
	fmt.Fprintf(out, "Item %s waits for %s, on the page Approvals, until %s.\nThe running server carries it out when it is approved; without one, give --item %s then.\n",
		a.ID, a.Who, a.Lapses.Format("2 Jan 15:04 MST"), a.ID)
	return nil
}

// carryItem carries out an approved item now.
func carryItem(ctx context.Context, s *server.Server, item string, out *bytes.Buffer) error {
	state, err := s.Gate.CarryOutItem(ctx, access.Job(access.Operator), item)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Item %s is %s.\n", item, state)
	return nil
}

type undoStep struct {
	Resource string `json:"resource"`
	Does     string `json:"does"`    // restore, delete, retract
	Version  int64  `json:"version"` // that is taken back
	To       int64  `json:"to"`      // whose content comes back; 0: none
}

type undoLeft struct {
	Resource string `json:"resource,omitempty"`
	Version  int64  `json:"version,omitempty"`
	Why      string `json:"why"`
}

// writeUndoing writes what an undo would do, or did. Nothing of a patient is in it but ids.
func writeUndoing(out *bytes.Buffer, u access.Undoing, asJSON, dry bool) error {
	counts := map[string]int{}
	steps, left := []undoStep{}, []undoLeft{}
	for _, s := range u.Steps {
		counts[s.Type]++
		steps = append(steps, undoStep{s.Type + "/" + s.ID, s.Does, s.Version, s.To})
	}
	for _, l := range u.Left {
		what := undoLeft{Version: l.Version, Why: l.Why}
		if l.Type != "" {
			what.Resource = l.Type + "/" + l.ID
		}
		left = append(left, what)
	}
	if asJSON {
		return writeJSON(out, struct {
			DryRun bool           `json:"dry_run"`
			Person string         `json:"person"`
			Since  time.Time      `json:"since"`
			Until  time.Time      `json:"until"`
			Counts map[string]int `json:"counts"`
			Undo   []undoStep     `json:"undo"`
			Left   []undoLeft     `json:"left"`
			Entry  string         `json:"entry,omitempty"`
		}{dry, u.Person, u.Since, u.Until, counts, steps, left, u.Entry})
	}
	for _, s := range steps {
		fmt.Fprintf(out, "%-8s %s, version %d", s.Does, s.Resource, s.Version)
		if s.To != 0 {
			fmt.Fprintf(out, " -> as in version %d", s.To)
		}
		fmt.Fprintln(out)
	}
	for _, l := range left {
		fmt.Fprintf(out, "left     %s, version %d: %s\n", l.Resource, l.Version, l.Why)
	}
	var types []string
	for t, n := range counts {
		types = append(types, fmt.Sprintf("%s %d", t, n))
	}
	slices.Sort(types)
	what := ""
	if len(types) > 0 {
		what = " (" + strings.Join(types, ", ") + ")"
	}
	if dry {
		fmt.Fprintf(out, "%d to take back%s, %d to be left as they are; nothing was changed.\n", len(steps), what, len(left))
	} else {
		fmt.Fprintf(out, "%d taken back%s, %d left as they are.\n", len(steps), what, len(left))
	}
	return nil
}
