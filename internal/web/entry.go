package web

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/tlog"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// entry shows one entry with its proof; ?as=proof and ?as=resource give it as a file. It opens to those who read the audit, to the
// person who acted and to the patient whom it is about.
func (p *Pages) entry(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	name := r.PathValue("entry")
	slash := strings.LastIndexByte(name, '/')
	number, err := strconv.ParseInt(name[slash+1:], 10, 64)
	if slash < 0 || err != nil {
		p.fail(w, r, outcome.New(outcome.NotFound, "there is no such entry, or it is not yours to read"))
		return
	}
	d, err := p.o.Gate.AuditEntry(r.Context(), who, name[:slash], number)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, d.Reading)
	own := d.Event.Agent.Person == who.Session.Person.ID
	if !own {
		d.Event.Query = "" // what others searched for may name a patient
	}
	switch r.URL.Query().Get("as") {
	case "proof":
		download(w, "text/plain; charset=utf-8", fmt.Sprintf("entry-%d.tlog-proof", number), d.Proof.Text())
		return
	case "resource":
		download(w, "application/fhir+json", fmt.Sprintf("entry-%d.json", number), d.Resource())
		return
	}
	masked, opened, err := p.o.Gate.Masked(r.Context(), who, d.Line.PatientID)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, opened)
	p.draw(w, r, http.StatusOK, page.Entry(p.entryView(r, d, name, patientWords(d.Line, masked), own)))
}

func download(w http.ResponseWriter, kind, name string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, _ = w.Write(body) // a reader that went away is no fault of ours
}

func (p *Pages) entryView(r *http.Request, d access.AuditDetail, name, patient string, own bool) page.EntryView {
	s, l := session(r), d.Line
	about := ""
	if patient != "" {
		about = " of " + patient
	}
	if s.Capacity == policy.Patient {
		about = ""
	}
	v := page.EntryView{Shell: withEntry(p.shell(r, "Audit entry", atExplorer), d.Reading), Index: look.Number(d.Index.Number()),
		Headline: actor(l) + " " + act(l) + about, When: look.Exact(l.At.In(p.o.Zone)), Why: p.why(d, s.Capacity == policy.Patient, own), Facts: p.entryFacts(d, patient, own),
		Records: shownRecords(d.Event), Proof: p.entryProof(d, name), Resource: indented(d.Resource()), Raw: entryHref(name) + "?as=resource"}
	v.Up = upOf(s)
	for _, rule := range d.Rules {
		said := rule.Why
		if !own {
			said = "“" + said + "”" // it speaks to the person who acted
		}
		v.Permits = append(v.Permits, look.Fact{Name: rule.ID, Value: said})
	}
	if kind(s) != forPrivacy && !reviewsAccesses(s) {
		return v
	}
	n := d.Index.Number()
	if n > 0 {
		v.Older = look.Link{Text: "Entry before", Href: "/audit/" + d.Origin + "/" + strconv.FormatInt(n-1, 10)}
	}
	if n+1 < d.Checkpoint.Size {
		v.Newer = look.Link{Text: "Entry after", Href: "/audit/" + d.Origin + "/" + strconv.FormatInt(n+1, 10)}
	}
	if id := d.Event.Agent.Person; id != "" {
		v.Also = append(v.Also, look.Link{Text: "Everything this person did", Href: "/audit?person=" + id})
	}
	if l.PatientID != "" && l.Patients == 1 {
		v.Also = append(v.Also, look.Link{Text: "Everything about this chart", Href: "/audit?patient=" + l.PatientID})
	}
	return v
}

// upOf is the list in which somebody finds entries.
func upOf(s *identity.Session) look.Link {
	switch {
	case s.Capacity == policy.Patient:
		return look.Link{Text: "Who looked", Href: "/me"}
	case kind(s) == forPrivacy, reviewsAccesses(s):
		return look.Link{Text: atExplorer, Href: "/audit"}
	}
	return look.Link{Text: "My activity", Href: "/activity"}
}

// why is the one sentence of an entry.
func (p *Pages) why(d access.AuditDetail, toPatient, own bool) string {
	l := d.Line
	switch {
	case d.Damaged:
		return "This entry is not what was written: verify the record."
	case d.Withheld > 0 && len(d.Event.Patients) == 0 && l.Agent.Person == "" && l.Agent.Job == "" && l.Agent.Client == "":
		return "What this entry says was removed or its key destroyed. That it was here is still proven."
	case l.Kind == audit.Refusal:
		return "It was not allowed: no rule permitted it then, or one forbade it."
	case l.PatientID == "":
		return "It is about no patient."
	case own && l.Own != "":
		return l.Own
	case l.Unexplained && !l.Glass:
		return "Nothing in the record linked the two at that time."
	case toPatient && l.Sentence != "":
		return actor(l) + " " + l.Sentence + "."
	}
	return because(l.Template) + "."
}

