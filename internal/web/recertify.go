package web

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/staffing"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// The page on which a manager says who of her people still needs what, one touch each; for those who keep people it also has it asked.

const recertifyPath = "/recertify"

func (p *Pages) recertifyRoutes() []access.Route {
	return []access.Route{
		{Method: "GET", Pattern: recertifyPath, Action: policy.Recertify, Handler: p.recertify},
		{Method: "POST", Pattern: recertifyPath, Action: policy.RecertifyStart, Handler: p.startRecertification},
		{Method: "POST", Pattern: "/recertify/ordinary", Action: policy.Recertify, Handler: p.keepOrdinary},
		{Method: "POST", Pattern: "/recertify/holdings/{holding}", Action: policy.Recertify, Handler: p.answerHolding},
	}
}

// startsRecertifications reports whether the form is shown; whether it may is the door's to say.
func startsRecertifications(s *identity.Session) bool {
	return slices.ContainsFunc(s.Roles(), func(r string) bool {
		return r == identity.Administrator || r == identity.HR || r == identity.Privacy || r == identity.Security
	})
}

var riskMarks = map[string]look.Mark{
	staffing.AdministersMark: {Tone: look.Warn, Text: "Runs or watches this house"},
	staffing.DormantMark:     {Tone: look.Warn, Text: "Account not used for 90 days"},
	staffing.GlassMark:       {Tone: look.Warn, Text: "Broke the glass often"},
	staffing.UnusedMark:      {Tone: look.Accent, Text: "No chart opened in 90 days"},
	staffing.UnusualMark:     {Tone: look.Accent, Text: "Few colleagues hold it"},
}

// holdingWords say what is held, and what that is.
func holdingWords(h identity.Holding) (what, kind string) {
	switch h.Kind {
	case identity.RoleHeld:
		return roleName(h.What), "role"
	case identity.ClearanceHeld:
		for _, o := range labelsByRule {
			if o.Value == h.What {
				return o.Name, "restricted records"
			}
		}
		return h.What, "restricted records"
	}
	return upper(h.Says), ""
}

func (p *Pages) recertify(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	if err := p.o.Gate.Permit(r.Context(), who, policy.Recertify); err != nil {
		p.fail(w, r, err)
		return
	}
	p.recertifyPage(w, r, who, nil)
}

