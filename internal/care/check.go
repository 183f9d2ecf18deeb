package care

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"

	"chartwarden/internal/fhir"
)

// Check verifies the relationships: the tag of each row, and that what is known now is what the current records say. Make one with
// [Graph.Check]; it is for one run and one goroutine. A row that is not to be trusted is reported by table and number, never by name.
type Check struct {
	g     *Graph
	fault func(table string, row int64, what string)
	loose bool
	prior map[fhir.RecordID][]row
	first map[kind]int64 // when the first row of a younger kind became known
}

// Check begins a verification. With loose, absolute references in a record may be local ones whose base is not known here: then a
// relationship that such a record does not seem to tell is left alone.
func (g *Graph) Check(loose bool, fault func(table string, row int64, what string)) *Check {
	return &Check{g: g, fault: fault, loose: loose, first: map[kind]int64{}}
}

// Tags checks the tag of every row. Errors: outcome.NoStore.
func (c *Check) Tags(ctx context.Context) error {
	rows, err := c.g.d.Reader().QueryContext(ctx, `select `+edgeColumns+` from care_edge`)
	if err != nil {
		return unreadable("care: check", err)
	}
	defer rows.Close()
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return unreadable("care: check", err)
		}
		if !c.g.genuine(&r) {
			c.fault(table, r.id, "was not written by this server, or was changed")
		} else if first, ok := c.first[r.kind]; !ok || r.known < first {
			c.first[r.kind] = r.known
		}
	}
	if err := rows.Err(); err != nil {
		return unreadable("care: check", err)
	}
	return nil
}

// Page begins a run of records, those after one number up to another: it reads what is known now by them, in the transaction in which
// the caller reads the records. Errors: outcome.NoStore.
func (c *Check) Page(ctx context.Context, tx *sql.Tx, after, last fhir.RecordID) error {
	c.prior = map[fhir.RecordID][]row{}
	rows, err := tx.QueryContext(ctx, `select `+edgeColumns+` from care_edge where record>? and record<=? and `+stillKnown, after, last)
	if err != nil {
		return unreadable("care: check", err)
	}
	defer rows.Close()
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return unreadable("care: check", err)
		}
		if c.g.genuine(&r) { // the others are named already
			c.prior[r.record] = append(c.prior[r.record], r)
		}
	}
	if err := rows.Err(); err != nil {
		return unreadable("care: check", err)
	}
	return nil
}

// Record compares what the current version of one record says, which is not deleted, with what is known by it.
func (c *Check) Record(ch Change) {
	read, tells := tellers[ch.Doc.Type()]
	if !tells {
		return
	}
	p := &projection{g: c.g, c: ch, known: ch.KnownAt.UnixMilli(), about: c.g.key(ch.Doc.Type() + "/" + ch.Doc.ID()), prior: c.prior[ch.Record]}
	delete(c.prior, ch.Record)
	for _, r := range p.prior { // versions before wrote down the moment of a commit twice, a little apart
		if d := r.known - p.known; d > 0 && d < 10_000 {
			p.known = r.known
		}
	}
	read(p)
	left := slices.Clone(p.prior)
	said := map[edge]bool{}
	for _, e := range p.want {
		e.role = false
		if said[e] {
			continue
		}
		said[e] = true
		if at := nearest(left, e); at >= 0 {
			left = slices.Delete(left, at, at+1)
		} else if !p.borderline(e) && c.expects(e.kind, p.known) {
			c.fault(table, 0, fmt.Sprintf("lacks a relationship that record %d tells", ch.Record))
		}
	}
	for _, r := range left {
		if !p.borderline(r.edge) && !(c.loose && absolute(ch)) {
			c.fault(table, r.id, fmt.Sprintf("is a relationship that its record %d does not tell, or no more", ch.Record))
		}
	}
}

// Erased leaves alone what is known by a record that nobody can read any more.
func (c *Check) Erased(record fhir.RecordID) { delete(c.prior, record) }

// Tells reports whether resources of a type say who is related.
func Tells(typ string) bool { return tellers[typ] != nil }

// younger are the kinds that the first versions of this program did not tell: a record that was written then has none.
var younger = map[kind]bool{visited: true}

// expects reports whether a record that was written at a moment was read for edges of a kind.
func (c *Check) expects(k kind, at int64) bool {
	first, ok := c.first[k]
	return !younger[k] || ok && first <= at
}

// zones is how far the same words may be apart in milliseconds where another time zone reads them.
const zones = 26 * hour

// nearest is the row about the same parties as e at about the same time; -1 for none.
func nearest(rows []row, e edge) int {
	best, distance := -1, int64(math.MaxInt64)
	for i, r := range rows {
		d := max(apart(r.since, e.since), apart(r.until, e.until))
		if r.ends() == e.ends() && r.detail == e.detail && d <= zones && d < distance {
			best, distance = i, d
		}
	}
	return best
}

func apart(a, b int64) int64 {
	if a > b {
		return a - b
	}
	return b - a
}

// borderline reports whether e ends so near to what is not kept any more that another time zone decides otherwise.
func (p *projection) borderline(e edge) bool {
	for _, kept := range []int64{after, recent, forgotten} {
		if apart(e.until, p.known-kept) <= zones {
			return true
		}
	}
	return false
}

func absolute(ch Change) bool {
	for n := range ch.Doc.Root().All() {
		if n.Name() == "reference" && len(n.Text()) > 4 && n.Text()[:4] == "http" {
			return true
		}
	}
	return false
}

// Close ends a run of records: what is known by a record that is not there, or is deleted, is known by nothing.
func (c *Check) Close() {
	for record, rows := range c.prior {
		for _, r := range rows {
			c.fault(table, r.id, fmt.Sprintf("is a relationship by record %d, which is deleted or not there", record))
		}
	}
	c.prior = nil
}
