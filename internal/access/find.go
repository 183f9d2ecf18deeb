package access

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/care"
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
)

// FindQuery is what a person knows of the patient who is looked for.
type FindQuery struct {
	Name      string // any part of it
	BirthDate string // YYYY-MM-DD
	MRN       string
}

// Hit is one patient who fits, by as little as tells one from another.
type Hit struct {
	PatientID string
	Identity
	Closed bool // a reason will be asked
	Why    string
}

// Found is the answer to a search for a patient.
type Found struct {
	Hits  []Hit
	More  bool // others fit too: ask for a second fact
	Entry string
}

// At most so many patients to whom nothing links the asker are shown (decisions 24).
const unrelatedHits = 5

// Find looks for patients. Those with whom p has a relationship come first. Others show only when the record number is given, or
// three letters of the name and the birth date; at most five. Every search is an entry that names whom it showed.
//
// Errors: outcome.Required when nothing, or too little, is given; outcome.Forbidden where p's role finds nobody.
func (g *Gate) Find(ctx context.Context, p Principal, f FindQuery) (Found, error) {
	q, text, err := g.directoryQuery(f)
	if err != nil {
		return Found{}, err
	}
	s, err := g.relate(ctx, p, chart{})
	if err != nil {
		return Found{}, err
	}
	s.chart.id = "any"
	r := s.typical("Patient")
	r.PatientKey = s.chart.id // of no chart in particular, but of a patient
	if d := g.decide(s, policy.Find, r); !d.Allowed {
		return Found{}, g.refuse(ctx, s, policy.Find, "find", r, d)
	}
	enough := f.MRN != "" || len([]rune(strings.TrimSpace(f.Name))) >= 3 && f.BirthDate != ""
	var failed error
	unrelated := 0
	more := false
	found, err := g.records.Search(ctx, record.SearchRequest{Query: q, Text: text, Principal: p.cursorKey(),
		Allows: func(x *record.Sealed) bool {
			if failed != nil {
				return false
			}
			var c chart
			var one standing
			if c, failed = g.chartOf(ctx, x); failed != nil {
				return false
			}
			if one, failed = g.relate(ctx, p, c); failed != nil {
				return false
			}
			if g.decide(one, policy.Search, one.resource(x)).Allowed {
				return true
			}
			if !enough || !g.decide(one, policy.Find, one.resource(x)).Allowed || protected(one.relation.Flags) {
				more = true
				return false
			}
			if unrelated++; unrelated > unrelatedHits {
				more = true
				return false
			}
			return true
		}})
	if err == nil {
		err = failed
	}
	if err != nil {
		return Found{}, err
	}
	var charts []chart
	for _, x := range found.Hits {
		c, err := g.chartOf(ctx, x)
		if err != nil {
			return Found{}, err
		}
		charts = append(charts, c)
	}
	if len(charts) == 0 {
		e := s.event("find", "E")
		e.Query = "Patient?" + text
		logged, err := g.log.Query(ctx, e)
		if err != nil {
			return Found{}, err
		}
		return Found{More: more, Entry: logged.Entry()}, nil
	}
	hits, entry, err := g.identities(ctx, p, charts)
	return Found{Hits: hits, More: more || found.Next != "", Entry: entry}, err
}

func (g *Gate) directoryQuery(f FindQuery) (*search.Query, string, error) {
	v := url.Values{"_count": {"50"}, "_sort": {"family"}}
	if words := strings.Fields(f.Name); len(words) > 0 {
		for _, w := range words {
			v.Add("name", strings.Trim(w, ","))
		}
	}
	if f.BirthDate != "" {
		if _, err := time.Parse(time.DateOnly, f.BirthDate); err != nil {
			return nil, "", outcome.New(outcome.Value, "write the birth date as year-month-day, for example 1961-03-14").At("birthdate")
		}
		v.Set("birthdate", f.BirthDate)
	}
	if f.MRN != "" {
		v.Set("identifier", strings.TrimSpace(f.MRN))
	}
	if len(v) == 2 {
		return nil, "", outcome.New(outcome.Required, "give a name, a birth date or a record number").At("name")
	}
	q, err := search.Parse("Patient", v, g.reading())
	return q, v.Encode(), err
}

