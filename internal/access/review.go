package access

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// Review is something for the privacy office to look at: one person's glass openings or unexplained accesses of one patient on one
// day. It is derived from the log; the verdict is an entry too.
type Review struct {
	ID        int64
	Kind      string // glass, unexplained, refused
	Person    string // id
	PatientID string
	First     time.Time
	Last      time.Time
	Entries   int
	FirstIdx  audit.Index
	Verdict   string // explained, ask, escalate; empty: open
	Reviewer  string
	Reviewed  time.Time
}

// Reviews lists what waits (open) or was answered, newest first, at most 200.
// Errors: outcome.Forbidden for all but those who review the glass.
func (g *Gate) Reviews(ctx context.Context, p Principal, open bool) ([]Review, error) {
	if _, err := g.readLog(ctx, p, policy.GlassReview); err != nil {
		return nil, err
	}
	if err := g.catchUp(ctx); err != nil {
		return nil, err
	}
	where := `verdict IS NOT NULL`
	if open {
		where = `verdict IS NULL`
	}
	return g.reviews(ctx, `WHERE kind != 'refused' AND `+where+` ORDER BY last_at DESC LIMIT 200`)
}

// ReviewOf gives one review and the lines of the log behind it. Errors: those of [Gate.Reviews]; outcome.NotFound.
func (g *Gate) ReviewOf(ctx context.Context, p Principal, id int64) (Review, []Line, error) {
	if _, err := g.readLog(ctx, p, policy.GlassReview); err != nil {
		return Review{}, nil, err
	}
	found, err := g.reviews(ctx, `WHERE id = ?`, id)
	if err != nil || len(found) == 0 {
		return Review{}, nil, notFoundOr(err, "there is no such review")
	}
	one := found[0]
	n, err := g.records.Patient(ctx, one.PatientID)
	if err != nil {
		return Review{}, nil, err
	}
	var out []Line
	before := audit.Index(0)
	for len(out) < one.Entries {
		reads, err := g.log.OfPatient(ctx, n, audit.Page{Before: before, Limit: 200})
		if err != nil {
			return Review{}, nil, err
		}
		for _, r := range reads {
			if r.Event.Agent.Person == one.Person && !happened(r).Before(one.First) && !happened(r).After(one.Last) {
				out = append(out, lineOf(r))
			}
		}
		if len(reads) < 200 || happened(reads[len(reads)-1]).Before(one.First) {
			break
		}
		before = reads[len(reads)-1].Index
	}
	return one, out, nil
}

