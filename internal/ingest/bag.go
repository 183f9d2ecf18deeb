package ingest

import (
	"cmp"
	"strings"

	"chartwarden/internal/ingest/foreign"
)

// bag holds the fields of one resource that any of the types detection reads may have, by the name FHIR gives them.
type bag struct {
	typ, id  string
	known    int64
	labels   []string
	status   string
	inactive bool
	refs     map[string][]string // field to references, in order
	parts    []part              // participants and members
	grants   []grant             // of a consent
	within   map[string][]string // contained resource to what it stands for
	ids      []foreign.ID        // identifiers, and names of places
	name     string              // of a place or group
	role     string              // the first code, as people read it
	from, to int64               // period, start and end, or the one date
	asked    int64               // when it was written or asked for
	texts    []string            // codes and texts of code, category, type, scope, class and their like, in lower case
	family   string
	given    string
	birth    string
	street   string
	postal   string
	phones   []string
	died     int64
	contacts []contact
	stays    []stay
}

type contact struct{ family, given, phone string }

// part is one participant, member or performer.
type part struct {
	ref, behalf string
	from, to    int64
	out         bool // declined, inactive
}

// grant is one provision with its actors.
type grant struct {
	permit   bool // said outright
	deny     bool
	from, to int64
	actors   []string
}

type stay struct {
	place    string
	from, to int64
}

// fill reads one resource. Fields that it does not know are skipped.
func (b *bag) fill(c *cursor) {
	b.refs = map[string][]string{}
	for c.enter('{'); c.more('}'); {
		switch k := c.key(); k {
		case "resourceType":
			b.typ = c.text()
		case "id":
			b.id = c.text()
		case "meta":
			b.meta(c)
		case "contained":
			c.each(func() { b.contain(c) })
		case "identifier":
			c.each(func() {
				system, value := c.identifier()
				b.ids = append(b.ids, foreign.ID{System: system, Value: value})
			})
		case "alias":
			c.each(func() { b.ids = append(b.ids, foreign.ID{Value: c.text()}) })
		case "status":
			b.status = c.text()
		case "active":
			b.inactive = c.word() == "false"
		case "subject", "patient", "for", "individual", "beneficiary", "practitioner", "organization", "managingOrganization", "partOf",
			"providedBy", "serviceProvider", "requester", "owner", "sender", "enterer", "careManager", "managingEntity", "consent",
			"encounter", "focus", "recorder", "asserter", "schedule", "slot", "actor", "locationReference", "facility", "custodian", "authenticator",
			"healthcareService", "generalPractitioner", "recipient", "author", "appointment", "basedOn", "about", "inResponseTo", "team", "account",
			"subscriber", "policyHolder", "informationSource", "source", "provider":
			b.list(c, k)
		case "performer", "participant", "member", "careTeam":
			c.each(func() { b.part(c) })
		case "location":
			b.locations(c)
		case "link":
			c.each(func() { b.link(c) })
		case "dispenseRequest", "context", "restriction", "hospitalization", "guarantor":
			c.each(func() { b.inside(c) })
		case "code":
			c.each(func() {
				if text := b.concept(c); b.role == "" {
					b.role = text
				}
			})
		case "class", "scope", "category", "type", "serviceType", "physicalType":
			c.each(func() { _ = b.concept(c) })
		case "period", "performedPeriod", "servicePeriod", "occurrencePeriod", "executionPeriod", "billablePeriod", "planningHorizon", "requestedPeriod":
			c.each(func() {
				if from, to := c.period(); b.from == 0 {
					b.from, b.to = from, to
				}
			})
		case "start", "sent", "performedDateTime", "occurrenceDateTime":
			if t, ok := instant(c.text()); ok {
				b.from = t
			}
		case "authoredOn", "date", "created", "dateTime":
			if t, ok := instant(c.text()); ok && (b.asked == 0 || k != "created") {
				b.asked = t
			}
		case "end":
			b.to = instantEnd(c.text())
		case "name":
			b.names(c)
		case "birthDate":
			b.birth = c.text()
		case "deceasedDateTime":
			b.died, _ = instant(c.text())
		case "deceasedBoolean":
			if c.word() == "true" {
				b.died = 1
			}
		case "address":
			c.each(func() { b.address(c) })
		case "telecom":
			c.each(func() {
				if p := c.telecom(); p != "" {
					b.phones = append(b.phones, p)
				}
			})
		case "contact":
			c.each(func() { b.contact(c) })
		case "provision":
			c.each(func() { b.provision(c) })
		default:
			c.skip()
		}
	}
	if b.from == 0 {
		b.from = b.asked
	}
	if c.why == "" && c.space() != 0 {
		c.fail("something follows the resource")
	}
	if b.within != nil {
		b.unpack()
	}
}

