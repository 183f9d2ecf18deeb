package atna

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"chartwarden/internal/detect"
	"chartwarden/internal/ingest/foreign"
)

// shared is the folder of published data, or skips.
func shared(t testing.TB, path string) string {
	root := os.Getenv("CHARTWARDEN_TESTDATA")
	if root == "" {
		root = "../../../../shared"
	}
	p := filepath.Join(root, path)
	if _, err := os.Stat(p); err != nil {
		t.Skip("no published data: set CHARTWARDEN_TESTDATA")
	}
	return p
}

// cut gives every frame of a text as its line and what is wrong with it, or its length.
func cut(t testing.TB, in *Frames) (out []string, texts []string) {
	for {
		f, err := in.Next()
		if err == io.EOF {
			return out, texts
		}
		if err != nil {
			t.Fatal(err)
		}
		if f.Why != "" {
			out = append(out, fmt.Sprint(f.Line, "! ", f.Why))
			continue
		}
		out = append(out, fmt.Sprint(f.Line, " ", len(bytes.TrimSpace(f.Text))))
		texts = append(texts, string(f.Text))
	}
}

// The published sample of ITI-67, read by eye: a query by a system, for one patient, that failed. Its octet count is three too many,
// because the byte order mark in front of the XML was left out.
func TestThePublishedSample(t *testing.T) {
	f, err := os.Open(shared(t, "audit-samples/atna/iti67-syslog-sample.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	frames, texts := cut(t, NewFrames(f, Longest))
	if !reflect.DeepEqual(frames, []string{"1 2024"}) {
		t.Fatalf("%q", frames)
	}
	r, why := Parse([]byte(texts[0]))
	if why != "" {
		t.Fatal(why)
	}
	if r.Hash == 0 {
		t.Error("no hash")
	}
	r.Hash = 0
	want := foreign.Reading{
		Event: detect.Event{Time: time.Date(2024, 6, 25, 13, 47, 57, 0, time.UTC).Unix(), Kind: detect.Search, Failed: true, Machine: true,
			Agent: "Device/atna:_mag-cara_fhir_documentreference", Address: "147.87.210.77", Data: "MobileDocumentReferenceQuery"},
		Patients: [][]foreign.ID{{{Label: "1.1.1.99.1", System: "urn:oid:1.1.1.99.1", Value: "215503a0-11d2-4197-822a-053791ab5a8e"}}},
	}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("%+v\nwant\n%+v", r, want)
	}
}

// Every file beside the sample, schemas and licence, is rejected with a reason, message by message.
func TestWhatIsNoMessage(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(shared(t, "audit-samples/atna"), "*"))
	if len(files) != 4 {
		t.Fatalf("%d files", len(files))
	}
	for name, want := range map[string]string{
		"iti67-syslog-sample.txt": "",
		"audit-message.xsd":       "not syslog: a message begins with <PRI>", // XML without a syslog header
		"audit-message.rnc":       "not syslog: a message begins with <PRI>",
		"LICENSE-dcm4che.txt":     "not syslog: a message begins with <PRI>",
	} {
		text, err := os.ReadFile(filepath.Join(shared(t, "audit-samples/atna"), name))
		if err != nil {
			t.Fatal(err)
		}
		in, n := NewFrames(bytes.NewReader(text), Longest), 0
		for {
			f, err := in.Next()
			if err == io.EOF {
				break
			}
			why := f.Why
			if why == "" {
				_, why = Parse(f.Text)
			}
			if n++; why != want && (want == "" || !strings.HasPrefix(why, "cut short")) {
				t.Errorf("%s, line %d: %q, want %q", name, f.Line, why, want)
			}
		}
		if n == 0 {
			t.Errorf("%s holds nothing", name)
		}
	}
}

const head = `<85>1 2026-03-02T09:15:00.123456789Z ward7 EHR 12 IHE+RFC-3881 - `

