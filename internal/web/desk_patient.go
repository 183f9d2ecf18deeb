package web

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// deskPatient is one patient as a desk knows her: who she is, how she is reached, when she comes.
func (p *Pages) deskPatient(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	open := p.o.Gate.Folder
	if printed(r) != nil {
		open = p.o.Gate.PrintFolder
	}
	c, err := open(r.Context(), who, r.PathValue("patient"), "Appointment", "RelatedPerson")
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, c.Entry)
	p.name(r.Context(), w, who, c)
	now := p.now()
	v := page.DeskPatientView{Shell: withEntry(p.shell(r, "Patient at the desk", atTheDesk), c.Entry), Path: "/desk/patients/" + c.PatientID}
	v.Shell.Sheet = p.sheet(r, c, printed(r))
	if c.Patient != nil {
		root := c.Patient.Root()
		v.Name, v.Version = cmp.Or(access.HumanName(root.Get("name")), "Name not known"), c.Patient.VersionID()
		v.Facts = whoIs(root, now)
		v.Contact = contactOf(root)
	}
	for _, d := range c.Docs["RelatedPerson"] {
		root := d.Root()
		v.Kin = append(v.Kin, page.Item{Title: cmp.Or(access.HumanName(root.Get("name")), "Name not known"), Sub: join(", ", capital(words(root.Path("relationship"))), telecomOf(root, "phone"))})
	}
	type dated struct {
		page.DeskRow
		at time.Time
	}
	var list []dated
	for _, d := range c.Docs["Appointment"] {
		root := d.Root()
		status := root.Get("status").Text()
		if withdrawn(root) {
			continue
		}
		at := momentOf(p.o.Zone, root.Get("start"))
		row := dated{page.DeskRow{When: at.whole(), Name: bookedWhere(root), With: bookedWith(root), State: cmp.Or(bookedWords[status], status)}, at.at}
		if slices.Contains(deskStates[0].states, status) && days(at.at, now) == 0 {
			row.CheckIn = d.ID()
		}
		list = append(list, row)
	}
	slices.SortStableFunc(list, func(a, b dated) int { return b.at.Compare(a.at) })
	for i, x := range list {
		if i < shownBookings {
			v.Bookings = append(v.Bookings, x.DeskRow)
		}
	}
	v.BookingsAll = len(list)
	p.draw(w, r, http.StatusOK, page.DeskPatient(v))
}

const shownBookings = 12

// whoIs are the facts by which a patient is told from another.
func whoIs(root document.Node, now time.Time) []look.Fact {
	born := momentOf(now.Location(), root.Get("birthDate"))
	out := []look.Fact{{Name: "Born", Value: cmp.Or(born.day().Text(), "not known")}, {Name: "Sex", Value: cmp.Or(capital(root.Get("gender").Text()), "not known")}}
	if lang := words(root.Path("communication", "language")); lang != "" {
		out = append(out, look.Fact{Name: "Language", Value: lang})
	}
	if root.Get("deceasedDateTime").Exists() || root.Get("deceasedBoolean").Bool() {
		out = append(out, look.Fact{Name: "Died", Value: cmp.Or(momentOf(now.Location(), root.Get("deceasedDateTime")).day().Text(), "yes"), Tone: look.Warn})
	}
	return out
}

// contactOf reads how a patient is reached: the first phone, mail and address.
func contactOf(root document.Node) (v page.RegisterView) {
	v.Phone, v.Mail = telecomOf(root, "phone"), telecomOf(root, "email")
	address := root.Path("address")
	var lines []string
	for l := range address.Get("line").Items() {
		lines = append(lines, l.Text())
	}
	v.Street, v.City, v.Postcode = strings.Join(lines, ", "), address.Get("city").Text(), address.Get("postalCode").Text()
	return v
}

func telecomOf(root document.Node, system string) string {
	for t := range root.Get("telecom").Items() {
		if t.Get("system").Text() == system {
			return t.Get("value").Text()
		}
	}
	return ""
}

// amendContact keeps how a patient is reached. What stands beside it, such as a second phone, stays.
func (p *Pages) amendContact(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	id := r.PathValue("patient")
	v := typedPatient(r)
	version, _ := strconv.ParseInt(r.PostForm.Get("version"), 10, 64) // none asks for none
	found, err := p.o.Gate.Read(r.Context(), who, "Patient", id)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, found.Entry)
	elements, err := contactElements(found.Docs[0].Root(), v)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	done, err := p.o.Gate.Amend(r.Context(), who, "Patient", id, version, elements)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, done.Entry)
	see(w, r, "/desk/patients/"+id)
}

// contactElements are telecom and address with the typed values in place of the first of each.
func contactElements(root document.Node, v page.RegisterView) (map[string]string, error) {
	telecom, err := objects(root.Get("telecom"))
	if err != nil {
		return nil, err
	}
	for system, value := range map[string]string{"phone": v.Phone, "email": v.Mail} {
		i := slices.IndexFunc(telecom, func(t map[string]any) bool { return t["system"] == system })
		switch {
		case i >= 0 && value != "":
			telecom[i]["value"] = value
		case i >= 0:
			telecom = slices.Delete(telecom, i, i+1)
		case value != "":
			telecom = append(telecom, map[string]any{"system": system, "value": value})
		}
	}
	address, err := objects(root.Get("address"))
	if err != nil {
		return nil, err
	}
	switch typed := v.Street+v.City+v.Postcode != ""; {
	case len(address) > 0 && typed:
		placed(address[0], v)
	case len(address) > 0:
		address = address[1:]
	case typed:
		address = append(address, placed(map[string]any{"use": "home"}, v))
	}
	out := map[string]string{"telecom": "", "address": ""}
	for name, list := range map[string][]map[string]any{"telecom": telecom, "address": address} {
		if len(list) == 0 {
			continue
		}
		b, err := json.Marshal(list)
		if err != nil {
			return nil, err
		}
		out[name] = string(b)
	}
	return out, nil
}

// objects decodes a list of objects; nothing for what is not there.
func objects(n document.Node) (out []map[string]any, err error) {
	if n.Exists() {
		err = json.Unmarshal(n.Raw(), &out)
	}
	return out, err
}
