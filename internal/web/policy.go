package web

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/governance"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

const atRules = "Rules"

func (p *Pages) policyRoutes() []access.Route {
	return []access.Route{
		{Method: "GET", Pattern: "/policy", Action: policy.PolicyRead, Handler: p.rules},
		{Method: "GET", Pattern: "/policy/matrix", Action: policy.PolicyRead, Handler: p.matrix},
		{Method: "GET", Pattern: "/policy/cell", Action: policy.PolicyRead, Handler: p.cell},
		{Method: "GET", Pattern: "/policy/work/{id}", Action: policy.PolicyRead, Handler: p.ruleWork},
		{Method: "POST", Pattern: "/policy/work", Action: policy.PolicyPropose, Handler: p.beginRules},
		{Method: "POST", Pattern: "/policy/work/{id}", Action: policy.PolicyPropose, Handler: p.workOnRules},
		{Method: "POST", Pattern: "/policy/back", Action: policy.PolicyPropose, Handler: p.backToRules},
		{Method: "POST", Pattern: "/policy/alone", Action: policy.PolicyPropose, Handler: p.rulesAlone},
		{Method: "GET", Pattern: "/policy/ask", Action: policy.AuditRead, Handler: p.askRules},
		{Method: "POST", Pattern: "/policy/ask", Action: policy.AuditRead, Handler: p.answerRules},
		{Method: "GET", Pattern: "/policy/advice", Action: policy.PolicyPropose, Handler: p.advice},
	}
}

// readsRules reports whether the page is for somebody; whether it opens is the door's to say.
func readsRules(s *identity.Session) bool {
	return slices.ContainsFunc(s.Roles(), func(r string) bool {
		return slices.Contains([]string{identity.Privacy, identity.Security, identity.Administrator, identity.Auditor}, r)
	})
}

func proposesRules(s *identity.Session) bool {
	return slices.ContainsFunc(s.Roles(), func(r string) bool {
		return slices.Contains([]string{identity.Privacy, identity.Security, identity.Administrator}, r)
	})
}

func (p *Pages) rules(w http.ResponseWriter, r *http.Request) {
	p.rulesPage(w, r, http.StatusOK, p.asks(r), "")
}

func (p *Pages) rulesPage(w http.ResponseWriter, r *http.Request, status int, who access.Principal, problem string) {
	work, err := p.o.Rules.Proposals(r.Context(), who)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	v := page.RulesView{Shell: p.shell(r, "Rules of access", atRules), May: proposesRules(who.Session), Problem: problem,
		Asks: slices.ContainsFunc(who.Session.Roles(), func(r string) bool { return r == identity.Privacy || r == identity.Security || r == identity.Auditor })}
	now, _ := p.o.Rules.InForce()
	v.Facts = []look.Fact{{Name: "Bundle", Value: shortHash(now.Hash)}, {Name: "Since", Value: look.Exact(now.Since.In(p.o.Zone)).Text()}, {Name: "Decided by", Value: p.decidedRules(r, now)}}
	if shipped := p.o.Rules.ShippedHash(); !slices.ContainsFunc(p.o.Rules.History(), func(e governance.Enforcement) bool { return e.Hash == shipped }) {
		v.Behind = "This version of the program brings other rules (bundle " + shortHash(shipped) + "). What the house decided stays in force until two people take others over."
		v.History = append(v.History, page.RulesLine{What: "Bundle " + shortHash(shipped), Sub: "What this version of the program brings", Hash: shipped, New: true, Marks: []look.Mark{{Text: "Never in force"}}})
	}
	for _, e := range p.o.Rules.History() {
		l := page.RulesLine{What: "Bundle " + shortHash(e.Hash), Sub: p.decidedRules(r, e), When: look.Recent(e.Since.In(p.o.Zone), p.now()), Hash: e.Hash, Marks: []look.Mark{{Text: "Earlier"}}}
		switch {
		case e.Number == now.Number:
			l.Marks = []look.Mark{{Tone: look.OK, Text: "In force"}}
		case e.Since.After(p.now()):
			l.Marks, l.When = []look.Mark{{Tone: look.Accent, Text: "Later"}}, look.Exact(e.Since.In(p.o.Zone))
		}
		if l.New = !p.o.Rules.Decided(e.Hash); e.Hash == now.Hash || l.New && e.Hash != p.o.Rules.ShippedHash() {
			l.Hash = ""
		}
		v.History = append(v.History, l)
	}
	for i := range work {
		x := &work[i]
		state, mark := p.workState(r, who, x)
		if state == "done" {
			continue
		}
		v.Work = append(v.Work, page.RulesLine{Href: "/policy/work/" + x.ID, What: x.Note, Sub: p.authorOf(r, x.Author), When: look.Recent(x.Changed.In(p.o.Zone), p.now()), Marks: []look.Mark{mark}})
	}
	if hash, tally, err := p.o.Rules.Beside(r.Context(), who); err == nil {
		v.Beside = &page.BesideView{Words: fmt.Sprintf("Bundle %s: %s judged, %s missed", shortHash(hash), look.Plural(tally.Judged, "decision", "decisions"), look.Number(tally.Missed))}
		for i, d := range tally.Differences {
			if i == shownPeople {
				break
			}
			v.Beside.Rows = append(v.Beside.Rows, page.ChangeLine{What: upper(d.Action) + " " + d.Group + ", " + look.Plural(d.Count, "decision", "decisions"), Who: p.nameOf(r, d.Person), Rule: cmp.Or(d.Rule, "no rule"), Mark: changeMark(d.Would, d.Care)})
		}
	}
	p.draw(w, r, status, page.Rules(v))
}

