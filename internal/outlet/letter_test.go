package outlet

import (
	"chartwarden/internal/outlet/outlettest"
	"context"
	"fmt"
	"strings"
	"testing"
)

// bag is letters that the test makes.
type bag struct {
	to       map[int64]string
	newest   int64
	answered map[int64]bool
}

func (b *bag) Letters(_ context.Context, after int64) (out []int64, newest int64, err error) {
	for n := after + 1; n <= b.newest; n++ {
		out = append(out, n)
	}
	return out, b.newest, nil
}

func (b *bag) Letter(_ context.Context, n int64) (to, link string, wanted bool, err error) {
	return b.to[n], "https://ehr.example/activity", b.to[n] != "" && !b.answered[n], nil
}

// A person is written to alone, at her own address, once; who has no address, or has answered, is not; and what is old stays.
func TestALetterGoesToOnePerson(t *testing.T) {
	address, mails := outlettest.Post(t)
	mail, err := NewMail(address, "ehr@example.org", "office@example.org", "")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, nil, mail)
	b := &bag{to: map[int64]string{1: "old@example.org", 2: "dana@example.org", 4: "eva@example.org"}, newest: 1, answered: map[int64]bool{}}
	w.x.o.Letters = b
	turn := func() {
		t.Helper()
		if err := w.x.collect(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.turn()
	}
	turn()
	b.newest, b.answered[4] = 4, true
	turn()
	turn()
	got := mails()
	if len(got) != 1 || !strings.Contains(got[0], "To: <dana@example.org>\n") || !strings.Contains(got[0], "https://ehr.example/activity\n") || strings.Contains(got[0], "office@") {
		t.Fatalf("%q", got)
	}
	if s := w.state(ByLetter); s.Waiting != 0 || s.Sent != 1 {
		t.Errorf("%+v", s)
	}
	w.raise("17")
	w.turn()
	if s := w.state(ByLetter); s.Waiting != 0 {
		t.Errorf("an alert for the office waits as a letter: %+v", s)
	}
}

// sayings are words that the test makes.
type sayings map[string]Letter

func (s sayings) Words(_ context.Context, about string, change int64) (Letter, bool, error) {
	l, ok := s[fmt.Sprint(about, change)]
	return l, ok, nil
}

// What one person is to hear leaves once, to her alone; what is said twice or is older, or that nobody need hear any more, does not.
func TestWordsGoToOnePersonOnce(t *testing.T) {
	address, mails := outlettest.Post(t)
	mail, err := NewMail(address, "ehr@example.org", "office@example.org", "")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, nil, mail)
	w.x.o.Words = sayings{"glass:anna7": {"anna@example.org", "A chart", []string{"Look at Colleagues"}}, "glass:anna5": {"anna@example.org", "An older one", nil}}
	for _, n := range []int64{7, 7, 5, 9} {
		if err := w.x.Write(t.Context(), "glass:anna", n); err != nil {
			t.Fatal(err)
		}
	}
	w.turn()
	w.turn()
	if got := mails(); len(got) != 1 || !strings.Contains(got[0], "To: <anna@example.org>\n") || !strings.Contains(got[0], "Subject: A chart\n") || strings.Contains(got[0], "office@") {
		t.Fatalf("%q", got)
	}
	if s := w.state(ByLetter); s.Waiting != 0 || s.Sent != 1 {
		t.Errorf("%+v", s)
	}
}
