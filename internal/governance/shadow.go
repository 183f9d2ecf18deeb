package governance

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// besideRow says that a candidate decides beside the rules in force, until ended. The newest alone counts.
type besideRow struct {
	number       int64
	hash         string
	since, ended int64
	asked        string
	mac          []byte
}

func (r *besideRow) tagged() []any { return []any{r.number, r.hash, r.since, r.ended, r.asked} }

// tallyRow is what a candidate found on one node.
type tallyRow struct {
	beside int64
	node   string
	at     int64
	body   []byte
	mac    []byte
}

func (r *tallyRow) tagged() []any { return []any{r.beside, r.node, r.at, r.body} }

const (
	selectBeside = `SELECT number, hash, since, ended, asked, mac FROM policy_beside `
	selectTally  = `SELECT beside, node, at, body, mac FROM policy_tally `
)

func (r *besideRow) scan(from interface{ Scan(...any) error }) error {
	return from.Scan(&r.number, &r.hash, &r.since, &r.ended, &r.asked, &r.mac)
}

func (r *tallyRow) scan(from interface{ Scan(...any) error }) error {
	return from.Scan(&r.beside, &r.node, &r.at, &r.body, &r.mac)
}

// beside is the candidate that this node runs.
type beside struct {
	number int64 // of its row
	shadow *policy.Shadow
	stop   context.CancelFunc
	saved  time.Time
}

// Accompany lets the text of a proposal decide beside the rules in force, on every node within a second and over restarts, until another one
// takes its place, or [Rules.Alone]. It changes no decision and holds up none. Errors: outcome.Forbidden; outcome.Invalid for a text that does
// not load.
func (g *Rules) Accompany(ctx context.Context, who access.Principal, id string) error {
	if err := g.may(ctx, who, policy.PolicyPropose); err != nil {
		return err
	}
	p, err := g.Proposal(ctx, who, id)
	if err != nil {
		return err
	}
	if _, err := policy.Load(p.Bundle); err != nil {
		return err
	}
	hash, err := g.keep(ctx, p.Bundle, p.Author)
	if err != nil {
		return err
	}
	return g.changeBeside(ctx, &besideRow{hash: hash, since: g.now().UnixMicro(), asked: idOf(who)})
}

// Alone ends the deciding beside. Errors: outcome.Forbidden.
func (g *Rules) Alone(ctx context.Context, who access.Principal) error {
	if err := g.may(ctx, who, policy.PolicyPropose); err != nil {
		return err
	}
	return g.changeBeside(ctx, nil)
}

// changeBeside ends the candidate that decides beside, and begins another where one is given.
func (g *Rules) changeBeside(ctx context.Context, next *besideRow) error {
	now := g.now().UnixMicro()
	err := g.o.DB.Write(ctx, func(tx *sql.Tx) error {
		var r besideRow
		switch err := r.scan(tx.QueryRow(selectBeside + `ORDER BY number DESC LIMIT 1`)); {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return err
		case r.ended == 0 && g.tags.beside.Holds(r.mac, r.tagged()...):
			r.ended = now
			if _, err := tx.Exec(`UPDATE policy_beside SET ended = ?, mac = ? WHERE number = ?`, r.ended, g.tags.beside.Tag(r.tagged()...), r.number); err != nil {
				return err
			}
		}
		if next == nil {
			return nil
		}
		if err := tx.QueryRow(`INSERT INTO policy_beside (hash, since, ended, asked, mac) VALUES (?,?,0,?,?) RETURNING number`, next.hash, next.since, next.asked, []byte{}).Scan(&next.number); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE policy_beside SET mac = ? WHERE number = ?`, g.tags.beside.Tag(next.tagged()...), next.number)
		return err
	})
	if err != nil {
		return err
	}
	return g.followBeside(ctx)
}

// newestBeside is the row that counts; false where no candidate decides beside.
func (g *Rules) newestBeside(ctx context.Context) (r besideRow, runs bool, err error) {
	err = r.scan(g.o.DB.Reader().QueryRowContext(ctx, selectBeside+`ORDER BY number DESC LIMIT 1`))
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	if err != nil {
		return r, false, unreadable(err)
	}
	if !g.tags.beside.Holds(r.mac, r.tagged()...) {
		g.o.Altered(besideTable, r.number)
		return r, false, nil
	}
	return r, r.ended == 0, nil
}

// tallyEvery is how often a node writes down what its candidate found. A crash forgets so much.
const tallyEvery = 30 * time.Second

// followBeside starts and ends the candidate of this node as the newest row says, and writes down what it found.
func (g *Rules) followBeside(ctx context.Context) error {
	r, runs, err := g.newestBeside(ctx)
	if err != nil {
		return err
	}
	g.besideMu.Lock()
	defer g.besideMu.Unlock()
	if b := g.beside; b != nil && (!runs || b.number != r.number) {
		g.leave(ctx)
	} else if b != nil && g.now().Sub(b.saved) >= tallyEvery {
		if err := g.saveTally(ctx); err != nil {
			return err
		}
	}
	if !runs || g.beside != nil || g.closed {
		return nil
	}
	kept, err := g.Bundle(ctx, r.hash)
	if err != nil {
		return err
	}
	set, err := policy.Load(kept.Bundle)
	if err != nil {
		return err
	}
	shadow := policy.NewShadow(set)
	tallies, err := g.tallies(ctx, r.number)
	if err != nil {
		return err
	}
	shadow.Resume(tallies[g.node()])
	running, stop := context.WithCancel(context.Background())
	g.beside = &beside{number: r.number, shadow: shadow, stop: stop, saved: g.now()}
	g.o.Enforced.Accompany(shadow)
	go shadow.Run(running)
	return nil
}

// leave ends the candidate of this node. What it found is kept; where that cannot be written the newest half minute of it is lost.
func (g *Rules) leave(ctx context.Context) {
	g.o.Enforced.Accompany(nil)
	g.beside.stop()
	if err := g.saveTally(ctx); err != nil {
		g.o.Logger.Warn("what the rules beside found last was not kept", "error", err)
	}
	g.beside = nil
}

func (g *Rules) node() string { return g.o.Log.State().Origin }

func (g *Rules) saveTally(ctx context.Context) error {
	body, err := json.Marshal(g.beside.shadow.Tally())
	if err != nil {
		return err
	}
	g.beside.saved = g.now()
	r := tallyRow{beside: g.beside.number, node: g.node(), at: g.beside.saved.UnixMicro(), body: body}
	return g.o.DB.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO policy_tally (beside, node, at, body, mac) VALUES (?,?,?,?,?)
			ON CONFLICT (beside, node) DO UPDATE SET at = excluded.at, body = excluded.body, mac = excluded.mac`, append(r.tagged(), g.tags.tally.Tag(r.tagged()...))...)
		return err
	})
}

