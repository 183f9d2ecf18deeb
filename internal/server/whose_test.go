package server_test

import (
	"bufio"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"chartwarden/internal/access"
	"chartwarden/internal/server/servertest"
	"chartwarden/internal/smart"
)

var whosePage = regexp.MustCompile(`name="whose" value="([^"]+)"`)

// whose is what the pages of somebody say of themselves.
func whose(t *testing.T, who *servertest.Client) string {
	t.Helper()
	found := whosePage.FindStringSubmatch(who.Get(t, "/my-devices").Body)
	if found == nil {
		t.Fatal("a page does not say whose it is")
	}
	return found[1]
}

// A tab that somebody left open, and that comes forward while the next person is on in this browser, does nothing in her name: by no route.
func TestAnothersPageDoesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("walks every route: runs without -short")
	}
	b := besiege(t)
	people := []*servertest.Client{b.victim, b.attackers["administrator"], b.officer}
	var marks []string
	for _, who := range people {
		if m := whose(t, who); slices.Contains(marks, m) {
			t.Fatal("two people's pages say the same")
		} else {
			marks = append(marks, m)
		}
	}
	before, sent := b.state(t), 0
	for _, route := range b.Routes() {
		form := func(r access.Route) bool {
			return r.Method == http.MethodPost && !strings.HasPrefix(r.Pattern, "/fhir") && !strings.HasPrefix(r.Pattern, "/scim") && !smart.Programmatic(r.Pattern)
		}
		if !form(route) {
			continue
		}
		for i, who := range people {
			for _, act := range acts {
				got := who.Do(t, "POST", b.at(route.Pattern), anyForm(act)+"&whose="+marks[(i+1)%len(people)], "Content-Type", "application/x-www-form-urlencoded")
				if sent++; got.Status != http.StatusConflict || !strings.Contains(got.Body, "opened by somebody else at this computer") {
					t.Errorf("%s as %s: %d %.200s", route.Pattern, who.Person.Name, got.Status, got.Body)
				}
			}
		}
	}
	if after := b.state(t); after != before {
		t.Errorf("something happened:\n%s\n---\n%s", differ(before, after), differ(after, before))
	}
	if t.Log(sent, "forms of another's page"); sent < 1000 {
		t.Error("that is too few")
	}

	// The stream of such a tab says that it is over; the own page goes on.
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.URL+"/events?whose="+marks[2], nil)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := b.victim.Client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	var lines []string
	for in := bufio.NewScanner(stream.Body); in.Scan(); {
		lines = append(lines, in.Text())
	}
	if text := strings.Join(lines, "\n"); !strings.Contains(text, "event: lock\ndata: here") {
		t.Errorf("the stream says %q", text)
	}
	if got := b.victim.Form(t, "/my-sign-in/seen", "whose", marks[0]); got.Status != http.StatusSeeOther {
		t.Errorf("the own page: %d %s", got.Status, got.Body)
	}
}
