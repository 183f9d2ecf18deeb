package web

import (
	"io"
	"net/http"
	"slices"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

const (
	atDevices   = "Devices"
	devicesPath = "/admin/devices"
)

// deviceRoutes are the registry of devices, and how a device joins it and proves itself.
func (p *Pages) deviceRoutes() []access.Route {
	return []access.Route{
		{Method: "GET", Pattern: devicesPath, Action: policy.SettingsRead, Handler: p.devices},
		{Method: "POST", Pattern: devicesPath, Action: policy.Settings, Handler: p.newDeviceCode},
		{Method: "POST", Pattern: devicesPath + "/here", Action: policy.Settings, Handler: p.registerHere},
		{Method: "POST", Pattern: devicesPath + "/{device}", Action: policy.Settings, Handler: p.changeDevice},
		{Method: "GET", Pattern: "/device/{code}", Public: true, Handler: p.enrolDevice},
		{Method: "POST", Pattern: "/device/{code}", Public: true, Handler: p.doEnrolDevice},
		{Method: "POST", Pattern: "/device/nonce", Public: true, Handler: p.deviceNonce},
		{Method: "POST", Pattern: "/device/proof", Action: ownSession, Handler: p.deviceProof},
	}
}

// arrival is where a form comes from, with what its device proved.
func (p *Pages) arrival(r *http.Request) identity.Arrival {
	from := p.o.Browser.Arrival(r)
	from.Proof = r.PostForm.Get("device")
	return from
}

// deviceNonce gives a device something to sign: for the session where there is one, else for the sign-in of this browser; nothing where
// nothing is due.
func (p *Pages) deviceNonce(w http.ResponseWriter, r *http.Request) {
	purpose := identity.AtBrowser(p.o.Browser.Arrival(r).Device)
	if s := session(r); s != nil {
		if purpose = identity.OfSession(s); !p.o.Persons.ProofDue(s) {
			purpose = ""
		}
	}
	if purpose == "" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, p.o.Persons.DeviceNonce(purpose))
}

func (p *Pages) deviceProof(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	if err := p.o.Persons.ProveDevice(r.Context(), session(r), p.arrival(r)); err != nil && !outcome.Is(err, outcome.Login) {
		p.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent) // a device that is not registered is no error: it stays unknown
}

func (p *Pages) devices(w http.ResponseWriter, r *http.Request) {
	p.devicesPage(w, r, http.StatusOK, "")
}

var deviceMarks = map[string]look.Mark{identity.DeviceLost: {Tone: look.Crit, Icon: "triangle-alert", Text: "Lost"}, identity.DeviceRetired: {Text: "Out of service"}}

func (p *Pages) devicesPage(w http.ResponseWriter, r *http.Request, status int, problem string) {
	entry, err := p.o.Gate.ReadSettings(r.Context(), p.asks(r))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, entry)
	list, err := p.o.Persons.Devices(r.Context())
	if err != nil {
		p.fail(w, r, err)
		return
	}
	people, err := p.o.Persons.People(r.Context())
	if err != nil {
		p.fail(w, r, err)
		return
	}
	own := session(r)
	said := p.deviceSaid.take(own.ID, devicesPath, p.now())
	v := page.DevicesView{Shell: withEntry(p.shell(r, atDevices, atDevices), entry), May: administers(own), Nonce: p.o.Persons.DeviceNonce(identity.ToEnrol), Code: said.code, Done: said.done, Problem: problem}
	for _, d := range list {
		line := page.DeviceLine{ID: d.ID, Name: d.Name, Mark: deviceMarks[d.State], Since: look.Recent(d.Changed.In(p.o.Zone), p.now()), Active: d.State == identity.DeviceRegistered,
			Lost: d.State == identity.DeviceLost, By: " on the command line"}
		if !line.Active {
			line.Since = look.Recent(d.Made.In(p.o.Zone), p.now())
		}
		if d.Last != nil && line.Active {
			line.Reported, line.At = upper(strings.Join(d.Last.Words(p.now()), ", ")), look.Recent(d.Last.Came.In(p.o.Zone), p.now())
			line.Lacks = missing(*d.Last)
		} else if d.Machine && line.Active {
			line.Lacks = "Not managed: its machine was enrolled and reported nothing yet."
		}
		if d.Managed() {
			line.Mark = look.Mark{Tone: look.OK, Icon: "check", Text: "Managed"}
		}
		if !d.Seen.IsZero() {
			line.Seen = look.Recent(d.Seen.In(p.o.Zone), p.now())
		}
		if i := slices.IndexFunc(people, func(o identity.Person) bool { return o.ID == d.By }); i >= 0 {
			line.By = " by " + shownName(people[i])
		}
		v.Devices = append(v.Devices, line)
	}
	p.draw(w, r, status, page.Devices(v))
}

