package web

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// The page on which acts wait that two people have to want. Patients stand there by the end of their chart's id: who agrees decides about
// an act, not about a chart's content.

func (p *Pages) approvalRoutes() []access.Route {
	return []access.Route{
		{Method: "GET", Pattern: "/approvals", Action: policy.Approvals, Handler: p.approvals},
		{Method: "GET", Pattern: "/approvals/{item}", Action: policy.Approvals, Handler: p.approval},
		{Method: "POST", Pattern: "/approvals/{item}", Action: policy.Approvals, Handler: p.settleApproval},
	}
}

const stepsShown = 200

func (p *Pages) approvals(w http.ResponseWriter, r *http.Request) {
	list, err := p.o.Gate.Approvals(r.Context(), p.asks(r))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	v := page.ApprovalsView{Shell: p.shell(r, atApprovals, atApprovals)}
	for _, a := range list {
		v.Rows = append(v.Rows, page.ApprovalLine{Href: "/approvals/" + a.ID, What: p.approvalWhat(r, a), By: p.askedBy(r, a), When: look.Recent(a.Asked.In(p.o.Zone), p.now()), Marks: approvalMarks(a)})
	}
	p.draw(w, r, http.StatusOK, page.Approvals(v))
}

func (p *Pages) approval(w http.ResponseWriter, r *http.Request) {
	p.approvalPage(w, r, http.StatusOK, p.asks(r), "")
}

func (p *Pages) approvalPage(w http.ResponseWriter, r *http.Request, status int, who access.Principal, problem string) {
	a, err := p.o.Gate.ApprovalOf(r.Context(), who, r.PathValue("item"))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	v := page.ApprovalView{Shell: p.shell(r, "Approval", atApprovals), ID: a.ID, Headline: p.approvalWhat(r, a), Marks: approvalMarks(a), Problem: problem, Reason: a.Reason,
		Open: a.State == "open", May: a.May, Mine: a.Mine}
	v.Facts = []look.Fact{{Name: "Asked by", Value: p.askedBy(r, a)}, {Name: "Asked", Value: look.Exact(a.Asked.In(p.o.Zone)).Text()}}
	if v.Open {
		v.Facts = append(v.Facts, look.Fact{Name: "Lapses", Value: look.Exact(a.Lapses.In(p.o.Zone)).Text()})
	}
	v.Facts = append(v.Facts, look.Fact{Name: "May agree", Value: upper(a.Who)})
	if a.DecidedBy != "" {
		v.Facts = append(v.Facts, look.Fact{Name: "Decided by", Value: p.nameOf(r, a.DecidedBy)})
	}
	switch {
	case a.Mine:
		v.Why = "Somebody else must agree."
	case v.Open && !a.May:
		v.Why = "You are not the one who may agree to this."
	}
	if err := p.whatItDoes(r, who, a, &v); err != nil {
		p.fail(w, r, err)
		return
	}
	p.draw(w, r, status, page.Approval(v))
}

