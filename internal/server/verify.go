package server

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
	"chartwarden/internal/record"
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
	return audit.Verify(ctx, s.trail, audit.VerifyOptions{Box: s.ring.Box("audit"), Heads: heads, JournalFile: s.Config.JournalFile,
		Node: s.Config.Node, Secret: s.secret,
		Clinical: clinical(s.store.Stored(ctx)), Progress: progress})
}

// clinical tells the log's verifier what the record store holds. A row that does not open is told too: its hash shows whether the bytes
// changed, and else its row did. One that was erased with its key is neither.
func clinical(stored iter.Seq2[record.Stored, error]) iter.Seq2[audit.Stored, error] {
	return func(yield func(audit.Stored, error) bool) {
		for r, err := range stored {
			if !yield(audit.Stored{Record: r.Record, Version: r.Version, Ref: r.Ref, Hash: r.Hash,
				Foreign: outcome.Is(r.Fault, outcome.Exception)}, err) {
				return
			}
		}
	}
}
