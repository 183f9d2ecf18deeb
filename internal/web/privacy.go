package web

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/casework"
	"chartwarden/internal/identity"
	"chartwarden/internal/policy"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// The pages of those who watch. They show who did what and never anything clinical; patients are masked by the door.

func (p *Pages) privacyRoutes() []access.Route {
	return []access.Route{
		{Method: "GET", Pattern: "/privacy", Action: policy.AuditRead, Handler: p.overview},
		{Method: "GET", Pattern: "/privacy/reviews", Action: policy.GlassReview, Handler: p.reviews},
		{Method: "GET", Pattern: "/privacy/reviews/{review}", Action: policy.GlassReview, Handler: p.review},
		{Method: "POST", Pattern: "/privacy/reviews/{review}", Action: policy.GlassReview, Handler: p.decide},
		{Method: "POST", Pattern: "/privacy/reviews/{review}/pass", Action: policy.GlassReview, Handler: p.passOn},
		{Method: "POST", Pattern: "/privacy/reviews/{review}/names", Action: policy.GlassReview, Handler: p.putAside},
		{Method: "GET", Pattern: "/privacy/reviews/{review}/names", Action: policy.GlassReview, Handler: p.answering(p.reviewNames, p.review)},
		{Method: "GET", Pattern: "/audit", Action: policy.AuditRead, Handler: p.answering(p.doExplore, p.explore)},
		{Method: "POST", Pattern: "/audit", Action: policy.AuditRead, Handler: p.putAside},
		{Method: "GET", Pattern: "/audit/{entry...}", Action: policy.AuditRead, Handler: p.entry},
		{Method: "GET", Pattern: "/integrity", Action: policy.AuditVerify, Handler: p.integrity},
		{Method: "POST", Pattern: "/integrity", Action: policy.AuditVerify, Handler: p.doIntegrity},
	}
}

// Names of places in the navigation, as look gives them.
const (
	atOverview  = "Overview"
	atReviews   = "Reviews"
	atCases     = "Cases"
	atExplorer  = "Audit explorer"
	atIntegrity = "Integrity"
	atPeople    = "People"
	atApprovals = "Approvals"

	atConfiguration = "Configuration"
)

// reviewsAccesses reports whether the session belongs to the privacy office. Whether a page opens is the door's to say; this only
// leaves out what would be refused.
func reviewsAccesses(s *identity.Session) bool { return slices.Contains(s.Roles(), identity.Privacy) }

// waiting counts what waits for the person, as the navigation shows it. A count that cannot be had is no reason not to show a page.
func (p *Pages) waiting(r *http.Request) (c look.Counts) {
	c.Reviews, _ = p.o.Gate.Waiting(r.Context(), access.PrincipalFrom(r.Context()))
	if administers(session(r)) {
		items, _ := p.o.Persons.Pending(r.Context())
		c.People = len(items)
	}
	c.Approvals, _ = p.o.Gate.ApprovalsWaiting(r.Context(), access.PrincipalFrom(r.Context()))
	c.Cases, _ = p.o.Office.Waiting(r.Context(), access.PrincipalFrom(r.Context()))
	return c
}

// officeNav is the navigation of the session's office: without what would be refused, with People and Configuration for whom they are
// for, too.
func officeNav(s *identity.Session, at string, c look.Counts) []look.NavItem {
	nav := slices.DeleteFunc(look.PrivacyNav(at, c), func(n look.NavItem) bool {
		return (n.Label == atReviews || n.Label == atCases) && !reviewsAccesses(s) || n.Label == atApprovals && !reviewsAccesses(s) && !slices.Contains(s.Roles(), identity.Security)
	})
	for _, n := range look.AdminNav(at, c) {
		if n.Label == atTraining && (reviewsAccesses(s) || administers(s)) || administers(s) && (n.Label == atPeople || n.Label == atApprovals && !reviewsAccesses(s) && !slices.Contains(s.Roles(), identity.Security)) || n.Label == atConfiguration && configures(s) {
			nav = slices.Insert(nav, len(nav)-1, n)
		}
	}
	return nav
}

// adminNav is the navigation of administrators, and of human resources without what is not theirs.
func adminNav(s *identity.Session, at string, c look.Counts) []look.NavItem {
	return slices.DeleteFunc(look.AdminNav(at, c), func(n look.NavItem) bool {
		return n.Label == atRules && !readsRules(s) || n.Label == atApprovals && !administers(s) || (n.Label == atConfiguration || n.Label == atDevices) && !configures(s)
	})
}