// opened is a chart opened by a nurse, in the form of RFC 3881.
const opened = `<?xml version="1.0" encoding="UTF-8"?><AuditMessage><EventIdentification EventActionCode="R" EventDateTime="2026-03-02T10:15:00.123456789+01:00" EventOutcomeIndicator="0"><EventID code="110110" codeSystemName="DCM" displayName="Patient Record"/><PurposeOfUse csd-code="TREAT"/></EventIdentification>` +
	`<ActiveParticipant UserID="ehr" AlternativeUserID="4711" UserIsRequestor="false" NetworkAccessPointID="10.0.0.9" NetworkAccessPointTypeCode="2"><RoleIDCode code="110153" codeSystemName="DCM"/></ActiveParticipant>` +
	`<ActiveParticipant UserID="Kim&lt;kko@hosp.org&gt;" AlternativeUserID="991" UserName="Kim Ko" UserIsRequestor="true" NetworkAccessPointID="WS-12" NetworkAccessPointTypeCode="1"><RoleIDCode code="46255001" originalText="nurse"/></ActiveParticipant>` +
	`<AuditSourceIdentification AuditSourceID="EHR"/>` +
	`<ParticipantObjectIdentification ParticipantObjectID="100^^^MAIN&amp;1.2.3&amp;ISO" ParticipantObjectTypeCode="1" ParticipantObjectTypeCodeRole="1"><ParticipantObjectIDTypeCode code="2"/><ParticipantObjectName>Po^Paula^M</ParticipantObjectName></ParticipantObjectIdentification>` +
	`<ParticipantObjectIdentification ParticipantObjectID="1.2.840.9" ParticipantObjectTypeCode="2" ParticipantObjectTypeCodeRole="3"/></AuditMessage>`

func swap(old, with string, more ...string) string {
	return strings.NewReplacer(append([]string{old, with}, more...)...).Replace(head + opened)
}

