package access

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
)

// Bound sets how many patients an import may bring in.
func (g *Gate) Bound(most int) { g.most = most }

// Judge relates p to a chart and decides about reading a typical record of a type, as every access does before anything else.
func (g *Gate) Judge(ctx context.Context, p Principal, patientID, typ string) (bool, error) {
	c, err := g.chartByID(ctx, patientID)
	if err != nil {
		return false, err
	}
	s, err := g.relate(ctx, p, c)
	if err != nil {
		return false, err
	}
	return g.decide(s, policy.Read, s.typical(typ)).Allowed, nil
}

// Retell rewrites a word as one who holds the keys could.
func (g *Gate) Retell(ctx context.Context, id int64, change func(*Word)) error {
	found, err := g.readWords(ctx, g.db.Reader(), `WHERE id = ?`, id)
	if err != nil {
		return err
	}
	w := found[0]
	change(&w)
	return g.Exec(ctx, `UPDATE access_word SET person = ?, patient = ?, said_by = ?, mac = ? WHERE id = ?`, w.Person, int64(w.Patient), w.By, g.wordTags.Tag(w.tagged()...), id)
}

// Exec changes tables behind the door's back.
func (g *Gate) Exec(ctx context.Context, q string, args ...any) error {
	return g.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(q, args...)
		return err
	})
}

// All are the records that a query matches, whoever asks.
func (g *Gate) All(ctx context.Context, q *search.Query, text string) (all []*record.Sealed, err error) {
	err = g.each(ctx, record.SearchRequest{Query: q, Text: text}, func(x *record.Sealed) { all = append(all, x) })
	return all, err
}

// Filtered are the references of those that a search gives to p.
func (g *Gate) Filtered(ctx context.Context, p Principal, q *search.Query, text string) (map[string]bool, error) {
	found := map[string]bool{}
	v := g.look(ctx, p, policy.Search)
	err := g.each(ctx, v.request(question{q: q, text: text}), func(x *record.Sealed) { found[x.Type()+"/"+x.ID()] = true })
	return found, errors.Join(err, v.err)
}

func (g *Gate) each(ctx context.Context, r record.SearchRequest, do func(*record.Sealed)) error {
	r.Query.Count = 1000
	for {
		page, err := g.records.Search(ctx, r)
		if err != nil {
			return err
		}
		for _, x := range page.Hits {
			do(x)
		}
		if page.Next == "" {
			return nil
		}
		if r.After, err = g.records.OpenCursor(r.Principal, page.Next); err != nil {
			return err
		}
	}
}

// Decider decides record by record whether p may find it, each chart related by itself.
func (g *Gate) Decider(ctx context.Context, p Principal) func(*record.Sealed) (bool, error) {
	charts := map[fhir.PatientID]standing{}
	return func(x *record.Sealed) (bool, error) {
		for _, n := range append([]fhir.PatientID{x.Patient()}, x.Also()...) {
			s, ok := charts[n]
			if !ok {
				c, err := g.chartNumber(ctx, n)
				if err == nil {
					s, err = g.relate(ctx, p, c)
				}
				if err != nil {
					return false, err
				}
				charts[n] = s
			}
			if !g.decide(s, policy.Search, s.resource(x)).Allowed {
				return false, nil
			}
		}
		return true, nil
	}
}

// Grant stores a broken glass without its entry.
func (g *Gate) Grant(ctx context.Context, p Principal, patientID string, until time.Time) error {
	c, err := g.chartByID(ctx, patientID)
	if err != nil {
		return err
	}
	return g.storeGrant(ctx, &Grant{Person: p.Session.Person.ID, Patient: c.number, Code: "emergency", Opened: g.now(), Until: until, epoch: p.Session.Person.Epoch})
}

// Withheld reports whether a Consent of the patient withholds x from p, whatever the rules make of it.
func (g *Gate) Withheld(ctx context.Context, p Principal, x *record.Sealed) bool {
	c, err := g.chartNumber(ctx, x.Patient())
	if err != nil {
		return false
	}
	s, err := g.relate(ctx, p, c)
	return err == nil && x.Withheld(s.withheld)
}
