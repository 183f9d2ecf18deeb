package access

import (
	"context"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// The own mirror: beside what she did ([Gate.MyActivity]), what was recorded since, and the way to say that it was somebody else. It
// tells of no case, no review, no weight, and nothing that the office decided.

const (
	mirrorReach = 30 * 24 * time.Hour
	mirrorPart  = 200 // openings without a reason that are held against later facts, the newest first
	reasonsRead = 1000
)

// Since is what somebody else recorded after openings without a reason, by which they stand now.
type Since struct {
	PatientID   string
	First, Last time.Time // the openings, all on one day of the site
	Template    string    // of the fact
}

// Explained gives, of p's own openings of the last 30 days that had no reason or one of the glass, those for which somebody else
// recorded a fact since, whatever was decided about them. It is part of a page under the entry of [Gate.MyActivity].
// Errors: those of [Gate.Permit].
func (g *Gate) Explained(ctx context.Context, p Principal) ([]Since, error) {
	if err := g.Permit(ctx, p, policy.Own); err != nil {
		return nil, err
	}
	if err := g.catchUp(ctx); err != nil {
		return nil, err
	}
	open, err := g.reviews(ctx, `WHERE kind IN ('glass', 'unexplained') AND person = ? AND last_at > ?`+reviewOrder+` LIMIT ?`,
		p.Session.Person.ID, g.now().Add(-mirrorReach).UnixMicro(), mirrorPart)
	if err != nil {
		return nil, err
	}
	var out []Since
	for _, r := range open {
		fact, err := g.laterFact(ctx, r)
		if outcome.Is(err, outcome.NotFound) {
			continue // the chart is gone
		}
		if err != nil {
			return nil, err
		}
		if fact != "" {
			out = append(out, Since{PatientID: r.PatientID, First: r.First, Last: r.Last, Template: fact})
		}
	}
	return out, nil
}

// OwnAct gives what an entry says p did about a patient, in the capacity of now: for a step that is an entry itself.
// Errors: outcome.NotFound, the same for an entry that is not there, not hers, or about no patient; those of [Gate.Permit].
func (g *Gate) OwnAct(ctx context.Context, p Principal, entry audit.Index) (Line, error) {
	if err := g.Permit(ctx, p, policy.Own); err != nil {
		return Line{}, err
	}
	absent := outcome.New(outcome.NotFound, "there is no such entry, or it is not yours to speak about")
	if p.Session == nil {
		return Line{}, absent
	}
	read, err := g.log.Entry(ctx, entry)
	if outcome.Is(err, outcome.NotFound) {
		return Line{}, absent
	}
	if err != nil {
		return Line{}, err
	}
	who := read.Event.Agent
	l := lineOf(read)
	if who.Person != p.Session.Person.ID || who.Capacity != p.Session.Capacity || l.PatientID == "" || l.Kind == audit.Casework || l.Kind == audit.LogRead {
		return Line{}, absent
	}
	return l, nil
}

// OwnReasons gives what a person said by herself about her accesses since a time, oldest first, of her newest 1,000 entries. It is
// meant for a page of casework whose entry is durable.
func (g *Gate) OwnReasons(ctx context.Context, person string, since time.Time) (out []Line, err error) {
	const batch = 200
	for before, n := audit.Index(0), 0; n < reasonsRead; n += batch {
		reads, err := g.log.OfPerson(ctx, person, audit.Page{Before: before, Limit: batch})
		if err != nil {
			return nil, err
		}
		for _, r := range reads {
			if r.Recorded.Before(since) {
				return out, nil
			}
			if r.Event.Kind == audit.Casework && r.Event.Interaction == "reason" {
				out = append([]Line{lineOf(r)}, out...)
			}
			before = r.Index
		}
		if len(reads) < batch {
			break
		}
	}
	return out, nil
}
