package baseline

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"chartwarden/internal/outcome"
)

// house is the reference data as far as the baselines use them.
type house struct {
	agents, patients, places, devices, groups, streets, homes names

	role     map[int32]string // of agents
	unit     map[int32]int32  // organization of an agent
	location map[int32]int32
	who      map[int32]who // of agents
	sick     map[int32]who // of patients
	vip      map[int32]bool
	staff    map[int32]int32 // patients who are agents
	facts    map[int32][]fact
	billing  []string // departments that work on bills
}

// who is what identifies somebody in town.
type who struct {
	family, phone string
	home, street  int32
	contacts      []string // telephones of contacts
}

// fact is a reason to open a chart: for a person, a department or a place, in a window, known since.
type fact struct {
	agent, unit, place int32 // -1: not by it
	from, to, known    int64
	arrival            bool // somebody comes: a reason for the desk
}

func readHouse(dir string) (*house, error) {
	h := &house{role: map[int32]string{}, unit: map[int32]int32{}, location: map[int32]int32{}, who: map[int32]who{}, sick: map[int32]who{}, vip: map[int32]bool{},
		staff: map[int32]int32{}, facts: map[int32][]fact{}}
	for _, typ := range []string{"Practitioner", "PractitionerRole", "Patient", "RelatedPerson", "Person", "Flag", "Appointment", "Encounter", "CareTeam", "ServiceRequest", "MedicationRequest",
		"Procedure", "Task", "Communication", "Claim", "Group"} {
		f, err := os.Open(filepath.Join(dir, typ+".ndjson"))
		if err != nil {
			continue // this feed is missing
		}
		err = h.read(f)
		f.Close()
		if err != nil {
			return nil, outcome.Wrap("baseline: read", outcome.Invalid, typ+".ndjson in the context cannot be read", err)
		}
	}
	if len(h.who) == 0 {
		return nil, outcome.New(outcome.NotFound, "there are no practitioners in "+dir).At("--context")
	}
	return h, nil
}

type reference struct{ Reference string }
type span struct{ Start, End time.Time }

// resource is the union of what is read of all types.
type resource struct {
	ResourceType string
	ID           string
	Meta         struct{ LastUpdated time.Time }
	Name         json.RawMessage
	Telecom      []struct{ Value string }
	Address      []struct {
		Line       []string
		PostalCode string
	}
	Contact                             []struct{ Telecom []struct{ Value string } }
	Code                                json.RawMessage
	Subject, Patient, For, Organization reference
	Practitioner, Requester, Owner      reference
	ManagingEntity                      reference
	Link                                []struct{ Target reference }
	Participant                         []struct{ Actor, Individual, Member reference }
	Location                            json.RawMessage
	Performer                           []json.RawMessage
	Recipient                           []reference
	Period, PerformedPeriod             span
	Start, AuthoredOn, Sent, Created    time.Time
	DispenseRequest                     struct{ Performer reference }
	Member                              []struct{ Entity reference }
	ServiceProvider                     reference
}

func (h *house) read(r io.Reader) error {
	in := bufio.NewReaderSize(r, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 1 {
			var x resource
			if e := json.Unmarshal(line, &x); e != nil {
				return e
			}
			h.take(&x)
		}
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func (h *house) take(x *resource) {
	switch x.ResourceType {
	case "Practitioner":
		h.who[h.agents.number("Practitioner/"+x.ID)] = h.person(x)
	case "PractitionerRole":
		a := h.agents.number(x.Practitioner.Reference)
		var code []struct{ Text string }
		if json.Unmarshal(x.Code, &code) == nil && len(code) > 0 {
			h.role[a] = code[0].Text
		}
		h.unit[a] = h.groups.number(x.Organization.Reference)
		var at []reference
		if json.Unmarshal(x.Location, &at) == nil && len(at) > 0 {
			h.location[a] = h.places.number(at[0].Reference)
		}
	case "Patient":
		h.sick[h.patients.number("Patient/"+x.ID)] = h.person(x)
	case "RelatedPerson":
		p := h.patients.number(x.Patient.Reference)
		w := h.sick[p]
		for _, t := range x.Telecom {
			w.contacts = append(w.contacts, t.Value)
		}
		h.sick[p] = w
	case "Person":
		a, p := int32(-1), int32(-1)
		for _, l := range x.Link {
			if strings.HasPrefix(l.Target.Reference, "Patient/") {
				p = h.patients.number(l.Target.Reference)
			} else {
				a = h.agents.number(l.Target.Reference)
			}
		}
		if a >= 0 && p >= 0 {
			h.staff[p] = a
		}
	case "Flag":
		if strings.Contains(string(x.Code), "VIP") {
			h.vip[h.patients.number(x.Subject.Reference)] = true
		}
	case "Group":
		for _, m := range x.Member {
			h.reason(m.Entity, x.ManagingEntity, time.Time{}, time.Time{}, time.Time{}, 0, 0)
		}
	default:
		h.relation(x)
	}
}

func (h *house) person(x *resource) who {
	var name []struct{ Family string }
	w := who{home: -1, street: -1}
	if json.Unmarshal(x.Name, &name) == nil && len(name) > 0 {
		w.family = name[0].Family
	}
	if len(x.Telecom) > 0 {
		w.phone = x.Telecom[0].Value
	}
	if len(x.Address) > 0 && len(x.Address[0].Line) > 0 {
		line := x.Address[0].Line[0]
		_, street, _ := strings.Cut(line, " ")
		w.home, w.street = h.homes.number(line+x.Address[0].PostalCode), h.streets.number(street+x.Address[0].PostalCode)
	}
	for _, c := range x.Contact {
		for _, t := range c.Telecom {
			w.contacts = append(w.contacts, t.Value)
		}
	}
	return w
}
