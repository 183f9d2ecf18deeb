package access

import (
	"context"
	"slices"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/tlog"
)

// Integrity is how the log stands, for those who look after it.
type Integrity struct {
	audit.State
	Head           []byte          // newest signed note
	Checkpoint     tlog.Checkpoint // what it says; zero when the log is out of order
	Verifier       string          // public key of the log, in the form that outside verifiers take
	Last           time.Time       // when the newest entry was recorded
	Alarms         Alarms          // rows beside the records that were met and did not hold
	MayAcknowledge bool            // p may take note of a cut, at most a fresh factor away
	Entry          string
}

// Alarms are the rows beside the records that were met since the server started and that it did not write, or not like that. None of them
// counted; each is an entry of the log.
type Alarms struct {
	Count  int      // different rows
	Newest []string // at most 20, newest first: "care_edge row 17"
}

// Integrity tells how the log stands. Errors: outcome.Forbidden.
func (g *Gate) Integrity(ctx context.Context, p Principal) (Integrity, error) {
	logged, err := g.readLog(ctx, p, policy.AuditVerify)
	if err != nil {
		return Integrity{}, err
	}
	out := Integrity{State: g.log.State(), Head: g.log.Head(), Verifier: g.log.Verifier(), Alarms: g.alarms(), Entry: logged.Entry()}
	if v, err := tlog.ParseVerifier(out.Verifier); err == nil {
		if out.Checkpoint, _, err = tlog.OpenCheckpoint(out.Head, v); err != nil {
			return Integrity{}, outcome.Wrap("access: integrity", outcome.Invariant, "the newest head does not hold: verify the log", err)
		}
	}
	newest, err := g.log.Range(ctx, audit.Span{}, audit.Page{Limit: 1})
	if err == nil && len(newest) == 1 {
		out.Last = newest[0].Recorded
	}
	s, err := g.relate(ctx, p, chart{})
	if err != nil {
		return Integrity{}, err
	}
	out.MayAcknowledge = g.decide(s, policy.Integrity, policy.Resource{}).Allowed ||
		slices.Contains(g.policy.Ways(s.request(policy.Integrity, policy.Resource{})), outcome.StepUp)
	return out, nil
}

// ReadSettings decides about reading what the installation is set to, and writes that it was read. It gives the entry. Errors:
// outcome.Forbidden.
func (g *Gate) ReadSettings(ctx context.Context, p Principal) (entry string, err error) {
	s, d, err := g.May(ctx, p, policy.SettingsRead)
	if err != nil {
		return "", err
	}
	e := s.event("settings-read", "R")
	e.Kind, e.PolicyHash = audit.Setting, d.Hash
	logged, err := g.log.Note(ctx, e)
	return logged.Entry(), err
}

// Verified is one check of the whole log.
type Verified struct {
	*audit.Report
	At    time.Time
	Took  time.Duration
	Entry string // of the check
}

// VerifyNow recomputes the whole log and compares it with the heads kept outside and with every stored record. The check is an entry
// before it begins. One runs at a time. Errors: outcome.Forbidden; outcome.Lock while another check runs; outcome.NotSupported where
// the server was built without it.
func (g *Gate) VerifyNow(ctx context.Context, p Principal) (Verified, error) {
	if g.verify == nil {
		return Verified{}, outcome.New(outcome.NotSupported, "this server cannot verify by itself: use `chartwarden audit verify`")
	}
	logged, err := g.readLog(ctx, p, policy.AuditVerify)
	if err != nil {
		return Verified{}, err
	}
	if !g.verifying.TryLock() {
		return Verified{}, outcome.New(outcome.Lock, "a check of the whole log is running already: its result appears here")
	}
	defer g.verifying.Unlock()
	began := time.Now()
	report, err := g.verify(ctx)
	return Verified{report, g.now(), time.Since(began), logged.Entry()}, err
}

// AcknowledgeCut takes note, as a person, that outside evidence contradicts an earlier log; what waited for it goes on.
// Errors: outcome.Forbidden, with the way forward where a fresh factor would do.
func (g *Gate) AcknowledgeCut(ctx context.Context, p Principal) error {
	s, d, err := g.May(ctx, p, policy.Integrity)
	if err != nil {
		return err
	}
	e := s.event("acknowledge", "E")
	e.PolicyHash = d.Hash
	_, err = g.log.Acknowledge(ctx, e)
	return err
}

// AuditDetail is one entry of the log with what proves it.
type AuditDetail struct {
	audit.Read
	Line       Line
	Rules      []policy.Reason // the permits of the entry, as they are worded today
	Bytes      []byte          // the entry as the log keeps it: what the proof is about; nil when there is no proof
	Proof      tlog.Proof      // path and signed head
	Checkpoint tlog.Checkpoint // what the head says
	Proven     bool            // path and signature were recomputed and hold
	Verifier   string          // public key to check the head with
	Reading    string          // the entry of this reading
}

// prove adds the inclusion proof, under the newest head of the log that the entry is in.
func (g *Gate) prove(ctx context.Context, out *AuditDetail) error {
	var err error
	out.Verifier = g.log.VerifierOf(out.Index)
	if out.Bytes, out.Proof, err = g.log.InclusionProof(ctx, out.Index); err != nil {
		if outcome.Is(err, outcome.NotFound) || outcome.Is(err, outcome.NoStore) {
			return nil
		}
		return err
	}
	v, err := tlog.ParseVerifier(out.Verifier)
	if err != nil {
		return nil // its key is not to be trusted: a verification says why
	}
	checkpoint, _, err := out.Proof.Check(out.Bytes, v)
	out.Checkpoint, out.Proven = checkpoint, err == nil
	return nil
}