func (p *Pages) recertifyPage(w http.ResponseWriter, r *http.Request, who access.Principal, failed error) {
	ctx := r.Context()
	open, err := p.o.Persons.OpenHoldings(ctx, who.Session.Person.ID)
	var all []identity.Recertification
	if err == nil {
		all, err = p.o.Persons.Recertifications(ctx)
	}
	var people []identity.Person
	if err == nil {
		people, err = p.o.Persons.People(ctx)
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	v, status := page.RecertifyView{Shell: p.shell(r, "Who still needs what", ""), Done: p.recertified.take(who.Session.ID, recertifyPath, p.now())}, http.StatusOK
	if failed != nil {
		v.Problem, status = sentence(failed), outcome.Status(failed)
	}
	byID := map[string]identity.Person{}
	for _, one := range people {
		byID[one.ID] = one
	}
	v.People, v.Ordinary = asksAbout(open, byID)
	if v.Moves, err = p.movesOf(r, who.Session.Person.ID, people); err != nil {
		p.fail(w, r, err)
		return
	}
	if len(open) > 0 {
		first := slices.MinFunc(all, func(a, b identity.Recertification) int {
			return cmp.Or(order(asks(open, a), asks(open, b)), a.Due.Compare(b.Due))
		})
		v.Due = look.Plural(int64(len(open)), "answer", "answers") + " about " + look.Plural(int64(len(v.People)), "person", "people") + ", until " + look.Moment(first.Due.In(p.o.Zone)).Text() + ". What nobody answers by then is taken away."
	}
	if startsRecertifications(who.Session) {
		if v.Starts, err = p.recertifyStart(r, who, people, all); err != nil {
			p.fail(w, r, err)
			return
		}
	}
	p.draw(w, r, status, page.Recertify(v))
}

func asks(open []identity.Holding, x identity.Recertification) bool {
	return slices.ContainsFunc(open, func(h identity.Holding) bool { return h.Recertification == x.ID })
}

// order puts what holds first.
func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// asksAbout groups what is asked by person: whoever has the most pressing first, and counts those against which nothing speaks.
func asksAbout(open []identity.Holding, byID map[string]identity.Person) (out []page.RecertifyPerson, ordinary int) {
	held, most := map[string][]identity.Holding{}, map[string]int{}
	var ids []string
	for _, h := range open {
		if held[h.Person] == nil {
			ids = append(ids, h.Person)
		}
		held[h.Person] = append(held[h.Person], h)
		risk := staffing.Risk(h)
		if most[h.Person] = max(most[h.Person], risk); risk == 0 {
			ordinary++
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		return cmp.Or(cmp.Compare(most[b], most[a]), cmp.Compare(byID[a].Name, byID[b].Name), cmp.Compare(a, b))
	})
	for _, id := range ids {
		one := page.RecertifyPerson{ID: id, Name: byID[id].Name, About: roleOf(byID[id])}
		slices.SortStableFunc(held[id], func(a, b identity.Holding) int { return cmp.Compare(staffing.Risk(b), staffing.Risk(a)) })
		for _, h := range held[id] {
			line := page.RecertifyLine{ID: h.ID}
			line.What, line.Kind = holdingWords(h)
			for _, m := range h.Marks {
				line.Marks = append(line.Marks, riskMarks[m])
			}
			one.Holdings = append(one.Holdings, line)
		}
		out = append(out, one)
	}
	return out, ordinary
}

func (p *Pages) answerHolding(w http.ResponseWriter, r *http.Request) {
	who, ok := p.permitted(w, r, policy.Recertify)
	if !ok {
		return
	}
	answer := r.PostForm.Get("answer")
	if answer != "keep" && answer != "take" {
		p.recertifyPage(w, r, who, outcome.New(outcome.Value, "choose: keep or take away").At("answer"))
		return
	}
	before, err := p.o.Persons.OpenHoldings(r.Context(), who.Session.Person.ID)
	if err == nil {
		err = p.o.Staffing.Answer(r.Context(), who.Session.Agent(), r.PathValue("holding"), answer == "keep")
	}
	if err != nil {
		p.recertifyFailed(w, r, who, err)
		return
	}
	said, to := "Kept.", recertifyPath
	if answer == "take" {
		said = "Taken away."
	}
	if i := slices.IndexFunc(before, func(h identity.Holding) bool { return h.ID == r.PathValue("holding") }); i >= 0 {
		what, _ := holdingWords(before[i])
		if one, err := p.o.Persons.Person(r.Context(), before[i].Person); err == nil {
			said = strings.TrimSuffix(said, ".") + ": " + what + ", " + one.Name + "."
		}
		if slices.ContainsFunc(before, func(h identity.Holding) bool { return h.Person == before[i].Person && h.ID != before[i].ID }) {
			to += "#p-" + before[i].Person // where the keyboard goes on: the same person's next line
		}
	}
	p.recertified.keep(who.Session.ID, recertifyPath, p.now(), said)
	see(w, r, to)
}

func (p *Pages) keepOrdinary(w http.ResponseWriter, r *http.Request) {
	who, ok := p.permitted(w, r, policy.Recertify)
	if !ok {
		return
	}
	n, err := p.o.Staffing.KeepOrdinary(r.Context(), who.Session.Agent())
	if err != nil {
		p.recertifyFailed(w, r, who, err)
		return
	}
	p.recertified.keep(who.Session.ID, recertifyPath, p.now(), "Kept "+look.Plural(int64(n), "ordinary one.", "ordinary ones."))
	see(w, r, recertifyPath)
}

func (p *Pages) recertifyFailed(w http.ResponseWriter, r *http.Request, who access.Principal, err error) {
	if mendable(err) {
		p.recertifyPage(w, r, who, err)
		return
	}
	p.fail(w, r, err)
}

// recertifyStart is the form that has it asked, and how those that were started stand.
func (p *Pages) recertifyStart(r *http.Request, who access.Principal, people []identity.Person, all []identity.Recertification) (*page.RecertifyStart, error) {
	f := r.PostForm
	v := &page.RecertifyStart{Due: cmp.Or(f.Get("due"), p.now().Add(staffing.AnswersWithin).Format(time.DateOnly)), Department: f.Get("department")}
	chosen := cmp.Or(f.Get("owner"), who.Session.Person.ID)
	for _, one := range people {
		if !one.Active || one.PortalOnly() {
			continue
		}
		v.Owners = append(v.Owners, page.Option{Value: one.ID, Name: join(", ", one.Name, one.Department), On: one.ID == chosen})
		if one.Department != "" && !slices.Contains(v.Departments, one.Department) {
			v.Departments = append(v.Departments, one.Department)
		}
	}
	slices.Sort(v.Departments)
	for _, x := range all[:min(len(all), 12)] {
		done, err := p.o.Staffing.Progress(r.Context(), x.ID)
		if err != nil {
			return nil, err
		}
		line := page.RecertifyPast{ID: x.ID, Started: look.Day(x.Started.In(p.o.Zone)), Due: look.Day(x.Due.In(p.o.Zone)), Open: done.Open > 0,
			Progress: strconv.Itoa(done.Kept) + " kept, " + strconv.Itoa(done.Taken) + " taken away, " + strconv.Itoa(done.Lapsed) + " lapsed, " + strconv.Itoa(done.Open) + " open"}
		var waits []string
		for id, n := range done.Waiting {
			waits = append(waits, p.nameOf(r, id)+" "+strconv.Itoa(n))
		}
		if slices.Sort(waits); len(waits) > 0 {
			line.Waiting = "Waits for " + strings.Join(waits, ", ")
		}
		v.Past = append(v.Past, line)
	}
	return v, nil
}

func (p *Pages) startRecertification(w http.ResponseWriter, r *http.Request) {
	who, ok := p.permitted(w, r, policy.RecertifyStart)
	if !ok {
		return
	}
	due, err := time.ParseInLocation(time.DateOnly, strings.TrimSpace(r.PostForm.Get("due")), p.o.Zone)
	if err != nil {
		err = outcome.New(outcome.Value, "choose a day: written 2026-12-31").At("due")
	}
	var x identity.Recertification
	if err == nil {
		owners := []string{r.PostForm.Get("owner"), who.Session.Person.ID} // the own name last: for the owner herself, where she has no manager
		owners = slices.DeleteFunc(owners, func(id string) bool { return id == "" })
		x, err = p.o.Staffing.Recertify(r.Context(), who.Session.Agent(), staffing.Recertifying{Due: due.AddDate(0, 0, 1), Owners: slices.Compact(owners), Department: r.PostForm.Get("department")})
	}
	if err != nil {
		p.recertifyFailed(w, r, who, err)
		return
	}
	p.recertified.keep(who.Session.ID, recertifyPath, p.now(), "Asked: "+look.Plural(int64(x.Asks), "answer", "answers")+" until "+look.Moment(x.Due.In(p.o.Zone)).Text()+".")
	see(w, r, recertifyPath)
}

// recertifyBanner tells, on the first page of a person, that she is asked who still needs what. A page without it is better than none.
func (p *Pages) recertifyBanner(r *http.Request, s *identity.Session) (look.Banner, bool) {
	if s.Capacity != identity.StaffCapacity || r.URL.Path != p.home(s) {
		return look.Banner{}, false
	}
	n, err := p.o.Persons.Reviews(r.Context(), s.Person.ID)
	if err != nil || n == 0 {
		return look.Banner{}, false
	}
	return look.Banner{Tone: look.Warn, Icon: "users", Lead: "You are asked who still needs what.", Text: look.Plural(int64(n), "answer waits", "answers wait") + ": one touch each.",
		Link: look.Link{Text: "Answer", Href: recertifyPath}}, true
}
