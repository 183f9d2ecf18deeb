package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/feed"
	"chartwarden/internal/fhirapi"
	"chartwarden/internal/ingest"
	"chartwarden/internal/ingest/collect"
	"chartwarden/internal/outcome"
	"chartwarden/internal/watch"
	"chartwarden/internal/web"
)

// Watched is another system whose accesses an installation watches, in place of its own. The installation holds no charts then.
type Watched struct {
	Incoming string // directory into which its log files come; empty: none
	Context  string // directory that says who is who
	Form     ingest.Form
	UDP, TLS string        // addresses to take syslog messages on; empty: none
	Senders  *tls.Config   // for TLS
	Silence  time.Duration // after how long without anything new the office is told; 26 hours when 0
	// For tests: how soon things are looked at; zero values are those of packages feed and watch.
	Still, Every, Settle time.Duration
}

// errCharts says why an installation of one kind is not run as the other.
var (
	errWatches   = outcome.New(outcome.Conflict, "this installation watches another record system: start it with `chartwarden watch`")
	errHasCharts = outcome.New(outcome.Conflict, "this installation holds charts: another system is watched by an installation of its own, made by `chartwarden init`")
)

// otherSystem is what stands on the feed of another system.
type otherSystem struct {
	feed      *feed.Store
	source    *watch.Elsewhere
	collector *collect.Collector
	stands    context.Context // until the server ends
	end       context.CancelFunc

	mu     sync.Mutex
	came   time.Time     // when something last came, or the start
	silent time.Duration // for how long nothing came, when that is too long
}

const watchedPlace = "piece:" // how the place of a follower of another system begins

// Watches reports whether this installation watches another system.
func (s *Server) Watches() bool { return s.watches }

// openWatched finds out whether the installation watches another system, and opens that.
func (s *Server) openWatched(ctx context.Context) error {
	place, err := s.Cases.Cursor(ctx)
	if err != nil {
		return err
	}
	o := s.options.Watched
	s.watches = o != nil || strings.HasPrefix(place, watchedPlace)
	if o == nil {
		return nil
	}
	if !strings.HasPrefix(place, watchedPlace) { // a new one
		n, err := s.store.CountOf(ctx, ingest.Types)
		if err != nil {
			return err
		}
		if n > 0 {
			return errHasCharts
		}
		if err := s.Cases.Keep(ctx, watchedPlace+"0"); err != nil {
			return err
		}
	}
	s.other = &otherSystem{}
	if s.other.feed, err = feed.Open(ctx, feed.Options{DB: s.records, Box: s.ring.Box("feed"), Dir: o.Incoming, Form: o.Form, Still: o.Still, Every: min(o.Every, time.Second),
		Mine: func() bool { return s.Config.Database == "" || s.Watch.State().Leads }, Now: s.options.Now, Logger: s.options.Logger}); err != nil {
		return err
	}
	s.other.source = watch.NewElsewhere(watch.ElsewhereOptions{Log: s.Log, Feed: s.other.feed, Context: o.Context, Every: o.Every, Settle: o.Settle})
	return nil
}

// listen opens the addresses of the network's messages.
func (w *otherSystem) listen(s *Server) (err error) {
	o := s.options.Watched
	if o.UDP == "" && o.TLS == "" {
		return nil
	}
	w.stands, w.end = context.WithCancel(context.Background())
	w.collector, err = collect.Listen(collect.Options{UDP: o.UDP, TLS: o.TLS, Config: o.Senders, Zone: o.Form.Zone, Logger: s.options.Logger, Keep: func(messages []string) error {
		return w.feed.Append(w.stands, "syslog", o.Form.Zone, messages)
	}})
	return err
}

// Collector takes messages of the network, once the server listens; nil when it takes none.
func (s *Server) Collector() *collect.Collector {
	if s.other == nil {
		return nil
	}
	return s.other.collector
}

// run takes what comes until ctx ends. Errors: of a collector that cannot keep what it takes.
func (w *otherSystem) run(ctx context.Context, s *Server) error {
	var all sync.WaitGroup
	all.Go(func() { w.feed.Run(ctx) })
	all.Go(func() { w.listenToSilence(ctx, s) })
	defer all.Wait()
	if w.collector == nil {
		<-ctx.Done()
		return nil
	}
	defer context.AfterFunc(ctx, w.end)()
	return w.collector.Run(ctx)
}

