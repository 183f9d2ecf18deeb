package audit

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/tlog"
	"chartwarden/internal/witness"
)

// outsider is a real witness beside a site, that can be taken away, made to lie, and told of more logs.
type outsider struct {
	t    testing.TB
	s    *site
	dir  string
	key  tlog.Verifier
	logs []tlog.Verifier
	w    atomic.Pointer[witness.Witness]
	http *httptest.Server
	lie  atomic.Pointer[lie]

	ahead time.Duration // of its clock, when it is told
}

// lie answers for a witness, or does not.
type lie func(http.ResponseWriter, *http.Request) bool

// lies makes the witness answer so from now on.
func (o *outsider) lies(f lie) { o.lie.Store(&f) }

// outsider starts a witness that the site knows by a name that is not this machine's.
func (s *site) outsider(name string) *outsider {
	s.t.Helper()
	o := &outsider{t: s.t, s: s, dir: filepath.Join(s.t.TempDir(), "witness")}
	signer, err := witness.MakeKey(o.dir, name)
	if err != nil {
		s.t.Fatal(err)
	}
	o.key = signer.Verifier()
	o.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if lie := o.lie.Load(); lie == nil || !(*lie)(w, r) {
			o.w.Load().Handler().ServeHTTP(w, r)
		}
	}))
	o.tell()
	s.t.Cleanup(func() { o.http.Close(); o.w.Load().Close() })
	elsewhere := &http.Client{Transport: toward{strings.TrimPrefix(o.http.URL, "http://")}}
	s.witnesses = append(s.witnesses, witness.Remote{URL: "https://" + name, Key: o.key, Client: elsewhere})
	return o
}

// toward sends every request to one address, as if that machine were another.
type toward struct{ address string }

func (a toward) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = "http", a.address
	return http.DefaultTransport.RoundTrip(r)
}

// tell starts the witness anew, for one more log.
func (o *outsider) tell(logs ...string) {
	o.t.Helper()
	for _, text := range logs {
		v, err := tlog.ParseVerifier(text)
		if err != nil {
			o.t.Fatal(err)
		}
		o.logs = append(o.logs, v)
	}
	if old := o.w.Load(); old != nil {
		old.Close()
	}
	w, err := witness.Open(witness.Options{Dir: o.dir, Logs: o.logs, Now: func() time.Time { return o.s.now.now().Add(o.ahead) }})
	if err != nil {
		o.t.Fatal(err)
	}
	o.w.Store(w)
}

func (o *outsider) away(w http.ResponseWriter, _ *http.Request) bool {
	w.WriteHeader(http.StatusBadGateway)
	return true
}

// visit is one round to the witnesses: when it returns, it is over.
func (s *site) visit() {
	s.visits <- time.Time{}
	s.visits <- time.Time{}
}

// witnessed is a site whose log a witness cosigns.
func witnessed(t *testing.T) (*site, *outsider) {
	t.Helper()
	s := newSite(t)
	key := s.start().Verifier()
	s.stop()
	o := s.outsider("witness.example")
	o.tell(key)
	return s, o
}

