package tlog

import (
	"crypto/ed25519"
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
)

func key(seed string) ed25519.PrivateKey {
	sum := sha256.Sum256([]byte(seed))
	return ed25519.NewKeyFromSeed(sum[:])
}

func signer(t testing.TB, name string) Signer {
	t.Helper()
	s, err := NewSigner(name, key(name))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNotesAreReadByTheReference(t *testing.T) {
	s := signer(t, "hospital.example/log")
	signed := s.Sign(Checkpoint{Origin: s.Name(), Size: 7, Root: Hash{1}}.Text())
	v, err := note.NewVerifier(s.Verifier().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open(signed, note.VerifierList(v)); err != nil {
		t.Fatal(err)
	}
	mine, err := ParseVerifier(s.Verifier().String())
	if err != nil {
		t.Fatal(err)
	}
	c, held, err := OpenCheckpoint(signed, mine)
	if err != nil || c.Size != 7 || c.Root != (Hash{1}) || len(held) != 1 {
		t.Fatalf("%+v %v %v", c, held, err)
	}
}

func TestEveryFlippedBitIsSeen(t *testing.T) {
	s := signer(t, "hospital.example/log")
	signed := s.Sign(Checkpoint{Origin: s.Name(), Size: 70, Root: Hash{1}}.Text())
	for i := range signed {
		for bit := range 8 {
			bent := append([]byte(nil), signed...)
			bent[i] ^= 1 << bit
			if _, _, err := OpenCheckpoint(bent, s.Verifier()); err == nil {
				t.Fatalf("bit %d of byte %d changed and nobody saw it: %q", bit, i, bent)
			}
		}
	}
}

func TestWitnessesCosign(t *testing.T) {
	s := signer(t, "hospital.example/log")
	w, err := NewCosigner("witness.example", key("witness"))
	if err != nil {
		t.Fatal(err)
	}
	seen := time.Unix(1790000000, 0).UTC()
	signed, err := w.Cosign(s.Sign(Checkpoint{Origin: s.Name(), Size: 3, Root: Hash{9}}.Text()), seen)
	if err != nil {
		t.Fatal(err)
	}
	_, held, err := OpenCheckpoint(signed, s.Verifier(), w.Verifier())
	if err != nil || len(held) != 2 || held[1].Name != "witness.example" || !held[1].Time.Equal(seen) {
		t.Fatalf("%v %v", held, err)
	}
	if _, _, err := OpenCheckpoint(signed, w.Verifier()); err == nil {
		t.Fatal("a checkpoint without its log's signature was accepted")
	}
	other := signer(t, "other.example/log")
	if _, _, err := OpenCheckpoint(other.Sign(Checkpoint{Origin: s.Name(), Size: 3, Root: Hash{9}}.Text()), other.Verifier()); err == nil {
		t.Fatal("a log signed for another origin")
	}
}

func TestSignersRefuseBadNames(t *testing.T) {
	for _, name := range []string{"", "a b", "a+b", "a\u2003b", "a\xff"} {
		if _, err := NewSigner(name, key("x")); err == nil {
			t.Errorf("%q is no name", name)
		}
	}
	if _, err := NewSigner("a", nil); err == nil {
		t.Error("no key, no signer")
	}
}

func TestProofTextProvesAnEntry(t *testing.T) {
	log, s := grow(t, 300), signer(t, "hospital.example/log")
	path, err := Inclusion(log.at(300), 17, 300)
	if err != nil {
		t.Fatal(err)
	}
	proof := Proof{Index: 17, Path: path, Extra: []byte("x"), Note: s.Sign(Checkpoint{Origin: s.Name(), Size: 300, Root: log.tree.Root()}.Text())}
	read, err := ParseProof(proof.Text())
	if err != nil {
		t.Fatal(err)
	}
	if c, _, err := read.Check([]byte("entry 17"), s.Verifier()); err != nil || c.Size != 300 {
		t.Fatal(err)
	}
	if _, _, err := read.Check([]byte("entry 18"), s.Verifier()); err == nil {
		t.Fatal("another entry was proven")
	}
}

func FuzzOpenCheckpoint(f *testing.F) {
	s := signer(f, "hospital.example/log")
	f.Add(s.Sign(Checkpoint{Origin: s.Name(), Size: 7, Root: Hash{1}}.Text()))
	f.Add(s.Sign(Checkpoint{Origin: s.Name(), Root: EmptyRoot, Extensions: []string{"more"}}.Text()))
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, _, err := OpenCheckpoint(b, s.Verifier()); err == nil && !strings.HasPrefix(string(b), string(c.Text())) {
			t.Fatal("what was read is not what was signed")
		}
	})
}

func FuzzParseCheckpoint(f *testing.F) {
	f.Add(Checkpoint{Origin: "a", Size: 1, Root: Hash{3}}.Text())
	f.Add([]byte("a\n01\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := ParseCheckpoint(b); err == nil && string(c.Text()) != string(b) {
			t.Fatal("a checkpoint has one form")
		}
	})
}

func FuzzParseProof(f *testing.F) {
	f.Add(Proof{Index: 3, Path: []Hash{{1}}, Extra: []byte("x"), Note: []byte("n\n")}.Text())
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := ParseProof(b); err == nil && string(p.Text()) != string(b) {
			t.Fatal("a proof has one form")
		}
	})
}

func FuzzParseVerifier(f *testing.F) {
	f.Add(signer(f, "hospital.example/log").Verifier().String())
	f.Fuzz(func(t *testing.T, s string) {
		if v, err := ParseVerifier(s); err == nil && v.String() != s {
			t.Fatal("a verifier key has one form")
		}
	})
}
