package detect

import "testing"

// TestDeletedWhatWasRead: where removing is daily work, what was read before it went counts for a tenth; elsewhere, and unread, each counts.
func TestDeletedWhatWasRead(t *testing.T) {
	day := func(read bool) *today {
		d := &today{}
		for p := range int32(60) {
			if read {
				d.add(look{patient: p})
			}
			d.erases(&Event{ID: "e", Kind: Delete}, p, d.look(p), 2)
			if !read { // the engine adds the look that the deletion is
				d.add(look{patient: p})
				d.erases(&Event{ID: "e", Kind: Delete}, p, d.look(p), 2) // a second document
			}
		}
		return d
	}
	clerks, nurses := &roleStats{n: 300}, &roleStats{n: 300}
	clerks.sum[countErased], nurses.sum[countErased] = 1000, 5
	for _, c := range []struct {
		of   *roleStats
		read bool
		want int32
	}{{clerks, true, 6}, {clerks, false, 120}, {nurses, true, 60}, {nurses, false, 120}} {
		if got := c.of.deleted(day(c.read)); got != c.want {
			t.Errorf("clerks %v, read %v: %d of the deletions count, not %d", c.of == clerks, c.read, got, c.want)
		}
	}
}

// TestUsualIsARolesOwn: coders open the dead, one chart of ten, without a reason on file all day; that makes it usual for them, and for nobody else.
func TestUsualIsARolesOwn(t *testing.T) {
	e := New(Options{Seed: 1})
	coder, nurse := e.role("coder"), e.role("nurse")
	dead := -1
	for q := range relations {
		if relations[q].name == "deceased" {
			dead = q
		}
	}
	bits := uint32(1<<dead | 1<<(len(relations)-1))
	e.stats(coder).sum[countPatients], e.stats(coder).sum[countUnexplained] = 20000, 19000
	e.stats(nurse).sum[countPatients], e.stats(nurse).sum[countUnexplained] = 20000, 400
	_, fresh := e.related(nurse, bits, 2)
	for i := range 4000 {
		for role, each := range map[int32]int{coder: 10, nurse: 250} {
			of := bits
			if i%each > 0 {
				of = 1 << (len(relations) - 1)
			}
			e.opened(role, of)
		}
	}
	_, after := e.related(nurse, bits, 2)
	_, theirs := e.related(coder, bits, 2)
	if after < fresh-1 || theirs > after-1.5 {
		t.Errorf("a nurse's look at somebody dead says %.2f, %.2f before coders worked, %.2f of a coder", after, fresh, theirs)
	}
}
