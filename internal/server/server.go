// Package server is the composition root: it builds every part from a [Config], runs them and stops them.
//
//	s, err := server.Open(ctx, config, server.Options{})   // start-up checks; one server per directory
//	defer s.Close()
//	err = s.Serve(ctx)                                     // until ctx ends; drains
//
// Commands that work on a stopped installation (import, person, audit) open the same parts and use the same door.
package server

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/care"
	"chartwarden/internal/casework"
	"chartwarden/internal/db"
	"chartwarden/internal/detect"
	"chartwarden/internal/governance"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/outlet"
	"chartwarden/internal/policy"
	"chartwarden/internal/posture"
	"chartwarden/internal/record"
	"chartwarden/internal/seal"
	"chartwarden/internal/staffing"
	"chartwarden/internal/training"
	"chartwarden/internal/watch"
	"chartwarden/internal/web"
)

// Options are what a caller of Open may bring besides the configuration. All are optional.
type Options struct {
	Now      func() time.Time        // tests bring their own clock
	Logger   *slog.Logger            // program messages; never patient data
	Demo     bool                    // the one-touch start page exists
	DemoList func() []web.DemoPerson // whom it offers
	// DemoSeat and DemoFrom let people of a demonstration sit elsewhere than at the browser in front of them: the name of the seat that the
	// start page asked for, and what a request from a seat of that name comes from. Both or none.
	DemoSeat func(person, seat string) string
	DemoFrom func(name string, browser identity.Arrival) identity.Arrival
	Hospital string       // whose installation this is, as pages say it
	Outward  *http.Client // by which witnesses are reached; nil: as usual
	// Verdict and Case are told what detection says, in its order, for tests.
	Verdict func(*detect.Verdict)
	Case    func(*detect.Case)
	Alert   func(*detect.Case)
	// Watched is another system that is watched in place of the own charts; nil: there is none.
	Watched *Watched
	// Rules are the rules that the program brings; nil: its own. Tests bring those of another version.
	Rules fs.FS
	// Commands are answered on the control socket while the server runs, by name.
	Commands map[string]Command
}

// Server is a whole installation, open.
type Server struct {
	Config  Config
	Gate    *access.Gate
	Persons *identity.Store
	Rules   *governance.Rules // the rules of access, and which of them decide
	rules   *policy.Enforced
	Log     *audit.Log
	Office  *casework.Office
	Cases   *casework.Store
	Watch   *watch.Watch
	// Staffing is where people come, change and leave.
	Staffing *staffing.Desk
	// School is what people learn and sign.
	School  *training.School
	outlet  *outlet.Outlet
	other   *otherSystem // nil: it does not run for another system
	watches bool         // it is an installation for one

	options   Options
	zone      *time.Location
	zones     plan // of networks
	keys      *db.DB
	records   *db.DB
	trail     *db.DB
	ring      *seal.Keyring
	secret    []byte // of this node; see nodeSecret
	custodian seal.Custodian
	store     *record.Store
	graph     *care.Graph
	alarms    *alarms
	started   time.Time
	unlock    func()
	handler   http.Handler
	routes    []access.Route
	closers   []func() error
	shutdown  []func()
	metrics   *metrics
	lastCopy  atomic.Int64 // Unix seconds of the newest copy that this process made
}

// Version of the program; set at link time for releases.
var Version = "0.1.0-dev"

// Open builds an installation from its data directory: one server per directory, the custodian's key, the schema of each capability,
// the newest head against the outside, then the parts from the ground up.
//
// Errors say what to mend: outcome.NotFound (no installation here: run init), outcome.Lock (another server), outcome.Invalid (wrong key
// file), outcome.NotSupported (newer schema).
func Open(ctx context.Context, c Config, o Options) (*Server, error) {
	c = c.withDefaults()
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	built := &Server{Config: c, options: o, started: o.Now()}
	if err := built.open(ctx); err != nil {
		_ = built.Close() // the first error is the one to tell
		return nil, err
	}
	return built, nil
}

// open does the steps of Open; what it leaves half done, Close undoes.
func (s *Server) open(ctx context.Context) (err error) {
	c := s.Config
	if err := installed(c); err != nil {
		return err
	}
	if s.unlock, err = db.LockDir(c.Data); err != nil {
		return err
	}
	if err := s.openKeys(ctx); err != nil {
		return err
	}
	if err := c.check(s.ring.Sandbox()); err != nil {
		return err
	}
	if s.zones, err = zonePlan(c.Zones); err != nil {
		return err
	}
	if err := s.durable(ctx); err != nil {
		return err
	}
	if s.secret, err = s.nodeSecret(true); err != nil {
		return err
	}
	if s.zone, err = time.LoadLocation(c.TimeZone); err != nil {
		return err
	}
	if err := s.openStores(ctx); err != nil {
		return err
	}
	if err := s.settleIntents(ctx); err != nil {
		return err
	}
	return s.mount()
}

