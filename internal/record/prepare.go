package record

import (
	"bytes"
	"context"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"
)

// Write is one change that somebody asks for.
type Write struct {
	Op   Op
	Type string
	ID   string        // of Update and Delete; Create ignores it
	Doc  *document.Doc // of Create and Update, valid; its own id and version do not matter
	// IfMatch is the version that must be current, 0 for any.
	IfMatch int64
	// IfNew refuses when the resource is there already, deleted or not.
	IfNew bool
	// Guard makes the write exclude others that were decided by the same condition; the zero Guard none.
	Guard Guard
	// Alias is a name from elsewhere, such as the full URL of a bundle entry. References to it, in this batch and later ones, become
	// references to the resource; a Create whose alias is already known changes nothing, so that an import can run again.
	Alias string
	// Local makes Alias a name within this batch only, neither looked up nor kept: clients use one urn:uuid for many things.
	Local bool
	// Base is where Alias lies when it is Base/Type/id: relative references of such an entry may mean others below it.
	Base string
	// IfNoneExist is a query, in the form of a URL: a Create changes nothing when it finds one stored resource, which then has the Alias.
	IfNoneExist string
	// Await keeps a conditional or logical reference whose target is not here as it was sent, until [Store.Awaiting] finds it. Without
	// it such a conditional reference is an error, unless the version before has it too.
	Await bool
	// Onward makes a write that brings what the record has left behind change nothing: content that an earlier version had, or that is
	// older than the current version by its EventTime.
	Onward bool
	// Sees says which stored resources a conditional reference may find; nil: all.
	Sees Sight
	// EventTime is the original lastUpdated of an imported resource; zero for now.
	EventTime time.Time
	// Lower and Raise are the labels that a Relabel takes away and adds.
	Lower, Raise []string
	// Kept says that the door itself made Doc from the stored version that IfMatch names, changing single elements and keeping the rest.
	Kept bool
	// Author is the person or job that writes, AuthorActor its "Practitioner/x" if it has one: for projections.
	Author, AuthorActor string
}

// Sight gives what somebody may see of a resource; nil when it may not even be known to be there.
type Sight func(context.Context, *Sealed) (*Sealed, error)

// Effect is what a write comes to.
type Effect int

// The effects.
const (
	Unchanged Effect = iota // the content is there already, the alias is known, or it is deleted already: nothing is stored
	Created
	Updated
	Deleted
)

// Change is what one write of a [Prepared] will do, for the door to decide on. Before is the current version, nil for a new
// resource; for Unchanged it is also what Commit gives back.
type Change struct {
	Effect   Effect
	Type, ID string
	Record   fhir.RecordID
	Version  int64
	Patients []fhir.PatientID // of all compartments, that of the key first; empty for staff and system data
	Group    fhir.Group
	Labels   []string // that the write brings: what a rule adds asks for no clearance, what there was is in Before
	Before   *Sealed
	Behind   bool // Unchanged, since the record went on from what the write brings
}

// Prepared are changes with ids, versions and sealed bytes, of which nothing is stored yet. It is used once.
type Prepared struct {
	items []*item
	parts []audit.PatientPart
}

type item struct {
	w       Write
	effect  Effect
	kind    string
	id      string
	before  *found
	after   row // with its sealed body
	doc     *document.Doc
	also    []fhir.PatientID
	aliases [][]byte // to be stored; one may be promised to this record already
	named   bool     // the aliases are for what was there already
	behind  bool     // the record went on from this content
	relabel bool
	// awaited are references that stay as they were sent.
	awaited []Awaited
	// promised are compartments of patients who are referred to and have not come yet.
	promised []promise
}

// promise keeps a number for a Patient that may come under a name.
type promise struct {
	name    []byte
	patient fhir.PatientID
}

// Changes are in the order of the writes.
func (p *Prepared) Changes() []Change {
	out := make([]Change, len(p.items))
	for i, it := range p.items {
		c := Change{Effect: it.effect, Type: it.kind, ID: it.id, Record: it.after.rec, Version: it.after.vid, Group: fhir.FieldGroup(it.kind), Behind: it.behind}
		if it.after.patient != 0 {
			c.Patients = append([]fhir.PatientID{it.after.patient}, it.also...)
		}
		if it.before != nil {
			c.Before = newSealed(it.before)
		}
		if it.w.Doc != nil && it.effect != Unchanged {
			c.Labels = fhir.Labels(it.w.Doc)
		}
		out[i] = c
	}
	return out
}

