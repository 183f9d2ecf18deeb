package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// The front desk: who is expected and who is here, who is new, how somebody is reached. Nothing clinical is on these pages, for nothing
// clinical comes through the door to a desk.

func (p *Pages) deskRoutes() []access.Route {
	return []access.Route{
		{Method: "GET", Pattern: "/desk", Action: policy.Search, Handler: p.desk},
		{Method: "POST", Pattern: "/desk/arrivals/{appointment}", Action: policy.Write, Handler: p.checkIn},
		{Method: "POST", Pattern: "/desk/appointments/{appointment}", Action: policy.Write, Handler: p.callOff},
		{Method: "GET", Pattern: restrictionsPath, Action: policy.Search, Handler: p.restrictions},
		{Method: "POST", Pattern: restrictionsPath + "/{consent}", Action: policy.Write, Handler: p.answerRestriction},
		{Method: "GET", Pattern: "/desk/new", Action: policy.Write, Handler: p.answering(p.checkNew, p.newPatient)},
		{Method: "POST", Pattern: "/desk/new", Action: policy.Find, Handler: p.putAside},
		{Method: "POST", Pattern: "/desk/register", Action: policy.Write, Handler: p.register},
		{Method: "GET", Pattern: "/desk/patients/{patient}", Action: policy.Read, Handler: p.deskPatient},
		{Method: "POST", Pattern: "/desk/patients/{patient}/print", Action: policy.Print, Handler: p.printDeskPatient},
		{Method: "POST", Pattern: "/desk/patients/{patient}", Action: policy.Write, Handler: p.amendContact},
	}
}

const atTheDesk = "Desk"

// deskHref is where somebody without charts finds a patient.
func deskHref(s *identity.Session, patient string) string {
	if slices.Contains(s.Roles(), identity.FrontDesk) {
		return "/desk/patients/" + patient
	}
	return "/billing/patients/" + patient
}

// deskStates are the parts of the day's list, by the state of the appointment.
var deskStates = []struct {
	show, name string
	states     []string
}{
	{"", "Expected", []string{"proposed", "pending", "booked", "waitlist"}},
	{"here", "Here", []string{"arrived", "checked-in"}},
	{"seen", "Seen", []string{"fulfilled"}},
}

var bookedWords = map[string]string{"arrived": "With the clinic", "checked-in": "Checked in", "fulfilled": "Seen", "pending": "Not confirmed", "proposed": "Not confirmed",
	"waitlist": "On the waiting list", "noshow": "Did not come", "cancelled": "Cancelled", "booked": "Booked"}

// shownExpected is how many appointments the list shows before "All".
const shownExpected = 40

// desk lists a day's appointments by time: who is late stands first.
func (p *Pages) desk(w http.ResponseWriter, r *http.Request) {
	who, now := p.asks(r), p.now()
	day := midnight(now)
	if asked, err := time.ParseInLocation(time.DateOnly, r.URL.Query().Get("day"), p.o.Zone); err == nil && asked.Sub(day).Abs() < 366*24*time.Hour {
		day = asked
	}
	list, err := p.o.Gate.Clinic(r.Context(), who, day, day.AddDate(0, 0, 1))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, list.Entry)
	show := r.URL.Query().Get("show")
	v := page.DeskView{Shell: withEntry(p.shell(r, "Desk", atTheDesk), list.Entry), Day: look.Day(day), Today: day.Equal(midnight(now)),
		Before: look.Link{Text: "Day before", Href: deskDay(day.AddDate(0, 0, -1), now, "", false)}, After: look.Link{Text: "Day after", Href: deskDay(day.AddDate(0, 0, 1), now, "", false)}}
	if !v.Today {
		v.Back = look.Link{Text: "Today", Href: "/desk"}
	}
	v.Done = p.calledOff.take(who.Session.ID, "/desk", now)
	just := p.arrived.take(who.Session.ID, "/desk", now)
	for _, part := range deskStates {
		n := 0
		for _, b := range list.Bookings {
			root := b.Appointment.Root()
			if !slices.Contains(part.states, root.Get("status").Text()) {
				continue
			}
			n++
			if part.show != show {
				continue
			}
			if v.Total++; len(v.Rows) < shownExpected || r.URL.Query().Has("all") {
				v.Rows = append(v.Rows, p.deskRow(b, now))
			}
		}
		link := look.Link{Text: part.name + ", " + look.Number(int64(n)), Href: deskDay(day, now, part.show, false)}
		if part.show == show {
			link.Href, v.Shown = "", part.name
		}
		v.Views = append(v.Views, link)
	}
	if v.Here = deskDay(day, now, show, r.URL.Query().Has("all")); v.Total > len(v.Rows) {
		v.All = look.Link{Text: "All", Href: deskDay(day, now, show, true)}
	}
	for _, b := range list.Bookings {
		if b.Appointment.ID() == just {
			v.Done = b.Name + " is checked in. " + cmp.Or(bookedWith(b.Appointment.Root()), "The clinic") + " can open the chart now."
		}
	}
	p.draw(w, r, http.StatusOK, page.Desk(v))
}

