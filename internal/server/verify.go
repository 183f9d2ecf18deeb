package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/governance"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/record"
	"chartwarden/internal/training"
)

// Verify recomputes the whole log and compares it with the head file, the emergency journal and every stored version of every record.
// It writes nothing and works while the server runs. progress may be nil.
func (s *Server) Verify(ctx context.Context, progress func(entries, size int64)) (*audit.Report, error) {
	if s.trail == nil {
		return nil, outcome.New(outcome.NoStore, "the audit log cannot be read: use `chartwarden audit verify` on a copy of the data directory")
	}
	heads, err := os.ReadFile(s.Config.HeadFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, outcome.Wrap("server: verify", outcome.NoStore, "the head file cannot be read: check its volume", err)
	}
	return s.verify(ctx, audit.VerifyOptions{Witnesses: s.witnesses(), Now: s.options.Now, Heads: heads, JournalFile: s.Config.JournalFile,
		Node: s.Config.Node, Secret: s.secret, Progress: progress}, false)
}

// verify recomputes the log, and what lies beside it: the records, and the rows that give authority. loose: the base URL of the server is
// not known here.
func (s *Server) verify(ctx context.Context, o audit.VerifyOptions, loose bool) (*audit.Report, error) {
	o.Box = s.ring.Box("audit")
	untagged := !s.ring.RowsTagged()
	var found []audit.Fault
	fault := func(table string, row int64, what string) {
		name := table
		if row != 0 {
			name = fmt.Sprintf("%s row %d", table, row)
		}
		found = append(found, audit.Fault{Index: -1, Row: name, What: what})
	}
	people, err := identity.NewCheck(ctx, s.records, s.ring.Box("identity"), untagged, fault)
	if err != nil {
		return nil, err
	}
	grants, err := access.NewCheck(ctx, s.records, s.ring.Box("server").Rows(grantRows), s.ring.Box("server").Rows(wordRows), s.rowTags(downtimeRows), s.rowTags(practiceRows), untagged, fault)
	if err != nil {
		return nil, err
	}
	rules, err := governance.NewVerification(ctx, s.records, s.rowTags, fault)
	if err != nil {
		return nil, err
	}
	school, err := training.NewCheck(ctx, s.records, s.rowTags(trainingRows), fault)
	if err != nil {
		return nil, err
	}
	beside := &record.Beside{Fault: fault}
	if !untagged {
		beside.Care = s.graph.Check(loose, fault)
	}
	var rows *identity.Rows
	var given []access.Grant
	var enforced []governance.Enforcement
	var readAt time.Time
	o.Entry = func(r *audit.Read) {
		people.Entry(r)
		grants.Entry(r)
		rules.Entry(r)
		school.Entry(r)
	}
	o.Clinical = clinical(s.store.Stored(ctx, beside), func() error { // between the entries that rows must agree with and the last ones
		readAt = time.Now()
		if rows, err = people.Read(ctx); err != nil {
			return err
		}
		if enforced, err = rules.Rows(ctx); err != nil {
			return err
		}
		if err = school.Read(ctx); err != nil {
			return err
		}
		given, err = grants.Read(ctx)
		return err
	})
	report, err := audit.Verify(ctx, s.trail, o)
	if err != nil {
		return nil, err
	}
	people.Compare(rows)
	grants.Compare(given, readAt)
	rules.Compare(enforced)
	school.Compare()
	for _, f := range found {
		report.Add(f)
	}
	if untagged {
		report.Notes = append(report.Notes, "rows of relationships, people and sessions carry no tags yet: the next start of the server gives them")
	}
	return report, nil
}

// clinical tells the log's verifier what the record store holds. A row that does not open is told too: its hash shows whether the bytes
// changed, and else its row did. One that was erased with its key is neither.
//
// then is called when all were told.
func clinical(stored iter.Seq2[record.Stored, error], then func() error) iter.Seq2[audit.Stored, error] {
	return func(yield func(audit.Stored, error) bool) {
		for r, err := range stored {
			if !yield(audit.Stored{Record: r.Record, Version: r.Version, Ref: r.Ref, Hash: r.Hash,
				Foreign: outcome.Is(r.Fault, outcome.Exception)}, err) {
				return
			}
		}
		if err := then(); err != nil {
			yield(audit.Stored{}, err)
		}
	}
}
