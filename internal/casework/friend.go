package casework

import (
	"context"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
)

// Nobody can hide a friend: who is close to the person or a patient of a case takes no step on it.

// barred says to an officer why a case is not hers to decide. It says nothing that she does not know of herself.
var barred = map[access.Acquaintance]string{
	access.SamePerson: "nobody decides about the own accesses: a colleague does",
	access.OwnChart:   "your own chart is among those that were opened: a colleague decides about this case",
	access.TreatsWho:  "a relationship of care links you to the person or a patient of this case: a colleague decides about it",
	access.SameUnit:   "you work in the same unit as the person: a colleague from elsewhere decides about this case",
	access.RelatedTo:  "you are close to the person or a patient of this case: a colleague decides about it",
}

// mostAsked is of how many patients a case is held against an officer's family and neighbours.
const mostAsked = 600

// close tells how an officer is close to the person or the patients of a case; empty for not at all.
func (f *Office) close(ctx context.Context, who identity.Person, c *Case) (access.Acquaintance, error) {
	person := f.person(ctx, c)
	var charts []string
	for _, ref := range c.Patients {
		charts = append(charts, strings.TrimPrefix(ref, "Patient/"))
	}
	if aboutMe(c, who) {
		return access.SamePerson, nil
	}
	how, err := f.o.Gate.Acquainted(ctx, who, person, charts)
	if err != nil || how != "" || f.o.Ties == nil {
		return how, err
	}
	for _, chart := range append([]string{person.Patient}, c.Patients[:min(len(c.Patients), mostAsked)]...) {
		if who.Practitioner != "" && chart != "" && f.o.Ties(who.Practitioner, chart) {
			return access.RelatedTo, nil
		}
	}
	if who.Patient != "" && f.o.Ties(c.Agent, who.Patient) {
		return access.RelatedTo, nil
	}
	return "", nil
}

// Barred tells an officer why a case is not hers to decide; empty when it is. Errors: outcome.NotFound.
func (f *Office) Barred(ctx context.Context, p access.Principal, c *Case) (string, error) {
	how, err := f.close(ctx, staff(p), c)
	return barred[how], err
}
