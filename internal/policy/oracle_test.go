package policy

import (
	"slices"
	"time"
)

// oracle is the bundle written a second time, by hand and without the engine: what the rules mean for records and the directory. Two
// independent readings of the same page must agree on every case.
func oracle(q Request) bool {
	p, rel, r, c := q.Principal, q.Relation, q.Resource, q.Context
	chart, directory := r.PatientKey != "", r.PatientKey == ""
	read := q.Action == Read || q.Action == Search
	switch p.Kind {
	case Job:
		return p.ID == "import" && (q.Action == Search || q.Action == Write || q.Action == Find) || p.ID == "undo" && (q.Action == Read || q.Action == Write) || p.ID == "label" && q.Action == Write && chart
	case Client:
		covers := func(types []string) bool { return slices.Contains(types, "*") || slices.Contains(types, r.Type) }
		if !p.Active || chart && q.Action != Find && q.Action != Break && (!subset(r.Labels, p.Clearances) || r.Restricted) {
			return false
		}
		switch q.Action {
		case Read, Search:
			return covers(p.Reads)
		case Find:
			return chart && covers(p.Reads)
		case Write:
			return covers(p.Writes)
		case Export:
			return chart && c.Approvals > 0 && covers(p.Reads)
		case Provision:
			return p.Provisions
		}
		return false
	}
	if !p.Active || c.AAL < 2 {
		return false
	}
	if p.Capacity == Patient {
		if !slices.Contains(p.Roles, RolePatient) {
			return false
		}
		return chart && rel.Self && (read && r.Released || q.Action == Write && r.Type == "Consent") || directory && q.Action == Read && r.Group == "directory"
	}
	is := func(roles ...string) bool {
		return slices.ContainsFunc(p.Roles, func(x string) bool { return x != RolePatient && slices.Contains(roles, x) })
	}
	now := c.Now
	clinical := is(Clinical...)
	stale := c.AuthAge > 900
	strange := c.Device != Managed && c.Device != Registered
	outside := c.Zone != Hospital && c.Zone != VPN
	grant := !rel.BTGUntil.IsZero() && now.Before(rel.BTGUntil)
	past := func(d time.Duration) bool {
		return !rel.LastContactEnd.IsZero() && now.Before(rel.LastContactEnd.Add(d))
	}
	ahead := func(d time.Duration) bool {
		return !rel.NextContactStart.IsZero() && now.After(rel.NextContactStart.Add(-d))
	}
	near := past(72*time.Hour) || ahead(48*time.Hour)
	order := p.OnShift && slices.ContainsFunc(rel.OrderDepts, func(d string) bool { return slices.Contains(p.Departments, d) })
	if directory {
		switch q.Action {
		case Read, Search:
			return r.Group == "directory" && is(Roles...)
		case Write:
			return r.Group == "directory" && is("administrator") || is("front-desk") && (r.Type == "Schedule" || r.Type == "Slot")
		}
		return false
	}
	switch q.Action {
	case Break:
		return clinical && !rel.Self && !(strange && outside && stale)
	case Find:
		return (clinical || is("front-desk", "billing", "privacy")) && !(strange && outside && stale)
	}

	// Forbids.
	care := (q.Action == Read || q.Action == Search || q.Action == Write) && (!strange || !outside || !stale) && (rel.OpenContact || grant)
	files := is("billing") && !clinical && r.Group == "billing" && (read || q.Action == Write || q.Action == Print)
	allergy := r.Type == "AllergyIntolerance" && (read || q.Action == Print) && clinical
	switch {
	case rel.Self,
		!subset(r.Labels, p.Clearances) && !allergy && !files && !(grant && (read || q.Action == Write)),
		r.Restricted && !withheldFromNobody(q, clinical, is("front-desk"), is("billing"), grant),
		r.Type == "Consent" && q.Action == Write && !is("physician", "front-desk"),
		q.Action == Lower && stale,
		slices.Contains(r.Labels, "PSYTHPN") && !slices.Contains(p.Clearances, "PSYTHPN") && !allergy,
		len(rel.Flags) > 0 && clinical && !(rel.CareTeam || rel.OpenContact || rel.TaskOpen || rel.Asked || near || order || grant),
		p.Groups != nil && !slices.Contains(p.Groups, r.Group) && !allergy && !(grant && read),
		q.Action == Export && (c.Approvals < 1 || stale),
		q.Action == Print && c.Rows > 200 && c.Approvals < 1,
		now.After(p.TrainingDue) && !care,
		strange && c.Zone != Hospital && c.AAL < 3 && !care,
		outside && stale && !care:
		return false
	}

	// Permits.
	contact := rel.CareTeam || rel.OpenContact
	unflagged := len(rel.Flags) == 0
	switch {
	case is("physician") && rel.CareTeam,
		is("physician") && q.Action != Export && q.Action != Lower && (rel.OpenContact || near),
		is("nurse", "medical-assistant", "pharmacist", "technician") && q.Action != Export && q.Action != Lower && contact,
		clinical && q.Action == Lower && contact,
		clinical && read && unflagged && (past(720*time.Hour) || ahead(720*time.Hour)),
		clinical && read && (order || rel.TaskOpen || rel.Asked || grant || rel.Panel && unflagged),
		is("pharmacist", "technician") && q.Action == Write && order && (r.Group == "results" || r.Group == "medications"),
		clinical && q.Action == Write && rel.SelfMade && grant,
		is("front-desk") && (read || q.Action == Write || q.Action == Print) && (r.Group == "demographics" || r.Group == "contact" || r.Group == "scheduling"),
		is("front-desk") && (read || q.Action == Write) && r.Type == "Consent",
		is("front-desk") && q.Action == Write && (r.Type == "Encounter" || r.Type == "Appointment"),
		is("physician", "nurse", "medical-assistant") && q.Action == Write && r.New && (r.Type == "Patient" || r.Type == "Encounter" || r.Type == "Appointment"),
		is("billing") && (read || q.Action == Print) && (r.Group == "demographics" || r.Group == "billing"),
		is("billing") && read && slices.Contains(rel.Granted, r.Group),
		is("billing") && q.Action == Write && r.Group == "billing":
		return true
	}
	return false
}

func subset(of, in []string) bool {
	return !slices.ContainsFunc(of, func(x string) bool { return !slices.Contains(in, x) })
}

// withheldFromNobody is what no Consent keeps from somebody: allergies and who the patient is from those who treat, what desk and billing
// work with from them, and in an emergency anything but a change of a Consent.
func withheldFromNobody(q Request, clinical, desk, billing, grant bool) bool {
	r := q.Resource
	read := q.Action == Read || q.Action == Search
	works := read || q.Action == Write || q.Action == Print
	group := func(names ...string) bool { return slices.Contains(names, r.Group) }
	return clinical && (r.Type == "AllergyIntolerance" || r.Type == "Patient") && (read || q.Action == Print) ||
		desk && !clinical && (works && group("demographics", "contact", "scheduling") || r.Type == "Consent" && (read || q.Action == Write)) ||
		billing && !clinical && works && group("demographics", "billing") ||
		grant && (read || q.Action == Write && r.Type != "Consent")
}
