package server

import (
	"math"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/db"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics count what the server does, by route pattern: no path, query, person or patient is ever a label.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(s *Server) *metrics {
	m := &metrics{registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "chartwarden_requests_total", Help: "Answers by route pattern and status."}, []string{"route", "method", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "chartwarden_request_seconds", Help: "Time to the whole answer, by route pattern.",
			Buckets: []float64{.001, .0025, .005, .01, .02, .05, .1, .25, .5, 1, 2.5, 10}}, []string{"route"})}
	gauge := func(name, help string, value func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "chartwarden_" + name, Help: help}, value))
	}
	truth := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	m.registry.MustRegister(m.requests, m.seconds, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "chartwarden_audit_entries_total", Help: "Entries of the log that is being written; begins anew after a cut."},
			func() float64 { return float64(s.Log.State().Size) }))
	gauge("audit_journaling", "1 while the log cannot be written and the emergency journal serves.", func() float64 { return truth(s.Log.State().Journaling) })
	gauge("audit_journal_waiting", "Entries of the emergency journal that are not in the log yet.", func() float64 { return float64(s.Log.State().Waiting) })
	gauge("audit_cut", "1 while a cut log waits for a person to acknowledge it.", func() float64 { return truth(s.Log.State().Cut) })
	gauge("audit_head_agrees", "1 when the head kept outside agreed with the log at start.", func() float64 { return truth(s.Log.State().Outside == "agrees") })
	gauge("audit_witness_age_seconds", "Since a witness on another machine cosigned a head of the log; NaN: there is none.", func() float64 {
		if state := s.Log.State(); state.Independent() {
			return state.WitnessAge.Seconds()
		}
		return math.NaN()
	})
	gauge("audit_disputed", "1 while a witness knows another history of the log, or a longer one.", func() float64 { return truth(s.Log.State().Disputed != "") })
	gauge("backup_timestamp_seconds", "When the newest copy of this process was taken, Unix seconds; 0: none yet.", func() float64 { return float64(s.lastCopy.Load()) })
	for name, d := range map[string]func() *db.DB{"records": func() *db.DB { return s.records }, "audit": func() *db.DB { return s.trail }, "keys": func() *db.DB { return s.keys }} {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "chartwarden_database_broken", Help: "1 after an I/O error that only a restart mends.",
			ConstLabels: prometheus.Labels{"database": name}}, func() float64 { d := d(); return truth(d == nil || d.Broken() != nil) }))
	}
	s.watched(m.registry)
	s.leaving(m.registry)
	return m
}

// measured counts and times the answers of a route.
func (m *metrics) measured(route access.Route, next http.Handler) http.Handler {
	name := prometheus.Labels{"route": route.Pattern}
	return promhttp.InstrumentHandlerCounter(m.requests.MustCurryWith(name), promhttp.InstrumentHandlerDuration(m.seconds.MustCurryWith(name), next))
}

// serveMetrics answers only whom the configuration names; this machine when it names nobody. Figures of a hospital are its own.
func (s *Server) serveMetrics(w http.ResponseWriter, r *http.Request) {
	if !s.scrapes(r.RemoteAddr) {
		http.NotFound(w, r)
		return
	}
	promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{}).ServeHTTP(w, r)
}

func (s *Server) scrapes(remote string) bool {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return false
	}
	address, err := netip.ParseAddr(host)
	if err != nil || host == s.Config.TrustedProxy {
		return false
	}
	for _, p := range s.Config.metricsFrom() {
		if p.Contains(address.Unmap()) {
			return true
		}
	}
	return false
}

// metricsFrom are the networks that may read the metrics.
func (c Config) metricsFrom() (out []netip.Prefix) {
	text := c.MetricsFrom
	if text == "" {
		text = "127.0.0.0/8,::1/128"
	}
	for one := range strings.SplitSeq(text, ",") {
		if p, err := netip.ParsePrefix(strings.TrimSpace(one)); err == nil {
			out = append(out, p)
		}
	}
	return out
}