// contain reads a contained resource: what a reference to it stands for is its person, its place, or its identifier.
func (b *bag) contain(c *cursor) {
	if !c.is('{') {
		c.skip()
		return
	}
	var id, typ string
	var means, ids []string
	for c.enter('{'); c.more('}'); {
		switch c.key() {
		case "resourceType":
			typ = c.text()
		case "id":
			id = c.text()
		case "identifier":
			c.each(func() {
				if system, value := c.identifier(); value != "" {
					ids = append(ids, logical("", system, value))
				}
			})
		case "practitioner":
			means = append(means, c.party())
		case "organization", "location", "healthcareService", "actor":
			c.each(func() { means = append(means, c.party()) })
		case "participant", "member":
			c.each(func() {
				var in bag
				if in.part(c); len(in.parts) > 0 && !in.parts[0].out {
					means = append(means, in.parts[0].ref)
				}
			})
		default:
			c.skip()
		}
	}
	switch typ {
	case "PractitionerRole", "CareTeam", "Group", "Schedule", "Slot":
	default:
		means = nil
	}
	for _, x := range ids {
		means = append(means, "?"+typ+x[1:])
	}
	if b.within == nil {
		b.within = map[string][]string{}
	}
	b.within["#"+id] = means
}

// unpack puts what contained resources stand for in the place of references to them. One contained in another is followed a step.
func (b *bag) unpack() {
	var one func(ref string, depth int) []string
	one = func(ref string, depth int) (out []string) {
		if !strings.HasPrefix(ref, "#") {
			return []string{ref}
		}
		for _, x := range b.within[ref] {
			if depth < 3 {
				out = append(out, one(x, depth+1)...)
			}
		}
		return out
	}
	for k, v := range b.refs {
		var out []string
		for _, x := range v {
			out = append(out, one(x, 0)...)
		}
		b.refs[k] = out
	}
	parts := b.parts
	b.parts = nil
	for _, p := range parts {
		if strings.HasPrefix(p.behalf, "#") {
			p.behalf = first(one(p.behalf, 0))
		}
		for _, x := range one(p.ref, 0) {
			p.ref = x
			b.parts = append(b.parts, p)
		}
	}
	for i := range b.stays {
		b.stays[i].place = first(one(b.stays[i].place, 0))
	}
	for i := range b.grants {
		var out []string
		for _, x := range b.grants[i].actors {
			out = append(out, one(x, 0)...)
		}
		b.grants[i].actors = out
	}
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

func (b *bag) meta(c *cursor) {
	if !c.is('{') {
		c.skip()
		return
	}
	for c.enter('{'); c.more('}'); {
		switch c.key() {
		case "lastUpdated":
			b.known, _ = instantAfter(c.text())
		case "security":
			for in := c.array(); in && c.more(']'); {
				code, _ := c.coding()
				b.labels = append(b.labels, code)
			}
		default:
			c.skip()
		}
	}
}

// list adds the references of a field, be it one or several.
func (b *bag) list(c *cursor, field string) {
	c.each(func() {
		if r := c.party(); r != "" {
			b.refs[field] = append(b.refs[field], r)
		}
	})
}

// part reads a participant, member or performer: a Reference, or an element that holds one.
func (b *bag) part(c *cursor) {
	if !c.is('{') {
		c.skip()
		return
	}
	var p part
	var r reference
	for c.enter('{'); c.more('}'); {
		switch k := c.key(); k {
		case "actor", "member", "individual", "entity", "provider":
			p.ref = c.party()
		case "onBehalfOf":
			p.behalf = c.party()
		case "status":
			p.out = p.out || c.text() == "declined"
		case "inactive":
			p.out = p.out || c.word() == "true"
		case "period":
			p.from, p.to = c.period()
		default:
			if !r.field(c, k) {
				c.skip()
			}
		}
	}
	if p.ref == "" {
		p.ref = r.party()
	}
	if p.ref != "" || p.behalf != "" {
		b.parts = append(b.parts, p)
	}
}

// link reads Person.link.target or Patient.link.other.
func (b *bag) link(c *cursor) {
	if !c.is('{') {
		c.skip()
		return
	}
	for c.enter('{'); c.more('}'); {
		switch k := c.key(); k {
		case "target", "other":
			b.list(c, "link")
		default:
			c.skip()
		}
	}
}

// inside reads references of a backbone element under the element's own names: dispenseRequest.performer, context.encounter,
// restriction.recipient, hospitalization.destination, guarantor.party. DocumentReference.context may be a Reference itself.
func (b *bag) inside(c *cursor) {
	if !c.is('{') {
		c.skip()
		return
	}
	for c.enter('{'); c.more('}'); {
		switch k := c.key(); k {
		case "performer":
			c.each(func() { b.part(c) })
		case "encounter", "recipient", "origin", "destination", "party", "related", "sourcePatientInfo":
			b.list(c, k)
		case "period", "validityPeriod":
			if from, to := c.period(); b.from == 0 {
				b.from, b.to = from, to
			}
		case "reference":
			b.refs["encounter"] = append(b.refs["encounter"], local(c.text()))
		default:
			c.skip()
		}
	}
}

func (b *bag) locations(c *cursor) {
	c.each(func() {
		if !c.is('{') {
			c.skip()
			return
		}
		var s stay
		var r reference
		planned := false
		for c.enter('{'); c.more('}'); {
			switch k := c.key(); k {
			case "location":
				s.place = c.party()
			case "period":
				s.from, s.to = c.period()
			case "status":
				planned = c.text() == "planned"
			default:
				if !r.field(c, k) {
					c.skip()
				}
			}
		}
		if s.place == "" {
			s.place = r.party()
		}
		if s.place != "" && !planned {
			b.stays = append(b.stays, s)
			b.refs["location"] = append(b.refs["location"], s.place)
		}
	})
}

func (c *cursor) period() (from, to int64) {
	if !c.is('{') {
		c.skip()
		return 0, 0
	}
	for c.enter('{'); c.more('}'); {
		switch c.key() {
		case "start":
			from, _ = instant(c.text())
		case "end":
			to = instantEnd(c.text())
		default:
			c.skip()
		}
	}
	return from, to
}

// concept keeps what a code says, and gives it as people read it.
func (b *bag) concept(c *cursor) string {
	code, text := c.coding()
	for _, s := range []string{code, text} {
		if s != "" {
			b.texts = append(b.texts, strings.ToLower(s))
		}
	}
	return cmp.Or(text, code)
}

func (b *bag) names(c *cursor) {
	if !c.is('[') {
		if name := c.text(); name != "" { // of a place, never of a human
			b.name = name
			b.ids = append(b.ids, foreign.ID{Value: name})
		}
		return
	}
	for in := c.array(); in && c.more(']'); {
		if f, g := c.humanName(); b.family == "" {
			b.family, b.given = f, g
		}
	}
}

func (c *cursor) humanName() (family, given string) {
	if !c.is('{') {
		c.skip()
		return "", ""
	}
	for c.enter('{'); c.more('}'); {
		switch c.key() {
		case "family":
			family = c.text()
		case "given":
			for in := c.array(); in && c.more(']'); {
				if g := c.text(); given == "" {
					given = g
				}
			}
		default:
			c.skip()
		}
	}
	return family, given
}

func (b *bag) address(c *cursor) {
	if !c.is('{') {
		c.skip()
		return
	}
	use, street, postal := "", "", ""
	for c.enter('{'); c.more('}'); {
		switch c.key() {
		case "use":
			use = c.text()
		case "line":
			for in := c.array(); in && c.more(']'); {
				if l := c.text(); street == "" {
					street = l
				}
			}
		case "postalCode":
			postal = c.text()
		default:
			c.skip()
		}
	}
	if b.street == "" && use != "old" && use != "work" && use != "billing" {
		b.street, b.postal = street, postal
	}
}

func (c *cursor) telecom() string {
	if !c.is('{') {
		c.skip()
		return ""
	}
	system, value := "", ""
	for c.enter('{'); c.more('}'); {
		switch c.key() {
		case "system":
			system = c.text()
		case "value":
			value = c.text()
		default:
			c.skip()
		}
	}
	if system == "email" || system == "url" {
		return ""
	}
	return value
}

func (b *bag) contact(c *cursor) {
	if !c.is('{') {
		c.skip()
		return
	}
	var k contact
	for c.enter('{'); c.more('}'); {
		switch c.key() {
		case "name":
			k.family, k.given = c.humanName()
		case "telecom":
			for in := c.array(); in && c.more(']'); {
				if p := c.telecom(); k.phone == "" {
					k.phone = p
				}
			}
		default:
			c.skip()
		}
	}
	b.contacts = append(b.contacts, k)
}

// provision reads one with those inside it, each an exception to the one around it. The outermost has no type of its own in R4: it grants
// nobody anything.
func (b *bag) provision(c *cursor) {
	if !c.is('{') {
		c.skip()
		return
	}
	at := len(b.grants)
	b.grants = append(b.grants, grant{})
	for c.enter('{'); c.more('}'); {
		switch c.key() {
		case "type":
			typ := c.text()
			b.grants[at].permit, b.grants[at].deny = typ == "permit", typ == "deny"
		case "period":
			b.grants[at].from, b.grants[at].to = c.period()
		case "actor":
			c.each(func() {
				var in bag
				in.refs = map[string][]string{}
				if !c.is('{') {
					c.skip()
					return
				}
				for c.enter('{'); c.more('}'); {
					if c.key() == "reference" {
						in.list(c, "actor")
					} else {
						c.skip()
					}
				}
				b.grants[at].actors = append(b.grants[at].actors, in.refs["actor"]...)
			})
		case "provision":
			c.each(func() { b.provision(c) })
		default:
			c.skip()
		}
	}
}
