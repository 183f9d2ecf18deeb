package ingest

import (
	"archive/tar"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"chartwarden/internal/detect"
)

// recordsOf reads resources as a context is read.
func recordsOf(t testing.TB, resources ...string) (out []detect.Record) {
	t.Helper()
	var entries []entry
	for _, text := range resources {
		e, why := read(text)
		if why != "" {
			t.Fatalf("%s: %s", text, why)
		}
		entries = append(entries, e)
	}
	typ := func(e entry) int { s, _, _ := strings.Cut(e.Ref, "/"); return slices.Index(Types, s) }
	slices.SortStableFunc(entries, func(a, b entry) int { return typ(a) - typ(b) })
	x := newCrosswalk()
	for i := range entries {
		x.learn(&entries[i])
	}
	for i := range entries {
		out = append(out, x.record(&entries[i]))
	}
	return out
}

// told are the ties of records as "patient template party", without those of nobody in particular.
func told(records []detect.Record) (out []string) {
	for _, r := range records {
		for _, x := range r.Ties {
			if x.Party != "" {
				p := x.Patient
				if p == "" {
					p = r.Patient
				}
				out = append(out, p+" "+x.Template.Name()+" "+x.Party)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

const (
	aDoctor = `{"resourceType":"Practitioner","id":"a","identifier":[{"system":"urn:staff","value":"E7"}]}`
	aPost   = `{"resourceType":"PractitionerRole","id":"r","active":true,"practitioner":{"reference":"Practitioner/a"},"organization":{"reference":"Organization/o"}}`
	aPool   = `{"resourceType":"PractitionerRole","id":"pool","organization":{"reference":"Organization/o"},"location":[{"reference":"Location/l"}]}`
	aTeam   = `{"resourceType":"CareTeam","id":"t","participant":[{"member":{"reference":"PractitionerRole/r"}},{"member":{"reference":"CareTeam/inner"}}]}`
	inner   = `{"resourceType":"CareTeam","id":"inner","participant":[{"member":{"reference":"Practitioner/b"}}]}`
	uuid    = `{"resourceType":"Practitioner","id":"6b3f1c1e-0a5f-4d0e-9f43-2f9d0f3f8a11"}`
	aChart  = `{"resourceType":"Patient","id":"p","identifier":[{"system":"urn:mrn","value":"42"}]}`
)

func TestEveryWayInWhichFHIRRelatesIsRead(t *testing.T) {
	const pat = `"subject":{"reference":"Patient/p"}`
	for _, c := range []struct{ name, text, want string }{
		{"doctor", `{"resourceType":"Patient","id":"p","generalPractitioner":[{"reference":"PractitionerRole/r"},{"reference":"Organization/o"}]}`, "doctor.own Practitioner/a"},
		{"appointment", `{"resourceType":"Appointment","id":"1","status":"booked","start":"2026-01-05T10:00:00Z","participant":[{"actor":{"reference":"Patient/p"}},{"actor":{"reference":"Practitioner/a"}},
			{"actor":{"reference":"Location/l"}},{"actor":{"reference":"HealthcareService/h"}},{"status":"declined","actor":{"reference":"Practitioner/x"}},{"actor":{"reference":"Practitioner/y"},"status":"declined"}]}`,
			"appointment.clinic HealthcareService/h; appointment.clinic Location/l; appointment.direct Practitioner/a"},
		{"appointment by slot", `{"resourceType":"Appointment","id":"1","status":"booked","start":"2026-01-05T10:00:00Z","slot":[{"reference":"Slot/s"}],"participant":[{"actor":{"reference":"Patient/p"}}]}`,
			"appointment.clinic Location/l; appointment.direct Practitioner/a"},
		{"noshow", `{"resourceType":"Appointment","id":"1","status":"noshow","start":"2026-01-05T10:00:00Z","participant":[{"actor":{"reference":"Patient/p"}},{"actor":{"reference":"Practitioner/a"}}]}`, "appointment.direct Practitioner/a"},
		{"cancelled", `{"resourceType":"Appointment","id":"1","status":"cancelled","start":"2026-01-05T10:00:00Z","participant":[{"actor":{"reference":"Patient/p"}},{"actor":{"reference":"Practitioner/a"}}]}`, ""},
		{"encounter", `{"resourceType":"Encounter","id":"1","status":"finished",` + pat + `,"participant":[{"individual":{"reference":"Practitioner/a"}},{"individual":{"reference":"RelatedPerson/z"}}],
			"location":[{"location":{"reference":"Location/l"},"status":"active"},{"location":{"reference":"Location/later"},"status":"planned"}],"hospitalization":{"origin":{"reference":"Location/from"},"destination":{"reference":"Organization/to"}},
			"period":{"start":"2026-01-05","end":"2026-01-07"},"serviceProvider":{"reference":"Organization/o"}}`,
			"encounter.participant Practitioner/a; encounter.unit Location/from; encounter.unit Location/l; encounter.unit Organization/to"},
		{"encounter without a place", `{"resourceType":"Encounter","id":"1","class":{"code":"EMER"},` + pat + `,"serviceProvider":{"reference":"Organization/o"}}`, "ed.board Organization/o"},
		{"care team", `{"resourceType":"CareTeam","id":"1","status":"active",` + pat + `,"managingOrganization":[{"reference":"Organization/o"}],"participant":[{"member":{"reference":"Practitioner/a"},"onBehalfOf":{"reference":"Organization/w"}},
			{"member":{"reference":"CareTeam/inner"}},{"member":{"reference":"Patient/p"}},{"member":{"reference":"PractitionerRole/pool"}}]}`,
			"team.care Practitioner/a; team.care Practitioner/b; team.unit Location/l; team.unit Organization/o; team.unit Organization/w"},
		{"episode", `{"resourceType":"EpisodeOfCare","id":"1","status":"active","patient":{"reference":"Patient/p"},"careManager":{"reference":"Practitioner/m"},"team":[{"reference":"CareTeam/t"}],"managingOrganization":{"reference":"Organization/o"},"period":{"start":"2026-01-05"}}`,
			"team.care Practitioner/a; team.care Practitioner/b; team.care Practitioner/m; team.unit Organization/o"},
		{"order", `{"resourceType":"ServiceRequest","id":"1","status":"active",` + pat + `,"requester":{"reference":"PractitionerRole/r"},"performer":[{"reference":"Practitioner/m"},{"reference":"CareTeam/inner"},{"reference":"Organization/o"}],"locationReference":[{"reference":"Location/l"}]}`,
			"order.department Location/l; order.department Organization/o; order.mine Practitioner/b; order.mine Practitioner/m; order.placed Practitioner/a"},
		{"prescription", `{"resourceType":"MedicationRequest","id":"1","status":"active",` + pat + `,"performer":{"reference":"Practitioner/m"},"recorder":{"reference":"Practitioner/n"},"requester":{"reference":"Practitioner/a"},"dispenseRequest":{"performer":{"reference":"Organization/o"}}}`,
			"order.department Organization/o; order.mine Practitioner/m; order.placed Practitioner/a; order.placed Practitioner/n"},
		{"procedure", `{"resourceType":"Procedure","id":"1","status":"completed",` + pat + `,"performedPeriod":{"start":"2026-01-05T10:00:00Z"},"recorder":{"reference":"Practitioner/m"},"asserter":{"reference":"Practitioner/n"},"performer":[{"actor":{"reference":"Practitioner/a"},"onBehalfOf":{"reference":"Organization/o"}}],"location":{"reference":"Location/l"}}`,
			"document.mine Practitioner/m; document.mine Practitioner/n; procedure.mine Practitioner/a; procedure.unit Location/l; procedure.unit Organization/o"},
		{"document", `{"resourceType":"DocumentReference","id":"1","status":"current",` + pat + `,"author":[{"reference":"Practitioner/a"},{"reference":"Organization/o"}],"authenticator":{"reference":"Practitioner/m"},"custodian":{"reference":"Organization/w"}}`,
			"document.mine Practitioner/a; document.mine Practitioner/m"},
		{"task", `{"resourceType":"Task","id":"1","status":"requested","for":{"reference":"Patient/p"},"owner":{"reference":"PractitionerRole/pool"},"requester":{"reference":"Practitioner/m"},"location":{"reference":"Location/w"},"restriction":{"recipient":[{"reference":"Practitioner/a"}]}}`,
			"order.placed Practitioner/m; task.department Location/l; task.department Location/w; task.department Organization/o; task.mine Practitioner/a"},
		{"message", `{"resourceType":"Communication","id":"1","status":"completed","about":[{"reference":"Patient/p"}],"sender":{"reference":"Practitioner/m"},"recipient":[{"reference":"Practitioner/a"},{"reference":"HealthcareService/h"},{"reference":"Group/staff"}]}`,
			"message.department HealthcareService/h; message.thread Practitioner/a; message.thread Practitioner/g; message.thread Practitioner/m"},
		{"grant", `{"resourceType":"Consent","id":"1","status":"active","scope":{"coding":[{"code":"patient-privacy"}]},"patient":{"reference":"Patient/p"},"provision":{"type":"deny","actor":[{"reference":{"reference":"Practitioner/x"}}],"provision":[{"type":"permit","actor":[{"reference":{"reference":"Practitioner/a"}}]}]}}`,
			"patient.grant Practitioner/a"},
		{"study", `{"resourceType":"Group","id":"1","type":"person","managingEntity":{"reference":"PractitionerRole/r"},"member":[{"entity":{"reference":"Patient/p"}},{"inactive":true,"entity":{"reference":"Patient/q"}}]}`, "research.cohort Practitioner/a"},
		{"claim", `{"resourceType":"Claim","id":"1","status":"active","patient":{"reference":"Patient/p"},"created":"2026-01-06","billablePeriod":{"start":"2026-01-05"},"provider":{"reference":"Organization/o"},"facility":{"reference":"Location/l"},"careTeam":[{"sequence":1,"provider":{"reference":"Practitioner/a"}}]}`,
			"encounter.participant Practitioner/a; encounter.unit Location/l; encounter.unit Organization/o"},
		{"account", `{"resourceType":"Account","id":"1","status":"active","subject":[{"reference":"Patient/p"}],"owner":{"reference":"Organization/o"},"servicePeriod":{"start":"2026-01-05"}}`, "task.department Organization/o"},

		{"absolute and versioned", `{"resourceType":"CareTeam","id":"1","subject":{"reference":"http://other/fhir/Patient/p"},"participant":[{"member":{"reference":"https://x.example/r4/Practitioner/a/_history/3"}}]}`, "team.care Practitioner/a"},
		{"by identifier", `{"resourceType":"CareTeam","id":"1","subject":{"identifier":{"system":"urn:mrn","value":"42"}},"participant":[{"member":{"type":"Practitioner","identifier":{"system":"urn:staff","value":"E7"}}},{"member":{"identifier":{"value":"E7"}}}]}`, "team.care Practitioner/a"},
		{"conditional", `{"resourceType":"CareTeam","id":"1",` + pat + `,"participant":[{"member":{"reference":"Practitioner?identifier=urn:staff|E7"}}]}`, "team.care Practitioner/a"},
		{"by urn", `{"resourceType":"CareTeam","id":"1",` + pat + `,"participant":[{"member":{"reference":"urn:uuid:6b3f1c1e-0a5f-4d0e-9f43-2f9d0f3f8a11"}}]}`, "team.care Practitioner/6b3f1c1e-0a5f-4d0e-9f43-2f9d0f3f8a11"},
		{"contained", `{"resourceType":"CareTeam","id":"1","contained":[{"resourceType":"PractitionerRole","id":"c","practitioner":{"reference":"#d"}},{"resourceType":"Practitioner","id":"d","identifier":[{"system":"urn:staff","value":"E7"}]}],` + pat + `,"participant":[{"member":{"reference":"#c"}}]}`, "team.care Practitioner/a"},
		{"of nobody in the directory", `{"resourceType":"CareTeam","id":"1",` + pat + `,"participant":[{"member":{"identifier":{"value":"E99"}}},{"member":{"display":"Dr Unknown"}}]}`, "team.care E99"},
	} {
		t.Run(c.name, func(t *testing.T) {
			background := []string{aDoctor, aPost, aPool, inner, aTeam, uuid, aChart,
				`{"resourceType":"Schedule","id":"d","actor":[{"reference":"PractitionerRole/r"},{"reference":"Location/l"}]}`, `{"resourceType":"Slot","id":"s","schedule":{"reference":"Schedule/d"}}`,
				`{"resourceType":"Group","id":"staff","type":"practitioner","member":[{"entity":{"reference":"Practitioner/g"}}]}`}
			got := told(recordsOf(t, append(background, c.text)...))
			var want []string
			for _, w := range strings.Split(c.want, "; ") {
				if w != "" {
					want = append(want, "Patient/p "+w)
				}
			}
			got = slices.DeleteFunc(got, func(s string) bool { return strings.HasPrefix(s, " ") }) // the team of nobody
			if !slices.Equal(got, want) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
			}
		})
	}
}

func TestAGroupAppointmentIsEachPatients(t *testing.T) {
	got := told(recordsOf(t, `{"resourceType":"Appointment","id":"1","participant":[{"actor":{"reference":"Patient/p"}},{"actor":{"reference":"Patient/q"}},{"actor":{"reference":"Practitioner/a"}}]}`))
	if want := []string{"Patient/p appointment.direct Practitioner/a", "Patient/q appointment.direct Practitioner/a"}; !slices.Equal(got, want) {
		t.Error(got)
	}
}

func TestWhatAReferenceStandsForIsKnownWhenThatIsKnown(t *testing.T) {
	for _, r := range recordsOf(t, `{"resourceType":"PractitionerRole","id":"r","meta":{"lastUpdated":"2026-02-01T00:00:00Z"},"practitioner":{"reference":"Practitioner/a"}}`,
		`{"resourceType":"Task","id":"1","meta":{"lastUpdated":"2026-01-01T00:00:00Z"},"for":{"reference":"Patient/p"},"owner":{"reference":"PractitionerRole/r"}}`) {
		for _, x := range r.Ties {
			if want, _ := instant("2026-02-01"); x.Known != want {
				t.Errorf("%+v", x)
			}
		}
	}
}

func TestPersonsAreOneHumanInEitherDirection(t *testing.T) {
	related := `{"resourceType":"RelatedPerson","id":"f","patient":{"reference":"Patient/child"}}`
	for _, texts := range [][]string{
		{`{"resourceType":"Person","id":"1","link":[{"target":{"reference":"Practitioner/a"}},{"target":{"reference":"Patient/p"}},{"target":{"reference":"RelatedPerson/f"}}]}`},
		{`{"resourceType":"Person","id":"1","link":[{"target":{"reference":"RelatedPerson/f"}},{"target":{"reference":"Patient/p"}},{"target":{"reference":"Practitioner/a"}}]}`},
		{`{"resourceType":"Person","id":"1","link":[{"target":{"reference":"Practitioner/a"}},{"target":{"reference":"Person/2"}}]}`, `{"resourceType":"Person","id":"2","link":[{"target":{"reference":"Patient/p"}},{"target":{"reference":"RelatedPerson/f"}}]}`},
		{`{"resourceType":"Person","id":"2","link":[{"target":{"reference":"Patient/p"}},{"target":{"reference":"RelatedPerson/f"}}]}`, `{"resourceType":"Person","id":"1","link":[{"target":{"reference":"Practitioner/a"}},{"target":{"reference":"Person/2"}}]}`},
	} {
		rs := recordsOf(t, append(texts, related)...)
		last := rs[len(rs)-1]
		if !slices.Contains(last.Same, "Practitioner/a") || !slices.Contains(last.Same, "Patient/p") || !slices.Contains(last.Kin, detect.Kin{Patient: "Patient/child", Of: "Practitioner/a"}) {
			t.Errorf("%q: %q %v", texts, last.Same, last.Kin)
		}
	}
	for _, r := range recordsOf(t, `{"resourceType":"Coverage","id":"1","beneficiary":{"reference":"Patient/child"},"subscriber":{"reference":"Patient/p"}}`) {
		if !slices.Equal(r.Kin, []detect.Kin{{Patient: "Patient/child", Of: "Patient/p"}}) {
			t.Errorf("%+v", r.Kin)
		}
	}
}

func TestDatesOfEveryPrecision(t *testing.T) {
	at := func(s string) int64 { v, _ := instant(s); return v }
	for s, want := range map[string]int64{"2026": at("2027-01-01") - 1, "2026-02": at("2026-03-01") - 1, "2025-12": at("2026-01-01") - 1, "2026-02-03": at("2026-02-04") - 1,
		"2026-02-03T10:00:00Z": at("2026-02-03T10:00:00Z"), "2026-02-03T10:00:00.5-03:00": at("2026-02-03T13:00:00Z"), "soon": 0, "": 0} {
		if got := instantEnd(s); got != want {
			t.Errorf("%q ends at %d, want %d", s, got, want)
		}
	}
}

// dating is what a clock makes of lines dated so many hours after the first.
func dating(hours ...int64) (given []int64, faults int) {
	const start = int64(1767225600)
	c := clock{judge: func(e *dated) { given = append(given, (e.Time-start)/3600) }}
	for i, h := range hours {
		c.take(dated{detect.Event{ID: fmt.Sprint(i), Time: start + h*3600}, Place{"log", i + 1}, 0})
	}
	c.finish()
	return given, c.faults
}

func TestOneWrongClockDoesNotCarryTheLogAway(t *testing.T) {
	const year = 365 * 24
	for _, c := range []struct {
		name   string
		lines  []int64
		want   []int64
		faults int
	}{
		{"steady", []int64{0, 1, 2, 3}, []int64{0, 1, 2, 3}, 0},
		{"one far ahead", []int64{0, 1, 2, 70 * year, 3, 4}, []int64{0, 1, 2, 2, 3, 4}, 1},
		{"one a month ahead", []int64{0, 1, 2, 700, 3, 4}, []int64{0, 1, 2, 2, 3, 4}, 1},
		{"three together far ahead", []int64{0, 1, 2, 70 * year, 70 * year, 70*year + 1, 3, 4}, []int64{0, 1, 2, 2, 2, 2, 3, 4}, 3},
		{"the first of all", []int64{-50 * year, 0, 1, 2}, []int64{0, 0, 1, 2}, 1},
		{"the first far ahead", []int64{70 * year, 0, 1, 2}, []int64{0, 0, 1, 2}, 1},
		{"the second of all", []int64{0, 70 * year, 1, 2}, []int64{0, 0, 1, 2}, 1},
		{"the last of all", []int64{0, 1, 2, 70 * year}, []int64{0, 1, 2, 2}, 1},
		{"a week without a line", []int64{0, 1, 2, 170, 171}, []int64{0, 1, 2, 170, 171}, 0},
		{"a line a week", []int64{0, 170, 340, 510, 680}, []int64{0, 170, 340, 510, 680}, 0},
		{"two years without a line", []int64{0, 1, 2, 2 * year, 2*year + 1, 2*year + 2, 2*year + 3, 2*year + 4, 2*year + 5}, []int64{0, 1, 2, 2 * year, 2*year + 1, 2*year + 2, 2*year + 3, 2*year + 4, 2*year + 5}, 0},
		{"two years, and then the end", []int64{0, 1, 2, 2 * year, 2*year + 1}, []int64{0, 1, 2, 2 * year, 2*year + 1}, 0},
		{"a wrong one after a week", []int64{0, 1, 2, 170, 70 * year, 171, 172}, []int64{0, 1, 2, 170, 170, 171, 172}, 1},
		{"back in time", []int64{0, 1, 2, -5000, 3}, []int64{0, 1, 2, -5000, 3}, 0},
		{"one line", []int64{5}, []int64{5}, 0},
		{"two lines", []int64{5, 6}, []int64{5, 6}, 0},
		{"none", nil, nil, 0},
	} {
		if got, faults := dating(c.lines...); !slices.Equal(got, c.want) || faults != c.faults {
			t.Errorf("%s: %v with %d faults, want %v with %d", c.name, got, faults, c.want, c.faults)
		}
	}
}

// The published examples of the types of a context are read, and relate whom they name.
func TestThePublishedExamplesOfAContext(t *testing.T) {
	f, err := os.Open(shared(t, "fhir/r4-examples.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	read_, ties := map[string]int{}, map[string]int{}
	for in := tar.NewReader(z); ; {
		if _, err := in.Next(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		e, why := read(string(text))
		switch typ, _, _ := strings.Cut(e.Ref, "/"); {
		case why == "":
			read_[typ]++
			r := newCrosswalk().record(&e)
			ties[typ] += len(told([]detect.Record{r}))
		case len(text) > 0 && why != "a type that a context does not have" && why != "the resource has no type or no id":
			t.Errorf("%s: %.80s", why, text)
		}
	}
	for _, typ := range Types {
		if read_[typ] == 0 {
			t.Errorf("no %s is read", typ)
		}
	}
	for typ, least := range map[string]int{"Account": 2, "Appointment": 4, "CareTeam": 1, "Claim": 20, "Communication": 5, "Consent": 1, "DocumentReference": 1, "Encounter": 12,
		"EpisodeOfCare": 2, "MedicationRequest": 40, "Patient": 0, "Procedure": 15, "ServiceRequest": 20, "Task": 8} {
		if ties[typ] < least {
			t.Errorf("%s relates %d, want %d", typ, ties[typ], least)
		}
	}
}
