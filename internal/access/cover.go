package access

import (
	"context"
	"slices"
	"time"

	"chartwarden/internal/care"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

const (
	longestCover  = 45 * 24 * time.Hour // bounds a cover: a leave, not a second life
	earliestCover = time.Hour           // before now: the form was filled in with the time at which it was opened
	latestCover   = 183 * 24 * time.Hour
)

// Cover says that a person stands in for a colleague from one time to another: she then reads and works by the care teams, visits, orders
// and tasks of the colleague, and each entry says so. It is said by who is covered, or by her manager; never by her who covers,
// nor for others by one who keeps people: she could make herself the manager. Both see it and either ends it; it ends with the access of either.
//
// Errors: outcome.Forbidden for anybody else; outcome.Value for times or people that make no cover; outcome.NotFound.
func (g *Gate) Cover(ctx context.Context, p Principal, person, whom string, from, until time.Time) (Word, error) {
	s, d, err := g.May(ctx, p, policy.Own)
	if err != nil {
		return Word{}, err
	}
	if p.Session == nil || p.Session.Capacity != identity.StaffCapacity {
		return Word{}, outcome.New(outcome.Forbidden, "a cover is made by somebody signed in as staff")
	}
	a, err := g.persons.Person(ctx, person)
	if err != nil {
		return Word{}, err
	}
	b, err := g.persons.Person(ctx, whom)
	if err != nil {
		return Word{}, err
	}
	me := s.who.ID
	switch {
	case person == whom:
		return Word{}, outcome.New(outcome.Value, "nobody covers for himself").At("person")
	case me == person, me != whom && (me != b.Manager || slices.ContainsFunc(p.Session.Person.Roles, keepsPeople)):
		return Word{}, outcome.New(outcome.Forbidden, "a cover is made by who is covered, or by her manager: never by who covers, and not for others by administrators").Because("own.cover")
	case !a.Active || !b.Active:
		return Word{}, outcome.New(outcome.Value, "both must be active").At("person")
	case !slices.ContainsFunc(a.Roles, identity.Clinical) || b.Practitioner == "":
		return Word{}, outcome.New(outcome.Value, "who covers gives care, and who is covered is known in the directory of practitioners").At("person")
	case !until.After(from) || !until.After(s.at):
		return Word{}, outcome.New(outcome.Value, "a cover ends after it begins, and later than now").At("until")
	case from.Before(s.at.Add(-earliestCover)) || from.After(s.at.Add(latestCover)):
		return Word{}, outcome.New(outcome.Value, "a cover begins now or later, within half a year: it is no word about what was").At("from")
	case until.Sub(from) > longestCover:
		return Word{}, outcome.New(outcome.Value, "a cover lasts at most 45 days: make another one then").At("until")
	}
	w := Word{Kind: care.Covers, Person: person, Whom: whom, By: me, From: from.UTC().Truncate(time.Second), Until: until.UTC().Truncate(time.Second), Known: s.at}
	e := s.event(wordGiven, "E")
	e.PolicyHash = d.Hash
	return w, g.say(ctx, e, &w, chart{}, "")
}

// keepsPeople reports whether a role sets who is whose manager.
func keepsPeople(role string) bool { return role == identity.Administrator || role == identity.HR }
