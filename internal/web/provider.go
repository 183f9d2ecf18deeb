package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/sso"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

const (
	providerPath = "/sign-in/provider"
	linkPath     = mySignInPath + "/link"
)

// providerRoutes are the sign-in through the hospital's identity provider. The browser comes back by GET, from another site, so nothing is done
// then that it did not leave for.
func (p *Pages) providerRoutes() []access.Route {
	if p.o.Provider == nil {
		return nil
	}
	return []access.Route{
		{Method: "GET", Pattern: providerPath, Public: true, Handler: p.toProvider},
		{Method: "GET", Pattern: providerPath + "/back", Public: true, Handler: p.fromProvider},
		{Method: "GET", Pattern: providerPath + "/factor", Public: true, Handler: p.askedSecond},
		{Method: "POST", Pattern: providerPath + "/factor", Public: true, Handler: p.secondFactor},
		{Method: "GET", Pattern: providerPath + "/unlinked", Public: true, Handler: p.unlinked},
		{Method: "POST", Pattern: providerPath + "/logout", Public: true, Handler: p.providerLogout},
		{Method: "GET", Pattern: stepUpPath + "/provider", Action: ownSession, Handler: p.stepUpAtProvider},
		{Method: "GET", Pattern: linkPath, Action: ownSession, Handler: p.linkAccount},
		{Method: "POST", Pattern: mySignInPath + "/unlink", Action: ownSession, Handler: p.unlinkAccount},
	}
}

func (p *Pages) accountWords() string {
	if p.o.Provider == nil {
		return ""
	}
	return p.o.Account
}

// What somebody leaves for. An answer is good for nothing else.
const (
	toSignIn  = "sign-in"
	toUnlock  = "unlock"
	toConfirm = "step-up"
	toLink    = "link"
)

// departure is what is kept of somebody who is at the provider. Session is the public id of hers, where she has one.
type departure struct {
	Trip               sso.Trip
	For, Session, Next string
}

// halfway is a sign-in at which the provider showed one factor.
type halfway struct {
	Vouched identity.Vouched
	Next    string
	Until   time.Time
}

const (
	journeyLasts = 10 * time.Minute
	byProvider   = "provider"
	halfProven   = "provider-half"
)

// The cookie binds a journey to the browser that began it: an address that comes back is nobody else's sign-in.
func (p *Pages) journeyCookie() string {
	if strings.HasPrefix(p.o.Base, "https://") {
		return "__Host-chartwarden-journey"
	}
	return "chartwarden-journey"
}

func (p *Pages) traveller(r *http.Request) string {
	if c, err := r.Cookie(p.journeyCookie()); err == nil && len(c.Value) >= 26 && len(c.Value) <= 64 {
		return c.Value
	}
	return ""
}

// leave sends the browser to the provider, or gives the address.
func (p *Pages) leave(w http.ResponseWriter, r *http.Request, d departure, fresh bool) (string, error) {
	who := p.traveller(r)
	return p.o.Provider.Leave(r.Context(), fresh, func(t sso.Trip) (string, error) {
		if who == "" {
			who = rand.Text()
			http.SetCookie(w, &http.Cookie{Name: p.journeyCookie(), Value: who, Path: "/", HttpOnly: true, Secure: strings.HasPrefix(p.o.Base, "https://"), SameSite: http.SameSiteLaxMode})
		}
		d.Trip = t
		return p.o.Persons.Depart(r.Context(), byProvider, who, d, journeyLasts, p.o.Browser.Arrival(r))
	})
}

func (p *Pages) toProvider(w http.ResponseWriter, r *http.Request) {
	d := departure{For: toSignIn, Next: local(r.URL.Query().Get("next"))}
	if _, err := p.o.Persons.Locked(r.Context(), p.o.Browser.Token(r)); err == nil && session(r) == nil {
		d.For = toUnlock
	}
	// At a locked screen, and where people take turns, a session that the provider still has may be another person's.
	address, err := p.leave(w, r, d, d.For == toUnlock || p.o.Persons.TakeTurns(p.o.Browser.Arrival(r).Zone))
	if err != nil {
		p.returned(w, r, d, err)
		return
	}
	see(w, r, address)
}

