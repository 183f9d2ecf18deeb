package detect

import (
	"math"
	"slices"
	"strings"
)

// novel is the log e-value of being at a network or device: nothing for one's own, little for one of the house, much for one that the
// house has never seen. It counts for a day only with charts that are not explained.
func (e *Engine) novel(p *person, ev *Event) (nats float64) {
	if net := networkOf(ev.Address); net != 0 {
		nats = e.novelAt(p.networks[:], net, float64(p.days), e.networks)
	}
	if dev := thin(ev.Device); dev != 0 {
		if _, ok := e.machines[dev]; !ok && e.day-e.firstDay > 5 {
			nats = max(nats, 2.5)
		}
		keep(p.machines[:], dev)
		e.machines[dev] = struct{}{}
	}
	return nats
}

func (e *Engine) novelAt(own []uint32, x uint32, days float64, house map[uint32]float64) float64 {
	known := keep(own, x)
	seen := house[x]
	house[x]++
	if known || days < 4 {
		return 0
	}
	total := e.events + 1
	return pos(logE(min(1, math.Sqrt((seen+1)/total)))) + map[bool]float64{true: 1.5}[seen == 0]
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
