package care

// Care teams and own doctors: who is responsible for the patient over time.

func (p *projection) careTeam() {
	root := p.c.Doc.Root()
	if s := root.Get("status").Text(); s != "" && s != "active" {
		return
	}
	patient := p.chart(root.Get("subject"))
	since, until := p.within(root.Get("period"), always, never)
	for one := range root.Get("participant").Items() {
		// An organisation on a team would admit everybody who works there: its people come in by their orders and shifts.
		if x, ok := p.party(one.Get("member")); ok && x.person() {
			from, to := p.within(one.Get("period"), since, until)
			p.say(team, patient, x, 0, from, to)
		}
	}
}

func (p *projection) patient() {
	root := p.c.Doc.Root()
	for x := range p.parties(root.Get("generalPractitioner")) {
		if x.person() {
			p.say(ownDoctor, p.c.Patient, x, 0, always, never)
		}
	}
	for _, r := range p.prior {
		if r.kind == registered {
			p.want = append(p.want, r.edge)
			return
		}
	}
	p.want = append(p.want, edge{kind: registered, patient: p.c.Patient, actor: p.author, since: p.known, until: never})
}
