// Package identity knows the people of an installation: who they are, how they prove it, and the sessions they then hold.
//
// A [Person] may be staff, a patient, or both; a [Session] acts in exactly one of these capacities. A person signs in with a
// [Passkey], or with a password and a code of an authenticator app; either is set on one page behind a one-time enrolment link. The
// session is one row, found by the SHA-256 of an opaque token:
//
//	people, err := identity.Open(ctx, identity.Options{DB: records, Box: ring.Box("identity"), Trail: log})
//	options, err := people.AskPasskey(ctx, arrival)   // to the browser, whose answer is the attempt
//	opened, err := people.SignIn(ctx, identity.Attempt{Passkey: answer, From: arrival})
//	opened, err := people.SignIn(ctx, identity.Attempt{Person: "maren.okafor", Password: p, Code: c, From: arrival})
//	session, err := people.Authenticate(ctx, token)   // every request; a fraction of a microsecond when fresh
//	people.Touch(session, page)                       // only for what the person did, never for polling
//
// What holds:
//   - Kill is one number. [Store.Terminate] and [Store.Kill] raise the person's epoch, and each session of an older epoch is dead: at
//     once in this process, within a second in any other on the same files. Streams authenticate again each second.
//   - A session locks, it does not end: [Store.Lock] or idleness hides it, [Store.Unlock] brings back page and drafts for one factor.
//     Somebody else at the same screen gets an own place, never the draft. The hard end comes after 12 hours.
//   - A code counts once, by compare-and-set in the transaction that uses it. Guessing is slowed per person and place, and never in
//     a way that lets others keep a clinician out.
//   - A challenge for a passkey is kept here and counts once. A passkey that says of itself what it did not say when it was made, or
//     whose counter goes back, opens nothing, and is never made to fit. Nobody's failures slow it.
//   - Nobody is left without a way in: the last factor stays, ten recovery codes lead to a new factor: the session behind it
//     has no fresh proof until that factor is used. What is done to somebody's sign-in is told to that person ([Notice]), and the session that
//     did it cannot put that aside.
//   - A step-up is a code or a passkey: a password alone opens a lock, never what asks for a fresh factor.
//   - Rights need two people. Outside a sandbox a clinical role or a clearance waits as a [Pending] item for somebody else
//     ([Store.Approve]); a lost phone or password is reset by two people, neither of them its owner.
//   - So does what other packages do and nobody may do alone ([Store.Ask], [Store.Agree]): it is kept here until somebody else agrees.
//   - A token of an app is a handle to an [Authorization], stored as its SHA-256. It dies with the authorization, with the person's
//     epoch, with the [Client]: the database is asked each time.
//   - Audit first, then act. A sign-in, lock, unlock, sign-out or termination goes on when the log has no store: its event is kept,
//     sealed, in the same transaction, and appended when the log is back. Everything else waits. A command line beside a running
//     server has no log; all its events are kept so, and the server appends them within a second.
//
// Names, references, roles, secrets, pages and drafts are sealed in the database; ids, states and times are not. Whether a person may
// do what a method does is not asked here: the door and the policies decide before they call.
package identity

import (
	"context"
	"crypto/rsa"
	"embed"
	"encoding/json"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"database/sql"

	"chartwarden/internal/audit"
	"chartwarden/internal/db"
	"chartwarden/internal/outcome"
	"chartwarden/internal/posture"
	"chartwarden/internal/seal"

	"github.com/go-webauthn/webauthn/webauthn"
)

//go:embed migrations
var embedded embed.FS

// Trail is where acts become audit entries before they happen; *audit.Log is one.
type Trail interface {
	Note(ctx context.Context, e audit.Event) (audit.Logged, error)
}

// Zone is where a session may be used from, as far as locking and guessing go.
type Zone struct {
	Idle    time.Duration // a session locks after that long without a deliberate act; 0: ten minutes
	Writing time.Duration // the same where something is being written; 0: as Idle
	Shared  bool          // people take turns at its workstations: a locked screen names them
	Inside  bool          // the hospital's own: strangers' failures do not slow people here
}

