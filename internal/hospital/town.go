package hospital

import "fmt"

// address is where a household or a member of staff lives. Neighbours share street and differ by two in number.
type address struct {
	number int
	street string
	town   *town
}

type town struct{ name, postal string }

// Postal codes begin with 000, which no post office does.
var towns = []town{{"Northmere", "00011"}, {"Northmere", "00012"}, {"Alder Falls", "00021"}, {"Port Ellery", "00031"}, {"Quarry Hill", "00041"}, {"Saxby", "00051"}}

var streets = []string{
	"Heron Lane", "Millrace Road", "Orchard Street", "Kiln Street", "Beacon Hill Road", "Lantern Court", "Foundry Street", "Sycamore Avenue",
	"Tannery Row", "Cooper Street", "Lakeshore Drive", "Juniper Way", "Station Road", "Winding Creek Road", "Mason Street", "Thistle Court",
	"Harbor View", "Prospect Avenue", "Old Ferry Road", "Maple Terrace", "Quarry Road", "Linden Street", "Meadowlark Lane", "Granary Street",
}

func drawAddress(d *draw) address {
	return address{d.between(1, 140) * 2, pick(d, streets), &towns[min(d.below(len(towns)), d.below(len(towns)))]}
}

func (a address) object(use string) object {
	return object{"use", use, "line", list{fmt.Sprintf("%d %s", a.number, a.street)}, "city", a.town.name, "state", "MN",
		"postalCode", a.town.postal, "country", "US"}
}

// nextDoor is the address two house numbers on.
func (a address) nextDoor() address { a.number += 2; return a }

// drawPhone makes a number that cannot be dialled: area codes 555 are unassigned and exchanges never begin with 0.
func drawPhone(d *draw) string {
	return fmt.Sprintf("(555) 0%02d-%04d", d.below(100), d.below(10000))
}