// openStores opens records and log, and what stands on them.
func (s *Server) openStores(ctx context.Context) (err error) {
	o := s.options
	for _, f := range []string{s.Config.HeadFile, s.Config.JournalFile} {
		if err := os.MkdirAll(filepath.Dir(f), 0o700); err != nil {
			return outcome.Wrap("server: open", outcome.NoStore, "the folder "+filepath.Dir(f)+" cannot be made: check --head-file and --journal-file", err)
		}
	}
	if s.records, err = s.openDB(ctx, recordsDB); err != nil {
		return err
	}
	if s.trail, err = s.openDB(ctx, auditDB); outcome.Is(err, outcome.NotSupported) {
		return err // a newer schema: another program's log is left alone
	} else if err != nil {
		o.Logger.Error("the audit log cannot be opened: explained and emergency reads go on by the emergency journal", "error", err)
		s.trail = nil
	} else if o.Commands != nil && s.distrusts() {
		o.Logger.Error("the audit log failed soon after the last start: explained and emergency reads go on by the emergency journal; the next start tries the log again")
		s.trail = nil
	}
	s.alarms = newAlarms(o.Logger)
	s.graph, err = care.Open(ctx, s.records, s.ring.Box("care"), care.Options{Now: o.Now, Zone: s.zone, Base: s.Config.PublicURL + "/fhir", Altered: s.alarms.raise,
		Practice: func() bool { return s.Gate != nil && s.Gate.IsPractice() }})
	if err != nil {
		return err
	}
	if s.store, err = record.Open(ctx, record.Options{DB: s.records, Box: s.ring.Box("record"), Projections: []record.Projection{s.graph},
		Now: o.Now, Zone: s.zone, Base: s.Config.PublicURL + "/fhir", Untagged: !s.ring.RowsTagged(), Altered: s.alarms.raise}); err != nil {
		return err
	}
	s.Log, err = audit.Open(ctx, s.auditOptions())
	if outcome.Is(err, outcome.NoStore) && s.trail != nil {
		o.Logger.Error("the audit log cannot be written: explained and emergency reads go on by the emergency journal", "error", err)
		s.trail = nil
		s.Log, err = audit.Open(ctx, s.auditOptions())
	}
	if err != nil {
		return err
	}
	s.closers = append(s.closers, s.Log.Close)
	demands, err := posture.ParseDemands(s.Config.Posture)
	if err != nil {
		return err
	}
	s.rules = policy.Enforce(policy.Default())
	if s.Persons, err = identity.Open(ctx, identity.Options{DB: s.records, Box: s.ring.Box("identity"), Trail: s.Log, Sandbox: s.ring.Sandbox(), Zones: s.zones.places,
		House:  s.houseRole,
		Agrees: func(p identity.Person) bool { return access.SecondByRules(s.rules, p, o.Now()) }, Site: s.Config.PublicURL, Now: o.Now, Demands: demands, Logger: o.Logger, Altered: s.alarms.raise}); err != nil {
		return err
	}
	s.closers = append(s.closers, s.Persons.Close)
	s.Gate, err = access.New(ctx, access.Options{Records: s.store, Care: s.graph, Log: s.Log, Policy: s.rules, Persons: s.Persons,
		DB: s.records, Grants: s.ring.Box("server").Rows(grantRows), Words: s.ring.Box("server").Rows(wordRows), Downtimes: s.rowTags(downtimeRows), Practices: s.rowTags(practiceRows), Altered: s.alarms.raise, Alarms: s.alarms.state, Now: o.Now, Zone: s.zone, Base: s.Config.PublicURL + "/fhir", Logger: o.Logger, Sandbox: s.ring.Sandbox(),
		MostPatients: s.mostPatients(), Quota: s.Config.quota(), Verify: func(ctx context.Context) (*audit.Report, error) { return s.Verify(ctx, nil) }})
	if err != nil {
		return err
	}
	if s.Rules, err = governance.Open(ctx, governance.Options{DB: s.records, Tags: s.rowTags, Enforced: s.rules, Gate: s.Gate, Persons: s.Persons, Log: s.Log, Version: Version, Shipped: o.Rules,
		Altered: s.alarms.raise, Now: o.Now, Logger: o.Logger}); err != nil {
		return err
	}
	s.closers = append(s.closers, s.Rules.Close)
	if s.School, err = training.Open(ctx, training.Options{DB: s.records, Tags: s.rowTags(trainingRows), Persons: s.Persons, Log: s.Log, Folder: s.Config.TrainingDir, Altered: s.alarms.raise, Now: o.Now,
		Logger: o.Logger}); err != nil {
		return err
	}
	if err := s.openCases(ctx); err != nil {
		return err
	}
	if err := s.openOutlet(ctx); err != nil {
		return err
	}
	if err := s.tagRows(ctx); err != nil {
		return err
	}
	s.closers = append(s.closers, s.alarms.follow(s.Log))
	return nil
}

