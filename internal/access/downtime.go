package access

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// When what people work with beside this server is down, nobody has the minute for a reason at each chart. Two people then declare a
// downtime: for at most twelve hours those who treat open closed charts by it, each opening is marked and listed, and some of them, drawn by
// lot, are looked at afterwards (docs/adr/0200).

// Downtime is one that two people declared.
type Downtime struct {
	ID      int64
	Item    string // the request
	Asked   string // id of who declared it
	Agreed  string // id of the second person
	Since   time.Time
	Until   time.Time
	Entry   string
	EndedBy string // id of who ended it early; empty for nobody
	Drawn   bool   // the openings to look at were drawn

	ended sql.NullInt64
}

const (
	downtimeTable = "access_downtime"
	downtimeCode  = "downtime" // reason of a grant
	downtimeLasts = 12 * time.Hour
	// Of the openings one in ten is looked at, and ten where there are so many.
	drawnShare = 10
	drawnLeast = 10
)

// The interactions of downtimes in entries.
const (
	downtimeBegins = "downtime-begin"
	downtimeEnds   = "downtime-end"
	downtimeDrawn  = "downtime-drawn"
)

// End is when it was over, or is to be.
func (d *Downtime) End() time.Time {
	if d.ended.Valid {
		return time.UnixMicro(d.ended.Int64)
	}
	return d.Until
}

// Runs reports whether it is in force at that time.
func (d *Downtime) Runs(at time.Time) bool { return !d.Since.After(at) && d.End().After(at) }

func (d *Downtime) columns() []any {
	return []any{d.Item, d.Asked, d.Agreed, d.Since.UnixMicro(), d.Until.UnixMicro(), d.Entry, d.ended, d.EndedBy}
}

// line is what the entry of a downtime says of it: enough to find out whether a row is what was said.
func (d *Downtime) line() string {
	return strings.Join([]string{d.Item, d.Asked, d.Agreed, d.Since.UTC().Format(time.RFC3339), d.Until.UTC().Format(time.RFC3339)}, " ")
}

// AskDowntime declares a downtime of the whole site for some hours, which begins when somebody else agrees to it.
// Errors: outcome.Forbidden, also for the command line, since nobody stands behind it; outcome.Required without a reason; outcome.Value
// for less than an hour or more than twelve; outcome.Conflict while one runs.
func (g *Gate) AskDowntime(ctx context.Context, p Principal, hours int, reason string) (Approval, error) {
	lasts := time.Duration(hours) * time.Hour
	if hours < 1 || lasts > downtimeLasts {
		return Approval{}, outcome.New(outcome.Value, "a downtime lasts from one hour to twelve").At("hours")
	}
	if _, _, err := g.May(ctx, p, policy.Approvals); err != nil {
		return Approval{}, err
	}
	if p.Session == nil {
		return Approval{}, outcome.New(outcome.Forbidden, "a person declares a downtime, and another agrees").Because("two-people")
	}
	running, err := g.Downtime(ctx)
	if err != nil {
		return Approval{}, err
	}
	if running != nil {
		return Approval{}, outcome.New(outcome.Conflict, "a downtime runs already: end it first, or wait until it ends")
	}
	return g.ask(ctx, p, DowntimeAct, "", fmt.Sprintf("declare a downtime of %d hours", hours), strings.TrimSpace(reason), actBody{Lasts: lasts})
}

// carryDowntime puts in force what two people wanted. It begins when the second agreed, so that a restart in between makes it no longer.
func (g *Gate) carryDowntime(ctx context.Context, it *identity.Pending) error {
	if it.AskedBy == "" || it.By == "" || it.AskedBy == it.By {
		return outcome.New(outcome.Invariant, "one person alone declares no downtime").Because("two-people")
	}
	known, err := g.readDowntimes(ctx, g.db.Reader(), `WHERE item = ?`, it.ID)
	if err != nil {
		return err
	}
	d := Downtime{Item: it.ID, Asked: it.AskedBy, Agreed: it.By, Since: it.Decided.Truncate(time.Microsecond)}
	d.Until = d.Since.Add(min(bodyOf(it).Lasts, downtimeLasts))
	if len(known) == 0 && d.Until.After(g.now()) {
		logged, err := g.log.Note(ctx, audit.Event{Kind: audit.Setting, Interaction: downtimeBegins, Action: "E", Agent: audit.Agent{Job: DowntimeAct}, Class: audit.Machine,
			Purpose: "HSYSADMIN", PolicyHash: g.policy.Hash(), Text: d.line()})
		if err != nil {
			return err
		}
		d.Entry = logged.Entry()
		if err := g.storeDowntime(ctx, &d); err != nil {
			return err
		}
	}
	return g.persons.Finish(ctx, audit.Agent{Job: DowntimeAct}, it.ID, wanted(it))
}

