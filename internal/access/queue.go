package access

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// What no later fact closed waits for one privacy officer by name, in turn: nobody's review is nobody's work.

const (
	ownLook = time.Hour      // how long later facts may close a review before an officer gets it
	absent  = 24 * time.Hour // an officer who has not signed in for so long since she got a review is away: the next one gets it
	mostDue = 200            // reviews given out in one go, the oldest first
)

// assign gives each open review that has waited an hour to an officer: to who got one longest ago, of those on shift if any is, never to the
// person herself or anybody of her circle or the patient's. In a practice with an outside reviewer she gets those of its officers, and what
// everybody else is too close to. What an officer who is away has not looked at within a day goes to the next.
// A question of the patient is given out at once. Each time is an entry. What cannot be given out stays with everybody.
func (g *Gate) assign(ctx context.Context) error {
	now := g.now()
	page := func(first time.Time, id int64) ([]Review, error) {
		return g.reviews(ctx, `WHERE `+inQueue+` AND verdict IS NULL AND (kind = 'question' OR last_at <= ?) AND (owner = '' OR given <= ?) AND (first_at > ? OR first_at = ? AND id > ?) ORDER BY first_at, id LIMIT ?`,
			now.Add(-ownLook).UnixMicro(), now.Add(-absent).UnixMicro(), first.UnixMicro(), first.UnixMicro(), id, mostDue)
	}
	open, err := page(time.UnixMicro(0), 0)
	if err != nil || len(open) == 0 {
		return err
	}
	active, err := g.officers(ctx)
	if err != nil {
		return err
	}
	reviewer, outside, err := g.outsideReviewer(ctx, active)
	if err != nil {
		return err
	}
	officers, err := g.onShift(ctx, slices.DeleteFunc(slices.Clone(active), func(o identity.Person) bool { return outside && o.ID == reviewer.ID }))
	if err != nil {
		return err
	}
	turn, err := g.turnsTaken(ctx)
	if err != nil {
		return err
	}
	looks := looks{g: g, here: map[string]time.Time{}, away: map[string]time.Time{}}
	for given := 0; len(open) > 0; {
		for _, r := range open {
			// Whoever is off shift is no less hers to look: her review keeps its day, else being late would never show.
			if r.Owner != "" && slices.ContainsFunc(active, func(o identity.Person) bool { return o.ID == r.Owner }) {
				if away, err := looks.none(ctx, r.Owner, r.Given); err != nil || !away {
					if err != nil {
						return err
					}
					continue
				}
			}
			next, err := g.next(ctx, r, officers, turn)
			if err == nil && outside && (next == "" || g.governs(ctx, r.Person)) {
				next, err = g.next(ctx, r, []identity.Person{reviewer}, turn)
			}
			if err != nil {
				return err
			}
			if next == "" || next == r.Owner {
				continue
			}
			won, err := g.give(ctx, r, next, g.nextWorkingDay(now))
			if err != nil {
				return err
			}
			if !won {
				continue // another node gave it out, or it was decided
			}
			if _, err := g.log.Note(ctx, audit.Event{Kind: audit.Casework, Interaction: "review-given", Action: "E", Agent: audit.Agent{Job: "reviews"},
				PolicyHash: g.policy.Hash(), Text: fmt.Sprintf("review %d to person %s", r.ID, next)}); err != nil {
				r.Owner, next, r.Given = next, r.Owner, now
				_, _ = g.give(ctx, r, next, r.Due) // what no entry says did not happen: the next round gives it out
				return err
			}
			turn[next] = now.UnixMicro()
			if given++; given == mostDue {
				return nil // the next round goes on
			}
		}
		// Those that stay where they are must not hide the ones behind them.
		last := open[len(open)-1]
		if open, err = page(last.First, last.ID); err != nil {
			return err
		}
	}
	return nil
}

// looks remembers whether officers signed in since a moment, so that not every review asks: who did not since then did not since later.
type looks struct {
	g          *Gate
	here, away map[string]time.Time // the latest moment since which somebody did, the earliest since which she did not
}

// none reports whether an officer has not signed in since then.
func (l looks) none(ctx context.Context, officer string, since time.Time) (bool, error) {
	if at, ok := l.here[officer]; ok && !since.After(at) {
		return false, nil
	}
	if at, ok := l.away[officer]; ok && !since.Before(at) {
		return true, nil
	}
	unused, err := l.g.persons.Unused(ctx, since)
	if err != nil {
		return false, err
	}
	away := slices.ContainsFunc(unused, func(o identity.Person) bool { return o.ID == officer })
	if away {
		l.away[officer] = since
	} else {
		l.here[officer] = since
	}
	return away, nil
}

// officers are the active privacy officers.
func (g *Gate) officers(ctx context.Context) ([]identity.Person, error) {
	people, err := g.persons.People(ctx)
	return slices.DeleteFunc(people, func(o identity.Person) bool { return !o.Active || !slices.Contains(o.Roles, identity.Privacy) }), err
}

// onShift are those of some officers who are at work now, or all of them where nobody is.
func (g *Gate) onShift(ctx context.Context, officers []identity.Person) (on []identity.Person, err error) {
	for _, o := range officers {
		at, err := g.AtWork(ctx, o)
		if err != nil {
			return nil, err
		}
		if at {
			on = append(on, o)
		}
	}
	if len(on) == 0 {
		return officers, nil
	}
	return on, nil
}