// The newest head goes out at the start, each round and at the end, and what comes back stands under what people are given.
func TestHeadsGoToTheWitness(t *testing.T) {
	t.Parallel()
	s, o := witnessed(t)
	l := s.start()
	state := l.State()
	if len(state.Witnesses) != 1 || state.Witnesses[0].Size == 0 || state.Witnesses[0].Trouble != "" || state.WitnessAge > time.Second || !state.Independent() || state.Disputed != "" {
		t.Fatalf("%+v", state)
	}
	first := disclose(t, l, reading(1, 1))
	s.visit()
	disclose(t, l, reading(1, 2))
	log, _ := tlog.ParseVerifier(l.Verifier())
	at := first.Logged().Index()
	entry, proof, err := l.InclusionProof(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	if _, held, err := proof.Check(entry, log, o.key); err != nil || len(held) != 2 {
		t.Fatalf("the receipt is not under a cosigned head: %+v %v", held, err)
	}
	newest := l.State().Size - 1
	entry, proof, err = l.InclusionProof(t.Context(), indexOf(0, newest))
	if err != nil {
		t.Fatal(err)
	}
	if _, held, err := proof.Check(entry, log, o.key); err != nil || len(held) != 1 {
		t.Fatalf("an entry beyond the cosigned head: %+v %v", held, err)
	}
	if bytes.Contains(l.Head(), []byte("witness.example")) {
		t.Error("a head that nobody saw carries a cosignature")
	}
	s.stop()
	s.d = s.database("audit.db")
	head, err := Newest(t.Context(), s.d, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, held, err := tlog.OpenCheckpoint(head, log, o.key); err != nil || len(held) != 2 {
		t.Errorf("the last head was not brought to the witness: %s %v", head, err)
	}
	cosigned, err := Newest(t.Context(), s.d, true)
	if err != nil || !bytes.Equal(cosigned, head) {
		t.Errorf("%s %v", cosigned, err)
	}
	if rows, err := cosignedHeads(t.Context(), s.d.Reader(), 0, indexOf(1, 0), 100); err != nil || len(rows) != 1 {
		t.Errorf("of one hour %d cosigned heads are kept: %v", len(rows), err)
	}
}

// aboutWitnesses is what entries of the log say about its witnesses, newest first.
func aboutWitnesses(t *testing.T, l *Log) (out []string) {
	t.Helper()
	reads, err := l.Range(t.Context(), Span{Kinds: []Kind{Job}}, Page{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range reads {
		if r.Event.Interaction == "witness" {
			out = append(out, r.Event.Text)
		}
	}
	return out
}

// A witness on this machine is none whose absence, or whose presence, says anything; what it contradicts is told all the same.
func TestAWitnessHereRaisesNoAlarmOfAbsence(t *testing.T) {
	t.Parallel()
	s, o := witnessed(t)
	s.witnesses[0].URL = "http://localhost:1"
	l := s.start()
	s.now.add(16 * time.Minute)
	s.visit()
	s.visit()
	if state := l.State(); state.Independent() || state.Witnesses[0].Trouble != "" {
		t.Fatalf("%+v", state)
	}
	if got := aboutWitnesses(t, l); len(got) != 0 {
		t.Errorf("%q", got)
	}
	o.lies(claims("1000000"))
	s.visit()
	s.visit()
	o.lie.Store(nil)
	s.visit()
	s.visit()
	if got := aboutWitnesses(t, l); len(got) != 2 || !strings.Contains(got[1], "entries are missing") || !strings.Contains(got[0], "witnessed again") {
		t.Errorf("%q", got)
	}
}

// A witness whose clock runs ahead has not seen the log in the future.
func TestAWitnessesClockIsNotBelievedBeyondNow(t *testing.T) {
	t.Parallel()
	s, o := witnessed(t)
	o.ahead = 72 * time.Hour
	o.tell()
	s.start()
	s.stop()
	o.lies(o.away)
	s.now.add(time.Minute)
	l := s.start()
	s.now.add(2 * time.Minute)
	if state := l.State(); state.Witnesses[0].Size == 0 || state.Witnesses[0].At.After(s.now.now()) || state.WitnessAge < 2*time.Minute {
		t.Errorf("%+v", state)
	}
	r, err := Verify(t.Context(), s.d, VerifyOptions{Box: s.ring.Box("audit"), Keys: []string{o.key.String()}, Offline: true, Now: s.now.now})
	if err != nil || !r.Holds() || !slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, ", 0s ago") }) {
		t.Errorf("%v %v", r, err)
	}
}

// A witness that states less than its own signature covers shows as trouble, and gets no second history of the log.
func TestAWitnessThatForgotShows(t *testing.T) {
	t.Parallel()
	s, o := witnessed(t)
	l := s.start()
	disclose(t, l, reading(1, 1))
	o.lies(claims("0"))
	s.visit()
	if state := l.State(); !strings.Contains(state.Witnesses[0].Trouble, "lost what it knew") || state.Disputed != "" {
		t.Errorf("%+v", state)
	}
	s.stop()
	if state := s.start().State(); !strings.Contains(state.Witnesses[0].Trouble, "lost what it knew") || state.Cut {
		t.Errorf("%+v", state)
	}
}

// Of each hour the newest head of each witness is kept, also when now this one signs and now that.
func TestWitnessesThatTakeTurnsFillNoDisk(t *testing.T) {
	t.Parallel()
	s, o := witnessed(t)
	second := s.outsider("second.example")
	second.tell(o.logs[0].String())
	l := s.start()
	for i := range 10 {
		o.lies(o.away)
		second.lie.Store(nil)
		if i%2 == 0 {
			o.lie.Store(nil)
			second.lies(second.away)
		}
		disclose(t, l, reading(1, 1))
		s.visit()
	}
	rows, err := cosignedHeads(t.Context(), s.d.Reader(), 0, indexOf(1, 0), 100)
	if err != nil || len(rows) > 3 {
		t.Errorf("%d heads are kept: %v", len(rows), err)
	}
	log, _ := tlog.ParseVerifier(l.Verifier())
	var notes [][]byte
	for _, h := range rows {
		notes = append(notes, h.note)
	}
	for i, w := range l.State().Witnesses {
		if size, _ := newestVouched(notes, log, s.witnesses[i].Key); size != w.Size {
			t.Errorf("of %s the head of %d entries is kept, it signed %d", w.Name, size, w.Size)
		}
	}
}

// A witness that is away, slow to be told or lying stops nothing: it shows, and after a while it is an alarm and an entry.
func TestAWitnessThatIsAwayStopsNothing(t *testing.T) {
	t.Parallel()
	s, o := witnessed(t)
	o.lies(o.away)
	l := s.start()
	if state := l.State(); state.Cut || state.Witnesses[0].Trouble == "" || state.Witnesses[0].Size != 0 || !state.Witnesses[0].At.IsZero() {
		t.Fatalf("%+v", state)
	}
	defer func() { // what it signed before is known after a restart
		s.stop()
		o.lies(o.away)
		s.now.add(2 * time.Minute)
		if state := s.start().State(); state.Witnesses[0].Size == 0 || state.WitnessAge < 2*time.Minute || state.WitnessAge > 4*time.Minute {
			t.Errorf("%+v", state)
		}
	}()
	disclose(t, l, reading(1, 1))
	s.now.add(16 * time.Minute)
	s.visit()
	s.visit()
	if state := l.State(); state.WitnessAge < 15*time.Minute || state.Disputed != "" {
		t.Fatalf("%+v", state)
	}
	if got := aboutWitnesses(t, l); len(got) != 1 || !strings.Contains(got[0], "quarter of an hour") {
		t.Errorf("%q", got)
	}
	o.lies(func(w http.ResponseWriter, _ *http.Request) bool { // it signs something else
		_, _ = io.WriteString(w, "— witness.example AAAAAAAAAAAA\n")
		return true
	})
	s.visit()
	if state := l.State(); state.WitnessAge < 15*time.Minute || !strings.Contains(state.Witnesses[0].Trouble, "not signed by the key") {
		t.Errorf("%+v", state)
	}
	o.lie.Store(nil)
	s.visit()
	s.visit()
	if state := l.State(); state.WitnessAge > time.Minute || state.Witnesses[0].Trouble != "" {
		t.Errorf("%+v", state)
	}
	if got := aboutWitnesses(t, l); len(got) != 2 || !strings.Contains(got[0], "witnessed again") {
		t.Errorf("%q", got)
	}
	disclose(t, l, reading(1, 2))
}

// A whole directory, head file and all, that was set back agrees with itself. The witness does not: the log is cut at the next start,
// and a verification with nothing but the witness's key names it.
func TestAWholeDirectoryThatWasSetBackIsFound(t *testing.T) {
	t.Parallel()
	s, o := witnessed(t)
	l := s.start()
	for range 5 {
		disclose(t, l, reading(1, 1))
	}
	s.stop()
	all := []string{"audit.db", "heads", "journal"}
	old := s.copyDir(all...)
	l = s.start()
	for range 5 {
		disclose(t, l, reading(1, 2))
	}
	s.stop()
	kept := s.copyDir(all...)
	s.rollBack(old)

	check := func(o VerifyOptions) *Report {
		t.Helper()
		d := s.database("audit.db")
		defer d.Close()
		o.Box, o.Now = s.ring.Box("audit"), s.now.now
		r, err := Verify(t.Context(), d, o)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	heads, err := os.ReadFile(s.path("heads"))
	if err != nil {
		t.Fatal(err)
	}
	if r := check(VerifyOptions{Heads: heads}); !r.Holds() {
		t.Fatalf("the old directory does not agree with itself: %v", r.Faults)
	}
	r := check(VerifyOptions{Heads: heads, Witnesses: s.witnesses})
	if r.Holds() || !strings.Contains(r.Faults[0].What, "entries are missing") || r.Faults[0].Index < 0 {
		t.Errorf("the witness was asked and nothing is named: %v %v", r.Faults, r.Notes)
	}
	r = check(VerifyOptions{Keys: []string{o.key.String()}, Offline: true})
	if !r.Holds() || !slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, "was not asked") }) {
		t.Errorf("%v %v", r.Faults, r.Notes)
	}
	s.now.add(25 * time.Hour)
	if r = check(VerifyOptions{Keys: []string{o.key.String()}, Offline: true}); r.Holds() {
		t.Error("a signature of yesterday is enough for ever")
	}
	if r = check(VerifyOptions{Keys: []string{o.key.String()}, Offline: true, Within: 48 * time.Hour}); !r.Holds() {
		t.Errorf("%v", r.Faults)
	}
	cosigned := append(heads, witnessHead(t, s, 0)...)
	if r = check(VerifyOptions{Heads: cosigned, Keys: []string{o.key.String()}, Offline: true}); r.Holds() || !strings.Contains(r.Faults[0].What, "missing") {
		t.Errorf("a cosigned head from elsewhere does not show it: %v", r.Faults)
	}

	l = s.start()
	state := l.State()
	if !state.Cut || state.Origin != origin+"-2" || !strings.Contains(state.Evidence, "entries are missing") || strings.Count(state.Evidence, "— "+origin+" ") != 2 ||
		!strings.Contains(state.Evidence, "— witness.example ") || state.Disputed != "" {
		t.Fatalf("%+v", state)
	}
	disclose(t, l, reading(1, 2)) // care goes on
	o.tell(l.Verifier())
	s.visit()
	if state := l.State(); state.Witnesses[0].Trouble != "" || state.Witnesses[0].Size == 0 {
		t.Errorf("%+v", state)
	}
	s.stop()

	// set back once more: the second name is not taken twice
	s.rollBack(old)
	if l = s.start(); l.State().Origin != origin+"-3" {
		t.Errorf("a second cut goes on under %s", l.State().Origin)
	}
	s.stop()
	s.rollBack(kept)
	if l = s.start(); !l.State().Cut {
		t.Error("a directory of before the cut goes on although the witness knows a later log")
	}
}

