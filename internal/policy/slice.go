package policy

import (
	"fmt"
	"slices"
	"time"

	cedar "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
)

const (
	typeStaff      types.EntityType = "Staff"
	typePatient    types.EntityType = "Patient"
	typeClient     types.EntityType = "Client"
	typeJob        types.EntityType = "Job"
	typeRole       types.EntityType = "Role"
	typeDepartment types.EntityType = "Department"
	typeChart      types.EntityType = "Chart"
	typeRecord     types.EntityType = "Record"
	typeDirectory  types.EntityType = "Directory"
	typeSystem     types.EntityType = "System"
	typeAction     types.EntityType = "Action"
)

// system is the one resource of administrative actions.
var system = types.Entity{UID: cedar.NewEntityUID(typeSystem, "here")}

// slice is all that the engine sees of the world: who asks, at most one chart and one record. It holds no other person's relation,
// whatever the size of the hospital.
type slice struct {
	principal, chart, resource, action types.Entity
}

// Get implements the engine's look-up.
func (s *slice) Get(uid types.EntityUID) (types.Entity, bool) {
	switch uid {
	case s.principal.UID:
		return s.principal, true
	case s.resource.UID:
		return s.resource, true
	case s.chart.UID:
		return s.chart, true
	case s.action.UID:
		return s.action, true
	}
	return types.Entity{}, false
}

// administrative actions concern the installation; a resource given with them is ignored.
func administrative(action string) bool {
	switch action {
	case Own, People, PeopleAgree, PeopleList, Provision, AuditRead, AuditVerify, GlassReview, PolicyRead, PolicyPropose, PolicyAgree, Settings, SettingsRead, Integrity, Approvals, Undo, UndoAgree, Shred, ShredAgree, ExportAgree, GrantAgree, Recertify, RecertifyStart, Cases, CaseWork, Mute, MuteAgree:
		return true
	}
	return false
}

// principalEntity refuses what the rules could misread, so that a fault of a caller denies instead of skipping a forbid.
func principalEntity(p Principal) (types.Entity, error) {
	key := types.String(p.ID)
	switch {
	case p.ID == "":
		return types.Entity{}, fmt.Errorf("the principal has no id")
	case p.Kind == Client:
		return types.Entity{UID: cedar.NewEntityUID(typeClient, key), Attributes: types.NewRecord(types.RecordMap{
			"key": key, "active": types.Boolean(p.Active), "clearances": texts(p.Clearances), "reads": texts(p.Reads), "writes": texts(p.Writes), "provisions": types.Boolean(p.Provisions),
		})}, nil
	case p.Kind == Job:
		return types.Entity{UID: cedar.NewEntityUID(typeJob, key)}, nil
	case p.Kind != Person:
		return types.Entity{}, fmt.Errorf("the principal is of no known kind")
	}
	var roles []types.EntityUID
	for _, r := range p.Roles {
		if !slices.Contains(Roles, r) {
			return types.Entity{}, fmt.Errorf("the principal has an unknown role")
		}
		if (r == RolePatient) == (p.Capacity == Patient) {
			roles = append(roles, cedar.NewEntityUID(typeRole, types.String(r)))
		}
	}
	parents := types.NewEntityUIDSet(roles...)
	switch p.Capacity {
	case Patient:
		return types.Entity{UID: cedar.NewEntityUID(typePatient, key), Parents: parents, Attributes: types.NewRecord(types.RecordMap{
			"key": key, "active": types.Boolean(p.Active),
		})}, nil
	case Staff:
		facts := types.RecordMap{
			"key": key, "active": types.Boolean(p.Active), "onShift": types.Boolean(p.OnShift), "departments": departments(p.Departments),
			"clearances": texts(p.Clearances), "trainingDue": types.NewDatetime(p.TrainingDue),
		}
		if p.Groups != nil {
			facts["groups"] = texts(p.Groups)
		}
		return types.Entity{UID: cedar.NewEntityUID(typeStaff, key), Parents: parents, Attributes: types.NewRecord(facts)}, nil
	}
	return types.Entity{}, fmt.Errorf("the principal acts in no known capacity")
}

