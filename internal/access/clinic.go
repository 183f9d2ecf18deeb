package access

import (
	"context"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
)

// Booking is one appointment of a day: who comes, and the appointment as p may see it.
type Booking struct {
	PatientID string
	Identity
	Appointment *document.Doc
}

// Clinic is who is expected on a day, in order of time.
type Clinic struct {
	Bookings []Booking
	Entry    string
}

// Clinic lists the appointments that begin from one time to before another, for those who run the clinic; each is judged by itself, and
// one incidental entry names all patients that are shown. What was cancelled or missed is not listed.
// Errors: outcome.Forbidden for whoever keeps no appointments.
func (g *Gate) Clinic(ctx context.Context, p Principal, from, to time.Time) (Clinic, error) {
	anybody, _, err := g.permit(ctx, p, policy.Search, "search-type", chart{id: "any"}, func(s standing) policy.Resource {
		r := s.typical("Appointment")
		r.PatientKey = "any" // of no chart in particular, but of a patient
		return r
	})
	if err != nil {
		return Clinic{}, err
	}
	booked, err := g.care.Booked(ctx, from, to, anybody.at)
	if err != nil {
		return Clinic{}, err
	}
	var out Clinic
	var parts []permitted
	part := map[fhir.PatientID]int{} // an entry names each patient once, however many appointments there are
	var at [][2]int                  // of each booking: its part, and the appointment in it
	for _, b := range booked {
		c, err := g.chartNumber(ctx, b.Patient)
		if err != nil {
			return Clinic{}, err
		}
		s, err := g.relate(ctx, p, c)
		if err != nil {
			return Clinic{}, err
		}
		found, err := g.records.Chart(ctx, c.number, "Patient", "Appointment")
		if outcome.Is(err, outcome.Deleted) { // erased
			continue
		}
		if err != nil {
			return Clinic{}, err
		}
		var patient, appointment *record.Sealed
		for _, x := range found {
			switch {
			case x.Type() == "Patient" && x.ID() == c.id:
				patient = x
			case x.Record() == b.Record:
				appointment = x
			}
		}
		if patient == nil || appointment == nil || patient.Fault() != nil || appointment.Fault() != nil || !g.decide(s, policy.Search, s.resource(appointment)).Allowed {
			continue
		}
		d := g.decide(s, policy.Search, s.resource(patient))
		if !d.Allowed {
			continue
		}
		out.Bookings = append(out.Bookings, Booking{PatientID: c.id})
		i, known := part[c.number]
		if !known {
			i = len(parts)
			part[c.number] = i
			parts = append(parts, permitted{s, d, []*record.Sealed{patient}, policy.Search})
		}
		at = append(at, [2]int{i, len(parts[i].records)})
		parts[i].records = append(parts[i].records, appointment)
	}
	e := anybody.event("search-type", "E")
	e.Class = audit.Incidental
	if len(parts) == 0 {
		e.Query = "Appointment"
		logged, err := g.log.Query(ctx, e)
		return Clinic{Entry: logged.Entry()}, err
	}
	opened, err := g.disclose(ctx, e, parts...)
	if err != nil {
		return Clinic{}, err
	}
	first := make([]int, len(parts)) // of the documents of each part
	for i := 1; i < len(parts); i++ {
		first[i] = first[i-1] + len(parts[i-1].records)
	}
	for i := range out.Bookings {
		from := first[at[i][0]]
		out.Bookings[i].Identity, out.Bookings[i].Appointment = identityOf(opened.Docs[from]), opened.Docs[from+at[i][1]]
	}
	out.Entry = opened.Entry
	return out, nil
}

// CheckIn says that the patient of an appointment is here: the appointment is checked in, and a visit is opened with those who are to
// see her, which is what relates them to the chart. Both are stored or neither. An appointment that is checked in already is left alone.
//
// Errors: outcome.Forbidden; outcome.NotFound; outcome.BusinessRule for one that is over or was cancelled.
func (g *Gate) CheckIn(ctx context.Context, p Principal, appointmentID string) (Written, error) {
	a, err := g.opened(ctx, p, "Appointment", appointmentID, "status")
	if err != nil {
		return Written{}, err
	}
	root := a.doc.Root()
	switch status := root.Get("status").Text(); status {
	case "checked-in", "arrived":
		return Written{Type: "Appointment", ID: a.doc.ID(), Version: a.version, Entry: a.entry}, nil
	case "proposed", "pending", "booked", "waitlist":
	default:
		return Written{}, outcome.New(outcome.BusinessRule, "this appointment is over or was cancelled: book a new one").At("Appointment.status")
	}
	update, err := a.with(map[string]string{"status": `"checked-in"`})
	if err != nil {
		return Written{}, err
	}
	visit, err := visitOf(a.doc, g.now())
	if err != nil {
		return Written{}, err
	}
	done, err := g.write(ctx, p, "update", []record.Write{update, {Op: record.Create, Type: "Encounter", Doc: visit}})
	if err != nil {
		return Written{}, unindexed(err)
	}
	return done[0], nil
}