// listenToSilence notices that nothing comes any more: a gap is a hiding place. That it begins is an entry, and told to those who are away.
func (w *otherSystem) listenToSilence(ctx context.Context, s *Server) {
	limit := cmp.Or(s.options.Watched.Silence, 26*time.Hour)
	for ctx.Err() == nil {
		came := s.started
		files, err := w.feed.Files(ctx)
		for _, f := range files {
			if f.Came.After(came) {
				came = f.Came
			}
		}
		silent := s.options.Now().Sub(came)
		if silent < limit || err != nil {
			silent = 0
		}
		w.mu.Lock()
		was := w.silent
		w.silent, w.came = silent, came
		w.mu.Unlock()
		if was == 0 && silent > 0 {
			s.options.Logger.Error("nothing has come of the log of the watched system: look at the feed", "since", came)
			_, _ = s.Log.Note(ctx, audit.Event{Kind: audit.Job, Agent: audit.Agent{Job: "watch"}, Action: "E", Interaction: "feed-silent", Class: audit.Machine, Purpose: "HCOMPL",
				Outcome: 4, Text: "nothing has come of the log of the watched system for " + silent.Round(time.Minute).String()})
			if err := s.outlet.Tell(ctx, silence, came.Unix()); err != nil {
				s.options.Logger.Warn("that the feed is silent is told to nobody who is away", "error", err)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(min(time.Minute, limit)):
		}
	}
}

// silence is since when nothing came, and for how long, when that is too long.
func (w *otherSystem) silence() (since time.Time, silent time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.came, w.silent
}

// quiet is for how long nothing has come.
func (w *otherSystem) quiet(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.came.IsZero() {
		return 0
	}
	return now.Sub(w.came)
}

// feedOf is how the other system's log comes, as the office's page shows it.
func (s *Server) feedOf(ctx context.Context) (*web.Feed, error) {
	if s.other == nil {
		return nil, nil
	}
	x, err := s.other.source.Feed(ctx)
	if err != nil {
		return nil, err
	}
	_, silent := s.other.silence()
	out := &web.Feed{Came: x.Came, Newest: x.Newest, Judged: x.Judged, Rejected: x.Rejected, Silent: silent, Trouble: x.Trouble, Duplicates: x.Met.Duplicates, ClockFaults: x.Met.ClockFaults,
		OutOfOrder: x.Met.OutOfOrder, People: x.Met.UnknownPeople, Patients: x.Met.UnknownPatients, Acts: len(x.Met.UnknownActs) + x.Met.MoreActs}
	for _, f := range x.Files {
		one := web.FeedFile{Name: f.Name, Form: f.Form, Came: f.Came, Newest: f.Newest, Judged: f.Judged, Rejected: f.Rejected, Lines: max(0, f.Line-1), Trouble: f.Trouble}
		for _, r := range f.Some {
			one.Some = append(one.Some, web.RejectedLine{Line: r.Line, Why: r.Why})
		}
		out.Files = append(out.Files, one)
	}
	for _, r := range x.Context {
		out.Context = append(out.Context, web.RejectedLine{File: r.File, Line: r.Line, Why: r.Why})
	}
	if c := s.other.collector; c != nil {
		n := c.Counts()
		out.Refused, out.Dropped = n.Rejected, n.Dropped
	}
	return out, nil
}

var errNoCharts = outcome.New(outcome.NotSupported, "this installation watches another record system and holds no charts: open the chart there; what is watched stands under Cases")

// chartless are the beginnings of addresses that belong to charts, or to those who work with them.
var chartless = []string{"/fhir", "/oauth", "/.well-known", "/day", "/find", "/desk", "/billing", "/chart", "/glass", "/me", "/apps", "/privacy/reviews"}

// ofCharts reports whether a route belongs to charts.
func ofCharts(r access.Route) bool {
	return slices.ContainsFunc(chartless, func(at string) bool { return r.Pattern == at || strings.HasPrefix(r.Pattern, at+"/") })
}

// withoutCharts takes away the routes of charts and says so in their place: to programs as an OperationOutcome, to people on a page.
func withoutCharts(routes []access.Route, pages *web.Pages) []access.Route {
	routes = slices.DeleteFunc(routes, ofCharts)
	program := func(w http.ResponseWriter, _ *http.Request) { fhirapi.Fail(w, errNoCharts) }
	for _, at := range []string{"/fhir", "/fhir/", "/oauth/", "/.well-known/smart-configuration"} {
		routes = append(routes, access.Route{Pattern: at, Public: true, Handler: program})
	}
	person := func(w http.ResponseWriter, r *http.Request) { pages.Fail(w, r, errNoCharts) }
	for _, at := range []string{"/day", "/find", "/desk", "/desk/", "/billing", "/billing/", "/chart/", "/glass", "/me", "/me/", "/apps", "/apps/", "/privacy/reviews", "/privacy/reviews/"} {
		routes = append(routes, access.Route{Pattern: at, Action: ownSession, Handler: person})
	}
	return routes
}