// deskDay is the address of a part of a day's list.
func deskDay(day, now time.Time, show string, all bool) string {
	q := url.Values{}
	if !day.Equal(midnight(now)) {
		q.Set("day", day.Format(time.DateOnly))
	}
	if show != "" {
		q.Set("show", show)
	}
	if all {
		q.Set("all", "1")
	}
	if len(q) == 0 {
		return "/desk"
	}
	return "/desk?" + q.Encode()
}

func (p *Pages) deskRow(b access.Booking, now time.Time) page.DeskRow {
	root := b.Appointment.Root()
	status := root.Get("status").Text()
	at := momentOf(p.o.Zone, root.Get("start"))
	row := page.DeskRow{Href: "/desk/patients/" + b.PatientID, Name: cmp.Or(b.Name, "Name not known"), About: aboutOf(b.Identity), At: look.Clock(at.at).Text(),
		With: bookedWith(root), State: cmp.Or(bookedWords[status], status), Where: bookedWhere(root)}
	if status == "booked" {
		row.State = "" // as all others of the list
	}
	if slices.Contains(deskStates[0].states, status) {
		row.CheckIn = b.Appointment.ID()
		row.Missed = !at.at.IsZero() && now.After(at.at)
		if late := now.Sub(at.at); late > 5*time.Minute {
			row.Late = "Expected " + ago(late) + " ago"
		}
	}
	return row
}

// bookedWhere is the clinic of an appointment, bookedWith who sees the patient there.
func bookedWhere(appointment document.Node) string {
	return cmp.Or(booked(appointment, "Location/", "HealthcareService/"), words(appointment.Path("serviceType")), "Appointments")
}

func bookedWith(appointment document.Node) string {
	return booked(appointment, "Practitioner/", "PractitionerRole/")
}

func booked(appointment document.Node, types ...string) string {
	for one := range appointment.Get("participant").Items() {
		for _, typ := range types {
			if strings.HasPrefix(one.Path("actor", "reference").Text(), typ) && one.Path("actor", "display").Text() != "" {
				return one.Path("actor", "display").Text()
			}
		}
	}
	return ""
}

// checkIn says that a patient is here.
func (p *Pages) checkIn(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	id := r.PathValue("appointment")
	done, err := p.o.Gate.CheckIn(r.Context(), who, id)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, done.Entry)
	p.arrived.keep(who.Session.ID, "/desk", p.now(), id)
	see(w, r, deskBack(r))
}

// deskBack is the list or the patient's page that a form of the desk came from.
func deskBack(r *http.Request) string {
	if back := local(r.PostForm.Get("back")); strings.HasPrefix(back, "/desk") {
		return back
	}
	return "/desk"
}

// callOff says that a patient is not coming, or did not come.
func (p *Pages) callOff(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	err := form(w, r)
	var done access.Written
	said := ""
	if err == nil {
		switch act := r.PostForm.Get("act"); act {
		case "cancel":
			said = "The appointment is cancelled."
		case "missed":
			said = "Noted: the patient did not come."
		default:
			err = outcome.New(outcome.Value, "choose whether the appointment is cancelled or was missed").At("act")
		}
	}
	if err == nil {
		done, err = p.o.Gate.CallOff(r.Context(), who, r.PathValue("appointment"), r.PostForm.Get("act") == "missed")
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, done.Entry)
	p.calledOff.keep(who.Session.ID, "/desk", p.now(), said)
	see(w, r, deskBack(r))
}
