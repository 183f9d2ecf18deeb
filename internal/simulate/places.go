package simulate

import "fmt"

type unitKind uint8

const (
	ward unitKind = iota
	clinic
	emergency
	theatre
	laboratory
	radiology
	pharmacy
	therapy
	cases
	registration
	billing
	records
	quality
	studies
	technology
	pool
	unitKinds
)

var unitKindNames = [unitKinds]string{"ward", "clinic", "ed", "theatre", "lab", "radiology", "pharmacy", "therapy", "case management", "registration", "billing",
	"health information", "quality", "research", "information technology", "float pool"}

var wardNames = []string{"general medicine", "general surgery", "cardiology", "orthopaedics", "intensive care", "neurology", "oncology", "paediatrics", "obstetrics", "pulmonology", "geriatrics", "urology"}
var clinicNames = []string{"family medicine", "internal medicine", "cardiology", "paediatrics", "oncology", "orthopaedics", "gynaecology", "dermatology", "neurology", "gastroenterology", "endocrinology", "psychiatry"}

const bedsPerWard = 24

// unit is a department with its rooms: an Organization, a Location, and for clinics a HealthcareService.
type unit struct {
	kind                   unitKind
	name                   string
	org, location, service string
	devices                []int32
	noTeams, noCalls       bool // never files care teams, or calls
	joined                 int  // the day on which it became part of the house; 0 from the start
}

type device struct {
	id   string
	kind string // workstation, mobile, server
	unit int
	addr uint32
}

func (w *world) build() {
	w.byKind = make([][]int, unitKinds)
	add := func(k unitKind, name string, workstations int) {
		i := len(w.units)
		u := unit{kind: k, name: name, org: w.id(8, "org", i), location: w.id(8, "loc", i)}
		if k == clinic {
			u.service = w.id(8, "svc", i)
		}
		for n := range workstations {
			u.devices = append(u.devices, w.newDevice("workstation", i, address(10, 10+i, 1, 10+n)))
		}
		w.units = append(w.units, u)
		w.byKind[k] = append(w.byKind[k], i)
	}
	named := func(kind string, i int, names []string) string {
		out := fmt.Sprintf("%s %s", kind, names[i%len(names)])
		if i >= len(names) {
			out += fmt.Sprintf(" %d", i/len(names)+1)
		}
		return out
	}
	wards, clinics := max(2, w.Staff/110), max(2, w.Staff/100)
	for i := range wards {
		add(ward, named(fmt.Sprintf("Ward %c", 'A'+i%26), i, wardNames), 14)
	}
	for i := range clinics {
		add(clinic, named("Clinic", i, clinicNames), 18)
	}
	for k := emergency; k < unitKinds; k++ {
		n := 0
		for _, p := range posts {
			if p.at == k {
				n += p.mille * w.Staff / 1000
			}
		}
		if k != pool {
			add(k, string(unitKindNames[k][0]-'a'+'A')+unitKindNames[k][1:], min(200, 4+n*6/10))
		} else {
			add(k, "Float pool", 2)
		}
	}
	for _, i := range some(newDraw(w.Seed, "gap teams"), w.byKind[ward], w.often(len(w.byKind[ward])/6)) {
		w.units[i].noTeams = true
	}
	for _, i := range some(newDraw(w.Seed, "gap calls"), w.byKind[clinic], w.often(len(w.byKind[clinic])/6)) {
		w.units[i].noCalls = true
	}
	w.joining = w.byKind[clinic][clinics-1] // the practice that joins on merger day
	w.units[w.joining].name = "Harbour Practice (joined)"
}

func (w *world) newDevice(kind string, at int, addr uint32) int32 {
	w.devices = append(w.devices, device{w.id(8, "device", len(w.devices)), kind, at, addr})
	return int32(len(w.devices) - 1)
}

func address(a, b, c, d int) uint32 { return uint32(a)<<24 | uint32(b)<<16 | uint32(c)<<8 | uint32(d) }

// first is the only unit of a kind that exists once.
func (w *world) first(k unitKind) int { return w.byKind[k][0] }
