package foreign

import (
	"hash/maphash"
	"strings"
)

// Crosswalk leads from the identifiers of other systems to references of the context: logins and employee ids to practitioners, numbers
// of charts to patients, names of departments to places. It keeps identifiers as keyed values only. It is for one goroutine.
type Crosswalk struct {
	seed    maphash.Seed
	of      map[uint64]string   // "" where two share the identifier
	systems map[string]struct{} // of which identifiers were told, behind their type
}

// NewCrosswalk makes one that leads nowhere.
func NewCrosswalk() *Crosswalk {
	return &Crosswalk{maphash.MakeSeed(), map[uint64]string{}, map[string]struct{}{}}
}

// Add tells one identifier of a reference, or its id. An identifier of two references of one type leads to neither.
func (x *Crosswalk) Add(ref, system, value string) {
	typ, id, ok := strings.Cut(ref, "/")
	own := value == id && system == ""
	if value = canonical(value); !ok || value == "" {
		return
	}
	if own {
		x.put(x.key(typ, byID, value), ref)
		return
	}
	x.put(x.key(typ, "", value), ref)
	if system != "" {
		if k := typ + "|" + system; !x.has(k) {
			x.systems[strings.Clone(k)] = struct{}{}
		}
		x.put(x.key(typ, system, value), ref)
	}
}

// byID stands for the system of ids of resources. Servers number these 1, 2, 3, and so do hospitals their charts: an identifier goes
// before an id, and the one does not make the other ambiguous.
const byID = "\x00"

func (x *Crosswalk) has(system string) bool {
	_, ok := x.systems[system]
	return ok
}

func (x *Crosswalk) put(k uint64, ref string) {
	if was, ok := x.of[k]; ok && was != ref {
		ref = ""
	}
	x.of[k] = strings.Clone(ref)
}

func (x *Crosswalk) key(typ, system, value string) uint64 {
	var h maphash.Hash
	h.SetSeed(x.seed)
	h.WriteString(typ)
	h.WriteByte(0)
	h.WriteString(system)
	h.WriteByte(0)
	h.WriteString(value)
	return h.Sum64()
}

// canonical ignores case and surrounding space, as directories of logins do.
func canonical(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// Find is the reference of type typ that one of the identifiers leads to, the first that does. A login is also tried without its domain.
// An identifier of a system that the context does not know may be that of any.
func (x *Crosswalk) Find(typ string, ids []ID) (ref string, ok bool) {
	for _, id := range ids {
		v := canonical(id.Value)
		if id.System != "" && !x.has(typ+"|"+id.System) {
			id.System = ""
		}
		if ref, ok := x.find(typ, id.System, v); ok {
			return ref, true
		}
		if typ != "Practitioner" {
			continue
		}
		bare, _, _ := strings.Cut(v[strings.LastIndexByte(v, '\\')+1:], "@")
		if bare == v || bare == "" {
			continue
		}
		if ref, ok := x.find(typ, id.System, bare); ok {
			return ref, true
		}
	}
	return "", false
}

func (x *Crosswalk) find(typ, system, value string) (string, bool) {
	ref, known := x.of[x.key(typ, system, value)]
	if !known && system == "" { // one that two share is nobody's id either
		ref = x.of[x.key(typ, byID, value)]
	}
	return ref, ref != ""
}

// unit is the reference of a department or place by its name.
func (x *Crosswalk) unit(name string) string {
	ids := []ID{{Label: "name", Value: name}}
	for _, typ := range []string{"Location", "Organization", "HealthcareService"} {
		if ref, ok := x.Find(typ, ids); ok {
			return ref
		}
	}
	return Own("Location", ids[0])
}

// Own is a reference for somebody whom the context does not know. It is the same wherever the identifier is.
func Own(typ string, id ID) string {
	b := make([]byte, 0, len(typ)+len(id.Label)+len(id.Value)+2)
	b = append(append(append(append(b, typ...), '/'), id.Label...), ':')
	for _, c := range []byte(canonical(id.Value)) {
		switch {
		case c == '\\': // of a login's domain; Resolve finds it again
			c = '|'
		case c <= ' ' || c == '/' || c == '"':
			c = '_'
		}
		b = append(b, c)
	}
	return string(b)
}

// Resolve leads a reference as Own writes it (Practitioner/login:jdoe) to the context's, if it knows it.
func (x *Crosswalk) Resolve(ref string) string {
	typ, rest, ok := strings.Cut(ref, "/")
	if !ok {
		return ref
	}
	label, value, ok := strings.Cut(rest, ":")
	if !ok {
		return ref
	}
	if typ == "Practitioner" {
		value = strings.Replace(value, "|", `\`, 1)
	}
	id := ID{Label: label, Value: value}
	if strings.Trim(label, "0123456789.") == "" {
		id.System = "urn:oid:" + label // an object identifier, as syslog messages name authorities
	}
	if found, ok := x.Find(typ, []ID{id}); ok {
		return found
	}
	return ref
}
