package web

import (
	"cmp"
	"net/http"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

const myDevicesPath = "/my-devices"

// myDevicesRoutes are where a person is signed in, and how she ends that.
func (p *Pages) myDevicesRoutes() []access.Route {
	return []access.Route{
		{Method: "GET", Pattern: myDevicesPath, Action: ownSession, Handler: p.myDevices},
		{Method: "POST", Pattern: myDevicesPath + "/{session}/end", Action: ownSession, Handler: p.endMySession},
		{Method: "POST", Pattern: myDevicesPath + "/end-others", Action: ownSession, Handler: p.endMyOthers},
		{Method: "POST", Pattern: myDevicesPath + "/register", Action: ownSession, Handler: p.askDevice},
		{Method: "POST", Pattern: myDevicesPath + "/{item}/withdraw", Action: ownSession, Handler: p.withdrawDevice},
	}
}

func (p *Pages) myDevices(w http.ResponseWriter, r *http.Request) {
	p.asks(r)
	p.myDevicesPage(w, r, http.StatusOK, "")
}

func (p *Pages) myDevicesPage(w http.ResponseWriter, r *http.Request, status int, problem string) {
	own := session(r)
	sessions, err := p.o.Persons.Sessions(r.Context(), own.Person.ID)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	used, err := p.o.Persons.UsedDevices(r.Context(), own.Person.ID)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	v := page.MyDevicesView{Shell: p.shell(r, "My sessions and devices", ""), Ended: p.ended.take(own.ID, myDevicesPath, p.now()), Problem: problem}
	for _, s := range sessions {
		line := page.SessionHere{ID: s.ID, Browser: browserOf(s.Browser), Device: lower(deviceWords[s.Trust]), Place: placeWords(s.Zone), Proof: lower(assuranceWords[s.AAL]),
			Since: look.Recent(s.Created.In(p.o.Zone), p.now()), Last: look.Recent(s.Seen.In(p.o.Zone), p.now()), Locked: s.Locked}
		if s.Registered != "" {
			if st, err := p.o.Persons.Posture(s.Registered); err == nil {
				if line.Posture = missing(st); line.Posture == "" {
					line.Posture = upper(strings.Join(st.Words(p.now()), ", "))
				}
			}
		}
		if len(s.Person.Capacities()) > 1 {
			line.As = capacityWords[s.Capacity]
		}
		if s.ID == own.ID {
			v.Here = line
			continue
		}
		v.Others = append(v.Others, line)
	}
	for _, d := range used {
		v.Used = append(v.Used, page.UsedLine{Browser: browserOf(d.Browser), Place: placeWords(d.Zone), Times: look.Plural(int64(d.Sessions), "sign-in", "sign-ins"),
			First: look.Recent(d.First.In(p.o.Zone), p.now()), Last: look.Recent(d.Last.In(p.o.Zone), p.now()), Here: d.Device != "" && d.Device == own.Device})
	}
	if err := p.deviceAsks(r, &v); err != nil {
		p.fail(w, r, err)
		return
	}
	p.draw(w, r, status, page.MyDevices(v))
}

// deviceAsks fills in what the person asked to be registered, and whether she may ask for this device.
func (p *Pages) deviceAsks(r *http.Request, v *page.MyDevicesView) error {
	asks, may, err := p.o.Gate.DeviceAsks(r.Context(), access.PrincipalFrom(r.Context()))
	if err != nil {
		return err
	}
	if may {
		v.Nonce = p.o.Persons.DeviceNonce(identity.ToEnrol)
	}
	for _, a := range asks {
		line := page.DeviceAskLine{Name: a.Device, When: look.Recent(a.Asked.In(p.o.Zone), p.now()), Here: a.Here}
		switch {
		case a.State == "open":
			line.ID, line.Says = a.ID, "An administrator has not answered yet. It lapses "+look.Exact(a.Lapses.In(p.o.Zone)).Text()+"."
		case a.State == "approved":
			line.Says = p.nameOf(r, a.DecidedBy) + " agreed: it is registered in a moment."
		case a.State == "refused":
			line.Says = p.nameOf(r, a.DecidedBy) + " declined to register it."
		case a.Registered:
			line.Says = p.nameOf(r, a.DecidedBy) + " agreed: it is a device of the house."
		default:
			line.Says = p.nameOf(r, a.DecidedBy) + " agreed, and it is no device of the house: it was lost, taken out of service or registered otherwise."
		}
		v.Asked = append(v.Asked, line)
	}
	return nil
}

// askDevice asks an administrator to register the browser at which the person sits.
func (p *Pages) askDevice(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	_, err := p.o.Gate.AskDevice(r.Context(), p.asks(r), r.PostForm.Get("name"), r.PostForm.Get("reason"), p.arrival(r))
	p.toldMyDevices(w, r, "An administrator is asked to register this device.", err)
}

func (p *Pages) withdrawDevice(w http.ResponseWriter, r *http.Request) {
	p.toldMyDevices(w, r, "The request was withdrawn.", p.o.Gate.WithdrawDevice(r.Context(), p.asks(r), r.PathValue("item")))
}

// toldMyDevices leads back to the list, or shows there what is to be mended.
func (p *Pages) toldMyDevices(w http.ResponseWriter, r *http.Request, said string, err error) {
	switch {
	case err == nil:
		p.ended.keep(session(r).ID, myDevicesPath, p.now(), said)
		see(w, r, myDevicesPath)
	case mendable(err), outcome.Is(err, outcome.NotFound), outcome.Is(err, outcome.Conflict):
		p.myDevicesPage(w, r, outcome.Status(err), sentence(err))
	default:
		p.fail(w, r, err)
	}
}

func browserOf(words string) string { return cmp.Or(words, "A browser that is not known") }

func lower(words string) string {
	if words == "" {
		return ""
	}
	return strings.ToLower(words[:1]) + words[1:]
}

// placeWords say where a zone is; a place within one is named. Empty where that is not known.
func placeWords(zone string) string {
	zone, place, _ := strings.Cut(zone, "/")
	words := zoneWords[zone]
	if words != "" && place != "" {
		words += ", " + place
	}
	return words
}

// endMySession ends one session of the person, wherever it is.
func (p *Pages) endMySession(w http.ResponseWriter, r *http.Request) {
	own, id := p.asks(r).Session, r.PathValue("session")
	if id == own.ID {
		p.signOut(w, r)
		return
	}
	err := p.o.Persons.EndSession(r.Context(), own.Agent(), own.Person.ID, id)
	if outcome.Is(err, outcome.NotFound) {
		p.myDevicesPage(w, r, http.StatusNotFound, sentence(err))
		return
	}
	p.endedMine(w, r, own, 1, err)
}

func (p *Pages) endMyOthers(w http.ResponseWriter, r *http.Request) {
	own := p.asks(r).Session
	n, err := p.o.Persons.EndOthers(r.Context(), own)
	p.endedMine(w, r, own, n, err)
}

func (p *Pages) endedMine(w http.ResponseWriter, r *http.Request, own *identity.Session, n int, err error) {
	if err != nil {
		p.fail(w, r, err)
		return
	}
	said := look.Plural(int64(n), "session was", "sessions were") + " ended."
	if n == 0 {
		said = "You were signed in nowhere else."
	}
	p.ended.keep(own.ID, myDevicesPath, p.now(), said)
	see(w, r, myDevicesPath)
}