func shortHash(hash string) string { return hash[:min(12, len(hash))] }

func (p *Pages) authorOf(r *http.Request, id string) string {
	if id == "" {
		return "By the command line"
	}
	return "By " + p.nameOf(r, id)
}

func (p *Pages) decidedRules(r *http.Request, e governance.Enforcement) string {
	if e.Origin != governance.House {
		return "The program brought them; the house has decided nothing"
	}
	asked := "the command line"
	if e.Asked != "" {
		asked = p.nameOf(r, e.Asked)
	}
	return "Asked by " + asked + ", agreed by " + p.nameOf(r, e.Agreed)
}

// workState is how far work on the rules has come; what waits is told by its item.
func (p *Pages) workState(r *http.Request, who access.Principal, x *governance.Proposal) (string, look.Mark) {
	if x.State == governance.Draft {
		return "draft", look.Mark{Text: "Draft"}
	}
	if slices.ContainsFunc(p.o.Rules.History(), func(e governance.Enforcement) bool { return e.Item == x.Item }) {
		return "done", look.Mark{Tone: look.OK, Text: "Published"}
	}
	a, err := p.o.Gate.ApprovalOf(r.Context(), who, x.Item)
	if err == nil && a.State != "open" && a.State != "approved" {
		return "done", look.Mark{Text: upper(a.State)}
	}
	return "waiting", look.Mark{Tone: look.Warn, Text: "Waits for a second person"}
}

func (p *Pages) beginRules(w http.ResponseWriter, r *http.Request) {
	who, ok := p.permitted(w, r, policy.PolicyPropose)
	if !ok {
		return
	}
	x, err := p.o.Rules.Draft(r.Context(), who, nil, r.PostForm.Get("note"))
	if err != nil {
		p.rulesProblem(w, r, who, err)
		return
	}
	see(w, r, "/policy/work/"+x.ID)
}

func (p *Pages) rulesProblem(w http.ResponseWriter, r *http.Request, who access.Principal, err error) {
	if mendable(err) || outcome.Is(err, outcome.BusinessRule) {
		p.rulesPage(w, r, outcome.Status(err), who, sentence(err))
		return
	}
	p.fail(w, r, err)
}

