package web

import (
	"net/http"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

const mySignInPath = "/my-sign-in"

// mySignInRoutes are how a person signs in: passkeys, recovery codes, and what was done to them.
func (p *Pages) mySignInRoutes() []access.Route {
	return []access.Route{
		{Method: "GET", Pattern: mySignInPath, Action: ownSession, Handler: p.mySignIn},
		{Method: "POST", Pattern: mySignInPath + "/seen", Action: ownSession, Handler: p.seeNotices},
		{Method: "GET", Pattern: mySignInPath + "/passkey", Action: ownSession, Handler: p.addPasskey},
		{Method: "POST", Pattern: mySignInPath + "/passkey", Action: ownSession, Handler: p.doAddPasskey},
		{Method: "POST", Pattern: mySignInPath + "/passkey/ask", Action: ownSession, Handler: p.askNewPasskey},
		{Method: "POST", Pattern: mySignInPath + "/passkeys/{passkey}", Action: ownSession, Handler: p.changePasskey},
		{Method: "POST", Pattern: mySignInPath + "/password", Action: ownSession, Handler: p.removePassword},
		{Method: "POST", Pattern: mySignInPath + "/recovery", Action: ownSession, Handler: p.newCodes},
	}
}

func (p *Pages) mySignIn(w http.ResponseWriter, r *http.Request) {
	p.asks(r)
	p.mySignInPage(w, r, http.StatusOK, "")
}

func (p *Pages) mySignInPage(w http.ResponseWriter, r *http.Request, status int, problem string) {
	s := session(r)
	ctx, persons := r.Context(), p.o.Persons
	keys, err := persons.Passkeys(ctx, s.Person.ID)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	password, err := persons.HasPassword(ctx, s)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	codes, err := persons.Recovery(ctx, s)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	notices, err := persons.Notices(ctx, s)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	v := page.MySignInView{Shell: p.shell(r, "My sign-in", ""), Possible: persons.PasskeySite() != "", Password: password, HasCodes: !codes.Made.IsZero(),
		Recovery: "None", Codes: p.codes.take(s.ID, mySignInPath, p.now()), Problem: problem}
	if v.Account, err = p.accountLine(r); err != nil {
		p.fail(w, r, err)
		return
	}
	if v.HasCodes {
		v.Recovery = look.Plural(int64(codes.Left), "code", "codes") + " left, made " + look.Moment(codes.Made.In(p.o.Zone)).Text()
	}
	for _, n := range notices {
		v.Told = append(v.Told, page.ToldLine{What: toldWords[n.Kind], When: look.Moment(n.At.In(p.o.Zone)), Seen: !n.Seen.IsZero()})
		v.Unseen = v.Unseen || n.Seen.IsZero() && !n.Own
		v.Own = v.Own || n.Seen.IsZero() && n.Own
	}
	for _, k := range keys {
		line := page.PasskeyLine{ID: k.ID, Name: k.Name, Kind: "Synced to your other devices by their maker", Suspect: k.Suspect,
			Made: look.Recent(k.Made.In(p.o.Zone), p.now()), Used: look.Recent(k.Used.In(p.o.Zone), p.now())}
		if k.Bound {
			line.Kind = "Bound to one device"
		}
		v.Passkeys = append(v.Passkeys, line)
	}
	p.draw(w, r, status, page.MySignIn(v))
}

// toldWords say what was done to a person's sign-in, to that person.
var toldWords = map[string]string{
	"passkey-add": "A passkey was added", "passkey-remove": "A passkey was removed", "passkey-suspect": "A passkey was closed: there may be a copy of it",
	"password-remove": "Password and authenticator were removed", "recovery-codes": "New recovery codes were made", "recovery-use": "A recovery code was used",
	"provider-link": "A hospital account was linked", "provider-unlink": "The link to a hospital account was removed",
	"act-as": "A colleague began to act as you",
	"enrol":  "A new factor was set after a recovery code",
}

// changing reads the form of a change to the own sign-in and the factor that came along; where a fresh one is missing it asks for one and
// repeats the same request. Then ok is false and the request is answered.
func (p *Pages) changing(w http.ResponseWriter, r *http.Request) (s *identity.Session, ok bool) {
	who := p.asks(r)
	if r.Method == http.MethodPost {
		if err := form(w, r); err != nil {
			p.fail(w, r, err)
			return nil, false
		}
		var err error
		if who, err = p.confirmed(r, who); err != nil {
			p.askFactor(w, r, err)
			return nil, false
		}
	}
	if p.o.Persons.Fresh(who.Session) != nil {
		p.askFactorFor(w, r, nil, "This changes how you sign in, so a passkey or a code is asked for again.")
		return nil, false
	}
	return who.Session, true
}

// changed leads back to the page, or shows there why nothing was changed.
func (p *Pages) changed(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case err == nil:
		see(w, r, mySignInPath)
	case outcome.Is(err, outcome.Conflict), outcome.Is(err, outcome.Value), outcome.Is(err, outcome.NotFound):
		p.mySignInPage(w, r, outcome.Status(err), sentence(err))
	default:
		p.fail(w, r, err)
	}
}

