package detect

import (
	"math"
	"slices"
	"strings"
)

// How a seat can be new to somebody, each with its share of stolen sessions and, before the site has shown its own, of all person-days.
const (
	newNetwork    = iota // of the house, and new to the person
	unseenNetwork        // nobody of the house was ever there
	unseenDevice         // not of the house, and nobody ever had it
	novelties
)

var novelty = [novelties]struct{ share, rate float64 }{{.3, .03}, {.5, .002}, {.5, .01}}

// novel notes a seat that is new to the person today, with the log of how much more often stolen sessions are at such a seat than people
// are. What is done there counts apart.
func (e *Engine) novel(p *person, d *today, ev *Event) {
	net, dev := networkOf(ev.Address), thin(ev.Device)
	settled := p.days >= 4 && e.day-e.firstDay > 5
	note := func(kind int) {
		if !settled || d.novel&(1<<kind) != 0 {
			return
		}
		d.novel |= 1 << kind
		e.novelDays[kind]++
		share := (e.novelDays[kind] + 1000*novelty[kind].rate) / (e.personDays + 1000)
		if x := math.Log(novelty[kind].share / share); x > d.novelty {
			d.novelty, d.awayNet, d.awayDev = x, net, dev
			if kind != unseenDevice { // the network tells the seat
				d.awayDev = 0
			}
		}
	}
	if net != 0 {
		seen := e.networks[net]
		if !keep(p.networks[:], net) {
			if seen == 0 {
				note(unseenNetwork)
			} else {
				note(newNetwork)
			}
			e.networks[net] = seen + 1
		}
	}
	if dev != 0 {
		if m := e.machine(dev); !m.listed && m.people == [3]int32{} {
			note(unseenDevice)
			if e.listed {
				d.stranger = dev
			}
		}
	}
}

// away reports whether an event is at the seat that is new today.
func (d *today) away(ev *Event) bool {
	return d.novelty > 0 && (d.awayDev != 0 && d.awayDev == thin(ev.Device) || d.awayDev == 0 && d.awayNet == networkOf(ev.Address))
}

// stolenSession is the evidence of a seat that is new, and of how many of the charts opened there are not explained, against the share that
// usually is not.
func (e *Engine) stolenSession(p *person, d *today) float64 {
	if d.novelty <= 0 {
		return 0
	}
	all, open := 0, 0
	for i := range d.patients {
		if l := &d.patients[i]; l.away {
			all++
			if l.counted {
				open++
			}
		}
	}
	if open == 0 {
		return 0
	}
	return d.novelty + pos(logE(binomialTail(all, open, min(.9, e.usualShare(p, d)))))
}

// keep puts x first in a short list of what was met of late; it tells whether x was there.
func keep(list []uint32, x uint32) bool {
	i := slices.Index(list, x)
	known := i >= 0
	if !known {
		i = len(list) - 1
	}
	copy(list[1:i+1], list[:i])
	list[0] = x
	return known
}

// networkOf is the address without its last part.
func networkOf(address string) uint32 {
	if address == "" {
		return 0
	}
	if i := strings.LastIndexAny(address, ".:"); i > 0 {
		address = address[:i]
	}
	return thin(address)
}

func thin(s string) uint32 {
	if s == "" {
		return 0
	}
	return uint32(digest(s)>>16) | 1
}
