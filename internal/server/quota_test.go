package server_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/server"
	"chartwarden/internal/server/servertest"
)

// A backend service that had its requests or records of the hour gets 429 with an OperationOutcome, the log says so once, and people go on.
func TestABackendServiceHasAQuota(t *testing.T) {
	s := servertest.Start(t)
	token := backendFor(t, s)
	var entries []access.Entry
	for _, id := range []string{"a", "b", "c", "d"} {
		doc, err := document.Parse([]byte(`{"resourceType":"Practitioner","id":"` + id + `"}`))
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, access.Entry{Method: "PUT", URL: "Practitioner/" + id, Doc: doc})
	}
	if _, err := s.Gate.Import(t.Context(), access.Job("import"), entries); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	for name, c := range map[string]struct {
		quota string
		paths []string
		want  []int
		said  string
	}{
		"requests":           {"3/100", []string{"Practitioner/a", "Practitioner/b", "Practitioner/nobody", "Practitioner/a", "Practitioner/a"}, []int{200, 200, 404, 429, 429}, "over the quota of requests in an hour"},
		"records":            {"100/6", []string{"Practitioner", "Practitioner/a", "Practitioner", "Practitioner/b", "Practitioner/c"}, []int{200, 200, 429, 200, 429}, "over the quota of records in an hour"},
		"records by patches": {"100/2", []string{"PATCH Practitioner/a", "PATCH Practitioner/a", "PATCH Practitioner/a"}, []int{200, 200, 429}, "over the quota of records in an hour"},
	} {
		opened, err := server.Open(t.Context(), server.Config{Data: s.Dir, Database: s.Config.Database, ClientQuota: c.quota, PublicURL: s.Config.PublicURL}, server.Options{Now: s.Now})
		if err != nil {
			t.Fatal(err)
		}
		for i, at := range c.paths {
			at, patches := strings.CutPrefix(at, "PATCH ")
			r := httptest.NewRequest(http.MethodGet, "/fhir/"+at, nil)
			if patches {
				r = httptest.NewRequest(http.MethodPatch, "/fhir/"+at, strings.NewReader(`[{"op":"add","path":"/active","value":`+strconv.FormatBool(i%2 == 0)+`}]`))
				r.Header.Set("Content-Type", "application/json-patch+json")
			}
			r.Header.Set("Authorization", "Bearer "+token)
			w := httptest.NewRecorder()
			opened.Handler().ServeHTTP(w, r)
			if w.Code != c.want[i] {
				t.Errorf("%s, request %d: %d, want %d: %s", name, i, w.Code, c.want[i], w.Body)
			}
			if w.Code == http.StatusTooManyRequests && (!strings.Contains(w.Body.String(), "OperationOutcome") || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "Practitioner")) {
				t.Errorf("%s: %v %s", name, w.Header(), w.Body)
			}
		}
		told, err := opened.Log.Range(t.Context(), audit.Span{Keep: func(r *audit.Read) bool { return r.Event.Text == c.said && r.Event.Agent.Client == "all" }}, audit.Page{Limit: 10})
		if err != nil || len(told) == 0 || len(told) > 2 { // two when a minute ended meanwhile
			t.Errorf("%s: told %d times, %v", name, len(told), err)
		}
		if err := opened.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := server.Open(t.Context(), server.Config{Data: s.Dir, Database: s.Config.Database, ClientQuota: "many"}, server.Options{}); err == nil || !strings.Contains(err.Error(), "--client-quota") {
		t.Error("a quota that cannot be read:", err)
	}
}
