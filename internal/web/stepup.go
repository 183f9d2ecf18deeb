package web

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/web/page"
)

// Fields of the form that asks for one factor again. They travel with the act that they confirm.
const (
	confirmCode     = "confirm-code"
	confirmPassword = "confirm-password"
)

// permitted asks the door for an administrative act before anything of it is done. Where only a fresh factor is missing it draws the
// form that asks for one and repeats the same request; a refusal is drawn. Then ok is false and the request is answered. The act is
// done by the session of the returned principal.
func (p *Pages) permitted(w http.ResponseWriter, r *http.Request, action string) (who access.Principal, ok bool) {
	who = p.asks(r)
	if r.Method == http.MethodPost {
		if err := form(w, r); err != nil {
			p.fail(w, r, err)
			return who, false
		}
		var err error
		if who, err = p.confirmed(r, who); err != nil {
			p.askFactor(w, r, err)
			return who, false
		}
	}
	err := p.o.Gate.Permit(r.Context(), who, action)
	switch {
	case err == nil:
		return who, true
	case wayOf(err) == outcome.StepUp:
		p.askFactor(w, r, nil)
	default:
		p.fail(w, r, err)
	}
	return who, false
}

// confirmed takes the factor that came with a form, if one did.
func (p *Pages) confirmed(r *http.Request, who access.Principal) (access.Principal, error) {
	code, password, passkey := r.PostForm.Get(confirmCode), r.PostForm.Get(confirmPassword), r.PostForm.Get(confirmPasskey)
	if code == "" && password == "" && passkey == "" {
		return who, nil
	}
	s, err := p.o.Persons.StepUp(r.Context(), who.Session, identity.Attempt{Person: who.Session.Person.ID, Code: code, Password: password, Passkey: []byte(passkey), From: p.o.Browser.Arrival(r)})
	if err != nil {
		return who, err
	}
	return access.Person(s), nil
}

func wayOf(err error) outcome.Way {
	var e *outcome.Error
	if errors.As(err, &e) {
		return e.Way
	}
	return outcome.NoWay
}

// askFactor draws the form. A page that was asked for by GET is gone back to; a form is repeated with everything that it held.
func (p *Pages) askFactor(w http.ResponseWriter, r *http.Request, wrong error) {
	p.askFactorFor(w, r, wrong, "")
}

// askFactorFor is askFactor with another reason than that the act changes who may do what.
func (p *Pages) askFactorFor(w http.ResponseWriter, r *http.Request, wrong error, why string) {
	if errors.Is(wrong, identity.ErrSignedOut) || errors.Is(wrong, identity.ErrLocked) {
		p.fail(w, r, wrong)
		return
	}
	v := page.StepUpView{Shell: p.shell(r, "Confirm", ""), Action: r.URL.Path, Why: why, Passkey: p.stepUpButton(r, confirmPasskey), Back: p.home(session(r)), Provider: p.stepUpAddress(r), Account: p.o.Account, Demo: p.o.Demo && p.o.Sandbox}
	status := http.StatusForbidden
	if wrong != nil {
		v.Problem, status = sentence(wrong), outcome.Status(wrong)
	}
	if r.Method == http.MethodGet {
		v.Action, v.Hidden = stepUpPath, []page.Field{{Name: "next", Value: r.URL.Path}}
	}
	for _, name := range slices.Sorted(maps.Keys(r.PostForm)) {
		if name == confirmCode || name == confirmPassword || name == confirmPasskey {
			continue
		}
		for _, value := range r.PostForm[name] {
			v.Hidden = append(v.Hidden, page.Field{Name: name, Value: value})
		}
	}
	p.draw(w, r, status, page.StepUp(v))
}

// Confirm draws the form that asks for one factor again and leads on to next, a path of this server; why stands above it.
func (p *Pages) Confirm(w http.ResponseWriter, r *http.Request, next, why string) {
	p.draw(w, r, http.StatusForbidden, page.StepUp(page.StepUpView{Shell: p.shell(r, "Confirm", ""), Action: stepUpPath, Why: why, Hidden: []page.Field{{Name: "next", Value: next}}, Passkey: p.stepUpButton(r, confirmPasskey), Back: p.home(session(r)),
		Provider: stepUpPath + "/provider?next=" + url.QueryEscape(next), Account: p.o.Account, Demo: p.o.Demo && p.o.Sandbox}))
}

// stepUpPage draws the form for a page that is gone back to.
func (p *Pages) stepUpPage(w http.ResponseWriter, r *http.Request, next string, wrong error) {
	v := page.StepUpView{Shell: p.shell(r, "Confirm", ""), Action: stepUpPath, Hidden: []page.Field{{Name: "next", Value: next}}, Passkey: p.stepUpButton(r, confirmPasskey), Back: p.home(session(r)),
		Provider: stepUpPath + "/provider?next=" + url.QueryEscape(next), Account: p.o.Account, Problem: sentence(wrong)}
	p.draw(w, r, outcome.Status(wrong), page.StepUp(v))
}

const stepUpPath = "/step-up"

// stepUp takes one factor again and leads back to the page that asked for it.
func (p *Pages) stepUp(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	next := local(r.PostForm.Get("next"))
	if next == "" {
		next = p.home(session(r))
	}
	if to, err := url.Parse(next); err != nil || to.Path == stepUpPath {
		next = p.home(session(r))
	}
	who := p.asks(r)
	if r.PostForm.Get(confirmCode) == "" && r.PostForm.Get(confirmPassword) == "" && r.PostForm.Get(confirmPasskey) == "" {
		if p.o.Provider != nil && p.o.Persons.Fresh(who.Session) == nil { // confirmed at the provider, in another tab
			see(w, r, next)
			return
		}
		p.askFactor(w, r, outcome.New(outcome.Required, "use your passkey or enter a code"))
		return
	}
	if _, err := p.confirmed(r, who); err != nil {
		p.askFactor(w, r, err)
		return
	}
	see(w, r, next)
}
