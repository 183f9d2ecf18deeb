package access

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/care"
)

const (
	reconcilePause = time.Minute
	lateFact       = 72 * time.Hour // how long after an opening a fact may be written down and still explain it
	nearFact       = 24 * time.Hour // how long after an opening what it tells may begin
	reconcileReach = 30 * 24 * time.Hour
	reconcilePart  = 500 // reviews looked at in one go, the newest first
)

// noFact are the templates that say nothing which somebody else wrote down about this patient and this person.
var noFact = []string{"care.selfmade", "care.panel", "care.asked", "care.order.taken", "care.cover"}

// reconcile closes the open reviews that a later fact explains: a visit, a booking, an order, a task or a place on the care team that somebody
// else wrote down within 72 hours of the opening, and that had begun by a day after it. What the person entered herself closes nothing until
// another's act confirms it, since care gives such links no weight. Each closing is an entry that quotes the fact; whoever reviews may still
// answer otherwise. A question of the patient never closes by itself. What stays open is given to an officer. What cannot be looked up stays open, and keeps nobody from the list.
func (g *Gate) reconcile(ctx context.Context) {
	g.reconciling.Lock() // a page and the follower may both begin; one closes, the other finds it closed
	defer g.reconciling.Unlock()
	err := g.draw(ctx)
	open, failed := g.reviews(ctx, `WHERE kind IN ('glass', 'unexplained', 'sampled', 'panel') AND verdict IS NULL AND last_at > ?`+reviewOrder+` LIMIT ?`,
		g.now().Add(-reconcileReach).UnixMicro(), reconcilePart)
	err = cmp.Or(err, failed)
	for _, r := range open {
		fact, failed := g.laterFact(ctx, r)
		if failed == nil && fact != "" {
			failed = g.closeByFact(ctx, r, fact)
		}
		err = cmp.Or(err, failed)
	}
	err = cmp.Or(err, g.assign(ctx))
	if err != nil && ctx.Err() == nil {
		g.logger.Warn("not every review could be held against later facts", "error", err)
	}
}

// laterFact is the template of the strongest fact that explains a review afterwards; empty for none.
func (g *Gate) laterFact(ctx context.Context, r Review) (string, error) {
	person, err := g.persons.Person(ctx, r.Person)
	if err != nil {
		return "", err
	}
	actor, err := g.actor(ctx, person)
	if err != nil {
		return "", err
	}
	c, err := g.chartByID(ctx, r.PatientID)
	if err != nil {
		return "", err
	}
	now, err := g.care.Relate(ctx, actor, c.number, g.now())
	if err != nil {
		return "", err
	}
	at := slices.IndexFunc(now.Evidence, func(e care.Edge) bool {
		covers := (e.To.IsZero() || e.To.After(r.First)) && !e.From.After(r.Last.Add(nearFact))
		return covers && !slices.Contains(noFact, e.Template) && e.Known.After(r.First) && !e.Known.After(r.Last.Add(lateFact))
	})
	if at < 0 {
		return "", nil
	}
	return now.Evidence[at].Template, nil
}

func (g *Gate) closeByFact(ctx context.Context, r Review, fact string) error {
	c, err := g.chartByID(ctx, r.PatientID)
	if err != nil {
		return err
	}
	e := audit.Event{Kind: audit.Casework, Interaction: "review", Action: "E", Agent: audit.Agent{Job: "reviews"}, PolicyHash: g.policy.Hash(),
		Text: "explained: " + fact}
	e.Patients = []audit.PatientPart{{Patient: c.number, Ref: "Patient/" + c.id, Template: "review", Sentence: watched, Details: details{Review: r.ID}.text()}}
	if _, err := g.log.Note(ctx, e); err != nil {
		return err
	}
	return g.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE access_review SET verdict = 'explained', reviewer = '', reviewed = ? WHERE id = ? AND verdict IS NULL`, g.now().UnixMicro(), r.ID)
		return err
	})
}