func (p *Pages) backToRules(w http.ResponseWriter, r *http.Request) {
	who, ok := p.permitted(w, r, policy.PolicyPropose)
	if !ok {
		return
	}
	if hash := r.PostForm.Get("hash"); hash == p.o.Rules.ShippedHash() && !p.o.Rules.Decided(hash) { // as new as any: it is tried first
		x, err := p.o.Rules.Draft(r.Context(), who, p.o.Rules.Shipped(), r.PostForm.Get("why"))
		if err != nil {
			p.rulesProblem(w, r, who, err)
			return
		}
		see(w, r, "/policy/work/"+x.ID)
		return
	}
	a, err := p.o.Rules.Rollback(r.Context(), who, r.PostForm.Get("hash"), r.PostForm.Get("why"))
	if err != nil {
		p.rulesProblem(w, r, who, err)
		return
	}
	see(w, r, "/policy/work/"+a.Proposal)
}

func (p *Pages) rulesAlone(w http.ResponseWriter, r *http.Request) {
	who, ok := p.permitted(w, r, policy.PolicyPropose)
	if !ok {
		return
	}
	if err := p.o.Rules.Alone(r.Context(), who); err != nil {
		p.fail(w, r, err)
		return
	}
	see(w, r, "/policy")
}

func (p *Pages) ruleWork(w http.ResponseWriter, r *http.Request) {
	p.workPage(w, r, http.StatusOK, p.asks(r), r.URL.Query().Get("file"), "")
}

func (p *Pages) workPage(w http.ResponseWriter, r *http.Request, status int, who access.Principal, file, problem string) {
	x, err := p.o.Rules.Proposal(r.Context(), who, r.PathValue("id"))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	state, mark := p.workState(r, who, x)
	v := page.WorkView{Shell: p.shell(r, "Change of the rules", atRules), ID: x.ID, Note: x.Note, Problem: problem, Marks: []look.Mark{mark}}
	v.Facts = []look.Fact{{Name: "Author", Value: strings.TrimPrefix(p.authorOf(r, x.Author), "By ")}, {Name: "Begun", Value: look.Exact(x.Made.In(p.o.Zone)).Text()}, {Name: "Changed", Value: look.Exact(x.Changed.In(p.o.Zone)).Text()},
		{Name: "Begins with", Value: "Bundle " + shortHash(x.Base)}, {Name: "Bundle", Value: shortHash(x.Bundle.Hash())}}
	if state == "waiting" {
		v.Waits = look.Link{Text: "The request", Href: "/approvals/" + x.Item}
	}
	v.Own = state == "draft" && x.Author == who.Session.Person.ID && proposesRules(who.Session)
	checked := governance.Check(x.Bundle)
	v.Faults = checked.Faults
	for _, t := range checked.Failed {
		v.Failed = append(v.Failed, t.Place+": "+t.Scenario+": "+t.Step+": got "+t.Got)
	}
	if v.Own {
		v.Obstacles = p.o.Rules.Obstacles(x)
		if _, known := x.Bundle[file]; !known {
			file = x.Bundle.Names()[0]
			if named := faultPlace.FindStringSubmatch(strings.Join(v.Faults, "\n")); named != nil {
				if _, known := x.Bundle[named[1]]; known {
					file = named[1]
				}
			}
		}
		v.File, v.Text = file, x.Bundle[file]
		v.House = houseView(x.Bundle)
		for _, name := range x.Bundle.Names() {
			v.Files = append(v.Files, page.Option{Value: name, Name: name, On: name == file})
		}
		v.Numbered = faultyLines(v.Faults, file, v.Text)
	}
	if before, err := p.o.Rules.Bundle(r.Context(), p.comparedWith(x)); err == nil {
		for _, d := range governance.Diff(before.Bundle, x.Bundle) {
			v.Diffs = append(v.Diffs, diffView(d))
		}
		v.Cells = changedCells(before.Bundle, x)
	}
	if x.Replay != nil {
		v.Replay = p.replayView(r, x)
	}
	if t := p.o.Rules.Trying(x.ID); t != nil {
		v.Trying = look.Plural(t.Decisions(), "decision", "decisions") + " so far, since " + look.Recent(t.Began.In(p.o.Zone), p.now()).Text()
	}
	p.draw(w, r, status, page.Work(v))
}