// returned shows why nothing came of a journey, where it began.
func (p *Pages) returned(w http.ResponseWriter, r *http.Request, d departure, err error) {
	s := session(r)
	switch {
	case d.For == toUnlock:
		p.lockedPage(w, r, outcome.Status(err), sentence(err))
	case d.For == toConfirm && s != nil:
		p.asks(r)
		p.stepUpPage(w, r, d.Next, err)
	case d.For == toLink && s != nil:
		p.asks(r)
		p.mySignInPage(w, r, outcome.Status(err), sentence(err))
	default:
		p.draw(w, r, outcome.Status(err), page.SignIn(p.signInView(r, d.Next, "", err)))
	}
}

// fromProvider takes what the browser comes back with.
func (p *Pages) fromProvider(w http.ResponseWriter, r *http.Request) {
	ctx, q := r.Context(), r.URL.Query()
	var d departure
	answer, err := sso.Answer{}, p.o.Persons.Arrive(ctx, q.Get("state"), byProvider, p.traveller(r), &d)
	if err == nil {
		answer, err = p.o.Provider.Return(ctx, d.Trip, q)
	}
	if err != nil {
		if flood := p.o.Persons.RefuseVouched(ctx, p.o.Browser.Arrival(r), cause(err)); flood != nil {
			err = flood
		}
		p.returned(w, r, d, err)
		return
	}
	s := session(r)
	if (d.For == toConfirm || d.For == toLink) && (s == nil || s.ID != d.Session) {
		p.returned(w, r, departure{}, identity.ErrSignedOut)
		return
	}
	switch d.For {
	case toSignIn:
		p.known(ctx, answer)
		p.vouchedIn(w, r, halfway{answer.Vouched, d.Next, p.o.Now().Add(journeyLasts / 2)}, identity.Attempt{})
	case toUnlock:
		opened, err := p.o.Persons.Unlock(ctx, p.o.Browser.Token(r), identity.Attempt{Vouched: &answer.Vouched, From: p.o.Browser.Arrival(r)})
		if err != nil {
			p.returned(w, r, d, err)
			return
		}
		p.enter(w, r, opened, local(opened.Page))
	case toConfirm:
		if _, err := p.o.Persons.StepUp(ctx, s, identity.Attempt{Person: s.Person.ID, Vouched: &answer.Vouched, From: p.o.Browser.Arrival(r)}); err != nil {
			p.returned(w, r, d, err)
			return
		}
		see(w, r, cmp.Or(d.Next, p.home(s)))
	case toLink:
		if err := p.o.Persons.LinkProvider(ctx, s, answer.Vouched, answer.Name); err != nil {
			p.returned(w, r, d, err)
			return
		}
		p.bringUp(ctx, answer, s.Person.ID)
		see(w, r, mySignInPath)
	}
}

// cause is why, for the entry: what the sentence for people leaves out.
func cause(err error) string {
	if inner := errors.Unwrap(err); inner != nil && outcome.Is(err, outcome.Login) {
		return err.Error() + " (" + inner.Error() + ")"
	}
	return err.Error()
}

// known links an account by the key of another source, where the site wants that, and brings the roles of its person up to date. Neither
// stops a sign-in: roles stay as they were then, and whoever is not linked is told so.
func (p *Pages) known(ctx context.Context, a sso.Answer) {
	person, err := p.o.Persons.LinkedTo(ctx, a.Vouched)
	if err != nil && p.o.LinkSource != "" && a.Key != "" {
		if err = p.o.Persons.LinkKnown(ctx, a.Vouched, p.o.LinkSource, a.Key, a.Name); err == nil {
			person, err = p.o.Persons.LinkedTo(ctx, a.Vouched)
		}
	}
	if err == nil {
		p.bringUp(ctx, a, person.ID)
	}
}

// provider is who acts on what the identity provider says.
var provider = audit.Agent{Job: "identity-provider"}

// bringUp gives a person the roles that the groups of her account come to. What fails stops no sign-in: it is told, and tried again at the next.
func (p *Pages) bringUp(ctx context.Context, a sso.Answer, person string) {
	changed, err := p.o.Persons.SetProviderGroups(ctx, provider, a.Vouched, person, a.Groups)
	if err == nil && changed {
		err = p.o.Staffing.BringUp(ctx, provider, identity.ProviderSource+a.Issuer, person)
	}
	if err != nil {
		p.o.Logger.Error("the roles that the identity provider's groups give somebody could not be brought up to date; it is tried again at the next sign-in", "person", person, "error", err)
	}
}

