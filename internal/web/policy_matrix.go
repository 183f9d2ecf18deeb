package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// The table of who may what is asked of the rules, never written: one role on a page, by relation and act.

// set is the bundle that a page is about: that of work on the rules, or the one in force.
func (p *Pages) set(r *http.Request, who access.Principal, of string) (*policy.Set, error) {
	if of == "" {
		if err := p.o.Gate.Permit(r.Context(), who, policy.PolicyRead); err != nil {
			return nil, err
		}
		return p.o.Deciding(), nil
	}
	x, err := p.o.Rules.Proposal(r.Context(), who, of)
	if err != nil {
		return nil, err
	}
	return policy.Load(x.Bundle)
}

func standWords(name string) string {
	i := slices.IndexFunc(policy.Stands, func(s policy.Stand) bool { return s.Name == name })
	if i < 0 {
		return name
	}
	return policy.Stands[i].Words
}

func cellHref(role, stand, act, of string) string {
	v := url.Values{"role": {role}, "to": {stand}, "act": {act}}
	if of != "" {
		v.Set("of", of)
	}
	return "/policy/cell?" + v.Encode()
}

func (p *Pages) matrix(w http.ResponseWriter, r *http.Request) {
	role, of := r.URL.Query().Get("role"), r.URL.Query().Get("of")
	set, err := p.set(r, p.asks(r), of)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	if !slices.Contains(set.RoleNames(), role) {
		role = policy.Roles[0]
	}
	v := page.MatrixView{Shell: p.shell(r, "Who may what", atRules), Role: roleName(role), Of: of}
	for _, one := range set.RoleNames() {
		v.Roles = append(v.Roles, page.Option{Value: one, Name: roleName(one), On: one == role})
	}
	cells := set.MatrixOf(role)
	changed := map[[2]string]bool{}
	if of != "" {
		n := 0
		for _, c := range policy.Changed(p.o.Deciding().MatrixOf(role), cells) {
			changed[[2]string{c.Stand, c.Action}] = true
			n++
		}
		v.Changed = look.Plural(int64(n), "answer changes", "answers change")
	}
	groups := map[[2]string][]string{}
	for _, c := range cells {
		if c.Allowed {
			groups[[2]string{c.Stand, c.Action}] = append(groups[[2]string{c.Stand, c.Action}], c.Group)
		}
	}
	for _, act := range policy.MatrixActions {
		v.Acts = append(v.Acts, upper(act))
	}
	for _, s := range policy.Stands {
		row := page.MatrixRow{Stand: s.Words}
		for _, act := range policy.MatrixActions {
			at := [2]string{s.Name, act}
			row.Cells = append(row.Cells, page.MatrixCell{Act: upper(act), Words: reachWords(groups[at]), Href: cellHref(role, s.Name, act, of), None: len(groups[at]) == 0, Changed: changed[at]})
		}
		v.Rows = append(v.Rows, row)
	}
	p.draw(w, r, http.StatusOK, page.Matrix(v))
}

// reachWords says which field groups there are: all, none, those, or all but those.
func reachWords(groups []string) string {
	all := policy.MatrixGroups()
	var missing []string
	for _, g := range all {
		if !slices.Contains(groups, g) {
			missing = append(missing, g)
		}
	}
	switch {
	case len(groups) == 0:
		return "Nothing"
	case len(missing) == 0:
		return "Everything"
	case len(missing) <= 2:
		return "All but " + strings.Join(missing, ", ")
	}
	return upper(strings.Join(groups, ", "))
}

func (p *Pages) cell(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	of := q.Get("of")
	set, err := p.set(r, p.asks(r), of)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	back := url.Values{"role": {q.Get("role")}}
	if of != "" {
		back.Set("of", of)
	}
	v := page.CellView{Shell: p.shell(r, "Who may what", atRules), Back: "/policy/matrix?" + back.Encode()}
	shown := map[string]bool{}
	for _, g := range policy.MatrixGroups() {
		request, ok := set.Asked(policy.Cell{Role: q.Get("role"), Action: q.Get("act"), Stand: q.Get("to"), Group: g})
		if !ok {
			p.fail(w, r, outcome.New(outcome.NotFound, "there is no such cell of the table"))
			return
		}
		d := set.Decide(request)
		l := page.CellLine{Group: upper(g), Why: d.Why(), Mark: look.Mark{Tone: look.OK, Text: "May"}}
		reasons := d.Permits
		if !d.Allowed {
			l.Mark, reasons = look.Mark{Text: "May not"}, d.Forbids
			if way, ok := set.WayForward(request); ok {
				l.Why += " " + wayWords(way)
			}
		}
		var ids []string
		for _, reason := range reasons {
			ids = append(ids, reason.ID)
			if rule, ok := set.Rule(reason.ID); ok && !shown[reason.ID] {
				shown[reason.ID] = true
				v.Rules = append(v.Rules, page.RuleText{ID: rule.ID, Place: rule.Place, Text: rule.Text})
			}
		}
		l.Rules = strings.Join(ids, " ")
		v.Rows = append(v.Rows, l)
	}
	v.Title = fmt.Sprintf("%s, %s: %s", roleName(q.Get("role")), strings.ToLower(standWords(q.Get("to"))), q.Get("act"))
	p.draw(w, r, http.StatusOK, page.Cell(v))
}