// Options are the parts and rules of a store. DB (records.db) and Box are required.
type Options struct {
	DB      *db.DB
	Box     *seal.Box
	Trail   Trail // nil in a process beside the one that has the log: its events are stored with its acts, and that one appends them
	Sandbox bool  // no second person needed; test credentials and Enter exist
	Now     func() time.Time
	Zones   map[string]Zone                          // nil: hospital and vpn inside, public locks after 2 minutes
	Issuer  string                                   // what an authenticator app shows beside the code; "" is Chartwarden
	Site    string                                   // address as browsers see this server, to which passkeys are bound; "": there are none
	Ripe    time.Duration                            // how old the newest factor of a second person must be; 0: 24 hours, in a sandbox none
	House   func(name string) (of []string, ok bool) // the roles that a role of the house is of, by the rules in force; nil: there is none
	Agrees  func(Person) bool                        // whether the rules in force let her be the second person of a change of people; nil: who has the role may
	Demands posture.Demands                          // on a managed device; zero: posture.Usual
	Logger  *slog.Logger                             // faults of background work; never names
	Altered func(table string, row int64)            // told of each row that this program did not write, each time it is met; may be nil
}

const (
	idleDefault = 10 * time.Minute
	hardEnd     = 12 * time.Hour
	freshness   = time.Second / 2 // how long a look at the database is trusted: the other half is for what lies between
	flushEvery  = time.Minute
	settleEvery = time.Second
	ripeDefault = 24 * time.Hour
)

var zonesDefault = map[string]Zone{"hospital": {Inside: true}, "vpn": {Inside: true}, "public": {Idle: 2 * time.Minute}, "internet": {}}

// Store keeps people, credentials and sessions in records.db. All methods are safe for concurrent use, also by several processes on
// the same files.
type Store struct {
	o         Options
	db        *db.DB
	box       *seal.Box
	tags      tags
	now       func() time.Time
	hasher    *hasher
	throttle  *throttle
	owedKey   seal.KeyID
	clientKey seal.KeyID
	actKey    seal.KeyID
	deviceKey seal.KeyID

	party        *webauthn.WebAuthn // what passkeys are bound to; nil: there are none
	challengeKey seal.KeyID
	asking       asked

	session *sql.Stmt // the hot read: a session with its person

	aliased aliased

	mu    sync.Mutex
	cache map[tokenHash]*live
	gen   uint64 // counts kills and changes here, so that an older read is not cached after them

	signing  sync.Mutex
	signer   *rsa.PrivateKey // of identity tokens, once it was needed
	signerID string

	stop    chan struct{}
	stopped chan struct{}
	once    sync.Once
}

// Open brings the tables up to date and starts the minute's work: storing idle times, appending owed events, forgetting what is
// old. Call Close to stop. Errors: as db.Migrate and seal.Box.Key.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Zones == nil {
		o.Zones = zonesDefault
	}
	if o.Issuer == "" {
		o.Issuer = "Chartwarden"
	}
	if o.Ripe == 0 && !o.Sandbox {
		o.Ripe = ripeDefault
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Altered == nil {
		o.Altered = func(string, int64) {}
	}
	files, err := fs.Sub(embedded, "migrations")
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, o.DB, "identity", files); err != nil {
		return nil, err
	}
	s := &Store{o: o, db: o.DB, box: o.Box, tags: newTags(o.Box), now: o.Now, hasher: newHasher(usual), throttle: &throttle{clocks: map[clockKey]*clock{}},
		cache: map[tokenHash]*live{}, stop: make(chan struct{}), stopped: make(chan struct{})}
	if s.owedKey, err = o.Box.Key(ctx, 0, "backlog"); err != nil {
		return nil, err
	}
	if s.clientKey, err = o.Box.Key(ctx, 0, "client"); err != nil {
		return nil, err
	}
	s.party = newParty(o.Site, o.Issuer)
	if s.challengeKey, err = o.Box.Key(ctx, 0, "challenge"); err != nil {
		return nil, err
	}
	if s.actKey, err = o.Box.Key(ctx, 0, "act"); err != nil {
		return nil, err
	}
	if s.deviceKey, err = o.Box.Key(ctx, 0, "device"); err != nil {
		return nil, err
	}
	if s.session, err = s.db.Reader().PrepareContext(ctx, selectSession+` where s.token=?`); err != nil {
		return nil, outcome.Wrap("identity: open", outcome.NoStore, "the sessions cannot be read", err)
	}
	go s.run()
	return s, nil
}