// rowTags are those of tables whose packages hold no keys.
func (s *Server) rowTags(table string) access.Tags { return s.ring.Box("server").Rows(table) }

// Deciding is the bundle that decides at this moment.
func (s *Server) Deciding() *policy.Set { return s.rules.Set() }

// mostPatients bounds a sandbox (decisions 23), so that nobody runs a clinic on one. A demonstration makes its own.
func (s *Server) mostPatients() int {
	if s.ring.Sandbox() && !s.options.Demo {
		return 5000
	}
	return 0
}

// Sandbox reports whether this is an installation for trials.
func (s *Server) Sandbox() bool { return s.ring.Sandbox() }

// Handler is the whole HTTP surface.
func (s *Server) Handler() http.Handler { return s.handler }

// Serve listens until ctx ends, then drains for at most ten seconds. ready is called with the base URL once requests are answered.
//
// It also ends, soon and with outcome.NoStore, when the disk fails under a database: requests under way get errors, and the process is
// expected to end and be started again, which checks what is stored.
func (s *Server) Serve(ctx context.Context, ready func(url string)) error {
	if s.watches && s.other == nil {
		return errWatches
	}
	encryption, err := s.tls()
	if err != nil {
		return err
	}
	if s.other != nil {
		if err := s.other.listen(s); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", s.Config.Listen)
	if err != nil {
		return outcome.Wrap("server: listen", outcome.NoStore, "the address "+s.Config.Listen+" cannot be listened on: name a free port of an address that this machine has", err)
	}
	defer s.serveControl(ctx, s.options.Commands)()
	following, enough := context.WithCancel(ctx)
	defer enough()
	go s.follow(following)
	go s.backups(following)
	go s.Gate.FollowApprovals(following)
	go s.Watch.Run(following)
	go s.outlet.Run(following)
	go s.Staffing.Run(following)
	go s.Rules.Run(following)
	go s.tellOverdue(following)
	go s.tellDowntime(following)
	go s.tellTeam(following)
	go s.tellPatients(following)
	go s.remind(following)
	go s.School.Run(following)
	taking := make(chan error, 1)
	if s.other != nil {
		taken := make(chan struct{})
		defer func() { enough(); <-taken }() // what was taken is kept before the end
		go func() { defer close(taken); taking <- s.other.run(following, s) }()
	}
	srv := &http.Server{Handler: s.handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(s.options.Logger.Handler(), slog.LevelWarn)}
	for _, stop := range s.shutdown {
		srv.RegisterOnShutdown(stop)
	}
	served := make(chan error, 1)
	scheme := "http"
	if encryption != nil {
		scheme, srv.TLSConfig = "https", encryption
	}
	go func() {
		if encryption != nil {
			served <- srv.ServeTLS(listener, "", "")
			return
		}
		served <- srv.Serve(listener)
	}()
	ready(scheme + "://" + listener.Addr().String())
	patience := 10 * time.Second
	var failure error
	select {
	case err := <-served:
		return outcome.Wrap("server: serve", outcome.Exception, "the server stopped by itself", err)
	case failure = <-s.failures(following):
		patience = time.Second // requests under way get their errors; there is nothing to wait for
	case failure = <-taking: // nothing would be kept any more
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err = srv.Shutdown(drain)
	if errors.Is(err, context.DeadlineExceeded) {
		err = srv.Close()
	}
	return errors.Join(failure, err)
}

// follow keeps the review list behind the log while the server runs.
func (s *Server) follow(ctx context.Context) {
	for {
		err := s.Gate.FollowLog(ctx) // comes back only with an error
		if ctx.Err() != nil {
			return
		}
		s.options.Logger.Warn("the review list waits for the log", "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}

// Close stops the parts, last opened first, and frees the directory. It is safe on a half-open Server.
func (s *Server) Close() error {
	var first error
	for i := len(s.closers) - 1; i >= 0; i-- {
		if err := s.closers[i](); err != nil && first == nil {
			first = err
		}
	}
	s.closers = nil
	if s.unlock != nil {
		s.unlock()
		s.unlock = nil
	}
	return first
}

// Now is the server's clock.
func (s *Server) Now() time.Time { return s.options.Now() }
