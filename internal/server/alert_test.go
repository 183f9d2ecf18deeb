package server_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/casework"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server/servertest"
)

// page is somebody's open page: what its live stream says.
type page struct {
	t      testing.TB
	client *servertest.Client
	news   chan map[string]any
}

// watches opens the live stream of somebody who is signed in.
func (p *played) watches(t testing.TB, c *servertest.Client) *page {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", p.URL+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.Client.Do(r)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", answer, err)
	}
	out := &page{t, c, make(chan map[string]any, 1000)}
	lines := bufio.NewScanner(answer.Body)
	lines.Scan() // retry: the stream is there
	go func() {
		defer close(out.news)
		kind := ""
		for lines.Scan() {
			if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				kind = name
			}
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				v := map[string]any{}
				_ = json.Unmarshal([]byte(data), &v)
				v["event"], v["heard"] = kind, time.Now()
				out.news <- v
			}
		}
	}()
	t.Cleanup(func() { _ = answer.Body.Close() })
	return out
}

// notice waits for the word of a case.
func (g *page) notice(href string) map[string]any {
	g.t.Helper()
	late := time.After(time.Minute)
	var heard []map[string]any
	for {
		select {
		case v := <-g.news:
			if heard = append(heard, v); v == nil {
				g.t.Fatalf("the page fell silent after %v", heard)
			}
			if v["event"] == "notice" && v["href"] == href {
				return v
			}
		case <-late:
			g.t.Fatalf("no alert of %s; heard %v", href, heard)
		}
	}
}

// staff gives one of the hospital by key, signed in at a device.
func (p *played) staff(t *testing.T, key, device string) (access.Principal, identity.Person) {
	t.Helper()
	person, ok := p.seat.Person(key)
	if !ok {
		t.Fatalf("no %s", key)
	}
	opened, err := p.Persons.Enter(t.Context(), person.ID, identity.StaffCapacity, identity.Arrival{Device: device, Trust: "registered", Zone: "hospital"})
	if err != nil {
		t.Fatal(err)
	}
	return access.Person(opened.Session), person
}

// look opens a chart by the glass where it is closed.
func (p *played) look(t *testing.T, who access.Principal, patient string) {
	t.Helper()
	_, err := p.Gate.Chart(t.Context(), who, patient, "Condition", "Observation")
	if outcome.Is(err, outcome.Forbidden) {
		if _, err = p.Gate.BreakGlass(t.Context(), who, patient, "other", "Checking something"); err == nil {
			_, err = p.Gate.Chart(t.Context(), who, patient, "Condition", "Observation")
		}
	}
	if err != nil {
		t.Log(err)
	}
}

// found gives what the engine and the office say of a person now.
func (p *played) found(t *testing.T, practitioner string) (out []casework.Case) {
	t.Helper()
	p.catchUp(t)
	out, err := p.Cases.ByPerson(t.Context(), practitioner)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range out {
		t.Logf("%s %s log_e %.2f posterior %.4f severity %.2f %s: %s", c.Hypothesis, c.Queue, c.LogE, c.Posterior, c.Severity, c.Agent, c.Summary)
	}
	return out
}

// strangers are patients with whom nobody of the first ward has to do.
func (p *played) strangers(t testing.TB, n int) (out []string) {
	t.Helper()
	if len(p.everybody) >= n {
		return p.everybody
	}
	token := backendFor(t, p.Server)
	c := servertest.Client{Client: &http.Client{}, Base: p.URL}
	answer := c.Get(t, "/fhir/Patient?_count=1000&_elements=id", "Authorization", "Bearer "+token)
	var b struct {
		Entry []struct{ Resource struct{ ID string } }
	}
	if err := json.Unmarshal([]byte(answer.Body), &b); err != nil {
		t.Fatal(err)
	}
	for _, e := range b.Entry {
		out = append(out, e.Resource.ID)
	}
	if len(out) < n {
		t.Fatalf("%d patients", len(out))
	}
	p.everybody = out
	return out
}

