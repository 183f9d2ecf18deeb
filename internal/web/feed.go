package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// Feed is how the log of a watched system comes.
type Feed struct {
	Files       []FeedFile // the newest first
	Came        time.Time  // when something last came; zero: never
	Newest      time.Time  // of all accesses that were judged
	Judged      int
	Rejected    int           // lines that are none
	Silent      time.Duration // for how long nothing came, when that is too long; 0: it is not
	Trouble     string        // why files or context are not read to their end; empty: they are
	Duplicates  int
	ClockFaults int
	OutOfOrder  int
	People      int // whom the context does not know
	Patients    int
	Acts        int            // words for what was done that the mapping does not know
	Context     []RejectedLine // of the context, the first
	Refused     int64          // messages of the network that were none
	Dropped     int64          // for which there was no room
}

// FeedFile is one file of it.
type FeedFile struct {
	Name, Form string
	Came       time.Time
	Newest     time.Time // of its accesses; zero: none was judged by this process
	Lines      int
	Judged     int
	Rejected   int
	Some       []RejectedLine // the first
	Trouble    string         // why it, or the rest of it, is not taken
}

// RejectedLine is a line that is none, and why; nothing of it.
type RejectedLine struct {
	File string
	Line int
	Why  string
}

// watchNav is a navigation without places that need charts.
func watchNav(nav []look.NavItem) []look.NavItem {
	return slices.DeleteFunc(nav, func(n look.NavItem) bool {
		return slices.Contains([]string{"/privacy", "/privacy/reviews", "/day", "/find", "/desk", "/billing", "/me"}, n.Href)
	})
}

// watchHome is where a person's work begins where another system is watched.
func watchHome(s *identity.Session) string {
	switch {
	case reviewsAccesses(s):
		return "/privacy/cases"
	case kind(s) == forPrivacy:
		return "/audit"
	case kind(s) == forAdmins:
		return "/admin/people"
	}
	return "/activity"
}

// feedLine says in a line of the queue how the log of the watched system comes; nil where there is none.
func (p *Pages) feedLine(ctx context.Context) *page.FeedLine {
	if p.o.Feed == nil {
		return nil
	}
	f, err := p.o.Feed(ctx)
	switch {
	case err != nil:
		return &page.FeedLine{Text: "How the log of the watched system comes cannot be told now.", Warn: true}
	case f == nil:
		return nil
	case f.Silent > 0:
		return &page.FeedLine{Text: "Nothing has come of the watched log for " + ago(f.Silent) + ".", Warn: true}
	case len(f.Files) == 0:
		return &page.FeedLine{Text: "Nothing has come of the watched log yet.", Warn: f.Trouble != ""}
	case f.Trouble != "" || slices.ContainsFunc(f.Files, func(x FeedFile) bool { return x.Trouble != "" }):
		return &page.FeedLine{Text: "Part of the watched log is not read.", Warn: true}
	}
	text := "Watched log: " + f.Files[0].Name + " came " + ago(p.now().Sub(f.Came)) + " ago"
	if !f.Newest.IsZero() {
		text += ", accesses until " + f.Newest.In(p.o.Zone).Format("Mon 2 Jan 15:04")
	}
	if f.Rejected > 0 {
		text += ", " + look.Plural(int64(f.Rejected), "line", "lines") + " rejected"
	}
	return &page.FeedLine{Text: text + "."}
}

const filesShown = 60

// feed is the page that tells how the log of the watched system comes.
func (p *Pages) feed(w http.ResponseWriter, r *http.Request) {
	entry, err := p.o.Gate.StepCase(r.Context(), p.asks(r), policy.Cases, access.CaseStep{Step: "queue", Text: "how the watched log comes"})
	if err != nil {
		p.fail(w, r, err)
		return
	}
	var f *Feed
	if p.o.Feed != nil {
		f, err = p.o.Feed(r.Context())
	}
	if err == nil && f == nil {
		err = outcome.New(outcome.NotFound, "this installation follows its own log: no other system is watched")
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, entry)
	v := page.FeedView{Shell: withEntry(p.shell(r, "How the log comes", atCases), entry), Sub: "Each line is judged once. What is no line is counted and named, and stops nothing.", Notes: f.notes(),
		Shown: look.Shown(min(len(f.Files), filesShown), len(f.Files), "file", "files")}
	number := func(n int) string { return look.Number(int64(n)) }
	v.Facts = []look.Fact{{Name: "Accesses that were judged", Value: number(f.Judged)}, {Name: "Lines rejected", Value: number(f.Rejected)},
		{Name: "Of these, there before byte by byte", Value: number(f.Duplicates)}, {Name: "Lines of wrong clocks", Value: number(f.ClockFaults)}, {Name: "Lines out of order", Value: number(f.OutOfOrder)},
		{Name: "People whom the context does not know", Value: number(f.People)}, {Name: "Patients whom the context does not know", Value: number(f.Patients)},
		{Name: "Words for an act that the mapping does not know", Value: number(f.Acts)}}
	if f.Refused > 0 || f.Dropped > 0 {
		v.Facts = append(v.Facts, look.Fact{Name: "Messages of the network refused", Value: look.Number(f.Refused)}, look.Fact{Name: "Datagrams dropped for want of room", Value: look.Number(f.Dropped)})
	}
	for _, x := range f.Files[:min(len(f.Files), filesShown)] {
		line := page.FeedFile{Name: x.Name, Trouble: upper(strings.TrimPrefix(x.Trouble, x.Name+": "))}
		if !x.Came.IsZero() {
			said := []string{x.Form, "came " + look.Moment(x.Came.In(p.o.Zone)).Text(), look.Plural(int64(x.Lines), "line", "lines"), number(x.Judged) + " judged", number(x.Rejected) + " rejected"}
			if !x.Newest.IsZero() {
				said = slices.Insert(said, 2, "accesses until "+look.Moment(x.Newest.In(p.o.Zone)).Text())
			}
			line.Said = strings.Join(said, " · ")
		}
		for _, s := range x.Some {
			line.Some = append(line.Some, fmt.Sprintf("Line %d: %s", s.Line, s.Why))
		}
		if n := x.Rejected - len(x.Some); n > 0 {
			line.Some = append(line.Some, "and "+number(n)+" more")
		}
		v.Files = append(v.Files, line)
	}
	for _, x := range f.Context {
		v.Context = append(v.Context, fmt.Sprintf("%s, line %d: %s", x.File, x.Line, x.Why))
	}
	p.draw(w, r, http.StatusOK, page.Feed(v))
}

// notes are what is not as it should be.
func (f *Feed) notes() (out []string) {
	if f.Silent > 0 {
		out = append(out, "Nothing has come for "+ago(f.Silent)+". Look at the other system’s export and at the way to this machine: what is not logged is not judged.")
	}
	if f.Trouble != "" {
		out = append(out, upper(f.Trouble)+".")
	}
	var unread []string
	for _, x := range f.Files {
		if x.Trouble != "" {
			unread = append(unread, x.Name)
		}
	}
	if len(unread) > 0 {
		out = append(out, "Not read, or not to the end: "+strings.Join(unread[:min(len(unread), 5)], ", ")+".")
	}
	return out
}
