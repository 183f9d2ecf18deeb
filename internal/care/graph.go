// Package care keeps who is related to which patient, and why: care teams, encounters, appointments, orders, tasks, shifts and units,
// as a projection of the FHIR resources that say so.
//
// [Graph.Project] runs inside the transaction that writes a resource. [Graph.Relate] collapses everything known about one person and
// one patient into the few facts that policy asks for, each with the edge that made it true and a sentence from a fixed, reviewed
// vocabulary (docs/formats/explanations.md):
//
//	g, err := care.Open(ctx, recordsDB, ring.Box("care"), care.Options{Zone: zone})
//	rel, err := g.Relate(ctx, care.Actor{Person: id, Practitioner: "Practitioner/x"}, patient, now)
//	if len(rel.Evidence) > 0 {
//		fmt.Println(rel.Evidence[0].Sentence()) // You are the attending physician for an encounter in progress since 08:10.
//	}
//
// Edges are bitemporal: each says when it is true and when that was known. An edge by which its own author would gain carries no
// weight until somebody else's act confirms it, except on a chart that she registered as new.
package care

import (
	"context"
	"database/sql"
	"embed"
	"encoding/binary"
	"io/fs"
	"math"
	"regexp"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"
)

//go:embed migrations
var embedded embed.FS

// Options open a [Graph].
type Options struct {
	Now      func() time.Time              // time.Now when nil
	Zone     *time.Location                // of dates without a time, and of sentences; UTC when nil
	Base     string                        // the server's own FHIR base URL; references below it are local
	Practice func() bool                   // whether this site declared itself a practice (decision 16); never when nil
	Altered  func(table string, row int64) // told of each row that this program did not write, each time it is met; may be nil
}

// Graph is the relationships of one installation. All methods are safe for concurrent use.
type Graph struct {
	d     *db.DB
	box   *seal.Box
	tags  *seal.Rows
	o     Options
	names names
	read  readers
	write writers

	memory memory
}

// Actor is a person as relationships know her. Person is her id, Practitioner the reference of her Practitioner resource or "",
// Patient her own chart or 0.
type Actor struct {
	Person       string
	Practitioner string
	Patient      fhir.PatientID
	Words        []Word // what colleagues said to her; those that are over may be among them
}

type readers struct{ workforce, together, relation, everyone, seen, panel, mine, team, holders, named, stays, booked *sql.Stmt }

type writers struct{ current, insert, end, confirm, waiting, roles, name *sql.Stmt }

// Open brings the tables in d (records.db) up to date and makes the graph ready.
// Errors: as [db.Migrate] and [seal.Box.Key]; outcome.NoStore when the file cannot be read.
func Open(ctx context.Context, d *db.DB, box *seal.Box, o Options) (*Graph, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Practice == nil {
		o.Practice = func() bool { return false }
	}
	files, err := fs.Sub(embedded, "migrations")
	if err != nil {
		return nil, outcome.Wrap("care: open", outcome.Exception, "the migrations are missing", err)
	}
	if err := db.Migrate(ctx, d, "care", files); err != nil {
		return nil, err
	}
	if o.Altered == nil {
		o.Altered = func(string, int64) {}
	}
	g := &Graph{d: d, box: box, tags: box.Rows(table), o: o}
	if g.names.key, err = box.Key(ctx, 0, "name"); err != nil {
		return nil, err
	}
	return g, g.prepare(ctx)
}

// listed writes how a list of numbers, a JSON array, becomes rows on this engine.
func (g *Graph) listed(query string) string {
	if g.d.Engine() == db.SQLite {
		return query
	}
	return jsonEach.ReplaceAllString(query, `select cast(value as bigint) from json_array_elements_text(cast($1 as json)) as each(value)`)
}

var jsonEach = regexp.MustCompile(`select value from json_each\((\?\d)\)`)

func (g *Graph) prepare(ctx context.Context) error {
	for query, into := range map[string]**sql.Stmt{
		workforceQuery: &g.read.workforce, togetherQuery: &g.read.together, relationQuery: &g.read.relation, everyoneQuery: &g.read.everyone, seenQuery: &g.read.seen, panelQuery: &g.read.panel, mineQuery: &g.read.mine,
		teamQuery: &g.read.team, holdersQuery: &g.read.holders, namedQuery: &g.read.named,
		staysQuery: &g.read.stays, bookedQuery: &g.read.booked,
	} {
		s, err := g.d.Reader().PrepareContext(ctx, g.listed(query))
		if err != nil {
			return unreadable("care: open", err)
		}
		*into = s
	}
	for query, into := range map[string]**sql.Stmt{
		currentQuery: &g.write.current, insertEdge: &g.write.insert, endEdge: &g.write.end, confirmEdge: &g.write.confirm,
		waitingQuery: &g.write.waiting, rolesQuery: &g.write.roles, insertName: &g.write.name,
	} {
		s, err := g.d.Statement(ctx, query)
		if err != nil {
			return unreadable("care: open", err)
		}
		*into = s
	}
	return nil
}

// key is the keyed name under which a person, role, place or resource stands in the tables: never 0, never telling who it is.
func (g *Graph) key(ref string) int64 {
	sum := g.box.PRF("edge", []byte(ref))
	return int64(binary.BigEndian.Uint64(sum[:8])>>1) | 1
}

func (g *Graph) personKey(person string) int64 { return g.key("person " + person) }

// Bounds of what has no bound. They leave room for windows to be added.
const (
	always = int64(math.MinInt64 / 4)
	never  = int64(math.MaxInt64 / 4)
)

// instant is a moment as a caller wants it: zero for no bound.
func instant(ms int64) time.Time {
	if ms <= always || ms >= never {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

func unreadable(op string, err error) error {
	return outcome.Wrap(op, outcome.NoStore, "the relationships cannot be read", err)
}
