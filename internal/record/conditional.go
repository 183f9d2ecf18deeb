package record

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/outcome"
)

// Conditional references (Practitioner?identifier=system|value) become literal ones when exactly one resource matches: one that is
// stored, or one of the same batch in its new form. Of a write that may wait, logical references (an identifier alone) do too.
// Source: https://hl7.org/fhir/R4/http.html#trules, https://hl7.org/fhir/R4/references.html#logical.

// target is where a conditional reference leads.
type target struct {
	item   *item  // of the same batch
	stored string // Type/id
	err    error  // why it leads nowhere
	names  [][]byte
}

// Awaited is a reference that a write keeps as it was sent, since what it asks for is not here, or is here more than once.
type Awaited struct {
	At     string // FHIRPath
	Reason error
	names  [][]byte
}

// Awaited are the references of write i that stay as they were sent.
func (p *Prepared) Awaited(i int) []Awaited { return p.items[i].awaited }

// conditionals looks up where the conditional references of a write lead, and writes logical ones that lead somewhere as conditional
// ones, for byName to replace.
func (b *batch) conditionals(it *item) error {
	it.doc = it.w.Doc
	text := it.w.Doc.Root().Raw()
	asks, logical := bytes.IndexByte(text, '?') >= 0, it.w.Await && bytes.Contains(text, []byte(`"identifier"`))
	if !asks && !logical {
		return nil
	}
	patientless := len(fhir.PatientRefs(it.w.Doc)) == 0 && fhir.InPatientCompartment(it.kind) && it.kind != patientType
	awaits := func(n document.Node, t target, aboutPatient bool) error {
		if !it.w.Await && !it.kept(n.Text()) || aboutPatient && patientless {
			return outcome.Wrap("record: reference", outcome.Invalid, "the reference leads nowhere", t.err).At(n.Expression())
		}
		it.awaited = append(it.awaited, Awaited{n.Expression(), t.err, t.names})
		return nil
	}
	for n := range it.w.Doc.Root().All() {
		if !asks || n.Name() != "reference" || n.Kind() != document.String {
			continue
		}
		typ, query, ok := fhir.ConditionalReference(b.s.o.Base, n.Text())
		if !ok {
			continue
		}
		t, err := b.leads(n.Text(), typ, query, it.w.Sees)
		if err == nil && t.err != nil {
			err = awaits(n, t, typ == patientType)
		}
		if err != nil {
			return err
		}
	}
	if !logical {
		return nil
	}
	found := map[document.Node]string{}
	for n, element := range fhir.ReferenceElements(it.w.Doc) {
		id := n.Get("identifier")
		if id.Get("system").Text() == "" || id.Get("value").Text() == "" || n.Get("reference").Exists() {
			continue
		}
		ref, t, err := b.byIdentifier(id, typesOf(n, element), it.w.Sees)
		if err == nil && ref == "" {
			err = awaits(n, t, n.Get("type").Text() == patientType || slices.Contains(subjects, element.Name))
		}
		if err != nil {
			return err
		}
		if ref != "" {
			found[n] = ref
		}
	}
	doc, err := it.w.Doc.Refer(found)
	it.doc = doc
	return err
}

// subjects are the elements that say whom a resource is about.
var subjects = []string{"subject", "patient", "beneficiary"}

// typesOf are the types of what a logical reference may name: the one that it says, else those that the standard allows there.
func typesOf(n document.Node, element *fhir.Element) (out []string) {
	if typ := n.Get("type").Text(); typ != "" {
		if fhir.IsResourceType(typ) {
			out = append(out, typ)
		}
		return out
	}
	for _, t := range element.Targets {
		if t.Resource {
			out = append(out, t.Name)
		}
	}
	return out
}