// comparedWith is the bundle that work is held against: the one in force, or once it is in force itself the one that it began with.
func (p *Pages) comparedWith(x *governance.Proposal) string {
	now, _ := p.o.Rules.InForce()
	if now.Hash == x.Bundle.Hash() {
		return x.Base
	}
	return now.Hash
}

var faultPlace = regexp.MustCompile(`(?m)([a-z]+(?:/[a-z]+)?\.(?:cedar|cedarschema|txt)):(\d+)`)

// faultyLines are the lines that faults name in one file, with their numbers.
func faultyLines(faults []string, file, text string) (out []string) {
	lines := strings.Split(text, "\n")
	seen := map[int]bool{}
	for _, f := range faults {
		for _, m := range faultPlace.FindAllStringSubmatch(f, -1) {
			n, err := strconv.Atoi(m[2])
			if m[1] == file && err == nil && n >= 1 && n <= len(lines) {
				seen[n] = true
			}
		}
	}
	for _, n := range slices.Sorted(maps.Keys(seen)) {
		out = append(out, fmt.Sprintf("%4d  %s", n, lines[n-1]))
	}
	return out
}

// whatRulesChange shows the second person what she agrees to: each line that differs, and what the replay counted.
func (p *Pages) whatRulesChange(r *http.Request, a access.Approval, v *page.ApprovalView) error {
	v.Counts = append(v.Counts, look.Fact{Name: "Bundle", Value: a.Policy[:min(16, len(a.Policy))]})
	if _, tried, ok := strings.Cut(a.Says, "; "); ok { // a way back is not tried
		v.Counts = append(v.Counts, look.Fact{Name: "Tried on the log", Value: upper(tried)})
	}
	if a.State != "open" {
		return nil
	}
	wanted, err := p.o.Rules.Bundle(r.Context(), a.Policy)
	if err != nil {
		return err
	}
	now, _ := p.o.Rules.InForce() // without any the program's own decide, and no bundle of theirs is asked for
	before, err := p.o.Rules.Bundle(r.Context(), cmp.Or(now.Hash, p.o.Rules.ShippedHash()))
	if err != nil {
		return err
	}
	for _, d := range governance.Diff(before.Bundle, wanted.Bundle) {
		v.Diffs = append(v.Diffs, diffView(d))
	}
	return nil
}

func diffView(d governance.FileDiff) page.DiffView {
	v := page.DiffView{Name: d.Name}
	for _, l := range d.Lines {
		t := page.DiffText{Kind: "same", Number: strconv.Itoa(l.Number), Sign: string(l.Sign), Text: l.Text}
		switch l.Sign {
		case '+':
			t.Kind = "add"
		case '-':
			t.Kind = "del"
		case '~':
			t = page.DiffText{Kind: "gap", Sign: "⋯"}
		}
		v.Lines = append(v.Lines, t)
	}
	return v
}

// changedCells are the cells of the matrix that the work changes, folded by role, relation and answer.
func changedCells(before policy.Bundle, x *governance.Proposal) (out []page.ChangedCell) {
	old, err := policy.Reopen(before)
	if err != nil {
		return nil
	}
	set, err := policy.Load(x.Bundle)
	if err != nil {
		return nil
	}
	type key struct {
		role, stand string
		allowed     bool
	}
	what := map[key][]string{}
	var order []key
	for _, c := range policy.Changed(old.Matrix(), set.Matrix()) {
		k := key{c.Role, c.Stand, c.Allowed}
		if what[k] == nil {
			order = append(order, k)
		}
		what[k] = append(what[k], c.Action+" "+c.Group)
	}
	for _, k := range order {
		word := "No more: "
		if k.allowed {
			word = "New: "
		}
		out = append(out, page.ChangedCell{Role: roleName(k.role), Stand: standWords(k.stand), What: word + strings.Join(what[k], ", "), Href: cellHref(k.role, k.stand, policy.Read, x.ID)})
	}
	return out
}

const shownPeople = 20

