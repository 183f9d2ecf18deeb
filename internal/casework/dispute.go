package casework

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// disputed is the step by which somebody says that an access of the own list was another's.
const disputed = "dispute"

// DisputeStep is the interaction of its entry; the text names the entry that it is about.
const DisputeStep = "case-" + disputed

// Dispute takes the word of somebody that what her list says she opened was another's: the account may be in other hands. It opens a case
// about the account or adds to the open one, in the most pressing queue; as every word of her own it closes nothing and trains nothing.
// text may be empty. She learns of no case.
// Errors: outcome.TooLong; those of [access.Gate.OwnAct]; as [db.DB.Write].
func (f *Office) Dispute(ctx context.Context, p access.Principal, entry audit.Index, text string) error {
	if text = strings.TrimSpace(text); len([]rune(text)) > longestWords {
		return outcome.New(outcome.TooLong, "that is longer than 2,000 characters: say it shorter").At("text")
	}
	act, err := f.o.Gate.OwnAct(ctx, p, entry)
	if err != nil {
		return err
	}
	if p.Session.Capacity != identity.StaffCapacity {
		return outcome.New(outcome.Forbidden, "this is for those who work here")
	}
	me, said := staff(p), fmt.Sprint("entry ", int64(entry))
	if text != "" {
		said += ": " + text
	}
	at, err := f.o.Gate.StepCase(ctx, p, policy.Own, access.CaseStep{Step: disputed, Text: said})
	if err != nil {
		return err
	}
	q := Question{Of: me.ID, About: me.ID, Answer: NotMe, Accesses: []Access{{At: act.At, Patient: "Patient/" + act.PatientID, Kind: act.Interaction, Entry: int64(act.Index), Event: eventOf(act)}}}
	err = f.d.Write(ctx, func(tx *sql.Tx) error {
		return f.disowned(tx, agentOf(me), &q, Note{At: f.now(), By: me.ID, Step: disputed, Text: text, Entry: at})
	})
	if err == nil {
		f.tell()
	}
	return err
}

// Disputed gives the entry that a line of the own list is a dispute of. False for every other line.
func Disputed(l access.Line) (audit.Index, bool) {
	rest, ok := strings.CutPrefix(l.Text, "entry ")
	if !ok || l.Interaction != DisputeStep {
		return 0, false
	}
	number, _, _ := strings.Cut(rest, ":")
	n, err := strconv.ParseInt(number, 10, 64)
	return audit.Index(n), err == nil
}

// agentOf is how the log names a person.
func agentOf(p identity.Person) string {
	if p.Practitioner != "" {
		return p.Practitioner
	}
	return "Person/" + p.ID
}

// eventOf is the id of the AuditEvent of an entry.
func eventOf(l access.Line) string {
	origin := l.Entry
	if i := strings.LastIndexByte(l.Entry, '/'); i >= 0 {
		origin = l.Entry[:i]
	}
	return audit.ShortOrigin(origin) + "-" + strconv.FormatInt(l.Index.Number(), 10)
}
