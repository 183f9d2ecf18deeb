package access

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/fhir"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// Some acts two people have to want: one asks, another agrees, and then the server carries the act out. identity keeps the request; what
// each act is, and who may ask and agree, is here and in the rules.

// The kinds of acts.
const (
	UndoAct     = "undo"
	ShredAct    = "shred"
	ExportAct   = "export"
	GrantAct    = "grant"    // let a person see field groups of a chart for a while
	PolicyAct   = "policy"   // enforce other rules; carried out by governance
	DowntimeAct = "downtime" // open closed charts by a declared downtime of the whole site
	PracticeAct = "practice" // count as a practice, perhaps with an outside reviewer
	MuteAct     = "mute"     // leave one suspicion about one person alone for a while; carried out by casework
)

// actRule is what holds for a kind of act.
type actRule struct {
	agree  string // policy action of the second person
	lapses time.Duration
	who    string // may agree, in words
	role   string // of the second person, where the rules alone would let others agree, too
}

var actRules = map[string]actRule{
	UndoAct:     {policy.UndoAgree, 24 * time.Hour, "a physician or a privacy officer", ""},
	ShredAct:    {policy.ShredAgree, 4 * time.Hour, "a privacy officer or another administrator", ""},
	ExportAct:   {policy.ExportAgree, 24 * time.Hour, "a privacy officer", ""},
	GrantAct:    {policy.GrantAgree, 24 * time.Hour, "a privacy officer", ""},
	PolicyAct:   {policy.PolicyAgree, 7 * 24 * time.Hour, "a privacy or security officer", ""},
	ActingAct:   {policy.Approvals, time.Hour, "the person herself, or another physician, administrator, privacy or security officer", ""},
	DowntimeAct: {policy.Approvals, time.Hour, "another physician, administrator, privacy or security officer", ""},
	PracticeAct: {policy.Approvals, 7 * 24 * time.Hour, "another physician, administrator, privacy or security officer", ""},
	MuteAct:     {policy.MuteAgree, 7 * 24 * time.Hour, "another privacy officer", ""},
	DeviceAct:   {policy.Approvals, 7 * 24 * time.Hour, "another administrator", identity.Administrator},
}

// agrees reports whether the rules let somebody be the second person of a kind of act.
func (g *Gate) agrees(s standing, kind string) bool {
	rule := actRules[kind]
	return (rule.role == "" || slices.Contains(s.who.Roles, rule.role)) && g.decide(s, rule.agree, policy.Resource{}).Allowed
}

// Approval is an act that two people have to want, and how far it came.
type Approval struct {
	ID        string
	Kind      string // UndoAct, ShredAct, ExportAct
	Reason    string
	AskedBy   string // id of a person; empty: the command line
	Asked     time.Time
	Lapses    time.Time
	State     string // open, lapsed, approved, refused, withdrawn, done
	DecidedBy string
	Who       string // may agree, in words
	Mine      bool   // the asker looks at it
	May       bool   // who looks at it may agree, as far as the rules know

	Person       string        // of an undo and of an export: whose work; of a practice: its outside reviewer
	Since, Until time.Time     // of an undo and of an export; of rules, Since is from when on they decide
	PatientID    string        // of a shred and of an export
	Case         string        // of a mute
	Groups       []string      // of a grant
	Lasts        time.Duration // of a downtime
	Policy       string        // of rules: the hash of the bundle
	Base         string        // of rules: the hash of those in whose place they come
	Says         string        // what it would do, as the entries have it
	Proposal     string        // of rules: the work that led to them
	Device       string        // of a device: its name
	Browser      string        // of a device: what its browser calls itself
	Zone         string        // of a device: where it was asked
}

// ActHandler is how another package carries out a kind of act. May is asked before somebody agrees; its refusal is told. Carry does it,
// once or again, and only then says that it is done.
type ActHandler struct {
	May   func(ctx context.Context, by identity.Person, a Approval) error
	Carry func(ctx context.Context, a Approval) error
}

// HandleAct gives a kind of act to who carries it out, before the server begins to work.
func (g *Gate) HandleAct(kind string, h ActHandler) { g.handlers[kind] = h }