// byIdentifier looks for the one resource of any of the types that has the identifier, and gives a conditional reference to it. Without
// one it gives what says why.
func (b *batch) byIdentifier(id document.Node, types []string, sees Sight) (ref string, missed target, err error) {
	missed.err = noTarget()
	for _, typ := range types {
		query := url.Values{"identifier": {token.Replace(id.Get("system").Text()) + "|" + token.Replace(id.Get("value").Text())}}
		asked := typ + "?" + query.Encode()
		t, err := b.leads(asked, typ, query, sees)
		missed.names = append(missed.names, t.names...)
		switch {
		case err != nil:
			return "", missed, err
		case t.err == nil && ref != "", errors.Is(t.err, errSeveral):
			missed.err = errSeveral
			return "", missed, nil
		case t.err == nil:
			ref = asked
		}
	}
	return ref, missed, nil
}

// token escapes what a token parameter gives a meaning to.
var token = strings.NewReplacer(`\`, `\\`, `|`, `\|`, `,`, `\,`, `$`, `\$`)

// kept reports whether the version before has the same reference, which waits there: whoever writes the rest need not mend it.
func (it *item) kept(reference string) bool {
	if it.before == nil || it.before.doc == nil {
		return false
	}
	for n := range it.before.doc.Root().All() {
		if n.Name() == "reference" && n.Kind() == document.String && n.Text() == reference {
			return true
		}
	}
	return false
}

// leads looks up where a conditional reference leads, once for all writes of the batch. The error is about the disk.
func (b *batch) leads(reference, typ string, query url.Values, sees Sight) (target, error) {
	t, known := b.conditional[reference]
	if known {
		return t, nil
	}
	options := b.s.searching()
	options.Strict, options.Alone = true, true
	q, err := search.Parse(typ, query, options)
	if err == nil {
		t, err = b.find(q, sees)
	}
	switch outcome.CodeOf(err) {
	case outcome.NoStore, outcome.Transient, outcome.Timeout:
		if err != nil {
			return t, err
		}
	}
	if err != nil {
		t.err = err
	}
	b.conditional[strings.Clone(reference)] = t
	return t, nil
}

// find is the one match of a query among the batch and what is stored.
func (b *batch) find(q *search.Query, sees Sight) (t target, err error) {
	t.names, _ = b.s.namesOf(q)
	stored, err := b.s.matches(b.ctx, q, b.byRecord)
	if err != nil {
		return t, err
	}
	if stored, err = seen(b.ctx, stored, q, sees); err != nil {
		return t, err
	}
	for _, f := range stored {
		if t.stored != "" {
			return t, errSeveral
		}
		t.stored = f.kind + "/" + f.id
	}
	for _, it := range b.withIdentifiers(q.Type) {
		if !search.Match(it.w.Doc, q) {
			continue
		}
		if t.stored != "" || t.item != nil {
			return t, errSeveral
		}
		t.item = it
	}
	if t.stored == "" && t.item == nil {
		return t, noTarget()
	}
	return t, nil
}

// existing looks for the stored resource that a conditional create need not make again. Errors: outcome.Precondition for several.
// Source: https://hl7.org/fhir/R4/http.html#ccreate.
func (b *batch) existing(it *item) (bool, error) {
	_, query, ok := fhir.ConditionalReference("", it.kind+"?"+strings.TrimPrefix(it.w.IfNoneExist, "?"))
	if !ok {
		return false, outcome.New(outcome.Invalid, "the condition of the create is not well formed: write identifier=system|value").At("ifNoneExist")
	}
	options := b.s.searching()
	options.Strict, options.Alone = true, true
	q, err := search.Parse(it.kind, query, options)
	if err != nil {
		return false, err
	}
	found, err := b.s.matches(b.ctx, q, nil)
	if err != nil {
		return false, err
	}
	found, err = seen(b.ctx, found, q, it.w.Sees)
	switch {
	case err != nil || len(found) == 0:
		return false, err
	case len(found) > 1:
		return false, outcome.New(outcome.Precondition, "more than one resource is there already that the condition of the create finds").At("ifNoneExist")
	}
	it.before, it.id = found[0], found[0].id
	if it.w.Alias == "" {
		return true, nil
	}
	if b.byAlias[it.w.Alias] = it; !it.w.Local {
		it.aliases, it.named = append(it.aliases, b.s.aliasName(it.w.Alias)), true
	}
	return true, nil
}

// seen are those that the query finds in what may be seen of them.
func seen(ctx context.Context, all []*found, q *search.Query, sees Sight) (out []*found, err error) {
	for _, f := range all {
		if sees != nil {
			part, err := sees(ctx, newSealed(f))
			if err != nil {
				return nil, err
			}
			if part == nil || !part.Matches(q) {
				continue
			}
		}
		out = append(out, f)
	}
	return out, nil
}

// withIdentifiers are the writes of the batch that bring a resource of the type with an identifier.
func (b *batch) withIdentifiers(typ string) []*item {
	if b.identified == nil {
		b.identified = map[string][]*item{}
		for _, it := range b.items {
			if (it.effect == Created || it.effect == Updated) && it.w.Doc.Root().Get("identifier").Exists() {
				b.identified[it.kind] = append(b.identified[it.kind], it)
			}
		}
	}
	return b.identified[typ]
}

func noTarget() error {
	return outcome.New(outcome.Precondition, "the conditional reference finds nothing here: store its target first, or send both in one bundle")
}

var errSeveral = outcome.New(outcome.Precondition, "the conditional reference finds more than one resource: name the one that is meant by its id")

const (
	awaitingAll = `select distinct a.rec from awaited a join identifier i on i.name=a.name where a.rec>? order by a.rec limit ?`
	awaitingOne = `select distinct a.rec from identifier i join awaited a on a.name=i.name where i.rec=? and a.rec>? order by a.rec limit ?`
)

// Awaiting gives writes of [Resolve] for resources that keep a reference whose target has come meanwhile, at most most of them, behind
// the record after. Next is where to go on, 0 at the end. Target narrows it to those that wait for one record, 0 to none.
// Errors: as [Store.Read].
func (s *Store) Awaiting(ctx context.Context, target, after fhir.RecordID, most int) (writes []Write, next fhir.RecordID, err error) {
	question, asked := awaitingAll, []any{after, most}
	if target != 0 {
		question, asked = awaitingOne, []any{target, after, most}
	}
	var recs []fhir.RecordID
	rows, err := s.d.Reader().QueryContext(ctx, question, asked...)
	if err != nil {
		return nil, 0, unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var rec fhir.RecordID
		if err := rows.Scan(&rec); err != nil {
			return nil, 0, unreadable(err)
		}
		recs = append(recs, rec)
	}
	if err := rows.Err(); err != nil {
		return nil, 0, unreadable(err)
	}
	b := s.batch(ctx)
	for _, rec := range recs {
		var r row
		if err := r.scan(s.one(ctx, s.d.Reader(), currentOf, rec)); err != nil {
			return nil, 0, unreadable(err)
		}
		f, err := s.openOrFault(r)
		if outcome.Is(err, outcome.Deleted) || err == nil && f.doc == nil {
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		it := &item{w: Write{Op: Resolve, Type: f.kind, ID: f.id, Doc: f.doc, Await: true}, kind: f.kind, before: f}
		if err := b.conditionals(it); err != nil {
			return nil, 0, err
		}
		if b.resolves(it) {
			it.w.Doc = nil
			writes = append(writes, it.w)
		}
	}
	if len(recs) == most {
		next = recs[most-1]
	}
	return writes, next, nil
}

// AwaitedAs reports whether references can wait for a resource such as d: it is found by identifiers and has one.
func AwaitedAs(d *document.Doc) bool {
	return (d.Type() == patientType || !fhir.InPatientCompartment(d.Type())) && d.Root().Get("identifier").Exists()
}

// resolves reports whether a conditional reference of the write leads somewhere.
func (b *batch) resolves(it *item) bool {
	for n := range it.doc.Root().All() {
		if n.Name() == "reference" && n.Kind() == document.String {
			if t, ok := b.conditional[n.Text()]; ok && t.err == nil {
				return true
			}
		}
	}
	return false
}
