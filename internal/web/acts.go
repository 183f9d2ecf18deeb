package web

import (
	"cmp"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/web/look"
)

// Entries in words, for those who watch: what was done, to be read after a name. No code stands alone.

// interactionActs say interactions whose words do not depend on the records.
var interactionActs = map[string]string{
	"login": "signed in", "logout": "signed out", "lock": "locked the screen", "unlock": "unlocked the screen", "step-up": "confirmed the sign-in again",
	"act-as": "began to act as a colleague", "act-as-end": "ended acting as a colleague",
	"capacity": "switched between work and the patient portal", "session-kill": "ended sessions",
	"person-create": "added a person", "person-change": "changed a person", "enrolment-link": "made a one-time sign-in link", "enrol": "set up the own sign-in",
	"passkey-add": "made a passkey", "passkey-rename": "renamed a passkey", "passkey-remove": "removed a passkey", "passkey-suspect": "used a passkey of which there may be a copy",
	"password-remove": "removed password and authenticator", "recovery-codes": "made recovery codes", "recovery-use": "used a recovery code",
	"approval-ask": "asked for a second person", "approval-give": "agreed as the second person", "approval-refuse": "declined a request", "approval-done": "carried out what two people wanted",
	"undo-list": "looked at what taking back a person's work would do", "shred": "erased a chart for good",
	"credential-reset": "reset a person's sign-in", "throttle-lift": "lifted a sign-in delay", "person-terminate": "ended a person's access",
	"word-give": "let a colleague see a chart, or took an order", "word-end": "ended what a colleague's word gave",
	"glass": "opened a closed chart by giving a reason", "glass-back": "gave an emergency access back", "review": "decided about a review",
	"audit-read": "read the record of accesses", "settings-read": "read the configuration", "start": "started", "opened": "began this record", "heartbeat": "noted that nothing happened",
	"case-queue": "looked at the cases", "case-open": "opened a case", "case-take": "took a case", "case-hand-over": "handed a case over", "case-note": "wrote into a case",
	"case-ask": "asked a person about her accesses", "case-ask-manager": "asked about a colleague's accesses", "case-answer": "answered a question about accesses", "case-dispute": "said that an access was somebody else's",
	"case-close": "closed a case", "case-reopen": "opened a closed case again", "case-names": "asked for the names of the patients of a case",
	"downtime-begin": "put the whole site into a declared downtime", "downtime-end": "ended a declared downtime", "downtime-drawn": "drew openings of a downtime to look at",
	"case-mute":   "asked to leave a suspicion alone",
	"recertify":   "answered, or had asked, who still needs what",
	"acknowledge": "took note of a cut", "reason": "gave a reason for an opening", "question": "asked about an opening",
}

// kindActs say kinds of which the interaction adds nothing.
var kindActs = map[audit.Kind]string{
	audit.Opened: "began this record", audit.Started: "started", audit.Heartbeat: "noted that nothing happened", audit.Policy: "published rules",
	audit.Setting: "changed a setting", audit.Keys: "worked on keys", audit.Redaction: "removed a part of an entry, for a reason that it states",
	audit.Journal: "worked on the emergency journal", audit.Cut: "closed a record that outside evidence contradicts", audit.Acknowledged: "took note of a cut",
	audit.Counters: "wrote down how many entries each chart has", audit.Clock: "noted a state of the clock", audit.Node: "joined or left", audit.Job: "did a step of its work",
	audit.Message: "sent or read a message", audit.Casework: "worked on a review", audit.LogRead: "read the record of accesses", audit.Session: "changed a session",
	audit.People: "changed who may sign in",
}

var writeActs = map[string]string{"undo": "took back", "create": "wrote", "update": "changed", "patch": "changed", "delete": "deleted", "transaction": "wrote", "batch": "wrote", "import": "took in"}

