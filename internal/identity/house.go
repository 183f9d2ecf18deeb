package identity

import (
	"slices"
	"strings"

	"chartwarden/internal/outcome"
)

// housed refuses a role of the house that the rules do not have, or that is not of all roles that the person has: one narrowing holds for all that
// she may. Who holds one already is not stopped from anything else by rules that changed since.
func (s *Store) housed(p, old profile) error {
	if p.House == "" || p.House == old.House && slices.Equal(p.Roles, old.Roles) {
		return nil
	}
	var of []string
	known := false
	if s.o.House != nil {
		of, known = s.o.House(p.House)
	}
	if !known {
		return outcome.New(outcome.CodeInvalid, "there is no such role of the house: add it to the rules first").At("house")
	}
	if slices.ContainsFunc(p.Roles, func(x string) bool { return x != Patient && !slices.Contains(of, x) }) {
		return outcome.New(outcome.Value, "the role "+p.House+" is of "+strings.Join(of, ", ")+": whoever holds it has no other role").At("house")
	}
	return nil
}

// widens reports whether p sees more field groups of charts than old let it: a role of the house that she no longer holds, or another one.
func (p profile) widens(old profile) bool {
	return old.House != "" && p.House != old.House && anyClinical(p.Roles)
}
