package web

import (
	"encoding/json"
	"io"
	"net/http"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
)

// machineRoutes are what a device's machine itself asks: a program without a session, which proves its key (docs/formats/device-posture.md).
func (p *Pages) machineRoutes() []access.Route {
	return []access.Route{
		{Method: "POST", Pattern: "/device/machine/nonce", Public: true, Handler: p.machineNonce},
		{Method: "POST", Pattern: "/device/machine/enrol", Public: true, Handler: p.enrolMachine},
		{Method: "POST", Pattern: "/device/machine/browser", Public: true, Handler: p.tieBrowser},
		{Method: "POST", Pattern: "/device/machine/report", Public: true, Handler: p.takeReport},
	}
}

// ofMachine reads the form of a machine, which is small.
func (p *Pages) ofMachine(w http.ResponseWriter, r *http.Request) (from identity.Arrival, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, 8<<10)
	if err := r.ParseForm(); err != nil {
		return from, outcome.Wrap("web: machine", outcome.TooLong, "send a form of at most 8 KiB", err)
	}
	from = p.o.Browser.Arrival(r)
	from.Device, from.Browser, from.Proof = "", "", r.PostForm.Get("proof")
	return from, nil
}

// tellMachine answers a program: JSON, or one line that says what to do.
func tellMachine(w http.ResponseWriter, answer any, err error) {
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		http.Error(w, sentence(err), outcome.Status(err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

func (p *Pages) machineNonce(w http.ResponseWriter, r *http.Request) {
	if _, err := p.ofMachine(w, r); err != nil {
		tellMachine(w, nil, err)
		return
	}
	device := r.PostForm.Get("device")
	purpose := map[string]string{"enrol": identity.ToEnrolMachine, "report": identity.ToReport(device), "browser": identity.ToTieBrowser(device)}[r.PostForm.Get("for")]
	if purpose == "" || len(device) > 16 {
		tellMachine(w, nil, outcome.New(outcome.Value, "say what the nonce is for: enrol, report or browser").At("for"))
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, p.o.Persons.DeviceNonce(purpose))
}

// tiesBrowser is an address for a browser of the machine.
type tiesBrowser struct {
	Device  string `json:"device,omitempty"`
	Name    string `json:"name,omitempty"`
	Browser string `json:"browser"`
	Until   string `json:"until"`
}

func (p *Pages) tieAt(d identity.Device, c identity.DeviceCode) tiesBrowser {
	return tiesBrowser{d.ID, d.Name, p.o.Base + "/device/" + c.Token, c.Expires.UTC().Format(time.RFC3339)}
}

func (p *Pages) enrolMachine(w http.ResponseWriter, r *http.Request) {
	from, err := p.ofMachine(w, r)
	if err != nil {
		tellMachine(w, nil, err)
		return
	}
	d, c, err := p.o.Persons.EnrolMachine(r.Context(), r.PostForm.Get("code"), from)
	tellMachine(w, p.tieAt(d, c), err)
}

func (p *Pages) tieBrowser(w http.ResponseWriter, r *http.Request) {
	from, err := p.ofMachine(w, r)
	if err != nil {
		tellMachine(w, nil, err)
		return
	}
	c, err := p.o.Persons.TieBrowser(r.Context(), r.PostForm.Get("device"), from)
	tellMachine(w, p.tieAt(identity.Device{}, c), err)
}

func (p *Pages) takeReport(w http.ResponseWriter, r *http.Request) {
	from, err := p.ofMachine(w, r)
	if err != nil {
		tellMachine(w, nil, err)
		return
	}
	st, err := p.o.Persons.ReportPosture(r.Context(), r.PostForm.Get("report"), r.PostForm.Get("signature"), from)
	answer := struct {
		Trust string   `json:"trust"`
		Lacks []string `json:"lacks"`
		Until string   `json:"until"`
	}{identity.DeviceManaged, st.Lacks, st.Until.UTC().Format(time.RFC3339)}
	if len(st.Lacks) > 0 {
		answer.Trust = identity.DeviceRegistered
	} else {
		answer.Lacks = []string{}
	}
	tellMachine(w, answer, err)
}
