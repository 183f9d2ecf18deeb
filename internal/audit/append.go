package audit

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
)

// Disclose makes e durable as a permitted disclosure and returns the receipt that opens the record versions it names. When it returns
// nil, e survives a power cut and is under a signed head; when it returns an error nothing may be shown.
//
// It blocks for one group commit. When the log cannot be written, an explained or emergency read of charts is taken by the emergency
// journal instead; see [State]. Kind may be [Disclosure], [Export] or [LogRead]; zero means Disclosure.
//
// Errors: outcome.Invalid for an event that names no agent, no patient, or a patient twice; outcome.NoStore when neither log nor
// journal takes it; outcome.Transient to try again; outcome.Throttled beyond what the journal opens in an hour.
func (l *Log) Disclose(ctx context.Context, e Event) (Receipt, error) {
	if e.Kind == 0 {
		e.Kind = Disclosure
	}
	if e.Kind != Disclosure && e.Kind != Export && e.Kind != LogRead || e.Outcome != 0 || len(e.Patients) == 0 {
		return Receipt{}, invalid("a disclosure is a success and names what it discloses")
	}
	logged, err := l.append(ctx, e.Kind, e, nil)
	if err != nil {
		logged, err = l.journalize(ctx, e, err)
	}
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{newGrant(logged, l.boot, &e)}, nil
}

// Refuse makes durable that somebody asked and did not get. Outcome zero is made 8.
func (l *Log) Refuse(ctx context.Context, e Event) (Logged, error) {
	if e.Outcome == 0 {
		e.Outcome = 8
	}
	return l.append(ctx, Refusal, e, nil)
}

// Intend makes durable that a write is about to happen, with the hash of what will be stored for each record. The write follows, then
// [Log.Conclude] with the index returned here. An intent without conclusion is listed by [Log.Dangling].
func (l *Log) Intend(ctx context.Context, e Event) (Logged, error) {
	return l.append(ctx, Intent, e, func(tx *sql.Tx, first Index) error {
		_, err := tx.Exec(`insert into intent(at) values(?)`, first)
		return err
	})
}

// Conclude makes durable how an intended write ended: Outcome 0 says that it is stored.
func (l *Log) Conclude(ctx context.Context, e Event) (Logged, error) {
	if e.Intent == 0 {
		return Logged{}, invalid("a conclusion names its intent")
	}
	return l.append(ctx, Conclusion, e, func(tx *sql.Tx, _ Index) error {
		_, err := tx.Exec(`delete from intent where at = ?`, e.Intent)
		return err
	})
}

// Query makes durable that a search was put. Its hits are disclosures of their own.
func (l *Log) Query(ctx context.Context, e Event) (Logged, error) {
	logged, err := l.append(ctx, Search, e, nil)
	if err != nil {
		return l.journalize(ctx, e.of(Search), err)
	}
	return logged, nil
}

// noted are the kinds that callers may note: acts that open nothing and are not one of the other constructors' or the log's own.
var noted = []Kind{Session, Glass, People, Policy, Setting, Keys, Import, Export, LogRead, Clock, Node, Casework, Job, Message}

// Note makes durable any other act that matters: sign-in, glass, a change of a person or a policy, a step of a job, a case.
func (l *Log) Note(ctx context.Context, e Event) (Logged, error) {
	if !slices.Contains(noted, e.Kind) {
		return Logged{}, invalid("an entry of this kind is not noted: use the constructor that is made for it")
	}
	logged, err := l.append(ctx, e.Kind, e, nil)
	if err != nil {
		return l.journalize(ctx, e, err)
	}
	return logged, nil
}

func (e Event) of(k Kind) Event { e.Kind = k; return e }

func invalid(what string) error { return outcome.Wrap("audit: append", outcome.Invalid, what, nil) }

// append is the one way into the log.
func (l *Log) append(ctx context.Context, kind Kind, e Event, also func(*sql.Tx, Index) error) (Logged, error) {
	if l.boot.ended.Load() {
		return Logged{}, outcome.Wrap("audit: append", outcome.NoStore, "the server is stopping", nil)
	}
	if l.lost.Load() {
		return Logged{}, errLost
	}
	if l.batch == nil || l.d.Broken() != nil {
		if err := check(&e); err != nil {
			return Logged{}, err
		}
		return Logged{}, errNoLog
	}
	drafts, err := l.draft(ctx, kind, &e)
	if err != nil {
		return Logged{}, err
	}
	a := &act{drafts: drafts, also: also}
	if err := l.commit(ctx, a); err != nil {
		return Logged{}, err
	}
	return Logged{origin: l.writer.origin, index: a.first, count: int64(len(a.drafts))}, nil
}

