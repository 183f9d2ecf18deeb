package page

import (
	"time"

	"chartwarden/internal/web/look"

	"github.com/a-h/templ"
)

// cases are the pages of casework in the gallery.
func cases() map[string]templ.Component {
	night := time.Date(2026, 11, 20, 1, 52, 0, 0, time.UTC)
	var after []time.Time
	for i := range 13 {
		after = append(after, night.Add(time.Duration(i)*3*time.Minute))
	}
	lanes := look.LanesOf{From: night.Add(-14 * time.Hour), To: night.Add(10 * time.Hour), Lanes: []look.Lane{
		{Name: "Shift", Bands: []look.Band{{From: night.Add(-11 * time.Hour), To: night.Add(-3 * time.Hour), Text: "Emergency desk"}}},
		{Name: "Charts with a link", Ticks: []time.Time{night.Add(-10 * time.Hour), night.Add(-8 * time.Hour), night.Add(-5 * time.Hour)}},
		{Name: "Charts, no link", Ticks: after, Note: "13 accesses in 36 minutes", Apart: true},
		{Name: "Print and export", Apart: true, Marks: []look.Happening{{At: after[12].Add(4 * time.Minute), Text: "1 print"}}}}}
	hours := look.HoursOf{Name: "This person", Of: "4 in the same role, Emergency", Peers: &[7][24]int{}}
	for d := range 5 {
		for h := 15; h < 23; h++ {
			hours.Usual[d][h], hours.Peers[d][h] = 1+(d+h)%4, 9
		}
	}
	hours.Now[4][1], hours.Now[4][2] = true, true
	weights := []Weight{{"No reason of care is known", "decisive", 1}, {"A patient is personally close to this person", "strong", .6}, {"Outside the usual hours", "moderate", .38}, {"More prints than the role makes", "weak", .24}}
	high := look.Mark{Tone: look.Crit, Icon: "circle-alert", Text: "High"}
	rows := []CaseLine{
		{Href: "/privacy/cases?case=2291", What: "Opened 13 charts with no link to care that we found", Who: "Front desk F-4F2, Emergency", Marks: []look.Mark{high}, Due: "first look overdue by 3 hours", Overdue: true, Current: true},
		{Href: "/privacy/cases?case=2294", What: "Took out more than people in that role do: 3 exports and 1 print", Who: "Physician P-Q7T, Oncology", Marks: []look.Mark{{Tone: look.Warn, Text: "Medium"}, {Tone: look.Accent, Text: "Taken"}}, Due: "decision due in 21 hours", Officer: "Ruth Adeyemi"},
		{Href: "/privacy/cases?case=2297", What: "Came back on 3 days to 1 chart with no link to care that we found", Who: "Nurse N-9ZK, 3 West", Marks: []look.Mark{{Tone: look.Warn, Text: "Medium"}}, Due: "first look due in 2 days"}}
	queue := CasesView{Shell: privacy("Cases"), Sub: "1 new case today; about 2 a day expected. 9 on watch. 1 overdue.", Views: []look.Link{{Text: "Waiting 3"}, {Text: "Mine 1", Href: "/privacy/cases?show=mine"}, {Text: "On watch 9", Href: "/privacy/cases?show=watch"}, {Text: "Closed", Href: "/privacy/cases?show=closed"}},
		Filters: []CaseFilter{{Name: "Queue", Links: []look.Link{{Text: "Any"}, {Text: "Pressing", Href: "/privacy/cases?queue=automatic"}, {Text: "Review", Href: "/privacy/cases?queue=review"}}},
			{Name: "Suspicion", Links: []look.Link{{Text: "Any"}, {Text: "Looking without a reason", Href: "/privacy/cases?kind=snoop"}, {Text: "Taking records out", Href: "/privacy/cases?kind=exfiltration"}, {Text: "Following one patient", Href: "/privacy/cases?kind=stalking"}}}},
		Rows: rows, Total: 3, Notes: []string{"1 in another’s queue: a colleague decides about them."},
		Preview: &CasePreview{ID: "2291", Headline: "Front desk F-4F2 opened 13 charts with no link to care that we found", Marks: []look.Mark{high}, Meta: []string{"Front desk F-4F2, Emergency", "Raised Fri 20 Nov, 02:33", "First look overdue by 3 hours"},
			Tale:    "Between 01:52 and 02:31 on Fri 20 Nov, front desk F-4F2, Emergency, opened 13 charts with no link to care that we found. Of 17 accesses 4 have a reason of care by now.",
			Weights: weights, Href: "/privacy/cases/2291", Next: "/privacy/cases?case=2294", Take: true}}
	picked := queue
	picked.Picked = true
	base := CaseView{Shell: privacy("Cases"), ID: "2291", Next: "/privacy/cases/2294", Headline: "Front desk F-4F2 opened 13 charts with no link to care that we found", Marks: []look.Mark{high}, Meta: []string{"Front desk F-4F2, Emergency", "Raised Fri 20 Nov, 02:33"}, Overdue: "First look overdue by 3 hours",
		Tale:    "Between 01:52 and 02:31 on Fri 20 Nov, front desk F-4F2, Emergency, opened 13 charts with no link to care that we found. Of 17 accesses 4 have a reason of care by now. The last shift at Emergency desk had ended 3 hours before.",
		Unknown: []string{"whether the person was called in: no shift is on record for that time, and what was agreed by telephone leaves no trace.", "what the person says: there is no answer yet."},
		Weights: weights, Figures: []look.Fact{{Name: "No reason of care is known", Value: "+5.1 nats"}, {Name: "Outside the usual hours", Value: "+1.9 nats"}, {Name: "All evidence, days forgotten slowly", Value: "8.2 nats"}, {Name: "Probability of misuse, as fitted on simulated hospitals", Value: "77 %"}},
		Checks: []Check{{"Visit or appointment then", "none", false}, {"An earlier visit", "1 of 13", true}, {"Care team", "none", false}, {"Order to the department", "not then; recorded since for 1 of 13", false}, {"Shift", "none at that time", false}},
		Masked: "Patients are masked", Steps: []CaseStep{{Text: "Raised, evidence kept", Hint: "Fri 20 Nov, 02:33", Done: true}, {Text: "Taken by an officer", Now: true}, {Text: "The person and the manager are heard"}, {Text: "Decided and written down"}},
		Lanes: &lanes, LanesOf: "Thu 19 Nov 12:00 to Fri 20 Nov 12:00",
		Ego:  &look.EgoOf{Who: "F-4F2", Sub: "Emergency", Links: []look.EgoLink{{To: "A", Sub: "3 accesses", How: "no link found", Apart: true}, {To: "B", Sub: "1 access", How: "no link found", Apart: true}, {To: "C", Sub: "1 access", How: "no link found", Apart: true}, {To: "D", Sub: "2 accesses", How: "a link of care", Care: true}}},
		Ties: []CaseTie{{"Patient A", "3", "No link found"}, {"Patient B", "1", "No link found"}, {"Patient C", "1", "No link found"}, {"Patient D", "2", "Registered the patient"}}, Related: []string{"A patient is personally close to this person. The details are shown with the names."},
		Hours: &hours, HoursOf: "12 weeks before. Framed: these accesses",
		Entries: []CaseEntry{{look.Exact(after[12]), "Patient A", "In the hospital", "Printed the summary", "None", ""}, {look.Exact(after[11]), "Patient A", "In the hospital", "Opened notes", "None", ""}, {look.Exact(after[9]), "Patient B", "In the hospital", "Opened the summary", "None", ""}, {look.Exact(after[3]), "Patient D", "In the hospital", "Opened the summary", "Registration or appointments", ""}}, Shown: "4 of 17 shown",
		Notes: []CaseNote{{look.Recent(night.Add(40*time.Minute), now), "Raised by detection.", ""}}, Proof: ProofLine{Tone: look.OK, Lead: "17 accesses in the record", Text: "Somebody outside this installation cosigned the head that they stand under, 2 minutes ago.", Href: "/integrity"},
		Alike: []CaseLine{{Href: "/privacy/cases/2107", What: "Opened 4 charts with no link to care that we found", Who: "Nurse N-0QW, 5 West", Marks: []look.Mark{{Tone: look.Warn, Text: "Training issue"}}, Due: "closed 3 Oct 2026"}}, Take: true,
		HandOver: []Option{{Value: "o", Name: "Omar Haddad"}}}
	mine := base
	mine.Take, mine.Overdue, mine.Headline = false, "", "Dana Whitlock opened 13 charts with no link to care that we found"
	mine.Meta = []string{"Dana Whitlock, front desk, Emergency", "Raised Fri 20 Nov, 02:33", "With Ruth Adeyemi", "Decision due in 21 hours"}
	mine.Marks = []look.Mark{high, {Tone: look.Accent, Icon: "message-square", Text: "Asked"}}
	mine.Given = []CaseAnswer{{"The person", "I was working", "I was called in for the bus accident.", look.Recent(now.Add(-time.Hour), now)}}
	mine.Steps = []CaseStep{base.Steps[0], {Text: "Taken by an officer", Hint: "First look after 6 hours", Done: true}, {Text: "The person and the manager are heard", Done: true}, {Text: "Decided and written down", Now: true}}
	mine.Form = &CaseForm{Choice: "close", First: "Dana", CanAsk: true, Seen: "17", Outcome: "justified", Managers: []Option{{Value: "e", Name: "Eva Lund, nurse, Emergency"}}, Fact: CaseFact{Unit: "Emergency"}}
	mine.Names, mine.Mute = &CaseNames{}, "A second officer has to agree."
	mine.Entries = []CaseEntry{{look.Exact(after[12]), "Patient A", "In the hospital", "Printed the summary", "None", "/audit/demo/16120"}}
	mine.More, mine.Hours = base.Entries, nil
	mine.Notes = append([]CaseNote{{look.Recent(now.Add(-time.Hour), now), "The person answered: I was working. “I was called in for the bus accident.”", "/audit/demo/16200"}, {look.Recent(now.Add(-3*time.Hour), now), "Ruth Adeyemi asked the person: “Why did you need these charts?”", "/audit/demo/16190"}, {look.Recent(now.Add(-4*time.Hour), now), "Ruth Adeyemi took the case.", "/audit/demo/16180"}}, base.Notes...)
	mine.Also = []look.Link{{Text: "Everything this person did", Href: "/audit?person=x"}}
	barred := base
	barred.Take, barred.HandOver, barred.Barred = false, nil, "You work in the same unit as the person: a colleague from elsewhere decides about this case"
	closed := mine
	closed.Form, closed.Mute, closed.Names, closed.HandOver, closed.Reopen = nil, "", nil, nil, true
	closed.Closed = "Justified. Closed by Ruth Adeyemi today, 09:12."
	closed.Marks = []look.Mark{{Tone: look.OK, Text: "Justified"}}
	return map[string]templ.Component{
		"cases": Cases(queue), "cases-picked": Cases(picked), "cases-none": Cases(CasesView{Shell: privacy("Cases"), Sub: "No new cases today.", Views: queue.Views, Empty: "No case waits."}),
		"case": Case(base), "case-mine": Case(mine), "case-barred": Case(barred), "case-closed": Case(closed), "sanctions": Sanctions(SanctionsView{Shell: privacy("Cases")}),
		"closures": Closures(ClosuresView{Shell: privacy("Cases"), Rows: []ClosureLine{{"Ruth Adeyemi", "Nurse N-0QW, 5 West", "4", "3 justified, 1 cannot tell", look.Recent(now.Add(-26*time.Hour), now), []look.Mark{{Tone: look.Warn, Text: "Look at these"}}}, {"Omar Haddad", "Front desk F-4F2, Emergency", "1", "1 training issue", look.Recent(now.Add(-50*time.Hour), now), nil}}}),
		"asked": Activity(ActivityView{Shell: care("My activity"), Summary: "32 charts in the last 7 days.", Asked: []AskedView{
			{ID: "1", Title: "About your accesses", Text: "Why did you need these charts on Friday night?", When: look.Recent(now.Add(-time.Hour), now), Accesses: []string{"Fri 20 Nov, 02:31, opened the chart of Okafor, Maren", "Fri 20 Nov, 02:19, opened the chart of a patient whose name is not shown"},
				Answers: []AnswerChoice{{"working", "I was working", "Say what you were working on"}, {"wrong-patient", "Wrong patient", "I took the chart for another one"}, {"should-not", "I should not have", "There was no reason in my work"}, {"not-me", "I do not know this access", "Somebody else may have used my account"}}},
			{ID: "2", Title: "About the work of Dana Whitlock", Text: "Was she called in on Friday night?", When: look.Recent(now.Add(-time.Hour), now), Accesses: []string{"Fri 20 Nov, 02:31, opened"}, Answers: []AnswerChoice{{"in-the-work", "There was a reason in the work", "Say which"}, {"no-reason", "I know of no reason", "As far as you can tell"}}}}}),
	}
}
