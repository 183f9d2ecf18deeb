package page

import (
	"maps"
	"math"
	"time"

	"chartwarden/internal/web/look"

	"github.com/a-h/templ"
)

// now is the moment at which the gallery is set: a Saturday morning on 5 West.
var now = time.Date(2026, 11, 21, 9, 48, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

func care(at string) look.Shell {
	return look.Shell{
		Title: at, Person: look.Person{Name: "Anna Lindqvist", Role: "Attending, 5 West"},
		Nav: look.CareNav(at, look.Counts{ToSign: 3}), Find: true, Keys: true, Live: true, LockAfter: 10 * time.Minute,
		Banners: []look.Banner{look.SandboxBanner()},
	}
}

func privacy(at string) look.Shell {
	return look.Shell{
		Title: at, Person: look.Person{Name: "Ruth Adeyemi", Role: "Privacy officer"}, Side: true, Keys: true, Live: true, LockAfter: 10 * time.Minute,
		Nav: look.PrivacyNav(at, look.Counts{Reviews: 12}), Banners: []look.Banner{look.SandboxBanner()},
	}
}

func admin(at string) look.Shell {
	return look.Shell{
		Title: at, Person: look.Person{Name: "Anna Berg", Role: "Administrator"}, Side: true, Keys: true, Live: true, LockAfter: 10 * time.Minute,
		Nav: look.AdminNav(at, look.Counts{People: 2}),
	}
}

func portal() look.Shell {
	return look.Shell{Title: "Who looked at my chart", Person: look.Person{Name: "Maren Okafor", Role: "Patient"}, Nav: look.PatientNav("Who looked"), LockAfter: 10 * time.Minute}
}

// readings makes 24 hours of one sign that moves from one value to another with a small deterministic ripple.
func readings(from, to, ripple float64) []look.Point {
	var out []look.Point
	for i := range 24 {
		at := ago(time.Duration(23-i) * time.Hour)
		v := from + (to-from)*float64(i)/23 + ripple*math.Sin(float64(i)*1.9)
		out = append(out, look.Point{At: at, Value: math.Round(v*10) / 10})
	}
	return out
}

func trend(name, unit string, series ...look.Series) look.TrendOf {
	return look.TrendOf{Name: name, Unit: unit, From: ago(24 * time.Hour), To: now, Now: true, Series: series}
}

func patient() Patient {
	return Patient{
		ID: "p7Kq2", Name: "Okafor, Maren", About: "65 years, female", Born: look.Partial("1961-03-14"), MRN: "0048 2217",
		Allergies: Allergies{Asked: true, List: []Allergy{{"Penicillin", "anaphylaxis 2017"}, {"Latex", "rash"}}},
		Why:       Why{Sentence: "You are her attending doctor on 5 West since 19 Nov.", Until: "Ends 7 days after discharge."},
		Facts: []look.Fact{
			{Name: "Where", Value: "5 West, bed 12"}, {Name: "Admitted", Value: "19 Nov, day 3"}, {Name: "Code status", Value: "Full treatment"},
			{Name: "Weight", Value: "71.4 kg, today"}, {Name: "eGFR", Value: "44, was 52", Tone: look.Warn}, {Name: "Isolation", Value: "None"},
		},
		Team: []Member{{"Anna Lindqvist", "Attending"}, {"Théo Moreau", "Nurse today"}, {"Priya Iyer", "Cardiology"}},
	}
}

func chartView(title string, tab Tab) ChartView {
	shell := care("My day")
	shell.Title = title
	shell.Entry = look.Entry{Index: look.Number(18204), Href: "/audit/demo/18204"}
	shell.Paper = look.Paper{By: "A. Lindqvist", At: look.Moment(now), Copy: "Copy 1 of 1."}
	v := ChartView{Shell: shell, Patient: patient(), Tab: tab}
	v.LookedShown = "Last 7 days. She can see this list too."
	v.Looked = []Looker{
		{"Théo Moreau", "Nurse, 5 West", "Looks after her this shift", look.Recent(ago(38*time.Minute), now)},
		{"Priya Iyer", "Cardiology", "Your consult request, 20 Nov", look.Recent(ago(76*time.Minute), now)},
		{"Jon Petrie", "Pharmacist", "Checked 3 medication orders", look.Recent(ago(19*time.Hour), now)},
		{"Mina Kaur", "Physiotherapist", "Referral from 5 West", look.Recent(ago(22*time.Hour), now)},
		{"Dana Whitlock", "Registration", "No reason recorded yet", look.Recent(ago(32*time.Hour), now)},
		{"Laboratory", "System", "Filed 12 results", look.Recent(ago(27*time.Hour), now)},
	}
	return v
}

func vitals() []Vital {
	return []Vital{
		{Name: "Heart rate", Href: "/chart/p7Kq2/results/hr", Value: "88", Unit: "/min", Change: "down 24 since admission", Tone: look.OK,
			Trend: trend("Heart rate", "/min", look.Series{Points: readings(112, 88, 1.5), Usual: look.Range{Low: 60, High: 100}})},
		{Name: "Blood pressure", Href: "/chart/p7Kq2/results/bp", Value: "126/74", Unit: "mmHg", Change: "steady", Trend: trend("Blood pressure", "mmHg",
			look.Series{Name: "systolic", Points: readings(104, 126, 2.5), Usual: look.Range{Low: 100, High: 140}},
			look.Series{Name: "diastolic", Points: readings(62, 74, 2), Usual: look.Range{Low: 60, High: 90}})},
		{Name: "Oxygen saturation", Href: "/chart/p7Kq2/results/spo2", Value: "95", Unit: "%", Extra: "on 2 L/min", Change: "up 5 since admission", Tone: look.OK,
			Trend: trend("Oxygen saturation", "%", look.Series{Points: readings(90, 95.4, .5), Usual: look.Range{Low: 94, High: 100}})},
		{Name: "Temperature", Href: "/chart/p7Kq2/results/temp", Value: "37.4", Unit: "°C", Change: "fever settled 06:10", Tone: look.OK,
			Trend: trend("Temperature", "°C", look.Series{Points: readings(38.9, 37.4, .1), Usual: look.Range{Low: 36, High: 37.8}})},
	}
}

func labs() []Result {
	at := look.Recent(ago(3*time.Hour), now)
	return []Result{
		{Name: "CRP", Href: "/chart/p7Kq2/results/crp", Value: "64", Unit: "mg/L", Flag: "High", Tone: look.Warn, Usual: "up to 5", Before: "92", When: at, Spark: []float64{180, 164, 131, 92, 64}, By: "Clinical chemistry"},
		{Name: "White cells", Href: "/chart/p7Kq2/results/wbc", Value: "11.8", Unit: "10⁹/L", Flag: "High", Tone: look.Warn, Usual: "4 to 10", Before: "13.1", When: at, Spark: []float64{16.2, 15, 14, 13.1, 11.8}},
		{Name: "Creatinine", Href: "/chart/p7Kq2/results/crea", Value: "118", Unit: "µmol/L", Flag: "High", Tone: look.Warn, Usual: "45 to 90", Before: "121", When: at, Spark: []float64{104, 110, 119, 121, 118}},
		{Name: "Potassium", Href: "/chart/p7Kq2/results/k", Value: "6.3", Unit: "mmol/L", Flag: "Critical high", Tone: look.Crit, Usual: "3.5 to 5.1", Before: "5.6", When: at, Spark: []float64{4.1, 4.4, 5, 5.6, 6.3}},
		{Name: "NT-proBNP", Href: "/chart/p7Kq2/results/bnp", Value: "1\u202f840", Unit: "ng/L", Flag: "High", Tone: look.Warn, Usual: "up to 300", Before: "2\u202f210", When: at, Spark: []float64{3100, 2890, 2700, 2210, 1840}},
	}
}

func meds() []Medication {
	nov := look.ShortDay(time.Date(2026, 11, 19, 0, 0, 0, 0, time.UTC))
	return []Medication{
		{Name: "Ceftriaxone", Dose: "1 g", How: "IV, once a day", Since: nov, By: "A. Lindqvist", Status: "Next 10:00", Due: true},
		{Name: "Azithromycin", Dose: "500 mg", How: "By mouth, once a day", Since: nov, By: "A. Lindqvist", Status: "Given 08:04"},
		{Name: "Furosemide", Dose: "40 mg", How: "By mouth, morning", Since: look.Partial("2022"), By: "P. Iyer", Status: "Given 08:04"},
		{Name: "Bisoprolol", Dose: "5 mg", How: "By mouth, once a day", Since: look.Partial("2022"), By: "P. Iyer", Status: "Given 08:05"},
		{Name: "Enoxaparin", Dose: "40 mg", How: "Under the skin, once a day", Since: nov, By: "A. Lindqvist", Status: "Next 18:00", Due: true},
		{Name: "Metformin", Dose: "500 mg", How: "By mouth, twice a day", Since: look.Partial("2019"), By: "P. Iyer", Mark: &look.Mark{Tone: look.Warn, Text: "Held: kidney function"}},
		{Name: "Paracetamol", Dose: "1 g", How: "By mouth, up to 4 times a day", Since: nov, By: "T. Moreau", Status: "As needed"},
	}
}

func summary() SummaryView {
	chart := chartView("Chart summary", TabSummary)
	chart.Withheld = "Two restricted notes are not shown. The team that wrote them can open them."
	return SummaryView{
		Chart: chart,
		Since: &Since{When: look.Recent(ago(16*time.Hour), now), Links: []look.Link{
			{Text: "2 new results", Href: "/chart/p7Kq2/results"}, {Text: "Metformin held", Href: "/chart/p7Kq2/medications"},
			{Text: "3 notes", Href: "/chart/p7Kq2/notes"}, {Text: "Chest X-ray read", Href: "/chart/p7Kq2/documents"}}},
		Vitals: vitals(), VitalsSpan: "Last 24 hours", Results: labs(), ResultsOf: "Today 06:40", ResultsAll: 48,
		Problems: []Item{
			{Title: "Pneumonia, community acquired", When: look.ShortDay(ago(48 * time.Hour))}, {Title: "Heart failure, reduced EF 35%", When: look.Partial("2022")},
			{Title: "Chronic kidney disease 3a", When: look.Partial("2021")}, {Title: "Type 2 diabetes", When: look.Partial("2016")},
			{Title: "High blood pressure", When: look.Partial("2011")}},
		ProblemsAll: 6, Medications: meds(), MedsWords: "7 current, 1 stopped",
		Encounters: []Item{
			{Href: "/chart/p7Kq2/timeline", Title: "Stay on 5 West", Sub: "Attending: Anna Lindqvist", When: look.Partial("2026-11-19"), Marks: []look.Mark{{Tone: look.Accent, Text: "Now"}}},
			{Href: "/chart/p7Kq2/timeline", Title: "Heart failure clinic", Sub: "Priya Iyer", When: look.Partial("2026-09-02")},
			{Href: "/chart/p7Kq2/timeline", Title: "Emergency visit", Sub: "Shortness of breath", When: look.Partial("2026-03-17")}},
		EncountersAll: 31,
		Documents: []Item{
			{Href: "/chart/p7Kq2/notes/n1", Title: "Progress note", Sub: "Anna Lindqvist", When: look.Recent(ago(15*time.Hour), now)},
			{Href: "/chart/p7Kq2/documents/d1", Title: "Chest X-ray, two views", Sub: "Radiology", When: look.Recent(ago(25*time.Hour), now)},
			{Href: "/chart/p7Kq2/documents/d2", Title: "Letter from the heart failure clinic", Sub: "Priya Iyer", When: look.Partial("2026-09-04")}},
		DocumentsAll: 64,
	}
}

// shots are the pages of the gallery by file name.
func shots() map[string]templ.Component {
	day := DayView{
		Shell: care("My day"), Date: look.Moment(now), Shift: "Day shift on 5 West until 19:00",
		Groups: []DayGroup{
			{Title: "Your patients on 5 West", Total: 5, Patients: []DayPatient{
				{"/chart/p7Kq2", "Okafor, Maren", "65 years, female", "Bed 12", "You are her attending doctor since 19 Nov", []look.Mark{{Tone: look.Crit, Text: "Potassium 6.3"}, {Text: "2 new results"}}},
				{"/chart/b", "Sørensen, Ingrid", "81 years, female", "Bed 14", "You are her attending doctor since 20 Nov", []look.Mark{{Text: "3 new results"}}},
				{"/chart/c", "Dąbrowski, Łukasz", "47 years, male", "Bed 3", "You cover for Priya Iyer until 19:00", nil},
				{"/chart/d", "Yıldız, Şebnem", "34 years, female", "Bed 7", "On your unit this shift", []look.Mark{{Tone: look.Warn, Text: "Discharge today"}}},
				{"/chart/e", "Unknown man, 2026-11-20 B", "about 50 years, male", "Bed 9", "On your unit this shift", nil}}},
			{Title: "Clinic today", Sub: "Heart failure clinic, room 4", Total: 6, Patients: []DayPatient{
				{"/chart/f", "Ferreira, Júlia", "58 years, female", "13:30", "Appointment with you today", nil},
				{"/chart/g", "Mbeki, Thabo", "72 years, male", "14:00", "Appointment with you today", []look.Mark{{Text: "First visit"}}}},
				More: look.Link{Text: "All 6", Href: "/day?all"}},
			{Title: "Results you ordered", Patients: []DayPatient{
				{"/chart/h", "Novák, Petr", "66 years, male", "", "You ordered a CT on 18 Nov", []look.Mark{{Tone: look.Accent, Text: "Result is in"}}}}},
		},
		ToSign: []Todo{{"/chart/p7Kq2/notes/n1", "Progress note", "Okafor, Maren. Written Fri 18:40"}, {"/chart/b/notes/n4", "Discharge letter", "Sørensen, Ingrid. Draft of 08:10"}},
		ToDo:   []Todo{{"/activity", "Add a reason for one opening", "Thu 19 Nov, before anybody asks"}, {"/training", "Privacy training", "Due 12 Dec 2026, takes 20 minutes"}},
	}
	find := FindView{Shell: care("Find"), Q: "okaf", Born: "1961-03-14", Asked: true, Hidden: true,
		Rule: "The MRN, or three letters of the name and the birth date. Each search is recorded.",
		Hits: []Hit{
			{"/chart/p7Kq2", "Okafor, Maren", "female, born 1961", "MRN ends 2217", "You are her attending doctor", false, nil},
			{"/chart/z", "Okafor, Marian", "female, born 1961", "MRN ends 0903", "", true, []look.Mark{{Tone: look.Warn, Text: "Similar name"}}}}}
	findEmpty := FindView{Shell: care("Find"), Rule: find.Rule}
	findProblem := FindView{Shell: care("Find"), Q: "ok", Asked: true, Rule: find.Rule, Problem: "Give three letters of the name and the birth date, or the full MRN."}

	results := ResultsView{Chart: chartView("Results", TabResults), Groups: []ResultGroup{
		{Title: "Chemistry", When: look.Recent(ago(3*time.Hour), now), By: "Clinical chemistry", Rows: labs(), Total: 12},
		{Title: "Microbiology", When: look.Recent(ago(20*time.Hour), now), By: "Microbiology", Rows: []Result{
			{Name: "Blood culture", Value: "No growth after 24 hours", When: look.Recent(ago(20*time.Hour), now)},
			{Name: "Legionella antigen", Value: "Negative", When: look.Recent(ago(20*time.Hour), now)}}}}}
	weeks := look.TrendOf{Name: "Creatinine", Unit: "µmol/L", From: now.AddDate(0, 0, -42), To: now, Now: true,
		Series: []look.Series{{Usual: look.Range{Low: 45, High: 90}, Points: []look.Point{
			{At: now.AddDate(0, 0, -40), Value: 82}, {At: now.AddDate(0, 0, -33), Value: 86}, {At: now.AddDate(0, 0, -21), Value: 84}, {At: now.AddDate(0, 0, -12), Value: 88}, {At: now.AddDate(0, 0, -3), Value: 104}, {At: now.AddDate(0, 0, -2), Value: 110}, {At: now.AddDate(0, 0, -1), Value: 121}, {At: ago(3 * time.Hour), Value: 118}}}}}
	history := ResultView{Chart: chartView("Result", TabResults), Name: "Creatinine", Latest: labs()[2], Trend: weeks, Total: 8, Rows: []Result{
		{Value: "118", Unit: "µmol/L", Flag: "High", Tone: look.Warn, When: look.Moment(ago(3 * time.Hour)), By: "Clinical chemistry"},
		{Value: "121", Unit: "µmol/L", Flag: "High", Tone: look.Warn, When: look.Moment(ago(27 * time.Hour)), By: "Clinical chemistry"},
		{Value: "88", Unit: "µmol/L", When: look.Moment(now.AddDate(0, 0, -12)), By: "Heart failure clinic"}}}

	notes := NotesView{Chart: chartView("Notes", TabNotes), CanWrite: true, Total: 31,
		Drafts: []NoteLine{{Href: "/chart/p7Kq2/notes/n9", Kind: "Progress note", Author: "You", When: look.Recent(ago(2*time.Minute), now), Marks: []look.Mark{{Tone: look.Warn, Text: "Draft"}}}},
		Notes: []NoteLine{
			{Href: "/chart/p7Kq2/notes/n1", Kind: "Progress note", Title: "day 2", Author: "Anna Lindqvist", When: look.Recent(ago(15*time.Hour), now), Marks: []look.Mark{{Text: "Amended"}}},
			{Href: "/chart/p7Kq2/notes/n2", Kind: "Physiotherapy", Author: "Mina Kaur", When: look.Recent(ago(22*time.Hour), now)},
			{Restricted: true, Author: "Psychiatry", When: look.Recent(ago(30*time.Hour), now)},
			{Href: "/chart/p7Kq2/notes/n3", Kind: "Admission note", Author: "Sam Rivera", When: look.Recent(ago(50*time.Hour), now)}}}
	note := NoteView{Chart: chartView("Note", TabNotes), Kind: "Progress note", Title: "day 2", Author: "Anna Lindqvist", Role: "Attending", When: look.Moment(ago(15 * time.Hour)),
		Sections: []NoteSection{
			{"How she is", "Slept well, less short of breath. Walks to the bathroom with help.\nNo chest pain."},
			{"Findings", "Heart rate 88, blood pressure 126/74, 95 % on 2 L/min. Crackles at the right base, less than yesterday."},
			{"Assessment and plan", "Pneumonia is settling: CRP 92, was 131. Ceftriaxone to day 5, azithromycin to day 3.\nKidney function is worse: hold metformin, recheck potassium tonight."}},
		Signed: "Signed by Anna Lindqvist, Fri 20 Nov 2026, 18:44", Marks: []look.Mark{{Text: "Amended"}}, AmendAt: "/chart/p7Kq2/notes/n1/amend", Code: true,
		Amends: []Amendment{{Author: "Anna Lindqvist", Text: "Potassium 6.3 this morning. Calcium gluconate given, see the order.", When: look.Moment(ago(2 * time.Hour))}}}
	write := WriteView{Chart: chartView("Write a note", TabNotes), Draft: "n9", Title: "day 3", Saved: look.Clock(ago(time.Minute)),
		Kinds: []Option{{"progress", "Progress note", true}, {"discharge", "Discharge letter", false}}, Text: "Better today. Eats breakfast, sits in the chair."}
	documents := DocumentsView{Chart: chartView("Documents", TabDocuments), Total: 33, Documents: []Document{
		{Href: "/chart/p7Kq2/documents/d1", Title: "Chest X-ray, two views", Kind: "Radiology report", Author: "Radiology", Size: "1 page", When: look.Recent(ago(25*time.Hour), now)},
		{Restricted: true, Author: "Psychiatry", When: look.Partial("2026-10-11")},
		{Href: "/chart/p7Kq2/documents/d2", Title: "Letter from the heart failure clinic", Kind: "Letter", Author: "Priya Iyer", Size: "2 pages, 84 kB", When: look.Partial("2026-09-04")}}}
	timeline := TimelineView{Chart: chartView("Timeline", TabTimeline), Older: look.Link{Text: "Before 2026", Href: "/chart/p7Kq2/timeline?to=2026"}, Years: []Year{{Title: "2026", Events: []Happening{
		{When: look.Partial("2026-11-19"), Title: "Stay on 5 West", Sub: "Pneumonia. Attending: Anna Lindqvist", Ongoing: true, Marks: []look.Mark{{Tone: look.Accent, Text: "Now"}}},
		{When: look.Partial("2026-11-19"), Title: "Emergency visit", Sub: "Arrived by ambulance, seen by Sam Rivera"},
		{When: look.Partial("2026-09-02"), Title: "Heart failure clinic", Sub: "Priya Iyer. Bisoprolol 2.5 to 5 mg", Href: "/chart/p7Kq2/notes/n7"},
		{When: look.Partial("2026-03"), Title: "Influenza vaccine"}}}}}
	access := AccessView{Chart: chartView("Access", TabAccess), Total: 31, Proven: "All 31 entries are proven, checked 09:41.",
		Spans: []look.Link{{Text: "7 days"}, {Text: "30 days", Href: "/chart/p7Kq2/access?days=30"}, {Text: "All", Href: "/chart/p7Kq2/access?days=0"}},
		Rows: []Access{
			{"Théo Moreau", "Nurse, 5 West", "Opened medications and vitals", "Looks after her this shift", look.Recent(ago(38*time.Minute), now), 6, false, "/audit/demo/18203"},
			{"Priya Iyer", "Cardiology", "Opened summary and notes", "Your consult request, 20 Nov", look.Recent(ago(76*time.Minute), now), 2, false, "/audit/demo/18190"},
			{"Sam Rivera", "Resident, Emergency", "Opened summary", "I am treating them now", look.Recent(ago(50*time.Hour), now), 1, true, ""},
			{"Dana Whitlock", "Registration", "Opened demographics", "No reason recorded yet", look.Recent(ago(32*time.Hour), now), 1, false, ""}}}
	access.Chart.Looked = nil

	stop := care("Find")
	stop.Title, stop.Person = "Chart closed to you", look.Person{Name: "Sam Rivera", Role: "Resident, Emergency"}
	closed := ClosedView{Shell: stop, ID: "p7Kq2", Offer: true, What: "You are not on this patient’s care team", Why: "We found no visit, order, referral or shift that links you to this patient.",
		Name: "Okafor, Maren", About: "65 years, female", MRN: "MRN ends 2217", Hidden: "Where and why they are here stays hidden", Lasts: "until discharge, at most 72 hours", Closed: "Psychotherapy notes stay closed.",
		Ways: []look.Way{{Icon: "users", Title: "Ask the care team to add you", Hint: "5 West, usually answers in 6 minutes", Href: "/chart/p7Kq2/ask"}, {Icon: "clipboard-list", Title: "Take a consult order", Hint: "Opens the chart for as long as the order runs", Href: "/chart/p7Kq2/ask"}, {Icon: "phone", Title: "Call the privacy office", Hint: "Ext. 4410, day and night", Href: ""}}}
	closedCode := closed
	closedCode.Code, closedCode.Reason, closedCode.Text, closedCode.Problem = true, "covering", "", "Please say in a few words whom you cover."
	closedNo := closed
	closedNo.Offer, closedNo.What, closedNo.Why = false, "Billing cannot open clinical notes", "Your role opens coverage, claims and the dates of visits. A chart text opens on request, for a claim and for a time."
	closedNo.Ways = closed.Ways[:1]

	deskShell := care("My day")
	refusal := RefusalView{Shell: &deskShell, Title: "Not allowed", State: "Not allowed", Tone: look.Warn, What: "Exports need a second person", Why: "You asked for the data of 212 patients. More than 50 leave the hospital only when the owner of the data agrees.",
		Ways: []look.Way{{Icon: "users", Title: "Ask Ruth Adeyemi to agree", Hint: "Usually answers within the hour", Href: "/exports/new"}, {Icon: "search", Title: "Make it smaller", Hint: "50 patients or fewer go at once", Href: "/exports/new"}}, Ref: "7f3a-18c2"}
	broken := RefusalView{Title: "Something failed", State: "Our fault", Tone: look.Crit, What: "The page could not be made", Why: "Nothing was lost or changed. The people who run this server see it in their records.",
		Ways: []look.Way{{Icon: "refresh-cw", Title: "Try again", Hint: "Most faults are over in a minute", Href: "/day"}, {Icon: "phone", Title: "Call the helpdesk", Hint: "Ext. 2000, day and night", Href: ""}}, Ref: "7f3a-18c3"}

	activity := ActivityView{Shell: care("My activity"), Summary: "32 charts in the last 7 days. The record gives a reason for 31 of them.", Older: look.Link{Text: "Earlier", Href: "/activity?before=1"}, Days: []ActivityDay{
		{Title: "Today", Rows: []Opened{
			{Entry: "e1", Href: "/chart/p7Kq2", Name: "Okafor, Maren", Did: "Summary, results and notes, 4 times", Reason: "Explained by: You are her attending doctor since 19 Nov", Mine: true, When: look.Clock(ago(2 * time.Minute))},
			{Entry: "e2", Name: "Haddad, Karim", Did: "Summary", Reason: "Stands without an explanation", When: look.Clock(ago(90 * time.Minute)), Asks: true, Mine: true}}},
		{Title: "Fri 20 Nov 2026", Rows: []Opened{
			{Entry: "e3", Href: "/chart/q", Name: "Brandt, Elsa", Did: "Summary", Reason: "I am treating them now", Glass: true, When: look.Clock(ago(17 * time.Hour)), Said: "Collapsed in the corridor of 5 West."}}}}}
	apps := AppsView{Shell: care("My apps"), Ended: "Night rounds", Apps: []App{
		{ID: "a1", Name: "Growth chart", Who: "Not an app of this hospital; Ruth Adeyemi answers for it", Patient: "Okafor, Maren", Since: look.Recent(ago(3*time.Hour), now), Until: "It ends by itself 22 Nov 2026, 18:41, or when your own access does.",
			Lines: []ConsentLine{{Icon: "id-card", What: "Know who you are", Of: "your name here, nothing else of you"}, {Icon: "eye", What: "See results and vital signs", Of: "of this patient only"}}},
		{ID: "a2", Name: "Ward list", Who: "An app of this hospital", Since: look.Recent(ago(30*time.Hour), now), Until: "It ends by itself 22 Nov 2026, 18:41, or when your own access does.", Lines: []ConsentLine{{Icon: "pen-line", What: "See and change appointments", Of: "wherever you may yourself"}}}}}
	who := PortalView{Shell: portal(), Name: "Maren Okafor", Summary: "14 people looked at your chart in the last 30 days. For 13 of them the record gives the reason. You can ask about each.",
		Proven: "Yes. 31 entries, each of them proven. Checked today at 09:41 against the copy at the county archive.", Withheld: "2 of 31 entries are withheld until 5 Dec 2026.", Report: "/me/report", ProofAt: "/me/proof",
		Check: "This list was written into the record as entry hospital.example/log/18205 before it was shown. Below stands the record's signed head.", Head: "hospital.example/log\n18206\nqL2u1hm3OBGCkjvLGkjU1gsgcFCsJpA0IaPrqd4J7Ag=\n\nhospital.example/log Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n",
		Consents: []PortalConsent{{Text: "Whoever works here may see your chart for treatment, payment or running the hospital, where the rules of this hospital allow it.", But: []string{"But Xaver Exner may not see your chart, until the end of 31 Dec 2026."}},
			{Text: "Nobody here may see your records marked Psychiatry."}, {Text: "Dana Whitlock may not see your chart.", State: "You asked for this. It does not count before the front desk agrees.", Withdraw: "c3"}},
		Choices: []Option{{Value: "results", Name: "My results and vital signs"}, {Value: "visit:e1", Name: "Stay, 5 West, 19 Nov 2026"}}, People: []string{"Anna Lindqvist", "Théo Moreau"},
		Visits: []PortalVisit{
			{Title: "Stay on 5 West", Span: "19 Nov 2026 until now", Total: 9, Lines: []PortalLine{
				{Who: "Anna Lindqvist", Role: "Doctor, 5 West", Reason: "Is the doctor in charge of your stay", Part: "Everything except restricted notes", When: look.Recent(ago(2*time.Minute), now), Times: 14, Entry: "e1",
					Each: []PortalOpening{{look.Moment(ago(2 * time.Minute)), "Summary", look.Number(18204), "/me/proof/18204"}, {look.Moment(ago(15 * time.Hour)), "Notes", look.Number(17911), "/me/proof/17911"}}},
				{Who: "Théo Moreau", Role: "Nurse, 5 West", Reason: "Looked after you on this shift", Part: "Medications and vitals", When: look.Recent(ago(38*time.Minute), now), Times: 6, Entry: "e2", Each: []PortalOpening{{look.Moment(ago(38 * time.Minute)), "Medications", look.Number(18203), "/me/proof/18203"}}},
				{Who: "Dana Whitlock", Role: "Registration", Reason: "No reason recorded yet", Part: "Name, address, coverage", When: look.Recent(ago(32*time.Hour), now), Times: 1, Entry: "e3", Asked: "You asked on 20 Nov. The privacy office answers by 27 Nov.", Each: []PortalOpening{{look.Moment(ago(32 * time.Hour)), "Name, address", look.Number(17020), "/me/proof/17020"}}},
				{Who: "Sam Rivera", Role: "Doctor, Emergency", Reason: "Opened with a reason: treating you now", Part: "Summary", When: look.Recent(ago(50*time.Hour), now), Times: 1, Entry: "e4", Each: []PortalOpening{{look.Moment(ago(50 * time.Hour)), "Summary", look.Number(16002), "/me/proof/16002"}}}}},
			{Title: "Heart failure clinic", Span: "2 Sep 2026", Lines: []PortalLine{{Who: "Priya Iyer", Role: "Doctor, Cardiology", Reason: "You had an appointment with her", Part: "Summary, results, notes", When: look.Partial("2026-09-02"), Times: 3, Entry: "e5"}}}}}

	fine := ProofLine{Tone: look.OK, Lead: "18\u202f204 of 18\u202f204 entries proven", Text: "No entry was changed or removed. Checked 09:41 against the copy at the county archive.", Head: "9f3c 71ab 04de … 5e20", Href: "/integrity"}
	queue := []ReviewLine{
		{"/privacy/reviews/2291", "13 charts with no care link", "Dana Whitlock, Registration", "13 patients", look.Recent(ago(31*time.Hour), now), "Due in 17 hours", []look.Mark{{Tone: look.Warn, Text: "High"}}},
		{"/privacy/reviews/2294", "Opened with a reason: covering", "Sam Rivera, Emergency", "M. O.", look.Recent(ago(50*time.Hour), now), "Due Mon 23 Nov", []look.Mark{{Text: "Glass"}}},
		{"/privacy/reviews/2296", "One chart with no care link", "Lena Fischer, Billing", "A. T.", look.Recent(ago(4*time.Hour), now), "Due Tue 24 Nov", nil}}
	var days []look.Bar
	for i, n := range []int{812, 1240, 1302, 1288, 1190, 1276, 760, 801, 1266, 1310, 1331, 1274, 1221, 402} {
		days = append(days, look.Bar{Label: now.AddDate(0, 0, i-13).Format("2 Jan"), Count: n, Part: []int{1, 2, 0, 3, 1, 0, 0, 2, 1, 4, 2, 1, 13, 2}[i]})
	}
	overview := PrivacyView{Shell: privacy("Overview"), Sub: "Sat 21 Nov 2026, 09:48. 312 people, 41 on shift",
		Figures: []Figure{
			{"3", "Waiting for a look", "oldest since 31 hours", "/privacy/reviews", look.Plain}, {"2", "Openings without a reason", "today, of 402", "/audit?unexplained", look.Plain},
			{"5", "Glass openings, 7 days", "4 explained by later facts", "/privacy/reviews?glass", look.Plain}, {"0.4 %", "Openings that asked anything", "goal at most 2 %", "/audit?asked", look.OK},
			{"6 h", "To the first look", "median of 30 days", "/privacy/reviews", look.Plain}},
		Twin: Twin{Real: .974, Permuted: .093, RealWords: "97.4 %", PermutedWords: "9.3 %", Note: "Last 30 days"}, VolumeOf: "Last 14 days",
		Volume: look.VolumeOf{What: "openings", PartName: "without a reason", Bars: days}, Queue: queue, Waiting: 12, Proof: fine,
		Friction: []look.Fact{{Name: "Charts before which something was asked", Value: "0.4 % (5 of 1,276)", Tone: look.OK}, {Name: "Questions a shift", Value: "0.02; at most 1 for one person on one day"},
			{Name: "Time between question and chart", Value: "8 seconds in the middle, 52 seconds in all"}, {Name: "Overrides", Value: "5 openings with the glass, 4 explained since by what others recorded"}},
		Mutual:       []look.Fact{{Name: "Ann Aziz and Ben Brook", Tone: look.Warn, Value: "28 of their 46 requests; about 13 by turns"}},
		FrictionNote: "Aim: at most 2 % of charts and one question a shift. A chart counts once for a person and a day."}
	start := time.Date(2026, 11, 19, 12, 0, 0, 0, time.UTC)
	var inShift, after []time.Time
	for _, m := range []int{200, 278, 314, 428, 530, 626} {
		inShift = append(inShift, start.Add(time.Duration(m)*time.Minute))
	}
	for i := range 13 {
		after = append(after, start.Add(time.Duration(832+i*3)*time.Minute))
	}
	lanes := look.LanesOf{From: start, To: start.Add(24 * time.Hour), Lanes: []look.Lane{
		{Name: "Shift", Bands: []look.Band{{From: start.Add(3 * time.Hour), To: start.Add(11 * time.Hour), Text: "Emergency desk, 15:00 to 23:00"}}},
		{Name: "Charts with a link", Ticks: inShift},
		{Name: "Charts, no link", Ticks: after, Apart: true, Note: "13 charts in 39 minutes"},
		{Name: "Print and export", Apart: true, Marks: []look.Happening{{At: after[12].Add(2 * time.Minute), Text: "Printed 9 pages"}}}}}
	review := ReviewView{Shell: privacy("Reviews"), ID: "2291", Crumb: "2291", Prev: "/privacy/reviews/2290", Next: "/privacy/reviews/2294", Headline: "Registrar opened 13 charts with no care link, one of them a colleague’s mother",
		Marks: []look.Mark{{Tone: look.Warn, Icon: "circle-alert", Text: "High"}}, Meta: []string{"Ruth Adeyemi", "First look due in 17 hours", "Raised Fri 20 Nov 2026, 02:33"},
		Tale:    "Dana Whitlock, emergency registration, opened 14 charts in 39 minutes on Friday from 01:52, three hours after her shift. Nothing in the record links her to 13 of them. In the chart of M. O. she read two notes and printed 9 pages. M. O. is the mother of L. O., who works at the same desk.",
		Unknown: "whether she was called back to the desk. Her badge shows she left at 23:06 and came back at 01:44.",
		Weights: []Weight{{"13 charts with no care link", "decisive", 1}, {"Patient is a close colleague’s mother", "strong", .6}, {"3 hours after her shift ended", "moderate", .38}, {"Printed 9 pages straight after", "weak", .24}},
		Checks:  []Check{{"Appointment or visit", "none", false}, {"Order, referral or result", "none", false}, {"Shift or on-call duty", "ended 23:00", false}, {"Emergency access reason", "none given", false}, {"Registered by her before", "1 of 14", true}},
		Lanes:   &lanes, LanesOf: "Thu 19 Nov 12:00 to Fri 20 Nov 12:00", Total: 31, Unmask: "/privacy/reviews/2291/names",
		Entries: []ReviewEntry{
			{look.Exact(after[12]), "M. O.", "5 West", "Printed summary, 9 pages", "Colleague’s mother", "/audit/demo/16120"}, {look.Exact(after[11]), "M. O.", "5 West", "Opened notes", "Colleague’s mother", "/audit/demo/16118"},
			{look.Exact(after[9]), "R. T.", "Oncology clinic", "Opened demographics", "None found", "/audit/demo/16111"}, {look.Exact(after[7]), "L. P.", "Emergency", "Opened summary", "Registered by her, 17 Nov", "/audit/demo/16102"}},
		History: []Step{{look.Recent(ago(28*time.Minute), now), "Badge record: left the building 23:06, back 01:44."}, {look.Recent(ago(53*time.Minute), now), "Ruth took it."}, {look.Recent(ago(31*time.Hour), now), "Raised 2 minutes after the print."}},
		Proof:   ProofLine{Tone: look.OK, Lead: "31 of 31 entries proven", Text: "No entry was changed or removed. Checked 09:41 against the copy at the county archive.", Head: "9f3c 71ab 04de … 5e20", Href: "/integrity"}, Decide: true}
	glassReview := ReviewView{Shell: privacy("Reviews"), ID: "2294", Crumb: "2294", Colleagues: []Option{{Value: "k", Name: "Kim Ito"}}, PassText: "I know them", PassProblem: "Choose a privacy officer who is active.", Prev: "/privacy/reviews/2291", Headline: "Resident opened one chart with a reason: covering for a colleague", Meta: []string{"First look due Mon 23 Nov", "Raised Thu 19 Nov 2026, 07:48"}, Marks: []look.Mark{{Icon: "lock-open", Text: "Glass"}},
		Tale: "Sam Rivera, resident in Emergency, opened the chart of M. O. on Thursday at 07:48 and read the summary for 2 minutes.", Given: "Covering for Lee until eight.", Unknown: "whether the cover was agreed: no cover is entered in the roster.",
		Checks:  []Check{{"Visit or stay", "admitted to Emergency at 08:20 by another person", true}, {"Order, referral or result", "none", false}, {"Shift or on-call duty", "Emergency, 07:00 to 19:00", true}},
		Entries: []ReviewEntry{{look.Exact(ago(50 * time.Hour)), "M. O.", "Emergency", "Opened summary", "None at that time", "/audit/demo/16002"}}, Total: 1, Closed: "Closed Thu 19 Nov 2026, 08:49 by a later fact: Okafor was admitted to Emergency while Sam Rivera was on shift there. Quoted from the visit."}

	lines := []AuditLine{
		{"18\u202f204", "/audit/demo/18204", look.Exact(ago(3 * time.Second)), "Anna Lindqvist", "Attending", "Opened summary", "M. O.", "Attending doctor since 19 Nov", nil},
		{"18\u202f203", "/audit/demo/18203", look.Exact(ago(38 * time.Minute)), "Théo Moreau", "Nurse", "Opened medications", "M. O.", "Unit and shift", nil},
		{"18\u202f202", "/audit/demo/18202", look.Exact(ago(39 * time.Minute)), "Lena Fischer", "Billing", "Asked for notes", "A. T.", "", []look.Mark{{Text: "Refused"}}},
		{"18\u202f201", "/audit/demo/18201", look.Exact(ago(41 * time.Minute)), "Sam Rivera", "Resident", "Opened summary", "M. O.", "", []look.Mark{{Icon: "lock-open", Text: "Glass: covering"}}},
		{"18\u202f200", "/audit/demo/18200", look.Exact(ago(44 * time.Minute)), "Import", "Job", "Wrote 412 records", "38 patients", "Migration of 21 Nov", nil}}
	explorer := AuditView{Shell: privacy("Audit explorer"), Asked: true, Rows: lines, Shown: "50 of 18\u202f204 entries, newest first", Before: "18154", Filter: AuditFilter{
		What: []Option{{"", "Anything", true}, {"read", "Opened or read", false}}, Outcome: []Option{{"", "Any", true}, {"refused", "Refused", false}}, Reason: []Option{{"", "Any", true}, {"none", "No reason found", false}}}}
	explorerStart := explorer
	explorerStart.Asked = false
	const h1, h2 = "9f3c71ab04de5e20b1c8aa90f27be6134d0c55a6b7d1e2f3a4b5c6d7e8f90a1b", "03b2ac91d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f"
	entry := EntryView{Shell: privacy("Audit explorer"), Up: look.Link{Text: "Audit explorer", Href: "/audit"}, Index: "18\u202f204", Headline: "Anna Lindqvist opened the chart summary of M. O.", When: look.Exact(ago(3 * time.Second)), Older: look.Link{Text: "Entry before", Href: "/audit/demo/18203"},
		Why:      "Anna Lindqvist is the attending doctor of M. O. on 5 West since 19 Nov 2026.",
		Evidence: []Item{{Title: "Stay on 5 West, in progress", Sub: "Encounter, entered by Dana Whitlock", When: look.Partial("2026-11-19")}, {Title: "On shift, 5 West", Sub: "Roster, 07:00 to 19:00", When: look.Partial("2026-11-21")}},
		Permits:  []look.Fact{{Name: "treat.attending", Value: "Attending doctors read the charts of their stays."}},
		Facts:    []look.Fact{{Name: "Who", Value: "Anna Lindqvist, physician, acting as staff"}, {Name: "Device", Value: "Ward station 5W-03, managed"}, {Name: "Signed in", Value: "Two factors, 2 hours ago"}, {Name: "Purpose", Value: "Treatment"}, {Name: "Shown", Value: "Demographics, results, medications, clinical, notes"}, {Name: "Held back", Value: "2 records with a label"}, {Name: "Policy", Value: "sha256 4be1 90c2"}},
		Records:  []Item{{Title: "Patient, version 4", When: look.Partial("2026-11-19")}, {Title: "Observation, 48 records", When: look.Partial("2026-11-21")}},
		Proof:    EntryProof{Proven: true, Words: "This entry is in the record of 18\u202f204 entries, whose head was signed at 09:48:01.", Origin: "chartwarden.example/5f2a", Leaf: h1, Root: h2, Size: "18\u202f204", Path: []Sibling{{h1, true}, {h2, false}, {h1, true}}, Note: "chartwarden.example/5f2a\n18204\nA7KskdTl9gcYKTpLXG1+j5Chsg==\n\n— chartwarden.example/5f2a kBQ3Lw==", Download: "/audit/receipt/demo/18204"}}
	var hours []look.Bar
	for i := range 24 {
		hours = append(hours, look.Bar{Label: ago(time.Duration(23-i) * time.Hour).Format("15:00"), Count: int(60 + 50*math.Sin(float64(i)/3.6-2))})
	}
	integrity := IntegrityView{Shell: privacy("Integrity"), State: Proven, Lead: "Proven: 18\u202f204 of 18\u202f204 entries", Text: "No entry was changed, removed or put in. Checked today at 09:41 against two copies outside this machine.",
		Facts:  []look.Fact{{Name: "Origin", Value: "chartwarden.example/5f2a"}, {Name: "Entries", Value: "18\u202f204"}, {Name: "Root", Value: h2}, {Name: "Signed", Value: "21 Nov 2026, 09:48:01"}, {Name: "Key", Value: "5f2a+kBQ3Lw"}},
		Head:   entry.Proof.Note,
		Copies: []Copy{{"County archive", "witness on another host", look.Clock(ago(time.Minute)), "18\u202f204 entries", look.Mark{Tone: look.OK, Text: "Agrees"}}, {"Volume B", "file on a second disk", look.Clock(ago(time.Second)), "18\u202f204 entries", look.Mark{Tone: look.OK, Text: "Agrees"}}, {"Mail to two people", "once a day", look.Recent(ago(28*time.Hour), now), "17\u202f020 entries", look.Mark{Tone: look.Warn, Text: "Late"}}},
		Checks: []Verified{{look.Moment(ago(7 * time.Minute)), "Hourly check", "18 190 entries, 412 ms", "Whole", true}, {look.Moment(ago(67 * time.Minute)), "Hourly check", "18 006 entries, 408 ms", "Whole", true}},
		Volume: look.VolumeOf{What: "entries", Bars: hours}}
	selfWitnessed := integrity
	selfWitnessed.State, selfWitnessed.Lead, selfWitnessed.Text, selfWitnessed.Copies = SelfWitnessed, "Self-witnessed: 18\u202f204 entries agree with each other", "No copy of the head is kept outside this machine. Whoever holds the machine could replace all of it. Name a witness to be able to prove it.", nil
	cut := integrity
	cut.State, cut.CanAck, cut.Lead, cut.Text = Cut, true, "Cut at entry 17\u202f020", "The record ends before a head that the county archive keeps. Care goes on under a new origin. Exports, deletions and administration wait until you have seen this."
	cut.Shell.Banners = []look.Banner{look.CutBanner("/integrity")}

	away := integrity
	away.State, away.Lead, away.Text = Unwitnessed, "Not witnessed for 3 minutes: 18\u202f190 of 18\u202f204 entries are", "The witness does not cosign. Nothing is lost and care is not held up."
	away.Shell.Banners, away.Troubles = []look.Banner{look.UnwitnessedBanner("3 minutes")}, []string{"The witness county.example/archive is not reached"}
	disputed := integrity
	disputed.State, disputed.Lead, disputed.Text = Disputed, "A witness knows another record than this one", "It says: the witness county.example/archive knows 18 300 entries, here are 18 204: entries are missing."
	configuration := ConfigurationView{Shell: admin("Configuration"), Version: "0.1.0", Since: look.Exact(ago(26 * time.Hour)), Groups: []SettingGroup{
		{"group-0", "Address and certificate", []Setting{
			{"--listen", "CHARTWARDEN_LISTEN", ":443", "The address and port on which this server listens.", look.Mark{Tone: look.Accent, Text: "Environment"}, "At the next start"},
			{"--tls-cert", "CHARTWARDEN_TLS_CERT", "", "The file with this server's certificate.", look.Mark{Text: "Default"}, "A renewed file within a minute; another path at the next start"}}},
		{"group-1", "Proof", []Setting{
			{"--witness", "CHARTWARDEN_WITNESS", "https://witness.example:8443=witness.example/county+01ab23cd+BAx6zvYXqH7gd2zFZbVbFFqO3s6TqBgBfVwAAAAAAAAAA", "Outsiders who cosign the heads of the log, each with its address and public key.", look.Mark{Tone: look.Accent, Text: "Command line"}, "At the next start"}}}}}

	roles := []RoleOption{
		{"physician", "Physician", "Charts of own patients, notes, orders", true}, {"nurse", "Nurse", "Charts of the unit on shift", false}, {"front-desk", "Front desk", "Names, visits, coverage. No clinical data", false},
		{"billing", "Billing", "Coverage and claims of open accounts", false}, {"privacy", "Privacy officer", "The audit record and reviews. No charts", false}, {"administrator", "Administrator", "People and settings. No charts", false}}
	people := PeopleView{Shell: admin("People"), May: true, Views: []look.Link{{Text: "Active"}, {Text: "Ended", Href: "/admin/people?ended"}, {Text: "Not enrolled", Href: "/admin/people?new"}}, Total: 312,
		Pending: []Pending{{"x1", "Reset the sign-in of Mina Kaur", "Asked by Jo Park", look.Recent(ago(12*time.Minute), now), false}, {"x2", "Add Kim Osei as physician", "Asked by you", look.Recent(ago(40*time.Minute), now), true}},
		People: []PersonLine{
			{"/admin/people/a", "Anna Lindqvist", "anna.lindqvist", "Physician", "5 West", look.Recent(ago(time.Minute), now), nil},
			{"/admin/people/b", "Dana Whitlock", "dana.whitlock", "Front desk", "Registration", look.Recent(ago(31*time.Hour), now), nil},
			{"/admin/people/c", "Mina Kaur", "mina.kaur", "Technician", "Physiotherapy", look.Recent(ago(22*time.Hour), now), []look.Mark{{Tone: look.Warn, Text: "Training due"}}},
			{"/admin/people/d", "Kim Osei", "kim.osei", "No role yet", "Cardiology", look.When{}, []look.Mark{{Text: "Not enrolled"}}}}}
	person := PersonView{Shell: admin("People"), ID: "b", Name: "Dana Whitlock", Sub: "dana.whitlock, Registration", MayEnd: true, May: true, Roles: roles,
		Cleared:  []RoleOption{{"PSY", "Psychiatry", "Diagnoses, visits and treatments of psychiatry", true}, {"PSYTHPN", "Psychotherapy notes", "For the therapist: not even breaking the glass opens them", false}},
		Facts:    []look.Fact{{Name: "Staff entry", Value: "Practitioner/8831"}, {Name: "Added", Value: "3 Feb 2024 by Anna Berg"}, {Name: "Training", Value: "Done 12 Dec 2025, due in 3 weeks", Tone: look.Warn}},
		Factors:  []look.Fact{{Name: "Password", Value: "Set 3 Feb 2024"}, {Name: "Authenticator", Value: "Since 3 Feb 2024"}},
		Sessions: []SessionLine{{"Desk ER-02", "hospital", look.Clock(ago(3 * time.Hour)), look.Clock(ago(time.Minute))}}, Seconds: []Option{{"p1", "Jo Park", false}, {"p2", "Ruth Adeyemi", false}},
		Link: &EnrolLink{"https://ehr.example/enrol/7Kq2fW9dJ3xV", look.Moment(now.Add(72 * time.Hour))}}
	add := AddPersonView{Shell: admin("People"), Roles: roles, Second: true}
	move := MoveView{Shell: admin("People"), ID: "b", Name: "Dana Whitlock", Now: []look.Fact{{Name: "Roles", Value: "Front desk"}, {Name: "Department", Value: "Registration"}, {Name: "Manager", Value: "none"}}, Department: "Accounts", Roles: roles,
		Managers: []Option{{"p1", "Jo Park, Accounts", true}}, At: "2026-12-01T08:00", Overlap: "14", Reason: "Moves to the office", Set: true, Problem: "Choose what changes: other roles, another department or another manager."}
	coming := ComingView{Shell: admin("People"), May: true, Done: "Taken back: Kim Osei, leaves.", Set: []ComingLine{
		{ID: "b", Name: "Dana Whitlock", Kind: "change", When: look.Moment(now.Add(72 * time.Hour)), Does: "Moves", What: []string{"Roles: Front desk → Billing", "Until 8 Dec 2026, 09:48 also: Front desk", "Department: Registration → Accounts"}, Why: "Moves to the office, set by Anna Berg"},
		{ID: "c", Name: "Théo Moreau", Kind: "roles-end", When: look.Moment(now.Add(96 * time.Hour)), Does: "Old roles end", What: []string{"Nurse, 25 Nov 2026, 09:48"}, Why: "The source gives them no more, set by the command line, the HR file or this server"},
		{ID: "a", Name: "Anna Berg", Kind: "leave", When: look.Moment(now.Add(240 * time.Hour)), Does: "Leaves", Why: "Retires", Mine: true}}}
	unrostered := UnrosteredView{Shell: admin("People"), With: "the HR file, Hospital directory", People: 412, Until: "2027-02-19", May: true, Orphans: []UnrosteredLine{
		{ID: "d", Name: "Kim Osei", Roles: "Laboratory", Owner: "Nobody; added by Anna Berg"}, {ID: "e", Name: "Jo Park", Roles: "Billing", Owner: "Anna Berg", Last: look.Recent(ago(3*time.Hour), now), Ends: look.Moment(now.Add(20 * time.Hour))}},
		Known: []UnrosteredLine{{ID: "f", Name: "Vera Lind", Roles: "Administrator", Because: "Engineer of the laboratory's vendor, contract to 2027", Last: look.Recent(ago(48*time.Hour), now), Until: look.Day(now.Add(2000 * time.Hour))}}}

	demo := DemoView{Banners: []look.Banner{look.SandboxBanner()}, Hospital: "Harbour Hospital, 160 invented people", People: []DemoPerson{
		{"1", "Anna Lindqvist", "Physician", "stethoscope", "Open a patient without a question, then one that is closed"}, {"2", "Théo Moreau", "Nurse", "heart-pulse", "See the unit of this shift"},
		{"3", "Dana Whitlock", "Front desk", "id-card", "Book in without any clinical data"}, {"4", "Lena Fischer", "Billing", "receipt-text", "See how little a claim needs"},
		{"5", "Ruth Adeyemi", "Privacy officer", "shield-check", "Find out who opened charts at night"}, {"6", "Anna Berg", "Administrator", "settings", "Add a person, end another"}, {"7", "Maren Okafor", "Patient", "user", "See who looked at your chart"}}}
	enrol := EnrolView{Link: "7Kq2", Name: "Kim Osei", Login: "kim.osei", Secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", OTPAuth: "otpauth://totp/Chartwarden:kim.osei?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Chartwarden", MinLength: 12, Until: look.Moment(now.Add(72 * time.Hour))}

	glassOpen := summary()
	glassOpen.Chart.Patient.Why = Why{Glass: true, Sentence: "You are treating them now.", Until: "Open until discharge, at latest 24 Nov 2026, 09:41. She and the team can see this."}
	glassOpen.Chart.Patient.Allergies = Allergies{}
	glassOpen.Since = nil
	empty := SummaryView{Chart: chartView("Chart summary", TabSummary)}
	empty.Chart.Patient.Allergies, empty.Chart.Patient.Facts, empty.Chart.Patient.Team, empty.Chart.Looked = Allergies{Asked: true}, nil, nil, []Looker{}

	myDevices := MyDevicesView{Shell: admin(""), Here: SessionHere{ID: "s1", Browser: "Firefox on Windows", Device: "a managed device", Posture: "Debian 12, disk encrypted, screen locks after 5 min, updated 3 days ago, started today", Place: "In the hospital, ward-3", Proof: "two factors",
		Since: look.Clock(ago(3 * time.Hour)), Last: look.Clock(ago(time.Minute))}, Others: []SessionHere{
		{ID: "s2", Browser: "Safari on an iPad", Device: "an unknown device", Place: "On the internet", Proof: "two factors", Since: look.Clock(ago(20 * time.Hour)), Last: look.Clock(ago(15 * time.Hour)), Locked: true},
		{ID: "s3", Browser: "Samsung Internet on Android", Device: "a registered device", Place: "By the hospital's own network, from outside", Proof: "two factors", As: "as a patient", Since: look.Clock(ago(30 * time.Hour)), Last: look.Clock(ago(29 * time.Hour))}},
		Used: []UsedLine{{"Firefox on Windows", "In the hospital, ward-3", look.Clock(ago(90 * time.Hour)), look.Clock(ago(time.Minute)), "12 sign-ins", true},
			{"Safari on an iPad", "On the internet", look.Clock(ago(90 * time.Hour)), look.Clock(ago(15 * time.Hour)), "1 sign-in", false}}}
	myDevices.Nonce = "AAAA"
	myDevices.Asked = []DeviceAskLine{{ID: "q1", Name: "Tablet ward 3", Says: "An administrator has not answered yet. It lapses 30 Nov 2026, 14:20.", When: look.Recent(ago(time.Hour), now)},
		{Name: "My own laptop", Says: "Ruth Adeyemi declined to register it.", When: look.Recent(ago(50*time.Hour), now), Here: true}}
	mySignIn := MySignInView{Shell: admin(""), Password: true, Possible: true, HasCodes: true, Recovery: "9 codes left, made 2 Nov 2026, 14:20",
		Told: []ToldLine{{What: "A passkey was added", When: look.Moment(now)}}, Codes: []string{"0h4k-9xq2-mm3r-t7wd", "1vz8-4npc-00ka-e5gj"},
		Passkeys: []PasskeyLine{{ID: "a", Name: "Ward laptop", Kind: "Bound to one device", Made: look.Recent(now.Add(-24*time.Hour), now), Used: look.Recent(now, now)},
			{ID: "b", Name: "Phone", Kind: "Synced to your other devices by their maker", Made: look.Recent(now.Add(-48*time.Hour), now), Used: look.Recent(now, now), Suspect: true}}}
	devices := DevicesView{Shell: admin("Devices"), May: true, Devices: []DeviceLine{
		{ID: "a", Name: "Desk ER-02", Mark: look.Mark{Tone: look.OK, Icon: "check", Text: "Managed"}, Since: look.Recent(ago(80*time.Hour), now), Seen: look.Recent(ago(time.Minute), now), By: " by Ruth Adeyemi", Active: true,
			Reported: "Debian 12, disk encrypted, screen locks after 5 min, updated 2 days ago, started today", At: look.Recent(ago(20*time.Minute), now)},
		{ID: "b", Name: "Tablet ward 3", Since: look.Recent(ago(80*time.Hour), now), By: " by Ruth Adeyemi", Active: true, Reported: "Macos 26.1, disk not encrypted, screen does not lock, updates not known, started 12 days ago",
			At: look.Recent(ago(40*time.Minute), now), Lacks: "Not managed: its disk is not encrypted; its screen does not lock by itself; nobody knows when it was last updated."}}}
	all := map[string]templ.Component{
		"devices": Devices(devices),
		"day":     Day(day), "day-empty": Day(DayView{Shell: care("My day"), Date: look.Moment(now)}),
		"find": Find(find), "find-empty": Find(findEmpty), "find-problem": Find(findProblem),
		"chart": Summary(summary()), "chart-glass": Summary(glassOpen), "chart-empty": Summary(empty),
		"chart-results": Results(results), "chart-result": ResultHistory(history), "chart-medications": Medications(MedicationsView{Chart: chartView("Medications", TabMedications), Current: meds(), Stopped: meds()[:1]}),
		"chart-notes": Notes(notes), "chart-note": Note(note), "chart-write": Write(write), "chart-documents": Documents(documents), "chart-timeline": Timeline(timeline), "chart-access": ChartAccess(access),
		"closed": Closed(closed), "closed-code": Closed(closedCode), "closed-no": Closed(closedNo),
		"refusal": Refusal(refusal), "error": Refusal(broken), "activity": Activity(activity), "activity-unit": Unit(UnitView{Shell: care("Work with a reason"), Units: []UnitOf{{Name: "5 West", Weeks: []UnitWeek{{look.Day(ago(7 * 24 * time.Hour)), "98 %"}, {look.Day(ago(14 * 24 * time.Hour)), "Not shown: fewer than 5 people"}}}}}), "apps": Apps(apps), "apps-none": Apps(AppsView{Shell: portal()}), "portal": Portal(who),
		"privacy": Privacy(overview), "reviews": Reviews(ReviewsView{Shell: privacy("Reviews"), Rows: queue, Total: 12, Views: []look.Link{{Text: "Waiting"}, {Text: "Asked", Href: "/privacy/reviews?asked"}, {Text: "Closed", Href: "/privacy/reviews?closed"}}, Older: look.Link{Text: "Next 50", Href: "/privacy/reviews?after=50"}}),
		"review": Review(review), "review-glass": Review(glassReview), "audit": Audit(explorer), "audit-start": Audit(explorerStart), "entry": Entry(entry),
		"integrity": Integrity(integrity), "integrity-self": Integrity(selfWitnessed), "integrity-cut": Integrity(cut),
		"approvals": Approvals(ApprovalsView{Shell: privacy("Approvals"), Rows: []ApprovalLine{
			{Href: "/approvals/a", What: "Take back what Priya Natarajan wrote since 21 Nov 2026, 06:10:00", By: "Ruth Adeyemi", When: look.Recent(now.Add(-12*time.Minute), now), Marks: []look.Mark{{Tone: look.Warn, Text: "Waits"}}},
			{Href: "/approvals/b", What: "Erase the chart …k2v9xq for good", By: "The command line", When: look.Recent(now.Add(-2*time.Hour), now), Marks: []look.Mark{{Tone: look.OK, Text: "Agreed, being carried out"}}}}}),
		"training": Training(TrainingView{Shell: privacy("Training"), Until: "Yours lasts until 3 Dec 2026. After that exports, and charts of patients outside your care, wait. Patients in your care and emergencies never wait.",
			ToDo:   []TrainingLine{{Href: "/training/phishing", Title: "Phishing", About: "4 minutes, 3 questions", State: "Changed since you signed it 4 Feb 2026"}, {Href: "/training/promise", Title: "What I promise", About: "1 minute, to read and to sign", State: "To do"}},
			Done:   []TrainingLine{{Href: "/training/glass", Title: "Breaking the glass", About: "4 minutes, 3 questions", State: "Signed 2 Feb 2026, counts until 2 Feb 2027"}},
			Record: []TrainingSigned{{What: "glass", Version: "0f3a99c2b1de", When: look.Exact(time.Date(2026, 2, 2, 9, 12, 0, 0, time.UTC)), Entry: "18204"}}}),
		"training-course": Course(CourseView{Shell: privacy("Training"), ID: "phishing", Title: "Phishing", About: "4 minutes", Problem: "1 answer is not right yet. Read why below, choose again, and sign.",
			Text: []CourseText{{Title: "How it looks today", Text: []string{"A mail, a text message or a call that sounds like this house, is in a hurry, and wants you to sign in.", "It may know your name and your unit."}}},
			Quiz: []CourseQuestion{{Name: "q0", Text: "“This is the help desk. We need the six digits that you just got.” You:", Why: "Nobody here ever asks for your code.", Wrong: true,
				Answers: []Option{{Value: "0", Name: "Read them out, since the help desk asks", On: true}, {Value: "1", Name: "Hang up and call the help desk yourself"}}},
				{Name: "q1", Text: "You typed your password into a strange page. You:", Why: "One second is enough to stop it.", Answers: []Option{{Value: "0", Name: "Hope that nothing happens"}, {Value: "1", Name: "Tell it now", On: true}}}}}),
		"training-lesson": Course(CourseView{Shell: care(""), Title: "A minute before data leaves this house", About: "60 seconds, once", Text: []CourseText{{"Outside, nothing of ours protects it", []string{"Take only what the task needs."}}}, Next: &CourseNext{Action: "/chart/p7Kq2/print", Back: "/chart/p7Kq2", Fields: []Option{{Name: "part", Value: "timeline"}}}}),
		"training-everybody": Compliance(ComplianceView{Shell: privacy("Training"), Views: []look.Link{{Text: "Everybody 2"}, {Text: "Overdue 1", Href: "/admin/training?show=overdue"}}, Total: 2, Rows: []ComplianceLine{
			{Name: "Dana Whitlock", Unit: "Registration", Done: "2 of 7", Href: "/admin/people/a", Due: look.Day(time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)), Mark: look.Mark{Tone: look.Warn, Text: "Overdue"}},
			{Name: "Sam Rivera", Unit: "Medicine", Done: "7 of 7", Href: "/admin/people/b", Due: look.Day(time.Date(2027, 10, 2, 0, 0, 0, 0, time.UTC)), Mark: look.Mark{Tone: look.OK, Text: "Done"}}}}),
		"acting": Acting(ActingView{Shell: care(""), May: true, Problem: "Write the full name of one colleague, or the id where two have that name.", Person: "Anna", Reason: "Her list looks odd", Rows: []ActingLine{
			{ID: "a", By: "Cleo Hart", As: "Anna Lindqvist", Reason: "Her list looks odd", State: "agreed to by Anna Lindqvist, until", Until: look.Clock(now), Runs: true, Begin: true},
			{ID: "b", By: "Sam Rivera", As: "Cleo Hart", Reason: "The print button", State: "waits for a word until", Until: look.Clock(now.Add(time.Hour)), Decide: true}}}),
		"restrictions": Restrictions(RestrictionsView{Shell: look.Shell{Title: "Restrictions", Person: look.Person{Name: "Marcus Hale", Role: "Front desk"}, Nav: look.DeskNav("Restrictions"), LockAfter: 10 * time.Minute}, Done: "The restriction counts from now on. The patient reads it on her own page.", Rows: []RestrictionRow{
			{ID: "c3", Name: "Okafor, Maren", Href: "/desk/patients/p7Kq2", About: "female, born 1961", Text: "Dana Whitlock may not see the patient's chart.", When: look.Recent(ago(time.Hour), now)}}}),
		"downtime": Downtime(DowntimeView{Shell: privacy("Approvals"), Problem: "A downtime lasts from one hour to twelve.", Reason: "The network of the wards"}),
		"downtime-runs": Downtime(DowntimeView{Shell: privacy("Approvals"), Until: "18:00", Past: []DowntimeLine{
			{Since: look.Exact(now), Until: look.Exact(now.Add(4 * time.Hour)), By: "Anna Lindqvist and Ruth Adeyemi", Href: "/downtime/2", Runs: true},
			{Since: look.Exact(now.Add(-48 * time.Hour)), Until: look.Exact(now.Add(-46 * time.Hour)), By: "Anna Lindqvist and Sam Rivera"}}}),
		"approvals-none": Approvals(ApprovalsView{Shell: privacy("Approvals")}),
		"approval": Approval(ApprovalView{Shell: privacy("Approvals"), ID: "a", Headline: "Take back what Priya Natarajan wrote since 21 Nov 2026, 06:10:00", Marks: []look.Mark{{Tone: look.Warn, Text: "Waits"}},
			Reason: "Signed in with a stolen password; two charts are spoilt.", Open: true, May: true, Will: "What this person wrote since then is taken back by new versions; nothing is removed. What somebody else wrote upon it stays.",
			Facts:  []look.Fact{{Name: "Asked by", Value: "Ruth Adeyemi"}, {Name: "Asked", Value: "21 Nov 2026, 09:29:00"}, {Name: "Lapses", Value: "22 Nov 2026, 09:29:00"}, {Name: "May agree", Value: "A physician or a privacy officer"}},
			Counts: []look.Fact{{Name: "Changes", Value: "3 resources in 2 charts"}, {Name: "Condition", Value: "2"}, {Name: "DocumentReference", Value: "1"}, {Name: "Left as they are", Value: "1", Tone: look.Warn}},
			Steps:  []UndoLine{{What: "Condition 4hq7x2", Chart: "k2v9xq", Does: "Version 3 comes back"}, {What: "Condition zz81mk", Chart: "k2v9xq", Does: "Is deleted"}, {What: "DocumentReference 0ppa3d", Chart: "77hafe", Does: "A signed note: stays, marked as entered in error"}},
			Left:   []UndoLine{{What: "Condition qq0912", Does: "Somebody else changed it since"}}}),
		"configuration": Configuration(configuration), "integrity-away": Integrity(away), "integrity-disputed": Integrity(disputed),
		"move": Move(move), "coming": Coming(coming), "unrostered": Unrostered(unrostered),
		"people": People(people), "person": PersonPage(person), "person-add": AddPerson(add),
		"step-up": StepUp(StepUpView{Shell: admin("People"), Action: "/admin/people/b/end", Hidden: []Field{{"reason", "Left the hospital"}}, Back: "/admin/people/b", Demo: true}),
		"sign-in": SignIn(SignInView{Hospital: "Harbour Hospital", Demo: true, Banners: []look.Banner{look.SandboxBanner()}}), "sign-in-problem": SignIn(SignInView{Hospital: "Harbour Hospital", Login: "anna.lindqvist", Problem: "Name, password or code is not right. After five more tries this name waits a minute."}),
		"my-sign-in":      MySignIn(mySignIn),
		"my-devices":      MyDevices(myDevices),
		"my-sign-in-none": MySignIn(MySignInView{Shell: admin(""), Password: true, Possible: true, Recovery: "None"}),
		"passkey-add":     AddPasskey(AddPasskeyView{Shell: admin(""), Site: "localhost"}),
		"recover":         Recover(RecoverView{Banners: []look.Banner{look.SandboxBanner()}, Login: "anna.lindqvist", Problem: "The person or the recovery code is wrong; a code works once."}),
		"demo":            Demo(demo), "enrol": Enrol(enrol), "locked": Locked(LockedView{Name: "Anna Lindqvist", Role: "Attending, 5 West", Because: "Nobody was active for 10 minutes", Password: true, Kept: true}),
	}
	maps.Copy(all, cases())
	return all
}
