// Package feed takes another system's log as it comes and keeps it: files that are dropped into a directory or grow there, and messages of
// the network. What was taken is sealed and lies in the order in which it came, so that each line is judged once, whatever happens.
//
//	s, err := feed.Open(ctx, feed.Options{DB: records, Box: ring.Box("feed"), Dir: "incoming", Form: form})
//	go s.Run(ctx)                        // looks at the directory
//	pieces, err := s.After(ctx, 17, 8)   // what a follower has not read yet
//
// How far a file was taken and what was taken of it are one transaction. A file is known by what is in it, not by its name: one that is moved
// or copied is not taken twice. What the lines say is read by package ingest.
package feed

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/ingest"
	"chartwarden/internal/ingest/foreign"
	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"
)

//go:embed migrations
var embedded embed.FS

// Options of a store.
type Options struct {
	DB     *db.DB    // records.db
	Box    *seal.Box // of the family feed
	Dir    string    // into which files come; empty: none
	Form   ingest.Form
	Still  time.Duration // for how long a file that was not changed is believed to be whole; 10 s when 0
	Every  time.Duration // how often the directory is looked at; a second when 0
	Mine   func() bool   // whether this process takes files now, and not another on the same database; nil: it does
	Now    func() time.Time
	Logger *slog.Logger
}

// Store holds what was taken. Safe for concurrent use.
type Store struct {
	d *db.DB
	o Options

	scanning sync.Mutex
	idle     map[string]sight // files that need no look until they change, by path

	mu       sync.Mutex
	grew     chan struct{} // closed when a piece was taken by this process
	troubles map[string]string
	maps     map[string]*foreign.Mapping
	keys     map[int64]seal.KeyID
}

// sight is a file as the directory shows it.
type sight struct {
	size int64
	at   time.Time
}

// Open brings the tables up to date and gives the store. Errors: as [db.Migrate].
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Still == 0 {
		o.Still = 10 * time.Second
	}
	if o.Every == 0 {
		o.Every = time.Second
	}
	if f := &o.Form; f.Map == nil {
		f.Map, _ = foreign.Preset(f.Name) // its encoding is to be known before a file is read
	}
	files, err := fs.Sub(embedded, "migrations")
	if err != nil {
		return nil, outcome.Wrap("feed: open", outcome.Exception, "the migrations are missing", err)
	}
	if err := db.Migrate(ctx, o.DB, "feed", files); err != nil {
		return nil, err
	}
	return &Store{d: o.DB, o: o, idle: map[string]sight{}, grew: make(chan struct{}), troubles: map[string]string{}, maps: map[string]*foreign.Mapping{}, keys: map[int64]seal.KeyID{}}, nil
}

// Run looks at the directory until ctx ends. What goes wrong with a file is told and tried again when it changes.
func (s *Store) Run(ctx context.Context) {
	told := ""
	for ctx.Err() == nil {
		_, err := s.Scan(ctx)
		if err != nil && ctx.Err() == nil && err.Error() != told {
			told = err.Error()
			s.o.Logger.Error("what comes of the other system's log is not taken", "error", err)
		}
		s.trouble("", err)
		select {
		case <-ctx.Done():
		case <-time.After(s.o.Every):
		}
	}
}

// trouble notes what is wrong with a file, or with all of it.
func (s *Store) trouble(name string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		delete(s.troubles, name)
		return
	}
	if s.troubles[name] != err.Error() && name != "" {
		s.o.Logger.Warn("a file of the other system's log is not taken", "file", name, "error", err)
	}
	s.troubles[name] = err.Error()
}
