package web

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/casework"
	"chartwarden/internal/detect"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// What a case says, in words that people read: no score, no pretence of precision, nothing of a patient but a letter.

// suspicion is a hypothesis of detection in words.
type suspicion struct {
	kind string // in lists
	did  string // follows the person; {n} is the count of charts, {with} how many of how many had no link
}

var suspicions = map[string]suspicion{
	"snoop":             {"Looking without a reason", "opened {charts} with no link to care that we found"},
	"harvest":           {"Too many charts", "opened {charts}, far more than the work explains"},
	"exfiltration":      {"Taking records out", "took out more than people in that role do: {out}"},
	"stolen-account":    {"Stolen account", "signed in from a place that is new and opened {charts}"},
	"shared-credential": {"Shared account", "was at work in two places at once and opened {charts}"},
	"dormant-account":   {"Account at rest", "used an account that should be at rest and opened {charts}"},
	"glass-abuse":       {"Breaking the glass", "broke the glass for {charts}, and no later fact confirms why"},
	"destruction":       {"Destroying records", "deleted or altered what was not their own, in {charts}"},
	detect.RandomAudit:  {"Drawn at random", "had {out} drawn at random"},
	"stalking":          {"Following one patient", "came back on {days} to {charts} with no link to care that we found"},
}

func suspicionOf(hypothesis string) suspicion {
	if s, ok := suspicions[hypothesis]; ok {
		return s
	}
	return suspicion{"Something unusual", "opened {charts}"}
}

// caseTale is a case with what helps to tell it.
type caseTale struct {
	casework.Listed
	file *casework.File
	zone *time.Location
	// Who the patients are, by Patient/x: letters, or names where the officer may see them.
	patients map[string]string
	named    bool
}

func (p *Pages) caseTaleOf(c casework.Listed, file *casework.File) caseTale {
	t := caseTale{Listed: c, file: file, zone: p.o.Zone, patients: map[string]string{}}
	for i, ref := range c.Patients {
		t.patients[ref] = "Patient " + letter(i)
	}
	return t
}

// letter tells patients apart within a case: A to Z, then AA.
func letter(i int) string {
	text := ""
	for i++; i > 0; i = (i - 1) / 26 {
		text = string(rune('A'+(i-1)%26)) + text
	}
	return text
}

func (t caseTale) patient(ref string) string {
	if ref == "" {
		return "None"
	}
	return cmp.Or(t.patients[ref], "A patient")
}

// unlinked are the accesses for which nothing is known.
func (t caseTale) unlinked() []casework.Event {
	return slices.DeleteFunc(slices.Clone(t.Events), func(e casework.Event) bool { return e.Explained || leaves(e.Kind) })
}

// leaves reports whether an access takes records out of the house.
func leaves(kind string) bool { return kind == "export" || kind == "print" }

func (t caseTale) charts() int {
	seen := map[string]bool{}
	for _, e := range t.unlinked() {
		if e.Patient != "" {
			seen[e.Patient] = true
		}
	}
	if len(seen) == 0 {
		return len(t.Patients)
	}
	return len(seen)
}

// did says what the person did. Where a reason of care is known for all of it, it is not told as if there were none.
func (t caseTale) did() string {
	text := suspicionOf(t.Hypothesis).did
	if t.Hypothesis == "stolen-account" && len(t.Contributions) == 0 { // nothing but the person's own word
		text = "says that somebody else opened {charts} under the account"
	}
	if len(t.Events) > 0 && len(t.unlinked()) == 0 {
		other := "and something else than care stands out"
		if slices.ContainsFunc(t.Contributions, func(c casework.Contribution) bool { return c.Name == "self" || slices.Contains(closeTies, c.Name) }) {
			other = "one of them of a patient who is personally close"
		}
		text = strings.Replace(text, " with no link to care that we found", ", "+other, 1)
	}
	return t.fill(text)
}

func (t caseTale) fill(text string) string {
	days := map[string]bool{}
	var out []string
	counts := map[string]int{}
	for _, e := range t.Events {
		days[e.Time.In(t.zone).Format(time.DateOnly)] = true
		counts[e.Kind]++
	}
	for _, k := range []struct{ kind, one, many string }{{"export", "export", "exports"}, {"print", "print", "prints"}} {
		if n := counts[k.kind]; n > 0 {
			out = append(out, look.Plural(int64(n), k.one, k.many))
		}
	}
	if len(out) == 0 {
		out = []string{look.Plural(int64(len(t.Events)), "access", "accesses")}
	}
	return strings.NewReplacer("{charts}", look.Plural(int64(max(1, t.charts())), "chart", "charts"), "{days}", look.Plural(int64(max(1, len(days))), "day", "days"),
		"{out}", strings.Join(out, " and ")).Replace(text)
}

