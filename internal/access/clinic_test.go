package access_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server/servertest"
)

// booked stores an appointment of today.
func (w *ward) booked(t *testing.T, patient, status string, start time.Time) string {
	_, id, _ := strings.Cut(w.put(t, `{"resourceType":"Appointment","status":"`+status+`","reasonCode":[{"text":"Cough with blood"}],"comment":"Afraid of needles",
		"start":"`+start.UTC().Format(time.RFC3339)+`","end":"`+start.Add(30*time.Minute).UTC().Format(time.RFC3339)+`","participant":[
		{"actor":{"reference":"Patient/`+patient+`"},"status":"accepted"},{"actor":{"reference":"`+w.anna+`","display":"Anna Lindqvist"},"status":"accepted"}]}`), "/")
	return id
}

// as is who asks the door by the session of a client.
func (w *ward) as(t *testing.T, c *servertest.Client) access.Principal {
	t.Helper()
	sessions, err := w.Persons.Sessions(t.Context(), c.Person.Person)
	if err != nil || len(sessions) == 0 {
		t.Fatal(len(sessions), err)
	}
	return access.Person(sessions[0])
}

// The desk lists who is expected and checks in by one act: the reason of the visit stays hidden and stays stored, and the physician is related.
func TestCheckInRelatesThePhysician(t *testing.T) {
	w := newWard(t)
	start := w.Now().Add(100 * time.Hour) // no window opens the chart before the patient is here
	id := w.booked(t, w.maren, "booked", start)
	w.booked(t, w.otto, "cancelled", start)
	anna := w.Person(t, "Anna Lindqvist", "physician", w.anna)
	if n := anna.Get(t, "/fhir/Encounter?patient="+w.maren+"&status=arrived").Status; n != http.StatusOK && n != http.StatusForbidden {
		t.Fatal(n)
	}
	desk := w.as(t, w.Person(t, "Marcus Hale", "front-desk", ""))
	list, err := w.Gate.Clinic(t.Context(), desk, start.Add(-time.Hour), start.Add(time.Hour))
	if err != nil || len(list.Bookings) != 1 || list.Entry == "" {
		t.Fatalf("%+v %v", list, err)
	}
	b := list.Bookings[0]
	shown := string(b.Appointment.AppendJSON(nil))
	if b.PatientID != w.maren || !strings.HasPrefix(b.Name, "Okafor") || strings.Contains(shown, "Cough") || strings.Contains(shown, "needles") {
		t.Errorf("%s %s", b.Name, shown)
	}
	done, err := w.Gate.CheckIn(t.Context(), desk, id)
	if err != nil || done.Entry == "" {
		t.Fatal(done, err)
	}
	got := anna.Get(t, "/fhir/Appointment/"+id)
	if !strings.Contains(got.Body, `"checked-in"`) || !strings.Contains(got.Body, "Cough with blood") || !strings.Contains(got.Body, "Afraid of needles") {
		t.Fatalf("the appointment is now %s", got.Body)
	}
	visits := anna.Get(t, "/fhir/Encounter?patient="+w.maren)
	if n := total(t, visits); n != 1 || !strings.Contains(visits.Body, "Appointment/"+id) || !strings.Contains(visits.Body, `"arrived"`) {
		t.Fatalf("%d visits: %s", n, visits.Body)
	}
	day, err := w.Gate.MyDay(t.Context(), w.as(t, anna))
	if err != nil || len(day.Patients) != 1 || !day.Patients[0].Open {
		t.Fatalf("%+v %v", day, err)
	}
	if again, err := w.Gate.CheckIn(t.Context(), desk, id); err != nil || again.Changed {
		t.Fatal("a second touch does it twice", again, err)
	}
	if n := total(t, anna.Get(t, "/fhir/Encounter?patient="+w.maren)); n != 1 {
		t.Errorf("%d visits after a second touch", n)
	}
}

func TestWhoKeepsNoAppointmentsChecksNobodyIn(t *testing.T) {
	w := newWard(t)
	id := w.booked(t, w.maren, "booked", w.Now().Add(100*time.Hour))
	for _, role := range []string{"billing", "nurse", "physician", "administrator", "privacy"} {
		p := w.as(t, w.Person(t, "Some "+role, role, ""))
		if _, err := w.Gate.CheckIn(t.Context(), p, id); !outcome.Is(err, outcome.Forbidden) {
			t.Errorf("%s checks in: %v", role, err)
		}
		if list, err := w.Gate.Clinic(t.Context(), p, w.Now(), w.Now().Add(200*time.Hour)); !outcome.Is(err, outcome.Forbidden) {
			t.Errorf("%s lists the clinic: %d %v", role, len(list.Bookings), err)
		}
	}
	desk := w.as(t, w.Person(t, "Marcus Hale", "front-desk", ""))
	over := w.booked(t, w.otto, "fulfilled", w.Now())
	if _, err := w.Gate.CheckIn(t.Context(), desk, over); !outcome.Is(err, outcome.BusinessRule) {
		t.Errorf("what is over is checked in: %v", err)
	}
	if _, err := w.Gate.CheckIn(t.Context(), desk, strings.Repeat("a", 26)); err == nil {
		t.Error("what does not exist is checked in")
	}
}

// What somebody may not see is kept when she changes what is hers, and cannot be changed by her.
func TestAmendKeepsWhatIsHidden(t *testing.T) {
	w := newWard(t)
	c := w.Person(t, "Marcus Hale", "front-desk", "")
	desk := w.as(t, c)
	phone := `[{"system":"phone","value":"555-0777"}]`
	done, err := w.Gate.Amend(t.Context(), desk, "Patient", w.maren, 0, map[string]string{"telecom": phone, "address": `[{"city":"Northmere"}]`})
	if err != nil || done.Version != 2 {
		t.Fatal(done, err)
	}
	w.checkIn(t, w.anna, w.maren)
	whole := w.Person(t, "Anna Lindqvist", "physician", w.anna).Get(t, "/fhir/Patient/"+w.maren).Body
	for _, want := range []string{"00482217", "555-0777", "Northmere", "Okafor"} {
		if !strings.Contains(whole, want) {
			t.Errorf("%s is gone: %s", want, whole)
		}
	}
	if _, err := w.Gate.Amend(t.Context(), desk, "Patient", w.maren, 0, map[string]string{"identifier": `[]`}); !outcome.Is(err, outcome.Forbidden) {
		t.Errorf("a hidden element is changed: %v", err)
	}
	if _, err := w.Gate.Amend(t.Context(), desk, "Patient", w.maren, 1, map[string]string{"telecom": phone}); !outcome.Is(err, outcome.Precondition) {
		t.Errorf("an old version is changed: %v", err)
	}
	if _, err := w.Gate.Amend(t.Context(), desk, "Patient", w.maren, 0, map[string]string{"telecom": `[{"system":`}); !outcome.Is(err, outcome.Structure) {
		t.Errorf("broken JSON: %v", err)
	}
	if _, err := w.Gate.Amend(t.Context(), desk, "Patient", w.maren, 0, map[string]string{"telecom": ""}); err != nil {
		t.Errorf("nothing can be taken out: %v", err)
	}
	if got := c.Get(t, "/fhir/Patient/"+w.maren).Body; strings.Contains(got, "555-0777") {
		t.Errorf("still there: %s", got)
	}
}
