package web

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"chartwarden/internal/identity"
	"chartwarden/internal/policy"
	"chartwarden/internal/staffing"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// certified gives the certificate of the person whom a request is about, or answers it.
func (p *Pages) certified(w http.ResponseWriter, r *http.Request) (staffing.Left, error, bool) {
	if err := p.o.Gate.Permit(r.Context(), p.asks(r), policy.PeopleList); err != nil {
		p.fail(w, r, err)
		return staffing.Left{}, nil, false
	}
	left, err := p.o.Staffing.Certificate(r.Context(), r.PathValue("person"))
	if left.Signed == nil {
		p.fail(w, r, err)
		return staffing.Left{}, nil, false
	}
	return left, err, true
}

// certificate is the page on which a termination is proven.
func (p *Pages) certificate(w http.ResponseWriter, r *http.Request) {
	c, lacking, ok := p.certified(w, r)
	if !ok {
		return
	}
	by := "A command line or a program"
	if one, err := p.o.Persons.Person(r.Context(), c.By); err == nil {
		by = shownName(one)
	}
	at := func(when look.When) string { return when.Text() }
	v := page.CertificateView{Shell: p.shell(r, "Certificate of termination", atPeople), ID: c.Person, Name: c.Name, Lacking: lacking != nil, Notice: c.Notice, Key: p.o.Persons.CertificateKey()}
	entry := c.Entry
	if c.Owed {
		entry = "Owed: the record of accesses could not be written, and gets it when it can"
	}
	v.Facts = given("Person", c.Person, "Roles", strings.Join(c.Roles, ", "), "Department", c.Department, "Staff directory entry", c.Practitioner, "Reason", c.Reason, "Ended by", by, "Entry", entry)
	v.Timers = given("Ended", at(look.Moment(c.Terminated.In(p.o.Zone))), "Gone everywhere by", at(look.Moment(c.CutBy.In(p.o.Zone))), "Partners told by", at(look.Moment(c.NotifyBy.In(p.o.Zone))))
	n := func(i int) string { return look.Number(int64(i)) }
	v.Ended = given("Sessions", n(len(c.Sessions)), "Sign-in factors", n(c.CredentialsRemoved), "Enrolment links", n(c.LinksRevoked), "Apps with all their tokens", n(c.AuthorizationsCut),
		"Open glass", countedYet(c.GrantsEnded), "Exports stopped", n(c.ExportsStopped), "Waiting requests withdrawn", n(c.ItemsWithdrawn), "Drafts", n(c.DraftsDropped),
		"Programs that stop in 7 days", n(c.ClientsEnding), "Open cases", countedYet(c.OpenCases))
	v.Used = append(given("Accesses", countedYet(c.Accesses30d)), perKind(c.AccessesByKind)...)
	v.Used = append(append(v.Used, given("Taken along", countedYet(c.Exports30d))...), perKind(c.ExportsByKind)...)
	for _, s := range c.Sessions {
		v.Sessions = append(v.Sessions, join(", ", zoneWords[s.Zone], "since "+look.Moment(s.Since.In(p.o.Zone)).Text(), "last active "+look.Moment(s.Seen.In(p.o.Zone)).Text()))
	}
	p.draw(w, r, http.StatusOK, page.Certificate(v))
}

// given are facts by name and value; what has no value is left out.
func given(pairs ...string) (out []look.Fact) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, look.Fact{Name: pairs[i], Value: pairs[i+1]})
		}
	}
	return out
}

func countedYet(n *int) string {
	if n == nil {
		return "Not counted yet"
	}
	return look.Number(int64(*n))
}

// kindWords are the interactions that people meet most.
var kindWords = map[string]string{"chart": "Charts opened", "read": "Records read", "search-type": "Searches answered", "print": "Printed", "everything": "Whole charts by program", "export": "Exports", "vread": "Old versions read",
	"history-instance": "Histories read", "find": "Patients found"}

func perKind(of map[string]int) (out []look.Fact) {
	for _, kind := range slices.Sorted(maps.Keys(of)) {
		name := kindWords[kind]
		if name == "" {
			name = capital(strings.ReplaceAll(kind, "-", " "))
		}
		out = append(out, look.Fact{Name: "… " + name, Value: look.Number(int64(of[kind]))})
	}
	return out
}

// certificateFile is the signed certificate as it is kept.
func (p *Pages) certificateFile(w http.ResponseWriter, r *http.Request) {
	if c, _, ok := p.certified(w, r); ok {
		handFile(w, c.Certificate, "json", "application/json", append(c.Signed, '\n'))
	}
}

// noticeFile is the signed notice to partners as text.
func (p *Pages) noticeFile(w http.ResponseWriter, r *http.Request) {
	c, _, ok := p.certified(w, r)
	if !ok {
		return
	}
	if c.Notice == "" {
		http.NotFound(w, r)
		return
	}
	handFile(w, c.Certificate, "txt", "text/plain; charset=utf-8", []byte(c.Notice))
}

func handFile(w http.ResponseWriter, c identity.Certificate, suffix, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="termination-`+c.Person+`.`+suffix+`"`)
	_, _ = w.Write(body)
}
