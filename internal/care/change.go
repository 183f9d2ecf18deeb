package care

import (
	"context"
	"database/sql"
	"time"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
)

// Change is one write of a resource, as the store tells it to its projections.
type Change struct {
	Doc         *document.Doc // as stored; what it was, when Deleted
	Record      fhir.RecordID
	Patient     fhir.PatientID                                // the chart it belongs to, or 0
	Resolve     func(patientID string) (fhir.PatientID, bool) // the chart of Patient/patientID; nil knows none
	Deleted     bool
	Author      string    // person, client or job
	AuthorActor string    // Practitioner/x of the author, or ""
	KnownAt     time.Time // server time of the write
	Tx          int64     // number of the transaction, for [Graph.Committed]; 0 for none
}

const (
	stillKnown   = `closed=2305843009213693951` // never
	currentQuery = `select ` + edgeColumns + ` from care_edge where record=? and ` + stillKnown
	insertEdge   = `insert into care_edge(patient, actor, kind, place, detail, since, until, known, closed, author, mine, confirmed, record, about, mac) values(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`
	endEdge      = `update care_edge set closed=?, mac=? where id=?`
	confirmEdge  = `update care_edge set confirmed=?, mac=? where id=?`
	waitingQuery = `select ` + edgeColumns + ` from care_edge where about=? and mine=1 and confirmed=0 and author<>? and ` + stillKnown
	rolesQuery   = `select ` + edgeColumns + ` from care_edge where actor=? and patient=0 and kind=20 and ` + stillKnown
)

// Project brings the edges of one resource up to date, inside the transaction that writes it. What the new version no longer says is
// closed at c.KnownAt, what it says anew is added; the same change twice is the same as once. It also takes the change as the
// confirmation of edges that others made for themselves about the visit or order it refers to.
// Errors: outcome.NoStore; they undo the write.
func (g *Graph) Project(_ context.Context, tx *sql.Tx, c Change) error {
	p := &projection{g: g, tx: tx, c: c, known: c.KnownAt.UnixMilli(), about: g.key(c.Doc.Type() + "/" + c.Doc.ID())}
	if c.KnownAt.IsZero() {
		p.known = g.o.Now().UnixMilli()
	}
	p.author = g.personKey(c.Author)
	if c.AuthorActor != "" {
		p.author = g.key(c.AuthorActor)
	}
	err := p.run()
	if err != nil {
		return outcome.Wrap("care: project", outcome.NoStore, "the relationships could not be brought up to date", err)
	}
	return nil
}

// projection is one change on its way into the tables.
type projection struct {
	g      *Graph
	tx     *sql.Tx
	c      Change
	known  int64
	author int64
	about  int64
	prior  []row // what this resource says so far
	want   []edge
	names  map[int64]named // of the parties in want
	roles  map[int64]bool  // the author's PractitionerRoles, once needed
}

func (p *projection) run() error {
	read, tells := tellers[p.c.Doc.Type()]
	if tells {
		if err := p.load(); err != nil {
			return err
		}
		if !p.c.Deleted {
			read(p)
		}
		if err := p.settle(); err != nil {
			return err
		}
	}
	if p.c.Deleted {
		return nil
	}
	return p.confirmOthers()
}

func (p *projection) load() (err error) {
	p.prior, err = p.rows(p.g.write.current, p.c.Record)
	return err
}

// rows gives the rows of a statement that hold; the others stay as they are, for a verification to find.
func (p *projection) rows(s *sql.Stmt, args ...any) ([]row, error) {
	rows, err := p.tx.Stmt(s).Query(args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return scanAll(rows, p.g.holds)
}

// confirm notes somebody else's act on a row.
func (p *projection) confirm(r row) error {
	r.confirmed = p.known
	p.g.memory.touch(r.patient, p.c.Tx)
	_, err := p.tx.Stmt(p.g.write.confirm).Exec(r.confirmed, p.g.tag(&r), r.id)
	return err
}

// was is what the resource said so far about the same parties: the very same edge if it did, else the one that ends last.
func (p *projection) was(e edge) (best row, ok bool) {
	for _, r := range p.prior {
		switch {
		case r.ends() != e.ends():
		case r.since == e.since && r.until == e.until && r.detail == e.detail:
			return r, true
		case !ok || r.until > best.until:
			best, ok = r, true
		}
	}
	return best, ok
}

// settle closes, keeps and adds edges until the tables say what the resource says.
func (p *projection) settle() error {
	kept := map[int64]bool{}
	var fresh []row
	said := map[edge]bool{}
	for _, e := range p.want {
		if said[e] {
			continue
		}
		said[e] = true
		before, ok := p.was(e)
		if ok && before.since == e.since && before.until == e.until && before.detail == e.detail {
			kept[before.id] = true
			if before.waits(p.known) && before.author != p.author {
				if err := p.confirm(before); err != nil {
					return err
				}
			}
			continue
		}
		r := row{edge: e, known: p.known, closed: never, author: p.author, record: p.c.Record, about: p.about}
		var err error
		if r.mine, err = p.gains(e); err != nil {
			return err
		}
		if ok && r.mine && before.near(p.known) {
			// She carries on what somebody else's word began: an attending who ends or prolongs a running visit keeps its weight.
			// Reviving what was over is her own word.
			r.author, r.mine, r.confirmed = before.author, before.mine, before.confirmed
		}
		fresh = append(fresh, r)
	}
	for _, r := range p.prior {
		if !kept[r.id] {
			r.closed = p.known
			p.g.memory.touch(r.patient, p.c.Tx)
			if _, err := p.tx.Stmt(p.g.write.end).Exec(r.closed, p.g.tag(&r), r.id); err != nil {
				return err
			}
		}
	}
	for _, r := range fresh {
		p.g.memory.touch(r.patient, p.c.Tx)
		if _, err := p.tx.Stmt(p.g.write.insert).Exec(r.patient, r.actor, r.kind, r.place, r.detail, r.since, r.until, r.known, r.closed,
			r.author, r.mine, r.confirmed, r.record, r.about, p.g.tag(&r)); err != nil {
			return err
		}
		if err := p.remember(r.actor, r.place); err != nil {
			return err
		}
	}
	return nil
}

// gains reports whether the author of the change might get access by e, and so has to wait for somebody else's act: it names her or
// a role of hers, or a department or place where she may work.
func (p *projection) gains(e edge) (bool, error) {
	switch {
	case p.c.AuthorActor == "" || e.kind == protection || e.kind == registered:
		return false, nil
	case e.patient == 0 || e.kind == deptOrder || e.kind == stay || e.actor == p.author:
		return true, nil
	case !e.role:
		return false, nil
	}
	if p.roles == nil {
		p.roles = map[int64]bool{}
		rows, err := p.rows(p.g.write.roles, p.author)
		if err != nil {
			return false, err
		}
		for _, r := range rows {
			p.roles[r.place] = true
		}
	}
	return p.roles[e.actor], nil
}

// confirmOthers takes this write as the act that confirms what somebody else said about the visit, order or task it refers to: vitals,
// a dispensing, a claim.
func (p *projection) confirmOthers() error {
	for ref := range p.acts() {
		waiting, err := p.rows(p.g.write.waiting, p.g.key(ref.String()), p.author)
		if err != nil {
			return err
		}
		for _, r := range waiting {
			if err := p.confirm(r); err != nil {
				return err
			}
		}
	}
	return nil
}
