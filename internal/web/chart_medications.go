package web

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/fhir/document"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// medication is one drug as the record has it: an order, or a statement that it is taken.
type medication struct {
	page.Medication
	kind    string // code or name, and dose: what is the same drug taken the same way
	at      moment
	byID    string
	current bool
}

// medications lists what is taken now and what was, each drug once and the newest first. Doses given are taken from the
// administrations. A statement that repeats an order is left out.
func medications(requests, statements, given []*document.Doc, now time.Time) (current, stopped []medication) {
	last := lastGiven(given, now.Location())
	var all []medication
	for _, d := range requests {
		root := d.Root()
		if s := root.Get("intent").Text(); withdrawn(root) || s == "option" || s == "proposal" {
			continue
		}
		m := medicationOf(d, root.Get("dosageInstruction"))
		m.at = momentOf(now.Location(), root.Get("authoredOn"), root.Path("dispenseRequest", "validityPeriod"))
		m.By, m.byID = root.Path("requester", "display").Text(), target(root.Get("requester"))
		m.mark(root.Get("status").Text(), root.Get("statusReason"))
		if at, ok := last[d.ID()]; ok && m.Mark == nil {
			m.Status = "Given " + at.recent(now).Text()
		}
		all = append(all, m)
	}
	for _, d := range statements {
		root := d.Root()
		m := medicationOf(d, root.Get("dosage"))
		if withdrawn(root) || slices.ContainsFunc(all, func(o medication) bool { return sameDrug(o, m) && o.current }) {
			continue
		}
		m.at = momentOf(now.Location(), root.Get("effectiveDateTime"), root.Get("effectivePeriod"), root.Get("dateAsserted"))
		m.By = cmp.Or(root.Path("informationSource", "display").Text(), "Reported")
		m.mark(root.Get("status").Text(), root.Get("statusReason"))
		all = append(all, m)
	}
	slices.SortStableFunc(all, func(a, b medication) int { return b.at.at.Compare(a.at.at) })
	seen := map[string]bool{}
	for _, pass := range []bool{true, false} { // what is taken now hides older orders of the same
		for _, m := range all {
			if m.current != pass || seen[m.kind] {
				continue
			}
			seen[m.kind] = true
			m.Since = m.at.since(now)
			if pass {
				current = append(current, m)
			} else {
				stopped = append(stopped, m)
			}
		}
	}
	return current, stopped
}

func sameDrug(a, b medication) bool { return strings.EqualFold(a.Name, b.Name) }

func shown(ms []medication) []page.Medication {
	out := make([]page.Medication, len(ms))
	for i, m := range ms {
		out[i] = m.Medication
	}
	return out
}

// medicationOf reads drug and dosage.
func medicationOf(d *document.Doc, dosage document.Node) medication {
	root := d.Root()
	m := medication{current: true}
	m.Name = words(root.Get("medicationCodeableConcept"))
	if ref := root.Get("medicationReference"); m.Name == "" && ref.Exists() {
		m.Name = ref.Get("display").Text()
		for c := range root.Get("contained").Items() {
			if m.Name == "" && c.Get("id").Text() == target(ref) {
				m.Name = words(c.Get("code"))
			}
		}
	}
	m.Name = cmp.Or(m.Name, "Drug not named")
	first := dosage.Path()
	quantity := first.Path("doseAndRate", "doseQuantity")
	m.Dose = strings.TrimSpace(amount(quantity.Get("value").Text()) + " " + unitOf(quantity))
	if r := first.Path("doseAndRate", "doseRange"); m.Dose == "" && r.Exists() {
		m.Dose = strings.TrimSpace(amount(r.Path("low", "value").Text()) + " to " + amount(r.Path("high", "value").Text()) + " " + unitOf(r.Get("high")))
	}
	m.How = howOf(dosage, m.Dose)
	if first.Get("asNeededBoolean").Bool() || first.Get("asNeededCodeableConcept").Exists() {
		m.Status = "As needed"
	}
	m.kind = strings.ToLower(m.Name) + "\x00" + m.Dose
	return m
}

