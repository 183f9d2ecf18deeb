package server_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"chartwarden/internal/server"
	"chartwarden/internal/server/servertest"
)

func TestMetricsNameRoutesAndNobody(t *testing.T) {
	s := servertest.Start(t)
	s.Import(t, servertest.Data(t, "fhir", "synthea", "Alfreda_Wyman_3287b938-4670-47eb-91e5-e0ce3df71405.json.gz"))
	nurse := s.Person(t, "Bo Berg", "nurse", "")
	nurse.Get(t, "/fhir/Patient/3287b938-4670-47eb-91e5-e0ce3df71405?_elements=name")
	nurse.Get(t, "/no/such/Wyman")
	text := nurse.Get(t, "/metrics")
	for _, want := range []string{`chartwarden_requests_total{code="`, `route="/fhir/{type}/{id}"`, "chartwarden_request_seconds_bucket", "chartwarden_audit_entries_total ",
		"chartwarden_audit_journaling 0", `chartwarden_database_broken{database="audit"} 0`, "process_resident_memory_bytes", "go_goroutines"} {
		if !strings.Contains(text.Body, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, never := range []string{"Wyman", "3287b938", "Bo Berg", nurse.Person.Person} {
		if strings.Contains(text.Body, never) {
			t.Errorf("the metrics say %s", never)
		}
	}
}

func TestMetricsAreForThoseNamed(t *testing.T) {
	dir := t.TempDir()
	if err := server.Init(t.Context(), server.Config{Data: dir}, true); err != nil {
		t.Fatal(err)
	}
	for from, readers := range map[string]map[string]int{
		"":                         {"127.0.0.1:9": 200, "[::1]:9": 200, "10.1.2.3:9": 404, "203.0.113.1:9": 404, "nonsense": 404},
		"10.1.0.0/16,127.0.0.1/32": {"127.0.0.1:9": 200, "[::1]:9": 404, "10.1.2.3:9": 200, "[::ffff:10.1.2.3]:9": 200},
	} {
		s, err := server.Open(t.Context(), server.Config{Data: dir, MetricsFrom: from}, server.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for remote, want := range readers {
			r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
			r.RemoteAddr = remote
			w := httptest.NewRecorder()
			s.Handler().ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("from %q, %s gets %d", from, remote, w.Code)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := server.Open(t.Context(), server.Config{Data: dir, MetricsFrom: "10.0.0.0/8,localhost"}, server.Options{}); err == nil {
		t.Error("a name was taken for a network")
	}
}
