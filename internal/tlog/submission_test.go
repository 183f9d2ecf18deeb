package tlog

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func submission(t testing.TB) Submission {
	s := signer(t, "hospital.example/log")
	return Submission{Old: 5, Proof: []Hash{{1}, {2}}, Note: s.Sign(Checkpoint{Origin: s.Name(), Size: 7, Root: Hash{9}}.Text())}
}

func TestSubmissionsHaveOneForm(t *testing.T) {
	good := submission(t)
	text := good.Text()
	got, err := ParseSubmission(text)
	if err != nil || got.Old != 5 || len(got.Proof) != 2 || !bytes.Equal(got.Note, good.Note) {
		t.Fatalf("%+v %v", got, err)
	}
	for name, bad := range map[string]string{
		"empty":              "",
		"no old line":        strings.Replace(string(text), "old 5\n", "", 1),
		"leading zero":       strings.Replace(string(text), "old 5", "old 05", 1),
		"negative":           strings.Replace(string(text), "old 5", "old -5", 1),
		"sign":               strings.Replace(string(text), "old 5", "old +5", 1),
		"two spaces":         strings.Replace(string(text), "old 5", "old  5", 1),
		"carriage return":    strings.Replace(string(text), "old 5\n", "old 5\r\n", 1),
		"beyond 63 bits":     strings.Replace(string(text), "old 5", "old 9223372036854775808", 1),
		"short hash":         strings.Replace(string(text), Hash{1}.String(), "AAAA", 1),
		"no blank line":      strings.Replace(string(text), "\n\nhospital", "\nhospital", 1),
		"no signature":       string(text[:bytes.LastIndex(text, []byte("— "))]),
		"unended":            strings.TrimSuffix(string(text), "\n"),
		"not a checkpoint":   "old 0\n\nx\n\n— x AAAAAAAA\n",
		"64 hashes":          "old 5\n" + strings.Repeat(Hash{1}.String()+"\n", 64) + "\n" + string(good.Note),
		"blank line in text": strings.Replace(string(text), "hospital.example/log\n7\n", "hospital.example/log\n\n7\n", 1),
	} {
		if _, err := ParseSubmission([]byte(bad)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := ParseSubmission([]byte("old 5\n" + strings.Repeat(Hash{1}.String()+"\n", 63) + "\n" + string(good.Note))); err != nil {
		t.Errorf("63 hashes are refused: %v", err)
	}
}

func FuzzSubmission(f *testing.F) {
	good := submission(f)
	f.Add(good.Text())
	f.Add(Submission{Note: good.Note}.Text())
	f.Add([]byte("old 0\n\nx\n\n— x AAAAAAAA\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := ParseSubmission(body)
		if err == nil && !bytes.Equal(s.Text(), body) {
			t.Fatalf("%q is read as another submission", body)
		}
	})
}

// Of a witness's answer only the signature of the key that was given for it is taken, and only when it holds.
func TestOnlyTheWitnessesOwnSignatureIsTaken(t *testing.T) {
	note := submission(t).Note
	w, _ := NewCosigner("witness.example", key("witness"))
	other, _ := NewCosigner("other.example", key("other"))
	impostor, _ := NewCosigner("witness.example", key("impostor"))
	at := time.Unix(1790000000, 0).UTC()
	line := func(s Signer) string {
		l, err := s.Cosignature(note, at)
		if err != nil {
			t.Fatal(err)
		}
		return string(l)
	}
	cosigned, s, err := AddCosignature(note, []byte(line(other)+line(w)), w.Verifier())
	if err != nil || !s.Time.Equal(at) || string(cosigned) != string(note)+line(w) {
		t.Fatalf("%v %v\n%s", s, err, cosigned)
	}
	elsewhere, _ := w.Cosignature(submissionOf(t, 8), at)
	for name, lines := range map[string]string{"none": "", "another's": line(other), "an impostor's": line(impostor), "of another checkpoint": string(elsewhere),
		"unended": strings.TrimSuffix(line(w), "\n"), "garbage": "\n\n— \n", "more text": "x\n\n" + strings.TrimSuffix(line(w), "\n")} {
		if cosigned, _, err := AddCosignature(note, []byte(lines), w.Verifier()); err == nil {
			t.Errorf("%s is taken: %q", name, cosigned)
		}
	}
}

func submissionOf(t testing.TB, size int64) []byte {
	s := signer(t, "hospital.example/log")
	return s.Sign(Checkpoint{Origin: s.Name(), Size: size, Root: Hash{9}}.Text())
}