// whatItDoes says what agreeing does; of an undo the list as it is now; it is worked out anew when it is carried out, up to the same moment.
func (p *Pages) whatItDoes(r *http.Request, who access.Principal, a access.Approval, v *page.ApprovalView) error {
	switch a.Kind {
	case access.ShredAct:
		v.Will = "The key of this chart is destroyed. Nobody can open it any more, and copies of the keys expire within 30 days. Who looked at it stays on record. There is no way back."
		return nil
	case access.ActingAct:
		v.Will = p.nameOf(r, a.AskedBy) + " sees the pages of " + p.nameOf(r, a.Person) + " for " + look.Plural(int64(a.Lasts/time.Minute), "minute", "minutes") + ", reading only, and only what both may. Every entry and the patient’s report name both; each of the two ends it at any time."
		return nil
	case access.DowntimeAct:
		v.Will = "For " + look.Plural(int64(a.Lasts/time.Hour), "hour", "hours") + " everybody who treats opens closed charts by this downtime. Each opening is marked, and some, drawn by lot, are looked at afterwards. Everybody at work sees a banner. One person may end it earlier."
		return nil
	case access.PracticeAct:
		v.Will = "Everybody who treats here opens the charts, without a flag, of patients who were seen or booked within 24 months: it is written down and explained as every access is. It holds while fewer than 15 clinicians work here, and one person may end it."
		return nil
	case access.DeviceAct:
		v.Will = "The browser that proved its key when this was asked becomes a device of the house: whoever signs in there is at a registered device, from the internet, too. Ask whether it is what it says. It can be lost or taken out of service on the page Devices."
		v.Facts = append(v.Facts, look.Fact{Name: "Browser", Value: browserOf(a.Browser)})
		if place := placeWords(a.Zone); place != "" {
			v.Facts = append(v.Facts, look.Fact{Name: "Asked from", Value: place})
		}
		return nil
	case access.MuteAct:
		v.Will = "For 30 days this suspicion about this person raises no case in the queue. One case in twenty is shown all the same, and never is one left alone that concerns the person’s own chart, household or kin."
		return nil
	case access.PolicyAct:
		v.Will = "The rules decide about every access from then on, on every node. Those in force now are kept: the same two kinds of people can go back to them."
		return p.whatRulesChange(r, a, v)
	case access.ExportAct:
		v.Will = "Whoever asked may write these events of the record in clear to a folder of the server, once, before this lapses."
		return nil
	case access.GrantAct:
		v.Will = "Whoever asked may read this part of this one chart for 24 hours; then it lapses. The patient sees it. Records with a sensitivity label stay closed."
		return nil
	case access.UndoAct:
	}
	v.Will = "What this person wrote since then is taken back by new versions; nothing is removed. What somebody else wrote upon it stays."
	if a.State != "open" {
		return nil
	}
	u, err := p.o.Gate.UndoOf(r.Context(), who, a.ID)
	if err != nil {
		return err
	}
	v.Shell = withEntry(v.Shell, u.Entry)
	counts, charts := map[string]int{}, map[string]bool{}
	for i, s := range u.Steps {
		counts[s.Type]++
		charts[s.PatientID] = true
		if i < stepsShown {
			v.Steps = append(v.Steps, page.UndoLine{What: s.Type + " " + tail(s.ID), Chart: tail(s.PatientID), Does: undoWords(s)})
		}
	}
	delete(charts, "")
	if more := len(u.Steps) - stepsShown; more > 0 {
		v.More = look.Plural(int64(more), "more is not listed", "more are not listed")
	}
	v.Counts = append(v.Counts, look.Fact{Name: "Changes", Value: look.Plural(int64(len(u.Steps)), "resource", "resources") + " in " + look.Plural(int64(len(charts)), "chart", "charts")})
	for _, typ := range slices.Sorted(maps.Keys(counts)) {
		v.Counts = append(v.Counts, look.Fact{Name: typ, Value: look.Number(int64(counts[typ]))})
	}
	if len(u.Left) > 0 {
		v.Counts = append(v.Counts, look.Fact{Name: "Left as they are", Value: look.Number(int64(len(u.Left))), Tone: look.Warn})
	}
	for i, l := range u.Left {
		if i < stepsShown {
			v.Left = append(v.Left, page.UndoLine{What: strings.TrimSpace(l.Type + " " + tail(l.ID)), Does: upper(l.Why)})
		}
	}
	return nil
}

func undoWords(s access.UndoStep) string {
	switch s.Does {
	case access.UndoDelete:
		return "Is deleted"
	case access.UndoRetract:
		return "A signed note: stays, marked as entered in error"
	}
	return fmt.Sprintf("Version %d comes back", s.To)
}

// agreeing counts what waits for the word of somebody in care; only physicians are ever asked.
func (p *Pages) agreeing(r *http.Request, s *identity.Session) (c look.Counts) {
	if p.o.Gate != nil && anyClinical(s) {
		asks, err := p.o.Gate.AsksWaiting(r.Context(), access.PrincipalFrom(r.Context()))
		if c.Asks = asks; err != nil { // no reason not to show a page
			p.o.Logger.Warn("the requests that wait for somebody could not be counted", "error", err)
		}
	}
	if slices.Contains(s.Roles(), identity.Physician) {
		c.Approvals, _ = p.o.Gate.ApprovalsWaiting(r.Context(), access.PrincipalFrom(r.Context()))
	}
	return c
}

