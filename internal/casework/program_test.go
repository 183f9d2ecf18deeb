package casework_test

import (
	"strings"
	"testing"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/casework"
	"chartwarden/internal/identity"
	"chartwarden/internal/ingest"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server/servertest"
)

// What a program does by its own account comes to detection as a program's, and a case about it is named after the account with its owner,
// who is asked about it and takes no step on it.
func TestACaseAboutAProgram(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	owner := h.ines.Session.Person.ID
	if _, _, err := h.Persons.RegisterClient(ctx, audit.Agent{Person: h.ruth.Session.Person.ID, Capacity: identity.StaffCapacity},
		identity.NewClient{ID: "lab-feed", Name: "Laboratory feed", Owner: owner, Scope: "user/*.rs", Redirects: []string{"https://lab.example/cb"}}); err != nil {
		t.Fatal(err)
	}
	entry, err := h.Log.Query(ctx, audit.Event{Agent: audit.Agent{Client: "lab-feed", Address: "10.0.0.9"}, Action: "E", Interaction: "search-type", Class: audit.Machine, Purpose: "HOPERAT", Query: "Observation?code=x"})
	h.must(err)
	from, err := audit.ParseCursor("")
	h.must(err)
	read, err := h.Log.Ahead(ctx, from, 1000)
	h.must(err)
	found := false
	for i := range read {
		if read[i].Event.Agent.Client == "lab-feed" {
			e, why := ingest.NewFeed().Event(string(read[i].Resource()))
			found = true
			if why != "" || e.Agent != "lab-feed" || !e.Machine || e.Purpose != "HOPERAT" {
				t.Errorf("%s %+v", why, e)
			}
		}
	}
	if !found {
		t.Errorf("entry %s is not read", entry.Entry())
	}

	c := h.raise(func(x *servertest.Suspicion) { x.Agent, x.Hypothesis = "lab-feed", "harvest" })
	if c.Person != owner {
		t.Errorf("the case is about %q, want its owner %q", c.Person, owner)
	}
	if _, err := h.Office.Open(ctx, h.ines, c.ID); !outcome.Is(err, outcome.NotFound) {
		t.Errorf("the owner opens the case about the own program: %v", err)
	}
	if who := h.list(h.ruth, casework.ToDo).Cases[0].Who; who.Name != "" || !strings.HasPrefix(who.Alias, "P-") || who.Role != "program" {
		t.Errorf("before it is taken it shows %+v", who)
	}
	_, err = h.Office.Take(ctx, h.ruth, c.ID)
	h.must(err)
	file, err := h.Office.Open(ctx, h.ruth, c.ID)
	h.must(err)
	if file.Who.Name != "Laboratory feed, a program of Ines Duarte" || len(file.Facts)+len(file.Shifts)+len(file.Reasons) > 0 {
		t.Errorf("it shows %+v, facts %v, shifts %v, reasons %v", file.Who, file.Facts, file.Shifts, file.Reasons)
	}
	if own, _, _, err := h.Office.Hours(ctx, &file.Case); err != nil || own != (access.Hours{}) {
		t.Errorf("it shows hours of its owner: %v, %v", own, err)
	}
	_, err = h.Office.AskPerson(ctx, h.ruth, c.ID, "What did the feed do last night?")
	h.must(err)
}
