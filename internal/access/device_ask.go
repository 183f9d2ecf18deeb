package access

import (
	"context"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// Who works at a device that the house does not know asks that it is registered: the tablet of the ward, or a laptop of one's own. An
// administrator agrees, and the key that the browser proved when it was asked is the device's from then on.

const (
	// DeviceAct is the kind of an act by which a browser becomes a device of the house.
	DeviceAct = "device"
	// deviceAsksShown is for how long a person reads what became of her requests.
	deviceAsksShown = 30 * 24 * time.Hour
)

// DeviceAsk is a request that a browser becomes a device of the house.
type DeviceAsk struct {
	Approval
	Here       bool // it is about the browser at which it is looked at
	Registered bool // it was agreed to, and the device is registered now
}

// AskDevice asks that the browser of the session becomes a device of the house under that name. It changes nothing until an administrator
// agrees.
//
// Errors: outcome.Forbidden for patients, apps and the command line, and at a lost device; outcome.Value for the name or a key that does not
// prove itself; outcome.Required without a reason; outcome.Conflict where it was asked for this browser already, or it is registered.
func (g *Gate) AskDevice(ctx context.Context, p Principal, name, reason string, from identity.Arrival) (Approval, error) {
	if err := g.Permit(ctx, p, policy.Own); err != nil {
		return Approval{}, err
	}
	if p.Session == nil || p.App != nil || p.Session.Capacity != identity.StaffCapacity {
		return Approval{}, outcome.New(outcome.Forbidden, "a person who works here asks for this, signed in at the device").Because("two-people")
	}
	asked, err := g.persons.AskedDevice(name, from)
	if err != nil {
		return Approval{}, err
	}
	waits, err := g.deviceWaits(ctx, asked.Browser)
	if err != nil {
		return Approval{}, err
	}
	if waits {
		return Approval{}, outcome.New(outcome.Conflict, "somebody asked for this device already: an administrator answers it")
	}
	return g.ask(ctx, p, DeviceAct, "", "register a device", strings.TrimSpace(reason), actBody{Device: &asked, Browser: from.Browser, Zone: from.Zone})
}

// deviceWaits reports whether a request about a browser waits.
func (g *Gate) deviceWaits(ctx context.Context, browser string) (bool, error) {
	for _, state := range []string{"open", "approved"} {
		acts, err := g.persons.Acts(ctx, state)
		if err != nil {
			return false, err
		}
		for i := range acts {
			if b := bodyOf(&acts[i]); acts[i].Kind == DeviceAct && b.Device != nil && b.Device.Browser == browser {
				return true, nil
			}
		}
	}
	return false, nil
}

// DeviceAsks lists what p asked for in the last 30 days and did not withdraw, the newest first, and reports whether the browser of the
// session may be asked for. Errors: outcome.NoStore.
func (g *Gate) DeviceAsks(ctx context.Context, p Principal) (out []DeviceAsk, may bool, err error) {
	own := p.Session
	if own == nil || own.Capacity != identity.StaffCapacity {
		return nil, false, nil // others read the same page, without this
	}
	s, err := g.relate(ctx, p, chart{})
	if err != nil || !g.decide(s, policy.Own, policy.Resource{}).Allowed {
		return nil, false, err
	}
	acts, err := g.persons.ActsAsked(ctx, DeviceAct, own.Person.ID, g.now().Add(-deviceAsksShown), mostAsked)
	if err != nil {
		return nil, false, err
	}
	var devices []identity.Device
	if len(acts) > 0 {
		if devices, err = g.persons.Devices(ctx); err != nil {
			return nil, false, err
		}
	}
	for i := range acts {
		it := &acts[i]
		b := bodyOf(it)
		if b.Device == nil || it.State == "withdrawn" || it.State == "refused" && it.By == own.Person.ID {
			continue
		}
		out = append(out, DeviceAsk{Approval: g.approval(p, it), Here: b.Device.Browser == own.Device,
			Registered: slices.ContainsFunc(devices, func(d identity.Device) bool { return d.ID == it.ID && d.State == identity.DeviceRegistered })})
	}
	waits, err := g.deviceWaits(ctx, own.Device)
	return out, err == nil && !waits && own.Registered == "" && own.Device != "", err
}

// WithdrawDevice takes back a request of one's own that waits. Errors: outcome.Forbidden; outcome.NotFound for any other.
func (g *Gate) WithdrawDevice(ctx context.Context, p Principal, id string) error {
	agent, err := g.herself(ctx, p)
	if err != nil {
		return err
	}
	it, err := g.actOf(ctx, id)
	if err != nil {
		return err
	}
	if it.Kind != DeviceAct || it.AskedBy != agent.Person {
		return errNoItem
	}
	return g.persons.Disagree(ctx, agent, id, "withdrawn", nil)
}

// carryDevice registers what was agreed to, unless it was lost or registered otherwise meanwhile.
func (g *Gate) carryDevice(ctx context.Context, it *identity.Pending) error {
	b, said := bodyOf(it), wanted(it)
	if it.By == "" || it.AskedBy == it.By || b.Device == nil {
		return outcome.New(outcome.Invariant, "one person alone registers no device by a request").Because("two-people")
	}
	agent := audit.Agent{Job: DeviceAct}
	err := g.persons.RegisterAsked(ctx, agent, it.ID, it.By, *b.Device)
	switch {
	case outcome.Is(err, outcome.Forbidden), outcome.Is(err, outcome.Conflict):
		said += ": not registered, " + err.Error()
	case err != nil:
		return err
	}
	return g.persons.Finish(ctx, agent, it.ID, said)
}
