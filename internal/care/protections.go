package care

import (
	"strings"

	"chartwarden/internal/fhir"
)

// Flags that protect a chart, and people who are patients here themselves.

// flagCodes are the codes by which a Flag protects a chart, whatever their system.
var flagCodes = map[string]int64{"vip": vip, "employee": employee, "confidential": confidential, "staff-safety": staffSafety}

func (p *projection) flag() {
	root := p.c.Doc.Root()
	if root.Get("status").Text() != "active" {
		return
	}
	patient := p.chart(root.Get("subject"))
	since, until := p.within(root.Get("period"), always, never)
	for coding := range root.Get("code").Get("coding").Items() {
		if code := flagCodes[strings.ToLower(coding.Get("code").Text())]; code != 0 {
			p.say(protection, patient, party{}, code, since, until)
		}
	}
}

// person links the chart of an employee with her work: her own chart, and a protected one.
func (p *projection) person() {
	root := p.c.Doc.Root()
	if active := root.Get("active"); active.Exists() && !active.Bool() {
		return
	}
	var people []party
	var charts []fhir.PatientID
	for link := range root.Get("link").Items() {
		x, ok := p.party(link.Get("target"))
		switch {
		case !ok:
		case x.person():
			people = append(people, x)
		case x.is("Patient"):
			charts = append(charts, p.chart(link.Get("target")))
		}
	}
	for _, patient := range charts {
		for _, x := range people {
			p.say(own, patient, x, 0, always, never)
		}
		if len(people) > 0 {
			p.say(protection, patient, party{}, employee, always, never)
		}
	}
}