// Intents are what the audit intent must name: each version that will be stored with the hash of its ciphertext, by patient. Staff
// and system data are under patient 0. Empty when nothing changes.
func (p *Prepared) Intents() []audit.PatientPart { return p.parts }

// Content is what write i will store, its own text with id, version and resolved names: to answer the writer with. Nil for a
// deletion and for Unchanged.
func (p *Prepared) Content(i int) *document.Doc {
	if it := p.items[i]; it.effect == Created || it.effect == Updated {
		return it.doc
	}
	return nil
}

// Prepare works out what writes would do, without storing anything but the keys of new patients: targets, references by alias,
// compartments, versions, sealed bytes. One batch is one transaction; two writes to one resource are refused.
//
// Errors: outcome.NotFound (nothing to delete, an id that was never made); outcome.Precondition (IfMatch); outcome.Invalid (an id
// against the grammar, a type that does not fit, a patient who is not here); outcome.BusinessRule (a resource would move to another
// patient's chart); outcome.Duplicate (two writes to one resource or alias); as [Store.Read]. What concerns one write is in a [Faulty].
func (s *Store) Prepare(ctx context.Context, writes []Write) (*Prepared, error) {
	b := s.batch(ctx)
	p := &Prepared{}
	for i, w := range writes {
		it, err := b.target(w)
		if err != nil {
			return nil, faultOf(i, err)
		}
		p.items = append(p.items, it)
	}
	b.items = p.items
	for _, patientsFirst := range []bool{true, false} { // ids of patients go into ids of everything else
		for i, it := range p.items {
			if it.effect != Unchanged && (it.kind == patientType) == patientsFirst {
				if err := b.settle(it); err != nil {
					return nil, faultOf(i, err)
				}
			}
		}
	}
	keys, err := b.keys(p.items)
	if err != nil {
		return nil, err
	}
	if err := onAll(len(p.items), func(i int) error {
		if p.items[i].effect == Unchanged {
			return nil
		}
		if err := b.finish(p.items[i]); err != nil {
			return faultOf(i, err)
		}
		return b.seal(p.items[i], keys)
	}); err != nil {
		return nil, err
	}
	p.parts = s.intents(p.items)
	return p, nil
}

// Faulty is the error of one write of a batch: errors.As finds it, and behind it the outcome.
type Faulty struct {
	Index int // of the write
	err   error
}

// Error is the error of the write; which one it was is in Index.
func (f Faulty) Error() string { return f.err.Error() }

// Unwrap gives the error of the write.
func (f Faulty) Unwrap() error { return f.err }

// faultOf says that err is about write i, unless it is about the disk or the caller's patience.
func faultOf(i int, err error) error {
	err = outcome.Wrap("record: prepare", outcome.Exception, "the change could not be prepared", err)
	switch outcome.CodeOf(err) {
	case outcome.NoStore, outcome.Transient, outcome.Timeout:
		return err
	}
	return Faulty{i, err}
}

// batch is the state of one Prepare.
type batch struct {
	s        *Store
	ctx      context.Context
	now      time.Time
	byAlias  map[string]*item
	byRecord map[fhir.RecordID]bool
	patients map[string]fhir.PatientID // by id, seen in this batch

	items       []*item
	identified  map[string][]*item // those with an identifier, by type
	conditional map[string]target  // where conditional references lead
}

func (s *Store) batch(ctx context.Context) *batch {
	return &batch{s: s, ctx: ctx, now: s.o.Now(), byAlias: map[string]*item{}, byRecord: map[fhir.RecordID]bool{},
		patients: map[string]fhir.PatientID{}, conditional: map[string]target{}}
}

