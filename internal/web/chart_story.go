package web

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// The storyboard: who the patient is, what must never be given, why the chart is open.

// story fills the storyboard from an opened chart. Facts that need results are there only on pages that opened results.
func story(c *access.Chart, now time.Time) page.Patient {
	out := page.Patient{ID: c.PatientID, Name: "Name not shown", Allergies: allergies(c.Docs["AllergyIntolerance"]), Why: why(c, now)}
	if c.Patient != nil {
		root := c.Patient.Root()
		out.Name = cmp.Or(access.HumanName(root.Get("name")), "Name not known")
		died := momentOf(now.Location(), root.Get("deceasedDateTime"))
		until := now
		if !died.at.IsZero() {
			out.Died, until = died.day(), died.at
		} else if root.Get("deceasedBoolean").Bool() {
			out.Marks = append(out.Marks, look.Mark{Text: "Died"})
		}
		born := root.Get("birthDate").Text()
		out.Born = look.Partial(born)
		out.About = about(look.Age(born, until), root.Get("gender").Text())
		out.MRN = recordNumber(root)
	}
	if len(c.Flags) > 0 {
		out.Marks = append(out.Marks, look.Mark{Icon: "lock", Text: "Protected chart"})
	}
	out.Facts = append(stay(c.Docs["Encounter"], now), measures(c.Docs["Observation"], now)...)
	if c.Patient != nil {
		if language := preferred(c.Patient.Root().Get("communication")); language != "" {
			out.Facts = append(out.Facts, look.Fact{Name: "Language", Value: language})
		}
	}
	for _, m := range c.Team {
		if m.Name != "" {
			out.Team = append(out.Team, page.Member{Name: m.Name, Role: because(m.Edge.Template)})
		}
	}
	return out
}

// about is age and sex in words.
func about(age, sex string) string {
	return strings.TrimPrefix(strings.TrimSuffix(age+", "+sex, ", "), ", ")
}

// recordNumber is the hospital's own number of a patient.
func recordNumber(patient document.Node) string {
	for id := range patient.Get("identifier").Items() {
		if coded(id.Get("type"), "MR") {
			return id.Get("value").Text()
		}
	}
	return ""
}

func preferred(communication document.Node) string {
	for c := range communication.Items() {
		if language := words(c.Get("language")); c.Get("preferred").Bool() && !strings.HasPrefix(strings.ToLower(language), "english") {
			return language
		}
	}
	return ""
}

// noneKnown are SNOMED CT codes that say somebody asked and there is none: no known allergy, food, drug, environmental, latex.
var noneKnown = []string{"716186003", "429625007", "409137002", "428607008", "716184000", "716220001", "1003774007"}

// allergies reads what the patient must not get, the most dangerous first. Whoever is asked and has none is told from who was never
// asked.
func allergies(docs []*document.Doc) page.Allergies {
	var out page.Allergies
	type ranked struct {
		page.Allergy
		danger int
	}
	var list []ranked
	for _, d := range docs {
		root := d.Root()
		if withdrawn(root) {
			continue
		}
		out.Asked = true
		name := words(root.Get("code"))
		if coded(root.Get("clinicalStatus"), "inactive", "resolved") || coded(root.Get("code"), noneKnown...) || strings.HasPrefix(strings.ToLower(name), "no known") {
			continue
		}
		a := ranked{Allergy: page.Allergy{Substance: name}}
		var seen []string
		for reaction := range root.Get("reaction").Items() {
			if a.Substance == "" {
				a.Substance = words(reaction.Get("substance"))
			}
			for m := range reaction.Get("manifestation").Items() {
				if s := words(m); s != "" && !slices.Contains(seen, s) {
					seen = append(seen, s)
				}
			}
			if reaction.Get("severity").Text() == "severe" {
				a.danger = 1
			}
		}
		if root.Get("criticality").Text() == "high" {
			a.danger = 2
			seen = append(seen, "high risk")
		}
		if coded(root.Get("verificationStatus"), "unconfirmed") {
			seen = append(seen, "not confirmed")
		}
		a.Substance = cmp.Or(a.Substance, "Substance not named")
		a.Reaction = strings.Join(seen, ", ")
		list = append(list, a)
	}
	slices.SortStableFunc(list, func(a, b ranked) int { return b.danger - a.danger })
	for _, a := range list {
		if !slices.Contains(out.List, a.Allergy) {
			out.List = append(out.List, a.Allergy)
		}
	}
	return out
}