// short is what a list says.
func (t caseTale) short() string { return upper(t.did()) }

// headline is the case in one sentence.
func (t caseTale) headline() string {
	return t.called() + " " + t.did()
}

// called is the person in a sentence.
func (t caseTale) called() string {
	if t.Who.Name != "" {
		return t.Who.Name
	}
	return strings.TrimSpace(roleName(t.Who.Role) + " " + t.Who.Alias)
}

// happened tells the case in a few sentences.
func (t caseTale) happened() string {
	if len(t.Events) == 0 {
		return t.headline() + "."
	}
	first, last := t.Events[0].Time.In(t.zone), t.Events[len(t.Events)-1].Time.In(t.zone)
	when := "At " + first.Format("15:04") + " on " + first.Format("Mon 2 Jan")
	switch {
	case first.Equal(last):
	case first.YearDay() == last.YearDay() && first.Year() == last.Year():
		when = "Between " + first.Format("15:04") + " and " + last.Format("15:04") + " on " + first.Format("Mon 2 Jan")
	default:
		when = "Between " + first.Format("Mon 2 Jan 15:04") + " and " + last.Format("Mon 2 Jan 15:04")
	}
	who := t.called()
	if t.Who.Unit != "" {
		who += ", " + t.Who.Unit + ","
	}
	text := when + ", " + lowerRole(who) + " " + t.did() + "."
	if t.Drawn() {
		text += " The lot fell on it: nothing is suspected."
	}
	linked := 0
	for _, e := range t.Events {
		if e.Explained {
			linked++
		}
	}
	switch n := len(t.Events); {
	case linked == n:
		text += " A reason of care is on record for all of it by now."
	case linked > 0:
		text += fmt.Sprintf(" Of %d accesses %d have a reason of care by now.", n, linked)
	}
	if t.file != nil {
		text += t.onShift(first)
	}
	return text
}

// lowerRole writes a pseudonym inside a sentence: nurse N-4F2.
func lowerRole(who string) string {
	for _, role := range roleNames {
		if strings.HasPrefix(who, role+" ") {
			return strings.ToLower(who[:1]) + who[1:]
		}
	}
	return who
}

// outside counts the accesses that happened at no shift on record.
func (t caseTale) outside() (n int) {
	for _, e := range t.Events {
		if !slices.ContainsFunc(t.file.Shifts, func(s access.Shift) bool { return !e.Time.Before(s.From) && e.Time.Before(s.Until) }) {
			n++
		}
	}
	return n
}

// onShift says how the accesses stood to the roster.
func (t caseTale) onShift(first time.Time) string {
	if t.Person == "" {
		return ""
	}
	n, all := t.outside(), len(t.Events)
	switch {
	case n == 0:
		return " The roster had this person at work" + at(t.file.Shifts[0].Place) + "."
	case n < all:
		return fmt.Sprintf(" %d of %d accesses were outside the shifts on record.", n, all)
	}
	for _, s := range slices.Backward(t.file.Shifts) {
		if s.Until.Before(first) {
			return " The last shift" + at(s.Place) + " had ended " + ago(first.Sub(s.Until)) + " before."
		}
	}
	return " No shift is on record for that time."
}

func at(place string) string {
	if place == "" {
		return ""
	}
	return " at " + place
}

// unknown is what the record cannot say; each follows "We do not know".
func (t caseTale) unknown() (out []string) {
	switch n := t.outside(); {
	case t.Person == "":
		out = append(out, "who this is here: the log names somebody without an account in this installation.")
	case n > 0 && n == len(t.Events):
		out = append(out, "whether the person was called in: what was agreed by telephone leaves no trace.")
	case n > 0:
		out = append(out, "why part of it was outside the shifts on record: staying longer and changing shifts leave no trace.")
	default:
		out = append(out, "whether somebody asked for help in person or by telephone: that leaves no trace in the record.")
	}
	if !isHeard(t.file) {
		out = append(out, "what the person says: there is no answer yet.")
	}
	if t.Provisional {
		out = append(out, "what is usual here: detection has seen less than two weeks of this site.")
	}
	if slices.ContainsFunc(t.Events, func(e casework.Event) bool { return e.Entry < 0 }) {
		out = append(out, "what was on the screen: the log of the other system says only that something was opened.")
	}
	return out
}