// commit hands an act to the writer and publishes the head that came of it.
func (l *Log) commit(ctx context.Context, a *act) error {
	if err := l.hand(ctx, a); err != nil {
		if outcome.Is(err, outcome.Lock) {
			l.lost.Store(true)
			return errLost
		}
		if errors.Is(err, errForeignWrite) {
			l.altered.Store(true)
		}
		if outcome.Is(err, outcome.Transient) {
			return outcome.Wrap("audit: append", outcome.Transient, "please try again", err)
		}
		return outcome.Wrap("audit: append", outcome.NoStore, "the audit log cannot be written", errors.New(err.Error())) // whatever the engine calls it
	}
	return nil
}

// How long an append waits for a database server, and how long while the emergency journal serves already. What was given up may be
// stored all the same once the server answers: then an access stands in the log and among the merged entries of the journal.
const (
	patience  = 5 * time.Second
	impatient = 250 * time.Millisecond
)

var errSilent = outcome.New(outcome.NoStore, "the database does not answer")

// hand gives an act to the writer and waits until it is durable; for a server that stands still only so long.
func (l *Log) hand(ctx context.Context, a *act) error {
	do := func() error {
		err := l.batch.Do(ctx, a)
		if err == nil {
			l.publish(a)
		}
		return err
	}
	if l.d.Engine() == db.SQLite {
		return do()
	}
	done := make(chan error, 1)
	go func() { done <- do() }()
	wait := patience
	if l.journaling.Load() {
		wait = impatient
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return errSilent
	}
}

// publish makes known the state of the log with an act in it.
func (l *Log) publish(a *act) {
	l.recent.offer(a.held.added)
	for {
		now := l.head.Load()
		if now.end() >= a.held.end() {
			return
		}
		if l.head.CompareAndSwap(now, a.held) {
			l.grown.raise()
			l.recovered()
			return
		}
	}
}

// draft does everything about an event that needs no order: checks, keys, sealing, and loading the chains that it will extend.
func (l *Log) draft(ctx context.Context, kind Kind, e *Event) ([]draft, error) {
	if err := check(e); err != nil {
		return nil, err
	}
	now := l.o.Now()
	if d := now.Sub(e.Time); d.Abs() < time.Second {
		e.Time = time.Time{} // the entry's own time says it
	}
	var flags byte
	if e.Imported != (Imported{}) {
		flags |= flagImported
	}
	agent := owner{ownerAgent, l.agentID(e.Agent.acting())}
	var out []draft
	rest := e.Patients
	for first := true; first || len(rest) > 0; first = false {
		n := min(len(rest), maxPatients)
		d := draft{kind: kind, flags: flags, owners: []place{{agent, 0}}}
		if !first {
			d.flags |= flagContinued
		}
		for i := range rest[:n] {
			if p := rest[i].Patient; p != 0 {
				d.owners = append(d.owners, place{owner{ownerPatient, int64(p)}, 1 + i})
			}
		}
		for _, o := range d.owners {
			if err := l.writer.load(l.store, o.owner); err != nil {
				return nil, err
			}
		}
		var err error
		if d.parts, d.commitment, err = sealParts(ctx, l.box, e, rest[:n], now); err != nil {
			return nil, err
		}
		out, rest = append(out, d), rest[n:]
	}
	return out, nil
}

// acting is the name of who acts: what chains, quotas and receipts go by.
func (a Agent) acting() string {
	switch {
	case a.Person != "":
		return "person " + a.Person
	case a.Client != "":
		return "client " + a.Client
	case a.Job != "":
		return "job " + a.Job
	}
	return ""
}

// agentID is the keyed name under which an agent stands in the look-up tables.
func (s *store) agentID(acting string) int64 {
	sum := s.box.PRF("agent", []byte(acting))
	return int64(binary.BigEndian.Uint64(sum[:]) >> 1)
}

func check(e *Event) error {
	if e.Agent.acting() == "" {
		return invalid("an event needs a person, a client or a job that acts")
	}
	if !slices.Contains([]int{0, 4, 8, 12}, e.Outcome) {
		return invalid("the outcome of an event is 0, 4, 8 or 12")
	}
	seen := make(map[fhir.PatientID]bool, len(e.Patients))
	for i := range e.Patients {
		p := &e.Patients[i]
		if p.Patient < 0 || seen[p.Patient] {
			return invalid("an event names each patient once")
		}
		seen[p.Patient] = true
		for _, r := range p.Records {
			if r.Version < 0 {
				return invalid("a version is not negative")
			}
		}
	}
	return nil
}