// identities shows who the patients of charts are, and no more, under one incidental entry that names them all.
func (g *Gate) identities(ctx context.Context, p Principal, charts []chart) ([]Hit, string, error) {
	var parts []permitted
	var hits []Hit
	var first standing
	for i, c := range charts {
		s, err := g.relate(ctx, p, c)
		if err != nil {
			return nil, "", err
		}
		if i == 0 {
			first = s
		}
		x, err := g.records.Read(ctx, "Patient", c.id)
		if outcome.Is(err, outcome.Deleted) { // erased
			continue
		}
		if err != nil {
			return nil, "", err
		}
		d := g.decide(s, policy.Find, s.resource(x))
		open := g.decide(s, policy.Read, s.typical("Condition"))
		if front := g.decide(s, policy.Read, s.resource(x)); !d.Allowed && front.Allowed {
			d = front
		}
		if !d.Allowed {
			continue
		}
		parts = append(parts, permitted{s, d, []*record.Sealed{x}, policy.Find})
		hits = append(hits, Hit{PatientID: c.id, Closed: !open.Allowed, Why: s.reason(open).Sentence})
	}
	if len(parts) == 0 {
		return nil, "", nil
	}
	e := first.event("find", "E")
	e.Class = "incidental"
	opened, err := g.disclose(ctx, e, parts...)
	if err != nil {
		return nil, "", err
	}
	for i, doc := range opened.Docs {
		hits[i].Identity = identityOf(doc)
	}
	return hits, opened.Entry, nil
}

// identityOf reads name, birth year, sex and the end of the record number from a Patient.
func identityOf(doc *document.Doc) Identity {
	root := doc.Root()
	out := Identity{Name: HumanName(root.Get("name")), Sex: root.Get("gender").Text()}
	if birth := root.Get("birthDate").Text(); len(birth) >= 4 {
		out.BirthYear = birth[:4]
	}
	for id := range root.Get("identifier").Items() {
		for coding := range id.Path("type", "coding").Items() {
			if v := id.Get("value").Text(); coding.Get("code").Text() == "MR" && len(v) >= 4 {
				out.MRNTail = v[len(v)-4:]
			}
		}
	}
	return out
}

// OnList is one patient of a person's day, and why.
type OnList struct {
	PatientID string
	Identity
	Because  string
	Template string
	Place    string // the ward or clinic where she is now
	Bed      string // within it, as the visit displays it
	At       time.Time
	Open     bool // the chart opens to p without a question
}

// Day is who is mine today.
type Day struct {
	Patients []OnList
	OnShift  bool
	Place    string    // of the shift
	From     time.Time // begin of the shift
	Until    time.Time // its end; zero without one
	Entry    string
}

// MyDay lists the patients with whom p has a relationship today, strongest first. The names stand under one incidental entry.
func (g *Gate) MyDay(ctx context.Context, p Principal) (Day, error) {
	s, err := g.relate(ctx, p, chart{})
	if err != nil || p.Session == nil {
		return Day{}, err
	}
	actor, err := g.actor(ctx, p.Session.Person)
	if err != nil {
		return Day{}, err
	}
	shift, err := g.care.OnShift(ctx, actor, s.at)
	if err != nil {
		return Day{}, err
	}
	mine, err := g.care.Patients(ctx, actor, s.at)
	if err != nil {
		return Day{}, err
	}
	day := Day{OnShift: shift.On, Place: shift.Place, From: shift.From, Until: shift.Until}
	var charts []chart
	because := map[fhir.PatientID]care.Related{}
	for _, m := range mine {
		c, err := g.chartNumber(ctx, m.Patient)
		if err != nil {
			return Day{}, err
		}
		charts = append(charts, c)
		because[m.Patient] = m
	}
	hits, entry, err := g.identities(ctx, p, charts)
	if err != nil {
		return Day{}, err
	}
	where, err := g.care.Whereabouts(ctx, s.at, slices.Collect(maps.Keys(because))...)
	if err != nil {
		return Day{}, err
	}
	byID := map[string]fhir.PatientID{}
	for _, c := range charts {
		byID[c.id] = c.number
	}
	for _, h := range hits {
		m := because[byID[h.PatientID]]
		at := where[byID[h.PatientID]]
		day.Patients = append(day.Patients, OnList{PatientID: h.PatientID, Identity: h.Identity, Because: m.Edge.Sentence(), Template: m.Edge.Template,
			Place: at.Ward, Bed: at.Bed, At: m.Edge.From, Open: !h.Closed})
	}
	day.Entry = entry
	return day, nil
}
