package server

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"

	"chartwarden/internal/db"
	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"
)

func TestANodesSecretLiesWrapped(t *testing.T) {
	dir := t.TempDir()
	custodian, err := seal.CreateKeyFile(filepath.Join(dir, keyFileName))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := db.Open(t.Context(), filepath.Join(dir, keysDB), db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	ring, err := seal.Create(t.Context(), keys, custodian, true)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Config: Config{Data: dir, Database: "postgres://somewhere/db", Node: "ward"}, custodian: custodian, ring: ring}
	secret, err := s.nodeSecret(true)
	if err != nil || len(secret) != 32 {
		t.Fatal(len(secret), err)
	}
	if again, err := s.nodeSecret(true); err != nil || !bytes.Equal(again, secret) {
		t.Fatal("another secret at the second start", err)
	}
	b, err := os.ReadFile(filepath.Join(dir, nodeKeyName))
	if err != nil || bytes.Contains(b, []byte(base64.StdEncoding.EncodeToString(secret))) {
		t.Fatal("the secret lies open", err)
	}
	s.Config.Node = "another"
	if _, err := s.nodeSecret(true); !outcome.Is(err, outcome.Invalid) {
		t.Fatalf("the secret of another node: %v", err)
	}
}
