package e2e

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	invented "chartwarden/internal/hospital"
	"chartwarden/internal/server/servertest"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// house is a demonstration of its own at an hour of the day, with all who work there.
type house struct {
	*process
	t      testing.TB
	world  *invented.World
	people map[string]employee // by key
	feed   *servertest.Client  // the admission system, by FHIR
	token  string
	played map[string]bool // who was somebody before
	away   *int            // how many patients are on file whom nothing brings here
}

// employee is somebody as the command line lists her.
type employee struct {
	ID           string `json:"person"`
	Name         string `json:"name"`
	Key          string `json:"sign_in_name"`
	Practitioner string `json:"practitioner"`
}

// around is a time zone in which it is that hour now.
func around(hour int) string {
	west := (time.Now().UTC().Hour() - hour + 24) % 24
	if west > 12 {
		west -= 24
	}
	return fmt.Sprintf("Etc/GMT%+d", west)
}

// newHouse starts the demonstration in a time zone in which it is that hour.
func newHouse(t testing.TB, hour int) house {
	t.Helper()
	needsBrowser(t)
	name := around(hour)
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "data")
	h := house{t: t, world: invented.Generate(invented.Options{Seed: 1, Size: invented.Small, Now: time.Now(), Zone: zone}), people: map[string]employee{}, played: map[string]bool{}, away: new(int)}
	if h.process, err = launch("demo", "--data", dir, "--time-zone", name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.stop)
	var list []employee
	if err := json.Unmarshal([]byte(run(t, "person", "list", "--data", dir, "--json")), &list); err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		h.people[e.Key] = e
	}
	h.feed = &servertest.Client{Client: &http.Client{}, Base: h.base}
	h.token = h.admission(dir)
	return h
}

// in is the house in the hands of another test.
func (h house) in(t testing.TB) house { h.t = t; return h }

// someone is the key of somebody described as "a nurse of 4 East", at work unless "at rest". Who was chosen once is not
// chosen again, nor anybody whose story the demonstration tells.
func (h house) someone(who string) string {
	h.t.Helper()
	if _, ok := h.people[who]; ok {
		return who
	}
	said, rest := strings.CutSuffix(strings.TrimSuffix(who, " at work"), " at rest")
	role, place, _ := strings.Cut(strings.TrimPrefix(said, "a "), " of ")
	role = strings.ReplaceAll(role, " ", "-")
	staff := slices.Clone(h.world.Staff)
	slices.SortStableFunc(staff, func(a, b invented.Person) int { return cmp.Compare(h.idle(a), h.idle(b)) })
	for _, w := range staff {
		if w.Roles[0] != role || w.Place != place || slices.Contains(h.world.Cast, w.Key) || h.played[w.Key] || h.storied(w.Key) || rest && w.OnShift(h.world.Now) {
			continue
		}
		h.played[w.Key] = true
		return w.Key
	}
	h.t.Fatalf("nobody is %s", who)
	return ""
}

// storied reports whether the demonstration has somebody break the glass or do what should be found.
func (h house) storied(key string) bool {
	return slices.ContainsFunc(h.world.Accesses, func(a invented.Access) bool { return a.Person == key && (a.Glass != nil || a.Misuse != "") })
}

// idle orders those at work before the others.
func (h house) idle(w invented.Person) int {
	if w.OnShift(h.world.Now) {
		return 0
	}
	return 1
}

// sits is somebody at a browser of her own, let in by the start page at one of its seats. It offers a few; the others come in by the same
// button with another name on it.
func (h house) sits(key, seat string) *tab {
	h.t.Helper()
	b := browse(h.t, h.base)
	b.open("/demo")
	ask[bool](b, fmt.Sprintf(`document.querySelector('#seat').value = %q, document.querySelector('button[name=person]').value = %q, true`, seat, h.people[key].ID+" staff"))
	if b.follow("button[name=person]"); b.at() == "/demo" || b.at() == "/sign-in" {
		h.t.Fatalf("%s does not come in:\n%s", key, b.text())
	}
	return b
}

