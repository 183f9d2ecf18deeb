package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// kindChoice is one choice of what to look for; its kinds in the log.
type kindChoice struct {
	value, name string
	kinds       []audit.Kind
	class       string
}

// kindChoices leave out only heartbeats, which say that nothing happened.
var kindChoices = []kindChoice{
	{"", "Anything", slices.DeleteFunc(everyKind(), func(k audit.Kind) bool { return k == audit.Heartbeat }), ""},
	{"opened", "Charts opened", []audit.Kind{audit.Disclosure, audit.Emergency}, audit.Deliberate},
	{"listed", "Names seen in lists", []audit.Kind{audit.Disclosure}, audit.Incidental},
	{"glass", "Glass", []audit.Kind{audit.Glass}, ""},
	{"refused", "Refused", []audit.Kind{audit.Refusal}, ""},
	{"written", "Written", []audit.Kind{audit.Intent, audit.Conclusion, audit.Import}, ""},
	{"searched", "Searches without a hit", []audit.Kind{audit.Search}, ""},
	{"export", "Copies taken out", []audit.Kind{audit.Export}, ""},
	{"sessions", "Sign-ins and sessions", []audit.Kind{audit.Session}, ""},
	{"people", "People and rights", []audit.Kind{audit.People, audit.Policy, audit.Setting, audit.Keys}, ""},
	{"watching", "Who read this record", []audit.Kind{audit.LogRead, audit.Casework}, ""},
	{"system", "The record itself", []audit.Kind{audit.Opened, audit.Started, audit.Journal, audit.Cut, audit.Acknowledged, audit.Redaction, audit.Counters, audit.Clock, audit.Node, audit.Job}, ""},
}

func everyKind() []audit.Kind {
	var out []audit.Kind
	for k := audit.Opened; k <= audit.Message; k++ {
		out = append(out, k)
	}
	return out
}

// query is what somebody asks of the log, as typed.
type query struct {
	who, patient, what, outcome, reason, from, to string
	before                                        audit.Index
}

// explore opens the explorer. An address names people and charts by opaque ids only, so it may hold a filter.
func (p *Pages) explore(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	p.explorer(w, r, query{who: q.Get("person"), patient: q.Get("patient"), what: q.Get("what"), reason: q.Get("reason")}, len(q) > 0)
}

// doExplore answers what was typed; that may name a patient and is in no address.
func (p *Pages) doExplore(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	get := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	before, _ := strconv.ParseInt(get("before"), 10, 64)
	p.explorer(w, r, query{who: get("who"), patient: get("patient"), what: get("what"), outcome: get("outcome"), reason: get("reason"), from: get("from"), to: get("to"),
		before: audit.Index(max(before, 0))}, true)
}

func (p *Pages) explorer(w http.ResponseWriter, r *http.Request, q query, ask bool) {
	who := p.asks(r)
	v := page.AuditView{Shell: p.shell(r, atExplorer, atExplorer), Asked: ask}
	status := http.StatusOK
	if ask {
		list, err := p.found(w, r, who, &q)
		switch code := outcome.CodeOf(err); {
		case err == nil:
			entered(w, list.Entry)
			v.Shell = withEntry(v.Shell, list.Entry)
			if v.Rows, err = p.auditLines(w, r, who, list.Lines); err != nil {
				p.fail(w, r, err)
				return
			}
			v.Shown = look.Plural(int64(len(v.Rows)), "entry", "entries") + ", newest first"
			if list.Older > 0 {
				v.Before = strconv.FormatInt(int64(list.Older), 10)
				v.Shown += ". There are older ones"
			}
		case code == outcome.Value || code == outcome.NotFound:
			v.Asked, v.Problem, status = false, sentence(err), outcome.Status(err)
		default:
			p.fail(w, r, err)
			return
		}
	} else if err := p.o.Gate.Permit(r.Context(), who, "audit-read"); err != nil {
		p.fail(w, r, err)
		return
	}
	v.Filter = page.AuditFilter{Who: q.who, Patient: q.patient, From: q.from, To: q.to,
		Outcome: options(q.outcome, "", "Any", "refused", "Refused or failed"), Reason: options(q.reason, "", "Any", "unusual", "Glass, or no reason found")}
	for _, c := range kindChoices {
		v.Filter.What = append(v.Filter.What, page.Option{Value: c.value, Name: c.name, On: c.value == q.what})
	}
	p.draw(w, r, status, page.Audit(v))
}

// options makes choices of pairs of value and name.
func options(on string, pairs ...string) []page.Option {
	var out []page.Option
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, page.Option{Value: pairs[i], Name: pairs[i+1], On: pairs[i] == on})
	}
	return out
}

