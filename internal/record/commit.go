package record

import (
	"context"
	"database/sql"
	"encoding/binary"
	"iter"
	"slices"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/care"
	"chartwarden/internal/db"
	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
)

// writers are the statements of a commit, prepared once.
type writers struct {
	tx, tagTx, insert, keep, update, alias, aliased, noAlso, also, patient, decide, decideAgain *sql.Stmt
	identify, unidentify, await, noLonger                                                       *sql.Stmt
}

func prepareWriters(ctx context.Context, d *db.DB) (w writers, err error) {
	for _, p := range []struct {
		to    **sql.Stmt
		query string
	}{
		{&w.tx, `insert into tx(tx, time, recs, entry) values((select coalesce(max(tx), 0)+1 from tx),?,?,?) returning tx`},
		{&w.tagTx, `update tx set mac=? where tx=?`},
		{&w.insert, `insert into resource(rec, patient, kind, vid, tx, at, updated, op, shared, further, mac, body) values(?,?,?,?,?,?,?,?,?,?,?,?)`},
		{&w.keep, `insert into version(rec, vid, patient, kind, tx, until, at, updated, op, shared, further, mac, body)
			select rec, vid, patient, kind, tx, cast(? as bigint), at, updated, op, shared, further, ?, body from resource where rec=? and vid=?`},
		{&w.update, `update resource set vid=?, tx=?, at=?, updated=?, op=?, shared=?, further=?, mac=?, body=? where rec=?`},
		{&w.alias, `insert into alias(name, rec, mac) values(?,?,?) on conflict do nothing`},
		{&w.aliased, `select rec, mac from alias where name=?`},
		{&w.noAlso, `delete from also where rec=?`},
		{&w.also, `insert into also(patient, rec) values(?,?)`},
		{&w.patient, `insert into patient(patient) values(?) on conflict do nothing`},
		{&w.decide, firstDecide},
		{&w.decideAgain, nextDecide},
		{&w.identify, `insert into identifier(name, rec) values(?,?) on conflict do nothing`},
		{&w.unidentify, `delete from identifier where rec=?`},
		{&w.await, `insert into awaited(name, rec) values(?,?) on conflict do nothing`},
		{&w.noLonger, `delete from awaited where rec=?`},
	} {
		if *p.to, err = d.Statement(ctx, p.query); err != nil {
			return w, err
		}
	}
	return w, nil
}

