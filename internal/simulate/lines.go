package simulate

import (
	"fmt"
	"slices"
	"strings"
)

// rosterLine notes a planned shift.
func (w *world) rosterLine(i int32, at, day, from, to int) {
	w.rosterRow(i, at, w.at(day, from), w.at(day, to))
}

func (w *world) rosterRow(i int32, at int, from, to int64) {
	w.roster = append(w.roster, fmt.Sprintf("Practitioner/%s,Location/%s,%s,%s\n", w.people[i].id, w.units[at].location, instant(from), instant(to)))
}

// tables writes roster.csv, leavers.csv and devices.csv.
func (w *world) tables() error {
	var leavers, devices []string
	for i := range w.people {
		if p := &w.people[i]; p.left < w.Days {
			leavers = append(leavers, fmt.Sprintf("Practitioner/%s,%s\n", p.id, instant(w.at(p.left, 0))[:10]))
		}
	}
	for _, v := range w.devices {
		if v.kind == "" { // not one of the house
			continue
		}
		devices = append(devices, fmt.Sprintf("Device/%s,%s,Location/%s\n", v.id, v.kind, w.units[v.unit].location))
	}
	slices.Sort(leavers)
	slices.Sort(devices)
	slices.SortStableFunc(w.roster, func(a, b string) int {
		return strings.Compare(strings.SplitN(a, ",", 3)[2], strings.SplitN(b, ",", 3)[2])
	})
	for _, t := range []struct {
		name, head string
		rows       []string
	}{{"roster", "practitioner,location,start,end\n", w.roster}, {"leavers", "practitioner,last_day\n", leavers}, {"devices", "device,kind,location\n", devices}} {
		if w.missing[t.name] {
			continue
		}
		if err := w.out.write("context/"+t.name+".csv", []byte(t.head+strings.Join(t.rows, ""))); err != nil {
			return err
		}
	}
	return nil
}