// actBody is what an act is carried out by.
type actBody struct {
	Since, Until time.Time
	Patient      fhir.PatientID
	PatientID    string
	Person       string
	Case         string
	Groups       []string              `json:",omitempty"`
	Lasts        time.Duration         `json:",omitempty"`
	Device       *identity.AskedDevice `json:",omitempty"`
	Browser      string                `json:",omitempty"` // of a device: what it calls itself
	Zone         string                `json:",omitempty"` // of a device: where it was asked
	Policy       string
	Base         string `json:",omitempty"`
	Proposal     string
}

func bodyOf(it *identity.Pending) (b actBody) {
	_ = json.Unmarshal(it.Act.Body, &b) // sealed: it is what was written here
	return b
}

// parts name the patient of an act in its entries.
func (b actBody) parts() []audit.PatientPart {
	if b.Patient == 0 {
		return nil
	}
	return []audit.PatientPart{{Patient: b.Patient, Ref: "Patient/" + b.PatientID, Template: "review", Sentence: "decided with a second person about your records"}}
}

func (g *Gate) ask(ctx context.Context, p Principal, kind, about, says, reason string, b actBody) (Approval, error) {
	body, err := json.Marshal(b)
	if err != nil {
		return Approval{}, err
	}
	it, err := g.persons.Ask(ctx, p.agent(), identity.Act{Kind: kind, About: about, Reason: reason, Says: says, Patients: b.parts(), Body: body, Lapses: actRules[kind].lapses})
	if err != nil {
		return Approval{}, err
	}
	return g.approval(p, it), nil
}

func (g *Gate) approval(p Principal, it *identity.Pending) Approval {
	b := bodyOf(it)
	a := Approval{ID: it.ID, Kind: it.Kind, Reason: it.Reason, AskedBy: it.AskedBy, Asked: it.Asked, Lapses: it.Expires, State: it.State, DecidedBy: it.By,
		Who: actRules[it.Kind].who, Person: b.Person, Since: b.Since, Until: b.Until, PatientID: b.PatientID, Case: b.Case, Groups: b.Groups, Lasts: b.Lasts, Policy: b.Policy, Base: b.Base, Says: it.Act.Says, Proposal: b.Proposal}
	if a.Browser, a.Zone = b.Browser, b.Zone; b.Device != nil {
		a.Device = b.Device.Name
	}
	a.Mine = p.Session != nil && p.Session.Person.ID == it.AskedBy
	a.May = p.Session != nil && !a.Mine && it.Person != p.Session.Person.ID
	return a
}

// mayAsk reports how the asker of an act stands; the command line may ask for everything and agree to nothing.
func (g *Gate) mayAsk(ctx context.Context, p Principal, action string) (standing, error) {
	if p.Session == nil && p.Job == Operator {
		return g.relate(ctx, p, chart{})
	}
	s, _, err := g.May(ctx, p, action)
	return s, err
}

// Approvals lists the acts that wait and that p asked for or may agree to, oldest first, and those that were agreed to and are being
// carried out. Errors: outcome.Forbidden.
func (g *Gate) Approvals(ctx context.Context, p Principal) ([]Approval, error) {
	if err := g.Permit(ctx, p, policy.Approvals); err != nil {
		return nil, err
	}
	return g.approvals(ctx, p)
}

func (g *Gate) approvals(ctx context.Context, p Principal) (out []Approval, err error) {
	s, err := g.relate(ctx, p, chart{})
	if err != nil {
		return nil, err
	}
	for _, state := range []string{"open", "approved"} {
		acts, err := g.persons.Acts(ctx, state)
		if err != nil {
			return nil, err
		}
		for i := range acts {
			if _, ours := actRules[acts[i].Kind]; !ours {
				continue // those who treat the patient answer it
			}
			a := g.approval(p, &acts[i])
			agrees := g.agrees(s, a.Kind)
			if a.May = a.May && agrees; (agrees || a.Mine) && !a.hidden(p) {
				out = append(out, a)
			}
		}
	}
	return out, nil
}

// hidden reports whether p must not learn of an act: nobody learns of a suspicion about herself.
func (a Approval) hidden(p Principal) bool {
	return a.Kind == MuteAct && p.Session != nil && a.Person == p.Session.Person.ID
}

// AskMute asks that the suspicion of a case be left alone for a while. Whether it may be is for who carries it out to say, before.
// Errors: outcome.Forbidden; outcome.Required without a reason.
func (g *Gate) AskMute(ctx context.Context, p Principal, c, person, reason string) (Approval, error) {
	if _, err := g.mayAsk(ctx, p, policy.Mute); err != nil {
		return Approval{}, err
	}
	return g.ask(ctx, p, MuteAct, person, "leave the suspicion of case "+c+" alone for a while", reason, actBody{Person: person, Case: c})
}

