package server_test

import (
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/server/servertest"
	"chartwarden/policies"
)

// G4. Whatever takes two people is refused to whoever asked for it, to whom it is about, to whom she made, to whoever counts as no second pair of
// eyes yet, to whom the rules do not name, and to the command line; each is told why, the item still waits, and somebody else agrees. Two
// askers, each of whom could agree to what the other asks.
func TestFourEyes(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	var ada, ben, olga, bill, nurse, made, about identity.Credentials
	var targets []identity.Credentials // of a role and of a reset, for each asker
	h.inside(func(s *servertest.Server) {
		ada, ben = h.enrolled(s, "Ada Both", "privacy administrator"), h.enrolled(s, "Ben Both", "privacy administrator")
		olga, nurse, about = h.enrolled(s, "Olga Other", "privacy physician"), h.enrolled(s, "Nils Nurse", "nurse"), h.enrolled(s, "Abe About", "privacy physician")
		bill = h.enrolled(s, "Bill Ing", "billing")
		for _, name := range []string{"Tara", "Tim", "Tom", "Tea"} {
			targets = append(targets, h.enrolled(s, name+" Target", "privacy physician"))
		}
		who, waits, err := s.Persons.Create(ctx, audit.Agent{Person: ada.Person, Capacity: identity.StaffCapacity}, identity.NewPerson{Name: "Mia Made", Roles: []string{"privacy"}, TrainingDue: s.Now().AddDate(1, 0, 0)})
		if waits == nil {
			t.Fatal("an officer is made by one", err)
		}
		if _, err := s.Persons.Approve(ctx, audit.Agent{Person: h.officer.Person, Capacity: identity.StaffCapacity}, waits.ID); err != nil {
			t.Fatal(err)
		}
		made = h.enters(s, who.ID)
	})
	s := servertest.OpenAt(t, h.dir, time.Now().Add(48*time.Hour)) // a new authenticator is no second pair of eyes
	defer s.Stop()
	fresh := h.enrolled(s, "Finn Fresh", "privacy physician")

	rules, err := policy.Gather(policies.Files)
	if err != nil {
		t.Fatal(err)
	}
	rules["denials.cedar"] += "\n@id(\"deny.practice\")\n@why(\"No practices here.\")\nforbid (principal is Staff in Role::\"hr\", action == Action::\"settings\", resource is System);\n"
	asks := map[string]func(p access.Principal) (access.Approval, error){
		"export": func(p access.Principal) (access.Approval, error) {
			return s.Gate.AskExport(ctx, p, access.LogExport{Person: about.Person}, "for the court")
		},
		"undo": func(p access.Principal) (access.Approval, error) {
			return s.Gate.AskUndo(ctx, p, about.Person, s.Now().Add(-time.Hour), "it was spoilt")
		},
		"shred": func(p access.Principal) (access.Approval, error) {
			return s.Gate.AskShred(ctx, p, "p1", "the court said so")
		},
		"grant": func(access.Principal) (access.Approval, error) { // those who may ask for one agree to none
			return s.Gate.AskGrant(ctx, h.as(s, bill), "p2", []string{"clinical"}, "the payer asks")
		},
		"downtime": func(p access.Principal) (access.Approval, error) {
			return s.Gate.AskDowntime(ctx, p, 4, "the network is down")
		},
		"practice": func(p access.Principal) (access.Approval, error) {
			return s.Gate.AskPractice(ctx, p, "", "we are few")
		},
		"acting": func(p access.Principal) (access.Approval, error) {
			return s.Gate.AskActing(ctx, p, about.Person, 30, "she cannot see a result")
		},
		"policy": func(p access.Principal) (access.Approval, error) {
			draft, err := s.Rules.Draft(ctx, p, rules, "a test")
			if err == nil {
				_, err = s.Rules.Replay(ctx, p, draft.ID)
			}
			if err != nil {
				return access.Approval{}, err
			}
			return s.Rules.Propose(ctx, p, draft.ID, time.Time{}, "a test")
		},
	}
	agent := func(p access.Principal) audit.Agent {
		if p.Session == nil {
			return audit.Agent{Job: p.Job}
		}
		return audit.Agent{Person: p.Session.Person.ID, Capacity: p.Session.Capacity}
	}
	people := map[string]func(by audit.Agent, target string) (*identity.Pending, error){
		"role": func(by audit.Agent, target string) (*identity.Pending, error) {
			_, waits, err := s.Persons.Change(ctx, by, target, identity.Change{Roles: &[]string{"privacy", "physician", "nurse"}})
			return waits, err
		},
		"reset": func(by audit.Agent, target string) (*identity.Pending, error) {
			return s.Persons.AskReset(ctx, by, target, "she lost her telephone")
		},
	}
	for kind, ask := range people {
		for i, asker := range []identity.Credentials{ada, ben} {
			target := targets[i]
			if kind == "reset" {
				target = targets[2+i]
			}
			item, err := ask(agent(h.as(s, asker)), target.Person)
			if err != nil || item == nil {
				t.Errorf("%s is not asked for: %v", kind, err)
				continue
			}
			for name, x := range map[string]struct {
				p     access.Principal
				words string
			}{"who asks": {h.as(s, asker), "somebody else than who asked"}, "whom it is about": {h.as(s, target), "concerns himself"}, "a nurse": {h.as(s, nurse), ""},
				"the command line": {access.Job(access.Operator), ""}, "one with a new authenticator": {h.as(s, fresh), "too lately"}} {
				if _, err := s.Persons.Approve(ctx, agent(x.p), item.ID); !outcome.Is(err, outcome.Forbidden) || !strings.Contains(err.Error(), x.words) {
					t.Errorf("%s, %s: %v, want %q", kind, name, err, x.words)
				}
			}
			if _, err := s.Persons.Approve(ctx, agent(h.as(s, olga)), item.ID); err != nil {
				t.Errorf("%s: somebody else: %v", kind, err)
			}
			if _, err := s.Persons.Approve(ctx, agent(h.as(s, ada)), item.ID); !outcome.Is(err, outcome.NotFound) {
				t.Errorf("%s is agreed to twice: %v", kind, err)
			}
		}
	}
	concerns := map[string]bool{"export": true, "undo": true}
	for kind, ask := range asks {
		for _, asker := range []identity.Credentials{ada, ben} {
			item, err := ask(h.as(s, asker))
			if err != nil {
				t.Errorf("%s is not asked for: %v", kind, err)
				continue
			}
			refused := func(name string, p access.Principal, words string) {
				t.Helper()
				_, err := s.Gate.Approve(ctx, p, item.ID)
				if !outcome.Is(err, outcome.Forbidden) || !strings.Contains(err.Error(), words) {
					t.Errorf("%s, %s: %v, want %q", kind, name, err, words)
				}
			}
			if kind == "grant" {
				asker = bill
				refused("who asks", h.as(s, asker), "")
			} else {
				refused("who asks", h.as(s, asker), "somebody else than who asked")
			}
			refused("a nurse", h.as(s, nurse), "")
			refused("the command line", access.Job(access.Operator), "")
			refused("one with a new authenticator", h.as(s, fresh), "too lately")
			if asker.Person == ada.Person {
				refused("whom she made", h.as(s, made), "created one another")
			}
			if concerns[kind] {
				refused("whom it is about", h.as(s, about), "concerns himself")
			}
			if a, err := s.Gate.ApprovalOf(ctx, h.as(s, olga), item.ID); err != nil || a.State != "open" {
				t.Errorf("%s: after it the item is %s, %v", kind, a.State, err)
			}
			second := ada
			switch {
			case kind == "undo" || kind == "policy": // whoever else may
				second = olga
			case asker.Person == ada.Person:
				second = ben
			}
			if _, err := s.Gate.Approve(ctx, h.as(s, second), item.ID); err != nil {
				t.Errorf("%s: somebody else: %v", kind, err)
			}
			if _, err := s.Gate.Approve(ctx, h.as(s, olga), item.ID); !outcome.Is(err, outcome.NotFound) {
				t.Errorf("%s is agreed to twice: %v", kind, err)
			}
		}
	}
}
