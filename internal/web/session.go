package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// ownSession is the action of pages by which a person handles the own session and nothing else.
const ownSession = "session"

func (p *Pages) sessionRoutes() []access.Route {
	routes := []access.Route{
		{Method: "GET", Pattern: "/{$}", Action: ownSession, Handler: p.start},
		{Method: "GET", Pattern: "/sign-in", Public: true, Handler: p.signIn},
		{Method: "POST", Pattern: "/sign-in", Public: true, Handler: p.doSignIn},
		{Method: "POST", Pattern: "/sign-in/passkey", Public: true, Handler: p.askPasskey},
		{Method: "GET", Pattern: "/recover", Public: true, Handler: p.recover},
		{Method: "POST", Pattern: "/recover", Public: true, Handler: p.doRecover},
		{Method: "GET", Pattern: "/enrol/{link}", Public: true, Handler: p.enrol},
		{Method: "POST", Pattern: "/enrol/{link}", Public: true, Handler: p.doEnrol},
		{Method: "POST", Pattern: "/enrol/{link}/passkey", Public: true, Handler: p.askFirstPasskey},
		{Method: "GET", Pattern: "/locked", Public: true, Handler: p.locked},
		{Method: "POST", Pattern: "/unlock", Public: true, Handler: p.unlock},
		{Method: "POST", Pattern: "/lock", Action: ownSession, Handler: p.lock},
		{Method: "POST", Pattern: "/alive", Action: ownSession, Handler: p.alive},
		{Method: "POST", Pattern: "/sign-out", Action: ownSession, Handler: p.signOut},
		{Method: "POST", Pattern: stepUpPath, Action: ownSession, Handler: p.stepUp},
		{Method: "POST", Pattern: stepUpPath + "/passkey", Action: ownSession, Handler: p.askStepUp},
		{Method: "POST", Pattern: "/settings/keys", Action: ownSession, Handler: p.toggleKeys},
		{Method: "GET", Pattern: "/events", Action: ownSession, Handler: p.events},
	}
	if p.o.Demo && p.o.Sandbox {
		routes = append(routes, access.Route{Method: "GET", Pattern: "/demo", Public: true, Handler: p.demo},
			access.Route{Method: "POST", Pattern: "/demo", Public: true, Handler: p.doDemo})
	}
	return routes
}

// start leads to where a person's work begins.
func (p *Pages) start(w http.ResponseWriter, r *http.Request) { see(w, r, p.home(session(r))) }

func (p *Pages) home(s *identity.Session) string {
	if p.o.Watches {
		return watchHome(s)
	}
	switch kind(s) {
	case forPatients:
		return "/me"
	case forPrivacy:
		return "/privacy"
	case forAdmins:
		return "/admin/people"
	}
	if atDesk(s) && slices.Contains(s.Roles(), identity.FrontDesk) {
		return "/desk"
	}
	if atDesk(s) {
		return "/billing"
	}
	return "/day"
}

// SignedOut sends a request without a good session to where one begins: the lock page, or the sign-in with a way back.
func (p *Pages) SignedOut(w http.ResponseWriter, r *http.Request, why error) {
	switch {
	case r.URL.Path == "/events" || r.URL.Path == "/alive":
		w.WriteHeader(http.StatusUnauthorized)
	case errors.Is(why, identity.ErrLocked):
		see(w, r, "/locked")
	case p.o.Demo && r.URL.Path == "/":
		see(w, r, "/demo")
	case r.Method == http.MethodGet && r.URL.Path != "/":
		see(w, r, "/sign-in?next="+url.QueryEscape(r.URL.Path))
	default:
		see(w, r, "/sign-in")
	}
}

func (p *Pages) signIn(w http.ResponseWriter, r *http.Request) {
	p.draw(w, r, http.StatusOK, page.SignIn(p.signInView(r, r.URL.Query().Get("next"), "", nil)))
}

func (p *Pages) signInView(r *http.Request, next, login string, err error) page.SignInView {
	v := page.SignInView{Banners: p.atTheDoor(r), Hospital: p.o.Hospital, Login: login, Next: local(next), Passkey: p.o.Persons.PasskeySite(), Demo: p.o.Demo && p.o.Sandbox, Provider: p.accountWords()}
	if err != nil {
		v.Problem = sentence(err)
	}
	return v
}

// local keeps a way back inside this server, and out of anything but a page.
func local(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n") {
		return ""
	}
	return next
}

func (p *Pages) doSignIn(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	login, next := strings.TrimSpace(r.PostForm.Get("person")), local(r.PostForm.Get("next"))
	opened, err := p.o.Persons.SignIn(r.Context(), identity.Attempt{Person: login, Password: r.PostForm.Get("password"),
		Code: r.PostForm.Get("totp"), Passkey: []byte(r.PostForm.Get("passkey")), From: p.arrival(r)})
	if err != nil {
		p.draw(w, r, outcome.Status(err), page.SignIn(p.signInView(r, next, login, err)))
		return
	}
	p.enter(w, r, opened, next)
}

