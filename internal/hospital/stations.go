package hospital

import (
	"fmt"
	"net/netip"

	"chartwarden/internal/identity"
)

// Station is a workstation of the house: a Device at its place, on the place's own network.
type Station struct {
	Device  string // FullURL
	Name    string // 5 West 2
	Address string // of the network
}

// equip puts workstations where people work.
func (h *house) equip() {
	built := h.at(-24*700, 0)
	for n, p := range h.places {
		for i := range 3 + p.beds/5 {
			s := Station{Name: fmt.Sprint(p.name, " ", i+1), Address: fmt.Sprintf("10.%d.%d.%d", 20+n/200, n%200, 11+i)}
			s.Device = h.system(h.lasting(fmt.Sprintf("device/%d/%s/%d", p.house, p.key, i+1)), "Device", built, object{
				"status", "active", "type", concept("workstation"), "deviceName", list{object{"name", s.Name, "type", "user-friendly-name"}},
				"owner", ref(p.department, p.name), "location", ref(p.location, p.name),
			})
			p.stations = append(p.stations, s)
		}
	}
}

// sit gives everybody the workstation at which she usually sits; several share one, as they do.
func (h *house) sit() {
	for _, m := range h.staff {
		m.Station = m.at.stations[m.turn%len(m.at.stations)]
	}
}

// farAway is the network from which nobody of the house works. Source: RFC 5737, for documentation.
var farAway = netip.MustParseAddr("203.0.113.27")

// Sit names the seat of somebody, by id, for a browser at which all people of the demonstration sit in truth: "" at her usual workstation,
// "away" at one of another department, "strange" far away. An empty name is the browser's own.
func (s *Seat) Sit(person, seat string) string {
	if seat == "strange" {
		return seat
	}
	for _, w := range s.World.Staff {
		if s.people[w.Key].ID != person {
			continue
		}
		if seat != "away" {
			return w.Station.Address
		}
		for _, x := range s.World.Staff {
			if x.Department != w.Department && len(x.Shifts) > 0 {
				return x.Station.Address
			}
		}
	}
	return ""
}

// Seated is where a request from a seat of that name comes from; browser is where it comes from in truth.
func (s *Seat) Seated(name string, browser identity.Arrival) identity.Arrival {
	if name == "strange" {
		browser.Address, browser.Zone = farAway, "vpn"
		return browser
	}
	if at, ok := s.seats[name]; ok {
		return at
	}
	return browser
}

// furnish notes what a request from each workstation looks like, once all of them have an id.
func (s *Seat) furnish() {
	s.seats = map[string]identity.Arrival{}
	for _, w := range s.World.Staff {
		s.seats[w.Station.Address] = s.at(w.Station)
	}
}
