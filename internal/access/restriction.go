package access

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
)

// A patient asks for a restriction of who may see her record. The request is a Consent of status proposed in her own chart, written by her
// own right; the front desk agrees for the house, which makes it active, or declines with a reason (rejected). While it is proposed it
// withholds nothing, but is itself kept from those whom it would restrict. Source: 45 CFR 164.522(a),
// https://www.ecfr.gov/current/title-45/section-164.522.

// RestrictionAnswer is the extension in which a Consent keeps why a request was declined.
const RestrictionAnswer = "https://chartwarden.example/fhir/StructureDefinition/restriction-answer"

const (
	mostRestrictionAsks = 10 // of one patient that wait
	restrictionReason   = 400
)

// onlyAsks refuses what a patient writes elsewhere than by asking.
var onlyAsks = policy.Reason{ID: "self.asks", Why: "A patient asks for a restriction on her own page, and somebody here agrees to it."}

// Restriction is what a patient asks for: either Whom or something of Visit and Kinds.
type Restriction struct {
	Whom  string   // name of a colleague, as patients read it, or of a department: may not open the chart
	Visit string   // id of an Encounter: only those who treat see what belongs to it
	Named string   // what the patient calls that visit: "visit of 12 Mar 2026"
	Types []string // resource types: only those who treat see them
}

// AskRestriction writes what the patient asks for into her own chart. It restricts nobody until somebody here agrees.
//
// Errors: outcome.Forbidden for others than the patient herself on a page of this house; outcome.Required and outcome.Value with what to
// choose; outcome.NotFound for a visit that is not hers; outcome.Conflict where the same was asked for, or ten requests wait.
func (g *Gate) AskRestriction(ctx context.Context, p Principal, r Restriction) (Written, error) {
	own, err := p.ownPatient()
	if err != nil {
		return Written{}, err
	}
	provision, err := g.provision(ctx, own, r)
	if err != nil {
		return Written{}, err
	}
	held, err := g.Folder(ctx, p, own, "Consent")
	if err != nil {
		return Written{}, err
	}
	waiting := 0
	for _, d := range held.Docs["Consent"] {
		status := d.Root().Get("status").Text()
		if status == "proposed" {
			waiting++
		}
		if (status == "proposed" || status == "active") && sameJSON(d.Root().Get("provision").Raw(), provision) {
			return Written{}, outcome.New(outcome.Conflict, "you asked for this already: it stands in the list")
		}
	}
	if waiting >= mostRestrictionAsks {
		return Written{}, outcome.New(outcome.Conflict, "ten requests of yours wait for an answer: withdraw one, or wait for an answer")
	}
	patient := map[string]any{"reference": "Patient/" + own}
	body, err := json.Marshal(map[string]any{
		"resourceType": "Consent", "status": "proposed", "patient": patient, "performer": []any{patient}, "dateTime": g.now().UTC().Format(time.RFC3339),
		"scope":     concept("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
		"category":  []any{concept("http://loinc.org", "59284-0")},
		"policy":    []any{map[string]any{"uri": "https://www.ecfr.gov/current/title-45/section-164.522"}},
		"provision": json.RawMessage(provision),
	})
	if err != nil {
		return Written{}, err
	}
	doc, err := document.Parse(body)
	if err != nil {
		return Written{}, err
	}
	p.asking = true
	return g.Create(ctx, p, doc)
}

func concept(system, code string) any {
	return map[string]any{"coding": []any{map[string]any{"system": system, "code": code}}}
}

func sameJSON(a, b []byte) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	m, _ := json.Marshal(x) // what was unmarshalled marshals
	n, _ := json.Marshal(y)
	return string(m) == string(n)
}

// ownPatient is the id of the patient who asks, herself and on a page of this house.
func (p Principal) ownPatient() (string, error) {
	if p.Session != nil && p.App == nil && p.Session.Actor == nil && p.Session.Capacity == identity.PatientCapacity {
		if ref, ok := fhir.ParseReference(p.Session.Person.Patient); ok {
			return ref.ID, nil
		}
	}
	return "", outcome.New(outcome.Forbidden, onlyAsks.Why).Because(onlyAsks.ID)
}