// settleApproval takes the word of the second person, or of who asked that it is withdrawn.
func (p *Pages) settleApproval(w http.ResponseWriter, r *http.Request) {
	who, ok := p.permitted(w, r, policy.Approvals)
	if !ok {
		return
	}
	id := r.PathValue("item")
	var err error
	switch r.PostForm.Get("act") {
	case "approve":
		_, err = p.o.Gate.Approve(r.Context(), who, id)
	case "refuse":
		err = p.o.Gate.Decline(r.Context(), who, id, strings.TrimSpace(r.PostForm.Get("why")))
	default:
		err = outcome.New(outcome.Value, "choose: agree or decline").At("act")
	}
	switch {
	case err == nil:
		see(w, r, "/approvals/"+id)
	case mendable(err), outcome.Is(err, outcome.Forbidden):
		p.approvalPage(w, r, outcome.Status(err), who, sentence(err))
	default:
		p.fail(w, r, err)
	}
}

func (p *Pages) approvalWhat(r *http.Request, a access.Approval) string {
	switch a.Kind {
	case access.UndoAct:
		return "Take back what " + p.nameOf(r, a.Person) + " wrote since " + look.Exact(a.Since.In(p.o.Zone)).Text()
	case access.ShredAct:
		return "Erase the chart …" + tail(a.PatientID) + " for good"
	case access.PolicyAct:
		if a.Since.After(p.now()) {
			return "Let other rules of access decide from " + look.Exact(a.Since.In(p.o.Zone)).Text()
		}
		return "Let other rules of access decide"
	case access.ActingAct:
		return "Let " + p.nameOf(r, a.AskedBy) + " act as " + p.nameOf(r, a.Person) + " for " + look.Plural(int64(a.Lasts/time.Minute), "minute", "minutes")
	case access.DowntimeAct:
		return "Declare a downtime of " + look.Plural(int64(a.Lasts/time.Hour), "hour", "hours")
	case access.PracticeAct:
		if a.Person != "" {
			return "Declare this site a practice, with " + p.nameOf(r, a.Person) + " as outside reviewer"
		}
		return "Declare this site a practice, without an outside reviewer"
	case access.DeviceAct:
		return "Register the device “" + a.Device + "”"
	case access.MuteAct:
		return "Leave the suspicion of case " + a.Case + " alone for 30 days"
	case access.GrantAct:
		return "Let " + p.nameOf(r, a.AskedBy) + " see " + parts(a.Groups) + " of the chart …" + tail(a.PatientID) + " for a day"
	case access.ExportAct:
		what := "Let events of the record leave in clear"
		if a.PatientID != "" {
			what += ", about the chart …" + tail(a.PatientID)
		}
		if a.Person != "" {
			what += ", of " + p.nameOf(r, a.Person)
		}
		return what
	}
	return a.Kind
}

func (p *Pages) askedBy(r *http.Request, a access.Approval) string {
	switch {
	case a.Mine:
		return "You"
	case a.AskedBy == "":
		return "The command line"
	}
	return p.nameOf(r, a.AskedBy)
}

// nameOf is the name of a person at work, or what stands for it.
func (p *Pages) nameOf(r *http.Request, id string) string {
	one, err := p.o.Persons.Person(r.Context(), id)
	if err != nil {
		return "somebody who is not here any more"
	}
	return shownName(one)
}

func approvalMarks(a access.Approval) []look.Mark {
	switch a.State {
	case "open":
		return []look.Mark{{Tone: look.Warn, Text: "Waits"}}
	case "approved":
		if a.Kind == access.ExportAct {
			return []look.Mark{{Tone: look.OK, Text: "Agreed, not used yet"}}
		}
		return []look.Mark{{Tone: look.OK, Text: "Agreed, being carried out"}}
	case "done":
		return []look.Mark{{Tone: look.OK, Text: "Done"}}
	case "lapsed":
		return []look.Mark{{Text: "Lapsed"}}
	case "refused", "withdrawn":
		return []look.Mark{{Text: "Declined"}}
	}
	return nil
}
