// Command gen compiles the search parameters of FHIR R4 into the table that package search embeds.
//
//	go run ./internal/fhir/search/internal/gen
//
// It reads fhir/r4-core.tar.gz (package hl7.fhir.r4.core 4.0.1) below CHARTWARDEN_TESTDATA (default ../shared) and writes
// internal/fhir/search/table.txt, which is compact and readable at once. It fails on an expression whose shape or function it does
// not know, and on a parameter that would read an element of a type that its kind cannot read: nothing is guessed or left out
// silently. Run it from the root of the module.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

const target = "internal/fhir/search/table.txt"

func main() {
	table, err := generate(archive("."))
	if err == nil {
		err = os.WriteFile(target, table, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// archive is the path of the published definitions, seen from the module root.
func archive(root string) string {
	data := os.Getenv("CHARTWARDEN_TESTDATA")
	if data == "" {
		data = filepath.Join(root, "..", "shared")
	}
	return filepath.Join(data, "fhir", "r4-core.tar.gz")
}

// generate reads the definitions and returns the text of the table.
func generate(path string) ([]byte, error) {
	defs, err := readDefinitions(path)
	if err != nil {
		return nil, err
	}
	return compileAll(defs)
}