// act says what an entry did, in the past tense.
func act(l access.Line) string {
	what := cmp.Or(parts(l.Groups), "a chart")
	records := ""
	if l.Records > 0 {
		records = ", " + look.Plural(int64(l.Records), "record", "records")
	}
	switch l.Kind {
	case audit.Refusal:
		return "asked for " + asked(l) + " and did not get it"
	case audit.Intent:
		return "is about to write: " + cmp.Or(writeActs[l.Interaction], "wrote") + " " + cmp.Or(parts(l.Groups), "data") + records
	case audit.Conclusion:
		if l.Outcome != 0 {
			return "could not store what was to be written"
		}
		return "stored what was to be written" + records
	case audit.Search:
		return "searched, without a hit that is shown"
	case audit.Export:
		return "took a copy out" + records
	case audit.Import:
		return "took records in" + records
	case audit.Disclosure, audit.Emergency:
		return opening(l, what) + records
	}
	if said, ok := interactionActs[l.Interaction]; ok {
		if l.Kind == audit.Session && l.Outcome != 0 {
			return "failed to sign in"
		}
		return said
	}
	return cmp.Or(kindActs[l.Kind], "did something of the kind "+l.Kind.String())
}

// opening says how records were opened.
func opening(l access.Line, what string) string {
	switch l.Interaction {
	case "find":
		if l.Class == audit.Incidental {
			return "saw who is who in a list"
		}
		return "saw who a patient is"
	case "print":
		return "printed " + what
	case "export":
		return "took a copy of " + what
	case "vread":
		return "read an earlier version of " + what
	case "history-instance":
		return "read the history of " + what
	case "search-type":
		return "searched in " + what
	}
	if l.PatientID == "" {
		return "read data of no patient"
	}
	return "opened " + what
}

// asked says what was refused.
func asked(l access.Line) string {
	switch l.Interaction {
	case "glass":
		return "a closed chart"
	case "people", "people-agree", "settings", "settings-read", "integrity", "people-list":
		return "an administrative page"
	case "audit-read", "audit-verify", "glass-review":
		return "the record of accesses"
	case "cases", "case-work", "mute", "mute-agree":
		return "the cases of the privacy office"
	}
	return cmp.Or(parts(l.Groups), "something")
}

// actor is the name of who acted.
func actor(l access.Line) string { return looking{l}.who() }

// actorRole is the role of who acted, as it was then.
func actorRole(l access.Line) string {
	if l.Agent.Person == "" {
		return "System"
	}
	return roleNames[l.Agent.Role]
}

// marks are what an entry is marked with in lists.
func marks(l access.Line) []look.Mark {
	var out []look.Mark
	switch {
	case l.Glass && l.Kind == audit.Glass:
		code, _, _ := strings.Cut(l.Text, ": ")
		out = append(out, look.Mark{Icon: "lock-open", Text: "Glass: " + code})
	case l.Glass:
		out = append(out, look.Mark{Icon: "lock-open", Text: "Behind the glass"})
	case l.Unexplained:
		out = append(out, look.Mark{Tone: look.Warn, Text: "No reason found"})
	}
	if l.Kind == audit.Refusal {
		out = append(out, look.Mark{Text: "Refused"})
	} else if l.Outcome != 0 {
		out = append(out, look.Mark{Tone: look.Warn, Text: "Failed"})
	}
	return out
}

// outcomeWords name how an act ended. Source: https://hl7.org/fhir/R4/valueset-audit-event-outcome.html.
var outcomeWords = map[int]string{0: "Done", 4: "Did not succeed", 8: "Refused", 12: "Failed"}

// purposeWords name purposes of use. Source: https://terminology.hl7.org/ValueSet-v3-PurposeOfUse.html.
var purposeWords = map[string]string{
	"TREAT": "Treatment", "ETREAT": "Emergency treatment", "BTG": "Treatment behind broken glass", "HPAYMT": "Billing", "HOPERAT": "Running the hospital",
	"PATRQT": "The patient's own request", "HCOMPL": "Looking after privacy", "HSYSADMIN": "Work of the system", "HRESCH": "Research", "PUBHLTH": "Public health",
}

var classWords = map[string]string{audit.Deliberate: "Deliberate", audit.Incidental: "In passing, a row of a list", audit.Machine: "By the system itself"}

var capacityWords = map[string]string{identity.StaffCapacity: "as staff", identity.PatientCapacity: "as a patient"}

var zoneWords = map[string]string{"hospital": "In the hospital", "vpn": "By the hospital's own network, from outside", "public": "At a public screen", "internet": "On the internet"}

var assuranceWords = map[int]string{1: "One factor", 2: "Two factors", 3: "Security key"}
