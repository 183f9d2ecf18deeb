package casework

import (
	"context"
	"encoding/base32"
	"strings"

	"chartwarden/internal/identity"
)

// Who is the person of a case as an officer may see her.
type Who struct {
	Alias string // N-4F2: the same in every case about that person
	Role  string // nurse, ...; empty when not known
	Unit  string // 3 West; empty when not known
	Name  string // only for the officer who took the case
	ID    string // of the identity.Person, with the name
}

var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// who tells of the person of a case what an officer may see: the name stays hidden until she has taken the case.
func (f *Office) who(ctx context.Context, c *Case, officer identity.Person) Who {
	person := f.person(ctx, c)
	w := Who{Unit: person.Department}
	letter := "P"
	for _, role := range person.Roles {
		if role != identity.Patient {
			if w.Role = role; role[0] >= 'a' && role[0] <= 'z' {
				letter = strings.ToUpper(role[:1])
			}
			break
		}
	}
	sum := f.box.PRF("alias", []byte(c.Agent))
	w.Alias = letter + "-" + crockford.EncodeToString(sum[:2])[:3]
	if c.Owner == officer.ID && officer.ID != "" {
		w.Name, w.ID = person.Name, person.ID
		if w.Name == "" {
			w.Name = c.Agent
		}
	}
	return w
}
