package identity

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// Which keys of browsers a device has: entries name each one that came and each that went.

var (
	keyIn  = regexp.MustCompile(`; key ([a-z2-7]{16})\b`)
	goneIn = regexp.MustCompile(`, no longer key ([a-z2-7]{16}) of device ([a-z2-7]{16})\b`)
)

// ring is what the log says of the keys of one device.
type ring struct {
	whole      bool            // all of them are known: an entry began them anew. A version before named none
	unsure     bool            // a crash may have cut the newest act between its entry and its rows
	held, gone map[string]bool // by name
	last       time.Time
}

// rings folds what entries say of keys, in order.
func (c *Check) rings() map[string]*ring {
	out := map[string]*ring{}
	of := func(id string, d deed) *ring {
		r := out[id]
		if r == nil {
			r = &ring{held: map[string]bool{}, gone: map[string]bool{}}
			out[id] = r
		}
		r.last, r.unsure = d.when, c.unsure[d.at]
		return r
	}
	keyings := slices.Clone(c.keyings)
	slices.SortStableFunc(keyings, func(a, b deed) int { return a.when.Compare(b.when) })
	for _, d := range keyings {
		if c.undone[d.at] {
			continue
		}
		for _, m := range goneIn.FindAllStringSubmatch(d.text, -1) {
			r := of(m[2], d)
			delete(r.held, m[1])
			r.gone[m[1]] = true
		}
		r, key := of(deviceIn.FindStringSubmatch(d.text)[1], d), keyIn.FindStringSubmatch(d.text)
		if d.interaction != didTieBrowser.interaction {
			for name := range r.held {
				r.gone[name] = true
			}
			r.whole, r.held = key != nil || strings.HasSuffix(d.text, noKey), map[string]bool{}
			if !r.whole {
				r.gone = map[string]bool{}
			}
		}
		switch {
		case key != nil:
			r.held[key[1]] = true
			delete(r.gone, key[1])
		case d.interaction == didTieBrowser.interaction:
			r.whole, r.gone = false, map[string]bool{}
		}
	}
	return out
}

// compareKeys holds keys, and what devices' rows say of them, against the log: one that another took the place of does not come back.
func (c *Check) compareKeys(rows *Rows, there map[string]bool) {
	rings := c.rings()
	judged := func(device string) *ring {
		if r := rings[device]; r != nil && !c.cut && !r.unsure && rows.at.Sub(r.last) >= settled {
			return r
		}
		return &ring{}
	}
	for i := range rows.deviceKeys {
		k := &rows.deviceKeys[i]
		name, r := keyName(k.point), judged(k.device)
		switch {
		case !there[k.device]:
			c.fault(deviceKeyTable, k.number, "is the key of a device that is not there")
		case r.gone[name] || r.whole && !r.held[name]:
			c.fault(deviceKeyTable, k.number, "is a key that its device has no longer")
		}
	}
	for i := range rows.devices {
		d := &rows.devices[i]
		r := judged(d.id)
		if !r.whole {
			continue
		}
		var told deviceTold
		if err := openJSON(c.s.box, aad("device", d.id), d.sealed, &told); err != nil {
			c.fault(deviceTable, d.number, "cannot be opened")
			continue
		}
		if len(told.Keys) != len(r.held) || slices.ContainsFunc(told.Keys, func(name string) bool { return !r.held[name] }) {
			c.fault(deviceTable, d.number, "names other keys than the log says")
		}
	}
}