// Decide answers a review: explained, ask or escalate, with a sentence. Nobody answers for the own accesses.
// Errors: outcome.Value, outcome.Required, outcome.Forbidden, outcome.NotFound.
func (g *Gate) Decide(ctx context.Context, p Principal, id int64, verdict, text string) error {
	switch verdict {
	case "explained", "ask", "escalate":
	default:
		return outcome.New(outcome.Value, "choose: explained, ask, or escalate").At("decision")
	}
	if text == "" {
		return outcome.New(outcome.Required, "say in a sentence what you found").At("text")
	}
	s, d, err := g.May(ctx, p, policy.GlassReview)
	if err != nil {
		return err
	}
	found, err := g.reviews(ctx, `WHERE id = ?`, id)
	if err != nil || len(found) == 0 {
		return notFoundOr(err, "there is no such review")
	}
	if found[0].Person == s.who.ID {
		return outcome.New(outcome.Forbidden, "nobody reviews the own accesses: a colleague does").Because("two-people")
	}
	c, err := g.chartByID(ctx, found[0].PatientID)
	if err != nil {
		return err
	}
	e := s.event("review", "E")
	e.Kind, e.PolicyHash, e.Text = audit.Casework, d.Hash, verdict+": "+text
	e.Patients = []audit.PatientPart{{Patient: c.number, Ref: "Patient/" + c.id, Template: "review", Sentence: "looked into who opened your chart"}}
	if _, err := g.log.Note(ctx, e); err != nil {
		return err
	}
	return g.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE access_review SET verdict = ?, reviewer = ?, reviewed = ? WHERE id = ?`, verdict, s.who.ID, s.at.UnixMicro(), id)
		return err
	})
}

func (g *Gate) reviews(ctx context.Context, where string, args ...any) ([]Review, error) {
	rows, err := g.db.Reader().QueryContext(ctx, `SELECT id, kind, person, patient, first_at, last_at, entries, first_idx, coalesce(verdict,''),
		coalesce(reviewer,''), coalesce(reviewed,0) FROM access_review `+where, args...)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	var out []Review
	var numbers []fhir.PatientID
	for rows.Next() {
		var r Review
		var first, last, reviewed int64
		var n fhir.PatientID
		if err := rows.Scan(&r.ID, &r.Kind, &r.Person, &n, &first, &last, &r.Entries, &r.FirstIdx, &r.Verdict, &r.Reviewer, &reviewed); err != nil {
			return nil, unreadable(err)
		}
		r.First, r.Last = time.UnixMicro(first), time.UnixMicro(last)
		if reviewed != 0 {
			r.Reviewed = time.UnixMicro(reviewed)
		}
		out, numbers = append(out, r), append(numbers, n)
	}
	if err := rows.Err(); err != nil {
		return nil, unreadable(err)
	}
	for i, n := range numbers {
		c, err := g.chartNumber(ctx, n)
		if err != nil {
			return nil, err
		}
		out[i].PatientID = c.id
	}
	return out, nil
}

// FollowLog keeps the review list behind the log until ctx ends. Lists catch up by themselves before they are read; this keeps that
// short.
func (g *Gate) FollowLog(ctx context.Context) error {
	for {
		if err := g.catchUp(ctx); err != nil {
			return err
		}
		cursor, err := g.cursor(ctx)
		if err != nil {
			return err
		}
		if err := g.log.Wait(ctx, cursor); err != nil {
			return err
		}
	}
}

// catchUp folds the entries that the review list has not seen. Rows and cursor move in one transaction, so a restart repeats nothing.
func (g *Gate) catchUp(ctx context.Context) error {
	for {
		after, err := g.cursor(ctx)
		if err != nil {
			return err
		}
		reads, err := g.log.After(ctx, after, 500)
		if err != nil || len(reads) == 0 {
			return err
		}
		err = g.db.Write(ctx, func(tx *sql.Tx) error {
			moved, err := tx.Exec(`UPDATE access_cursor SET at = ? WHERE at = ?`, reads[len(reads)-1].Index, after)
			if err != nil {
				return err
			}
			if n, err := moved.RowsAffected(); err != nil || n == 0 {
				return err // another reader was faster
			}
			for _, r := range reads {
				if err := g.fold(tx, r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

func (g *Gate) cursor(ctx context.Context) (audit.Index, error) {
	var at audit.Index
	if err := g.db.Reader().QueryRowContext(ctx, `SELECT at FROM access_cursor`).Scan(&at); err != nil {
		return 0, unreadable(err)
	}
	return at, nil
}

// fold adds one entry to the review of its person, patient and day.
func (g *Gate) fold(tx *sql.Tx, r audit.Read) error {
	if r.Event.Agent.Person == "" || r.Event.Kind == audit.Casework || r.Event.Kind == audit.LogRead {
		return nil
	}
	for _, part := range r.Event.Patients {
		kind := ""
		switch {
		case part.Patient == 0, r.Event.Class == audit.Incidental:
		case r.Event.Kind == audit.Refusal:
			kind = "refused"
		case part.Glass:
			kind = "glass"
		case part.Unexplained:
			kind = "unexplained"
		}
		if kind == "" {
			continue
		}
		when := happened(r)
		_, offset := when.In(g.zone).Zone()
		day := (when.Unix() + int64(offset)) / 86400
		at := when.UnixMicro()
		if _, err := tx.Exec(`INSERT INTO access_review (kind, person, patient, day, first_at, last_at, entries, first_idx, last_idx)
			VALUES (?,?,?,?,?,?,1,?,?) ON CONFLICT (kind, person, patient, day) DO UPDATE SET
			last_at = excluded.last_at, last_idx = excluded.last_idx, entries = entries + 1`,
			kind, r.Event.Agent.Person, int64(part.Patient), day, at, at, r.Index, r.Index); err != nil {
			return err
		}
	}
	return nil
}

func unreadable(err error) error {
	return outcome.Wrap("access: reviews", outcome.Transient, "the list could not be read, please try again", err)
}

func notFoundOr(err error, text string) error {
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		return outcome.New(outcome.NotFound, text)
	}
	return err
}
