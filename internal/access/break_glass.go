package access

import (
	"context"
	"embed"
	"io/fs"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

//go:embed migrations
var migrationFiles embed.FS

func migrations() fs.FS {
	sub, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}

// glassWords are the reason codes of breaking the glass, as the patient reads them.
var glassWords = map[string]string{
	"emergency":       "an emergency",
	"covering":        "covering for a colleague",
	"consulted":       "a colleague asked for advice",
	"patient-contact": "you were there or called",
	"other":           "another reason, written down",
	downtimeCode:      "a downtime that the hospital had declared",
}

// glassSentence says to the patient what somebody did who broke the glass.
func glassSentence(code string) string {
	if code == "emergency" {
		return "opened your chart in an emergency"
	}
	return "opened your chart by giving a reason: " + glassWords[code]
}

// Grants run to discharge, at most 72 hours; without an encounter 72 hours (decisions 19). What is stored is the longest: the end of a
// visit is looked up at each access.
const grantLasts = 72 * time.Hour

// BreakGlass opens a closed chart to reading, for a reason. code is one of emergency, covering, consulted, patient-contact, other, and
// downtime while a declared one runs;
// text is the person's own words, kept sealed in the entry only; pages ask for it with all codes but emergency. A live grant is
// returned as it is: the glass is broken once. It never waits for anybody.
//
// Errors: outcome.Value for an unknown code; outcome.Forbidden where no glass is offered; outcome.Throttled and outcome.Login by
// pace; outcome.NotFound.
func (g *Gate) BreakGlass(ctx context.Context, p Principal, patientID, code, text string) (Grant, error) {
	c, err := g.chartByID(ctx, patientID)
	if outcome.Is(err, outcome.NotFound) {
		return Grant{}, g.absent(ctx, p, policy.Break, "glass", "Patient", err)
	}
	if err != nil {
		return Grant{}, err
	}
	s, err := g.relate(ctx, p, c)
	if err != nil {
		return Grant{}, err
	}
	return g.breakGlass(ctx, s, code, text)
}

func (g *Gate) breakGlass(ctx context.Context, s standing, code, text string) (Grant, error) {
	if _, ok := glassWords[code]; !ok {
		return Grant{}, outcome.New(outcome.Value, "choose a reason: emergency, covering, consulted, patient-contact or other").At("code")
	}
	r, c := s.typical("Patient"), s.chart
	d := g.decide(s, policy.Break, r)
	if !d.Allowed {
		return Grant{}, g.refuse(ctx, s, policy.Break, "glass", r, d)
	}
	if s.grant != nil {
		return *s.grant, nil
	}
	factorAge, until := time.Duration(s.context.AuthAge)*time.Second, s.at.Add(grantLasts)
	if code == downtimeCode {
		running, err := g.downtimeAt(ctx, s.at)
		if err != nil {
			return Grant{}, err
		}
		if running == nil {
			return Grant{}, outcome.New(outcome.Value, "no downtime runs: choose another reason").At("code")
		}
		// Two people answered for opening many. What stays is that nobody opens them faster than one reads.
		factorAge, until = 0, running.Until
	}
	if err := g.pace.admit(s.who.ID, s.at, factorAge); err != nil {
		return Grant{}, err
	}
	grant := Grant{Person: s.who.ID, Patient: c.number, Code: code, Opened: s.at, Until: until, epoch: s.principal.Session.Person.Epoch}
	e := s.event("glass", "E")
	e.Kind, e.PolicyHash, e.Text, e.Purpose = audit.Glass, d.Hash, code+": "+text, "BTG"
	if code == "emergency" {
		e.Purpose = "ETREAT"
	}
	e.Patients = []audit.PatientPart{{Patient: c.number, Ref: "Patient/" + c.id, Permits: d.PermitIDs(), Template: "glass." + code,
		Sentence: glassSentence(code), Relation: s.facts(policy.Break, r), Glass: true, Unexplained: true}}
	logged, err := g.log.Note(ctx, e)
	if err != nil {
		return Grant{}, err
	}
	grant.Entry = logged.Entry()
	if err := g.storeGrant(ctx, &grant); err != nil {
		return Grant{}, err
	}
	return *grant.bounded(s.care.Visits, s.at), nil // it opens now, so a visit that runs ends later
}

// GiveBack ends p's live grant on a chart before its time. Giving back what is not there is fine.
func (g *Gate) GiveBack(ctx context.Context, p Principal, patientID string) error {
	c, err := g.chartByID(ctx, patientID)
	if outcome.Is(err, outcome.NotFound) { // as for a chart to which p has no grant
		return nil
	}
	if err != nil {
		return err
	}
	s, err := g.relate(ctx, p, c)
	if err != nil || s.grant == nil {
		return err
	}
	e := s.event("glass-back", "E")
	e.Kind = audit.Glass
	e.Patients = []audit.PatientPart{{Patient: c.number, Ref: "Patient/" + c.id, Template: "glass.back", Sentence: "ended the emergency access early"}}
	if _, err := g.log.Note(ctx, e); err != nil {
		return err
	}
	return g.endGrant(ctx, s.grant.ID, g.now())
}