// admission registers the admission system as a program of the house and gives its token.
func (h house) admission(dir string) string {
	h.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		h.t.Fatal(err)
	}
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Algorithm: "ES384", Use: "sig"}}})
	if err != nil {
		h.t.Fatal(err)
	}
	file := filepath.Join(h.t.TempDir(), "keys.json")
	if err := os.WriteFile(file, keys, 0o600); err != nil {
		h.t.Fatal(err)
	}
	var made struct {
		Token string `json:"token_endpoint"`
	}
	said := run(h.t, "client", "add", "--data", dir, "--id", "admission", "--name", "Admission", "--jwks", file, "--scope", "system/*.cruds", "--owner", h.people["hollis.brackett"].ID, "--json")
	if err := json.Unmarshal([]byte(said), &made); err != nil {
		h.t.Fatal(err)
	}
	by, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES384, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		h.t.Fatal(err)
	}
	assertion, err := jwt.Signed(by).Claims(jwt.Claims{Issuer: "admission", Subject: "admission", Audience: jwt.Audience{made.Token},
		Expiry: jwt.NewNumericDate(time.Now().Add(4 * time.Minute)), ID: rand.Text()}).Serialize()
	if err != nil {
		h.t.Fatal(err)
	}
	answer := h.feed.Form(h.t, "/oauth/token", "grant_type", "client_credentials", "scope", "system/*.cruds",
		"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", assertion)
	var got struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(answer.Body), &got); err != nil || got.Token == "" {
		h.t.Fatalf("no token: %d %s", answer.Status, answer.Body)
	}
	return got.Token
}

// stores stores resources in one transaction and gives their ids.
func (h house) stores(resources ...map[string]any) (ids []string) {
	h.t.Helper()
	var entries []any
	for _, r := range resources {
		entries = append(entries, map[string]any{"request": map[string]any{"method": "POST", "url": r["resourceType"]}, "resource": r})
	}
	body, err := json.Marshal(map[string]any{"resourceType": "Bundle", "type": "transaction", "entry": entries})
	if err != nil {
		h.t.Fatal(err)
	}
	a := h.feed.Do(h.t, "POST", "/fhir", string(body), "Authorization", "Bearer "+h.token, "Content-Type", "application/fhir+json")
	var got struct {
		Entry []struct {
			Response struct{ Location string }
		}
	}
	if err := json.Unmarshal([]byte(a.Body), &got); err != nil || len(got.Entry) != len(resources) {
		h.t.Fatalf("%d %s", a.Status, a.Body)
	}
	for _, e := range got.Entry {
		_, path, _ := strings.Cut("/"+e.Response.Location, "/"+resources[len(ids)]["resourceType"].(string)+"/")
		id, _, _ := strings.Cut(path, "/")
		ids = append(ids, id)
	}
	return ids
}

// absent are patients whom nothing brings here: they are on file and no more. The path of each is the id.
func (h house) absent(n int) (out []patient) {
	h.t.Helper()
	var list []map[string]any
	for range n {
		*h.away++
		i := *h.away
		list = append(list, map[string]any{"resourceType": "Patient", "name": []any{map[string]any{"family": "Quellmann", "given": []string{fmt.Sprint("Number ", i)}}},
			"birthDate": fmt.Sprintf("19%d-0%d-11", 30+i%60, 1+i%9)})
	}
	for i, id := range h.stores(list...) {
		born, err := time.Parse(time.DateOnly, list[i]["birthDate"].(string))
		if err != nil {
			h.t.Fatal(err)
		}
		out = append(out, patient{fmt.Sprint("Quellmann, Number ", *h.away-n+i+1), born.Format("2 Jan 2006"), id})
	}
	return out
}

// lend puts somebody on the roster of another place for this shift.
func (h house) lend(key, place string) {
	h.t.Helper()
	a := h.feed.Get(h.t, "/fhir/Schedule?_count=1000", "Authorization", "Bearer "+h.token)
	var all struct {
		Entry []struct {
			Resource struct {
				Actor []struct{ Reference, Display string }
			}
		}
	}
	if err := json.Unmarshal([]byte(a.Body), &all); err != nil {
		h.t.Fatal(err)
	}
	location := ""
	for _, e := range all.Entry {
		for _, at := range e.Resource.Actor {
			if strings.HasPrefix(at.Reference, "Location/") && at.Display == place {
				location = at.Reference
			}
		}
	}
	if location == "" {
		h.t.Fatalf("no shift is planned at %s: %d %.300s", place, a.Status, a.Body)
	}
	shift := []any{map[string]any{"text": "shift"}}
	id := h.stores(map[string]any{"resourceType": "Schedule", "active": true, "serviceCategory": shift,
		"actor": []any{map[string]any{"reference": h.people[key].Practitioner}, map[string]any{"reference": location}}})[0]
	h.stores(map[string]any{"resourceType": "Slot", "serviceCategory": shift, "schedule": map[string]any{"reference": "Schedule/" + id}, "status": "busy",
		"start": h.world.Now.Add(-6 * time.Hour).Format(time.RFC3339), "end": h.world.Now.Add(6 * time.Hour).Format(time.RFC3339)})
}
