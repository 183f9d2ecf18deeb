package ingest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"chartwarden/internal/detect"
)

var (
	fshLine = regexp.MustCompile(`^\* (\S+) = (.+?)(?:\s+//.*)?$`)
	fshStep = regexp.MustCompile(`^(\w+)(?:\[([^\]]+)\])?$`)
)

// shorthand reads the instances of AuditEvents in a file of FHIR Shorthand, as far as the published examples go.
func shorthand(text string) map[string]map[string]any {
	out := map[string]map[string]any{}
	lists := []string{"agent", "entity", "subtype", "purposeOfEvent", "detail", "role", "policy"}
	for _, block := range strings.Split(text, "Instance: ")[1:] {
		name, rest, _ := strings.Cut(block, "\n")
		e := map[string]any{"resourceType": "AuditEvent", "id": strings.TrimSpace(name)}
		slices_, isEvent := map[string]int{}, false
		for l := range strings.Lines(rest) {
			m := fshLine.FindStringSubmatch(strings.TrimSpace(l))
			if m == nil {
				continue
			}
			isEvent = isEvent || m[1] == "recorded"
			at, path := e, ""
			steps := strings.Split(m[1], ".")
			for i, s := range steps {
				f := fshStep.FindStringSubmatch(s)
				if f == nil { // an extension
					break
				}
				key := f[1]
				path += "." + key
				if !slices.Contains(lists, key) || path == ".type" {
					if i == len(steps)-1 {
						at[key] = fshValue(m[2])
						break
					}
					next, _ := at[key].(map[string]any)
					if next == nil {
						next = map[string]any{}
						at[key] = next
					}
					at = next
					continue
				}
				list, _ := at[key].([]any)
				slot, known := slices_[path+f[2]]
				if f[2] == "+" || !known && f[2] != "=" {
					slot = len(list)
					slices_[path+f[2]], slices_[path+"="] = slot, slot
				} else if f[2] == "=" {
					slot = slices_[path+"="]
				}
				for len(list) <= slot {
					list = append(list, map[string]any{})
				}
				at[key] = list
				if i == len(steps)-1 {
					list[slot] = fshValue(m[2])
					break
				}
				at, path = list[slot].(map[string]any), path+f[2]
			}
		}
		if isEvent {
			out[strings.TrimSpace(name)] = e
		}
	}
	return out
}

func fshValue(s string) any {
	switch {
	case strings.HasPrefix(s, "Reference("):
		return map[string]any{"reference": strings.TrimSuffix(strings.TrimPrefix(s, "Reference("), ")")}
	case strings.HasPrefix(s, `"`):
		return strings.Trim(s, `"`)
	case s == "true" || s == "false":
		return s == "true"
	}
	if system, code, ok := strings.Cut(s, "#"); ok {
		code, _, _ = strings.Cut(code, ` "`)
		if system == "" || strings.HasSuffix(system, "audit-event-outcome") || strings.HasSuffix(system, "network-type") {
			return strings.TrimSpace(code)
		}
		return map[string]any{"system": system, "code": strings.TrimSpace(code)}
	}
	return s
}

// Every published BALP example of an access is read with its person, patient, kind and place.
func TestEventReadsThePublishedBALPExamples(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(shared(t, "audit-samples/ihe-balp-fsh"), "*.fsh"))
	n := 0
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for name, e := range shorthand(string(text)) {
			n++
			b, _ := json.Marshal(e)
			got, why := Event(string(b))
			if why != "" {
				t.Errorf("%s: %s: %s", name, why, b)
				continue
			}
			want := detect.Other
			switch profile := strings.ToLower(name); {
			case strings.Contains(profile, "basiccreate"), strings.Contains(profile, "disclosure-recipient"):
				want = detect.Create
			case strings.Contains(profile, "basicread"):
				want = detect.Read
			case strings.Contains(profile, "basicupdate"):
				want = detect.Update
			case strings.Contains(profile, "basicdelete"):
				want = detect.Delete
			case strings.Contains(profile, "query"):
				want = detect.Search
			case strings.Contains(profile, "disclosure-source"):
				want = detect.Export
			}
			if want != detect.Other && got.Kind != want {
				t.Errorf("%s is of kind %d, want %d", name, got.Kind, want)
			}
			if strings.Contains(string(b), "Patient/ex-patient") && !strings.Contains(name, "NoPatient") && !slices.Contains(got.Patients, "Patient/ex-patient") {
				t.Errorf("%s: patients %q: %s", name, got.Patients, b)
			}
			if strings.Contains(string(b), `"display":"John Smith"`) && (got.Agent != "John Smith" || got.Machine) {
				t.Errorf("%s: agent %q, machine %v", name, got.Agent, got.Machine)
			}
			if strings.Contains(got.Address, "://") || got.Device == "Device/ex-device" && !strings.Contains(name, "AuthZ") {
				t.Errorf("%s takes the server for the place: %q %q", name, got.Device, got.Address)
			}
		}
	}
	if n < 30 {
		t.Errorf("%d examples", n)
	}
}

