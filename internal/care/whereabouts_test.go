package care

import (
	"fmt"
	"testing"
	"time"

	"chartwarden/internal/fhir"
)

func TestWhereaboutsNameWardAndBed(t *testing.T) {
	w := newWorld(t)
	stay := func(patient int, id, status, locations string) {
		w.says(clerk, `{'resourceType':'Encounter','id':'%s','status':'%s','subject':{'reference':'Patient/%d'},'period':{'start':'2026-11-20T08:00:00Z'},
			'serviceProvider':{'reference':'Organization/5w','display':'5 West'},'location':[%s]}`, id, status, patient, locations)
	}
	at := func(id, name string) string {
		return fmt.Sprintf(`{'status':'active','location':{'reference':'Location/%s','display':'%s'}}`, id, name)
	}
	stay(7, "a", "in-progress", at("ward", "5 West")+","+at("bed12", "5 West, bed 12"))
	stay(8, "b", "in-progress", at("bed3", "5 West, bed 3"))
	stay(9, "c", "planned", at("bed4", "5 West, bed 4"))
	stay(10, "d", "in-progress", "")
	got, err := w.Whereabouts(t.Context(), w.now, 7, 8, 9, 10, 11)
	if err != nil {
		t.Fatal(err)
	}
	want := map[fhir.PatientID]Whereabouts{7: {"5 West", "5 West, bed 12"}, 8: {"5 West", "5 West, bed 3"}, 10: {Ward: "5 West"}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestBookedListsTheDayInOrder(t *testing.T) {
	w := newWorld(t)
	book := func(patient int, id, status, start string) {
		w.says(clerk, `{'resourceType':'Appointment','id':'%s','status':'%s','start':'%s','end':'2026-11-21T18:00:00Z','participant':[
			{'actor':{'reference':'Patient/%d'},'status':'accepted'},{'actor':{'reference':'Practitioner/anna'},'status':'accepted'},{'actor':{'reference':'Practitioner/bob'},'status':'accepted'}]}`,
			id, status, start, patient)
	}
	book(8, "late", "booked", "2026-11-21T15:00:00Z")
	book(7, "early", "booked", "2026-11-21T13:00:00Z")
	book(9, "off", "cancelled", "2026-11-21T13:30:00Z")
	book(10, "tomorrow", "booked", "2026-11-22T13:00:00Z")
	day := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	got, err := w.Booked(t.Context(), day, day.AddDate(0, 0, 1), w.now)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Patient != 7 || got[1].Patient != 8 || got[0].Record != w.records["Appointment/early"] {
		t.Fatalf("%v", got)
	}
	book(7, "early", "cancelled", "2026-11-21T13:00:00Z")
	if got, _ = w.Booked(t.Context(), day, day.AddDate(0, 0, 1), w.now.Add(time.Second)); len(got) != 1 {
		t.Errorf("a cancelled appointment is listed: %v", got)
	}
}
