package hospital

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

var noonUTC = time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)

func TestStaffFillsEveryRole(t *testing.T) {
	for _, size := range []Size{Small, Medium} {
		w := Generate(Options{Seed: 3, Size: size, Now: noonUTC})
		roles, keys := map[string]int{}, map[string]bool{}
		for _, p := range slices.Concat(w.Staff, w.Portal) {
			if keys[p.Key] {
				t.Errorf("%s twice", p.Key)
			}
			keys[p.Key] = true
			for _, r := range p.Roles {
				roles[r]++
			}
			if p.Name == "" || p.Title == "" {
				t.Errorf("%s has no name or title", p.Key)
			}
		}
		for _, r := range []string{"physician", "nurse", "medical-assistant", "pharmacist", "technician", "front-desk", "billing", "hr", "privacy", "security", "administrator", "auditor", "patient"} {
			if roles[r] == 0 {
				t.Errorf("nobody is %s", r)
			}
		}
		if len(roles) != 13 || len(w.Staff) < 60 || w.Patients < extent[size].patients {
			t.Errorf("%s: %d roles, %d staff, %d patients", size, len(roles), len(w.Staff), w.Patients)
		}
		for i, role := range []string{"physician", "nurse", "front-desk", "billing", "privacy", "administrator", "patient"} {
			p, ok := w.Person(w.Cast[i])
			if !ok || !slices.Contains(p.Roles, role) {
				t.Errorf("cast %d is not a %s", i, role)
			}
		}
	}
}

// TestSomebodyIsAlwaysThere: at whatever hour one looks, the cast works, every ward has a nurse and a doctor can be had, and nobody
// works two shifts at once.
func TestSomebodyIsAlwaysThere(t *testing.T) {
	for hour := range 24 {
		now := time.Date(2026, time.March, 3, hour, 20, 0, 0, time.UTC)
		h := &house{Options: Options{Seed: 5, Size: Small, Now: now, Zone: time.UTC}, now: now}
		h.midnight = time.Date(2026, time.March, 3, 0, 0, 0, 0, time.UTC)
		h.build()
		h.employ()
		h.roster()
		for _, m := range h.staff {
			if m.cast && !m.OnShift(now) {
				t.Errorf("at %d: %s is not at work", hour, m.Key)
			}
			for i := 1; i < len(m.Shifts); i++ {
				if m.Shifts[i].Start.Before(m.Shifts[i-1].End) {
					t.Errorf("at %d: %s works two shifts at once: %v", hour, m.Key, m.Shifts)
				}
			}
		}
		for _, p := range h.places {
			for back := -40; p.kind == ward && back <= 40; back += 2 {
				at := now.Add(time.Duration(back) * time.Hour)
				if !slices.ContainsFunc(p.nurses, func(m *member) bool { return m.OnShift(at) }) {
					t.Errorf("%s has no nurse at %v", p.name, at)
				}
			}
		}
	}
}

func TestTheHouseIsFull(t *testing.T) {
	for _, now := range []time.Time{noonUTC, noonUTC.Add(15 * time.Hour)} {
		w := Generate(Options{Seed: 11, Now: now})
		types, patients := map[string]int{}, 0
		for _, e := range w.Today {
			types[e.Type]++
			if e.Type == "Patient" {
				patients++
			}
		}
		if patients < 130 || patients > 190 {
			t.Errorf("%d patients are here", patients)
		}
		for _, typ := range []string{"Account", "AllergyIntolerance", "Appointment", "CareTeam", "Claim", "Communication", "Condition", "Coverage", "DiagnosticReport", "DocumentReference",
			"Encounter", "Flag", "HealthcareService", "Immunization", "Location", "MedicationAdministration", "MedicationRequest", "Observation", "Organization", "Person",
			"Practitioner", "PractitionerRole", "Procedure", "RelatedPerson", "Schedule", "ServiceRequest", "Slot", "Task"} {
			if types[typ] == 0 {
				t.Errorf("no %s", typ)
			}
		}
	}
}

func TestDayOfAccesses(t *testing.T) {
	w := Generate(Options{Seed: 9, Now: noonUTC})
	here := map[string]bool{}
	for _, e := range w.Today {
		here[e.Patient] = true
	}
	kinds, codes, plain := map[Misuse]int{}, map[string]int{}, 0
	last := time.Time{}
	for _, a := range w.Accesses {
		if a.At.Before(last) {
			t.Fatal("not in order of time")
		}
		last = a.At
		if _, ok := w.Person(a.Person); !ok || !here[a.Patient] {
			t.Errorf("%s opens a chart: person or chart is unknown", a.Person)
		}
		if a.Misuse == "" && a.Why == "" {
			t.Errorf("%s opens %s without a reason", a.Person, a.Page)
		}
		kinds[a.Misuse]++
		if a.Glass != nil && a.Misuse == "" {
			codes[a.Glass.Code]++
		}
		if a.Glass == nil && a.Misuse == "" {
			plain++
		}
	}
	for _, k := range []Misuse{Neighbor, VIP, Browsing, OwnChart} {
		if kinds[k] == 0 {
			t.Errorf("no %s", k)
		}
	}
	if kinds[Browsing] != 14 {
		t.Errorf("%d charts browsed", kinds[Browsing])
	}
	for _, c := range []string{"emergency", "covering", "consulted", "patient-contact"} {
		if codes[c] == 0 {
			t.Errorf("no glass broken for %s", c)
		}
	}
	if n := len(w.Accesses); plain*100 < n*95 || n < 500 {
		t.Errorf("%d of %d accesses are ordinary", plain, n)
	}
}

// TestNeighborsLiveNextDoor: the misuse of the day has the facts that explain it.
func TestNeighborsLiveNextDoor(t *testing.T) {
	h := &house{Options: Options{Seed: 2, Size: Small, Now: noonUTC, Zone: time.UTC}, now: noonUTC, midnight: noonUTC.Truncate(24 * time.Hour)}
	h.build()
	h.employ()
	h.settle()
	nurse, p := h.member("0/4e/Nurse/0"), h.folk[neighbor]
	if p.home.street != nurse.home.street || p.home.town != nurse.home.town || p.home.number-nurse.home.number != 2 {
		t.Errorf("%v and %v", p.home, nurse.home)
	}
	households, shared := map[string]int{}, 0
	for _, p := range h.folk {
		households[fmt.Sprint(p.home.number, p.home.street, p.home.town.postal, p.family)]++
	}
	for _, n := range households {
		if n > 1 {
			shared += n
		}
	}
	if shared < len(h.folk)/3 {
		t.Errorf("only %d of %d live with others", shared, len(h.folk))
	}
}
