// Package governance publishes the rules of access: a bundle is checked, tried on what really happened, wanted by two people, and
// decides from a moment on, on every node.
//
//	rules, err := governance.Open(ctx, governance.Options{DB: records, Tags: tags, Enforced: enforced, Gate: gate, Log: log})
//	go rules.Run(ctx)                                  // follows other nodes and the clock
//	p, err := rules.Draft(ctx, who, bundle, note)      // work on a candidate
//	r, err := rules.Replay(ctx, who, p.ID)             // who would have gained, who would have lost
//	item, err := rules.Propose(ctx, who, p.ID, start, reason)
//
// The text of every bundle is kept, so that each decision of the log can be made again by the rules of its day. Nothing here decides
// about an access: that is the door's, by the bundle that this package puts in force. Format of the rows: docs/formats/policies.md.
package governance

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/db"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/policies"
)

//go:embed migrations
var migrationFiles embed.FS

func migrations() fs.FS {
	sub, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}

// Options are the parts that governance stands on; Logger, Now and Altered may be left out.
type Options struct {
	DB       *db.DB                         // records.db
	Tags     func(table string) access.Tags // of rows
	Enforced *policy.Enforced               // what decides; Open and Run exchange it
	Gate     *access.Gate
	Log      *audit.Log
	Persons  *identity.Store
	Version  string // of the program, for the entry that it brought other rules
	Shipped  fs.FS  // the bundle of the program; nil: package policies
	Altered  func(table string, row int64)
	Now      func() time.Time
	Logger   *slog.Logger
}

// Rules keeps bundles and puts them in force. Safe for concurrent use.
type Rules struct {
	o       Options
	tags    tags
	shipped policy.Bundle

	mu      sync.Mutex
	history []Enforcement      // genuine rows, oldest first
	place   place              // of the rows as they were read
	trying  map[string]*Trying // replays under way, by proposal
	began   atomic.Bool        // a bundle decides that was put in force here

	besideMu sync.Mutex
	beside   *beside // the candidate that decides beside; nil: none
	closed   bool

	life       context.Context // of what runs in the background
	stop       context.CancelFunc
	background sync.WaitGroup
}

type tags struct{ bundle, enforced, proposal, beside, tally access.Tags }

const (
	bundleTable   = "policy_bundle"
	enforcedTable = "policy_enforced"
	proposalTable = "policy_proposal"
	besideTable   = "policy_beside"
	tallyTable    = "policy_tally"
)

func newTags(of func(string) access.Tags) tags {
	return tags{of(bundleTable), of(enforcedTable), of(proposalTable), of(besideTable), of(tallyTable)}
}

// Open puts the bundle in force that the house decided on; where it has decided nothing, the one that the program brings. A row that this
// server did not write does not count, and is told. Errors: outcome.NotSupported when the house's rules do not fit this version of the
// program, which then must not serve; outcome.NoStore.
func Open(ctx context.Context, o Options) (*Rules, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Altered == nil {
		o.Altered = func(string, int64) {}
	}
	if o.Shipped == nil {
		o.Shipped = policies.Files
	}
	if err := db.Migrate(ctx, o.DB, "governance", migrations()); err != nil {
		return nil, err
	}
	g := &Rules{o: o, tags: newTags(o.Tags), trying: map[string]*Trying{}}
	g.life, g.stop = context.WithCancel(context.WithoutCancel(ctx))
	var err error
	if g.shipped, err = policy.Gather(o.Shipped); err != nil {
		return nil, err
	}
	if err := g.bring(ctx); err != nil {
		return nil, err
	}
	o.Gate.HandleAct(access.PolicyAct, access.ActHandler{May: g.mayAgree, Carry: g.carry})
	return g, nil
}

// every is how often a node looks whether another one published, or a moment has come.
const every = 250 * time.Millisecond

// Run follows what other nodes publish, and the clock, until ctx ends.
func (g *Rules) Run(ctx context.Context) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := g.Follow(ctx); err != nil && ctx.Err() == nil {
			g.o.Logger.Error("the rules of access cannot be followed: those in force stay", "error", err)
		}
		if err := g.followBeside(ctx); err != nil && ctx.Err() == nil {
			g.o.Logger.Error("the rules that decide beside cannot be followed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (g *Rules) now() time.Time { return g.o.Now().UTC().Truncate(time.Microsecond) }

func unreadable(err error) error {
	return outcome.Wrap("governance: read", outcome.NoStore, "the rules of access cannot be read", err)
}
