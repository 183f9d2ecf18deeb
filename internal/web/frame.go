package web

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"

	"github.com/a-h/templ"
)

// draw answers with a page. Nothing is sent before the page is whole, so an error never leaves half of one.
func (p *Pages) draw(w http.ResponseWriter, r *http.Request, status int, c templ.Component) {
	var page bytes.Buffer
	if err := c.Render(r.Context(), &page); err != nil {
		p.o.Logger.Error("a page could not be drawn", "error", err)
		http.Error(w, "this page could not be drawn; the fault is recorded on the server", http.StatusInternalServerError)
		return
	}
	text := page.Bytes()
	if s := session(r); s != nil {
		text = MarkWhose(text, s)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the connection is the browser's to lose
}

// see sends the browser on after a form. An address that no header can carry leads to the first page.
func see(w http.ResponseWriter, r *http.Request, to string) {
	if strings.ContainsFunc(to, unicode.IsControl) {
		to = "/"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// form reads the fields of a POST, at most 1 MiB.
func form(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil {
		return outcome.Wrap("web: form", outcome.TooLong, "the form did not arrive whole, or is larger than 1 MiB", err)
	}
	return nil
}

// session is the signed-in session of a request; the server lets no request without one reach a page that is not public.
func session(r *http.Request) *identity.Session { return access.PrincipalFrom(r.Context()).Session }

// asks is who asks, in a person's own deliberate act: it renews the idle clock.
func (p *Pages) asks(r *http.Request) access.Principal {
	who := access.PrincipalFrom(r.Context())
	at := ""
	if r.Method == http.MethodGet {
		at = r.URL.Path
	}
	p.o.Persons.Touch(who.Session, at)
	return who
}

// shell is the frame of a page for the signed-in person; at is the label of the current place in the navigation.
func (p *Pages) shell(r *http.Request, title, at string) look.Shell {
	s := session(r)
	sh := look.Shell{Title: title, Person: look.Person{Name: s.Person.Name, Role: roleWords(s)}, Live: true, Keys: p.keys(r),
		LockAfter: s.Idle, LockWriting: s.Writing, Shared: s.Shared, Banners: p.banners(), Paper: look.Paper{By: s.Person.Name, At: look.Moment(p.now()), Copy: "Screen copy"}}
	if d := p.downtime(r); d != nil {
		sh.Banners = append(sh.Banners, look.DowntimeBanner(look.Clock(d.Until.In(p.o.Zone)), p.nameOf(r, d.Asked)+" and "+p.nameOf(r, d.Agreed)))
	}
	sh.Banners = append(sh.Banners, p.actingBanners(r, s)...)
	if s.Told {
		sh.Banners = append(sh.Banners, look.SignInBanner(mySignInPath))
	}
	if b := p.lessons.next(s.Person.ID); b.Lead != "" {
		sh.Banners = append(sh.Banners, b)
	}
	if b, ok := p.recertifyBanner(r, s); ok {
		sh.Banners = append(sh.Banners, b)
	}
	if r.Method == http.MethodGet {
		sh.Here = r.URL.RequestURI()
	}
	switch kind(s) {
	case forPatients:
		sh.Nav = look.PatientNav(at)
	case forPrivacy:
		sh.Nav, sh.Side = officeNav(s, at, p.waiting(r)), true
		if p.o.Standing != nil && p.o.Standing() != "" {
			sh.Banners = append(sh.Banners, look.StandingBanner())
		}
	case forAdmins:
		sh.Nav, sh.Side = adminNav(s, at, p.waiting(r)), true
	default:
		sh.Nav, sh.Find = look.CareNav(at, p.agreeing(r, s)), true
		switch {
		case !atDesk(s):
		case slices.Contains(s.Roles(), identity.FrontDesk):
			sh.Nav = look.DeskNav(at)
		default:
			sh.Nav = look.BillingNav(at)
		}
	}
	if p.o.Watches {
		sh.Nav, sh.Find = watchNav(sh.Nav), false
	}
	return sh
}

// atDesk reports whether somebody works with patients but with no chart: nobody is ever on such a person's My day.
func atDesk(s *identity.Session) bool {
	roles := s.Roles()
	return !anyClinical(s) && (slices.Contains(roles, identity.FrontDesk) || slices.Contains(roles, identity.Billing))
}

func (p *Pages) now() time.Time { return p.o.Now().In(p.o.Zone) }

// withEntry names on the page the entry that was durable before it.
func withEntry(sh look.Shell, entry string) look.Shell {
	if i := strings.LastIndexByte(entry, '/'); i >= 0 {
		sh.Entry = look.Entry{Index: entry[i+1:], Href: entryHref(entry)}
	}
	return sh
}

// Banners are the states that everybody must know, for pages of other surfaces.
func (p *Pages) Banners() []look.Banner { return p.banners() }

// banners are the states that everybody must know.
func (p *Pages) banners() []look.Banner {
	var out []look.Banner
	if p.o.Sandbox {
		out = append(out, look.SandboxBanner())
	}
	if p.o.State != nil {
		state := p.o.State()
		if state.Cut {
			out = append(out, look.CutBanner("/integrity"))
		}
		if state.Journaling {
			out = append(out, look.JournalBanner(look.When{}))
		}
	}
	return out
}

type audience int

const (
	forCare audience = iota
	forPatients
	forPrivacy
	forAdmins
)

// kind says which pages a session works with, by its strongest role.
func kind(s *identity.Session) audience {
	if s.Capacity == identity.PatientCapacity {
		return forPatients
	}
	roles := s.Roles()
	switch {
	case slices.ContainsFunc(roles, identity.Clinical), slices.Contains(roles, identity.FrontDesk), slices.Contains(roles, identity.Billing):
		return forCare
	case slices.Contains(roles, identity.Privacy), slices.Contains(roles, identity.Auditor), slices.Contains(roles, identity.Security):
		return forPrivacy
	case slices.Contains(roles, identity.Administrator), slices.Contains(roles, identity.HR):
		return forAdmins
	}
	return forCare
}

var roleNames = map[string]string{
	identity.Physician: "Physician", identity.Nurse: "Nurse", identity.MedicalAssistant: "Medical assistant", identity.Pharmacist: "Pharmacist",
	identity.Technician: "Technician", identity.FrontDesk: "Front desk", identity.Billing: "Billing", identity.HR: "Human resources",
	identity.Privacy: "Privacy officer", identity.Security: "Security analyst", identity.Administrator: "Administrator",
	identity.Auditor: "Auditor", identity.Patient: "Patient",
}

// roleName is a role in words; one of another system is in its own.
func roleName(role string) string {
	if name, ok := roleNames[role]; ok {
		return name
	}
	return upper(role)
}

// roleWords is what stands under a person's name: role and department.
func roleWords(s *identity.Session) string {
	var words []string
	for _, r := range s.Roles() {
		words = append(words, roleNames[r])
	}
	if s.Person.House != "" && s.Capacity == identity.StaffCapacity {
		words = []string{upper(s.Person.House)}
	}
	if s.Person.Department != "" && s.Capacity == identity.StaffCapacity {
		words = append(words, s.Person.Department)
	}
	return strings.Join(words, ", ")
}

// Fail draws an error for another surface.
func (p *Pages) Fail(w http.ResponseWriter, r *http.Request, err error) { p.fail(w, r, err) }

// fail draws an error as what, why and what now. A session that ended goes to the sign-in page.
func (p *Pages) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, identity.ErrLocked) || errors.Is(err, identity.ErrSignedOut) {
		p.SignedOut(w, r, err)
		return
	}
	v := page.RefusalView{Banner: p.banners(), Title: "Not shown", Tone: look.Warn, Ways: []look.Way{{Icon: "arrow-left", Title: "Go to your start page", Href: "/"}}}
	if session(r) != nil {
		sh := p.shell(r, "Not shown", "")
		v.Shell = &sh
	}
	switch outcome.CodeOf(err) {
	case outcome.Forbidden, outcome.Suppressed:
		v.State, v.What = "Not allowed", whatRefused(err)
	case outcome.Deleted:
		v.State, v.What = "Gone", "This is not here any more"
	case outcome.NotFound:
		v.State, v.What = "Not found", "There is nothing here"
	case outcome.Throttled:
		v.State, v.What = "Too fast", "Please wait a moment"
	case outcome.NoStore, outcome.Transient, outcome.Lock, outcome.Timeout:
		v.State, v.What = "Not now", "This cannot be done at the moment"
	case outcome.Exception:
		v.State, v.What, v.Tone = "Our fault", "Something went wrong on our side", look.Crit
	default:
		v.State, v.What = "Please check", "This cannot be done as asked"
	}
	if errors.Is(err, ErrWhose) {
		v.State, v.What = "Nothing was done", "That page was somebody else's"
		if s := session(r); s != nil {
			v.Ways[0].Title = "Go on as " + s.Person.Name
		}
	}
	v.Why = sentence(err)
	p.draw(w, r, outcome.Status(err), page.Refusal(v))
}

// sentence is what an error says to people, without the operation in front.
func sentence(err error) string {
	var e *outcome.Error
	if errors.As(err, &e) {
		return upper(e.Public) + "."
	}
	return "The fault is recorded on the server."
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + strings.TrimSuffix(s[1:], ".")
}

const keysCookie = "chartwarden-keys"

// keys reports whether single-letter shortcuts are on; they can be switched off (WCAG 2.1.4).
func (p *Pages) keys(r *http.Request) bool {
	c, err := r.Cookie(keysCookie)
	return err != nil || c.Value != "off"
}
