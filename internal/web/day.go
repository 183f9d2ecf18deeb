package web

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// My day in lists: the wards first, bed by bed; then the clinic, by the hour; then what waits. Each list says once why its patients
// are on it; a row says only what is its own.

// shownInList is how many patients of one list the page shows before "All".
const shownInList = 40

// dayList gathers the rows of one list.
type dayList struct {
	title, sub string
	rows       []access.OnList
	order      func(a, b access.OnList) int
	at, why    func(one access.OnList, now time.Time) string
}

// visiting are the reasons of a person who sees the patient herself.
var visiting = []string{"care.encounter.attending", "care.encounter.consultant", "care.encounter", "care.appointment"}

// waiting are the lists of what is neither on a ward nor in the clinic today.
var waiting = []struct {
	title, sub string
	templates  []string
}{
	{"Waiting in your queue", "A task or an order for each of these names you or your department.", []string{"care.task", "care.order.asked", "care.order.department"}},
	{"Your care teams", "You are on the care team of each, or the patient's own doctor.", []string{"care.team", "care.doctor"}},
	{"Orders you gave", "You gave an order for each of these that is open or was just done.", []string{"care.order.given"}},
	{"Seen lately", "Your visit with each ended in the last three days.", []string{"care.contact.past"}},
	{"Your practice", "Each belongs to your practice and was seen or booked within 24 months.", []string{"care.panel"}},
}

// dayLists puts the patients of a day into lists.
func dayLists(day access.Day, now time.Time, all bool) []page.DayGroup {
	var wards []*dayList
	clinic := &dayList{title: "Clinic", sub: "You have a visit with each of these: now, or in the next two days.", order: byTime, at: atTime, why: clinicWhy}
	going := &dayList{title: "In your care now", sub: "Each has a visit or stay in progress with you.", order: inOrder, at: none, why: wardWhy}
	others := make([]*dayList, len(waiting)+1)
	for i, w := range waiting {
		others[i] = &dayList{title: w.title, sub: w.sub, order: inOrder, at: none, why: sinceWhen}
	}
	others[len(waiting)] = &dayList{title: "Also yours", order: inOrder, at: none, why: sentenceWhy} // a reason that this page does not know yet
	for _, one := range day.Patients {
		sees := slices.Contains(visiting, one.Template)
		switch {
		case one.Place != "" && (one.Bed != "" || one.Template == "care.unit") && (sees || one.Template == "care.unit" || one.Template == "care.team"):
			i := slices.IndexFunc(wards, func(l *dayList) bool { return l.title == one.Place })
			if i < 0 {
				i, wards = len(wards), append(wards, &dayList{title: one.Place, order: byBed, at: atBed, why: wardWhy})
			}
			wards[i].rows = append(wards[i].rows, one)
		case sees && one.Place == "" && one.Template != "care.appointment":
			going.rows = append(going.rows, one)
		case sees, one.Template == "care.contact.next":
			clinic.rows = append(clinic.rows, one)
		default:
			i := slices.IndexFunc(waiting, func(w struct {
				title, sub string
				templates  []string
			}) bool {
				return slices.Contains(w.templates, one.Template)
			})
			if i < 0 {
				i = len(waiting)
			}
			others[i].rows = append(others[i].rows, one)
		}
	}
	for _, w := range wards {
		w.sub = wardSub(day, w.rows, now)
	}
	slices.SortStableFunc(wards, func(a, b *dayList) int { return cmp.Compare(seenOn(b), seenOn(a)) })
	var out []page.DayGroup
	for _, l := range slices.Concat(wards, []*dayList{going, clinic}, others) {
		if len(l.rows) > 0 {
			out = append(out, l.group(now, all))
		}
	}
	return out
}

// seenOn is how many of a ward's patients the person sees herself.
func seenOn(l *dayList) (n int) {
	for _, one := range l.rows {
		if slices.Contains(visiting, one.Template) {
			n++
		}
	}
	return n
}

func (l *dayList) group(now time.Time, all bool) page.DayGroup {
	slices.SortStableFunc(l.rows, l.order)
	out := page.DayGroup{Title: l.title, Sub: l.sub, Total: len(l.rows)}
	shown := l.rows
	if !all && len(shown) > shownInList {
		shown, out.More = shown[:shownInList], look.Link{Text: "All", Href: "/day?all"}
	}
	for _, one := range shown {
		row := page.DayPatient{Href: chartHref(one.PatientID), Name: one.Name, About: aboutOf(one.Identity), At: l.at(one, now), Because: l.why(one, now)}
		if !one.Open {
			row.Marks = []look.Mark{{Icon: "lock", Text: "Asks for a reason"}}
		}
		out.Patients = append(out.Patients, row)
	}
	return out
}

// wardSub says why a ward is on the list: the shift, else the visits.
func wardSub(day access.Day, rows []access.OnList, now time.Time) string {
	for _, one := range rows {
		if one.Template == "care.unit" && !day.From.IsZero() {
			return "You are on shift here since " + look.Recent(day.From.In(now.Location()), now).Text() + "."
		}
	}
	return "You see these patients here."
}

func wardWhy(one access.OnList, now time.Time) string {
	since := ""
	if !one.At.IsZero() {
		since = " since " + look.Recent(one.At.In(now.Location()), now).Text()
	}
	switch one.Template {
	case "care.encounter.attending":
		return "You attend" + since
	case "care.encounter.consultant":
		return "You consult" + since
	case "care.encounter", "care.appointment":
		return "You take part" + since
	case "care.team":
		return "You are on the care team"
	}
	return ""
}

func clinicWhy(one access.OnList, now time.Time) string {
	switch one.Template {
	case "care.contact.next":
		return "Expected"
	case "care.appointment":
		return join(", ", "Booked for now", one.Place)
	}
	return join(", ", "Here", one.Place)
}

func sinceWhen(one access.OnList, now time.Time) string {
	if one.At.IsZero() || one.Template == "care.contact.past" {
		return ""
	}
	return "Since " + look.Recent(one.At.In(now.Location()), now).Text()
}

func sentenceWhy(one access.OnList, _ time.Time) string { return strings.TrimSuffix(one.Because, ".") }

func none(access.OnList, time.Time) string { return "" }

// atBed is the bed without the name of the ward, which stands above the list.
func atBed(one access.OnList, _ time.Time) string {
	return capital(strings.TrimLeft(strings.TrimPrefix(one.Bed, one.Place), ", "))
}

func atTime(one access.OnList, now time.Time) string {
	at := one.At.In(now.Location())
	if at.IsZero() {
		return ""
	}
	switch days(at, now) {
	case 0:
		return look.Clock(at).Text()
	}
	return at.Format("Mon 15:04")
}

func inOrder(access.OnList, access.OnList) int { return 0 }

func byTime(a, b access.OnList) int { return a.At.Compare(b.At) }

// byBed orders by the number in the bed's name, else by the name.
func byBed(a, b access.OnList) int {
	return cmp.Or(cmp.Compare(bedNumber(a.Bed), bedNumber(b.Bed)), cmp.Compare(a.Bed, b.Bed), cmp.Compare(a.Name, b.Name))
}

func bedNumber(bed string) int {
	end := strings.LastIndexAny(bed, "0123456789") + 1
	start := end
	for start > 0 && bed[start-1] >= '0' && bed[start-1] <= '9' {
		start--
	}
	n, err := strconv.Atoi(bed[start:end])
	if err != nil {
		return 1 << 30 // without a bed, last
	}
	return n
}
