package hospital

import "fmt"

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