// witnessHead is the newest head that a witness tells.
func witnessHead(t *testing.T, s *site, i int) []byte {
	t.Helper()
	note, err := s.witnesses[i].Head(t.Context(), origin)
	if err != nil {
		t.Fatal(err)
	}
	return note
}

// The database that is gone with its head file: the name is not begun a second time.
func TestALogThatIsGoneIsNotBegunAgain(t *testing.T) {
	t.Parallel()
	s, _ := witnessed(t)
	s.start()
	s.stop()
	s.lose()
	for _, name := range []string{"heads", "journal"} {
		if err := os.Remove(s.path(name)); err != nil {
			t.Fatal(err)
		}
	}
	if l := s.start(); !l.State().Cut || l.State().Origin != origin+"-2" {
		t.Errorf("%+v", l.State())
	}
}

// Two histories under one key: whoever comes second is refused, and says so while it runs.
func TestOfTwoHistoriesOneIsWitnessed(t *testing.T) {
	t.Parallel()
	s, o := witnessed(t)
	s.start()
	s.stop()
	old := s.copyDir("audit.db")
	l := s.start()
	for range 3 {
		disclose(t, l, reading(1, 1))
	}
	o.lies(o.away)
	s.stop() // the first history, which the witness has not seen
	first := s.copyDir("audit.db")
	s.rollBack(old)
	if err := os.Remove(s.path("heads")); err != nil {
		t.Fatal(err)
	}
	l = s.start()
	for range 6 {
		disclose(t, l, reading(1, 2))
	}
	o.lie.Store(nil)
	s.visit() // the second came first
	if state := l.State(); state.Disputed != "" || state.Witnesses[0].Trouble != "" {
		t.Fatalf("%+v", state)
	}
	s.stop()
	s.rollBack(first)
	if err := os.Remove(s.path("heads")); err != nil {
		t.Fatal(err)
	}
	o.lies(o.away)
	l = s.start()
	for range 20 {
		disclose(t, l, reading(1, 3))
	}
	o.lie.Store(nil)
	s.visit()
	s.visit()
	state := l.State()
	if !strings.Contains(state.Disputed, "another log") || !state.Witnesses[0].Disputes || state.Cut {
		t.Fatalf("%+v", state)
	}
	reads, err := l.Range(t.Context(), Span{Kinds: []Kind{Job}}, Page{})
	if err != nil || len(reads) != 1 || !strings.Contains(reads[0].Event.Text, "another log") {
		t.Errorf("%v %v", reads, err)
	}
	s.stop()
	if l = s.start(); !l.State().Cut || !strings.Contains(l.State().Evidence, "another log") {
		t.Errorf("the next start goes on with it: %+v", l.State())
	}
}