// next is who gets a review; empty where everybody is too close to it.
func (g *Gate) next(ctx context.Context, r Review, officers []identity.Person, turn map[string]int64) (string, error) {
	person, err := g.persons.Person(ctx, r.Person)
	if err != nil && !outcome.Is(err, outcome.NotFound) {
		return "", err
	}
	person.ID = r.Person
	officers = slices.Clone(officers)
	slices.SortStableFunc(officers, func(a, b identity.Person) int {
		return cmp.Or(cmp.Compare(turn[a.ID], turn[b.ID]), cmp.Compare(a.ID, b.ID))
	})
	for _, o := range officers {
		if o.ID == r.Owner {
			continue
		}
		how, err := g.Acquainted(ctx, o, person, []string{r.PatientID})
		if err != nil {
			return "", err
		}
		if how == "" {
			return o.ID, nil
		}
	}
	return "", nil
}

// turnsTaken is when each officer last got a review.
func (g *Gate) turnsTaken(ctx context.Context) (map[string]int64, error) {
	rows, err := g.db.Reader().QueryContext(ctx, `SELECT owner, max(given) FROM access_review WHERE owner != '' GROUP BY owner`)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	out := map[string]int64{}
	for rows.Next() {
		var owner string
		var at int64
		if err := rows.Scan(&owner, &at); err != nil {
			return nil, unreadable(err)
		}
		out[owner] = at
	}
	return out, rows.Err()
}

// give gives a review that is open, and still whose it was when it was read, to an officer; false where it is not.
func (g *Gate) give(ctx context.Context, r Review, officer string, due time.Time) (won bool, err error) {
	now, day := g.now().UnixMicro(), int64(0)
	if !due.IsZero() {
		day = due.UnixMicro()
	}
	err = g.db.Write(ctx, func(tx *sql.Tx) error {
		done, err := tx.Exec(`UPDATE access_review SET owner = ?, given = ?, due = ? WHERE id = ? AND verdict IS NULL AND owner = ?`, officer, now, day, r.ID, r.Owner)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		won = n == 1
		return err
	})
	return won, err
}

// nextWorkingDay is the same hour of the next day that is no Saturday or Sunday at the site.
func (g *Gate) nextWorkingDay(t time.Time) time.Time {
	t = t.In(g.zone).AddDate(0, 0, 1)
	for t.Weekday() == time.Saturday || t.Weekday() == time.Sunday {
		t = t.AddDate(0, 0, 1)
	}
	return t
}

// PassOn gives an open review to another officer, with a reason. Whoever reviews may do so; also to herself.
// Errors: outcome.Required, outcome.Forbidden, outcome.NotFound; outcome.Conflict for one that is decided; outcome.Value for somebody who is no active privacy officer, or too
// close to the person or the patient.
func (g *Gate) PassOn(ctx context.Context, p Principal, id int64, to, text string) error {
	if text = strings.TrimSpace(text); text == "" {
		return outcome.New(outcome.Required, "say in a sentence why somebody else is to look").At("text")
	}
	s, d, err := g.May(ctx, p, policy.GlassReview)
	if err != nil {
		return err
	}
	found, err := g.reviews(ctx, `WHERE id = ?`, id)
	if err != nil || len(found) == 0 {
		return notFoundOr(err, "there is no such review")
	}
	r := found[0]
	switch {
	case r.Person == s.who.ID:
		return outcome.New(outcome.Forbidden, "nobody reviews the own accesses: a colleague does").Because("two-people")
	case r.Verdict != "":
		return outcome.New(outcome.Conflict, "this review is decided")
	}
	next, err := g.persons.Person(ctx, to)
	if err != nil && !outcome.Is(err, outcome.NotFound) {
		return err
	}
	if !next.Active || !slices.Contains(next.Roles, identity.Privacy) {
		return outcome.New(outcome.Value, "choose a privacy officer who is active").At("to")
	}
	free := r
	free.Owner = ""
	who, err := g.next(ctx, free, []identity.Person{next}, nil)
	if err != nil {
		return err
	}
	if who == "" {
		return outcome.New(outcome.Value, "this officer is too close to the person or the patient: choose another").At("to")
	}
	c, err := g.chartByID(ctx, r.PatientID)
	if err != nil {
		return err
	}
	e := s.event("review-passed", "E")
	e.Kind, e.PolicyHash, e.Text = audit.Casework, d.Hash, "to "+next.Name+": "+text
	e.Patients = []audit.PatientPart{{Patient: c.number, Ref: "Patient/" + c.id, Template: "review", Sentence: watched, Details: details{Review: id}.text()}}
	if _, err := g.log.Note(ctx, e); err != nil {
		return err
	}
	due := r.Due // whoever looks, it is late on the same day
	if r.Owner == "" {
		due = g.nextWorkingDay(g.now())
	}
	won, err := g.give(ctx, r, next.ID, due)
	if err == nil && !won {
		err = outcome.New(outcome.Conflict, "this review was decided or passed on meanwhile: look at it again")
	}
	return err
}

// ReviewsOverdue counts the open reviews whose officer should have looked by now, and gives when the newest of them was due. It is a count,
// for who tells the office, and no reading of the log. Errors: outcome.Transient.
func (g *Gate) ReviewsOverdue(ctx context.Context) (n int, newest time.Time, err error) {
	var at int64
	if err := g.db.Reader().QueryRowContext(ctx, `SELECT count(*), coalesce(max(due), 0) FROM access_review WHERE `+inQueue+` AND verdict IS NULL AND due > 0 AND due < ?`,
		g.now().UnixMicro()).Scan(&n, &at); err != nil {
		return 0, time.Time{}, unreadable(err)
	}
	return n, time.UnixMicro(at), nil
}
