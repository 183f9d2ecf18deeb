package simulate

import "fmt"

// byHour is how emergencies spread over a day, in parts of a thousand.
var byHour = [24]int{25, 20, 16, 14, 13, 14, 20, 30, 42, 52, 58, 60, 58, 56, 54, 54, 55, 58, 60, 58, 54, 48, 40, 41}

var complaints = []string{"abdominal pain", "chest pain", "fever", "fall", "shortness of breath", "headache", "back pain", "laceration", "dizziness", "vomiting"}

// emergencies bring the patients of the emergency department, known ones and strangers.
func (w *world) emergencies() {
	arrivals := w.Staff * 110 / 1000
	for n := range arrivals {
		d := w.begin("emergency", w.today, n)
		h, x := 0, d.below(1000)
		for h < 23 && x >= byHour[h] {
			x -= byHour[h]
			h++
		}
		w.arrival(d, w.at(w.today, h*60+d.below(60)))
	}
}

// newcomer is somebody whom the house has not met, or anyone when there is nobody left.
func (w *world) newcomer(d *draw) (int32, bool) {
	for range 400 {
		if i := int32(d.below(len(w.patients))); w.patients[i].known == never && w.patients[i].died == never {
			return i, true
		}
	}
	return w.anyone(d), false
}

func (w *world) arrival(d *draw, at int64) {
	i, fresh := int32(0), false
	if d.chance(30) {
		i, fresh = w.newcomer(d)
	} else {
		i = w.anyone(d)
	}
	u := w.first(emergency)
	if fresh {
		w.patients[i].known = w.today
		w.register(i, at+int64(d.between(1, 8))*minute)
	}
	stay := int64(d.between(60, 420)) * minute
	doctor := w.any(d, u, at+30*minute, physician, resident)
	nurses := w.any(d, u, at+20*minute, nurse)
	named := ""
	if doctor != nil && !w.gap(d, 250) {
		named = fmt.Sprintf(`"participant":[{"individual":{"reference":"Practitioner/%s"}}],`, w.people[doctor.agent].id)
	}
	complaint := pick(d, complaints)
	if w.patients[i].accident = d.chance(60); w.patients[i].accident {
		complaint = "traffic accident"
	}
	enc := w.unscheduled(d, "Encounter", at, `"status":"in-progress","class":{"code":"EMER"},"subject":{"reference":"Patient/%s"},%s"period":{"start":"%s","end":"%s"},"reasonCode":[{"text":"%s"}],"location":[{"location":{"reference":"Location/%s"}}],"serviceProvider":{"reference":"Organization/%s"}`,
		w.patients[i].id, named, instant(at), instant(at+stay), complaint, w.units[u].location, w.units[u].org)
	if p := w.any(d, u, at, registrar); p != nil {
		s := w.seat(d, p)
		w.lookup(d, s, at+20, i)
		end := w.visit(d, s, at+60, i, d.between(2, 3), group)
		w.write(d, s, end+30, i, create, summary, enc)
	}
	if p := w.any(d, u, at+5*minute, triageNurse); p != nil {
		s := w.seat(d, p)
		end := w.visit(d, s, at+int64(d.between(3, 15))*minute, i, d.between(1, 3), group)
		w.write(d, s, end+90, i, create, labs, 0)
	}
	if nurses != nil {
		y := group
		if !w.gap(d, 400) {
			w.careTeam(d, i, enc, at+15*minute, at+stay, nurses.agent)
			y = direct
		}
		for range d.between(2, 4) {
			w.visit(d, w.seat(d, nurses), d.within(at+15*minute, at+stay), i, d.between(1, 3), y)
		}
	}
	if doctor != nil {
		y := group
		if named != "" {
			y = direct
		}
		s := w.seat(d, doctor)
		end := w.visit(d, s, at+int64(d.between(20, 50))*minute, i, d.between(3, 6), y)
		for _, o := range []struct {
			to    unitKind
			mille int
		}{{laboratory, 620}, {pharmacy, 450}, {radiology, 330}} {
			if d.chance(o.mille) {
				w.request(d, s, end+int64(d.between(20, 500)), i, enc, o.to)
			}
		}
		if d.chance(70) && !w.weekend() {
			w.askConsult(d, s, end, i, enc)
		}
		end = w.visit(d, s, d.within(max(end+minute, at+stay/2), max(end+2*minute, at+stay)), i, d.between(2, 3), y)
		w.write(d, s, end+200, i, create, notes, w.note(d, i, end+200, doctor.agent, enc))
	}
	for range d.below(4) { // glances at the board
		if p := w.any(d, u, at+stay/2, nurse, resident, physician, triageNurse); p != nil {
			w.visit(d, w.seat(d, p), d.within(at, at+stay), i, 1, group)
		}
	}
	if !fresh && d.chance(400) {
		w.admit(d, at+stay, at+stay+int64(44*3600)+int64(d.early(14*86400)), i, -1, enc)
	} else {
		w.bill(d, i, at+stay, true)
	}
}