// why is the one reason of this opening, and how long it lasts.
func why(c *access.Chart, now time.Time) page.Why {
	out := page.Why{Sentence: c.Reason.Sentence, Glass: c.Reason.Glass}
	switch {
	case out.Glass && c.Grant != nil:
		out.Code = glassTitle(c.Grant.Code)
		out.Sentence = capital(out.Code) + "."
		out.Until = "Open until "
		if c.Grant.Visit {
			out.Until = "Open until the patient’s visit ends, at the latest until "
		}
		out.Until += look.Moment(c.Grant.Until.In(now.Location())).Text() + ". The patient and the team can see this."
	case !c.Reason.Until.IsZero():
		out.Until = "Until " + look.Moment(c.Reason.Until.In(now.Location())).Text() + " if nothing changes."
	}
	return out
}

// stay says where the patient is now and since when.
func stay(encounters []*document.Doc, now time.Time) []look.Fact {
	e, ok := current(encounters, now.Location())
	if !ok {
		return nil
	}
	var out []look.Fact
	add := func(name, value string) {
		if value != "" {
			out = append(out, look.Fact{Name: name, Value: value})
		}
	}
	add("Where", place(e))
	from := momentOf(now.Location(), e.Get("period"))
	name, value := "Visit since", from.recent(now).Text()
	if class := e.Path("class", "code").Text(); class == "IMP" || class == "ACUTE" || class == "NONAC" || class == "OBSENC" {
		name, value = "Admitted", fmt.Sprintf("%s, day %d", from.since(now).Text(), days(from.at, now)+1)
	}
	if !from.at.IsZero() {
		add(name, value)
	}
	add("Reason", reasonOf(e))
	return out
}

// current is the encounter that goes on now, the newest where there are several.
func current(encounters []*document.Doc, zone *time.Location) (document.Node, bool) {
	var pick document.Node
	var since time.Time
	for _, d := range encounters {
		root := d.Root()
		at := momentOf(zone, root.Get("period")).at
		if underWay(root) && (!pick.Exists() || at.After(since)) {
			pick, since = root, at
		}
	}
	return pick, pick.Exists()
}

func underWay(encounter document.Node) bool {
	switch encounter.Get("status").Text() {
	case "in-progress", "arrived", "triaged", "onleave":
		return !encounter.Path("period", "end").Exists()
	}
	return false
}

// place is where an encounter is: its active location, else what it is called.
func place(encounter document.Node) string {
	name := ""
	for l := range encounter.Get("location").Items() {
		if s := l.Path("location", "display").Text(); s != "" && (name == "" || l.Get("status").Text() == "active") {
			name = s
		}
	}
	return cmp.Or(name, words(encounter.Get("serviceType")), encounter.Path("serviceProvider", "display").Text())
}

func reasonOf(encounter document.Node) string {
	return words(encounter.Path("reasonCode"))
}

// days counts midnights between two times in their zone.
func days(from, to time.Time) int {
	noon := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, t.Location()) }
	return int(noon(to).Sub(noon(from)).Round(24*time.Hour) / (24 * time.Hour))
}

// eGFR by any of the usual equations. Source: https://loinc.org/98979-8.
var kidney = []string{"98979-8", "62238-1", "33914-3", "77147-7", "50210-4"}

// measures are the two numbers that most doses depend on: weight and kidney function.
func measures(observations []*document.Doc, now time.Time) []look.Fact {
	if len(observations) == 0 {
		return nil
	}
	var out []look.Fact
	var weight, filtration []reading
	for _, r := range readings(observations, nil, now.Location()) {
		switch {
		case r.sign > 0 && signs[r.sign-1].name == "Weight" && r.measured:
			weight = append(weight, r)
		case slices.ContainsFunc(kidney, func(code string) bool { return strings.HasSuffix(r.key, "|"+code) }) && r.measured:
			filtration = append(filtration, r)
		}
	}
	if len(weight) > 0 {
		out = append(out, look.Fact{Name: "Weight", Value: weight[0].text + " " + weight[0].unit + ", " + weight[0].at.since(now).Text()})
	}
	if len(filtration) > 0 {
		f := look.Fact{Name: "eGFR", Value: filtration[0].text, Tone: filtration[0].tone}
		if f.Tone != look.Plain {
			f.Value += " (" + strings.ToLower(filtration[0].flag) + ")"
		}
		if len(filtration) > 1 {
			f.Value += ", was " + filtration[1].text
		}
		out = append(out, f)
	}
	return out
}