// provision is what is asked for as a Consent says it.
func (g *Gate) provision(ctx context.Context, patient string, r Restriction) ([]byte, error) {
	if r.Whom = strings.Join(strings.Fields(r.Whom), " "); r.Whom != "" {
		ref, err := g.called(ctx, r.Whom)
		if err != nil {
			return nil, err
		}
		return json.Marshal(map[string]any{"type": "deny", "actor": []any{map[string]any{
			"role": concept("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP"), "reference": map[string]any{"reference": ref, "display": r.Whom}}}})
	}
	what := map[string]any{}
	if r.Visit != "" {
		visit, err := g.records.Read(ctx, "Encounter", r.Visit)
		if err != nil && !outcome.Is(err, outcome.NotFound) && !outcome.Is(err, outcome.Deleted) {
			return nil, err
		}
		mine := false
		if err == nil {
			c, err := g.chartOf(ctx, visit)
			if err != nil {
				return nil, err
			}
			mine = c.id == patient
		}
		if !mine { // another's reads the same as none
			return nil, outcome.New(outcome.NotFound, "this is no visit of yours: choose one of the list")
		}
		what["data"] = []any{map[string]any{"meaning": "related", "reference": map[string]any{"reference": "Encounter/" + r.Visit, "display": r.Named}}}
	}
	var class []any
	for _, typ := range r.Types {
		if !fhir.IsResourceType(typ) {
			return nil, outcome.New(outcome.Value, "choose a kind of record of the list").At("what")
		}
		class = append(class, map[string]any{"system": "http://hl7.org/fhir/resource-types", "code": typ})
	}
	if class != nil {
		what["class"] = class
	}
	if len(what) == 0 {
		return nil, outcome.New(outcome.Required, "say who may not open your chart, or choose what only those who treat you may see").At("what")
	}
	but := map[string]any{"type": "permit", "purpose": []any{map[string]any{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}}}
	for name, value := range what {
		but[name] = value
	}
	what["type"], what["provision"] = "deny", []any{but}
	return json.Marshal(what)
}

// called is the reference of the one colleague or department of a name, as patients read it.
func (g *Gate) called(ctx context.Context, name string) (string, error) {
	people, err := g.persons.People(ctx)
	if err != nil {
		return "", err
	}
	var found []string
	for _, one := range people {
		shown := one.Name
		if one.Aliased {
			shown = g.persons.Alias(one.ID)
		}
		if one.Practitioner != "" && strings.EqualFold(shown, name) {
			found = append(found, one.Practitioner)
		}
	}
	values := url.Values{"name:exact": {name}}
	q, err := search.Parse("Organization", values, search.Options{Zone: g.zone, Now: g.now()})
	if err != nil {
		return "", err
	}
	departments, err := g.records.Search(ctx, record.SearchRequest{Query: q, Text: values.Encode()})
	if err != nil {
		return "", err
	}
	for _, x := range departments.Hits {
		found = append(found, x.Type()+"/"+x.ID())
	}
	found = slices.Compact(slices.Sorted(slices.Values(found)))
	switch {
	case len(name) > 120 || len(found) == 0:
		return "", outcome.New(outcome.Value, "nobody here is called that: write the name as the list of who looked shows it, or ask at the front desk").At("whom")
	case len(found) > 1:
		return "", outcome.New(outcome.Value, "several here are called that: ask at the front desk, who can tell them apart").At("whom")
	}
	return found[0], nil
}

// WithdrawRestriction takes back a restriction that the patient asked for, whether it waits or was agreed to.
// Errors: outcome.Forbidden; outcome.NotFound for any other; outcome.Conflict where it ended or was declined.
func (g *Gate) WithdrawRestriction(ctx context.Context, p Principal, id string) (Written, error) {
	own, err := p.ownPatient()
	if err != nil {
		return Written{}, err
	}
	p.asking = true
	a, err := g.opened(ctx, p, "Consent", id, "status")
	if err != nil {
		return Written{}, err
	}
	if !AskedBy(a.doc, own) {
		return Written{}, outcome.New(outcome.NotFound, "you did not ask for this yourself: ask at the front desk")
	}
	if status := a.doc.Root().Get("status").Text(); status != "proposed" && status != "active" {
		return Written{}, outcome.New(outcome.Conflict, "it does not count any more")
	}
	return g.becomes(ctx, p, a, "inactive", "")
}

