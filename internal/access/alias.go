package access

import (
	"context"
	"encoding/base64"
	"html"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"chartwarden/internal/audit"
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/identity"
	"chartwarden/internal/record"
)

// A member of staff whom somebody threatens stands before patients under an alias (docs/adr/0206). Whatever the door gives to a patient, or to
// an app of hers, passes through here: the entries about her chart and every document. Officers, auditors and colleagues read the person, and so
// do the entries themselves.

// shield hides the names of some people from a patient. A nil one hides nobody.
type shield struct {
	of     []identity.Person // as identity gave them
	people []shielded
	base   string // of this server's own references
	any    *regexp.Regexp
	whose  map[string]string // alias by a form of a name in small letters
}

type shielded struct{ id, alias, practitioner string }

// shield is what stands between the names of staff and p; nil for everybody but patients, and where nobody has an alias. Where it cannot
// be known nothing is to be shown. Errors: outcome.NoStore.
func (g *Gate) shield(ctx context.Context, p Principal) (*shield, error) {
	if p.Session == nil || p.Session.Capacity != identity.PatientCapacity {
		return nil, nil
	}
	people, err := g.persons.Aliased(ctx)
	if err != nil || len(people) == 0 {
		return nil, err
	}
	if last := g.shields.Load(); last != nil && len(last.of) == len(people) && &last.of[0] == &people[0] {
		return last, nil
	}
	s := &shield{of: people, base: g.base + "/", whose: map[string]string{}}
	var forms []string
	for _, one := range people {
		alias := g.persons.Alias(one.ID)
		s.people = append(s.people, shielded{one.ID, alias, one.Practitioner})
		for _, form := range namesOf(one.Name) {
			if s.whose[strings.ToLower(form)] == "" {
				s.whose[strings.ToLower(form)] = alias
				forms = append(forms, regexp.QuoteMeta(form))
			}
		}
	}
	s.any = matcher(forms)
	g.shields.Store(s)
	return s, nil
}

// matcher finds any of some forms, the longest first: the whole name before its part.
func matcher(forms []string) *regexp.Regexp {
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) })
	return regexp.MustCompile(`(?i:` + strings.Join(forms, "|") + `)`)
}

// titles are words of a name that are nobody's.
var titles = []string{"dr", "dr.", "prof", "prof.", "md", "m.d.", "rn", "mr", "mr.", "mrs", "mrs.", "ms", "ms.", "mag.", "np", "pa"}

// namesOf are the forms in which a name is written: Anna Lindqvist; Lindqvist, Anna; Lindqvist Anna; A. Lindqvist; Lindqvist. A given name alone
// tells nobody whom to look for, and is left.
func namesOf(name string) []string {
	words := slices.DeleteFunc(strings.Fields(strings.ReplaceAll(name, ",", " ")), func(w string) bool { return slices.Contains(titles, strings.ToLower(w)) })
	if len(words) == 0 {
		return []string{name}
	}
	family := words[len(words)-1]
	out := []string{name, strings.Join(words, " "), family}
	if given := strings.Join(words[:len(words)-1], " "); given != "" {
		initial, _ := utf8.DecodeRuneInString(given)
		out = append(out, family+", "+given, family+" "+given, string(initial)+". "+family, words[0]+" "+family)
	}
	return out
}

// text is a text as a patient reads it: the alias in the place of each name. A part of a word is no name.
func (s *shield) text(text string) string {
	if s == nil || text == "" {
		return text
	}
	var out strings.Builder
	done := 0
	for _, at := range s.any.FindAllStringIndex(text, -1) {
		before, _ := utf8.DecodeLastRuneInString(text[:at[0]])
		after, _ := utf8.DecodeRuneInString(text[at[1]:])
		if at[0] > 0 && unicode.IsLetter(before) || at[1] < len(text) && unicode.IsLetter(after) {
			continue
		}
		out.WriteString(text[done:at[0]])
		out.WriteString(s.whose[strings.ToLower(text[at[0]:at[1]])])
		done = at[1]
	}
	if done == 0 {
		return text
	}
	return out.String() + text[done:]
}

// agent is who acted, as a patient reads it.
func (s *shield) agent(a audit.Agent) audit.Agent {
	if s == nil || a.Person == "" {
		return a
	}
	of := func(id string) int { return slices.IndexFunc(s.people, func(x shielded) bool { return x.id == id }) }
	if at := of(a.Person); at >= 0 {
		a.Name, a.Practitioner = s.people[at].alias, ""
	}
	if at := of(a.As); at >= 0 {
		a.AsName = s.people[at].alias
	}
	return a
}