// TestMessages says of each message what it is read as, or why it is none.
func TestMessages(t *testing.T) {
	const nurse = "read 09:15:00 login:kko@hosp.org 1.2.3|100 (Po Paula) nurse @WS-12  TREAT 1.2.840.9"
	for _, c := range []struct{ name, text, want string }{
		{"as it is", head + opened, nurse},
		{"a mark before the XML", head + "\ufeff" + opened, nurse},
		{"the MSGID of DICOM", swap("IHE+RFC-3881", "DICOM+RFC3881"), nurse},
		{"structured data", swap("3881 - ", `3881 [a@1 x="]\""][b@2] `), nurse},
		{"no structured data", swap("3881 - ", "3881 "), nurse},
		{"RFC 3164", "<85>Mar  2 09:15:00 ward7 EHR: " + opened, nurse},
		{"csd-code", swap(` code="`, ` csd-code="`), nurse},
		{"a bare number", swap("100^^^MAIN&amp;1.2.3&amp;ISO", "100"), "read 09:15:00 login:kko@hosp.org mrn|100 (Po Paula) nurse @WS-12  TREAT 1.2.840.9"},
		{"a URN", swap("100^^^MAIN&amp;1.2.3&amp;ISO", "urn:oid:1.2.3|100"), nurse},
		{"a failure", swap(`Indicator="0"`, `Indicator="8"`), nurse + " failed"},
		{"an export", swap("110110", "110106"), "export" + nurse[4:]},
		{"a print", swap("110110", "110106", "<RoleIDCode code=\"46", "<MediaType code=\"110039\"/><RoleIDCode code=\"46"), "print" + nurse[4:]},
		{"the glass", swap(`<PurposeOfUse`, `<EventTypeCode code="110127"/><PurposeOfUse`, "110110", "110113"), "glass" + nurse[4:] + " broken"},
		{"a login", swap(`<PurposeOfUse`, `<EventTypeCode code="110122"/><PurposeOfUse`, "110110", "110114"), "login" + nurse[4:]},
		{"a time without a zone", swap("+01:00", ""), "read 10:15:00" + nurse[13:] + " local"},
		{"no person", swap(`UserID="Kim&lt;kko@hosp.org&gt;"`, `UserID="https://ehr/fhir"`), "read 09:15:00 Device/atna:ehr 1.2.3|100 (Po Paula)  @ 10.0.0.9 TREAT 1.2.840.9 machine"},
		{"the patient is another role", swap(`TypeCodeRole="1"`, `TypeCodeRole="6"`), "read 09:15:00 login:kko@hosp.org  nurse @WS-12  TREAT 100^^^MAIN&1.2.3&ISO"},
		{"not syslog", opened, "! not syslog: a message begins with <PRI>"},
		{"a wild priority", "<999>1 x x x x x - <AuditMessage/>", "! not syslog: the priority is above 191"},
		{"a header cut short", "<85>1 2026-03-02T09:15:00Z", "! the syslog header is cut short"},
		{"structured data cut short", `<85>1 t h a p m [x y="`, "! the syslog header is cut short"},
		{"another message", "<34>1 2026-03-02T09:15:00Z host su - ID47 - 'su root' failed", "! no audit message: the text holds no AuditMessage"},
		{"another message of old", "<34>Oct 11 22:14:15 host su: 'su root' failed", "! no audit message: the text is none of RFC 5424 and holds no AuditMessage"},
		{"another document", head + "<?xml version='1.0'?><Other/>", "! no audit message: the XML is another document"},
		{"XML cut short", head + opened[:400], "! not well-formed XML"},
		{"a document type", head + `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]>` + opened[38:], "! a document type is not read"},
		{"nested too deep", head + "<AuditMessage>" + strings.Repeat("<a>", 100), "! the XML is nested too deep"},
		{"too many", head + "<AuditMessage>" + strings.Repeat("<ActiveParticipant UserID='x'/>", 400) + "</AuditMessage>", "! more than 256 participants"},
		{"no time", swap("2026-03-02T10:15:00.123456789+01:00", "soon"), "! EventDateTime is no time"},
		{"nobody", head + `<AuditMessage><EventIdentification EventDateTime="2026-03-02T10:15:00Z"/></AuditMessage>`, "! no ActiveParticipant is named"},
	} {
		r, why := Parse([]byte(c.text))
		if got := say(r, why); got != c.want {
			t.Errorf("%s:\n %s\nwant\n %s", c.name, got, c.want)
		}
	}
}

var kinds = map[detect.Kind]string{detect.Read: "read", detect.Export: "export", detect.Print: "print", detect.Glass: "glass", detect.Login: "login"}

func say(r foreign.Reading, why string) string {
	if why != "" {
		return "! " + why
	}
	e := r.Event
	who := e.Agent
	for _, id := range r.People {
		who += id.Label + ":" + id.Value
	}
	whom := ""
	for _, p := range r.Patients {
		whom += p[0].Label + "|" + p[0].Value
	}
	if r.Names != nil {
		whom += fmt.Sprintf(" (%s %s)", r.Names.PatientFamily, r.Names.PatientGiven)
	}
	out := strings.Join([]string{kinds[e.Kind], time.Unix(e.Time, 0).UTC().Format("15:04:05"), who, whom, e.Role, "@" + e.Device, e.Address, e.Purpose, e.Data}, " ")
	for name, is := range map[string]bool{" failed": e.Failed, " machine": e.Machine, " broken": r.Glass, " local": r.Local} {
		if is {
			out += name
		}
	}
	return out
}

