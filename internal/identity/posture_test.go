package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/posture"
)

// machine is a computer of a test, which signs what it says of itself.
type machine struct {
	s       *site
	key     *ecdsa.PrivateKey
	browser *ecdsa.PrivateKey
	device  Device
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// enrolMachine has an administrator's code enrol a machine, and a browser at it tied to it.
func (s *site) enrolMachine(admin someone, browser string) *machine {
	s.t.Helper()
	m := &machine{s: s, key: newKey(s.t), browser: newKey(s.t)}
	code, err := s.MakeDeviceCode(s.t.Context(), admin.agent(), "", "Desk ER-02")
	s.must(err)
	d, ties, err := s.EnrolMachine(s.t.Context(), code.Token, Arrival{Proof: signNonce(s.t, m.key, s.DeviceNonce(ToEnrolMachine)), Zone: "hospital"})
	s.must(err)
	m.device = d
	_, err = s.EnrolDevice(s.t.Context(), ties.Token, Arrival{Device: browser, Zone: "hospital", Proof: signNonce(s.t, m.browser, s.DeviceNonce(ToEnrol))})
	s.must(err)
	return m
}

// healthy is what a machine reports that meets the usual demands.
func (m *machine) healthy() posture.Report {
	now := m.s.clock.now()
	return posture.Report{Device: m.device.ID, Nonce: m.s.DeviceNonce(ToReport(m.device.ID)), System: "debian 12", Disk: posture.Encrypted, Lock: 5 * time.Minute, LockBy: posture.ByPolicy,
		Updated: now.Add(-48 * time.Hour).Truncate(time.Second), Started: now.Add(-time.Hour).Truncate(time.Second)}
}

func (m *machine) sign(r posture.Report) (text, signature string) {
	m.s.t.Helper()
	signature, err := posture.Sign(m.key, r.Text())
	m.s.must(err)
	return r.Text(), signature
}

// reports has the machine report, a second after it last did.
func (m *machine) reports(change func(*posture.Report)) (Standing, error) {
	m.s.t.Helper()
	m.s.clock.pass(time.Second)
	r := m.healthy()
	if change != nil {
		change(&r)
	}
	text, signature := m.sign(r)
	return m.s.ReportPosture(m.s.t.Context(), text, signature, Arrival{Zone: "hospital"})
}

func (m *machine) signIn(p someone, browser string) Opened {
	m.s.t.Helper()
	a := p.attempt()
	a.From = Arrival{Device: browser, Zone: "hospital", Proof: signNonce(m.s.t, m.browser, m.s.DeviceNonce(AtBrowser(browser)))}
	o, err := m.s.SignIn(m.s.t.Context(), a)
	m.s.must(err)
	return o
}

// trust is how far a session trusts its device at its next request.
func (s *site) trust(o Opened) string {
	s.t.Helper()
	s.clock.pass(freshness)
	got, err := s.Authenticate(s.t.Context(), o.Token)
	s.must(err)
	return got.Trust
}

// A device is managed while its machine's own report, fresh and signed, meets the demands. It falls back to registered by itself, at the next
// request, and the session goes on: nobody is kept from care by a disk.
func TestPosture(t *testing.T) {
	s := newSite(t, true)
	p, admin := s.hire("Maren Okafor", Nurse), s.hire("Ada Admin", Administrator)
	m := s.enrolMachine(admin, "b-1")
	o := m.signIn(p, "b-1")
	wants := func(want, when string) {
		t.Helper()
		if got := s.trust(o); got != want {
			t.Errorf("%s the device is %s, want %s", when, got, want)
		}
	}
	// prove keeps the browser's own proof fresh, which is another matter.
	prove := func() {
		ses, err := s.Authenticate(t.Context(), o.Token)
		s.must(err)
		s.Touch(ses, "")
		s.must(s.ProveDevice(t.Context(), ses, Arrival{Device: "b-1", Zone: "hospital", Proof: signNonce(t, m.browser, s.DeviceNonce(OfSession(ses)))}))
	}
	wants(DeviceRegistered, "before any report")
	s.trail.said()
	if st, err := m.reports(nil); err != nil || len(st.Lacks) != 0 {
		t.Fatalf("%+v, %v", st, err)
	}
	wants(DeviceManaged, "after a good report")
	s.wantSaid("device-posture")
	if _, err := m.reports(nil); err != nil {
		t.Fatal(err)
	}
	s.wantSaid() // nothing new
	st, err := m.reports(func(r *posture.Report) { r.Disk = posture.Open })
	if err != nil || !slices.Equal(st.Lacks, []string{"its disk is not encrypted"}) {
		t.Fatalf("%q, %v", st.Lacks, err)
	}
	wants(DeviceRegistered, "with an open disk")
	s.wantSaid("device-posture")
	if _, err := m.reports(nil); err != nil {
		t.Fatal(err)
	}
	wants(DeviceManaged, "when it was mended")
	s.clock.pass(9 * time.Minute)
	prove()
	other := s.process()
	list, err := other.Devices(t.Context())
	s.must(err)
	if len(list) != 1 || !list[0].Managed() || !list[0].Machine {
		t.Fatalf("%+v", list)
	}
	s.clock.pass(24 * time.Hour)
	o = m.signIn(p, "b-1")
	wants(DeviceRegistered, "a day after the last report")
	if list, err = other.Devices(t.Context()); err != nil || list[0].Managed() || !strings.Contains(list[0].Last.Lacks[0], "older than 1 day") {
		t.Fatalf("%+v, %v", list, err)
	}
	if _, err := m.reports(nil); err != nil {
		t.Fatal(err)
	}
	wants(DeviceManaged, "after a new report")
	prove()
	wants(DeviceManaged, "after the browser's proof")
	if n, err := s.LoseDevice(t.Context(), admin.agent(), m.device.ID, "left in a taxi"); err != nil || n == 0 {
		t.Fatalf("%d sessions ended: %v", n, err)
	}
	s.clock.pass(freshness)
	s.dead(o.Token, "at the lost device")
	_, err = m.reports(nil)
	s.refused(err, outcome.Forbidden, "a report of a lost machine")
	_, err = s.TieBrowser(t.Context(), m.device.ID, Arrival{Proof: signNonce(t, m.key, s.DeviceNonce(ToTieBrowser(m.device.ID)))})
	s.refused(err, outcome.Forbidden, "an address for a browser at a lost machine")
}

// What is not this machine's own fresh word changes nothing: forged, replayed, old, of another key, another device, another time.
func TestReportsThatDoNotCount(t *testing.T) {
	s := newSite(t, true)
	admin := s.hire("Ada Admin", Administrator)
	m, other := s.enrolMachine(admin, "b-1"), s.enrolMachine(admin, "b-2")
	if _, err := m.reports(func(r *posture.Report) { r.Disk = posture.Open }); err != nil {
		t.Fatal(err)
	}
	report := func(text, signature string) error {
		_, err := s.ReportPosture(t.Context(), text, signature, Arrival{Zone: "hospital"})
		return err
	}
	s.clock.pass(time.Second)
	text, signature := m.sign(m.healthy())
	s.refused(report(strings.Replace(text, "debian 12", "debian 13", 1), signature), outcome.Login, "a changed report")
	s.refused(report(text, signature[:40]), outcome.Login, "half a signature")
	s.refused(report(strings.Replace(text, m.device.ID, other.device.ID, 1), signature), outcome.Login, "for another device")
	s.refused(report(strings.Replace(text, m.device.ID, "aaaaaaaaaaaaaaaa", 1), signature), outcome.Login, "for no device")
	_, foreign := other.sign(m.healthy())
	s.refused(report(text, foreign), outcome.Login, "by another machine's key")
	for what, purpose := range map[string]string{"another device's": ToReport(other.device.ID), "enrolment's": ToEnrol, "a browser's": ToTieBrowser(m.device.ID)} {
		r := m.healthy()
		r.Nonce = s.DeviceNonce(purpose)
		s.refused(report(m.sign(r)), outcome.Conflict, what+" nonce")
	}
	r := m.healthy()
	r.Nonce = strings.Repeat("A", 43)
	s.refused(report(m.sign(r)), outcome.Conflict, "an invented nonce")
	r = m.healthy()
	r.Started = s.clock.now().Add(time.Hour).Truncate(time.Second)
	s.refused(report(m.sign(r)), outcome.Value, "a report from the future")
	s.refused(report("", ""), outcome.Value, "no report")
	if list, err := s.Devices(t.Context()); err != nil || slices.ContainsFunc(list, Device.Managed) {
		t.Fatalf("something counted: %+v %v", list, err)
	}

	early, earlySigned := m.sign(m.healthy())
	s.clock.pass(time.Second)
	text, signature = m.sign(m.healthy())
	s.must(report(text, signature))
	s.refused(report(text, signature), outcome.Conflict, "a replay")
	s.refused(report(early, earlySigned), outcome.Conflict, "one that was held back")
	_, err := m.reports(func(r *posture.Report) { r.Disk = posture.Open })
	s.must(err)
	s.refused(report(text, signature), outcome.Conflict, "the good one again, after a bad one")
	late, lateSigned := m.sign(m.healthy())
	s.clock.pass(nonceLasts + time.Second)
	s.refused(report(late, lateSigned), outcome.Conflict, "one of eleven minutes ago")

	// A code from the machine ties a browser and nothing more; a code of the registry starts anew.
	_, err = s.TieBrowser(t.Context(), m.device.ID, Arrival{Proof: signNonce(t, other.key, s.DeviceNonce(ToTieBrowser(m.device.ID)))})
	s.refused(err, outcome.Login, "an address for a browser by another key")
	ties, err := s.TieBrowser(t.Context(), m.device.ID, Arrival{Proof: signNonce(t, m.key, s.DeviceNonce(ToTieBrowser(m.device.ID)))})
	s.must(err)
	_, _, err = s.EnrolMachine(t.Context(), ties.Token, Arrival{Proof: signNonce(t, newKey(t), s.DeviceNonce(ToEnrolMachine))})
	s.refused(err, outcome.NotFound, "a machine by a browser's code")
	s.clock.pass(browserCodeFor)
	_, err = s.EnrolDevice(t.Context(), ties.Token, Arrival{Device: "b-9", Proof: signNonce(t, newKey(t), s.DeviceNonce(ToEnrol))})
	s.refused(err, outcome.NotFound, "a browser's code after ten minutes")
	code, err := s.MakeDeviceCode(t.Context(), admin.agent(), m.device.ID, "")
	s.must(err)
	_, err = s.EnrolDevice(t.Context(), code.Token, Arrival{Device: "b-3", Zone: "hospital", Proof: signNonce(t, newKey(t), s.DeviceNonce(ToEnrol))})
	s.must(err)
	_, err = m.reports(nil)
	s.refused(err, outcome.Login, "a report of the machine that a device had before")
}

// Whoever writes SQL makes no device managed.
func TestForgedPosture(t *testing.T) {
	s := newSite(t, true)
	p, admin := s.hire("Maren Okafor", Nurse), s.hire("Ada Admin", Administrator)
	m, good := s.enrolMachine(admin, "b-1"), s.enrolMachine(admin, "b-2")
	_, err := m.reports(func(r *posture.Report) { r.Lock, r.LockBy = 0, "" })
	s.must(err)
	_, err = good.reports(nil)
	s.must(err)
	o, fine := m.signIn(p, "b-1"), good.signIn(p, "b-2")
	if a, b := s.trust(o), s.trust(fine); a != DeviceRegistered || b != DeviceManaged {
		t.Fatal(a, b)
	}
	for _, c := range [][2]string{{`came_at=came_at+3600000000`, DeviceRegistered}, {`came_at=came_at-3600000000`, DeviceManaged}, {`asked_at=asked_at-1`, DeviceRegistered}, {`asked_at=asked_at+1`, DeviceManaged}} {
		s.must(s.db.Write(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.Exec(`update identity_device_posture set `+c[0]+` where device=?`, good.device.ID)
			return err
		}))
		if got := s.trust(fine); got != c[1] {
			t.Errorf("after %s a device is %s, want %s", c[0], got, c[1])
		}
	}
	for _, statement := range []string{
		`update identity_device_posture set sealed=(select sealed from identity_device_posture where device='` + good.device.ID + `') where device='` + m.device.ID + `'`,
		`delete from identity_device_posture where device='` + m.device.ID + `'`,
		`update identity_device_posture set device='` + m.device.ID + `' where device='` + good.device.ID + `'`,
		`update identity_device_posture set came_at=came_at+86400000000`,
	} {
		s.must(s.db.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(statement); return err }))
		if got := s.trust(o); got != DeviceRegistered {
			t.Errorf("%s: %s", statement, got)
		}
	}
	if got := s.trust(fine); got != DeviceRegistered {
		t.Errorf("an altered report still makes a device %s", got)
	}
	s.must(s.db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`update identity_device_machine set point=(select point from identity_device_key where device=? limit 1) where device=?`, good.device.ID, m.device.ID)
		return err
	}))
	_, err = m.reports(nil)
	s.refused(err, outcome.Login, "a machine whose key SQL changed")
}