// missing says why a device is not managed; empty where it is.
func missing(st identity.Standing) string {
	if len(st.Lacks) == 0 {
		return ""
	}
	return "Not managed: " + strings.Join(st.Lacks, "; ") + "."
}

// deviceSaid is what the page Devices shows one time after an act.
type deviceSaid struct {
	code *page.DeviceLink
	done string
}

// toldDevices leads back to the list, or shows there what is to be mended.
func (p *Pages) toldDevices(w http.ResponseWriter, r *http.Request, said deviceSaid, err error) {
	switch {
	case err == nil:
		p.deviceSaid.keep(session(r).ID, devicesPath, p.now(), said)
		see(w, r, devicesPath)
	case mendable(err), outcome.Is(err, outcome.NotFound), outcome.Is(err, outcome.Conflict):
		p.devicesPage(w, r, outcome.Status(err), sentence(err))
	default:
		p.fail(w, r, err)
	}
}

func (p *Pages) newDeviceCode(w http.ResponseWriter, r *http.Request) {
	if who, ok := p.permitted(w, r, policy.Settings); ok {
		p.codeFor(w, r, who, "", r.PostForm.Get("name"))
	}
}

func (p *Pages) codeFor(w http.ResponseWriter, r *http.Request, who access.Principal, device, name string) {
	c, err := p.o.Persons.MakeDeviceCode(r.Context(), who.Session.Agent(), device, name)
	p.toldDevices(w, r, deviceSaid{code: &page.DeviceLink{URL: p.o.Base + "/device/" + c.Token, Name: c.Name, Until: look.Moment(c.Expires.In(p.o.Zone))}}, err)
}

func (p *Pages) registerHere(w http.ResponseWriter, r *http.Request) {
	who, ok := p.permitted(w, r, policy.Settings)
	if !ok {
		return
	}
	d, err := p.o.Persons.RegisterDevice(r.Context(), who.Session, r.PostForm.Get("here"), p.arrival(r))
	p.toldDevices(w, r, deviceSaid{done: "This device is registered as " + d.Name + "."}, err)
}

func (p *Pages) changeDevice(w http.ResponseWriter, r *http.Request) {
	who, ok := p.permitted(w, r, policy.Settings)
	if !ok {
		return
	}
	id := r.PathValue("device")
	switch r.PostForm.Get("act") {
	case "code":
		p.codeFor(w, r, who, id, "")
	case "lost":
		n, err := p.o.Persons.LoseDevice(r.Context(), who.Session.Agent(), id, r.PostForm.Get("reason"))
		p.toldDevices(w, r, deviceSaid{done: "It is lost: " + look.Plural(int64(n), "session", "sessions") + " ended, and nobody signs in at it."}, err)
	case "retire":
		p.toldDevices(w, r, deviceSaid{done: "It is out of service and counts as unknown."}, p.o.Persons.RetireDevice(r.Context(), who.Session.Agent(), id))
	default:
		p.toldDevices(w, r, deviceSaid{}, outcome.New(outcome.Value, "choose what becomes of the device").At("act"))
	}
}

func (p *Pages) enrolDevice(w http.ResponseWriter, r *http.Request) {
	p.enrolDevicePage(w, r, http.StatusOK, "")
}

func (p *Pages) enrolDevicePage(w http.ResponseWriter, r *http.Request, status int, problem string) {
	c, err := p.o.Persons.ReadDeviceCode(r.PathValue("code"))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.draw(w, r, status, page.EnrolDevice(page.EnrolDeviceView{Banners: p.banners(), Code: r.PathValue("code"), Name: c.Name, Nonce: p.o.Persons.DeviceNonce(identity.ToEnrol), Problem: problem}))
}

func (p *Pages) doEnrolDevice(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	d, err := p.o.Persons.EnrolDevice(r.Context(), r.PathValue("code"), p.arrival(r))
	switch {
	case outcome.Is(err, outcome.Value):
		p.enrolDevicePage(w, r, http.StatusBadRequest, sentence(err))
	case err != nil:
		p.fail(w, r, err)
	default:
		p.draw(w, r, http.StatusOK, page.EnrolDevice(page.EnrolDeviceView{Banners: p.banners(), Name: d.Name, Done: true}))
	}
}
