package audit

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"chartwarden/internal/fhir"
)

func pick[T any](options ...T) T { return options[rand.IntN(len(options))] }

func anyEvent() Event {
	word := func() string { return pick("", "read", "x", "physician", "00ff", "\x00z", "é \"", "TREAT") }
	e := Event{Agent: Agent{Person: pick("", "p-1", "o3k5z2w6vq7abcde", "16 letters or so"), Name: word(), Role: word(), Capacity: word(), Practitioner: word(), Client: word(), Job: word(), Session: pick("", "s-1", "o3k5z2w6vq7abcde"), Device: pick("", "Device/8", "8d969eef6ecad3c2", "8D969EEF6ECAD3C2", "\x00z", "ab"), Address: pick("", "10.1.2.3", "fe80::1", "FE80::1", "::ffff:10.1.2.3", "fe80::1%eth0", "host.example", "\x00z"), Zone: word(), AAL: rand.IntN(4)},
		Action: word(), Interaction: word(), Class: word(), Purpose: word(), Outcome: pick(0, 4, 8, 12), Query: word(), Request: word(), PolicyHash: pick("", "00ff", "not hex"), Text: word(), Intent: Index(rand.Int64N(3)) << 40}
	if rand.IntN(2) == 0 {
		e.Time = time.UnixMicro(rand.Int64N(1e16)).UTC()
	}
	if rand.IntN(3) == 0 {
		e.Imported = Imported{Journal: "j", Number: rand.Int64N(9), Chain: [32]byte{byte(rand.IntN(3))}}
	}
	return e
}

func anyPatient() PatientPart {
	p := PatientPart{Patient: fhir.PatientID(rand.Int64N(1 << 40)), Ref: pick("", "Patient/1"), Template: pick("", "care-team"), Sentence: pick("", "because"), Relation: pick("", "{}"),
		Unexplained: pick(true, false), Glass: pick(true, false), Details: pick("", "[]")}
	for range rand.IntN(3) {
		p.Permits, p.Groups = append(p.Permits, pick("treat.team", "btg")), append(p.Groups, pick("notes", "other"))
	}
	last := int64(0)
	for range rand.IntN(5) {
		last += rand.Int64N(1000)
		r := Record{Record: fhir.RecordID(last), Version: rand.Int64N(5), Ref: pick("", "Observation/1")}
		if rand.IntN(2) == 0 {
			r.Hash = [32]byte{1, byte(rand.IntN(256))}
		}
		p.Records = append(p.Records, r)
		last++
	}
	return p
}

func TestPartsReadBack(t *testing.T) {
	t.Parallel()
	for range 3000 {
		e := anyEvent()
		if got, err := parseCommon(appendCommon(nil, &e)); err != nil || !reflect.DeepEqual(got, e) {
			t.Fatalf("\nwrote %+v\nread  %+v (%v)", e, got, err)
		}
		p := anyPatient()
		if got, err := parsePatient(appendPatient(nil, &p)); err != nil || !reflect.DeepEqual(got, p) {
			t.Fatalf("\nwrote %+v\nread  %+v (%v)", p, got, err)
		}
		e.Patients = []PatientPart{p, anyPatient()}
		if kind, got, err := unpackEvent(packEvent(Glass, &e)); err != nil || kind != Glass || !reflect.DeepEqual(got, e) {
			t.Fatalf("\nwrote %+v\nread  %+v (%v)", e, got, err)
		}
	}
}

func TestOneReadTakesFewBytes(t *testing.T) {
	t.Parallel()
	e := reading(1, 70_000)
	common, patient := appendCommon(nil, &e), appendPatient(nil, &e.Patients[0])
	if n := len(common) + len(patient); n > 190 {
		t.Errorf("%d + %d bytes", len(common), len(patient))
	}
	chart := reading(300, 70_000)
	if n := len(appendPatient(nil, &chart.Patients[0])); n > 300*2+100 {
		t.Errorf("a chart of 300 records takes %d bytes", n)
	}
}

func FuzzEntry(f *testing.F) {
	f.Add(entry{kind: Disclosure, tags: []tag{{1}, {2}}, time: 5}.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if e, err := parseEntry(b); err == nil && string(e.append(nil)) != string(b) {
			t.Fatal("an entry has one form")
		}
	})
}

func FuzzPayload(f *testing.F) {
	for range 3 {
		e := anyEvent()
		e.Patients = []PatientPart{anyPatient()}
		f.Add(packEvent(Disclosure, &e))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, e, err := unpackEvent(b)
		if err != nil {
			return
		}
		if _, again, err := unpackEvent(packEvent(Disclosure, &e)); err != nil || len(again.Patients) != len(e.Patients) {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		_, _ = parsePatient(b)
		_, _ = parseCommon(b)
	})
}

func FuzzSplitHeads(f *testing.F) {
	f.Add([]byte("a\n1\nx\n\n— a b\n\na\n2\ny\n\n— a c\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, note := range splitHeads(b) {
			if len(note) == 0 || note[len(note)-1] != '\n' {
				t.Fatal("half a note")
			}
		}
	})
}

// Where an agent sits stands in every entry of a person: with all of it the common part takes hardly more than it did without.
func TestWhereAnAgentSitsTakesLittle(t *testing.T) {
	t.Parallel()
	e := Event{Agent: Agent{Person: "o3k5z2w6vq7abcde", Session: "h6k5z2w6vq7abcdx", Device: "8d969eef6ecad3c2", Address: "10.1.2.3"}}
	nowhere := Event{Agent: Agent{Person: e.Agent.Person, Session: e.Agent.Session}}
	if whole, without := len(appendCommon(nil, &e)), len(appendCommon(nil, &nowhere)); whole-without != 18 || whole-2*18 > 8 {
		t.Errorf("%d bytes, %d without device and address", whole, without)
	}
}