// lines are lines of the log as a patient reads them.
func (s *shield) lines(ls []Line) []Line {
	if s != nil {
		for i := range ls {
			l := &ls[i]
			l.Agent, l.Text, l.Sentence, l.Own = s.agent(l.Agent), s.text(l.Text), s.text(l.Sentence), ""
		}
	}
	return ls
}

// event is an entry as a patient reads it.
func (s *shield) event(e audit.Event) audit.Event {
	if s == nil {
		return e
	}
	e.Agent, e.Text, e.Patients = s.agent(e.Agent), s.text(e.Text), slices.Clone(e.Patients)
	for i := range e.Patients {
		e.Patients[i].Sentence = s.text(e.Patients[i].Sentence)
	}
	return e
}

// refers is the alias of whom a reference names; empty for anybody else.
func (s *shield) refers(reference string) string {
	ref, ok := fhir.ParseReference(strings.TrimPrefix(reference, s.base))
	if !ok || ref.Type != "Practitioner" {
		return ""
	}
	for _, one := range s.people {
		if one.practitioner == "Practitioner/"+ref.ID {
			return one.alias
		}
	}
	return ""
}

// hides reports whether a patient must not find a record by what it says: the practitioner behind an alias.
func (s *shield) hides(x *record.Sealed) bool {
	return s != nil && x.Type() == "Practitioner" && s.refers("Practitioner/"+x.ID()) != ""
}

// What is left of a practitioner behind an alias, and of a role of hers.
var (
	ofPractitioner = []string{"active", "name"}
	ofRole         = []string{"active", "practitioner", "organization", "location", "code", "specialty"}
)

// doc is a document as a patient reads it. The practitioner is nothing but an alias, a role of hers nothing but its places; each reference to her
// is called by the alias; and so is each name in a text, in narratives and in attachments that are text. What is no text, such as a picture of
// a letter, is given as it is. Errors: those of [document.Doc.Splice].
func (s *shield) doc(d *document.Doc) (*document.Doc, error) {
	if s == nil || d == nil {
		return d, nil
	}
	if alias := s.refers(d.Type() + "/" + d.ID()); alias != "" {
		masked, err := d.Mask(func(element string) bool { return !slices.Contains(ofPractitioner, element) }, document.Redacted)
		if err != nil || !masked.Root().Get("name").Exists() {
			return masked, err
		}
		return masked.Splice(masked.Root().Get("name").Replace([]byte(`[{"text":` + quoted(alias) + `}]`)))
	}
	if d.Type() == "PractitionerRole" && s.refers(d.Root().Path("practitioner", "reference").Text()) != "" {
		var err error
		if d, err = d.Mask(func(element string) bool { return !slices.Contains(ofRole, element) }, document.Redacted); err != nil {
			return nil, err
		}
	}
	var edits []document.Edit
	covered := 0 // where the last object ends that is replaced whole
	for n := range d.Root().All() {
		start, end := n.Span()
		switch {
		case start < covered:
		case n.Kind() == document.Object:
			if alias := s.refers(n.Get("reference").Text()); alias != "" {
				edits = append(edits, n.Replace([]byte(`{"reference":`+quoted(n.Get("reference").Text())+`,"display":`+quoted(alias)+`}`)))
				covered = end
			}
		case n.Kind() == document.String && !ownName(d, n):
			said := n.Text()
			if now := s.string(n.Name(), said); now != said {
				edits = append(edits, n.Replace([]byte(quoted(now))))
			}
		}
	}
	if len(edits) == 0 {
		return d, nil
	}
	return d.Splice(edits...)
}

// string is one string of a document as a patient reads it.
func (s *shield) string(element, said string) string {
	switch element {
	case "id", "reference", "url", "fullUrl", "system", "resourceType", "versionId":
		return said // what a program chose; texts name people
	case "data":
		plain, err := base64.StdEncoding.DecodeString(said)
		if err != nil || !utf8.Valid(plain) {
			return said
		}
		if now := s.text(string(plain)); now != string(plain) {
			return base64.StdEncoding.EncodeToString([]byte(now))
		}
		return said
	}
	now := s.text(said)
	if plain := html.UnescapeString(now); plain != now && s.text(plain) != plain { // written in entities
		if now = "Not shown"; element == "div" {
			now = `<div xmlns="http://www.w3.org/1999/xhtml">Not shown</div>`
		}
	}
	return now
}

// ownName reports whether a string is part of a name of the patient or of kin: a namesake keeps her own.
func ownName(d *document.Doc, n document.Node) bool {
	if d.Type() != "Patient" && d.Type() != "RelatedPerson" {
		return false
	}
	where := n.Expression()
	return strings.HasPrefix(where, d.Type()+".name") || strings.HasPrefix(where, "Patient.contact")
}