// CallOff says that the patient of an appointment is not coming: cancelled beforehand, or, with missed, did not come although it was time.
// One that is called off so already is left alone.
//
// Errors: outcome.Forbidden; outcome.NotFound; outcome.BusinessRule for one that began, is over, or is still to come and cannot be missed.
func (g *Gate) CallOff(ctx context.Context, p Principal, appointmentID string, missed bool) (Written, error) {
	a, err := g.opened(ctx, p, "Appointment", appointmentID, "status")
	if err != nil {
		return Written{}, err
	}
	to := "cancelled"
	if missed {
		to = "noshow"
	}
	root := a.doc.Root()
	start, err := time.Parse(time.RFC3339, root.Get("start").Text())
	switch status := root.Get("status").Text(); {
	case status == to:
		return Written{Type: "Appointment", ID: a.doc.ID(), Version: a.version, Entry: a.entry}, nil
	case !slices.Contains([]string{"proposed", "pending", "booked", "waitlist"}, status):
		return Written{}, outcome.New(outcome.BusinessRule, "this appointment began, is over or was called off: look at the list again").At("Appointment.status")
	case missed && (err != nil || g.now().Before(start)):
		return Written{}, outcome.New(outcome.BusinessRule, "it is not time yet: an appointment that is still to come is cancelled, not missed").At("Appointment.start")
	}
	update, err := a.with(map[string]string{"status": quoted(to)})
	if err != nil {
		return Written{}, err
	}
	done, err := g.write(ctx, p, "update", []record.Write{update})
	if err != nil {
		return Written{}, unindexed(err)
	}
	return done[0], nil
}

// visitOf is the visit that begins with a check-in: who is expected to see the patient, and where.
func visitOf(appointment *document.Doc, now time.Time) (*document.Doc, error) {
	root := appointment.Root()
	var b strings.Builder
	start := quoted(now.UTC().Format(time.RFC3339))
	b.WriteString(`{"resourceType":"Encounter","status":"arrived","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB","display":"ambulatory"}`)
	if first := root.Get("serviceType"); first.Exists() {
		for one := range first.Items() {
			b.WriteString(`,"serviceType":` + string(one.Raw()))
			break
		}
	}
	subject, people, places := "", []string(nil), []string(nil)
	for one := range root.Get("participant").Items() {
		actor := one.Get("actor")
		typ, _, _ := strings.Cut(actor.Get("reference").Text(), "/")
		switch {
		case one.Get("status").Text() == "declined":
		case typ == "Patient" && subject == "":
			subject = string(actor.Raw())
		case typ == "Practitioner", typ == "PractitionerRole":
			part := `{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"SPRF","display":"secondary performer"}]}`
			if one.Get("required").Text() != "optional" {
				part = `{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"PPRF","display":"primary performer"}]}`
			}
			people = append(people, `{"type":[`+part+`],"period":{"start":`+start+`},"individual":`+string(actor.Raw())+`}`)
		case typ == "Location":
			places = append(places, `{"location":`+string(actor.Raw())+`,"status":"active","period":{"start":`+start+`}}`)
		}
	}
	if subject == "" {
		return nil, outcome.New(outcome.Required, "the appointment names no patient").At("Appointment.participant")
	}
	b.WriteString(`,"subject":` + subject + `,"appointment":[{"reference":` + quoted("Appointment/"+appointment.ID()) + `}],"period":{"start":` + start + `}`)
	if len(people) > 0 {
		b.WriteString(`,"participant":[` + strings.Join(people, ",") + `]`)
	}
	if len(places) > 0 {
		b.WriteString(`,"location":[` + strings.Join(places, ",") + `]`)
	}
	b.WriteString(`}`)
	return document.Parse([]byte(b.String()))
}