// What the tables say of witnesses proves nothing: who writes them cannot make a log look witnessed.
func TestForgedCosignaturesAreNamed(t *testing.T) {
	t.Parallel()
	s, o := witnessed(t)
	l := s.start()
	for range 3 {
		disclose(t, l, reading(1, 1))
	}
	s.stop()
	check := func() *Report {
		t.Helper()
		d := s.database("audit.db")
		defer d.Close()
		r, err := Verify(t.Context(), d, VerifyOptions{Box: s.ring.Box("audit"), Keys: []string{o.key.String()}, Offline: true, Now: s.now.now})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := check(); !r.Holds() {
		t.Fatal(r.Faults)
	}
	before := s.copyDir("audit.db")
	for name, statement := range map[string]string{
		"moved":       `update cosigned set at = at - 1`,
		"gone":        `delete from cosigned`,
		"altered":     `update cosigned set note = replace(note, 'witness.example', 'witless.example')`,
		"another log": `update cosigned set note = replace(note, 'hospital.example', 'hospitul.example')`,
	} {
		s.edit(statement)
		if r := check(); r.Holds() {
			t.Errorf("%s: nothing is named", name)
		}
		s.rollBack(before)
	}
}

// An exported bundle carries the cosignatures, under the head that it is about.
func TestABundleIsCosigned(t *testing.T) {
	t.Parallel()
	s, o := witnessed(t)
	l := s.start()
	disclose(t, l, reading(1, 1))
	dir := filepath.Join(t.TempDir(), "bundle")
	if _, _, err := l.Export(t.Context(), dir, ExportOptions{}, Event{Agent: nurse, Interaction: "export"}); err != nil {
		t.Fatal(err)
	}
	note, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	log, _ := tlog.ParseVerifier(l.Verifier())
	if _, held, err := tlog.OpenCheckpoint(note, log, o.key); err != nil || len(held) != 2 {
		t.Errorf("%s %v", note, err)
	}
	r, err := VerifyBundle(t.Context(), dir, VerifyOptions{Keys: []string{l.Verifier(), o.key.String()}})
	if err != nil || !r.Holds() || !slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, "witness.example cosigned") }) {
		t.Errorf("%v %v", r, err)
	}
	other, err := witness.MakeKey(filepath.Join(t.TempDir(), "other"), "other.example")
	if err != nil {
		t.Fatal(err)
	}
	if r, err := VerifyBundle(t.Context(), dir, VerifyOptions{Keys: []string{other.Verifier().String()}}); err != nil || r.Holds() {
		t.Errorf("a bundle that a witness never saw passes with its key: %v", err)
	}
	if _, err := VerifyBundle(t.Context(), dir, VerifyOptions{Keys: []string{"x"}}); !outcome.Is(err, outcome.Value) {
		t.Error(err)
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("not run: python3 is missing")
	}
	script := filepath.Join("..", "..", "docs", "guides", "verify-audit-bundle.py")
	for key, want := range map[string]bool{o.key.String(): true, other.Verifier().String(): false} {
		out, err := exec.Command(python, script, dir, "--key", l.Verifier(), "--witness-key", key).CombinedOutput()
		if (err == nil) != want || want != strings.Contains(string(out), "witness.example cosigned ") {
			t.Errorf("the guide's verifier, with the key %s: %v\n%s", key, err, out)
		}
	}
}

