package ingest

import "strings"

// bag holds the fields of one resource that any of the types detection reads may have, by the name FHIR gives them.
type bag struct {
	typ, id  string
	known    int64
	labels   []string
	status   string
	inactive bool
	refs     map[string][]string // field to references, in order
	from, to int64               // period, start and end, or the one date
	texts    []string            // of code, category, type, scope, class
	name     string
	family   string
	given    string
	birth    string
	street   string
	postal   string
	phones   []string
	died     int64
	contacts []contact
	stays    []stay
	members  []string
	permits  bool // a provision of type permit, or none
}

type contact struct{ family, given, phone string }

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
		case "status":
			b.status = c.text()
		case "active":
			b.inactive = c.word() == "false"
		case "subject", "patient", "for", "individual", "beneficiary", "practitioner", "organization", "managingOrganization", "partOf",
			"providedBy", "serviceProvider", "requester", "owner", "sender", "enterer", "provider", "careManager", "managingEntity", "consent",
			"encounter", "focus", "recorder", "schedule":
			if c.is('[') {
				b.list(c, k)
				continue
			}
			b.ref(c, k)
		case "location":
			b.locations(c)
		case "healthcareService", "generalPractitioner", "recipient", "author", "appointment", "basedOn", "team", "account", "actor":
			b.list(c, k)
		case "performer":
			b.list(c, k)
		case "participant":
			b.list(c, k)
		case "link":
			b.list(c, k)
		case "dispenseRequest", "context":
			b.inside(c, k)
		case "member":
			for in := c.array(); in && c.more(']'); {
				b.members = append(b.members, c.nested())
			}
		case "code", "class", "scope":
			if c.is('[') {
				b.concepts(c)
				continue
			}
			b.concept(c)
		case "category", "type", "serviceType":
			if c.is('[') {
				b.concepts(c)
				continue
			}
			b.concept(c)
		case "period", "performedPeriod", "servicePeriod", "occurrencePeriod", "planningHorizon":
			b.from, b.to = c.period()
		case "start", "sent", "performedDateTime", "authoredOn", "date", "created", "occurrenceDateTime":
			if t, ok := instant(c.text()); ok && (b.from == 0 || k != "created") {
				b.from = t
			}
		case "end":
			b.to, _ = instant(c.text())
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
			for in := c.array(); in && c.more(']'); {
				b.address(c)
			}
		case "telecom":
			for in := c.array(); in && c.more(']'); {
				if p := c.telecom(); p != "" {
					b.phones = append(b.phones, p)
				}
			}
		case "contact":
			for in := c.array(); in && c.more(']'); {
				b.contact(c)
			}
		case "provision":
			b.provision(c)
		default:
			c.skip()
		}
	}
	if c.why == "" && c.space() != 0 {
		c.fail("something follows the resource")
	}
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

func (b *bag) ref(c *cursor, field string) {
	if r := c.nested(); r != "" {
		b.refs[field] = append(b.refs[field], r)
	}
}

func (b *bag) list(c *cursor, field string) {
	for in := c.array(); in && c.more(']'); {
		b.ref(c, field)
	}
}

// nested reads a Reference, or the one inside a backbone element: participant.actor, performer.actor, link.target, member.entity.
func (c *cursor) nested() string {
	if !c.is('{') {
		c.skip()
		return ""
	}
	ref := ""
	for c.enter('{'); c.more('}'); {
		switch c.key() {
		case "reference":
			ref = local(c.text())
		case "actor", "member", "individual", "target", "entity":
			if r := c.party(); r != "" {
				ref = r
			}
		case "status":
			if c.text() == "declined" {
				ref = ""
			}
		default:
			c.skip()
		}
	}
	return ref
}

// inside reads references of a backbone element: dispenseRequest.performer, context.encounter.
func (b *bag) inside(c *cursor, field string) {
	if !c.is('{') {
		c.skip()
		return
	}
	for c.enter('{'); c.more('}'); {
		switch k := c.key(); {
		case k == "reference":
			b.refs[field] = append(b.refs[field], local(c.text()))
		case k != "performer" && k != "encounter":
			c.skip()
		case c.is('['):
			b.list(c, k)
		default:
			b.ref(c, k)
		}
	}
}

func (b *bag) locations(c *cursor) {
	if !c.is('[') {
		b.ref(c, "location")
		return
	}
	for in := c.array(); in && c.more(']'); {
		if !c.is('{') {
			c.skip()
			continue
		}
		var s stay
		for c.enter('{'); c.more('}'); {
			switch c.key() {
			case "reference":
				s.place = local(c.text())
			case "location":
				s.place = c.party()
			case "period":
				s.from, s.to = c.period()
			default:
				c.skip()
			}
		}
		if s.place != "" {
			b.stays = append(b.stays, s)
			b.refs["location"] = append(b.refs["location"], s.place)
		}
	}
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
			s := c.text()
			if to, _ = instant(s); len(s) == 10 {
				to += 86399
			}
		default:
			c.skip()
		}
	}
	return from, to
}

func (b *bag) concept(c *cursor) {
	code, text := c.coding()
	for _, s := range []string{code, text} {
		if s != "" {
			b.texts = append(b.texts, strings.ToLower(s))
		}
	}
}

func (b *bag) concepts(c *cursor) {
	for in := c.array(); in && c.more(']'); {
		b.concept(c)
	}
}

func (b *bag) names(c *cursor) {
	if !c.is('[') {
		b.name = c.text()
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

func (b *bag) provision(c *cursor) {
	if !c.is('{') {
		c.skip()
		return
	}
	for c.enter('{'); c.more('}'); {
		switch c.key() {
		case "type":
			b.permits = c.text() == "permit"
		case "actor":
			for in := c.array(); in && c.more(']'); {
				if !c.is('{') {
					c.skip()
					continue
				}
				for c.enter('{'); c.more('}'); {
					if c.key() == "reference" {
						b.refs["actor"] = append(b.refs["actor"], c.party())
					} else {
						c.skip()
					}
				}
			}
		default:
			c.skip()
		}
	}
}
