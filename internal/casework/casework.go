// Package casework keeps what the privacy office has to look at: a case is one person and one hypothesis of misuse, which takes in what
// follows instead of raising another.
//
//	s, err := casework.Open(ctx, casework.Options{DB: records, Box: ring.Box("casework")})
//	change, err := s.Absorb(ctx, found, events, cursor)   // what detection found; cursor and case are one transaction
//	cases, err := s.Queue(ctx)                            // open ones, the most pressing first
//
// [Office] is the privacy office at work on them: who may take which step, that nobody can hide a friend, and that each step is in the
// log before it happens.
//
//	office := casework.NewOffice(casework.OfficeOptions{Store: s, Gate: gate, Persons: people})
//	c, err := office.Take(ctx, officer, id)
//
// Cases are closed, never deleted. What a case holds is sealed under keys of its own; no name, patient or hypothesis stands in clear.
package casework

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"
)

//go:embed migrations
var embedded embed.FS

// Options of a store.
type Options struct {
	DB     *db.DB    // records.db
	Box    *seal.Box // of the family casework
	Now    func() time.Time
	Logger *slog.Logger
	// Person gives the id of the identity.Person behind a Practitioner reference, "" when there is none; nil knows nobody.
	Person func(ctx context.Context, practitioner string) string
}

// Store holds the cases of an installation. Safe for concurrent use, also by several nodes on one database.
type Store struct {
	d   *db.DB
	box *seal.Box
	key seal.KeyID
	o   Options

	epoch atomic.Int64 // of the term in which this process judges; 0: none, or it is alone

	mu   sync.Mutex
	grew chan struct{} // closed at each change by this process
}

// Open brings the tables up to date and gives the store. Errors: as [db.Migrate] and [seal.Box.Key].
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Person == nil {
		o.Person = func(context.Context, string) string { return "" }
	}
	files, err := fs.Sub(embedded, "migrations")
	if err != nil {
		return nil, outcome.Wrap("casework: open", outcome.Exception, "the migrations are missing", err)
	}
	if err := db.Migrate(ctx, o.DB, "casework", files); err != nil {
		return nil, err
	}
	s := &Store{d: o.DB, box: o.Box, o: o, grew: make(chan struct{})}
	if s.key, err = o.Box.Key(ctx, 0, "case"); err != nil {
		return nil, err
	}
	return s, nil
}
