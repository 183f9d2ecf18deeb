package care

import "chartwarden/internal/fhir/document"

// Orders, results to read, and tasks: who has something to do for the patient. An order that nobody ever closes stops counting after a
// while, so that old data does not open charts.
const (
	orderLife        = 90 * day
	prescriptionLife = 30 * day
	taskLife         = 365 * day
)

func (p *projection) serviceRequest() {
	root := p.c.Doc.Root()
	if root.Get("intent").Text() == "proposal" {
		return
	}
	since := p.start(root.Get("authoredOn"), p.begun())
	due := max(since, p.start(root.Get("occurrenceDateTime"), since), p.start(root.Path("occurrencePeriod", "start"), since))
	p.order(root, root.Get("performer"), since, due+orderLife)
}

func (p *projection) medicationRequest() {
	root := p.c.Doc.Root()
	since := p.start(root.Get("authoredOn"), p.begun())
	p.order(root, root.Get("performer"), since, since+prescriptionLife)
	p.performers(root, root.Path("dispenseRequest", "performer"), since, since+prescriptionLife)
}

// order wants the edges of a request: who gave it, who carries it out.
func (p *projection) order(root, performer document.Node, since, expires int64) {
	if x, ok := p.party(root.Get("requester")); ok && x.person() {
		p.request(root, ordered, x, since, expires)
	}
	p.performers(root, performer, since, expires)
}

func (p *projection) performers(root, performer document.Node, since, expires int64) {
	for x := range p.parties(performer) {
		switch {
		case x.person():
			p.request(root, asked, x, since, expires)
		case x.department():
			p.request(root, deptOrder, x, since, expires)
		}
	}
}

// request wants an edge for as long as the request is open.
func (p *projection) request(root document.Node, k kind, x party, since, expires int64) {
	patient := p.chart(root.Get("subject"))
	until := expires
	switch root.Get("status").Text() {
	case "active", "on-hold":
	case "completed", "stopped", "revoked", "cancelled", "ended":
		until = max(min(until, p.over(edge{kind: k, patient: patient, actor: x.key}, since)), since+1)
	default: // a draft, entered in error, unknown
		return
	}
	if until > p.known-after {
		p.say(k, patient, x, 0, since, until)
	}
}

// begun is since when a resource without a date has said anything: when we first heard of it.
func (p *projection) begun() int64 {
	since := p.known
	for _, r := range p.prior {
		since = min(since, r.since)
	}
	return since
}

// diagnosticReport is something to read for whoever is named to interpret it, until it is final.
func (p *projection) diagnosticReport() {
	root := p.c.Doc.Root()
	patient := p.chart(root.Get("subject"))
	since := p.start(root.Get("issued"), p.begun())
	for x := range p.parties(root.Get("resultsInterpreter")) {
		if !x.person() {
			continue
		}
		until := since + orderLife
		switch root.Get("status").Text() {
		case "registered", "partial", "preliminary":
		case "final", "amended", "corrected", "appended":
			until = max(min(until, p.over(edge{kind: asked, patient: patient, actor: x.key}, since)), since+1)
		default:
			continue
		}
		if until > p.known-after {
			p.say(asked, patient, x, 0, since, until)
		}
	}
}

func (p *projection) task() {
	root := p.c.Doc.Root()
	x, ok := p.party(root.Get("owner"))
	if !ok {
		return
	}
	k := task
	switch {
	case x.department():
		k = deptOrder
	case !x.person():
		return
	}
	patient := p.chart(root.Get("for"))
	since := p.start(root.Get("authoredOn"), p.start(root.Get("lastModified"), p.begun()))
	until := since + taskLife
	switch root.Get("status").Text() {
	case "requested", "received", "accepted", "ready", "in-progress", "on-hold":
	case "completed", "cancelled", "failed", "rejected":
		until = max(min(until, p.over(edge{kind: k, patient: patient, actor: x.key}, since)), since+1)
	default:
		return
	}
	if until > p.known-after {
		p.say(k, patient, x, 0, since, until)
	}
}
