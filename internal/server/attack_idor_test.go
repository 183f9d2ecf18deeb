package server_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"
)

// pair is an object of somebody else, and one like it that does not exist.
type pair struct{ there, missing string }

// like is an id of the same form that nobody has.
func like(id string) string {
	if len(id) < 8 {
		return "99999"
	}
	half := len(id) / 2
	return id[half:] + id[:half]
}

// foreign gives, for each wildcard of the routes, what stands there that is not the attacker's. A wildcard that is not here is tried with
// everything that is.
func (b *besieged) foreign() map[string][]pair {
	of := func(ids ...string) (out []pair) {
		for _, id := range ids {
			out = append(out, pair{id, like(id)})
		}
		return out
	}
	at := strings.LastIndexByte(b.entry, '/')
	pending, _ := b.Persons.Pending(b.ctx)
	items := slices.Clone(b.approvals)
	for _, p := range pending {
		items = append(items, p.ID)
	}
	return map[string][]pair{
		"session": of(b.session.ID), "authorization": of(b.authorized), "person": of(b.victim.Person.Person, b.leaver), "item": of(items...), "case": of(b.case_.ID), "review": of(b.review),
		"question": of(b.question), "entry": {{b.entry, b.entry[:at] + "/999999"}}, "{entry}": {{b.entry[at+1:], "999999"}}, "link": of(b.link), "patient": of(b.maren), "note": of(b.note), "document": of(b.note),
		"id": of(b.condition), "vid": {{"1", "7"}}, "passkey": of(b.authorized), "appointment": of(b.appointment),
	}
}

// anyForm is a form that has something for each handler, so that no complaint about a missing field hides what it would have done.
func anyForm(act string) string {
	f := url.Values{"text": {"because"}, "reason": {"because"}, "why": {"because"}, "name": {"Mallory"}, "title": {"x"}, "note": {"x"}, "code": {"emergency"}, "answer": {"yes"}, "outcome": {"explained"},
		"verdict": {"explained"}, "decision": {"approve"}, "role": {"physician"}, "mail": {"eve@example.org"}, "kind": {"x"}, "version": {"1"}, "password": {"correct horse battery"}, "again": {"correct horse battery"}, "totp": {"123456"}}
	if act != "" {
		f.Set("act", act)
	}
	return f.Encode()
}

var acts = []string{"", "approve", "refuse", "decline", "withdraw", "take", "close", "names", "remove", "rename", "explained"}

// serves reports whether a route is the daily work of an attacker's role, whoever the object belongs to.
func (b *besieged) serves(t *testing.T, name string, route access.Route) bool {
	switch {
	case strings.HasPrefix(route.Pattern, "/desk"):
		return name == identity.FrontDesk
	case strings.HasPrefix(route.Pattern, "/billing"):
		return name == identity.Billing
	case strings.HasPrefix(route.Pattern, "/approvals"), strings.HasPrefix(route.Pattern, "/admin/pending"): // administrators agree by "people" (ADR 210)
		return name == identity.Administrator || name == identity.Privacy
	case strings.HasPrefix(route.Pattern, "/fhir"):
		return name == identity.FrontDesk || name == identity.Billing
	case strings.HasPrefix(route.Pattern, "/enrol"): // who holds the link is whom it is for
		return true
	}
	return b.may(t, name, route.Action)
}