// AskedBy reports whether a Consent was asked for by the patient of that id herself.
func AskedBy(d *document.Doc, patient string) bool {
	for one := range d.Root().Get("performer").Items() {
		return one.Get("reference").Text() == "Patient/"+patient
	}
	return false
}

// RestrictionAsks are the requests that wait, the oldest first, with the patients who ask.
type RestrictionAsks struct {
	Consents []*document.Doc
	Patients map[string]Identity // by id
	More     bool
	Entry    string
}

// RestrictionAsks lists the requests for those who agree for the house. Who is named in one is not shown it.
// Errors: outcome.Forbidden for others.
func (g *Gate) RestrictionAsks(ctx context.Context, p Principal) (RestrictionAsks, error) {
	if _, _, err := g.permit(ctx, p, policy.Write, "search-type", chart{id: "any"}, func(s standing) policy.Resource {
		r := s.typical("Consent")
		r.PatientKey = "any" // of no chart in particular, but of a patient
		return r
	}); err != nil {
		return RestrictionAsks{}, err
	}
	values := url.Values{"status": {"proposed"}, "_include": {"Consent:patient"}, "_sort": {"_lastUpdated"}, "_count": {"100"}}
	q, err := search.Parse("Consent", values, search.Options{Zone: g.zone, Now: g.now()})
	if err != nil {
		return RestrictionAsks{}, err
	}
	found, err := g.Search(ctx, p, q, values.Encode())
	if err != nil {
		return RestrictionAsks{}, err
	}
	out := RestrictionAsks{Patients: map[string]Identity{}, More: found.Next != "", Entry: found.Entry}
	for _, d := range found.Docs {
		if !p.named(d) {
			out.Consents = append(out.Consents, d)
		}
	}
	for _, d := range found.Included {
		out.Patients[d.ID()] = identityOf(d)
	}
	return out, nil
}

// named reports whether a Consent names p.
func (p Principal) named(d *document.Doc) bool {
	if p.Session == nil || p.Session.Person.Practitioner == "" {
		return false
	}
	for n := range d.Root().Get("provision").All() {
		if n.Kind() == document.Object && n.Get("reference").Text() == p.Session.Person.Practitioner {
			return true
		}
	}
	return false
}

// AnswerRestriction agrees to a request for the house, from when on it counts, or declines it with a reason that the patient reads.
//
// Errors: outcome.Forbidden for whoever agrees to none, and for whoever it names; outcome.NotFound; outcome.Required without the reason of a
// refusal; outcome.Conflict where it was answered or withdrawn meanwhile.
func (g *Gate) AnswerRestriction(ctx context.Context, p Principal, id string, agree bool, reason string) (Written, error) {
	a, err := g.opened(ctx, p, "Consent", id, "status")
	if err != nil {
		return Written{}, err
	}
	if p.Session == nil || p.App != nil || p.Session.Capacity != identity.StaffCapacity || p.named(a.doc) {
		return Written{}, outcome.New(outcome.Forbidden, "somebody else answers this request")
	}
	if a.doc.Root().Get("status").Text() != "proposed" {
		return Written{}, outcome.New(outcome.Conflict, "it was answered or withdrawn meanwhile: look at the list again")
	}
	if agree {
		return g.becomes(ctx, p, a, "active", "")
	}
	switch reason = strings.TrimSpace(reason); {
	case reason == "":
		return Written{}, outcome.New(outcome.Required, "say why: the patient reads it").At("reason")
	case len(reason) > restrictionReason:
		return Written{}, outcome.New(outcome.Value, "say it in 400 characters").At("reason")
	}
	return g.becomes(ctx, p, a, "rejected", reason)
}

// becomes writes the state that a request comes to.
func (g *Gate) becomes(ctx context.Context, p Principal, a whole, status, reason string) (Written, error) {
	elements := map[string]string{"status": quoted(status)}
	if reason != "" {
		extension, err := json.Marshal([]any{map[string]any{"url": RestrictionAnswer, "valueString": reason}})
		if err != nil {
			return Written{}, err
		}
		elements["extension"] = string(extension)
	}
	w, err := a.with(elements)
	if err != nil {
		return Written{}, err
	}
	done, err := g.write(ctx, p, "update", []record.Write{w})
	if err != nil {
		return Written{}, unindexed(err)
	}
	return done[0], nil
}
