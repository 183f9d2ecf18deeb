package hospital

import "fmt"

// The kinds of place.
const (
	ward       = "ward"       // patients stay
	emergency  = "emergency"  // patients come as they are
	clinic     = "clinic"     // patients are booked
	department = "department" // people work for patients elsewhere, or for the hospital
)

// plan is a place before it stands in a particular house.
type plan struct {
	key, name, kind string
	beds            int
	specialty       object // SNOMED practice setting; nil: none
	serves          string // what a department's orders are called
	once            bool   // one for the whole hospital, however many houses
}

var plans = []plan{
	{key: "5w", name: "5 West", kind: ward, beds: 16, specialty: snomed("419192003", "Internal medicine")},
	{key: "4e", name: "4 East", kind: ward, beds: 14, specialty: snomed("394609007", "General surgery")},
	{key: "icu", name: "Intensive care", kind: ward, beds: 8, specialty: snomed("408478003", "Critical care medicine")},
	{key: "3n", name: "3 North", kind: ward, beds: 12, specialty: snomed("394586005", "Gynecology")},
	{key: "2s", name: "2 South", kind: ward, beds: 8, specialty: snomed("394587001", "Psychiatry")},
	{key: "ed", name: "Emergency", kind: emergency, beds: 14, specialty: snomed("773568002", "Emergency medicine")},
	{key: "fam", name: "Family medicine clinic", kind: clinic, specialty: snomed("419772000", "Family practice")},
	{key: "card", name: "Cardiology clinic", kind: clinic, specialty: snomed("394579002", "Cardiology")},
	{key: "ortho", name: "Orthopedics clinic", kind: clinic, specialty: snomed("394801008", "Trauma and orthopedics")},
	{key: "women", name: "Women's health clinic", kind: clinic, specialty: snomed("394585009", "Obstetrics and gynecology")},
	{key: "peds", name: "Pediatrics clinic", kind: clinic, specialty: snomed("394537008", "Pediatric specialty")},
	{key: "id", name: "Infectious disease clinic", kind: clinic, specialty: snomed("394807007", "Infectious diseases")},
	{key: "onc", name: "Oncology clinic", kind: clinic, specialty: snomed("394593009", "Medical oncology")},
	{key: "lab", name: "Laboratory", kind: department, serves: "laboratory"},
	{key: "rad", name: "Radiology", kind: department, serves: "imaging"},
	{key: "pharm", name: "Pharmacy", kind: department, serves: "dispensing"},
	{key: "rehab", name: "Rehabilitation", kind: department, serves: "therapy"},
	{key: "reg", name: "Registration", kind: department},
	{key: "bill", name: "Patient accounts", kind: department, once: true},
	{key: "hr", name: "Human resources", kind: department, once: true},
	{key: "privacy", name: "Privacy office", kind: department, once: true},
	{key: "security", name: "Information security", kind: department, once: true},
	{key: "admin", name: "Administration", kind: department, once: true},
	{key: "audit", name: "Internal audit", kind: department, once: true},
}

// place is a ward, clinic or department that stands: an Organization (the department that orders are sent to) and a Location (where
// people and patients are), and for clinics a HealthcareService.
type place struct {
	plan
	house                          int
	location, department, service  string // FullURLs
	bed                            []string
	physicians, nurses, assistants []*member
	others                         []*member
	stations                       []Station
}

// insurer pays.
type insurer struct {
	name, url  string
	kind, text string // v3 ActCode
	share      int
}

const hospitalName = "Northmere General Hospital"

// build puts up the hospital: organizations, locations, services and insurers.
func (h *house) build() {
	built := h.at(-24*900, 0)
	h.organization = h.system(h.lasting("organization"), "Organization", built, object{
		"identifier", list{object{"system", "http://" + ownDomain + "/organization", "value", "NGH"}},
		"active", true, "type", list{termConcept("organization-type", "prov", "Healthcare Provider")}, "name", hospitalName,
		"telecom", list{phone("(555) 010-0000", "work")},
		"address", list{object{"line", list{"1 Lakeshore Drive"}, "city", "Northmere", "state", "MN", "postalCode", "00011", "country", "US"}},
	})
	campus := h.system(h.lasting("campus"), "Location", built, object{
		"status", "active", "name", hospitalName, "mode", "instance", "physicalType", termConcept("location-physical-type", "bu", "Building"),
		"managingOrganization", ref(h.organization, hospitalName),
	})
	for n := range extent[h.Size].houses {
		for _, pl := range plans {
			if pl.once && n > 0 {
				continue
			}
			h.open(n, pl, campus)
		}
	}
	h.insurers = []insurer{
		{name: "Upland Mutual Health Plan", kind: "EHCPOL", text: "extended healthcare", share: 34},
		{name: "Prairie Shield", kind: "EHCPOL", text: "extended healthcare", share: 22},
		{name: "Federal Senior Health Program", kind: "PUBLICPOL", text: "public healthcare", share: 26},
		{name: "State Assistance Program", kind: "PUBLICPOL", text: "public healthcare", share: 18},
	}
	for i := range h.insurers {
		in := &h.insurers[i]
		in.url = h.system(h.lasting("insurer/"+in.name), "Organization", built, object{
			"active", true, "type", list{termConcept("organization-type", "pay", "Payer")}, "name", in.name,
		})
	}
}

func (h *house) open(n int, pl plan, campus string) {
	built := h.at(-24*900, 0)
	p := &place{plan: pl, house: n}
	if n > 0 {
		p.name = fmt.Sprintf("%s, house %d", pl.name, n+1)
	}
	key := fmt.Sprintf("%d/%s", n, pl.key)
	p.department = h.system(h.lasting("department/"+key), "Organization", built, object{
		"active", true, "type", list{termConcept("organization-type", "dept", "Hospital Department")}, "name", p.name,
		"partOf", ref(h.organization, hospitalName),
	})
	physical, text := "wa", "Ward"
	switch pl.kind {
	case clinic, department:
		physical, text = "area", "Area"
	}
	p.location = h.system(h.lasting("location/"+key), "Location", built, object{
		"status", "active", "name", p.name, "mode", "instance", "type", list{concept(pl.kind)},
		"physicalType", termConcept("location-physical-type", physical, text), "managingOrganization", ref(p.department, p.name),
		"partOf", ref(campus, hospitalName),
	})
	for b := range pl.beds {
		name := fmt.Sprintf("%s, bed %d", p.name, b+1)
		p.bed = append(p.bed, h.system(h.lasting(fmt.Sprintf("bed/%s/%d", key, b+1)), "Location", built, object{
			"status", "active", "name", name, "mode", "instance", "physicalType", termConcept("location-physical-type", "bd", "Bed"),
			"managingOrganization", ref(p.department, p.name), "partOf", ref(p.location, p.name),
		}))
	}
	if pl.kind == clinic {
		p.service = h.system(h.lasting("service/"+key), "HealthcareService", built, object{
			"active", true, "providedBy", ref(p.department, p.name), "specialty", list{concept("", pl.specialty)},
			"location", list{ref(p.location, p.name)}, "name", p.name, "telecom", list{phone("(555) 010-0"+fmt.Sprint(100+len(h.places)), "work")},
		})
	}
	h.places = append(h.places, p)
}

// find returns the place of that key in a house, or the one of the whole hospital.
func (h *house) find(n int, key string) *place {
	for _, p := range h.places {
		if p.key == key && (p.house == n || p.once) {
			return p
		}
	}
	panic("hospital: no place " + key)
}