// enter hands the session to the browser and leads on.
func (p *Pages) enter(w http.ResponseWriter, r *http.Request, opened identity.Opened, next string) {
	p.o.Browser.SetSession(w, opened.Token, opened.Session.Ends)
	if next == "" {
		next = p.home(opened.Session)
	}
	see(w, r, next)
}

func (p *Pages) enrol(w http.ResponseWriter, r *http.Request) { p.enrolPage(w, r, http.StatusOK, "") }

func (p *Pages) enrolPage(w http.ResponseWriter, r *http.Request, status int, problem string) {
	link := r.PathValue("link")
	e, err := p.o.Persons.Enrolment(r.Context(), link)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.draw(w, r, status, page.Enrol(page.EnrolView{Banners: p.banners(), Link: link, Name: e.Name, Login: e.SignInName, Secret: e.Secret,
		OTPAuth: e.URI, Passkey: p.o.Persons.PasskeySite(), MinLength: minPassword, Until: look.Moment(e.Expires.In(p.o.Zone)), Problem: problem}))
}

const minPassword = 12

func (p *Pages) doEnrol(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	if passkey := r.PostForm.Get("passkey"); passkey != "" {
		opened, err := p.o.Persons.EnrolPasskey(r.Context(), r.PathValue("link"), "", []byte(passkey), p.o.Browser.Arrival(r))
		p.enrolled(w, r, opened, err)
		return
	}
	if r.PostForm.Get("password") != r.PostForm.Get("again") {
		p.enrolPage(w, r, http.StatusBadRequest, "The two passwords differ. Type the same one twice.")
		return
	}
	opened, err := p.o.Persons.Enrol(r.Context(), r.PathValue("link"), r.PostForm.Get("password"), r.PostForm.Get("totp"), p.o.Browser.Arrival(r))
	p.enrolled(w, r, opened, err)
}

// enrolled leads on into the session that an enrolment opened, or back to its page.
func (p *Pages) enrolled(w http.ResponseWriter, r *http.Request, opened identity.Opened, err error) {
	switch {
	case outcome.Is(err, outcome.Value), outcome.Is(err, outcome.Login), outcome.Is(err, outcome.Duplicate):
		p.enrolPage(w, r, http.StatusBadRequest, sentence(err))
	case err != nil:
		p.fail(w, r, err)
	case opened.Session == nil:
		p.fail(w, r, outcome.New(outcome.BusinessRule, "your sign-in is set up; a second person must now activate your account"))
	default:
		p.enter(w, r, opened, "")
	}
}

func (p *Pages) locked(w http.ResponseWriter, r *http.Request) { p.lockedPage(w, r, http.StatusOK, "") }

func (p *Pages) lockedPage(w http.ResponseWriter, r *http.Request, status int, problem string) {
	screen, err := p.o.Persons.Locked(r.Context(), p.o.Browser.Token(r))
	if err != nil {
		if s := session(r); s != nil { // not locked at all
			see(w, r, p.home(s))
			return
		}
		see(w, r, "/sign-in")
		return
	}
	v := page.LockedView{Banners: p.atTheDoor(r), Name: screen.Name, Because: "Locked since " + look.Clock(screen.Since.In(p.o.Zone)).Text(),
		Passkey: p.o.Persons.PasskeySite(), Password: true, Code: true, Problem: problem, Kept: true, Provider: p.accountWords(), Shared: screen.Shared}
	for _, o := range screen.Others {
		v.Others = append(v.Others, page.LockedPerson{ID: o.Person, Name: o.Name})
	}
	if as := cmp.Or(r.PostForm.Get("person"), r.URL.Query().Get("as")); as != "" { // somebody else sits down
		v.Else, v.As = true, page.LockedPerson{}
		if i := slices.IndexFunc(v.Others, func(o page.LockedPerson) bool { return o.ID == as }); i >= 0 {
			v.As = v.Others[i]
		}
	}
	p.draw(w, r, status, page.Locked(v))
}

func (p *Pages) unlock(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	opened, err := p.o.Persons.Unlock(r.Context(), p.o.Browser.Token(r), identity.Attempt{Person: r.PostForm.Get("person"),
		Password: r.PostForm.Get("password"), Code: r.PostForm.Get("totp"), Passkey: []byte(r.PostForm.Get("passkey")), From: p.arrival(r)})
	switch {
	case errors.Is(err, identity.ErrSignedOut):
		see(w, r, "/sign-in")
	case err != nil:
		p.lockedPage(w, r, outcome.Status(err), sentence(err))
	default:
		p.enter(w, r, opened, local(opened.Page))
	}
}

func (p *Pages) lock(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	if err := p.o.Persons.Lock(r.Context(), session(r), placeOf(r)); err != nil {
		p.fail(w, r, err)
		return
	}
	see(w, r, "/locked")
}