const queueOnOverview = 5

func (p *Pages) overview(w http.ResponseWriter, r *http.Request) {
	if p.o.Watches { // the openings of charts that it counts happen elsewhere
		see(w, r, p.home(session(r)))
		return
	}
	who := p.asks(r)
	o, err := p.o.Gate.Overview(r.Context(), who)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, o.Entry)
	cases, err := p.o.Office.Standing(r.Context(), who)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	v := page.PrivacyView{Shell: withEntry(p.shell(r, atOverview, atOverview), o.Entry), Sub: look.Moment(p.now()).Text(), Figures: append(caseFigures(who.Session, cases), p.figures(o)...),
		VolumeOf: "Last 14 days", Volume: look.VolumeOf{What: "openings", PartName: "without a link that we found"}, Waiting: o.Open, Proof: proofLine(o.State)}
	for _, d := range o.Days {
		v.Volume.Bars = append(v.Volume.Bars, look.Bar{Label: d.Date.Format("2 Jan"), Count: d.Openings, Part: d.Unexplained})
	}
	v.Friction, v.FrictionNote = friction(o.Friction)
	v.GlassRates = glassRates(o.Glass)
	v.Mutual = mutual(o.Mutual)
	if t := o.Twin; t.Openings > 0 {
		v.Twin = page.Twin{Real: float64(t.Explained) / float64(t.Openings), Permuted: float64(t.Dealt) / float64(t.Openings), RealWords: percent(t.Explained, t.Openings),
			PermutedWords: percent(t.Dealt, t.Openings), Note: "The newest " + look.Plural(int64(t.Openings), "opening", "openings") + " by staff"}
	}
	if reviewsAccesses(who.Session) {
		list, err := p.o.Gate.Reviews(r.Context(), who, access.ReviewsOpen, 0, queueOnOverview)
		if err != nil {
			p.fail(w, r, err)
			return
		}
		masked, entry, err := p.o.Gate.Masked(r.Context(), who, patientsOf(list.Reviews)...)
		if err != nil {
			p.fail(w, r, err)
			return
		}
		entered(w, list.Entry, entry)
		v.Queue = p.reviewLines(r, list.Reviews, masked)
	}
	p.draw(w, r, http.StatusOK, page.Privacy(v))
}

// caseFigures are how the cases stand, for who works on them.
func caseFigures(s *identity.Session, c casework.Counts) []page.Figure {
	if !reviewsAccesses(s) {
		return nil
	}
	open := page.Figure{Number: look.Number(int64(c.Open)), Label: "Open cases", Href: "/privacy/cases", Hint: "nothing waits"}
	if c.Open > 0 {
		open.Hint = fmt.Sprintf("%d under a day, %d under three days, %d older", c.Ages[0], c.Ages[1], c.Ages[2])
	}
	if c.Overdue > 0 {
		open.Hint, open.Tone = open.Hint+"; "+look.Number(int64(c.Overdue))+" overdue", look.Warn
	}
	out := []page.Figure{open}
	if c.Taken > 0 {
		out = append(out, page.Figure{Number: ago(c.First), Label: "To the first look at a case", Href: "/privacy/cases?show=closed", Hint: "median of " + look.Plural(int64(c.Taken), "case", "cases") + ", 30 days"})
	}
	return out
}

// figures are the numbers of the overview. What cannot be computed is left out, never guessed.
func (p *Pages) figures(o access.Overview) []page.Figure {
	waiting := page.Figure{Number: look.Number(int64(o.Open)), Label: "Waiting for a look", Href: "/privacy/reviews", Hint: "nothing waits"}
	if !o.Oldest.IsZero() {
		waiting.Hint = "the oldest for " + ago(p.now().Sub(o.Oldest))
	}
	out := []page.Figure{waiting}
	if o.Answered > 0 {
		out = append(out, page.Figure{Number: ago(o.Median), Label: "From opening to answer", Href: "/privacy/reviews?show=closed",
			Hint: "median of " + look.Plural(int64(o.Answered), "review", "reviews") + ", 30 days"})
	}
	if o.Reconciled > 0 {
		out = append(out, page.Figure{Number: look.Number(int64(o.Reconciled)), Label: "Closed by later facts", Href: "/privacy/reviews?show=closed",
			Hint: "a visit, order or task that somebody else recorded, 30 days"})
	}
	out = append(out, page.Figure{Number: look.Number(int64(o.GlassToday)), Label: "Glass openings today", Hint: "closed charts opened with a reason", Href: "/audit?what=glass"})
	week := o.Days[max(len(o.Days)-7, 0):]
	all, unexplained := 0, 0
	for _, d := range week {
		all, unexplained = all+d.Openings, unexplained+d.Unexplained
	}
	if all > 0 {
		out = append(out, page.Figure{Number: percent(unexplained, all), Label: "Openings with no link found", Href: "/audit?reason=unusual",
			Hint: look.Number(int64(unexplained)) + " of " + look.Number(int64(all)) + " in 7 days, the glass included"})
	}
	state := integrityState(o.State)
	return append(out, page.Figure{Number: look.Number(o.State.Size), Label: "Entries in the record", Hint: stateWords[state], Href: "/integrity", Tone: stateTones[state]})
}

