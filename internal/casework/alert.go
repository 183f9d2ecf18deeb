package casework

import (
	"context"
	"slices"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
)

// Alert is word of a case that just opened or became pressing, or of an act about which detection wants the office to hear at once, for an
// officer's open page.
type Alert struct {
	Case     string // id
	Sentence string // what happened, with the person's alias and no patient
	Change   int64  // for [Office.Alerts]
}

// Alerts gives what an officer is to hear of since a change: cases that were opened or moved up a queue since, and that wait for somebody.
// Cases about herself, on watch without a prompt, or of a suspicion that is left alone are not among them. Nothing for everybody else. newest is where
// to go on from. Errors: outcome.NoStore.
func (f *Office) Alerts(ctx context.Context, p access.Principal, since int64) (out []Alert, newest int64, err error) {
	if p.Session == nil || p.Session.Capacity != identity.StaffCapacity || !slices.Contains(p.Session.Roles(), identity.Privacy) {
		return nil, since, nil
	}
	changed, err := f.Since(ctx, since)
	if err != nil || len(changed) == 0 {
		return nil, since, err
	}
	newest = changed[len(changed)-1].Change
	var pressing []Case
	for _, c := range changed {
		if c.Told > since && c.State == New && c.Pressing() && !aboutMe(&c, staff(p)) {
			pressing = append(pressing, c)
		}
	}
	muted, err := f.Muted(ctx, pressing...)
	if err != nil {
		return nil, since, err
	}
	for i := range pressing {
		if c := &pressing[i]; !muted[c.ID] {
			out = append(out, Alert{Case: c.ID, Sentence: f.headline(ctx, c), Change: c.Told})
		}
	}
	return out, newest, nil
}

// headline is the first sentence of a case, about the alias of its person.
func (f *Office) headline(ctx context.Context, c *Case) string {
	who := f.who(ctx, c, identity.Person{})
	said, _, _ := strings.Cut(c.Summary, ". ")
	said = strings.TrimSuffix(strings.TrimPrefix(said, c.Agent+" "), ".")
	about := who.Alias
	switch {
	case who.Role != "" && who.Unit != "":
		about += " (" + who.Role + ", " + who.Unit + ")"
	case who.Role != "" || who.Unit != "":
		about += " (" + who.Role + who.Unit + ")"
	}
	return about + " " + said + "."
}