func (g *Gate) storeDowntime(ctx context.Context, d *Downtime) error {
	defer g.downtimes.change()()
	return g.db.Write(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRow(`INSERT INTO access_downtime (item, asked, agreed, since, until, entry, ended, ended_by, mac) VALUES (?,?,?,?,?,?,?,?,?) RETURNING id`,
			append(d.columns(), g.downtimeTags.Tag(d.columns()...))...).Scan(&d.ID)
		return unreadableDowntime(err)
	})
}

// EndDowntime ends the one that runs, by one person's act, within a second on each node. Errors: outcome.Forbidden; outcome.NotFound where
// none runs.
func (g *Gate) EndDowntime(ctx context.Context, p Principal) error {
	s, _, err := g.May(ctx, p, policy.Approvals)
	if err != nil {
		return err
	}
	d, err := g.Downtime(ctx)
	if err != nil {
		return err
	}
	if d == nil || p.Session == nil {
		return outcome.New(outcome.NotFound, "no downtime runs: perhaps somebody ended it")
	}
	e := s.event(downtimeEnds, "E")
	e.Kind, e.Purpose, e.PolicyHash, e.Text = audit.Setting, "HSYSADMIN", g.policy.Hash(), d.Entry
	if _, err := g.log.Note(ctx, e); err != nil {
		return err
	}
	defer g.downtimes.change()()
	return g.db.Write(ctx, func(tx *sql.Tx) error {
		found, err := g.readDowntimes(context.WithoutCancel(ctx), tx, `WHERE ended IS NULL AND id = ?`, d.ID)
		if err != nil || len(found) == 0 {
			return err
		}
		one := &found[0]
		one.ended, one.EndedBy = sql.NullInt64{Int64: s.at.UnixMicro(), Valid: true}, s.who.ID
		_, err = tx.Exec(`UPDATE access_downtime SET ended = ?, ended_by = ?, mac = ? WHERE id = ?`, one.ended, one.EndedBy, g.downtimeTags.Tag(one.columns()...), one.ID)
		return unreadableDowntime(err)
	})
}

// Downtime is the one that runs now; nil for none. What another node wrote counts within a second. It is told to everybody.
// Errors: outcome.Transient.
func (g *Gate) Downtime(ctx context.Context) (*Downtime, error) { return g.downtimeAt(ctx, g.now()) }

func (g *Gate) downtimeAt(ctx context.Context, at time.Time) (*Downtime, error) {
	held, err := g.downtimes.held("", at, func(from int64) ([]Downtime, error) {
		return g.readDowntimes(ctx, g.db.Reader(), `WHERE ended IS NULL AND until > ?`, from)
	})
	for i := range held {
		if held[i].Runs(at) {
			d := held[i]
			return &d, err
		}
	}
	return nil, err
}

// during reports whether a grant that was given by a downtime still stands on it.
func (g *Gate) during(ctx context.Context, o *Grant, at time.Time) (bool, error) {
	if o.Code != downtimeCode {
		return true, nil
	}
	d, err := g.downtimeAt(ctx, at)
	return d != nil && !d.Since.After(o.Opened), err
}

// Downtimes lists the newest twenty for those who may declare one. Errors: outcome.Forbidden.
func (g *Gate) Downtimes(ctx context.Context, p Principal) ([]Downtime, error) {
	if err := g.Permit(ctx, p, policy.Approvals); err != nil {
		return nil, err
	}
	all, err := g.readDowntimes(ctx, g.db.Reader(), "")
	slices.Reverse(all)
	return all[:min(len(all), 20)], err
}

// readDowntimes gives those that hold of what a condition finds, oldest first; the others raise the alarm. One that one person alone
// declared holds under no tag.
func (g *Gate) readDowntimes(ctx context.Context, q querier, where string, args ...any) (out []Downtime, err error) {
	rows, err := q.QueryContext(ctx, `SELECT id, item, asked, agreed, since, until, entry, ended, ended_by, mac, drawn FROM access_downtime `+where+` ORDER BY id`, args...)
	if err != nil {
		return nil, unreadableDowntime(err)
	}
	defer rows.Close()
	for rows.Next() {
		var d Downtime
		var since, until, drawn int64
		var mac []byte
		if err := rows.Scan(&d.ID, &d.Item, &d.Asked, &d.Agreed, &since, &until, &d.Entry, &d.ended, &d.EndedBy, &mac, &drawn); err != nil {
			return nil, unreadableDowntime(err)
		}
		d.Since, d.Until, d.Drawn = time.UnixMicro(since), time.UnixMicro(until), drawn != 0
		if d.Asked != "" && d.Agreed != "" && d.Asked != d.Agreed && g.downtimeTags.Holds(mac, d.columns()...) {
			out = append(out, d)
		} else {
			g.altered(downtimeTable, d.ID)
		}
	}
	return out, unreadableDowntime(rows.Err())
}

