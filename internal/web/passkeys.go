package web

import (
	"errors"
	"io"
	"net/http"

	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/web/page"
)

// Questions for passkeys. The answers come as fields of the forms that they are for.

// confirmPasskey travels with the act that it confirms, as the code and password do.
const confirmPasskey = "confirm-passkey"

// askPasskey puts the question of a sign-in or an unlock.
func (p *Pages) askPasskey(w http.ResponseWriter, r *http.Request) {
	options, err := p.o.Persons.AskPasskey(r.Context(), p.o.Browser.Arrival(r))
	question(w, options, err)
}

// askStepUp puts the question of a step-up.
func (p *Pages) askStepUp(w http.ResponseWriter, r *http.Request) {
	options, err := p.o.Persons.AskStepUp(r.Context(), p.asks(r).Session)
	question(w, options, err)
}

// askFirstPasskey puts the question of the page behind an enrolment link.
func (p *Pages) askFirstPasskey(w http.ResponseWriter, r *http.Request) {
	options, err := p.o.Persons.AskFirstPasskey(r.Context(), r.PathValue("link"))
	question(w, options, err)
}

// askNewPasskey puts the question of a further passkey.
func (p *Pages) askNewPasskey(w http.ResponseWriter, r *http.Request) {
	options, err := p.o.Persons.AskNewPasskey(r.Context(), p.asks(r).Session)
	question(w, options, err)
}

// question answers a script: the options, or why there are none, as a sentence.
func question(w http.ResponseWriter, options []byte, err error) {
	if err != nil {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(outcome.Status(err))
		_, _ = io.WriteString(w, sentence(err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(options)
}

// ownPasskeys is the site of the session's passkeys, for a button; empty where the person has none.
func (p *Pages) ownPasskeys(r *http.Request) string {
	site := p.o.Persons.PasskeySite()
	if site == "" {
		return ""
	}
	if keys, err := p.o.Persons.Passkeys(r.Context(), session(r).Person.ID); err != nil || len(keys) == 0 {
		return ""
	}
	return site
}

// stepUpButton confirms by a passkey, in the form of an act.
func (p *Pages) stepUpButton(r *http.Request, into string) page.PasskeyButton {
	return page.PasskeyButton{Site: p.ownPasskeys(r), Ask: stepUpPath + "/passkey", Into: into, Words: "Confirm with your passkey", First: true}
}

// factorIn is the factor that came with the form of an act.
func (p *Pages) factorIn(r *http.Request) identity.Attempt {
	return identity.Attempt{Code: r.PostForm.Get("totp"), Passkey: []byte(r.PostForm.Get("passkey")), From: p.o.Browser.Arrival(r)}
}

func (p *Pages) recover(w http.ResponseWriter, r *http.Request) {
	p.draw(w, r, http.StatusOK, page.Recover(page.RecoverView{Banners: p.banners()}))
}

// doRecover takes a recovery code and leads to where a new factor is made.
func (p *Pages) doRecover(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	login := r.PostForm.Get("person")
	link, err := p.o.Persons.Recover(r.Context(), login, r.PostForm.Get("code"), p.o.Browser.Arrival(r))
	var stopped *outcome.Error
	if errors.As(err, &stopped) && stopped.Code != outcome.NoStore {
		p.draw(w, r, outcome.Status(err), page.Recover(page.RecoverView{Banners: p.banners(), Login: login, Problem: sentence(err)}))
		return
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	see(w, r, "/enrol/"+link.Token)
}