// target finds the record that a write is about, or allots a new one.
func (b *batch) target(w Write) (*item, error) {
	it := &item{w: w, kind: w.Type, id: w.ID}
	if w.Op != Delete && w.Op != Resolve && w.Op != Relabel && (w.Doc == nil || w.Doc.Type() != w.Type) {
		return nil, outcome.New(outcome.Invalid, "the resource is not of the type that it is sent as")
	}
	var err error
	switch w.Op {
	case Create:
		it.id = ""
		err = b.createTarget(it)
	case Update:
		err = b.updateTarget(it)
	case Delete:
		if it.before, err = b.s.current(b.ctx, b.s.d.Reader(), w.Type, w.ID); err == nil && it.before.row.op != Delete {
			it.effect = Deleted
		}
	case Resolve:
		err = b.resolveTarget(it)
	case Relabel:
		err = b.relabelTarget(it)
	default:
		err = outcome.New(outcome.Exception, "a write has no operation")
	}
	if err != nil {
		return nil, err
	}
	if it.before != nil {
		it.id, it.also = it.before.id, it.before.also
		it.after = it.before.row
	}
	if w.IfMatch != 0 && (it.before == nil || it.before.row.vid != w.IfMatch) {
		return nil, outcome.New(outcome.Precondition, "the resource was changed by somebody else: read it again")
	}
	if w.IfNew && it.before != nil {
		return nil, outcome.New(outcome.Precondition, "the resource is here already: leave If-None-Match out to change it")
	}
	if it.effect == Unchanged {
		return it, nil
	}
	if b.byRecord[it.after.rec] {
		return nil, outcome.New(outcome.Duplicate, "two changes of one transaction are about the same resource")
	}
	b.byRecord[it.after.rec] = true
	if it.after.kind, err = b.s.kinds.allot(b.ctx, b.s.d, w.Type); err != nil {
		return nil, err
	}
	return it, b.name(it)
}

// name registers the alias of an item, so that the others of the batch can refer to it.
func (b *batch) name(it *item) error {
	if it.w.Alias == "" {
		return nil
	}
	if _, taken := b.byAlias[it.w.Alias]; taken {
		return outcome.New(outcome.Duplicate, "two entries of one transaction have the same full URL")
	}
	b.byAlias[it.w.Alias] = it
	if !it.w.Local {
		it.aliases = append(it.aliases, b.s.aliasName(it.w.Alias))
	}
	return nil
}

func (b *batch) createTarget(it *item) error {
	if it.w.Alias != "" && !it.w.Local {
		rec, err := b.s.aliased(b.ctx, b.s.d.Reader(), b.s.aliasName(it.w.Alias))
		if err == nil {
			if it.before, err = b.s.currentVersion(b.ctx, b.s.d.Reader(), rec, it.kind, ""); err == nil {
				b.byAlias[it.w.Alias] = it
				it.id = it.before.id
			}
			return err
		}
		if !outcome.Is(err, outcome.NotFound) {
			return err
		}
	}
	if it.w.IfNoneExist != "" {
		if found, err := b.existing(it); err != nil || found {
			return err
		}
	}
	it.effect = Created
	var err error
	it.after.rec, err = b.s.numbers.next(b.ctx)
	return err
}

// resolveTarget writes the current version again.
func (b *batch) resolveTarget(it *item) (err error) {
	if it.before, err = b.s.current(b.ctx, b.s.d.Reader(), it.kind, it.id); err != nil || it.before.doc == nil {
		return err
	}
	it.w.Op, it.w.Doc, it.w.Await, it.effect = Update, it.before.doc, true, Updated
	it.w.EventTime, _ = it.before.doc.LastUpdated()
	return nil
}

// relabelTarget writes the current version again, with other labels.
func (b *batch) relabelTarget(it *item) (err error) {
	if it.before, err = b.s.current(b.ctx, b.s.d.Reader(), it.kind, it.id); err != nil {
		return err
	}
	if it.before.doc == nil {
		return outcome.New(outcome.Deleted, "the resource was deleted")
	}
	if it.w.Doc, err = fhir.Lowered(it.before.doc, it.w.Lower); err != nil {
		return err
	}
	it.w.Op, it.effect, it.relabel = Update, Updated, true
	if len(it.w.Lower) == 0 { // it says what it said
		it.w.EventTime, _ = it.before.doc.LastUpdated()
	}
	return nil
}

