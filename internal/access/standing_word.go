package access

import (
	"context"
	"strconv"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
)

// What those who look over people's rights need of the door: what people hold by words, what they did with what they hold, and whether somebody
// is with a patient now. None of it names a patient.

// StandingWords lists the words that run on after a moment, by whoever may more by them. Errors: outcome.Transient.
func (g *Gate) StandingWords(ctx context.Context, after time.Time) (map[string][]Word, error) {
	found, err := g.readWords(ctx, g.db.Reader(), `WHERE ended IS NULL AND until > ?`, after.UnixMicro())
	out := map[string][]Word{}
	for _, w := range found {
		out[w.Person] = append(out[w.Person], w)
	}
	return out, err
}

// TakeWord ends a word because somebody who answers for its holder, or the clock, says so: the entry first. The caller has asked whether that
// is allowed. It reports whether the word still ran. Errors: outcome.NoStore, outcome.Transient.
func (g *Gate) TakeWord(ctx context.Context, by audit.Agent, id int64) (bool, error) {
	found, err := g.readWords(ctx, g.db.Reader(), `WHERE id = ? AND ended IS NULL AND until > ?`, id, g.now().UnixMicro())
	if err != nil || len(found) == 0 {
		return false, err
	}
	w := found[0]
	e := audit.Event{Kind: audit.People, Agent: by, Interaction: wordEnded, Action: "E", Class: audit.Machine, Purpose: "HOPERAT", PolicyHash: g.policy.Hash(),
		Text: endsWord + w.Entry + " ends: " + w.line()}
	if by.Person != "" {
		e.Class = audit.Deliberate
	}
	if w.Patient != 0 {
		c, err := g.chartNumber(ctx, w.Patient)
		if err != nil {
			return false, err
		}
		e.Patients = []audit.PatientPart{{Patient: c.number, Ref: "Patient/" + c.id, Template: "word.end", Sentence: "took back what let a colleague see your chart"}}
	}
	if _, err := g.log.Note(ctx, e); err != nil {
		return false, err
	}
	n, err := g.end(ctx, by.Person, `id = `+strconv.FormatInt(id, 10))
	return n > 0, err
}

// WithPatients reports whether a person is on shift, holds a grant of the glass, or is signed in and in contact with a patient: then nothing
// that she reads or writes by is taken from her by the clock. Errors: outcome.NoStore, outcome.Transient.
func (g *Gate) WithPatients(ctx context.Context, person identity.Person) (bool, error) {
	at, err := g.AtWork(ctx, person)
	if err != nil || at {
		return at, err
	}
	now := g.now()
	granted, err := g.granted(ctx, person, now)
	if err != nil || len(granted) > 0 {
		return len(granted) > 0, err
	}
	sessions, err := g.persons.Sessions(ctx, person.ID)
	if err != nil || len(sessions) == 0 {
		return false, err
	}
	actor, err := g.actor(ctx, person)
	if err != nil {
		return false, err
	}
	related, err := g.care.RelateAll(ctx, actor, now)
	if err != nil {
		return false, err
	}
	around, err := g.care.Patients(ctx, actor, now)
	if err != nil {
		return false, err
	}
	for _, one := range around {
		if related.Of(one.Patient).Facts.OpenContact {
			return true, nil
		}
	}
	return false, nil
}

// Use is what one person did within a time, as the tables have it that a follower of the log keeps.
type Use struct {
	Openings int // of charts
	Glass    int // grants of the glass
}

// Uses tells who opened charts and who broke the glass since a moment, by person. whole is false where openings were not counted for so long,
// or are not counted of people without a department: then none means nothing. Errors: outcome.Transient.
func (g *Gate) Uses(ctx context.Context, since time.Time) (uses map[string]Use, whole bool, err error) {
	if err := g.catchUp(ctx); err != nil {
		return nil, false, err
	}
	uses = map[string]Use{}
	each := func(query string, arg any, take func(*Use, int64)) error {
		rows, err := g.db.Reader().QueryContext(ctx, query, arg)
		if err != nil {
			return unreadableUses(err)
		}
		defer rows.Close()
		for rows.Next() {
			var person string
			var n int64
			if err := rows.Scan(&person, &n); err != nil {
				return unreadableUses(err)
			}
			u := uses[person]
			take(&u, n)
			uses[person] = u
		}
		return unreadableUses(rows.Err())
	}
	if err := each(`SELECT person, CAST(sum(openings) AS BIGINT) FROM access_work WHERE week >= ? GROUP BY person`, g.weekOf(since), func(u *Use, n int64) { u.Openings = int(n) }); err != nil {
		return nil, false, err
	}
	if err := each(`SELECT person, count(*) FROM access_grant WHERE opened >= ? GROUP BY person`, since.UnixMicro(), func(u *Use, n int64) { u.Glass = int(n) }); err != nil {
		return nil, false, err
	}
	var first int64
	err = g.db.Reader().QueryRowContext(ctx, `SELECT coalesce(min(week), 0) FROM access_work`).Scan(&first)
	return uses, first > 0 && first <= g.weekOf(since), unreadableUses(err)
}

func unreadableUses(err error) error {
	if err == nil {
		return nil
	}
	return outcome.Wrap("access: uses", outcome.Transient, "what people did with their rights could not be read, please try again", err)
}
