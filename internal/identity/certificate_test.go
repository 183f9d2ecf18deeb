package identity

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"chartwarden/internal/outcome"
)

// A certificate is kept, signed once, the same for ever, and shows any change.
func TestACertificateShowsAnyChange(t *testing.T) {
	s := newSite(t, true)
	anna := s.hire("Anna Lindqvist", Physician)
	_, _, err := s.Certify(t.Context(), anna.Person, func(*Certificate) error { return nil })
	s.refused(err, outcome.NotFound, "a certificate of somebody who works here")
	c, err := s.Terminate(t.Context(), shell, anna.Person, `left: "quietly",`)
	s.must(err)
	whole, signed, err := s.Certify(t.Context(), anna.Person, func(*Certificate) error { return errors.New("the log cannot be read") })
	if err == nil || signed == nil || whole.Accesses30d != nil {
		t.Fatalf("%s %v", signed, err)
	}
	n := 7
	fill := func(c *Certificate) (err error) {
		c.Accesses30d, c.AccessesByKind = &n, map[string]int{"read": 7}
		c.Notice, c.NoticeVerifier, err = s.Notice("Dear partners\n")
		return err
	}
	_, signed, err = s.Certify(t.Context(), anna.Person, fill)
	s.must(err)
	_, again, err := s.Certify(t.Context(), anna.Person, func(*Certificate) error { t.Error("filled twice"); return nil })
	s.must(err)
	if !bytes.Equal(signed, again) {
		t.Error("two certificates of one termination")
	}
	read, err := ReadCertificate(append(signed, '\n'), s.CertificateKey())
	s.must(err)
	if read.Reason != c.Reason || *read.Accesses30d != 7 || len(read.Sessions) != 0 {
		t.Errorf("%+v", read)
	}
	for i := range signed {
		bad := bytes.Clone(signed)
		bad[i] ^= 1
		if _, err := ReadCertificate(bad, ""); err == nil {
			t.Fatalf("byte %d can be changed: %s", i, bad)
		}
	}
	other := newSite(t, true)
	_, err = ReadCertificate(signed, other.CertificateKey())
	s.refused(err, outcome.Conflict, "a certificate of another installation")
	for _, text := range []string{"", "{}", "null", `{"key":"","signature":""}`, `{"person":"x","key":"AAAA","signature":"AAAA"}`, strings.Repeat("{", 1000)} {
		_, err := ReadCertificate([]byte(text), "")
		s.refused(err, outcome.Invalid, text)
	}
}

// That somebody is a patient here is patient data: the certificate of a portal account has no name.
func TestACertificateNamesNoPatient(t *testing.T) {
	s := newSite(t, true)
	p, _, err := s.Create(t.Context(), shell, NewPerson{Name: "Maren Okafor", Roles: []string{Patient}, Patient: "Patient/1"})
	s.must(err)
	c, err := s.Terminate(t.Context(), shell, p.ID, "moved away")
	s.must(err)
	if c.Name != "Portal account" {
		t.Error(c.Name)
	}
}

func FuzzReadCertificate(f *testing.F) {
	f.Add([]byte(`{"person":"x","key":"AAAA","signature":"AAAA"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := ReadCertificate(text, ""); err != nil && outcome.Status(err) >= 500 {
			t.Error(err)
		}
	})
}