// In the running demonstration, played by hand: each of these stands on the officer's open page with its sentence, and on nobody else's.
func TestAnAlertStandsOnTheOfficersPage(t *testing.T) {
	if testing.Short() {
		t.Skip("plays a day")
	}
	p := play(t)
	officer := p.Person(t, "Officer", "privacy", "")
	bystander := p.Person(t, "Bystander", "nurse security", "")
	patients := p.strangers(t, 100)
	at := noon
	step := func(d time.Duration) { at = at.Add(d); p.clock.Set(at) }
	for _, act := range []struct {
		name, hypothesis string
		says             string
		do               func(t *testing.T) identity.Person
	}{
		{"mass listing", "harvest", "charts", func(t *testing.T) identity.Person {
			who, person := p.staff(t, "imani.broadnax", "")
			for i := range 40 {
				step(10 * time.Second) // the officer's page locks after ten minutes
				if _, err := p.Gate.Read(t.Context(), who, "Patient", patients[i]); err != nil {
					t.Fatal(err)
				}
			}
			return person
		}},
		{"a leaver's account", "dormant-account", "should be at rest", func(t *testing.T) identity.Person {
			person, _ := p.seat.Person("dean.hartley")
			if _, err := p.Persons.Terminate(t.Context(), audit.Agent{Job: "test"}, person.ID, "left"); err != nil {
				t.Fatal(err)
			}
			step(time.Minute)
			_, err := p.Persons.SignIn(t.Context(), identity.Attempt{Person: person.SignInName, Password: "as it was before", Code: "123456"})
			if !outcome.Is(err, outcome.Login) {
				t.Fatal(err)
			}
			return person
		}},
		{"off hours", "snoop", "no reason of care is known", func(t *testing.T) identity.Person {
			who, person := p.staff(t, "tomas.quiroga", "")
			for i := range 3 {
				step(time.Minute)
				p.look(t, who, patients[62+i])
			}
			return person
		}},
	} {
		t.Run(act.name, func(t *testing.T) {
			if step(time.Minute); act.name == "off hours" {
				step(13 * time.Hour)
			}
			open := p.watches(t, p.SignIn(t, officer.Person, ""))
			other := p.watches(t, p.SignIn(t, bystander.Person, ""))
			person := act.do(t)
			cases := p.found(t, person.Practitioner)
			i := slices.IndexFunc(cases, func(c casework.Case) bool { return c.Hypothesis == act.hypothesis })
			if i < 0 {
				t.Fatalf("no case of %s: %+v", act.hypothesis, cases)
			}
			v := open.notice("/privacy/cases/" + cases[i].ID)
			if !strings.Contains(fmt.Sprint(v["text"]), act.says) || strings.Contains(fmt.Sprint(v["text"]), person.Name) || strings.Contains(fmt.Sprint(v["text"]), "Practitioner/") {
				t.Errorf("%v", v)
			}
			for _, patient := range cases[i].Patients {
				if strings.Contains(fmt.Sprint(v), patient) {
					t.Errorf("names a patient: %v", v)
				}
			}
			select {
			case v := <-other.news:
				t.Errorf("somebody else hears %v", v)
			default:
			}
		})
	}
}

// seen are patients that a person of the hospital opened today with a reason.
func (p *played) seen(t testing.TB, key string) (out []string) {
	t.Helper()
	person, _ := p.seat.Person(key)
	reads, err := p.Log.OfPerson(t.Context(), person.ID, audit.Page{Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range reads {
		for _, part := range r.Event.Patients {
			id := strings.TrimPrefix(part.Ref, "Patient/")
			if r.Event.Kind == audit.Disclosure && !part.Unexplained && id != "" && !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	if len(out) == 0 {
		t.Fatalf("%s saw nobody", key)
	}
	return out
}

// Work that looks odd and is not raises no alert: a nurse at night with the patients of her ward, one who goes from bed to bed of a ward
// that is not hers because the roster has her there.
func TestHonestWorkRaisesNoAlert(t *testing.T) {
	if testing.Short() {
		t.Skip("plays a day")
	}
	p := play(t)
	own := p.seen(t, "theo.moreau")
	night := time.Date(noon.Year(), noon.Month(), noon.Day(), 23, 40, 0, 0, time.UTC)
	p.clock.Set(night)
	for _, key := range []string{"meiling.huang", "carmen.villasenor", "kirsten.halvorsen", "joanna.kell"} {
		w, _ := p.seat.World.Person(key)
		if !w.OnShift(night) {
			continue
		}
		who, person := p.staff(t, key, "")
		for i, patient := range own {
			p.clock.Set(night.Add(time.Duration(i) * time.Minute))
			p.look(t, who, patient)
		}
		if cases := p.found(t, person.Practitioner); len(cases) != 0 {
			t.Errorf("%s at night: %+v", key, cases)
		}
	}
}