// wayWords is what would open something, to those who read rules.
func wayWords(way outcome.Way) string {
	switch way {
	case outcome.BreakGlass:
		return "The glass is offered."
	case outcome.StepUp:
		return "A fresh sign-in is asked for."
	case outcome.StepUpThenGlass:
		return "A fresh sign-in and the glass are offered."
	case outcome.Training:
		return "Training opens it."
	case outcome.Approval:
		return "Another person's approval opens it."
	}
	return ""
}

// askRules asks whether somebody may open a chart.
func (p *Pages) askRules(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	if err := p.o.Gate.Permit(r.Context(), who, policy.AuditRead); err != nil {
		p.fail(w, r, err)
		return
	}
	v, err := p.askRulesView(r)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.draw(w, r, http.StatusOK, page.AskRules(v))
}

func (p *Pages) askRulesView(r *http.Request) (page.AskRulesView, error) {
	v := page.AskRulesView{Shell: p.shell(r, "May somebody open a chart?", atRules), Person: r.PostForm.Get("person"), Patient: strings.TrimPrefix(strings.TrimSpace(r.PostForm.Get("patient")), "Patient/"),
		Act: r.PostForm.Get("action"), At: r.PostForm.Get("at")}
	people, err := p.o.Persons.People(r.Context())
	if err != nil {
		return v, err
	}
	for _, one := range people {
		if !portalOnly(one) {
			v.People = append(v.People, page.Option{Value: one.ID, Name: one.Name + ", " + rolesOf(one), On: one.ID == v.Person})
		}
	}
	for _, act := range policy.MatrixActions {
		v.Acts = append(v.Acts, page.Option{Value: act, Name: upper(act), On: act == v.Act})
	}
	return v, nil
}

func (p *Pages) answerRules(w http.ResponseWriter, r *http.Request) {
	who, ok := p.permitted(w, r, policy.AuditRead)
	if !ok {
		return
	}
	v, err := p.askRulesView(r)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	at, err := p.localTime("at", v.At)
	if at.IsZero() {
		at = p.o.Now()
	}
	switch {
	case err != nil:
	case v.Person == "" || v.Patient == "":
		err = outcome.New(outcome.Required, "say who, and which patient")
	case !slices.Contains(policy.MatrixActions, v.Act):
		err = outcome.New(outcome.Value, "choose what for").At("action")
	default:
		var entry string
		v.Answer, entry, err = p.o.Gate.ExplainTo(r.Context(), who, v.Person, v.Patient, v.Act, at)
		v.Shell = withEntry(v.Shell, entry)
	}
	switch {
	case err == nil:
		p.draw(w, r, http.StatusOK, page.AskRules(v))
	case mendable(err), outcome.Is(err, outcome.NotFound):
		v.Problem = sentence(err)
		p.draw(w, r, outcome.Status(err), page.AskRules(v))
	default:
		p.fail(w, r, err)
	}
}

// advice lists what is held and was not needed for 90 days.
func (p *Pages) advice(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	if err := p.o.Gate.Permit(r.Context(), who, policy.PolicyPropose); err != nil {
		if wayOf(err) == outcome.StepUp {
			p.askFactor(w, r, nil)
			return
		}
		p.fail(w, r, err)
		return
	}
	found, entry, err := p.o.Rules.Advise(r.Context(), who, p.o.Now().AddDate(0, 0, -90))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	v := page.AdviceView{Shell: withEntry(p.shell(r, "What nobody uses", atRules), entry),
		Words: "By the decisions of the last 90 days, without what is named here everything that was allowed would have been allowed all the same. Roles that work without charts do not show in decisions and are never named."}
	idle := 0
	for _, u := range found {
		if u.Idle {
			idle++
			continue
		}
		var what []string
		if len(u.Roles) > 0 {
			what = append(what, "Role "+strings.Join(u.Roles, ", "))
		}
		if len(u.Clearances) > 0 {
			what = append(what, "Clearance "+strings.Join(u.Clearances, ", "))
		}
		v.Rows = append(v.Rows, page.RulesLine{Href: "/admin/people/" + u.Person, What: u.Name, Sub: strings.Join(what, "; ")})
	}
	if idle > 0 {
		v.Words += " " + look.Plural(int64(idle), "person", "people") + " with a role that opens charts opened none: nothing is advised about them."
	}
	p.draw(w, r, http.StatusOK, page.Advice(v))
}