// PolicyChange asks that other rules decide.
type PolicyChange struct {
	Hash     string    // of the bundle
	Base     string    // of the bundle in whose place it comes
	Proposal string    // the work that led to it
	Author   string    // id of the person who wrote it and therefore never agrees; empty: the command line
	Starts   time.Time // zero: at once
	Says     string    // what it would do, for the entries
	Reason   string
}

// AskPolicy asks that other rules decide. That they may is for who carries it out to say, before. Errors: outcome.Forbidden;
// outcome.Required without a reason.
func (g *Gate) AskPolicy(ctx context.Context, p Principal, c PolicyChange) (Approval, error) {
	if _, err := g.mayAsk(ctx, p, policy.PolicyPropose); err != nil {
		return Approval{}, err
	}
	return g.ask(ctx, p, PolicyAct, c.Author, c.Says, c.Reason, actBody{Since: c.Starts, Person: c.Author, Policy: c.Hash, Base: c.Base, Proposal: c.Proposal})
}

// ApprovalsWaiting counts the open acts to which p may agree, for the navigation; 0 for everybody else. A count is no reading.
func (g *Gate) ApprovalsWaiting(ctx context.Context, p Principal) (n int, err error) {
	s, err := g.relate(ctx, p, chart{})
	if err != nil || !g.decide(s, policy.Approvals, policy.Resource{}).Allowed {
		return 0, err
	}
	all, err := g.approvals(ctx, p)
	for _, a := range all {
		if a.May && a.State == "open" {
			n++
		}
	}
	return n, err
}

// ApprovalOf gives one act to whom it is listed, also after it was decided. Errors: outcome.Forbidden, outcome.NotFound.
func (g *Gate) ApprovalOf(ctx context.Context, p Principal, id string) (Approval, error) {
	s, _, err := g.May(ctx, p, policy.Approvals)
	if err != nil {
		return Approval{}, err
	}
	it, err := g.actOf(ctx, id)
	if err != nil {
		return Approval{}, err
	}
	if _, ours := actRules[it.Kind]; !ours {
		return Approval{}, outcome.New(outcome.NotFound, "there is no such item for you")
	}
	a := g.approval(p, it)
	agrees := g.agrees(s, a.Kind)
	if a.May = a.May && agrees; !agrees && !a.Mine || a.hidden(p) {
		return Approval{}, errNoItem
	}
	return a, nil
}

// errNoItem is said of an item that does not exist, and of one that is nothing to who asks.
var errNoItem = outcome.New(outcome.NotFound, "there is no such item for you: perhaps it was decided, or it lapsed")

func (g *Gate) actOf(ctx context.Context, id string) (*identity.Pending, error) {
	it, err := g.persons.Act(ctx, id)
	if outcome.Is(err, outcome.NotFound) {
		return nil, errNoItem
	}
	return it, err
}

// Approve is the word of the second person. The server carries the act out after it ([Gate.CarryOut]); an export is for who asked to
// run again.
//
// Errors: outcome.Forbidden for whom the rules do not let agree, for who asked, for whom it is done to, and as identity says of a second
// pair of eyes; outcome.NotFound when it was decided or lapsed; outcome.Lock while the log is cut.
func (g *Gate) Approve(ctx context.Context, p Principal, id string) (Approval, error) {
	it, err := g.mayAgree(ctx, p, id)
	if err == nil {
		err = g.uncut()
	}
	if err != nil {
		return Approval{}, err
	}
	if it, err = g.persons.Agree(ctx, p.agent(), id, bodyOf(it).parts()); err != nil {
		return Approval{}, err
	}
	select {
	case g.due <- struct{}{}:
	default: // it is awake already
	}
	return g.approval(p, it), nil
}

// Decline ends an act that waits, with a reason or without; who asked withdraws it so. Errors: as [Gate.Approve].
func (g *Gate) Decline(ctx context.Context, p Principal, id, reason string) error {
	it, err := g.actOf(ctx, id)
	if err != nil {
		return err
	}
	if p.Session == nil || it.AskedBy != p.Session.Person.ID {
		if it, err = g.mayAgree(ctx, p, id); err != nil {
			return err
		}
	}
	return g.persons.Disagree(ctx, p.agent(), id, reason, bodyOf(it).parts())
}