// Close stores idle times and stops the background work. Sessions live on. The DB stays open.
func (s *Store) Close() error {
	s.once.Do(func() { close(s.stop) })
	<-s.stopped
	err := s.flush(context.Background())
	_ = s.session.Close()
	return err
}

// run does the background work until Close: owed events each second, for another process may owe; the rest each minute.
func (s *Store) run() {
	defer close(s.stopped)
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	minute, pause := s.now(), 0
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		if pause--; pause <= 0 {
			err := s.settle(context.Background())
			if s.report("append owed events", err); err != nil {
				pause = int(flushEvery / settleEvery)
			}
		}
		if now := s.now(); now.Sub(minute) >= flushEvery || now.Before(minute) {
			minute = now
			s.report("store idle times", s.flush(context.Background()))
			s.report("forget", s.forget(context.Background()))
		}
	}
}

func (s *Store) report(work string, err error) {
	if err != nil {
		s.o.Logger.Error("identity: background work failed", "work", work, "error", err)
	}
}

// forget deletes what has no use any more. Ended sessions stay a month, for "sessions of mine" and for reviewers.
func (s *Store) forget(ctx context.Context) error {
	now := s.now()
	ago := func(d time.Duration) int64 { return micros(now.Add(-d)) }
	const day = 24 * time.Hour
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		for _, f := range []struct {
			statement string
			before    int64
		}{
			{`delete from identity_session where ends_at<?`, ago(30 * day)},
			{`delete from identity_vouched where made_at<?`, ago(31 * day)},
			{`delete from identity_draft where saved_at<?`, ago(7 * day)},
			{`delete from identity_enrolment where expires_at<?`, ago(7 * day)},
			{`delete from identity_device_code where expires_at<?`, ago(7 * day)},
			{`delete from identity_challenge where expires_at<?`, ago(0)},
			{`delete from identity_notice where seen_at>0 and seen_at<?`, ago(30 * day)},
			{`delete from identity_place where seen_at<?`, ago(90 * day)},
			{`delete from identity_assertion where expires_at<?`, ago(0)},
			{`delete from identity_token where kind='access' and expires_at<?`, ago(day)},
			{`delete from identity_token where "authorization" in (select number from identity_authorization where ends_at<?)`, ago(day)},
			{`delete from identity_authorization where ends_at<? and not exists (select 1 from identity_token t where t.authorization=number)`, ago(30 * day)},
		} {
			if _, err := tx.Exec(f.statement, f.before); err != nil {
				return err
			}
		}
		return nil
	})
}

// aad binds sealed bytes to their place, so that swapped columns do not open.
func aad(what, id string) []byte { return []byte("identity/" + what + "/" + id) }

func sealJSON(box *seal.Box, k seal.KeyID, aad []byte, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, outcome.Wrap("identity: seal", outcome.Exception, "the data could not be written", err)
	}
	return box.Seal(nil, k, aad, plain)
}

func openJSON(box *seal.Box, aad, sealed []byte, v any) error {
	plain, err := box.Open(nil, aad, sealed)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(plain, v); err != nil {
		return outcome.Wrap("identity: open", outcome.Exception, "stored data cannot be read", err)
	}
	return nil
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func timeOf(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