// tallies are what a candidate found, by node.
func (g *Rules) tallies(ctx context.Context, number int64) (map[string]policy.Tally, error) {
	rows, err := g.o.DB.Reader().QueryContext(ctx, selectTally+`WHERE beside = ?`, number)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	out := map[string]policy.Tally{}
	for rows.Next() {
		var r tallyRow
		if err := r.scan(rows); err != nil {
			return nil, unreadable(err)
		}
		if !g.tags.tally.Holds(r.mac, r.tagged()...) {
			g.o.Altered(tallyTable, rowNumber(r.node))
			continue
		}
		var t policy.Tally
		if err := json.Unmarshal(r.body, &t); err != nil {
			return nil, unreadable(err)
		}
		out[r.node] = t
	}
	return out, rows.Err()
}

// Beside is what the candidate that decides beside found so far on all nodes, and its hash; of other nodes up to half a minute ago.
// Errors: outcome.Forbidden; outcome.NotFound when there is none.
func (g *Rules) Beside(ctx context.Context, who access.Principal) (hash string, t policy.Tally, err error) {
	if err := g.may(ctx, who, policy.PolicyRead); err != nil {
		return "", t, err
	}
	if err := g.followBeside(ctx); err != nil {
		return "", t, err
	}
	r, runs, err := g.newestBeside(ctx)
	if err != nil {
		return "", t, err
	}
	if !runs {
		return "", t, outcome.New(outcome.NotFound, "no candidate decides beside the rules in force")
	}
	found, err := g.tallies(ctx, r.number)
	if err != nil {
		return "", t, err
	}
	g.besideMu.Lock()
	if b := g.beside; b != nil && b.number == r.number {
		found[g.node()] = b.shadow.Tally()
	}
	g.besideMu.Unlock()
	counts := map[policy.Difference]int64{}
	for _, one := range found {
		t.Judged, t.Missed, t.Beyond = t.Judged+one.Judged, t.Missed+one.Missed, t.Beyond+one.Beyond
		for _, d := range one.Differences {
			counts[d.Difference] += d.Count
		}
	}
	for d, n := range counts {
		t.Differences = append(t.Differences, policy.Differing{Difference: d, Count: n})
	}
	slices.SortFunc(t.Differences, func(a, b policy.Differing) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Person, b.Person), cmp.Compare(a.Action, b.Action), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Rule, b.Rule))
	})
	return r.hash, t, nil
}

// Close ends what runs beside and in the background, on this node.
func (g *Rules) Close() error {
	g.stop()
	g.background.Wait()
	g.besideMu.Lock()
	defer g.besideMu.Unlock()
	g.closed = true
	if g.beside != nil {
		g.leave(context.Background())
	}
	return nil
}