// entryFacts are the fields of an entry in words.
func (p *Pages) entryFacts(d access.AuditDetail, patient string, own bool) []look.Fact {
	e, l := d.Event, d.Line
	var out []look.Fact
	add := func(name, value string) {
		if value != "" {
			out = append(out, look.Fact{Name: name, Value: value})
		}
	}
	role := actorRole(l)
	if e.Agent.Person != "" {
		role = strings.ToLower(role)
	}
	add("Who", join(", ", actor(l), role, capacityWords[e.Agent.Capacity]))
	if at := look.Exact(d.Recorded.In(p.o.Zone)); at.Text() != look.Exact(l.At.In(p.o.Zone)).Text() {
		add("Recorded", at.Text()+", later than it happened")
	}
	add("Patient", patient)
	add("What", join(", ", e.Kind.String(), e.Interaction))
	add("How", classWords[e.Class])
	add("Purpose", cmp.Or(purposeWords[e.Purpose], e.Purpose))
	add("Outcome", outcomeWords[e.Outcome])
	if e.Kind == audit.Glass || e.Kind == audit.Casework || e.Kind == audit.People || own {
		add("Words", e.Text)
	}
	if own {
		add("Searched for", e.Query)
	}
	add("Parts", upper(parts(l.Groups)))
	if l.Records > 0 {
		add("Records", look.Number(int64(l.Records)))
	}
	add("Place", placeWords(e.Agent.Zone))
	add("Device", e.Agent.Device)
	add("Address", e.Agent.Address)
	add("Signed in by", assuranceWords[e.Agent.AAL])
	add("Session", e.Agent.Session)
	add("Request", e.Request)
	if e.Imported.Journal != "" {
		add("First recorded in", e.Imported.Journal+", number "+look.Number(e.Imported.Number))
	}
	add("Rules in force", e.PolicyHash)
	if d.Withheld > 0 {
		add("Withheld", look.Plural(int64(d.Withheld), "part was", "parts were")+" removed, or the key destroyed")
	}
	return out
}

// join writes what is not empty with a separator.
func join(separator string, words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), separator)
}

// shownRecords counts the records of an entry by type: which ones is for the chart, not for those who watch.
func shownRecords(e audit.Event) []page.Item {
	counts := map[string]int{}
	var order []string
	for _, part := range e.Patients {
		for _, rec := range part.Records {
			typ, _, _ := strings.Cut(rec.Ref, "/")
			typ = cmp.Or(typ, "Not named")
			if counts[typ]++; counts[typ] == 1 {
				order = append(order, typ)
			}
		}
	}
	slices.Sort(order)
	var out []page.Item
	for _, typ := range order {
		out = append(out, page.Item{Title: typ, Sub: look.Plural(int64(counts[typ]), "record", "records")})
	}
	return out
}

// entryProof shows the path by which anybody can check that the entry is in the record.
func (p *Pages) entryProof(d access.AuditDetail, name string) page.EntryProof {
	if d.Bytes == nil {
		return page.EntryProof{Origin: d.Origin, Words: "There is no proof for this entry here: it stands in a log that was closed. The files of that log still verify."}
	}
	size := d.Checkpoint.Size
	out := page.EntryProof{Proven: d.Proven, Origin: d.Origin, Leaf: tlog.LeafHash(d.Bytes).String(), Root: d.Checkpoint.Root.String(), Size: look.Number(size),
		Note: string(d.Proof.Note), Download: entryHref(name) + "?as=proof", Entry: base64.StdEncoding.EncodeToString(d.Bytes), Key: d.Verifier,
		Words:   "This entry is in the record of " + look.Plural(size, "entry", "entries") + ". The path and the signature were recomputed for this page.",
		Caution: "The signed head is kept by this installation alone. A copy of it elsewhere is what would show a record that was changed as a whole."}
	if !d.Proven {
		out.Words, out.Caution = "The path does not lead to the signed head. Verify the whole record now.", ""
	}
	for i, left := range sides(d.Proof.Index, size, len(d.Proof.Path)) {
		out.Path = append(out.Path, page.Sibling{Hash: d.Proof.Path[i].String(), Left: left})
	}
	return out
}

// sides tells for each hash of an inclusion path whether it stands on the left.
// Source: https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3.2.
func sides(index, size int64, n int) []bool {
	out := make([]bool, n)
	for i, node, last := 0, index, size-1; i < n; i, node, last = i+1, node>>1, last>>1 {
		if out[i] = node&1 == 1 || node == last; out[i] {
			for node&1 == 0 && node != 0 {
				node, last = node>>1, last>>1
			}
		}
	}
	return out
}

func indented(line []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, line, "", "  ") != nil {
		return string(line)
	}
	return b.String()
}
