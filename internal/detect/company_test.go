package detect

import "testing"

func TestWhoSitsAtOneDepartmentIsCompany(t *testing.T) {
	for _, c := range []struct {
		name         string
		hers, theirs int32 // 1 + department
		company      uint8
	}{{"both in the theatre", 1, 1, companyMates}, {"each elsewhere", 1, 2, companyOthers}, {"nobody knows where", 0, 0, companyOthers}} {
		e, _, _ := told()
		d := grown(e, "Practitioner/a", "Practitioner/b")
		e.world.unit("Location/theatre")
		e.world.unit("Location/ward")
		p := e.world.patient("Patient/p")
		for i, seat := range []int32{c.hers, c.theirs} {
			d[i].seat = seat
			d[i].add(look{patient: p, nats: 2})
		}
		e.accompany([]int32{0, 1}, e.day)
		if got := d[0].patients[0].company; got != c.company {
			t.Errorf("%s: company %d, not %d", c.name, got, c.company)
		}
	}
}

func TestWhereNobodyHasReasonsTheirWantIsNoHarvest(t *testing.T) {
	e, _, _ := told()
	e.world.unit("Location/theatre")
	for range 40 {
		d := &today{seat: 1}
		d.opened(10, look{nats: 2})
		e.accustom(d)
	}
	e.world.person("Practitioner/a")
	harvested := func(seat int32) float64 {
		d := &today{role: -1, seat: seat}
		d.opened(14, look{nats: 2})
		return e.weigh(0, d)[harvest]
	}
	if elsewhere, here := harvested(0), harvested(1); elsewhere < 5 || here > 1 {
		t.Errorf("%.1f elsewhere, %.1f where nobody has reasons", elsewhere, here)
	}
}

func TestADepartmentsCustomIsLearnedFromAllItsDays(t *testing.T) {
	e, _, _ := told()
	e.world.unit("Location/theatre")
	p, helper := &person{role: -1}, &today{seat: 1}
	before := e.usualShare(p, helper)
	for range 40 {
		d := &today{seat: 1, logE: clearCase + 1}
		d.opened(10, look{nats: 2})
		e.accustom(d)
	}
	if after := e.usualShare(p, helper); before > .1 || after < .7 {
		t.Errorf("%.2f, and after a month without reasons %.2f", before, after)
	}
	if at := e.usualShare(p, &today{}); at != before {
		t.Errorf("%.2f where nobody knows where she sits", at)
	}
}
