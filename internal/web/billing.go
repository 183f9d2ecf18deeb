package web

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/policy"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// Patient accounts: who pays, what was billed, by codes. The text of a chart is not here; the door lets none of it through to billing.

func (p *Pages) billingRoutes() []access.Route {
	return []access.Route{
		{Method: "GET", Pattern: "/billing", Action: policy.Find, Handler: p.billing},
		{Method: "GET", Pattern: "/billing/patients/{patient}", Action: policy.Read, Handler: p.account},
		{Method: "POST", Pattern: "/billing/patients/{patient}/print", Action: policy.Print, Handler: p.printAccount},
	}
}

const atBilling = "Billing"

// billing is where a patient's account is looked for.
func (p *Pages) billing(w http.ResponseWriter, r *http.Request) {
	p.asks(r)
	p.draw(w, r, http.StatusOK, page.Find(page.FindView{Shell: p.shell(r, "Patient accounts", atBilling), Title: "Patient accounts", Rule: findRule}))
}

// account is the billing part of one patient's chart.
func (p *Pages) account(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	open := p.o.Gate.Folder
	if printed(r) != nil {
		open = p.o.Gate.PrintFolder
	}
	c, err := open(r.Context(), who, r.PathValue("patient"), "Coverage", "Claim", "ClaimResponse", "ExplanationOfBenefit", "Account", "Invoice")
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, c.Entry)
	p.name(r.Context(), w, who, c)
	now := p.now()
	v := page.AccountView{Shell: withEntry(p.shell(r, "Patient account", atBilling), c.Entry)}
	v.Shell.Sheet = p.sheet(r, c, printed(r))
	if c.Patient != nil {
		root := c.Patient.Root()
		v.Name, v.Facts = cmp.Or(access.HumanName(root.Get("name")), "Name not known"), whoIs(root, now)
	}
	for _, d := range c.Docs["Coverage"] {
		v.Coverages = append(v.Coverages, coverageOf(d.Root(), p.o.Zone))
	}
	slices.SortStableFunc(v.Coverages, func(a, b page.Coverage) int { return strings.Compare(a.State, b.State) })
	v.Claims, v.ClaimsAll = claimsOf(append(slices.Clone(c.Docs["Claim"]), c.Docs["ExplanationOfBenefit"]...), p.o.Zone)
	for _, d := range c.Docs["Account"] {
		root := d.Root()
		from, to := momentOf(p.o.Zone, root.Get("servicePeriod")), momentOf(p.o.Zone, root.Path("servicePeriod", "end"))
		v.Accounts = append(v.Accounts, page.Item{Title: cmp.Or(root.Get("name").Text(), words(root.Get("type")), "Account"),
			Sub: join(", ", capital(root.Get("status").Text()), span(from, to)), When: from.day()})
	}
	p.draw(w, r, http.StatusOK, page.Account(v))
}

func span(from, to moment) string {
	switch {
	case from.at.IsZero():
		return ""
	case to.at.IsZero():
		return "since " + from.day().Text()
	case days(from.at, to.at) == 0:
		return from.day().Text()
	}
	return from.day().Text() + " to " + to.day().Text()
}

func coverageOf(root document.Node, zone *time.Location) page.Coverage {
	out := page.Coverage{Kind: words(root.Get("type")), Member: root.Get("subscriberId").Text(), State: capital(root.Get("status").Text()),
		Span: span(momentOf(zone, root.Get("period")), momentOf(zone, root.Path("period", "end"))), Relation: capital(words(root.Get("relationship")))}
	for one := range root.Get("payor").Items() {
		out.Payer = cmp.Or(out.Payer, one.Get("display").Text())
	}
	out.Payer = cmp.Or(out.Payer, out.Kind, "Payer not named")
	for id := range root.Get("identifier").Items() {
		out.Member = cmp.Or(out.Member, id.Get("value").Text())
	}
	return out
}

const shownClaims = 50

// claimsOf are claims and what payers answered, newest first.
func claimsOf(docs []*document.Doc, zone *time.Location) ([]page.Claim, int) {
	type dated struct {
		page.Claim
		at time.Time
	}
	var list []dated
	for _, d := range docs {
		root := d.Root()
		if withdrawn(root) {
			continue
		}
		created := momentOf(zone, root.Get("created"))
		c := dated{page.Claim{Sent: created.day(), Service: span(momentOf(zone, root.Get("billablePeriod")), momentOf(zone, root.Path("billablePeriod", "end"))),
			By: root.Path("provider", "display").Text(), To: cmp.Or(root.Path("insurer", "display").Text(), root.Path("insurance", "coverage", "display").Text()),
			State: capital(cmp.Or(root.Get("outcome").Text(), root.Get("status").Text())), Kind: "Claim"}, created.at}
		if d.Type() == "ExplanationOfBenefit" {
			c.Kind = "Payer's answer"
		}
		for x := range root.Get("diagnosis").Items() {
			c.Diagnoses = append(c.Diagnoses, codeOf(x.Get("diagnosisCodeableConcept"))...)
		}
		for x := range root.Get("item").Items() {
			c.Items = append(c.Items, codeOf(x.Get("productOrService"))...)
		}
		c.Diagnoses, c.Items = firstOf(c.Diagnoses), firstOf(c.Items)
		total := root.Path("total")
		if amount := total.Get("amount"); amount.Exists() {
			total = amount
		}
		c.Total = money(total)
		list = append(list, c)
	}
	slices.SortStableFunc(list, func(a, b dated) int { return b.at.Compare(a.at) })
	out := make([]page.Claim, 0, min(len(list), shownClaims))
	for _, c := range list[:min(len(list), shownClaims)] {
		out = append(out, c.Claim)
	}
	return out, len(list)
}

// codeOf writes a code and its word.
func codeOf(concept document.Node) []page.Code {
	for c := range concept.Get("coding").Items() {
		if code := c.Get("code").Text(); code != "" {
			return []page.Code{{Code: code, Word: words(concept)}}
		}
	}
	if s := words(concept); s != "" {
		return []page.Code{{Word: s}}
	}
	return nil
}

// firstOf keeps each code once, and six at most: a claim of a long stay repeats them by the hundred.
func firstOf(codes []page.Code) (out []page.Code) {
	seen := map[page.Code]bool{}
	for _, c := range codes {
		if !seen[c] {
			seen[c] = true
			out = append(out, c)
		}
	}
	if len(out) > 6 {
		out = append(out[:6], page.Code{Word: look.Number(int64(len(out)-6)) + " more"})
	}
	return out
}

// money writes an amount with two places and its currency.
func money(n document.Node) string {
	value := n.Get("value").Text()
	if value == "" {
		return ""
	}
	whole, cents, _ := strings.Cut(value, ".")
	return join(" ", whole+"."+(cents + "00")[:2], n.Get("currency").Text())
}