// strength is a contribution in a word.
func strength(nats float64) string {
	switch {
	case nats < 1.6:
		return "weak"
	case nats < 3:
		return "moderate"
	case nats < 4.6:
		return "strong"
	}
	return "decisive"
}

// closeTies are the signals that tell of somebody's private life; they are masked until the officer has given a reason for names.
var closeTies = []string{"kin.household", "kin.on-file", "kin.rare-surname", "neighbour", "minor"}

// ties are all signals about how the person and a patient are related.
var ties = append([]string{"self", "coworker", "coworker.same-unit", "vip", "deceased"}, closeTies...)

// words of a contribution, masked where they tell of somebody's private life.
func (t caseTale) words(c casework.Contribution) string {
	if slices.Contains(closeTies, c.Name) && !t.named {
		return "A patient is personally close to this person"
	}
	text := c.Text
	for _, w := range []string{"weak: ", "moderate: ", "strong: ", "decisive: "} {
		text = strings.TrimPrefix(text, w)
	}
	return upper(text)
}

// said is what detection says of an access: whether it is explained, and what else only with the names, since that tells of private lives.
func (t caseTale) said(e casework.Event) string {
	if first, _, more := strings.Cut(e.Text, "; "); more && !t.named {
		return first
	}
	return e.Text
}

// weights are the contributions as bars, the strongest first.
func (t caseTale) weights() []page.Weight {
	list := slices.Clone(t.Contributions)
	slices.SortStableFunc(list, func(a, b casework.Contribution) int { return cmp.Compare(b.Nats, a.Nats) })
	var out []page.Weight
	for _, c := range list {
		if c.Nats <= 0 {
			continue
		}
		out = append(out, page.Weight{Text: t.words(c), Word: strength(c.Nats), Share: math.Min(1, math.Max(.04, c.Nats/math.Max(list[0].Nats, 4.6)))})
	}
	return out
}

// figures are the same in numbers, for who asks.
func (t caseTale) figures() []look.Fact {
	if t.Drawn() {
		return nil
	}
	var out []look.Fact
	for _, c := range t.Contributions {
		out = append(out, look.Fact{Name: t.words(c), Value: fmt.Sprintf("%+.1f nats", c.Nats)})
	}
	return append(out, look.Fact{Name: "All evidence, days forgotten slowly", Value: fmt.Sprintf("%.1f nats", t.LogE)},
		look.Fact{Name: "Probability of misuse, as fitted on simulated hospitals", Value: percentOf(t.Posterior)},
		look.Fact{Name: "Severity, were it so", Value: fmt.Sprintf("%.2f of 1", t.Severity)})
}

func percentOf(p float64) string {
	switch {
	case p >= .99:
		return "over 99 %"
	case p < .01:
		return "under 1 %"
	}
	return fmt.Sprintf("%.0f %%", 100*p)
}

// related says how the person and a patient are known to be close, masked.
func (t caseTale) related() (out []string) {
	for _, c := range t.Contributions {
		if slices.Contains(ties, c.Name) {
			text := t.words(c) + "."
			if slices.Contains(closeTies, c.Name) && !t.named {
				text += " The details are shown with the names."
			}
			if !slices.Contains(out, text) {
				out = append(out, text)
			}
		}
	}
	return out
}

var factNames = []struct{ what, name string }{
	{"visit", "Visit or appointment then"}, {"past-visit", "An earlier visit"}, {"next-visit", "A visit to come"}, {"care-team", "Care team"}, {"order", "Order to the department"},
	{"task", "Task or message"}, {"shift", "Shift"}, {"self-made", "A link they made themselves"},
}

// checks are the links that would have explained the accesses, over the patients that were looked at.
func (t caseTale) checks() (out []page.Check) {
	for _, n := range factNames {
		i := slices.IndexFunc(t.file.Facts, func(f access.CaseFact) bool { return f.What == n.what })
		if i < 0 {
			continue
		}
		f := t.file.Facts[i]
		c := page.Check{Text: n.name, Found: "none", Yes: f.Found > 0}
		switch {
		case f.What == "self-made":
			c.Found = "nobody confirmed it"
		case f.What == "shift" && f.Found == 0:
			c.Found = "none at that time"
		case f.Of == 1 && f.Found == 1:
			c.Found = "yes"
		case f.Found > 0:
			c.Found = fmt.Sprintf("%d of %d", f.Found, f.Of)
		case f.Since > 0:
			c.Found = fmt.Sprintf("not then; recorded since for %d of %d", f.Since, f.Of)
		}
		out = append(out, c)
	}
	return out
}

