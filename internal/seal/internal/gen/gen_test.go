package main

import (
	"bytes"
	"os"
	"testing"
)

func TestCommittedDictionaryIsTheGenerators(t *testing.T) {
	built, err := build()
	if err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile("../../dictionary/1.zdict")
	if err != nil || !bytes.Equal(built, committed) {
		t.Fatalf("the generator makes another dictionary (%d bytes, committed %d, %v): give it a new number", len(built), len(committed), err)
	}
}
