package detect

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
)

// The engine bears whatever records and events tell: its lines are JSON, its figures are numbers, every access has one first verdict.
func TestTheEngineBearsAnything(t *testing.T) {
	rounds := 20
	if testing.Short() {
		rounds = 6
	}
	for seed := range uint64(rounds) {
		r := rand.New(rand.NewPCG(seed, 1))
		pick := func(list ...string) string { return list[r.IntN(len(list))] }
		staff := func() string {
			return pick("Practitioner/a", "Practitioner/b", "Practitioner/c", "PractitionerRole/1", "jdoe", "", "Patient/p", "Device/1", "Organization/u", "\xff/")
		}
		chart := func() string { return pick("Patient/p", "Patient/q", "Patient/r", "Patient/s", "", "42") }
		unit := func() string { return pick("Organization/u", "Organization/v", "Location/w", "Location/x", "") }
		at := func() int64 {
			switch r.IntN(12) {
			case 0:
				return 0
			case 1:
				return r.Int64() - 1<<62
			}
			return noon + r.Int64N(60*day)
		}
		first, accesses := map[string]int{}, 0
		check := func(b []byte) {
			if !json.Valid(b) {
				t.Fatalf("seed %d: %s", seed, b)
			}
		}
		e := New(Options{Seed: seed, Verdict: func(v *Verdict) {
			check(v.AppendJSON(nil))
			if v.Revision == 1 {
				first[v.Event+" "+v.Patient]++
			}
			if v.Unexplained < -6 || v.Unexplained > 6 || v.Risk < 0 || v.Risk > 1 {
				t.Fatalf("seed %d: %+v", seed, v)
			}
		}, Case: func(c *Case) {
			check(c.AppendJSON(nil))
			if !(c.Posterior >= 0 && c.Posterior <= 1 && c.Severity >= 0 && c.Severity <= 1) || c.Opened > c.Updated || len(c.Events) == 0 {
				t.Fatalf("seed %d: %+v", seed, c)
			}
		}})
		learn := func() {
			x := Record{Ref: fmt.Sprint(pick("Appointment/", "Task/", "PractitionerRole/", "Flag/", "Person/", "Schedule/"), r.IntN(40)), Known: at(), Patient: chart(), Maker: staff(), Gone: r.IntN(9) == 0}
			for range r.IntN(4) {
				x.Ties = append(x.Ties, Tie{Template: Template(r.IntN(int(activity))), Party: pick(staff(), unit()), Patient: pick("", chart()), Known: at() * r.Int64N(2), From: at(), To: at()})
			}
			switch r.IntN(9) {
			case 0:
				x.Folk = &Folk{Ref: pick(chart(), staff()), Of: pick("", chart()), Family: pick("", "Ng"), Given: pick("", "G"), Birth: pick("", "19", "1980", "2019-01-01", "abcd"), Street: pick("", "1 Elm", "2 Elm"), Postal: pick("", "1"), Phones: []string{pick("", "5")}, Died: at(), Contacts: []Contact{{Phone: pick("", "5")}}}
			case 1:
				x.Unit = &Unit{Ref: unit(), Type: pick("", "hospital"), Parts: []string{unit(), unit()}, Under: unit(), House: r.IntN(9) == 0}
			case 2:
				x.Post = &Post{Person: staff(), Role: pick("", "nurse", "clerk"), Units: []string{unit(), unit()}, From: at(), To: at()}
			case 3:
				x.Same = []string{staff(), chart(), staff()}
			case 4:
				x.Plan = &Plan{Ref: x.Ref, People: []string{staff()}, Places: []string{unit()}, From: at(), To: at()}
			case 5:
				x.Turn = &Turn{Plan: fmt.Sprint("Schedule/", r.IntN(40)), From: at(), To: at()}
			case 6:
				x.Twins, x.Kin = []string{chart()}, []Kin{{chart(), pick(staff(), chart())}}
			case 7:
				x.Flags, x.Consents = []string{pick("vip", "x")}, chart()
			}
			e.Learn(x)
		}
		for range 300 {
			learn()
		}
		for range 20 {
			e.Roster(Shift{Person: staff(), Place: unit(), From: at(), To: at()})
		}
		e.Leaves(staff(), at())
		e.Device(pick("", "Device/1"), pick("", "mobile"), unit())
		now := noon
		for i := range 1200 {
			switch r.IntN(20) {
			case 0:
				learn()
			case 1:
				e.Advance(now + r.Int64N(day))
			}
			now += r.Int64N(day / 10)
			ev := Event{ID: fmt.Sprint(i, pick("", "\xfe")), Time: now, Kind: Kind(r.IntN(int(Glass) + 1)), Failed: r.IntN(9) == 0, Agent: staff(), Role: pick("", "nurse", "clerk", "billing"), Place: unit(),
				Address: pick("", "10.0.0.1", "::1", "x"), Device: pick("", "Device/1", "Device/2"), Machine: r.IntN(9) == 0, Listed: r.IntN(9) == 0, Data: pick("", "Patient/p", "Task/1", "PractitionerRole/1", "DocumentReference/1"),
				Section: pick("", "notes"), Rows: r.Int64N(1 << 40), Bytes: r.Int64(), Authored: at()}
			switch {
			case r.IntN(30) == 0:
				ev.Time = noon + r.Int64N(60*day)
			case i == 1199: // the end of time comes once
				ev.Time = at()
			}
			for _, p := range []string{chart(), chart()}[:r.IntN(3)] {
				if p != "" && (len(ev.Patients) == 0 || ev.Patients[0] != p) {
					ev.Patients = append(ev.Patients, p)
				}
			}
			if !ev.Failed {
				accesses += len(ev.Patients)
			}
			e.Judge(&ev)
		}
		e.sweep()
		e.Close()
		if len(first) != accesses {
			t.Errorf("seed %d: %d accesses, %d first verdicts", seed, accesses, len(first))
		}
	}
}
