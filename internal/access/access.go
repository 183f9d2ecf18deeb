// Package access is the one door: relate, decide, fetch sealed, append the audit entry, and only then open and mask.
//
// Nobody gets a patient's data except through a [Gate]: pages, the FHIR API, imports, jobs, administrators and the demo all hold a
// Gate and nothing below it. Each method runs the same five steps and says in its name which interaction it is:
//
//	found, err := gate.Read(ctx, access.Person(session), "Observation", id)
//	if err != nil { return err }            // refused: audited, and the error says what would help
//	found.Docs[0].AppendJSON(body)          // the entry found.Entry was durable before these bytes could exist
//
// A permit and a refusal are both entries. A refusal is an [outcome.Error] with the reason and, where there is one, the way forward.
// What a method returns is opened and masked; nothing else of it needs protecting by the caller but the wire.
// A Gate is safe for concurrent use.
package access

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/care"
	"chartwarden/internal/db"
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
)

// Options are the parts a Gate stands on; Now, Zone and what says so may be left out.
type Options struct {
	Records   *record.Store
	Care      *care.Graph
	Log       *audit.Log
	Policy    *policy.Enforced
	Persons   *identity.Store
	DB        *db.DB // records.db: grants and reviews live beside the records
	Grants    Tags   // of the rows of grants
	Words     Tags   // of the rows of words
	Downtimes Tags   // of the rows of downtimes
	Practices Tags   // of the rows that declare a practice
	Now       func() time.Time
	Zone      *time.Location // the site's time zone, for sentences
	Base      string         // the server's own FHIR base URL
	Sandbox   bool           // an installation for trials: exports of the log show its events without a second person
	Logger    *slog.Logger   // alarms (policy errors); never patient data
	// MostPatients bounds how many charts an import may bring in; 0: no bound. A sandbox has one: nobody runs a clinic on it.
	MostPatients int
	Quota        Quota                                        // of each backend service; what is zero is as [UsualQuota]
	Verify       func(context.Context) (*audit.Report, error) // recomputes log and records, for [Gate.VerifyNow]; may be nil
	Altered      func(table string, row int64)                // told of each row of a grant that this server did not write; may be nil
	Alarms       func() Alarms                                // what all parts were told so far, for [Gate.Integrity]; may be nil
}

// Gate is the door. Make one with [New]; it lives as long as the server.
type Gate struct {
	records      *record.Store
	care         *care.Graph
	log          *audit.Log
	policy       *policy.Enforced
	persons      *identity.Store
	db           *db.DB
	grants       *grants
	tags         Tags // of grants
	words        *words
	counted      *counted // requests that wait for a person's answer
	asks         *chartAsks
	wordTags     Tags
	downtimes    *remembered[Downtime]
	downtimeTags Tags
	practices    *remembered[Practice]
	practiceTags Tags
	shields      *atomic.Pointer[shield] // the last one, for as long as identity gives the same people
	colleagues   *colleagues
	broken       *brokenGlasses
	now          func() time.Time
	zone         *time.Location
	base         string
	sandbox      bool
	logger       *slog.Logger
	pace         *pace
	quotas       *quotas
	most         int // patients that an import may bring in; 0: no bound

	altered   func(table string, row int64)
	alarms    func() Alarms
	verify    func(context.Context) (*audit.Report, error)
	verifying *sync.Mutex
	twins     *twins
	carrying  *sync.Mutex
	leaving   *sync.Mutex // held while events leave in clear
	// reconciling is held while reviews are closed by later facts.
	reconciling *sync.Mutex
	due         chan struct{} // something was approved
	handlers    map[string]ActHandler

	betweenBatches func() error // of an undo; only tests have one
	turns          *turns       // at deciding by a condition
}

// New opens the door: it brings the tables of grants and reviews up to date.
func New(ctx context.Context, o Options) (*Gate, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Altered == nil {
		o.Altered = func(string, int64) {}
	}
	if o.Alarms == nil {
		o.Alarms = func() Alarms { return Alarms{} }
	}
	if err := db.Migrate(ctx, o.DB, "access", migrations()); err != nil {
		return nil, err
	}
	held, err := o.DB.Reader().PrepareContext(ctx, heldGrants)
	if err != nil {
		return nil, outcome.Wrap("access: open", outcome.NoStore, "the grants cannot be read", err)
	}
	return &Gate{records: o.Records, care: o.Care, log: o.Log, policy: o.Policy, persons: o.Persons, db: o.DB, grants: &grants{read: held}, tags: o.Grants, words: &words{}, counted: &counted{}, asks: &chartAsks{}, wordTags: o.Words, downtimes: &remembered[Downtime]{}, downtimeTags: o.Downtimes, practices: &remembered[Practice]{}, practiceTags: o.Practices, shields: &atomic.Pointer[shield]{}, colleagues: &colleagues{}, broken: newBrokenGlasses(), altered: o.Altered, alarms: o.Alarms,
		now: o.Now, zone: o.Zone, base: o.Base, sandbox: o.Sandbox, logger: o.Logger, pace: newPace(), quotas: newQuotas(o.Quota), most: o.MostPatients, verify: o.Verify, verifying: &sync.Mutex{}, twins: &twins{}, carrying: &sync.Mutex{}, leaving: &sync.Mutex{}, reconciling: &sync.Mutex{}, due: make(chan struct{}, 1), handlers: map[string]ActHandler{}, turns: newTurns()}, nil
}

// Principal is who asks: a person on a session or by an app, a backend service, or a job of the server. The zero Principal may do
// nothing.
type Principal struct {
	Session *identity.Session
	App     *identity.Bearer // the token that the request came with; its scopes bound everything below
	Job     string
	Glass   string // reason code with which a closed chart is to be opened (X-Break-Glass); persons only
	taking  *takingBack
	asking  bool // for a restriction, or takes one back, as a patient on her own page
}

// Person is the principal of a signed-in session, in the session's capacity.
func Person(s *identity.Session) Principal { return Principal{Session: s} }

// App is the principal of a request with an access token: the person it acts for with the client beside her, or the client alone.
// Whatever policy permits such a principal is bounded by the scopes of the token.
func App(b *identity.Bearer) Principal { return Principal{Session: b.Session, App: b} }

// SignedIn reports whether somebody asks at all: a person, or a program with a token.
func (p Principal) SignedIn() bool { return p.Session != nil || p.App != nil }

// Job is the principal of work that no person asks for at that moment, such as "import". It has permits of its own, never the glass.
func Job(name string) Principal { return Principal{Job: name} }

// Disclosure is what the door gives: documents opened and masked, under the entry that preceded them.
type Disclosure struct {
	Docs    []*document.Doc
	Entry   string // "origin/index", for X-Audit-Entry
	Reason  Reason
	Patient string // logical id of the patient whose chart it is; empty for staff and system data
	Damaged int    // records that are there and were altered outside this server: they cannot be opened
}

// Reason is the one reason of an access: the proof, the explanation, and the sentence on the page.
type Reason struct {
	Template string // id in the fixed vocabulary (docs/formats/explanations.md); empty when nothing explains
	Sentence string // to the person who opens: "You are the attending physician ..."
	Patient  string // to the patient: "was your attending physician"
	Until    time.Time
	Permits  []string // ids of the permitting policies, sorted
	Glass    bool     // a live grant is among the permits' facts and nothing else explains
}

// Explained reports whether a relationship, not a grant, permitted the access.
func (r Reason) Explained() bool { return r.Template != "" && !r.Glass }

// chart names whose compartment a step is about.
type chart struct {
	number fhir.PatientID
	id     string // logical id of the Patient
}