// Whoever asks any route for an object of somebody else gets what he would get if there were no such object: no content, no change, and no
// word by which the one could be told from the other. That a closed chart exists is told to those who may break the glass, for they
// are offered it, and to those who receive patients and bill them; and to nobody else.
func TestIDOROverEveryRoute(t *testing.T) {
	if testing.Short() {
		t.Skip("walks every route: runs without -short")
	}
	b := besiege(t)
	before := b.state(t)
	foreign := b.foreign()
	everything := slices.Concat(slices.Collect(maps.Values(foreign))...)
	treats := []string{identity.Physician, identity.Nurse, identity.MedicalAssistant, identity.Pharmacist, identity.Technician, "own physician"}
	desks := []string{identity.FrontDesk, identity.Billing} // find every patient by name
	asked, routes, told := 0, 0, map[string]bool{}
	for _, route := range b.Routes() {
		wild := wildcard.FindAllString(route.Pattern, -1)
		wild = slices.DeleteFunc(wild, func(w string) bool { return w == "{$}" || w == "{type}" })
		if len(wild) == 0 || route.Public && !strings.HasPrefix(route.Pattern, "/enrol") || strings.HasPrefix(route.Pattern, "/scim") {
			continue
		}
		routes++
		for _, w := range wild {
			name := strings.Trim(w, "{}.")
			if w == "{entry}" { // the number alone, in the log of this node
				name = w
			}
			pairs, known := foreign[name]
			if !known {
				t.Logf("%s: nothing here says what %s is; it is tried with everything", route.Pattern, w)
				pairs = everything
			}
			fill := func(p string, own bool) string {
				return wildcard.ReplaceAllStringFunc(route.Pattern, func(x string) string {
					other := strings.Trim(x, "{}.")
					switch {
					case x == w:
						return p
					case x == "{$}":
						return ""
					case x == "{type}":
						return "Condition"
					case x == "{patient}" && own:
						return b.otto
					}
					if o, ok := foreign[other]; ok {
						return o[0].there
					}
					return "x"
				})
			}
			for _, who := range slices.Sorted(maps.Keys(b.attackers)) {
				if b.serves(t, who, route) {
					continue
				}
				for _, p := range pairs {
					for _, own := range []bool{false, true} {
						if own && (name == "patient" || !strings.Contains(route.Pattern, "{patient}")) {
							continue
						}
						forms := acts
						if route.Method != "POST" || !slices.Contains([]string{"item", "case", "review", "passkey"}, name) {
							forms = acts[:1]
						}
						for _, act := range forms {
							got, none := b.tries(t, who, route.Method, fill(p.there, own), act), b.tries(t, who, route.Method, fill(p.missing, own), act)
							asked += 2
							what := who + ": " + route.Method + " " + route.Pattern + " " + w + " " + act
							for _, secret := range []string{"Sarkoidose", "U2Fya29pZG9zZ", "Lindqvist, Anna", b.access} {
								if strings.Contains(got.Body, secret) {
									t.Errorf("%s: the answer holds %q", what, secret)
								}
							}
							if slices.Contains(treats, who) && (name == "patient" || name == "id" || name == "vid") || slices.Contains(desks, who) && name == "patient" {
								continue
							}
							if x, y := blind(got, p.there, p.missing), blind(none, p.there, p.missing); x != y && !told[route.Pattern+w] {
								told[route.Pattern+w] = true
								t.Errorf("%s: what exists can be told from what does not:\n%s\n---\n%s", what, differ(x, y), differ(y, x))
							}
						}
					}
				}
			}
		}
	}
	t.Log(routes, "routes,", asked, "requests")
	if routes < 40 {
		t.Error("that is too few routes")
	}
	if after := b.state(t); after != before {
		t.Errorf("something of somebody else changed:\n%s\n---\n%s", differ(before, after), differ(after, before))
	}
}

func (b *besieged) tries(t *testing.T, who, method, path, act string) servertest.Answer {
	t.Helper()
	header := []string{"Accept", "text/html"}
	body := ""
	switch {
	case strings.HasPrefix(path, "/fhir") && (method == "POST" || method == "PUT"):
		id := path[strings.LastIndexByte(path, '/')+1:]
		body = `{"resourceType":"Condition","id":"` + id + `","subject":{"reference":"Patient/` + b.maren + `"},"code":{"text":"taken over"}}`
		header = nil
	case method == "PATCH":
		body, header = `[{"op":"replace","path":"/code/text","value":"taken over"}]`, []string{"Content-Type", "application/json-patch+json"}
	case method == "POST":
		body, header = anyForm(act), []string{"Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html"}
	}
	if method == "" {
		method = "GET"
	}
	return b.attackers[who].Do(t, method, path, body, header...)
}

// differ is where two texts part.
func differ(a, than string) string {
	i := 0
	for i < len(a) && i < len(than) && a[i] == than[i] {
		i++
	}
	return a[max(0, i-80):min(len(a), i+240)]
}

// state is everything of the victim that an attacker could have changed.
func (b *besieged) state(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	for _, path := range []string{"/fhir/Condition/" + b.condition + "/_history", "/fhir/DocumentReference/" + b.note + "/_history", "/fhir/Patient/" + b.maren} {
		a := b.victim.Get(t, path)
		if a.Status != http.StatusOK {
			t.Fatalf("the victim lost %s: %d %s", path, a.Status, a.Body)
		}
		out.WriteString(a.Body + "\n")
	}
	ctx := t.Context()
	people, err := b.Persons.People(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range people {
		out.WriteString(p.ID + " " + p.Name + " " + string(p.State) + " " + strings.Join(p.Roles, ",") + p.Mail + p.Manager + "\n")
	}
	for _, id := range b.approvals {
		if it, err := b.Persons.Act(ctx, id); err == nil {
			out.WriteString(it.State + it.By + "\n")
		}
	}
	pending, err := b.Persons.Pending(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pending {
		out.WriteString(p.ID + p.State + "\n")
	}
	apps, err := b.Persons.Authorizations(ctx, b.victim.Person.Person)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range apps {
		out.WriteString(a.ID + "\n")
	}
	sessions, err := b.Persons.Sessions(ctx, b.victim.Person.Person)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sessions {
		out.WriteString(s.ID + "\n")
	}
	if f, err := b.Office.Store.Case(ctx, b.case_.ID); err == nil {
		out.WriteString(string(f.State) + f.Owner + f.Outcome + "\n")
	}
	return strings.NewReplacer(b.URL, "").Replace(out.String())
}