func TestWhoAndWhereOfAnEvent(t *testing.T) {
	for _, c := range []struct{ name, agents, who, device, address string }{
		{"contract", `{"who":{"reference":"Practitioner/1"},"requestor":true,"network":{"address":"10.0.0.1","type":"2"}},{"type":{"coding":[{"code":"110153"}]},"who":{"reference":"Device/ws"},"requestor":false}`, "Practitioner/1", "Device/ws", "10.0.0.1"},
		{"requestor last", `{"type":{"coding":[{"code":"110153"}]},"who":{"reference":"Device/ws"},"requestor":false},{"who":{"reference":"Practitioner/2"},"requestor":false},{"who":{"reference":"Practitioner/1"},"requestor":true}`, "Practitioner/1", "Device/ws", ""},
		{"address of the client", `{"type":{"coding":[{"code":"110153"}]},"who":{"reference":"Device/server"},"requestor":false,"network":{"address":"http://ehr/fhir","type":"5"}},{"type":{"coding":[{"code":"110152"}]},"who":{"display":"ws.example"},"network":{"address":"10.0.0.7","type":"2"}},{"who":{"display":"Jo Doe"},"requestor":true}`, "Jo Doe", "ws.example", "10.0.0.7"},
		{"the observer is no place", `{"type":{"coding":[{"code":"110153"}]},"who":{"reference":"Device/ehr"},"requestor":false},{"who":{"reference":"Practitioner/1"},"requestor":true}`, "Practitioner/1", "", ""},
		{"alternative id", `{"altId":"jdoe","name":"J. Doe","requestor":true}`, "jdoe", "", ""},
		{"identifier", `{"who":{"identifier":{"system":"urn:staff","value":"E7"}},"requestor":true}`, "??urn:staff|E7", "", ""},
		{"a machine alone", `{"type":{"coding":[{"code":"110153"}]},"who":{"reference":"Device/pump"},"requestor":true}`, "Device/pump", "Device/pump", ""},
	} {
		e, why := Event(`{"resourceType":"AuditEvent","id":"1","recorded":"2026-01-01T00:00:00Z","action":"R","agent":[` + c.agents + `],"source":{"observer":{"reference":"Device/ehr"}}}`)
		if why != "" || e.Agent != c.who || e.Device != c.device || e.Address != c.address || e.Machine != strings.HasPrefix(c.who, "Device/") {
			t.Errorf("%s: %q at %q %q, machine %v, %s", c.name, e.Agent, e.Device, e.Address, e.Machine, why)
		}
	}
	e, _ := Event(`{"resourceType":"AuditEvent","id":"1","recorded":"2026-01-01T00:00:00Z","subtype":[{"code":"vread"}],"agent":[{"who":{"reference":"Practitioner/1"},"requestor":true}],"entity":[{"what":{"reference":"http://x/Patient/9/_history/2"},"role":{"code":"4"}}]}`)
	if e.Kind != detect.Read || !slices.Equal(e.Patients, []string{"Patient/9"}) {
		t.Errorf("%+v", e)
	}
}

// Who is named by role, identifier or login is the practitioner of the context.
func TestTheLogsNamesLeadToTheContext(t *testing.T) {
	var got []string
	x := newCrosswalk()
	for _, text := range []string{aDoctor, aPost, aChart} {
		e, _ := read(text)
		x.learn(&e)
	}
	in := newIntake(func(d *dated) { got = append(got, d.Agent+" "+strings.Join(d.Patients, ",")) }, x, nil)
	for i, who := range []string{`{"reference":"PractitionerRole/r"}`, `{"identifier":{"system":"urn:staff","value":"e7"}}`, `{"identifier":{"value":"E7"}}`, `{"identifier":{"system":"urn:other","value":"E9"}}`} {
		e, why := Event(`{"resourceType":"AuditEvent","id":"` + string(rune('a'+i)) + `","recorded":"2026-01-01T00:00:00Z","agent":[{"who":` + who + `,"requestor":true}],"entity":[{"what":{"identifier":{"system":"urn:mrn","value":"42"}},"role":{"code":"1"}}]}`)
		in.take("log", line[detect.Event]{number: i + 1, value: e, why: why})
	}
	in.clock.finish()
	if want := []string{"Practitioner/a Patient/p", "Practitioner/a Patient/p", "Practitioner/a Patient/p", "E9 Patient/p"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
