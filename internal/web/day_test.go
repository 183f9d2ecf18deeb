package web

import (
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
)

func TestTheDayIsAWardListAndASchedule(t *testing.T) {
	now := time.Date(2026, 11, 20, 9, 10, 0, 0, time.UTC)
	on := func(name, template, place, bed string, at time.Time) access.OnList {
		return access.OnList{PatientID: name, Identity: access.Identity{Name: name}, Template: template, Place: place, Bed: bed, At: at, Open: true, Because: "You gave an order for this patient."}
	}
	day := access.Day{OnShift: true, From: now.Add(-2 * time.Hour), Patients: []access.OnList{
		on("ten", "care.encounter.attending", "5 West", "5 West, bed 10", now.Add(-30*time.Hour)),
		on("two", "care.unit", "5 West", "5 West, bed 2", now.Add(-2*time.Hour)),
		on("home", "care.encounter", "", "", now.Add(-3*time.Hour)),
		on("late", "care.contact.next", "", "", now.Add(5*time.Hour)),
		on("soon", "care.contact.next", "", "", now.Add(time.Hour)),
		on("task", "care.task", "", "", now.Add(-time.Hour)),
		on("gone", "care.contact.past", "", "", now.Add(-40*time.Hour)),
		on("new", "care.something.new", "", "", now),
	}}
	var got []string
	for _, g := range dayLists(day, now, false) {
		line := g.Title + ":"
		for _, p := range g.Patients {
			line += " " + p.Name
			if p.At != "" {
				line += " (" + p.At + ")"
			}
		}
		got = append(got, line)
		if g.Sub == "" && g.Title != "Also yours" {
			t.Errorf("%s does not say why", g.Title)
		}
	}
	want := "5 West: two (Bed 2) ten (Bed 10)|In your care now: home|Clinic: soon (10:10) late (14:10)|Waiting in your queue: task|Seen lately: gone|Also yours: new"
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	if sub := dayLists(day, now, false)[0].Sub; sub != "You are on shift here since 07:10." {
		t.Error(sub)
	}
}