func (p *Pages) seeNotices(w http.ResponseWriter, r *http.Request) {
	p.changed(w, r, p.o.Persons.SeeNotices(r.Context(), p.asks(r).Session))
}

func (p *Pages) addPasskey(w http.ResponseWriter, r *http.Request) {
	if p.o.Persons.PasskeySite() == "" {
		see(w, r, mySignInPath)
		return
	}
	if _, ok := p.changing(w, r); ok {
		p.draw(w, r, http.StatusOK, page.AddPasskey(page.AddPasskeyView{Shell: p.shell(r, "Add a passkey", ""), Site: p.o.Persons.PasskeySite()}))
	}
}

func (p *Pages) doAddPasskey(w http.ResponseWriter, r *http.Request) {
	s, ok := p.changing(w, r)
	if !ok {
		return
	}
	_, err := p.o.Persons.AddPasskey(r.Context(), s, r.PostForm.Get("name"), []byte(r.PostForm.Get("passkey")))
	if outcome.Is(err, outcome.Value) || outcome.Is(err, outcome.Login) || outcome.Is(err, outcome.Duplicate) {
		p.draw(w, r, outcome.Status(err), page.AddPasskey(page.AddPasskeyView{Shell: p.shell(r, "Add a passkey", ""), Site: p.o.Persons.PasskeySite(), Problem: sentence(err)}))
		return
	}
	p.changed(w, r, err)
}

func (p *Pages) changePasskey(w http.ResponseWriter, r *http.Request) {
	s, ok := p.changing(w, r)
	if !ok {
		return
	}
	id := r.PathValue("passkey")
	switch r.PostForm.Get("act") {
	case "rename":
		p.changed(w, r, p.o.Persons.RenamePasskey(r.Context(), s, id, r.PostForm.Get("name")))
	case "remove":
		p.changed(w, r, p.o.Persons.RemovePasskey(r.Context(), s, id))
	default:
		p.changed(w, r, outcome.New(outcome.Value, "choose whether to rename or to remove it").At("act"))
	}
}

func (p *Pages) removePassword(w http.ResponseWriter, r *http.Request) {
	if s, ok := p.changing(w, r); ok {
		p.changed(w, r, p.o.Persons.RemovePassword(r.Context(), s))
	}
}

// newCodes makes ten recovery codes and shows them one time.
func (p *Pages) newCodes(w http.ResponseWriter, r *http.Request) {
	s, ok := p.changing(w, r)
	if !ok {
		return
	}
	codes, err := p.o.Persons.NewRecoveryCodes(r.Context(), s)
	if err == nil {
		p.codes.keep(s.ID, mySignInPath, p.now(), codes)
	}
	p.changed(w, r, err)
}