func chartEntity(patient, principal string, r Relation) types.Entity {
	facts := types.RecordMap{
		"careTeam": types.Boolean(r.CareTeam), "openContact": types.Boolean(r.OpenContact), "orderDepts": departments(r.OrderDepts),
		"taskOpen": types.Boolean(r.TaskOpen), "panel": types.Boolean(r.Panel), "asked": types.Boolean(r.Asked), "granted": texts(r.Granted), "selfMade": types.Boolean(r.SelfMade), "self": types.Boolean(r.Self),
	}
	set := func(name types.String, t time.Time) {
		if !t.IsZero() {
			facts[name] = types.NewDatetime(t)
		}
	}
	set("lastContactEnd", r.LastContactEnd)
	set("nextContactStart", r.NextContactStart)
	set("btgUntil", r.BTGUntil)
	return types.Entity{
		UID:        cedar.NewEntityUID(typeChart, types.String(patient)),
		Attributes: types.NewRecord(types.RecordMap{"flags": texts(r.Flags)}),
		Tags:       types.NewRecord(types.RecordMap{types.String(principal): types.NewRecord(facts)}),
	}
}

func resourceEntity(r Resource) types.Entity {
	if r.PatientKey == "" {
		return types.Entity{UID: cedar.NewEntityUID(typeDirectory, "asked"), Attributes: types.NewRecord(types.RecordMap{
			"kind": types.String(r.Type), "class": types.String(r.Group),
		})}
	}
	return types.Entity{UID: cedar.NewEntityUID(typeRecord, "asked"), Attributes: types.NewRecord(types.RecordMap{
		"chart": cedar.NewEntityUID(typeChart, types.String(r.PatientKey)), "kind": types.String(r.Type), "class": types.String(r.Group),
		"labels": texts(r.Labels), "released": types.Boolean(r.Released), "restricted": types.Boolean(r.Restricted), "fresh": types.Boolean(r.New),
	})}
}

// contextRecord reads every unknown word as the least trusted one.
func contextRecord(c Context) types.Record {
	device, zone := c.Device, c.Zone
	if device != Managed && device != Registered {
		device = Unknown
	}
	if zone != Hospital && zone != VPN {
		zone = Internet
	}
	return types.NewRecord(types.RecordMap{
		"now": types.NewDatetime(c.Now), "device": types.String(device), "zone": types.String(zone), "aal": types.Long(c.AAL),
		"authAge": types.Long(c.AuthAge), "approvals": types.Long(c.Approvals), "rows": types.Long(c.Rows),
	})
}

func texts(in []string) types.Set {
	out := make([]types.Value, len(in))
	for i, s := range in {
		out[i] = types.String(s)
	}
	return types.NewSet(out...)
}

func departments(in []string) types.Set {
	out := make([]types.Value, len(in))
	for i, s := range in {
		out[i] = cedar.NewEntityUID(typeDepartment, types.String(s))
	}
	return types.NewSet(out...)
}

// sampleEntities are entities with every attribute filled; validating them at load shows at once when schema and facts part ways.
func sampleEntities() []types.Entity {
	now := time.UnixMilli(1)
	var out []types.Entity
	for _, p := range []Principal{
		{Kind: Person, ID: "a", Capacity: Staff, Roles: Roles, Departments: []string{"d"}, Clearances: []string{"PSY"}, TrainingDue: now, Groups: []string{"notes"}},
		{Kind: Person, ID: "a", Capacity: Patient, Roles: Roles},
		{Kind: Client, ID: "c", Reads: []string{"*"}, Writes: []string{"*"}},
	} {
		e, err := principalEntity(p)
		if err != nil {
			panic(err) // the samples above are constants
		}
		out = append(out, e)
	}
	rel := Relation{LastContactEnd: now, NextContactStart: now, BTGUntil: now, OrderDepts: []string{"d"}, Granted: []string{"notes"}, Flags: []string{"vip"}}
	return append(out, chartEntity("p", "a", rel), resourceEntity(Resource{Type: "Patient", Group: "demographics", PatientKey: "p"}),
		resourceEntity(Resource{Type: "Location", Group: "directory"}), system)
}