var lockedAt = regexp.MustCompile(`^[0-9]{1,7}$`)

// placeOf is where a screen was when it was locked, as its script says: the page, and how far it was scrolled. Empty: not said.
func placeOf(r *http.Request) string {
	from, at := local(r.PostForm.Get("from")), r.PostForm.Get("at")
	if u, err := url.Parse(from); err != nil || from == "" || len(from) > 2048 || u.Path == "/locked" || u.Path == "/lock" {
		return ""
	}
	if lockedAt.MatchString(at) && at != "0" {
		from += "#at-" + at
	}
	return from
}

// alive renews the idle clock: the script calls it for what the person's hand did, never by itself.
func (p *Pages) alive(w http.ResponseWriter, r *http.Request) {
	p.o.Persons.Touch(session(r), "")
	w.WriteHeader(http.StatusNoContent)
}

func (p *Pages) signOut(w http.ResponseWriter, r *http.Request) {
	s := session(r)
	if err := p.o.Persons.SignOut(r.Context(), s); err != nil {
		p.fail(w, r, err)
		return
	}
	p.o.Browser.ClearSession(w)
	if p.signsOutThere(w, r, s) {
		return
	}
	see(w, r, "/sign-in")
}

// toggleKeys turns single keys on or off and leads back to the page that asked: browsers name no referrer here, so the form does.
func (p *Pages) toggleKeys(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	value := "off"
	if !p.keys(r) {
		value = "on"
	}
	http.SetCookie(w, &http.Cookie{Name: keysCookie, Value: value, Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	see(w, r, cmp.Or(local(r.PostForm.Get("back")), p.home(session(r))))
}

// looks is how often a stream looks at its session. What a session is believed on is up to half a second old: together that is less than
// the second within which whatever ended is dead, on whichever node it was ended.
const looks = 300 * time.Millisecond

// events is the live stream of a visible page. It looks at the session, so a lock or a kill empties the screen at once; looking renews no
// idle clock.
func (p *Pages) events(w http.ResponseWriter, r *http.Request) {
	stream, ok := w.(http.Flusher)
	if !ok {
		p.fail(w, r, outcome.New(outcome.NotSupported, "this connection cannot stream"))
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	if another(r, session(r)) {
		fmt.Fprint(w, "event: lock\ndata: here\n\n") // that tab alone: the others are of who is on now
		return
	}
	w.WriteHeader(http.StatusOK)
	fmt.Fprint(w, "retry: 3000\n\n")
	stream.Flush()
	tick := time.NewTicker(looks)
	defer tick.Stop()
	token := p.o.Browser.Token(r)
	alerts, glass, asks := p.alerts(r), p.glassNews(r), p.askNews(r)
	for beat := 0; ; {
		news := ""
		select {
		case <-r.Context().Done():
			return
		case <-p.done:
			return
		case <-tick.C:
			beat++
		case news = <-alerts:
		case news = <-glass:
		case news = <-asks:
		}
		if _, err := p.o.Persons.Authenticate(r.Context(), token); err != nil {
			fmt.Fprint(w, "event: lock\ndata: {}\n\n")
			stream.Flush()
			return
		}
		if news == "" && beat%50 == 0 {
			news = ": still here\n\n"
		}
		if news != "" {
			fmt.Fprint(w, news)
			stream.Flush()
		}
	}
}

func (p *Pages) demo(w http.ResponseWriter, r *http.Request) {
	v := page.DemoView{Banners: p.banners(), Hospital: p.o.Hospital}
	for _, d := range p.o.DemoList() {
		v.People = append(v.People, page.DemoPerson{ID: d.ID + " " + d.Capacity, Name: d.Name, Role: d.Role, Icon: d.Icon, Try: d.Try})
	}
	if p.o.DemoSeat != nil {
		v.Seats = demoSeats
	}
	p.draw(w, r, http.StatusOK, page.Demo(v))
}

// The seats of the start page, as it asks for them.
const (
	SeatUsual   = ""        // the person's workstation
	SeatAway    = "away"    // a workstation of another department
	SeatStrange = "strange" // a computer that nobody here ever used
)

var demoSeats = []page.DemoSeat{{Value: SeatUsual, Name: "At the person's usual workstation"}, {Value: SeatAway, Name: "At a workstation of another department"},
	{Value: SeatStrange, Name: "Far away, at a computer that nobody here knows"}}

func (p *Pages) doDemo(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	id, capacity, _ := strings.Cut(r.PostForm.Get("person"), " ")
	if p.o.DemoSeat != nil {
		r = p.o.Browser.SetSeat(w, r, p.o.DemoSeat(id, r.PostForm.Get("seat")))
	}
	opened, err := p.o.Persons.Enter(r.Context(), id, capacity, p.o.Browser.Arrival(r))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.enter(w, r, opened, "")
}
