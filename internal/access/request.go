package access

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/patch"
	"chartwarden/internal/outcome"
	"chartwarden/internal/record"
)

// request is an entry that writes, understood.
type request struct {
	index     int
	write     record.Write
	patch     *patch.Patch
	condition *condition // by which it finds its resource; nil when it names it
}

// local is a request's URL below this server's own base.
func (g *Gate) local(url string) string {
	if rest, ok := strings.CutPrefix(url, g.base+"/"); ok && g.base != "" {
		url = rest
	}
	return strings.TrimPrefix(url, "/")
}

// request understands an entry that writes. Errors name what is wrong, not which entry.
func (g *Gate) request(e Entry) (request, error) {
	e.URL = g.local(e.URL)
	r := request{index: e.Index}
	var err error
	typ, query, asks := strings.Cut(e.URL, "?")
	switch {
	case e.Method == "POST" && e.IfNoneExist != "" && fhir.IsResourceType(typ):
		r.condition, err = g.newCondition(typ, e.IfNoneExist, "If-None-Exist")
	case e.IfNoneExist != "":
		err = outcome.New(outcome.Invalid, "only a create takes If-None-Exist").At("If-None-Exist")
	case e.Method == "PATCH":
		return g.patchRequest(e, r)
	case asks && fhir.IsResourceType(typ) && (e.Method == "PUT" || e.Method == "DELETE"):
		if r.condition, err = g.newCondition(typ, query, "url"); err != nil {
			return r, err
		}
		r.write = record.Write{Op: record.Delete, Type: typ}
		if e.Method == "PUT" {
			if e.Doc == nil || e.Doc.Type() != typ {
				return r, outcome.New(outcome.Invalid, "a conditional update has a resource of the type in its URL").At("resourceType")
			}
			r.write = record.Write{Op: record.Update, Type: typ, ID: strings.Clone(e.Doc.ID()), Doc: e.Doc, Alias: e.FullURL, Local: true}
		}
		r.write.IfMatch, err = ParseETag(e.IfMatch)
		return r, err
	}
	if err != nil {
		return r, err
	}
	var writes bool
	if r.write, writes, err = e.write(); err == nil && !writes {
		err = outcome.New(outcome.NotSupported, "the method of an entry is GET, POST, PUT or DELETE").At("request.method")
	}
	return r, err
}

// patchRequest understands an entry that patches.
func (g *Gate) patchRequest(e Entry, r request) (request, error) {
	name, query, asks := strings.Cut(e.URL, "?")
	typ, id, _ := strings.Cut(name, "/")
	if !fhir.IsResourceType(typ) || asks != (id == "") || strings.Contains(id, "/") {
		return r, outcome.New(outcome.Invalid, "a PATCH entry has Type/id or Type?criteria as request.url").At("request.url")
	}
	var err error
	r.write = record.Write{Op: record.Update, Type: typ, ID: id, Alias: e.FullURL, Local: true}
	if r.patch, err = e.patchOf(); err != nil {
		return r, err
	}
	if asks {
		if r.condition, err = g.newCondition(typ, query, "url"); err != nil {
			return r, err
		}
	}
	r.write.IfMatch, err = ParseETag(e.IfMatch)
	return r, err
}

// transaction is the state of one [Gate.Transaction].
type transaction struct {
	g          *Gate
	p          Principal
	entries    []Entry
	reads      map[int]func() Result // by place in entries
	requests   map[int]request
	references map[string]referral // conditional references, as written
	conditions []*condition        // all
}

// understand reads every entry before anything is looked up.
func (t *transaction) understand(ctx context.Context) error {
	t.requests, t.references = map[int]request{}, map[string]referral{}
	seen := map[string]bool{}
	for i, e := range t.entries {
		if err := fullURL(e, seen); err != nil {
			return err
		}
		if e.Method == "GET" {
			var err error
			if t.reads[i], err = t.g.get(ctx, t.p, e); err != nil {
				return inEntry(e.Index, err)
			}
			continue
		}
		r, err := t.g.request(e)
		if err == nil && e.Doc != nil && r.patch == nil {
			err = t.referring(e)
		}
		if err != nil {
			return inEntry(e.Index, err)
		}
		if r.condition != nil {
			t.conditions = append(t.conditions, r.condition)
		}
		t.requests[i] = r
	}
	return nil
}

// referral is a conditional reference and the entry that first makes it.
type referral struct {
	condition *condition
	index     int
	place     string
}

// referring collects the conditional references of an entry, such as Practitioner?identifier=...
func (t *transaction) referring(e Entry) error {
	for n := range e.Doc.Root().All() {
		if n.Name() != "reference" || n.Kind() != document.String {
			continue
		}
		text := n.Text()
		typ, query, asks := strings.Cut(text, "?")
		if _, known := t.references[text]; known || !asks || !fhir.IsResourceType(typ) {
			continue
		}
		c, err := t.g.newCondition(typ, query, n.Expression())
		if err != nil {
			return err
		}
		t.references[strings.Clone(text)] = referral{c, e.Index, n.Expression()}
		t.conditions = append(t.conditions, c)
	}
	return nil
}