// ago writes how long something took or waits, in one unit.
func ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < 2*time.Hour:
		return look.Plural(int64(d/time.Minute), "minute", "minutes")
	case d < 48*time.Hour:
		return look.Plural(int64(d/time.Hour), "hour", "hours")
	}
	return look.Plural(int64(d/(24*time.Hour)), "day", "days")
}

// percent writes a share with one digit behind the point; what is not nothing never reads as nothing.
func percent(part, whole int) string {
	share := 100 * float64(part) / float64(whole)
	if part > 0 && share < .1 {
		return "under 0.1 %"
	}
	return fmt.Sprintf("%.1f %%", share)
}

// integrityState says how sure one can be. Without a head that somebody else keeps, a record is self-witnessed and never called
// proven, whatever it says of itself.
func integrityState(s audit.State) page.IntegrityState {
	switch {
	case s.Cut:
		return page.Cut
	case s.Disputed != "":
		return page.Disputed
	case s.Journaling:
		return page.Journal
	case !s.Independent():
		return page.SelfWitnessed
	case s.WitnessAge >= audit.Unwitnessed:
		return page.Unwitnessed
	}
	return page.Proven
}

var stateWords = map[page.IntegrityState]string{page.Cut: "the record was cut", page.Disputed: "a witness knows another record", page.Journal: "emergency journal serves",
	page.SelfWitnessed: "self-witnessed", page.Unwitnessed: "the witness is away", page.Proven: "witnessed outside"}

var stateTones = map[page.IntegrityState]look.Tone{page.Cut: look.Crit, page.Disputed: look.Crit, page.Journal: look.Warn, page.SelfWitnessed: look.Warn,
	page.Unwitnessed: look.Warn, page.Proven: look.OK}

// proofLine says in one line whether the record is whole.
func proofLine(s audit.State) page.ProofLine {
	state := integrityState(s)
	line := page.ProofLine{Tone: stateTones[state], Href: "/integrity"}
	switch state {
	case page.Cut:
		line.Lead, line.Text = "The record was cut", "Two copies of its head disagree. Somebody has to look into it."
	case page.Disputed:
		line.Lead, line.Text = "A witness knows another record", "Somebody has to look into it. Exports, deletions and administration wait."
	case page.Journal:
		line.Lead, line.Text = "The emergency journal serves", "Entries are kept there until the record can be written again."
	case page.Proven:
		line.Lead = look.Number(witnessedEntries(s)) + " of " + look.Plural(s.Size, "entry", "entries") + " witnessed"
		line.Text = "Somebody outside this installation cosigned the head that they stand under, " + ago(s.WitnessAge) + " ago."
	case page.Unwitnessed:
		line.Lead = "Not witnessed for " + ago(s.WitnessAge)
		line.Text = "The witness does not answer. Entries are written as always and go to it when it is back."
	default:
		line.Lead = look.Plural(s.Size, "entry", "entries") + ", self-witnessed"
		line.Text = "Each stands under a signed head. Nobody outside this machine keeps a copy of that head."
	}
	return line
}

// witnessedEntries is how many entries stand under a head that somebody elsewhere cosigned.
func witnessedEntries(s audit.State) (n int64) {
	for _, w := range s.Witnesses {
		if !w.Here {
			n = max(n, w.Size)
		}
	}
	return n
}

func patientsOf(list []access.Review) []string {
	var out []string
	for _, r := range list {
		out = append(out, r.PatientID)
	}
	return out
}
