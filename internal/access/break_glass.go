package access

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/fhir"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

//go:embed migrations/*.sql
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
}

// glassSentence says to the patient what somebody did who broke the glass.
func glassSentence(code string) string {
	if code == "emergency" {
		return "opened your chart in an emergency"
	}
	return "opened your chart by giving a reason: " + glassWords[code]
}

// Grants run to discharge, at most 72 hours; without an encounter 72 hours (decisions 19).
const grantLasts = 72 * time.Hour

// Grant is what breaking the glass gives: one person reads one patient's chart until a time.
type Grant struct {
	ID      int64
	Person  string
	Patient fhir.PatientID
	Code    string
	Opened  time.Time
	Until   time.Time
	Entry   string
}

// BreakGlass opens a closed chart to reading, for a reason. code is one of emergency, covering, consulted, patient-contact, other;
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
	if err := g.pace.admit(s.who.ID, s.at, time.Duration(s.context.AuthAge)*time.Second); err != nil {
		return Grant{}, err
	}
	grant := Grant{Person: s.who.ID, Patient: c.number, Code: code, Opened: s.at, Until: s.at.Add(grantLasts)}
	e := s.event("glass", "E")
	e.Kind, e.PolicyHash, e.Text, e.Purpose = audit.Glass, d.Hash, code+": "+text, "BTG"
	if code == "emergency" {
		e.Purpose = "ETREAT"
	}
	e.Patients = []audit.PatientPart{{Patient: c.number, Ref: "Patient/" + c.id, Permits: d.PermitIDs(), Template: "glass." + code,
		Sentence: glassSentence(code), Glass: true, Unexplained: true}}
	logged, err := g.log.Note(ctx, e)
	if err != nil {
		return Grant{}, err
	}
	grant.Entry = logged.Entry()
	err = g.db.Write(ctx, func(tx *sql.Tx) error {
		return tx.QueryRow(`INSERT INTO access_grant (person, patient, code, opened, until, epoch, entry) VALUES (?,?,?,?,?,?,?) RETURNING id`,
			grant.Person, int64(grant.Patient), code, grant.Opened.UnixMicro(), grant.Until.UnixMicro(), s.principal.Session.Person.Epoch, grant.Entry).Scan(&grant.ID)
	})
	return grant, err
}

// GiveBack ends p's live grant on a chart before its time. Giving back what is not there is fine.
func (g *Gate) GiveBack(ctx context.Context, p Principal, patientID string) error {
	c, err := g.chartByID(ctx, patientID)
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
	return g.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE access_grant SET given_back = ? WHERE id = ?`, g.now().UnixMicro(), s.grant.ID)
		return err
	})
}

const liveGrants = `SELECT id, code, opened, until, entry FROM access_grant
	WHERE person = ? AND patient = ? AND until > ? AND epoch = ? AND given_back IS NULL ORDER BY until DESC LIMIT 1`

// liveGrant is the grant by which person may read the chart of patient at that time, or nil. A grant dies with the person's epoch.
func (g *Gate) liveGrant(ctx context.Context, person identity.Person, patient fhir.PatientID, at time.Time) (*Grant, error) {
	one := Grant{Person: person.ID, Patient: patient}
	var opened, until int64
	err := g.grants.QueryRowContext(ctx, person.ID, int64(patient), at.UnixMicro(), person.Epoch).Scan(&one.ID, &one.Code, &opened, &until, &one.Entry)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, outcome.Wrap("access: grant", outcome.Transient, "the grants could not be read, please try again", err)
	}
	one.Opened, one.Until = time.UnixMicro(opened), time.UnixMicro(until)
	return &one, nil
}
