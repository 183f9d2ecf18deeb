package server_test

import (
	"cmp"
	"context"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/identity"
	"chartwarden/internal/outlet/outlettest"
	"chartwarden/internal/policy"
	"chartwarden/internal/server"
	"chartwarden/internal/server/servertest"
	"chartwarden/internal/staffing"
)

// A person is reminded of her training fourteen days before it is due, three days, and on the last day: once each, and not once it is done. Who has
// no address, who has left and who is a patient are not.
func TestReminders(t *testing.T) {
	s, clock, mails := withMail(t)
	now := clock.Now()
	due := now.AddDate(0, 0, 20)
	hire := func(n identity.NewPerson) string {
		t.Helper()
		n.TrainingDue = due
		made, err := s.Persons.CreateForTest(t.Context(), audit.Agent{Job: "test"}, n)
		if err != nil {
			t.Fatal(err)
		}
		return made.Person
	}
	anna := hire(identity.NewPerson{Name: "Anna Lindqvist", Roles: []string{identity.Nurse}, Mail: "anna@example.org"})
	hire(identity.NewPerson{Name: "Ben Osei", Roles: []string{identity.Nurse}})
	gone := hire(identity.NewPerson{Name: "Cy Cole", Roles: []string{identity.Nurse}, Mail: "cy@example.org"})
	if _, err := s.Persons.Terminate(t.Context(), audit.Agent{Job: "test"}, gone, "left"); err != nil {
		t.Fatal(err)
	}
	hours := func(n int, want int) {
		t.Helper()
		clock.Set(due.Add(-time.Duration(n) * time.Hour))
		for range 2 {
			if err := s.Remind(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for began := time.Now(); len(mails()) < want || waiting(t, s) > 0; time.Sleep(20 * time.Millisecond) {
			if time.Since(began) > 30*time.Second {
				t.Fatalf("%d hours before: %d mails, want %d", n, len(mails()), want)
			}
		}
		if got := mails(); len(got) != want {
			t.Fatalf("%d hours before: %d mails, want %d: %q", n, len(got), want, got)
		}
	}
	hours(24*15, 0)
	hours(24*13, 1)
	hours(24*4, 1)
	hours(24*2, 2)
	hours(5, 3)
	hours(-5, 3)
	for _, m := range mails() {
		if !strings.Contains(m, "To: <anna@example.org>\n") || !strings.Contains(m, "Your training is due") || !strings.Contains(m, "http://localhost/training") || strings.Contains(m, "Lindqvist") {
			t.Errorf("%q", m)
		}
	}
	next := due.AddDate(1, 0, 0)
	if _, _, err := s.Persons.Change(t.Context(), audit.Agent{Job: "training"}, anna, identity.Change{TrainingDue: &next}); err != nil {
		t.Fatal(err)
	}
	hours(24*2, 3)
}

// Who is asked who still needs what is written to seven days before it lapses and two, while answers of hers are open: not who has answered.
func TestRemindersOfAnswers(t *testing.T) {
	s, clock, mails := withMail(t)
	shell := audit.Agent{Job: "test"}
	hire := func(n identity.NewPerson) string {
		t.Helper()
		made, err := s.Persons.CreateForTest(t.Context(), shell, n)
		if err != nil {
			t.Fatal(err)
		}
		return made.Person
	}
	boss := hire(identity.NewPerson{Name: "Maren Okafor", Roles: []string{identity.Nurse}, Mail: "maren@example.org"})
	owner := hire(identity.NewPerson{Name: "Pia Privacy", Roles: []string{identity.Privacy}, Mail: "pia@example.org"})
	hire(identity.NewPerson{Name: "Bo Berg", Roles: []string{identity.Nurse}, Manager: boss, Mail: "bo@example.org"})
	x, err := s.Staffing.Recertify(t.Context(), shell, staffing.Recertifying{Owners: []string{owner, boss}})
	if err != nil {
		t.Fatal(err)
	}
	before := func(left time.Duration, want int) {
		t.Helper()
		clock.Set(x.Due.Add(-left))
		for range 2 {
			if err := s.Remind(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for began := time.Now(); len(mails()) < want || waiting(t, s) > 0; time.Sleep(20 * time.Millisecond) {
			if time.Since(began) > 30*time.Second {
				t.Fatalf("%s before: %d mails, want %d", left, len(mails()), want)
			}
		}
		if got := mails(); len(got) != want {
			t.Fatalf("%s before: %d mails, want %d: %q", left, len(got), want, got)
		}
	}
	const day = 24 * time.Hour
	before(8*day, 0)
	before(7*day, 2) // the manager and the owner
	before(3*day, 2)
	if _, err := s.Staffing.KeepOrdinary(t.Context(), audit.Agent{Person: boss}); err != nil {
		t.Fatal(err)
	}
	open, err := s.Persons.OpenHoldings(t.Context(), boss)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range open {
		if err := s.Staffing.Answer(t.Context(), audit.Agent{Person: boss}, h.ID, true); err != nil {
			t.Fatal(err)
		}
	}
	before(2*day, 3)
	before(time.Hour, 3)
	before(-time.Hour, 3)
	for i, m := range mails() {
		if !strings.Contains(m, "You are asked who still needs what") || !strings.Contains(m, "http://localhost/recertify") || strings.Contains(m, "Berg") || i == 2 && !strings.Contains(m, "To: <pia@example.org>\n") {
			t.Errorf("%q", m)
		}
	}
}

// withMail is a server whose clock the test turns, and what it mails.
func withMail(t *testing.T, set ...func(*server.Config)) (*server.Server, *servertest.Clock, func() []string) {
	t.Helper()
	address, mails := outlettest.Post(t)
	place := dbtest.New(t)
	clock := servertest.ClockAt(time.Date(2036, 3, 1, 9, 0, 0, 0, time.UTC))
	c := server.Config{Data: place.Dir, Database: place.URL, Listen: "127.0.0.1:0", PublicURL: "http://localhost", MailServer: address, MailFrom: "ehr@example.org", MailTo: "office@example.org"}
	for _, f := range set {
		f(&c)
	}
	if err := server.Init(t.Context(), c, true); err != nil {
		t.Fatal(err)
	}
	s, err := server.Open(context.WithoutCancel(t.Context()), c, server.Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() { defer close(done); s.RunOutlet(running) }()
	t.Cleanup(func() { stop(); <-done; _ = s.Close() })
	return s, clock, mails
}

func waiting(t testing.TB, s *server.Server) (n int) {
	t.Helper()
	x, err := s.Outlet(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return x.Waiting
}

// A patient is written to when the site's rule says so after somebody opened her chart with a reason: once for each opening, of nobody and of no reason.
// Who works here reads her page, and so does who has no address.
func TestNoticeOfTheGlass(t *testing.T) {
	const day = 24 * time.Hour
	for rule, after := range map[string]time.Duration{"": 7 * day, "0": 0, " 3 ": 3 * day, "never": -1} {
		t.Run(cmp.Or(rule, "unsaid"), func(t *testing.T) {
			s, clock, mails := withMail(t, func(c *server.Config) { c.TellPatients = rule })
			shell := audit.Agent{Job: "test"}
			chart := func(name string) string {
				t.Helper()
				doc, err := document.Parse([]byte(`{"resourceType":"Patient","name":[{"family":"` + name + `"}],"birthDate":"1961-03-14"}`))
				if err != nil {
					t.Fatal(err)
				}
				done, err := s.Gate.Import(t.Context(), access.Job("import"), []access.Entry{{Method: "POST", URL: "Patient", Doc: doc}})
				if err != nil {
					t.Fatal(err)
				}
				return done[0].Written.ID
			}
			hire := func(n identity.NewPerson) identity.Person {
				t.Helper()
				made, err := s.Persons.CreateForTest(t.Context(), shell, n)
				if err != nil {
					t.Fatal(err)
				}
				p, err := s.Persons.Person(t.Context(), made.Person)
				if err != nil {
					t.Fatal(err)
				}
				return p
			}
			okafor, silent, colleague := chart("Okafor"), chart("Silent"), chart("Colleague")
			hire(identity.NewPerson{Name: "Maren Okafor", Patient: "Patient/" + okafor, Roles: []string{identity.Patient}, Mail: "maren@example.org"})
			hire(identity.NewPerson{Name: "Sil Silent", Patient: "Patient/" + silent, Roles: []string{identity.Patient}})
			hire(identity.NewPerson{Name: "Cole Colleague", Patient: "Patient/" + colleague, Roles: []string{identity.Patient, identity.Nurse}, Mail: "cole@example.org"})
			anna := hire(identity.NewPerson{Name: "Anna Lindqvist", Roles: []string{identity.Physician}, Mail: "anna@example.org", TrainingDue: clock.Now().AddDate(1, 0, 0)})
			breaks := func(patient string) {
				t.Helper()
				ses := &identity.Session{Person: anna, Capacity: identity.StaffCapacity, AAL: 2, Trust: policy.Registered, Zone: policy.Hospital, Created: clock.Now()}
				if _, err := s.Gate.BreakGlass(t.Context(), access.Person(ses), patient, "emergency", "she is unconscious"); err != nil {
					t.Fatal(err)
				}
			}
			began := clock.Now()
			told := func(since time.Duration, want int) {
				t.Helper()
				clock.Set(began.Add(since))
				for range 2 {
					if err := s.TellPatients(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				for from := time.Now(); len(mails()) < want || waiting(t, s) > 0; time.Sleep(20 * time.Millisecond) {
					if time.Since(from) > 30*time.Second {
						break
					}
				}
				if got := mails(); len(got) != want {
					t.Fatalf("%s after: %d mails, want %d: %q", since, len(got), want, got)
				}
			}
			for i, patient := range []string{okafor, silent, colleague} {
				clock.Set(began.Add(time.Duration(i) * 20 * time.Second))
				breaks(patient)
			}
			if after < 0 {
				told(0, 0)
				told(8*day, 0)
				return
			}
			if after > 0 {
				told(after-time.Minute, 0)
			}
			told(after, 1)
			clock.Set(began.Add(after + 80*time.Hour)) // the first is over
			began = clock.Now()
			breaks(okafor)
			told(after, 2)
			told(after+day, 2)
			for _, m := range mails() {
				if !strings.Contains(m, "To: <maren@example.org>\n") || !strings.Contains(m, "http://localhost/me") {
					t.Errorf("%q", m)
				}
				for _, secret := range []string{"Okafor", "Maren ", "Lindqvist", "Anna", "unconscious", "emergency access", okafor} {
					if strings.Contains(m, secret) {
						t.Errorf("the mail says %q: %q", secret, m)
					}
				}
			}
		})
	}
	wrong := server.Config{Data: t.TempDir(), Listen: "127.0.0.1:0", PublicURL: "http://localhost", TellPatients: "soon"}
	if err := server.Init(t.Context(), wrong, true); err == nil || !strings.Contains(err.Error(), "a number of days from 0 to 365") {
		t.Errorf("a rule that is none: %v", err)
	}
}
