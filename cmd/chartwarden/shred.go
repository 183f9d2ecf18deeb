package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
)

// shredRequest is the request of `shred`.
type shredRequest struct {
	Patient, Reason, Item string
	Ask, JSON             bool
}

// shred asks that a patient's key be destroyed, or does it once a second person agreed.
func shred(ctx context.Context, l *line) error {
	var c server.Config
	var r shredRequest
	l.installation(&c)
	l.StringVar(&r.Patient, "patient", "", "`ID` of the Patient whose chart is to be erased for good")
	l.StringVar(&r.Reason, "reason", "", "`TEXT`: why, in a few words")
	l.BoolVar(&r.Ask, "ask", false, "in a sandbox: wait for a second person, as every other installation does")
	l.StringVar(&r.Item, "item", "", "`N` of an item that was approved: carry it out now, where no server runs")
	l.BoolVar(&r.JSON, "json", false, "as JSON")
	if err := l.parse(); err != nil {
		return err
	}
	if r.Item == "" && (r.Patient == "" || strings.TrimSpace(r.Reason) == "") {
		return outcome.New(outcome.Required, "say whose chart and why: --patient P --reason TEXT")
	}
	r.Patient = strings.TrimPrefix(r.Patient, "Patient/")
	return carryOut(ctx, c, "shred", r, l.out)
}

func erase(ctx context.Context, s *server.Server, r shredRequest, out *bytes.Buffer) error {
	if r.Item != "" {
		return carryItem(ctx, s, r.Item, out)
	}
	if s.Sandbox() && !r.Ask {
		if err := s.Gate.ShredNow(ctx, access.Job(access.Operator), r.Patient, r.Reason); err != nil {
			return err
		}
		fmt.Fprintln(out, "The key is destroyed: nobody can open this chart any more. Copies of the keys can, until the last of them expires.")
		return nil
	}
	a, err := s.Gate.AskShred(ctx, access.Job(access.Operator), r.Patient, r.Reason)
	if err != nil {
		return err
	}
	return writeWaiting(out, a, r.JSON)
}