func (g *Gate) mayAgree(ctx context.Context, p Principal, id string) (*identity.Pending, error) {
	it, err := g.actOf(ctx, id)
	if err != nil {
		return nil, err
	}
	rule, known := actRules[it.Kind]
	if !known {
		return nil, outcome.New(outcome.NotSupported, "this item is of a kind that this version does not know")
	}
	s, _, err := g.May(ctx, p, rule.agree)
	if err != nil {
		return it, err
	}
	if !g.agrees(s, it.Kind) {
		return it, outcome.New(outcome.Forbidden, "to this agrees "+rule.who).Because("two-people")
	}
	if h, ok := g.handlers[it.Kind]; ok {
		err = h.May(ctx, s.principal.Session.Person, g.approval(p, it))
	}
	return it, err
}

// CarryOut does what two people wanted and is not done yet: one act after the other, each in steps that a kill cannot double. What fails
// stays for the next call. The error is of the first that failed.
func (g *Gate) CarryOut(ctx context.Context) error {
	g.carrying.Lock()
	defer g.carrying.Unlock()
	acts, err := g.persons.Acts(ctx, "approved")
	if err != nil {
		return err
	}
	var first error
	for i := range acts {
		if err := g.carry(ctx, &acts[i]); err != nil {
			g.logger.Error("what two people wanted could not be carried out; it is tried again", "item", acts[i].ID, "error", err)
			if first == nil {
				first = err
			}
		}
	}
	return first
}

func (g *Gate) carry(ctx context.Context, it *identity.Pending) (err error) {
	switch it.Kind {
	case UndoAct:
		_, err = g.carryUndo(ctx, it)
	case ShredAct:
		err = g.carryShred(ctx, it)
	case GrantAct:
		err = g.carryGrant(ctx, it)
	case DowntimeAct:
		err = g.carryDowntime(ctx, it)
	case PracticeAct:
		err = g.carryPractice(ctx, it)
	case DeviceAct:
		err = g.carryDevice(ctx, it)
	} // an export leaves by the hand of who asked, and who acts as another begins it herself
	h, ok := g.handlers[it.Kind]
	if !ok {
		return err
	}
	if err := h.Carry(ctx, g.approval(Principal{}, it)); err != nil {
		return err
	}
	return g.persons.Finish(ctx, audit.Agent{Job: it.Kind}, it.ID, wanted(it))
}

// CarryOutItem does what one item wants, for the command line, which waits for it, and says in what state it is then. Errors:
// outcome.NotFound; outcome.Conflict when nobody agreed to it.
func (g *Gate) CarryOutItem(ctx context.Context, p Principal, id string) (string, error) {
	if p.Job != Operator {
		return "", outcome.New(outcome.Forbidden, "the server carries out what is approved by itself")
	}
	it, err := g.persons.Act(ctx, id)
	switch {
	case err != nil:
		return "", err
	case it.Kind == ActingAct:
		return "", outcome.New(outcome.Conflict, "who asked begins it, on the page Acting")
	case it.Kind == ExportAct:
		return "", outcome.New(outcome.Conflict, "an export leaves by `audit export --approval`")
	case it.State != "approved" && it.State != "done":
		return "", outcome.New(outcome.Conflict, "this item is "+it.State+": only an approved one is carried out")
	}
	if it.State == "approved" {
		g.carrying.Lock()
		err = g.carry(ctx, it)
		g.carrying.Unlock()
		if err != nil {
			return "", err
		}
	}
	it, err = g.persons.Act(ctx, id)
	if err != nil {
		return "", err
	}
	return it.State, nil
}

// FollowApprovals carries out what is approved until ctx ends: at once, and what another node or an earlier process left within half a
// minute. What fails is tried again after a pause that doubles up to an hour: each try may leave entries in what patients read.
func (g *Gate) FollowApprovals(ctx context.Context) {
	const usual = 30 * time.Second
	for pause := usual; ; {
		if err := g.CarryOut(ctx); err != nil { // told
			pause = min(2*pause, time.Hour)
		} else {
			pause = usual
		}
		select {
		case <-ctx.Done():
			return
		case <-g.due:
		case <-time.After(pause):
		}
	}
}

// wanted says in the entries of an act who wanted it.
func wanted(it *identity.Pending) string {
	by := "the command line"
	if it.AskedBy != "" {
		by = "person " + it.AskedBy
	}
	return "item " + it.ID + ", asked by " + by + ", approved by person " + it.By
}
