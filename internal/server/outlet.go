package server

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"chartwarden/internal/casework"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/outlet"

	"github.com/prometheus/client_golang/prometheus"
)

// ways reads by which ways alerts leave; nil ones are not configured. Errors name the setting.
func (c Config) ways() (hook *outlet.Webhook, mail *outlet.Mail, err error) {
	read := func(flag, name string) ([]byte, error) {
		if name == "" {
			return nil, nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, outcome.Wrap("server: outlet", outcome.NotFound, "the file of "+flag+" cannot be read: check its path and permissions", errors.New("unreadable")).At(flag)
		}
		return []byte(strings.TrimSpace(string(text))), nil
	}
	if c.WebhookURL != "" {
		secret, err := read("--webhook-secret-file", c.WebhookSecretFile)
		if err == nil {
			hook, err = outlet.NewWebhook(c.WebhookURL, secret)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if c.MailServer != "" {
		login, err := read("--mail-login-file", c.MailLoginFile)
		if err == nil {
			mail, err = outlet.NewMail(c.MailServer, c.MailFrom, c.MailTo, string(login))
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return hook, mail, nil
}

// openOutlet makes ready what tells those who are away; [Server.Serve] lets it run.
func (s *Server) openOutlet(ctx context.Context) error {
	hook, mail, err := s.Config.ways()
	if err != nil {
		return err
	}
	s.outlet, err = outlet.Open(ctx, outlet.Options{DB: s.records, Source: alerts{s.Cases, s.Config.PublicURL, s}, Letters: letters{s.Cases, s.Persons, s.Config.PublicURL}, Words: words{s.Persons, s.Config.PublicURL, s.options.Now}, Webhook: hook, Mail: mail, Now: s.options.Now, Logger: s.options.Logger})
	return err
}

// alerts are the cases as the outlet asks for them.
type alerts struct {
	*casework.Store
	base string
	s    *Server
}

// silence is what word of a silent feed is known by, in place of the number of a case.
const silence = "feed-silent"

// declaredDowntime is what word of a declared downtime is known by.
const declaredDowntime = "downtime"

// overdueReviews is what word of openings that nobody looked at in time is known by.
const overdueReviews = "reviews-overdue"

// tellOverdue has those who are away told, each quarter of an hour, of reviews whose officer did not look in time: once for each that comes due.
func (s *Server) tellOverdue(ctx context.Context) {
	for {
		n, newest, err := s.Gate.ReviewsOverdue(ctx)
		if err == nil && n > 0 {
			err = s.outlet.Tell(ctx, overdueReviews, newest.UnixMicro())
		}
		if err != nil && ctx.Err() == nil {
			s.options.Logger.Warn("overdue reviews could not be told", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(15 * time.Minute):
		}
	}
}

// tellDowntime has those who are away told of a downtime as soon as it begins, once for each.
func (s *Server) tellDowntime(ctx context.Context) {
	for {
		d, err := s.Gate.Downtime(ctx)
		if err == nil && d != nil {
			err = s.outlet.Tell(ctx, declaredDowntime, d.Since.UnixMicro())
		}
		if err != nil && ctx.Err() == nil {
			s.options.Logger.Warn("a declared downtime could not be told", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}

// Alerts is for [outlet.Source].
func (a alerts) Alerts(ctx context.Context, since int64) (about []string, changes []int64, newest int64, err error) {
	changed, err := a.Since(ctx, since)
	if err != nil || len(changed) == 0 {
		return nil, nil, since, err
	}
	muted, err := a.Muted(ctx, changed...)
	if err != nil {
		return nil, nil, since, err
	}
	for _, c := range changed {
		if c.Told > since && c.State == casework.New && c.Pressing() && !muted[c.ID] {
			about, changes = append(about, c.ID), append(changes, c.Told)
		}
	}
	return about, changes, changed[len(changed)-1].Change, nil
}

// Message is for [outlet.Source]: a case that somebody has taken needs none, nor a feed that came again.
func (a alerts) Message(ctx context.Context, about string) (outlet.Message, bool, error) {
	if about == silence {
		if a.s.other == nil {
			return outlet.Message{}, false, nil
		}
		since, silent := a.s.other.silence()
		return outlet.Message{Hypothesis: silence, Severity: "high", Link: a.base + "/privacy/feed", Opened: since, Text: "Nothing has come of the watched log for too long"}, silent > 0, nil
	}
	if about == declaredDowntime {
		d, err := a.s.Gate.Downtime(ctx)
		if err != nil || d == nil {
			return outlet.Message{}, false, err
		}
		return outlet.Message{Hypothesis: declaredDowntime, Severity: "high", Link: a.base + "/downtime", Opened: d.Since,
			Text: "A downtime was declared: closed charts open by it until " + d.Until.In(a.s.zone).Format("2 Jan 15:04 MST")}, true, nil
	}
	if about == overdueReviews {
		n, newest, err := a.s.Gate.ReviewsOverdue(ctx)
		return outlet.Message{Hypothesis: overdueReviews, Severity: "moderate", Link: a.base + "/privacy/reviews", Opened: newest,
			Text: fmt.Sprintf("%d openings of closed charts wait for a review that is overdue", n)}, n > 0, err
	}
	c, err := a.Case(ctx, about)
	if err != nil {
		return outlet.Message{}, false, err
	}
	severity := "low"
	switch {
	case c.Severity >= .7:
		severity = "high"
	case c.Severity >= .4:
		severity = "moderate"
	}
	return outlet.Message{Case: c.ID, Hypothesis: c.Hypothesis, Severity: severity, Queue: c.Queue, Link: a.base + "/privacy/cases/" + url.PathEscape(c.ID), Opened: c.Opened},
		c.State == casework.New, nil
}

// letters are the messages of the night as the outlet asks for them.
type letters struct {
	*casework.Store
	people *identity.Store
	base   string
}

// Letter is for [outlet.Letters].
func (l letters) Letter(ctx context.Context, number int64) (to, link string, wanted bool, err error) {
	person, wanted, err := l.Store.Letter(ctx, number)
	if err != nil || !wanted {
		return "", "", false, err
	}
	who, err := l.people.Person(ctx, person)
	if outcome.Is(err, outcome.NotFound) {
		return "", "", false, nil
	}
	return who.Mail, l.base + "/activity", who.Mail != "" && who.Active, err
}

// trouble says what is wrong with a setting now, for the page Configuration; empty when nothing is.
func (s *Server) trouble(setting string) string {
	way := map[string]string{"--webhook-url": outlet.ByWebhook, "--mail-server": outlet.ByMail}[setting]
	if way == "" {
		return ""
	}
	x, err := s.outlet.State(context.Background(), way)
	if err != nil || x.Trouble == "" {
		return ""
	}
	return fmt.Sprintf("Since %s alerts do not leave by it: %s; %d wait.", x.Since.In(s.zone).Format("2 Jan 15:04"), x.Trouble, x.Waiting)
}

// leaving are the figures of what leaves.
func (s *Server) leaving(registry *prometheus.Registry) {
	for _, way := range []string{outlet.ByWebhook, outlet.ByMail, outlet.ByLetter} {
		label := prometheus.Labels{"way": way}
		state := func(value func(outlet.State) float64) func() float64 {
			return func() float64 {
				x, err := s.outlet.State(context.Background(), way)
				if err != nil {
					return 0
				}
				return value(x)
			}
		}
		registry.MustRegister(
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "chartwarden_outlet_waiting", Help: "Alerts that wait to leave.", ConstLabels: label}, state(func(x outlet.State) float64 { return float64(x.Waiting) })),
			prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "chartwarden_outlet_sent_total", Help: "Alerts that left.", ConstLabels: label}, state(func(x outlet.State) float64 { return float64(x.Sent) })),
			prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "chartwarden_outlet_failures_total", Help: "Attempts that failed.", ConstLabels: label}, state(func(x outlet.State) float64 { return float64(x.Failures) })),
			prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "chartwarden_outlet_dropped_total", Help: "Alerts given up after three days.", ConstLabels: label}, state(func(x outlet.State) float64 { return float64(x.Dropped) })))
	}
}