// A file with every framing that is met, one after the other.
func TestFraming(t *testing.T) {
	m := head + opened
	n := len(m)
	lines := strings.ReplaceAll(opened, "><", ">\n<")
	count := func(s string, off int) string { return fmt.Sprint(len(s)+off, " ", s) }
	text := count(m, 0) + // as RFC 5425 wants it
		count(m, 0) + "\n" + // and a line end behind
		count(m, 3) + "\n" + // a mark that was counted and not sent
		count(m, -40) + // letters counted, not bytes
		m + "\n" + // a line each
		"<34>1 x y z - - - other\r\n" +
		head + lines + "\n" + // XML over lines
		head + opened[:300] + "\n" + // one that was cut
		m + "\n" +
		"garbage of no kind\n" +
		"5000000 <85>" + strings.Repeat("x", 5_000_000-4) + // too long
		count(m, 0) +
		count(m[:500], 600) // the file ends in it
	want := []string{fmt.Sprint("1 ", n), fmt.Sprint("1 ", n), fmt.Sprint("2 ", n), fmt.Sprint("3 ", n), fmt.Sprint("3 ", n), "4 23", fmt.Sprint("5 ", len(head+lines)),
		"", "", fmt.Sprint(" ", n), "", "! longer than 1024 KiB", fmt.Sprint(" ", n), "! cut short: its count of bytes is not reached"}
	at := 5 + strings.Count(lines, "\n") + 1
	want[7], want[8] = fmt.Sprint(at, "! cut short: the XML does not end"), fmt.Sprint(at+1, " ", n)
	want = append(want[:9], fmt.Sprint(at+2, " 18"), fmt.Sprint(at+3, "! longer than 1024 KiB"), fmt.Sprint(at+3, " ", n), fmt.Sprint(at+3, "! cut short: its count of bytes is not reached"))
	got, _ := cut(t, NewFrames(strings.NewReader(text), Longest))
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got, _ := cut(t, NewFrames(iotest.HalfReader(strings.NewReader(text)), Longest)); !reflect.DeepEqual(got, want) {
		t.Errorf("in pieces\n%s", strings.Join(got, "\n"))
	}
}

// A line that does not end takes no memory, and costs nothing but itself.
func TestALineWithoutEnd(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, _ := cut(t, NewFrames(io.MultiReader(strings.NewReader("<85>1 "), io.LimitReader(forever{}, 128<<20), strings.NewReader("\n"+head+opened)), Longest))
	runtime.ReadMemStats(&after)
	if want := []string{"1! longer than 1024 KiB", fmt.Sprint("2 ", len(head+opened))}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
	if grown := (after.TotalAlloc - before.TotalAlloc) >> 20; grown > 32 {
		t.Errorf("allocated %d MB", grown)
	}
}

type forever struct{}

func (forever) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// A connection gives each message as soon as it is there.
func TestAConnectionIsNotWaitedFor(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	in := LiveFrames(r, Longest)
	m := head + opened
	for _, text := range []string{fmt.Sprint(len(m), " ", m), fmt.Sprint(len(m), " ", m), m + "\n"} {
		go func() { _, _ = io.WriteString(w, text) }()
		f, err := in.Next()
		if err != nil || strings.TrimSpace(string(f.Text)) != m {
			t.Fatal(err, f.Why)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(head + opened))
	f.Add([]byte(head + "\ufeff" + opened))
	f.Add([]byte(`<85>1 t h a p m [x y="z"] <AuditMessage/>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, why := Parse(b)
		if why == "" && r.Event.Agent == "" && len(r.People) == 0 {
			t.Error("read without anybody")
		}
		for _, p := range append(r.Patients, r.People) {
			for _, id := range p {
				if len(id.Value) > 256 {
					t.Error("an identifier of ", len(id.Value))
				}
			}
		}
	})
}

func FuzzFrames(f *testing.F) {
	m := head + opened
	f.Add([]byte(fmt.Sprint(len(m), " ", m, "\n", m, "\n9 <85>")))
	f.Add([]byte("0 <0"))
	f.Add([]byte("\n\ufeff\n12 <1>1234567890\n<?xml\n<1>\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		in, total := NewFrames(bytes.NewReader(b), 300), 0
		for {
			fr, err := in.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if total += len(fr.Text); total > len(b) || len(fr.Text) == 0 && fr.Why == "" {
				t.Fatalf("%d bytes out of %d", total, len(b))
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	m := []byte(head + opened)
	b.SetBytes(int64(len(m)))
	for b.Loop() {
		if _, why := Parse(m); why != "" {
			b.Fatal(why)
		}
	}
}