// howOf says how a drug is taken. The text of the order comes first, without the dose, which has its own column.
func howOf(dosage document.Node, dose string) string {
	var parts []string
	for one := range dosage.Items() {
		text := cmp.Or(one.Get("text").Text(), one.Get("patientInstruction").Text())
		if text == "" {
			text = strings.TrimSpace(words(one.Get("route")) + " " + timingWords(one.Get("timing")))
		}
		if rest, ok := strings.CutPrefix(text, dose+" "); ok && dose != "" {
			text = rest
		}
		if text != "" {
			parts = append(parts, text)
		}
	}
	return capital(strings.Join(parts, ", then "))
}

var everyUnit = map[string][2]string{"h": {"hour", "hours"}, "d": {"day", "days"}, "wk": {"week", "weeks"}, "mo": {"month", "months"}, "min": {"minute", "minutes"}}

// timingWords writes a Timing: twice a day, every 8 hours.
func timingWords(timing document.Node) string {
	if code := timing.Get("code"); code.Exists() {
		return words(code)
	}
	repeat := timing.Get("repeat")
	frequency, period, unit := repeat.Get("frequency").Text(), repeat.Get("period").Text(), everyUnit[repeat.Get("periodUnit").Text()]
	switch {
	case unit[0] == "":
		return ""
	case period != "1" && (frequency == "1" || frequency == ""):
		return "every " + amount(period) + " " + unit[1]
	case frequency == "1" || frequency == "":
		return "once a " + unit[0]
	case frequency == "2" && period == "1":
		return "twice a " + unit[0]
	case period == "1":
		return frequency + " times a " + unit[0]
	}
	return frequency + " times in " + amount(period) + " " + unit[1]
}

// mark says what became of an order that is not simply running.
func (m *medication) mark(status string, reason document.Node) {
	tell := func(tone look.Tone, text string) {
		if why := words(reason); why != "" {
			text += ": " + why
		}
		m.Mark = &look.Mark{Tone: tone, Text: text}
	}
	switch status {
	case "on-hold":
		tell(look.Warn, "Held")
	case "draft":
		tell(look.Plain, "Not signed")
	case "stopped", "cancelled", "not-taken":
		m.current = false
		tell(look.Plain, map[string]string{"stopped": "Stopped", "cancelled": "Cancelled", "not-taken": "Not taken"}[status])
	case "completed":
		m.current = false
		tell(look.Plain, "Finished")
	}
}

// lastGiven is when each order was last carried out, by the order's id.
func lastGiven(given []*document.Doc, zone *time.Location) map[string]moment {
	out := map[string]moment{}
	for _, d := range given {
		root := d.Root()
		if s := root.Get("status").Text(); s != "completed" && s != "in-progress" {
			continue
		}
		order := target(root.Get("request"))
		at := momentOf(zone, root.Get("effectiveDateTime"), root.Get("effectivePeriod"))
		if order != "" && at.at.After(out[order].at) {
			out[order] = at
		}
	}
	return out
}

func (p *Pages) medications(w http.ResponseWriter, r *http.Request) {
	o, ok := p.open(w, r, page.TabMedications, "Medications", drugTypes...)
	if !ok {
		return
	}
	current, stopped := o.medications(p.now())
	p.draw(w, r, http.StatusOK, page.Medications(page.MedicationsView{Chart: o.view, Current: shown(current), Stopped: shown(stopped)}))
}

// drugTypes are what a list of medications is read from.
var drugTypes = []string{"MedicationRequest", "MedicationStatement", "MedicationAdministration"}

func (o *opened) medications(now time.Time) (current, stopped []medication) {
	return medications(o.chart.Docs["MedicationRequest"], o.chart.Docs["MedicationStatement"], o.chart.Docs["MedicationAdministration"], now)
}