func (p *Pages) replayView(r *http.Request, x *governance.Proposal) *page.ReplayView {
	gains, losses, care := x.Replay.Counts()
	v := &page.ReplayView{Words: fmt.Sprintf("%s: %s gained, %s lost, of them %s of care", look.Plural(x.Replay.Decisions, "decision", "decisions"), look.Number(gains), look.Number(losses), look.Plural(care, "act", "acts"))}
	for _, c := range x.Replay.Changes {
		var names []string
		for _, id := range slices.Sorted(maps.Keys(c.People)) {
			if len(names) == shownPeople {
				names = append(names, "…")
				break
			}
			names = append(names, p.nameOf(r, id))
		}
		v.Rows = append(v.Rows, page.ChangeLine{Key: c.Key, What: upper(c.Action) + " " + c.Group + ": " + look.Plural(c.Count, "decision", "decisions") + " in " + look.Plural(c.Charts, "chart", "charts"),
			Who: c.Roles, People: strings.Join(names, ", "), Rule: cmp.Or(c.Rule, "no rule"), Answer: x.Answers[c.Key], Mark: changeMark(c.Gains, c.Care), Care: c.Care})
	}
	return v
}

func changeMark(gains, care bool) look.Mark {
	switch {
	case gains:
		return look.Mark{Tone: look.Accent, Text: "Gains"}
	case care:
		return look.Mark{Tone: look.Crit, Text: "Care blocked"}
	}
	return look.Mark{Tone: look.Warn, Text: "Loses"}
}

// patience is how long a page waits for a replay.
const patience = 5 * time.Second

// workOnRules takes a step of work on the rules.
func (p *Pages) workOnRules(w http.ResponseWriter, r *http.Request) {
	who, ok := p.permitted(w, r, policy.PolicyPropose)
	if !ok {
		return
	}
	id, here := r.PathValue("id"), "/policy/work/"+r.PathValue("id")
	file := r.PostForm.Get("file")
	var err error
	switch r.PostForm.Get("act") {
	case "save":
		_, err = p.o.Rules.Save(r.Context(), who, id, file, r.PostForm.Get("text"))
		here += "?" + url.Values{"file": {file}}.Encode()
	case "house":
		err = p.saveHouse(r, who, id)
	case "replay":
		var t *governance.Trying
		if t, err = p.o.Rules.BeginReplay(r.Context(), who, id); err == nil {
			select { // most logs are read by then; a longer one goes on beside, and the page says how far it is
			case <-t.Done():
				err = t.Err()
			case <-time.After(patience):
			case <-r.Context().Done():
			}
		}
	case "beside":
		if err = p.o.Rules.Accompany(r.Context(), who, id); err == nil {
			here = "/policy"
		}
	case "answer":
		_, err = p.o.Rules.Answer(r.Context(), who, id, r.PostForm.Get("key"), r.PostForm.Get("answer"))
	case "discard":
		if err = p.o.Rules.Discard(r.Context(), who, id); err == nil {
			here = "/policy"
		}
	case "propose":
		var starts time.Time
		if starts, err = p.localTime("starts", r.PostForm.Get("starts")); err == nil {
			_, err = p.o.Rules.Propose(r.Context(), who, id, starts, r.PostForm.Get("why"))
		}
	default:
		err = outcome.New(outcome.Value, "choose what to do").At("act")
	}
	switch {
	case err == nil:
		see(w, r, here)
	case mendable(err), outcome.Is(err, outcome.BusinessRule), outcome.Is(err, outcome.Invalid):
		p.workPage(w, r, outcome.Status(err), who, file, sentence(err))
	default:
		p.fail(w, r, err)
	}
}

// localTime reads a field of date and time, at the site's zone; an empty one is the zero time.
func (p *Pages) localTime(field, text string) (time.Time, error) {
	if text = strings.TrimSpace(text); text == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation("2006-01-02T15:04", text, p.o.Zone)
	if err != nil {
		return t, outcome.New(outcome.Value, "write the time as 2026-11-22T08:30").At(field)
	}
	return t, nil
}
