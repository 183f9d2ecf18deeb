package audit

import (
	"context"
	"database/sql"

	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
)

// Redact removes for good what an entry says about one patient (0: what it says in common, the agent included), and appends the entry
// that says so: e carries who decided and, in Text, on which legal basis. The entry stays, its proofs hold, chains stay gapless.
// Copies in backups stay readable until those age out.
//
// Errors: outcome.NotFound when the entry has no such part; outcome.Conflict when it was redacted before.
func (l *Log) Redact(ctx context.Context, i Index, patient fhir.PatientID, e Event) (Logged, error) {
	if err := l.catchUp(ctx); err != nil { // afterwards nobody can tell whose it was
		return Logged{}, err
	}
	raw, err := l.span(ctx, i, i+1, 1, true)
	if err != nil {
		return Logged{}, err
	}
	if len(raw) == 0 {
		return Logged{}, outcome.New(outcome.NotFound, "there is no such entry in the log")
	}
	number, found, redacted := 0, part{}, false
	for _, n := range sortedKeys(raw[0].parts) {
		p := openPart(l.box, n, raw[0].parts[n])
		redacted = redacted || p.state == partRedacted
		if p.state != partOpen || (n == 0) != (patient == 0) {
			continue
		}
		if patient != 0 {
			if about, err := parsePatient(p.plain()); err != nil || about.Patient != patient {
				continue
			}
		}
		number, found = n, p
	}
	if found.salted == nil {
		if redacted {
			return Logged{}, outcome.New(outcome.Conflict, "it was redacted before, or the entry says nothing of it")
		}
		return Logged{}, outcome.New(outcome.NotFound, "the entry says nothing of it")
	}
	e.Kind, e.Target, e.TargetPart = Redaction, i, number
	logged, err := l.append(ctx, Redaction, e, func(tx *sql.Tx, _ Index) error {
		_, err := tx.Exec(`update payload set sealed = ? where id = ?`, found.commitment[:], payloadID(i, number))
		return err
	})
	if err != nil {
		return Logged{}, err
	}
	return logged, l.d.Purge(ctx)
}