// found asks the door. Names that were typed become ids; what the form is refilled with stays in q.
func (p *Pages) found(w http.ResponseWriter, r *http.Request, who access.Principal, q *query) (access.AccessList, error) {
	f := access.AuditFilter{Window: access.Window{Before: q.before, Limit: 50}, Refused: q.outcome == "refused", Unusual: q.reason == "unusual"}
	i := slices.IndexFunc(kindChoices, func(c kindChoice) bool { return c.value == q.what })
	if i < 0 {
		return access.AccessList{}, outcome.New(outcome.Value, "choose one of the kinds in the list")
	}
	f.Kinds, f.Class = kindChoices[i].kinds, kindChoices[i].class
	var err error
	if f.From, err = p.day(q.from); err != nil {
		return access.AccessList{}, err
	}
	if f.To, err = p.day(q.to); err != nil {
		return access.AccessList{}, err
	}
	if !f.To.IsZero() {
		f.To = f.To.AddDate(0, 0, 1) // the day that was typed is meant to be in it
	}
	if f.Person, err = p.personTyped(r.Context(), q); err != nil {
		return access.AccessList{}, err
	}
	f.PatientID = strings.TrimPrefix(q.patient, "Patient/")
	list, err := p.o.Gate.AuditRange(r.Context(), who, f)
	if f.PatientID == "" || !outcome.Is(err, outcome.NotFound) || !reviewsAccesses(who.Session) {
		return list, err
	}
	hits, findErr := p.o.Gate.Find(r.Context(), who, access.FindQuery{MRN: f.PatientID})
	entered(w, hits.Entry)
	if findErr != nil || len(hits.Hits) != 1 {
		return list, err
	}
	f.PatientID = hits.Hits[0].PatientID
	q.patient = f.PatientID
	return p.o.Gate.AuditRange(r.Context(), who, f)
}

// day reads a date that was typed, at the site's midnight; zero for nothing.
func (p *Pages) day(typed string) (time.Time, error) {
	if typed == "" {
		return time.Time{}, nil
	}
	t, ok := look.ParseDay(typed)
	if !ok {
		return time.Time{}, outcome.New(outcome.Value, "write a date like 14 Nov 2026 or 2026-11-14")
	}
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, p.o.Zone), nil
}

// personTyped finds the person meant by an id, a sign-in name, or a name that fits one person only.
func (p *Pages) personTyped(ctx context.Context, q *query) (string, error) {
	if q.who == "" {
		return "", nil
	}
	people, err := p.o.Persons.People(ctx)
	if err != nil {
		return "", err
	}
	var fit []string
	typed := strings.ToLower(q.who)
	for _, one := range people {
		if one.ID == q.who || one.SignInName == typed && !portalOnly(one) {
			if !portalOnly(one) {
				q.who = one.SignInName
			}
			return one.ID, nil
		}
		if !portalOnly(one) && strings.Contains(strings.ToLower(one.Name), typed) {
			fit = append(fit, one.ID, one.SignInName)
		}
	}
	switch len(fit) {
	case 0:
		return "", outcome.New(outcome.NotFound, "nobody who works here has that name")
	case 2:
		q.who = fit[1]
		return fit[0], nil
	}
	return "", outcome.New(outcome.Value, "that name fits "+strconv.Itoa(len(fit)/2)+" people: write the sign-in name, such as "+fit[1])
}

// auditLines are entries as the explorer shows them, one sentence each, patients masked.
func (p *Pages) auditLines(w http.ResponseWriter, r *http.Request, who access.Principal, lines []access.Line) ([]page.AuditLine, error) {
	var ids []string
	for _, l := range lines {
		ids = append(ids, l.PatientID)
	}
	masked, entry, err := p.o.Gate.Masked(r.Context(), who, ids...)
	if err != nil {
		return nil, err
	}
	entered(w, entry)
	var out []page.AuditLine
	for _, l := range lines {
		row := page.AuditLine{Index: look.Number(l.Index.Number()), Href: entryHref(l.Entry), When: look.Exact(l.At.In(p.o.Zone)), Who: actor(l), Role: actorRole(l),
			Did: upper(act(l)), Patient: patientWords(l, masked), Marks: marks(l)}
		if l.PatientID != "" && l.Outcome == 0 && !l.Unexplained {
			row.Reason = because(l.Template)
		}
		out = append(out, row)
	}
	return out, nil
}

// patientWords names the patients of an entry, masked: the one, or the first and how many more.
func patientWords(l access.Line, masked map[string]string) string {
	if l.Patients == 0 {
		return ""
	}
	if l.Patients == 1 {
		return masked[l.PatientID]
	}
	return look.Number(int64(l.Patients)) + " patients"
}

// entryHref is the address of an entry. Its name is its origin, which has slashes, and its number.
func entryHref(name string) string {
	if !strings.Contains(name, "/") || strings.ContainsAny(name, ", ") {
		return ""
	}
	return "/audit/" + name
}
