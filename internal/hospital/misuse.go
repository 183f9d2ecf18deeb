package hospital

import "time"

// breakGlass is the glass broken for a good reason, in each of the ways that there are.
func (h *house) breakGlass() {
	glass := func(minutesAgo int, m *member, p *patient, why, code, text string) {
		for n, page := range []string{"summary", "results"} {
			h.record(Access{At: h.now.Add(minutes(3*n - minutesAgo)), Person: m.Key, Patient: p.url, Page: page, Why: why, Glass: &Glass{code, text}})
		}
	}
	for _, s := range h.stays {
		if s.ward.key == "4e" && s.p != h.folk[vip] {
			glass(94, h.member("0/ed/Resident/0"), s.p, "Ran to the ward when the patient collapsed", "emergency", "")
			break
		}
	}
	if v := h.visiting("ed", 0); v != nil {
		glass(150, h.member("0/card/Cardiologist/0"), v.p, "Rang about an electrocardiogram", "consulted", "Emergency rang about the electrocardiogram, no order yet")
	}
	for _, s := range h.stays {
		if s.ward.key == "icu" && s.ended.IsZero() {
			glass(260, h.member("0/5w/Attending/1"), s.p, "Covers intensive care for an hour", "covering", "Covering intensive care during the handover")
			break
		}
	}
	if v := h.visiting("ortho", 2); v != nil {
		glass(200, h.member("0/fam/Nurse/0"), v.p, "The patient is on the telephone", "patient-contact", "Patient rang, pain after the new tablets")
	}
}

// visiting is the n-th visit of today at a place of the first house.
func (h *house) visiting(key string, n int) *visit {
	for _, v := range h.visits {
		if v.at.key != key || v.at.house != 0 || v.p.employee != nil {
			continue
		}
		if n--; n < 0 {
			return v
		}
	}
	return nil
}

// misuse is what should be found. A nurse of another ward looks up the man next door, and once more in a few minutes; a nurse who
// never met her looks at a well-known patient; a registrar goes through fourteen charts in thirty-nine minutes, among them that of the
// mother of the colleague at her desk; somebody tries the own chart.
func (h *house) misuse(d *draw) {
	look := func(t time.Time, m *member, p *patient, page string, kind Misuse, glass *Glass) {
		h.record(Access{At: t, Person: m.Key, Patient: p.url, Page: page, Misuse: kind, Glass: glass})
	}
	nurse := h.member("0/4e/Nurse/0")
	for i, page := range []string{"summary", "notes", "results"} {
		look(h.now.Add(minutes(2*i-310)), nurse, h.folk[neighbor], page, Neighbor, &Glass{"other", "Checking something"})
	}
	look(h.now.Add(minutes(6)), nurse, h.folk[neighbor], "notes", Neighbor, &Glass{"other", "Checking something"})

	curious := h.member("0/icu/Nurse/4")
	for i, page := range []string{"summary", "notes"} {
		look(h.now.Add(minutes(i-205)), curious, h.folk[vip], page, VIP, &Glass{"other", "Follow-up"})
	}

	clerk := h.member("0/reg/Emergency registrar/0")
	var others []*patient
	for _, v := range h.visits {
		if v.desk != clerk && v.arrival == nil && v.at.house == 0 {
			others = append(others, v.p)
		}
	}
	begin := h.now.Add(minutes(-64))
	for i := range 14 {
		p := h.folk[maren]
		if i != 3 && len(others) > 0 {
			n := d.below(len(others))
			p = others[n]
			others = append(others[:n], others[n+1:]...)
		}
		look(begin.Add(minutes(3*i)), clerk, p, "demographics", Browsing, nil)
	}

	self := h.folk[employees]
	look(h.now.Add(minutes(-400)), self.employee, self, "results", OwnChart, nil)
}
