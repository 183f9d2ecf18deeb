package identity

import (
	"context"
	"errors"
	"slices"

	"chartwarden/internal/outcome"
)

// Asked is what a source asked for somebody and what two people have to want.
type Asked struct {
	Item    string   // id of the [Pending]
	Roles   []string // those of its change that the source gives
	Refused bool     `json:",omitempty"` // somebody else than who asked said no: it is not asked again for as long as the source goes on giving it
}

// Standing is an account as it stands by what became of the items that its source asked for: Asked are those that somebody can still
// approve, and those that somebody refused; Given is without the roles of items that came to nothing: withdrawn, lapsed, or void since the person was
// changed. It stores nothing. Errors: outcome.NotFound; outcome.NoStore.
func (s *Store) Standing(ctx context.Context, a Account) (Account, error) {
	if len(a.Asked) == 0 {
		return a, nil
	}
	r, err := s.find(ctx, s.db.Reader(), a.Person)
	if err != nil {
		return a, err
	}
	var waits []Asked
	for _, q := range a.Asked {
		p, err := s.scanPending(s.db.Reader().QueryRowContext(ctx, selectItem+`q.person is not null and q.id=?`, q.Item))
		switch {
		case err != nil && !outcome.Is(err, outcome.NotFound) && !errors.Is(err, errAltered):
			return a, err
		case q.Refused || err == nil && p.State == "refused" && p.By != "" && p.By != p.AskedBy:
			if q.Refused = slices.ContainsFunc(q.Roles, func(role string) bool { return !slices.Contains(r.Roles, role) }); q.Refused { // else she has them from somebody since
				waits = append(waits, q)
			}
		case err == nil && p.State == "approved":
		case err == nil && p.State == "open" && p.Expires.After(s.now()) && p.revision == r.revision:
			waits = append(waits, q)
		default:
			a.Given = slices.DeleteFunc(slices.Clone(a.Given), func(role string) bool { return slices.Contains(q.Roles, role) && !slices.Contains(r.Roles, role) })
		}
	}
	a.Asked = waits
	return a, nil
}

// Reask tells the sources of a person that what one of them asked for by one item waits as another. Errors: outcome.NoStore.
func (s *Store) Reask(ctx context.Context, person, before, now string) error {
	found, err := s.accounts(ctx, s.db.Reader(), ` or p.id=?`, "", person)
	for _, a := range found {
		i := slices.IndexFunc(a.Asked, func(q Asked) bool { return q.Item == before })
		if err != nil || i < 0 {
			continue
		}
		a.Asked[i].Item = now
		err = s.KeepAccount(ctx, a)
	}
	return err
}