// lanes draws the accesses over whole days, with the shifts.
func (t caseTale) lanes() (*look.LanesOf, string) {
	if len(t.Events) == 0 {
		return nil, ""
	}
	first, last := t.Events[0].Time.In(t.zone), t.Events[len(t.Events)-1].Time.In(t.zone)
	from := first.Add(-3 * time.Hour).Truncate(time.Hour)
	to := last.Add(6 * time.Hour).Truncate(time.Hour)
	for _, s := range t.file.Shifts { // the end of the last one says how long ago the person had left
		if end := s.Until.In(t.zone).Add(-2 * time.Hour).Truncate(time.Hour); s.Until.Before(first) && first.Sub(s.Until) < 14*time.Hour && end.Before(from) {
			from = end
		}
	}
	if to.Sub(from) > 60*time.Hour {
		from = time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, t.zone)
		to = time.Date(last.Year(), last.Month(), last.Day()+1, 0, 0, 0, 0, t.zone)
	}
	out := look.LanesOf{From: from, To: to}
	shifts := look.Lane{Name: "Shift"}
	for _, s := range t.file.Shifts {
		if s.Until.After(from) && s.From.Before(to) {
			shifts.Bands = append(shifts.Bands, look.Band{From: later(from, s.From.In(t.zone)), To: earlier(to, s.Until.In(t.zone)), Text: s.Place})
		}
	}
	linked, bare, gone := look.Lane{Name: "Charts with a link"}, look.Lane{Name: "Charts, no link", Apart: true}, look.Lane{Name: "Print and export", Apart: true}
	counts := map[string]int{}
	var mark time.Time
	for _, e := range t.Events {
		at := e.Time.In(t.zone)
		switch {
		case leaves(e.Kind):
			counts[e.Kind]++
			mark = at
			gone.Ticks = append(gone.Ticks, at)
		case e.Explained:
			linked.Ticks = append(linked.Ticks, at)
		default:
			bare.Ticks = append(bare.Ticks, at)
		}
	}
	if n := len(bare.Ticks); n > 1 {
		bare.Note = look.Plural(int64(n), "access", "accesses") + " in " + ago(bare.Ticks[n-1].Sub(bare.Ticks[0]))
	} else if n == 1 {
		bare.Note = "1 access"
	}
	if n := counts["print"] + counts["export"]; n > 0 {
		gone.Marks = []look.Happening{{At: mark, Text: t.fill("{out}")}}
		gone.Ticks = gone.Ticks[:max(0, len(gone.Ticks)-1)]
	}
	out.Lanes = []look.Lane{shifts, linked, bare, gone}
	return &out, from.Format("Mon 2 Jan 15:04") + " to " + to.Format("Mon 2 Jan 15:04")
}

const tiesShown = 60

// graph says how the person and the patients are connected, as a drawing and as a table.
func (t caseTale) graph() (*look.EgoOf, []page.CaseTie) {
	type tie struct {
		n       int
		linked  int
		how     string
		patient string
	}
	var list []*tie
	by := map[string]*tie{}
	for _, e := range t.Events {
		if e.Patient == "" {
			continue
		}
		x := by[e.Patient]
		if x == nil {
			x = &tie{patient: e.Patient}
			by[e.Patient] = x
			list = append(list, x)
		}
		x.n++
		if e.Explained {
			x.linked++
			x.how = t.said(e)
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	out := look.EgoOf{Who: t.Who.Alias, Sub: cmp.Or(t.Who.Unit, roleName(t.Who.Role))}
	var rows []page.CaseTie
	for _, x := range list[:min(len(list), tiesShown)] {
		link := look.EgoLink{To: strings.TrimPrefix(t.patient(x.patient), "Patient "), How: "no link found", Apart: true, Sub: look.Plural(int64(x.n), "access", "accesses")}
		if t.named {
			link.To = letter(slices.Index(t.Patients, x.patient))
		}
		row := page.CaseTie{Patient: t.patient(x.patient), Accesses: look.Number(int64(x.n)), How: "No link found"}
		if x.linked > 0 {
			link.How, link.Care, link.Apart = "a link of care", true, false
			row.How = cmp.Or(upper(x.how), "A link of care")
		}
		out.Links = append(out.Links, link)
		rows = append(rows, row)
	}
	return &out, rows
}
