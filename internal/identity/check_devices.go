package identity

import (
	"regexp"
	"time"

	"chartwarden/internal/posture"
)

// What the log says of devices: which are registered, lost, out of service.

var deviceIn = regexp.MustCompile(`^device ([a-z2-7]{16})\b`)

// deviceStates are what an entry makes of a device.
var deviceStates = map[string]string{didRegisterDevice.interaction: DeviceRegistered, didEnrolMachine.interaction: DeviceRegistered, didLoseDevice.interaction: DeviceLost, didRetireDevice.interaction: DeviceRetired}

// device takes in an entry about a device; later ones count.
func (c *Check) device(d deed) {
	m := deviceIn.FindStringSubmatch(d.text)
	if m == nil {
		return
	}
	switch d.interaction {
	case didRegisterDevice.interaction, didEnrolMachine.interaction, didTieBrowser.interaction:
		c.keyings = append(c.keyings, d)
	}
	if d.interaction == didReport.interaction {
		c.reports[m[1]] = append(c.reports[m[1]], d)
	} else if deviceStates[d.interaction] != "" {
		c.devices[m[1]] = append(c.devices[m[1]], d)
	}
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
	c.compareMachines(rows, there)
	c.compareKeys(rows, there)
}

// deviceState is what the newest entry makes of a device; moving says that its act may not be done yet.
func (c *Check) deviceState(id string, rows *Rows) (state string, moving bool) {
	newest := c.newest(c.devices[id])
	return deviceStates[newest.interaction], rows.at.Sub(newest.when) < settled
}

// newest is the last of some deeds that was carried out.
func (c *Check) newest(of []deed) (newest deed) {
	for _, d := range of {
		if !c.undone[d.at] && !d.when.Before(newest.when) {
			newest = d
		}
	}
	return newest
}

// compareMachines holds the keys and reports of machines against the log: a machine speaks only if it was enrolled last, no report is older
// than what the log tells of, and each is signed by the machine's own key.
func (c *Check) compareMachines(rows *Rows, there map[string]bool) {
	points := map[string][]byte{}
	for i := range rows.machines {
		m := &rows.machines[i]
		points[m.device] = m.point
		last := deed{}
		for _, d := range c.devices[m.device] {
			if d.interaction != didLoseDevice.interaction && d.interaction != didRetireDevice.interaction && !c.undone[d.at] && !d.when.Before(last.when) {
				last = d
			}
		}
		switch {
		case !there[m.device]:
			c.fault(deviceMachineTable, m.number, "is the key of a device that is not there")
		case c.cut || rows.at.Sub(last.when) < settled:
		case last.interaction != didEnrolMachine.interaction:
			c.fault(deviceMachineTable, m.number, "is the key of a machine that no entry enrolled last")
		}
	}
	for i := range rows.postures {
		p := &rows.postures[i]
		var told postureTold
		last := c.newest(c.reports[p.device])
		switch err := openJSON(c.s.box, aad("posture", p.device), p.sealed, &told); {
		case err != nil, !posture.Verify(points[p.device], told.Report, told.Signature):
			c.fault(postureTable, p.number, "is not signed by its device's machine")
		case c.cut || rows.at.Sub(last.when) < settled:
		case last.interaction == "":
			c.fault(postureTable, p.number, "is a report that no entry tells of")
		case last.said.Sub(timeOf(p.came)) > time.Second: // within one the log keeps its own time for the event's
			c.fault(postureTable, p.number, "is older than the report that an entry tells of")
		}
	}
}
