// Command gen compiles the definitions of FHIR R4 into the tables that the server embeds: internal/fhir/schema.bin and, for people
// who review a change, internal/fhir/schema.txt.
//
//	go run ./internal/fhir/internal/gen
//
// It reads fhir/r4-core.tar.gz (package hl7.fhir.r4.core 4.0.1) below $CHARTWARDEN_TESTDATA, by default ../shared. It takes facts
// only, no prose, and fails on a definition of a shape that it does not know.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"chartwarden/internal/fhir/internal/published"
)

func main() {
	if err := run("internal/fhir"); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	dir, ok := published.Dir()
	if !ok {
		return fmt.Errorf("the published FHIR data are missing: set CHARTWARDEN_TESTDATA")
	}
	table, summary, err := compile(dir)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "schema.bin"), table, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "schema.txt"), summary, 0o644)
}

func compile(dir string) (table, summary []byte, err error) {
	defs, err := read(dir)
	if err != nil {
		return nil, nil, err
	}
	s := &schema{types: map[string]*typ{}, sets: map[string]*valueSet{}}
	for _, step := range []func(*definitions) error{s.addTypes, s.addValueSets, s.addCompartment} {
		if err := step(defs); err != nil {
			return nil, nil, err
		}
	}
	return s.encode(), s.summary(), nil
}