// labels gives a text the labels of the rules; a test of what was stored before there were any changes it.
var labels = fhir.Labelled

// labelled gives a text the labels that it carries from now on: those of the rules and those of the version before, which after a
// deletion is the one that was deleted. Else who may delete could shed a label by writing anew.
func (b *batch) labelled(it *item, doc *document.Doc) (*document.Doc, error) {
	switch {
	case it.relabel:
		return fhir.Raised(doc, it.w.Raise)
	case it.before == nil:
		return labels(doc, nil)
	case it.before.doc != nil:
		return labels(doc, it.before.doc)
	}
	var last *document.Doc
	err := b.s.each(b.ctx, b.s.d.Reader(), func(f *found) error {
		if f.fault == nil && f.doc != nil {
			last = f.doc
		}
		return nil
	}, versions+`where rec=? order by vid`, it.before.row.rec)
	if err != nil {
		return nil, err
	}
	return labels(doc, last)
}

func (b *batch) updateTarget(it *item) error {
	var err error
	if it.before, err = b.s.current(b.ctx, b.s.d.Reader(), it.kind, it.id); err == nil {
		it.effect = Updated
		return nil
	}
	if !outcome.Is(err, outcome.NotFound) {
		return err
	}
	if !fhir.IsID(it.id) {
		return outcome.New(outcome.Invalid, "an id has 1 to 64 letters, digits, - or .")
	}
	if _, _, ours := b.s.ids.read(it.id); ours {
		return outcome.New(outcome.NotFound, "there is no such resource")
	}
	name := b.s.idName(it.kind, it.id)
	it.effect = Created
	it.aliases = append(it.aliases, name)
	rec, err := b.s.aliased(b.ctx, b.s.d.Reader(), name) // promised to a patient who was referred to before
	if outcome.Is(err, outcome.NotFound) {
		rec, err = b.s.numbers.next(b.ctx)
	}
	it.after.rec = rec
	return err
}

// settle finds the compartment of an item and so its id. Items of patients are settled before.
func (b *batch) settle(it *item) error {
	if it.effect == Deleted {
		return nil
	}
	if err := b.conditionals(it); err != nil {
		return err
	}
	doc, err := b.byName(it, it.doc, func(other *item) bool { return other.kind == patientType })
	if err != nil {
		return err
	}
	it.doc = doc
	var patients []fhir.PatientID
	if it.kind == patientType {
		patients = []fhir.PatientID{fhir.PatientID(it.after.rec)}
	} else if patients, err = b.compartments(it); err != nil {
		return err
	}
	if it.before != nil {
		if err := stays(it.kind, it.before.row.patient, patients); err != nil {
			return err
		}
	} else if len(patients) > 0 {
		it.after.patient = patients[0]
	}
	it.also = slices.DeleteFunc(patients, func(p fhir.PatientID) bool { return p == it.after.patient })
	if it.id == "" {
		it.id = b.s.ids.make(it.after.patient, it.after.rec)
	}
	if it.kind == patientType {
		b.patients[it.id] = it.after.patient
	}
	return nil
}

// stays refuses that a resource moves to another compartment: its key, and what was disclosed of it, are that patient's.
func stays(kind string, old fhir.PatientID, patients []fhir.PatientID) error {
	if old == 0 && len(patients) == 0 || slices.Contains(patients, old) {
		return nil
	}
	return outcome.New(outcome.BusinessRule, "a resource cannot move to another patient's chart: mark it entered-in-error and write a new one").At(kind)
}

