package identity

import "regexp"

// What the log says of devices: which are registered, lost, out of service.

var deviceIn = regexp.MustCompile(`^device ([a-z2-7]{16})\b`)

// deviceStates are what an entry makes of a device.
var deviceStates = map[string]string{didRegisterDevice.interaction: DeviceRegistered, didLoseDevice.interaction: DeviceLost, didRetireDevice.interaction: DeviceRetired}

// device takes in an entry about a device; later ones count.
func (c *Check) device(d deed) {
	m, state := deviceIn.FindStringSubmatch(d.text), deviceStates[d.interaction]
	if m == nil || state == "" {
		return
	}
	c.devices[m[1]] = append(c.devices[m[1]], d)
}

// compareDevices holds the rows of devices against the log: one that was lost does not come back by itself.
func (c *Check) compareDevices(rows *Rows) {
	there := map[string]bool{}
	for i := range rows.devices {
		d := &rows.devices[i]
		there[d.id] = true
		said, moving := c.deviceState(d.id, rows)
		switch {
		case c.cut || moving:
		case said == "":
			c.fault(deviceTable, d.number, "is a device that no entry registered")
		case said != d.state:
			c.fault(deviceTable, d.number, "is "+d.state+", and the log says "+said)
		}
	}
	for id := range c.devices {
		if said, moving := c.deviceState(id, rows); said == DeviceLost && !moving && !there[id] {
			c.fault(deviceTable, 0, "lacks device "+id+", which was lost")
		}
	}
	for i := range rows.deviceKeys {
		if k := &rows.deviceKeys[i]; !there[k.device] {
			c.fault(deviceKeyTable, k.number, "is the key of a device that is not there")
		}
	}
}

// deviceState is what the newest entry makes of a device; moving says that its act may not be done yet.
func (c *Check) deviceState(id string, rows *Rows) (state string, moving bool) {
	var newest deed
	for _, d := range c.devices[id] {
		if !c.undone[d.at] && !d.when.Before(newest.when) {
			newest, state = d, deviceStates[d.interaction]
		}
	}
	return state, rows.at.Sub(newest.when) < settled
}