// Commit stores what was prepared, all or nothing, after its intent is durable, and gives the resulting versions in the order of
// the writes (for an unchanged one, the version that is there). Projections run in the same transaction; the directory knows the
// patients when Commit returns.
//
// Errors: outcome.Conflict with [ErrRace] when somebody else changed a resource since Prepare, or a guard was passed (prepare again); a projection's error; as db.Write.
func (s *Store) Commit(ctx context.Context, p *Prepared, intent audit.Logged) ([]*Sealed, error) {
	var changed []*item
	out := make([]*Sealed, len(p.items))
	for i, it := range p.items {
		if it.effect == Unchanged {
			out[i] = newSealed(it.before)
			continue
		}
		changed = append(changed, it)
	}
	named := slices.ContainsFunc(p.items, func(it *item) bool { return it.named })
	if len(changed) == 0 && !named {
		return out, nil
	}
	calm := context.WithoutCancel(ctx) // inside the transaction nothing may be cancelled: see db.Write
	var number int64
	err := s.d.Write(ctx, func(tx *sql.Tx) (err error) {
		if named {
			if err := s.rename(tx, p.items); err != nil || len(changed) == 0 {
				return err
			}
		}
		now := s.o.Now().Truncate(time.Microsecond) // one moment for all that this commit writes: verification recomputes it
		if number, err = s.begin(tx, changed, now, intent.Entry()); err != nil {
			return err
		}
		for _, it := range changed {
			it.after.tx, it.after.until = number, 0
			it.after.shared, it.after.further = len(it.also) > 0, furtherOf(it.also)
			s.tag(&it.after)
			if err := s.pass(tx, it.w.Guard, number); err != nil {
				return err
			}
			s.touch(it, number)
			if err := s.store(tx, it); err != nil {
				return err
			}
		}
		for _, it := range changed {
			if err := s.project(calm, tx, it, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, outcome.Wrap("record: commit", outcome.Exception, "the record could not be saved", err)
	}
	for _, p := range s.o.Projections {
		p.Committed(number)
	}
	for i, it := range p.items {
		if it.effect == Unchanged {
			continue
		}
		f := &found{row: it.after, kind: it.kind, id: it.id, doc: it.doc, also: it.also}
		f.row.body = nil
		if it.effect == Deleted {
			f.doc = nil
		}
		s.dir.follow(s, f)
		out[i] = newSealed(f)
	}
	if s.d.Shared() {
		s.foreign.mine(number)
	}
	raise(&s.newest, number)
	return out, nil
}

// touch tells the shelves what the transaction changes, before anybody can see it.
func (s *Store) touch(it *item, tx int64) {
	s.shelves.touch(it.after.patient, it.after.kind, tx, it.after.rec)
	for _, p := range it.also {
		s.shelves.touch(p, it.after.kind, tx, it.after.rec)
	}
	if it.before != nil {
		for _, p := range it.before.also {
			s.shelves.touch(p, it.after.kind, tx, it.after.rec)
		}
	}
}

// rename keeps the new names of what was there already.
func (s *Store) rename(tx *sql.Tx, items []*item) error {
	for _, it := range items {
		for _, name := range it.aliases {
			if it.named {
				if err := s.alias(tx, name, it.before.row.rec); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// begin writes the entry of the change feed and gives its number.
func (s *Store) begin(tx *sql.Tx, changed []*item, at time.Time, entry string) (int64, error) {
	var recs []byte
	for _, it := range changed {
		recs = binary.AppendUvarint(recs, uint64(it.after.rec))
	}
	f := feed{time: at.UnixMicro(), recs: recs, entry: entry}
	if err := tx.Stmt(s.write.tx).QueryRow(f.time, f.recs, f.entry).Scan(&f.tx); err != nil {
		return 0, err
	}
	_, err := tx.Stmt(s.write.tagTx).Exec(s.tags.tx.Tag(f.tagged()...), f.tx)
	return f.tx, err
}

func (s *Store) store(tx *sql.Tx, it *item) error {
	n := &it.after
	if it.before == nil {
		if _, err := tx.Stmt(s.write.insert).Exec(n.rec, n.patient, n.kind, n.vid, n.tx, n.at, n.updated, n.op, n.shared, n.further, n.mac, n.body); err != nil {
			return err
		}
		if it.kind == patientType {
			if _, err := tx.Stmt(s.write.patient).Exec(n.patient); err != nil {
				return err
			}
		}
	} else {
		old := it.before.row
		old.until = n.tx
		s.tag(&old)
		kept, err := tx.Stmt(s.write.keep).Exec(n.tx, old.mac, n.rec, old.vid)
		if err != nil {
			return err
		}
		if rows, err := kept.RowsAffected(); err != nil || rows != 1 {
			return conflict()
		}
		if _, err := tx.Stmt(s.write.update).Exec(n.vid, n.tx, n.at, n.updated, n.op, n.shared, n.further, n.mac, n.body, n.rec); err != nil {
			return err
		}
		if len(it.before.also) > 0 {
			if _, err := tx.Stmt(s.write.noAlso).Exec(n.rec); err != nil {
				return err
			}
		}
	}
	for _, p := range it.also {
		if _, err := tx.Stmt(s.write.also).Exec(p, n.rec); err != nil {
			return err
		}
	}
	for _, name := range it.aliases {
		if err := s.alias(tx, name, n.rec); err != nil {
			return err
		}
	}
	for _, p := range it.promised {
		if err := s.alias(tx, p.name, fhir.RecordID(p.patient)); err != nil {
			return err
		}
	}
	if err := s.await(tx, it); err != nil {
		return err
	}
	return s.identify(tx, it)
}

// await keeps under which names the targets of open references would come.
func (s *Store) await(tx *sql.Tx, it *item) error {
	if it.before != nil {
		if _, err := tx.Stmt(s.write.noLonger).Exec(it.after.rec); err != nil {
			return err
		}
	}
	if it.effect == Deleted {
		return nil
	}
	for _, a := range it.awaited {
		for _, name := range a.names {
			if _, err := tx.Stmt(s.write.await).Exec(name, it.after.rec); err != nil {
				return err
			}
		}
	}
	return nil
}

// alias gives a record a name, unless another record got it meanwhile.
func (s *Store) alias(tx *sql.Tx, name []byte, rec fhir.RecordID) error {
	r, err := tx.Stmt(s.write.alias).Exec(name, rec, s.tags.alias.Tag(name, int64(rec)))
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n == 1 {
		return err
	}
	var holder fhir.RecordID
	var mac []byte
	if err := tx.Stmt(s.write.aliased).QueryRow(name).Scan(&holder, &mac); err != nil {
		return err
	}
	if holder != rec || !s.tags.alias.Holds(mac, name, int64(rec)) {
		return conflict()
	}
	return nil
}

func (s *Store) project(ctx context.Context, tx *sql.Tx, it *item, now time.Time) error {
	if len(s.o.Projections) == 0 {
		return nil
	}
	doc := it.doc
	if it.effect == Deleted && it.before.doc != nil {
		doc = it.before.doc // what is no longer true
	}
	c := care.Change{
		Doc: doc, Record: it.after.rec, Patient: it.after.patient, Deleted: it.effect == Deleted,
		Author: it.w.Author, AuthorActor: it.w.AuthorActor, KnownAt: now, Tx: it.after.tx,
		Resolve: func(id string) (fhir.PatientID, bool) {
			p, err := s.patient(ctx, tx, id)
			return p, err == nil
		},
	}
	for _, p := range s.o.Projections {
		if err := p.Project(ctx, tx, c); err != nil {
			return err
		}
	}
	return nil
}

// varints reads the touched records of an entry of the change feed.
func varints(b []byte) iter.Seq[fhir.RecordID] {
	return func(yield func(fhir.RecordID) bool) {
		for len(b) > 0 {
			rec, n := binary.Uvarint(b)
			if n <= 0 || !yield(fhir.RecordID(rec)) {
				return
			}
			b = b[n:]
		}
	}
}