// order is that in which a transaction writes. Source: https://hl7.org/fhir/R4/http.html#trules.
var order = []string{"DELETE", "POST", "PUT", "PATCH"}

// write decides and stores all that writes.
func (t *transaction) write(ctx context.Context) ([]Result, error) {
	out := make([]Result, len(t.entries))
	d := decisions{names: map[string]string{}, makers: map[string]int{}, twins: map[int]int{}}
	for _, method := range order {
		for i, e := range t.entries {
			r, writes := t.requests[i]
			if !writes || e.Method != method {
				continue
			}
			there, err := t.decide(ctx, &d, i, r)
			if err != nil {
				return nil, inEntry(e.Index, err)
			}
			out[i].Written = there
		}
	}
	if err := t.resolve(ctx, &d); err != nil {
		return nil, err
	}
	if len(d.all) > 0 {
		writes := make([]record.Write, len(d.all))
		for i := range d.all {
			writes[i] = d.all[i].write
		}
		written, err := t.g.write(ctx, t.p, "transaction", writes)
		var one faulty
		if errors.As(err, &one) {
			if err = d.all[one.index].raced(one.err); !errors.Is(err, record.ErrRace) {
				err = inEntry(t.entries[d.at[one.index]].Index, err)
			}
		}
		if err != nil {
			return nil, err
		}
		for i := range written {
			if err := d.all[i].show(&written[i]); err != nil {
				return nil, err
			}
			out[d.at[i]].Written = &written[i]
			t.g.tellOfTwins(ctx, written[i], d.all[i].hidden)
		}
	}
	for i, first := range d.twins {
		shared := *out[first].Written
		shared.Created, shared.Changed = false, false
		out[i].Written = &shared
	}
	return out, nil
}

// decisions are what the writes of a transaction come to.
type decisions struct {
	all    []decided
	at     []int             // place of each among the entries
	names  map[string]string // references that become others: names of entries that are there already, conditional references
	makers map[string]int    // by condition: the entry that creates by it
	twins  map[int]int       // entries that would create by the condition of an earlier one, and that one
}

// decide settles one entry; what is there already is returned.
func (t *transaction) decide(ctx context.Context, d *decisions, i int, r request) (*Written, error) {
	if r.condition != nil {
		if first, made := d.makers[r.condition.name()]; made {
			if r.write.Op != record.Create || t.requests[first].write.Op != record.Create {
				return nil, outcome.New(outcome.Duplicate, "two entries of one transaction write by the same criteria: keep one")
			}
			d.twins[i] = first
			d.names[r.write.Alias] = t.alias(first)
			return nil, nil
		}
	}
	one, err := t.g.settle(ctx, t.p, r)
	if err != nil {
		return nil, err
	}
	if one.there != nil {
		if r.write.Op == record.Create {
			d.names[r.write.Alias] = one.there.Type + "/" + one.there.ID
		}
		return one.there, nil
	}
	if r.condition != nil {
		d.makers[r.condition.name()] = i
		one.write.Alias = t.alias(i)
	}
	d.all, d.at = append(d.all, one), append(d.at, i)
	return nil, nil
}

// alias is the name by which other entries refer to one; one without fullUrl gets a name for the occasion.
func (t *transaction) alias(i int) string {
	if url := t.entries[i].FullURL; url != "" {
		return url
	}
	if t.requests[i].write.Op == record.Delete {
		return ""
	}
	return "urn:entry:" + strconv.Itoa(i)
}

// resolve puts in place of conditional references, and of names of what is there already, where they lead.
func (t *transaction) resolve(ctx context.Context, d *decisions) error {
	for text, ref := range t.references {
		if first, made := d.makers[ref.condition.name()]; made {
			d.names[text] = t.alias(first)
			continue
		}
		found, err := t.g.meet(ctx, t.p, ref.condition)
		switch {
		case err != nil:
		case found.many:
			err = outcome.New(outcome.Precondition, "a conditional reference fits several resources: narrow it").At(ref.place)
		case found.doc == nil:
			continue // it may be among the entries: see record.Prepare
		}
		if err != nil {
			return inEntry(ref.index, err)
		}
		d.names[text] = found.doc.Type() + "/" + found.doc.ID()
	}
	delete(d.names, "")
	if len(d.names) == 0 {
		return nil
	}
	for i := range d.all {
		w := &d.all[i].write
		if w.Doc == nil {
			continue
		}
		doc, err := w.Doc.ReplaceReferences(func(reference string) (string, bool) {
			to, ok := d.names[reference]
			return to, ok
		})
		if err != nil {
			return inEntry(t.entries[d.at[i]].Index, err)
		}
		w.Doc = doc
	}
	return nil
}