// compartments are the patients that a resource is about, without doubles, in its order.
func (b *batch) compartments(it *item) (out []fhir.PatientID, err error) {
	doc := it.doc
	if base := b.s.o.Base; base != "" && bytes.Contains(doc.AppendJSON(nil), []byte(base)) {
		if doc, err = doc.ReplaceReferences(func(ref string) (string, bool) {
			local, ok := fhir.LocalReference(base, ref)
			return local.String(), ok
		}); err != nil {
			return nil, err
		}
	}
	for _, ref := range fhir.PatientRefs(doc) {
		p, known := b.patients[ref.ID]
		if !known {
			p, err = b.s.patient(b.ctx, b.s.d.Reader(), ref.ID)
			if outcome.Is(err, outcome.NotFound) && b.s.o.OpenReferences {
				p, err = b.promise(it, ref.ID)
			}
			if outcome.Is(err, outcome.NotFound) {
				return nil, outcome.New(outcome.Invalid, "the resource names a patient who is not here: register the patient first")
			}
			if err != nil {
				return nil, err
			}
			b.patients[ref.ID] = p
		}
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out, nil
}

// promise finds or makes the compartment of a patient who is not here, under an id that a client chose.
func (b *batch) promise(it *item, id string) (fhir.PatientID, error) {
	if _, _, ours := b.s.ids.read(id); ours {
		return 0, notFound()
	}
	name := b.s.idName(patientType, id)
	rec, err := b.s.aliased(b.ctx, b.s.d.Reader(), name)
	if outcome.Is(err, outcome.NotFound) {
		if rec, err = b.s.numbers.next(b.ctx); err != nil {
			return 0, err
		}
		it.promised = append(it.promised, promise{name, fhir.PatientID(rec)})
	}
	return fhir.PatientID(rec), err
}

// byName replaces references to aliases: of this batch where ready says so, of earlier ones unless the write is local.
func (b *batch) byName(it *item, doc *document.Doc, ready func(*item) bool) (*document.Doc, error) {
	var failed error
	out, err := doc.ReplaceReferences(func(ref string) (string, bool) {
		if other, ok := b.byAlias[fhir.Unversioned(ref)]; ok { // its versions count elsewhere
			return other.kind + "/" + other.id, other.id != "" && ready(other)
		}
		if t, ok := b.conditional[ref]; ok {
			if t.item != nil {
				return t.item.kind + "/" + t.item.id, t.err == nil && t.item.id != "" && ready(t.item)
			}
			return t.stored, t.err == nil
		}
		full := fhir.Unversioned(ref)
		if !strings.Contains(ref, ":") {
			if it.w.Base == "" || strings.HasPrefix(ref, "#") {
				return "", false
			}
			if full = it.w.Base + "/" + fhir.Unversioned(ref); b.byAlias[full] != nil {
				other := b.byAlias[full]
				return other.kind + "/" + other.id, other.id != "" && ready(other)
			}
		}
		if it.w.Local {
			return "", false
		}
		name, ok, err := b.s.named(b.ctx, full)
		if err != nil {
			failed = err
		}
		return name, ok
	})
	if failed != nil {
		return nil, failed
	}
	return out, err
}

// named is the "Type/id" behind an alias of an earlier write.
func (s *Store) named(ctx context.Context, alias string) (string, bool, error) {
	rec, err := s.aliased(ctx, s.d.Reader(), s.aliasName(alias))
	if outcome.Is(err, outcome.NotFound) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	var r row
	if err := r.scan(s.one(ctx, s.d.Reader(), currentOf, rec)); err != nil {
		return "", false, unreadable(err)
	}
	f, err := s.open(r)
	if err != nil {
		return "", false, err
	}
	return f.kind + "/" + f.id, true, nil
}

// finish gives an item its version and its final text.
func (b *batch) finish(it *item) error {
	it.after.vid, it.after.op = 1, it.w.Op
	if it.before != nil {
		it.after.vid = it.before.row.vid + 1
	}
	it.after.updated = b.now.UnixMicro()
	it.after.at.Valid = false
	if it.effect == Deleted {
		doc, err := document.Parse([]byte(`{"resourceType":"` + it.kind + `","id":"` + it.id + `"}`)) // both are plain words
		it.doc = doc
		return err
	}
	plain, err := b.byName(it, it.doc, func(*item) bool { return true })
	if err != nil {
		return err
	}
	doc, err := b.labelled(it, plain)
	if err != nil {
		return err
	}
	if it.before != nil {
		same := false
		if it.before.doc != nil {
			same, err = sameContent(doc, it.before)
		}
		if err == nil && !same && it.w.Onward {
			if it.behind, err = b.leftBehind(it, doc); err == nil && !it.behind && doc != plain { // it may be of before there were rules
				it.behind, err = b.leftBehind(it, plain)
			}
		}
		if err != nil || same || it.behind {
			it.effect, it.doc, it.after, it.awaited = Unchanged, nil, it.before.row, nil
			return err
		}
	}
	when := it.w.EventTime
	if when.IsZero() {
		when = b.now
	}
	if it.doc, err = doc.Stamp(it.id, strconv.FormatInt(it.after.vid, 10), when); err != nil {
		return err
	}
	if main, ok := fhir.MainDate(it.doc, b.s.o.Zone); ok {
		it.after.at.Int64, it.after.at.Valid = main.UnixMicro(), true
	}
	return nil
}

// sameContent reports whether an update brings nothing new: then no version is made and a repeated import changes nothing.
func sameContent(doc *document.Doc, before *found) (bool, error) {
	updated, ok := before.doc.LastUpdated()
	if !ok {
		return false, nil
	}
	stamped, err := doc.Stamp(before.id, before.doc.VersionID(), updated)
	if err != nil {
		return false, err
	}
	return bytes.Equal(stamped.AppendJSON(nil), before.doc.AppendJSON(nil)), nil
}

// leftBehind reports whether the record went on from doc: by the time of its last change, or since an earlier version had this content.
// Without it, two files that give one resource different content would replace each other at each run of an import, and a run would
// take back what was changed or deleted here since the one before.
func (b *batch) leftBehind(it *item, doc *document.Doc) (bool, error) {
	if now := it.before.doc; now != nil && !it.w.EventTime.IsZero() {
		if updated, ok := now.LastUpdated(); ok && it.w.EventTime.Before(updated) {
			return true, nil
		}
	}
	behind := false
	err := b.s.each(b.ctx, b.s.d.Reader(), func(f *found) error {
		if f.fault != nil || f.doc == nil || behind {
			return nil
		}
		same, err := sameContent(doc, f)
		behind = same
		return err
	}, versions+`where rec=? order by vid desc`, it.before.row.rec)
	return behind, err
}

// keys gives the key of each patient in a batch, making those of new patients with one commit.
func (b *batch) keys(items []*item) (map[fhir.PatientID]seal.KeyID, error) {
	var owners []int64
	keys := map[fhir.PatientID]seal.KeyID{}
	for _, it := range items {
		if _, known := keys[it.after.patient]; it.effect != Unchanged && it.after.patient != 0 && !known {
			keys[it.after.patient] = 0
			owners = append(owners, int64(it.after.patient))
		}
	}
	made, err := b.s.box.Keys(b.ctx, owners, ChartKey)
	if err != nil {
		return nil, err
	}
	for i, owner := range owners {
		keys[fhir.PatientID(owner)] = made[i]
	}
	return keys, nil
}

// seal encrypts a new version.
func (b *batch) seal(it *item, keys map[fhir.PatientID]seal.KeyID) (err error) {
	if it.effect == Unchanged {
		return nil
	}
	key, ok := keys[it.after.patient]
	if !ok {
		if key, err = b.s.box.Key(b.ctx, int64(it.after.rec)>>24, systemKey); err != nil {
			return err
		}
	}
	it.after.body, err = b.s.box.Seal(nil, key, it.after.place(it.kind), it.doc.AppendJSON(nil))
	return err
}

// onAll does n things that do not touch each other on all processors and gives the error of the first that failed. Few are not worth a
// goroutine.
func onAll(n int, do func(i int) error) error {
	const enough = 16
	workers := max(1, min(runtime.GOMAXPROCS(0), n/enough))
	errs := make([]error, n)
	work := func(first int) {
		for i := first; i < n; i += workers {
			errs[i] = do(i)
		}
	}
	var group sync.WaitGroup
	for w := 1; w < workers; w++ {
		group.Go(func() { work(w) })
	}
	work(0)
	group.Wait()
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return errs[i]
	}
	return nil
}

// Kinds of keys: one for each patient's chart; one for every 16 million records of staff and system data, so that random nonces
// stay far from repeating; one a month for cursors.
const (
	ChartKey  = "chart" // of a patient: destroying it erases the chart
	systemKey = "system"
	cursorKey = "cursor"
)