// DowntimeOpenings are what happened in a downtime: one for each person, patient and day, with those among them that were drawn.
type DowntimeOpenings struct {
	Downtime
	Reviews []Review // the newest 200
	Total   int
	Sampled int // that are looked at
	Entry   string
}

// OpenedIn lists the openings of a downtime for those who review the glass. Errors: outcome.Forbidden, outcome.NotFound.
func (g *Gate) OpenedIn(ctx context.Context, p Principal, id int64) (DowntimeOpenings, error) {
	logged, err := g.readLog(ctx, p, policy.GlassReview)
	if err != nil {
		return DowntimeOpenings{}, err
	}
	found, err := g.readDowntimes(ctx, g.db.Reader(), `WHERE id = ?`, id)
	if err != nil || len(found) == 0 {
		return DowntimeOpenings{}, notFoundOr(err, "there is no such downtime")
	}
	if err := g.catchUp(ctx); err != nil {
		return DowntimeOpenings{}, err
	}
	out := DowntimeOpenings{Downtime: found[0], Entry: logged.Entry()}
	within := []any{out.Since.UnixMicro(), out.End().UnixMicro()}
	if err := g.db.Reader().QueryRowContext(ctx, `SELECT count(*), coalesce(sum(CASE WHEN kind = 'sampled' THEN 1 ELSE 0 END), 0) FROM access_review WHERE `+inDowntime, within...).
		Scan(&out.Total, &out.Sampled); err != nil {
		return DowntimeOpenings{}, unreadable(err)
	}
	out.Reviews, err = g.reviews(ctx, `WHERE `+inDowntime+reviewOrder+` LIMIT 200`, within...)
	return out, err
}

// inDowntime finds the openings of one downtime, by when it began and ended.
const inDowntime = `kind IN ('downtime', 'sampled') AND last_at >= ? AND first_at <= ?`

// draw picks, of each downtime that is over, the openings to look at: by a lot under the row's key, which nobody can know before and
// which comes out the same however often it is drawn.
func (g *Gate) draw(ctx context.Context) error {
	over, err := g.readDowntimes(ctx, g.db.Reader(), `WHERE drawn = 0 AND (until <= ? OR ended IS NOT NULL)`, g.now().UnixMicro())
	if err != nil {
		return err
	}
	for _, d := range over {
		opened, err := g.reviews(ctx, `WHERE `+inDowntime+` AND kind = 'downtime'`, d.Since.UnixMicro(), d.End().UnixMicro())
		if err != nil {
			return err
		}
		lot := func(r Review) uint64 { return binary.BigEndian.Uint64(g.downtimeTags.Tag("lot", d.Entry, r.ID)) }
		slices.SortFunc(opened, func(a, b Review) int {
			if lot(a) < lot(b) {
				return -1
			}
			return 1
		})
		n := min(len(opened), max(drawnLeast, (len(opened)+drawnShare-1)/drawnShare))
		if n > 0 {
			if _, err := g.log.Note(ctx, audit.Event{Kind: audit.Casework, Interaction: downtimeDrawn, Action: "E", Agent: audit.Agent{Job: "reviews"}, PolicyHash: g.policy.Hash(),
				Text: fmt.Sprintf("%d of %d openings of the downtime of entry %s are looked at", n, len(opened), d.Entry)}); err != nil {
				return err
			}
		}
		if err := g.db.Write(ctx, func(tx *sql.Tx) error {
			for _, r := range opened[:n] {
				if _, err := tx.Exec(`UPDATE access_review SET kind = 'sampled' WHERE id = ? AND kind = 'downtime' AND NOT EXISTS (SELECT 1 FROM access_review o
					WHERE o.kind = 'sampled' AND o.person = access_review.person AND o.patient = access_review.patient AND o.day = access_review.day)`, r.ID); err != nil {
					return err
				}
			}
			_, err := tx.Exec(`UPDATE access_downtime SET drawn = ? WHERE id = ?`, g.now().UnixMicro(), d.ID)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

func unreadableDowntime(err error) error {
	if err == nil {
		return nil
	}
	return outcome.Wrap("access: downtime", outcome.Transient, "whether a downtime runs could not be read, please try again", err)
}