// vouchedIn signs in by what the provider said and, where that was one factor, by the own second one that came with it.
func (p *Pages) vouchedIn(w http.ResponseWriter, r *http.Request, h halfway, a identity.Attempt) {
	a.Vouched, a.From = &h.Vouched, p.o.Browser.Arrival(r)
	opened, err := p.o.Persons.SignIn(r.Context(), a)
	switch reason := ruleOf(err); {
	case err == nil:
		p.enter(w, r, opened, h.Next)
	case reason == "provider.unlinked":
		see(w, r, providerPath+"/unlinked") // away from an address that holds a code
	case reason == "provider.weak":
		if err := p.halt(w, r, h); err != nil {
			p.returned(w, r, departure{}, err)
			return
		}
		see(w, r, providerPath+"/factor")
	case a.Code != "" || len(a.Passkey) > 0:
		p.askSecond(w, r, h, outcome.Status(err), sentence(err))
	default:
		p.returned(w, r, departure{Next: h.Next}, err)
	}
}

func ruleOf(err error) string {
	var e *outcome.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

func (p *Pages) unlinked(w http.ResponseWriter, r *http.Request) {
	p.draw(w, r, http.StatusForbidden, page.Unlinked(page.UnlinkedView{Banners: p.banners(), Words: p.o.Account}))
}

// signsOutThere shows the way on to where a session that the provider's word opened ends there, too, and reports whether it answered. The
// session here has ended by then, whatever becomes of that one. A page goes between, since browsers hold what follows a form to form-action.
func (p *Pages) signsOutThere(w http.ResponseWriter, r *http.Request, s *identity.Session) bool {
	if p.o.Provider == nil {
		return false
	}
	vouched, err := p.o.Persons.VouchedBy(r.Context(), s)
	if err == nil && !vouched {
		return false
	}
	address := ""
	if err == nil {
		address, err = p.o.Provider.SignOut(r.Context())
	}
	if err == nil && address == "" { // the provider has no such place
		return false
	}
	if address != "" {
		w.Header().Set("Refresh", "0; url="+address)
	}
	p.draw(w, r, http.StatusOK, page.SignedOut(page.SignedOutView{Banners: p.banners(), Words: p.o.Account, There: address}))
	return true
}

func (p *Pages) halfCookie() string { return p.journeyCookie() + "-half" }

// halt keeps what the provider said until its five minutes are over, for this browser.
func (p *Pages) halt(w http.ResponseWriter, r *http.Request, h halfway) error {
	state, err := p.o.Persons.Depart(r.Context(), halfProven, p.traveller(r), h, h.Until.Sub(p.o.Now()), p.o.Browser.Arrival(r))
	if err == nil {
		http.SetCookie(w, &http.Cookie{Name: p.halfCookie(), Value: state, Path: "/", MaxAge: int(journeyLasts / time.Second), HttpOnly: true, Secure: strings.HasPrefix(p.o.Base, "https://"), SameSite: http.SameSiteLaxMode})
	}
	return err
}

// halted gives back what is kept; it counts once.
func (p *Pages) halted(r *http.Request) (h halfway, err error) {
	state := ""
	if c, err := r.Cookie(p.halfCookie()); err == nil {
		state = c.Value
	}
	return h, p.o.Persons.Arrive(r.Context(), state, halfProven, p.traveller(r), &h)
}

func (p *Pages) askedSecond(w http.ResponseWriter, r *http.Request) {
	h, err := p.halted(r)
	if err != nil {
		p.returned(w, r, departure{}, err)
		return
	}
	p.askSecond(w, r, h, http.StatusOK, "")
}

// askSecond asks for what the provider did not show.
func (p *Pages) askSecond(w http.ResponseWriter, r *http.Request, h halfway, status int, problem string) {
	person, err := p.o.Persons.LinkedTo(r.Context(), h.Vouched)
	if err != nil {
		p.returned(w, r, departure{}, err)
		return
	}
	if err := p.halt(w, r, h); err != nil {
		p.returned(w, r, departure{}, err)
		return
	}
	p.draw(w, r, status, page.SecondFactor(page.SecondFactorView{Banners: p.banners(), Words: p.o.Account, Name: person.Name, Passkey: p.o.Persons.PasskeySite(), Problem: problem}))
}

func (p *Pages) secondFactor(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	h, err := p.halted(r)
	if err != nil {
		p.returned(w, r, departure{}, err)
		return
	}
	p.vouchedIn(w, r, h, identity.Attempt{Code: r.PostForm.Get("totp"), Passkey: []byte(r.PostForm.Get("passkey"))})
}

// stepUpAddress is where the form for a fresh factor leads to the provider; empty where there is nothing to go to.
func (p *Pages) stepUpAddress(r *http.Request) string {
	s := session(r)
	if p.o.Provider == nil || s == nil {
		return ""
	}
	if l, err := p.o.Persons.LinkOf(r.Context(), s.Person.ID); err != nil || l.ID == "" {
		return ""
	}
	next := p.home(s)
	if r.Method == http.MethodGet {
		next = r.URL.Path
	}
	return stepUpPath + "/provider?next=" + url.QueryEscape(next)
}

func (p *Pages) stepUpAtProvider(w http.ResponseWriter, r *http.Request) {
	d := departure{For: toConfirm, Session: p.asks(r).Session.ID, Next: local(r.URL.Query().Get("next"))}
	address, err := p.leave(w, r, d, true)
	if err != nil {
		p.returned(w, r, d, err)
		return
	}
	see(w, r, address)
}

func (p *Pages) linkAccount(w http.ResponseWriter, r *http.Request) {
	s, ok := p.changing(w, r)
	if !ok {
		return
	}
	address, err := p.leave(w, r, departure{For: toLink, Session: s.ID}, true)
	if err != nil {
		p.mySignInPage(w, r, outcome.Status(err), sentence(err))
		return
	}
	p.draw(w, r, http.StatusOK, page.LinkAccount(page.LinkAccountView{Shell: p.shell(r, "Link your account", ""), Words: p.o.Account, Host: p.o.Provider.Host(), Address: address}))
}

func (p *Pages) unlinkAccount(w http.ResponseWriter, r *http.Request) {
	s, ok := p.changing(w, r)
	if !ok {
		return
	}
	err := p.o.Persons.Unlink(r.Context(), s)
	if err == nil {
		p.bringUp(r.Context(), sso.Answer{Vouched: identity.Vouched{Issuer: p.o.Provider.Issuer()}}, s.Person.ID)
	}
	p.changed(w, r, err)
}

func (p *Pages) accountLine(r *http.Request) (page.AccountLine, error) {
	if p.o.Provider == nil {
		return page.AccountLine{}, nil
	}
	l, err := p.o.Persons.LinkOf(r.Context(), session(r).Person.ID)
	return page.AccountLine{Words: p.o.Account, Host: p.o.Provider.Host(), Linked: l.ID != "", Name: cmp.Or(l.Name, "An account without a name"),
		Made: look.Recent(l.Made.In(p.o.Zone), p.now()), Used: look.Recent(l.Used.In(p.o.Zone), p.now())}, err
}

// providerLogout takes a back-channel logout: the provider itself says that somebody signed out there.
func (p *Pages) providerLogout(w http.ResponseWriter, r *http.Request) {
	ctx := context.WithoutCancel(r.Context()) // a provider that hangs up has said it all the same
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	var ended sso.Ended
	err := r.ParseForm()
	if err == nil {
		ended, err = p.o.Provider.Logout(ctx, r.PostForm.Get("logout_token"))
	}
	source := identity.ProviderSource + p.o.Provider.Issuer()
	if err == nil {
		err = p.o.Persons.AssertionSpent(ctx, source, ended.ID)
	}
	if err == nil {
		_, err = p.o.Persons.EndVouched(ctx, p.o.Provider.Issuer(), ended.Subject, ended.Session)
	}
	if err == nil { // after it worked: what did not is sent again, and to end twice what ended is nothing
		err = p.o.Persons.SpendAssertion(ctx, source, ended.ID, ended.Until)
	}
	if err == nil {
		return
	}
	status := http.StatusBadRequest
	if outcome.Is(err, outcome.NoStore) || outcome.Is(err, outcome.Transient) {
		status = http.StatusServiceUnavailable // it is sent again
	} else if flood := p.o.Persons.RefuseVouched(ctx, p.o.Browser.Arrival(r), "logout: "+cause(err)); flood != nil {
		status = outcome.Status(flood)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": "invalid_request", "error_description": "the logout token was not taken"})
}