// With two witnesses a head carries both signatures, and one of them is enough.
func TestTwoWitnesses(t *testing.T) {
	t.Parallel()
	s, o := witnessed(t)
	second := s.outsider("second.example")
	second.tell(o.logs[0].String())
	second.lies(second.away)
	l := s.start()
	disclose(t, l, reading(1, 1))
	s.visit()
	if state := l.State(); state.WitnessAge > time.Minute || state.Witnesses[1].Trouble == "" || state.Witnesses[0].Trouble != "" {
		t.Fatalf("%+v", state)
	}
	second.lie.Store(nil)
	s.visit()
	log, _ := tlog.ParseVerifier(l.Verifier())
	if _, held, err := tlog.OpenCheckpoint(l.Head(), log, o.key, second.key); err != nil || len(held) != 3 {
		t.Errorf("%s %v", l.Head(), err)
	}
}

// Each node brings its own log to the witness, and a verification wants all of them.
func TestEveryNodesLogIsWitnessed(t *testing.T) {
	t.Parallel()
	s, o := witnessed(t)
	s.start()
	second := s.beside("ward-7")
	second.Witnesses = nil
	l := s.join(second)
	key := l.Verifier()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	check := func() *Report {
		t.Helper()
		r, err := Verify(t.Context(), s.d, VerifyOptions{Box: s.ring.Box("audit"), Keys: []string{o.key.String()}, Witnesses: s.witnesses, Now: s.now.now})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := check(); r.Holds() || !strings.HasSuffix(r.Faults[0].Log, "/node/ward-7") {
		t.Errorf("a node's log that nobody witnesses: %v", r.Faults)
	}
	o.tell(key)
	again := s.beside("ward-7")
	l = s.join(again)
	if state := l.State(); state.Witnesses[0].Size == 0 || state.Witnesses[0].Trouble != "" {
		t.Fatalf("%+v", state)
	}
	if r := check(); !r.Holds() {
		t.Error(r.Faults)
	}
	heads, err := Newest(t.Context(), s.d, true)
	if err != nil || len(splitHeads(heads)) != 2 || bytes.Count(heads, []byte("— witness.example ")) != 2 {
		t.Errorf("%s %v", heads, err)
	}
}

// Whoever opens the log without naming a witness asks those that signed last; one that was replaced long ago is not among them.
func TestWhoSignedLastIsAsked(t *testing.T) {
	t.Parallel()
	s, o := witnessed(t)
	s.start()
	s.stop()
	first := s.witnesses
	s.witnesses = nil
	second := s.outsider("second.example")
	second.tell(o.logs[0].String())
	s.now.add(2 * time.Hour)
	l := s.start()
	disclose(t, l, reading(1, 1))
	s.stop()
	files := []string{"audit.db", "heads", "journal"}
	old := s.copyDir(files...)
	open := func(alone bool) State {
		t.Helper()
		s.d = s.database("audit.db")
		o := s.options()
		o.Witnesses, o.Client, o.Alone = nil, s.witnesses[0].Client, alone
		l, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		s.log = l
		defer s.stop()
		return l.State()
	}
	if state := open(false); len(state.Witnesses) != 1 || state.Witnesses[0].Name == first[0].Name() || state.Witnesses[0].Trouble != "" || state.Cut {
		t.Errorf("%+v", state)
	}
	s.rollBack(old)
	if state := open(true); len(state.Witnesses) != 0 || state.Cut {
		t.Errorf("%+v", state)
	}
	s.rollBack(old)
	if state := open(false); !state.Cut || !strings.Contains(state.Evidence, "entries are missing") {
		t.Errorf("%+v", state)
	}
	if state := open(false); len(state.Witnesses) != 1 {
		t.Errorf("the log that was opened after the cut has none: %+v", state)
	}
}
