// Command bench runs the benchmarks of this project and writes their results as a table.
//
//	./scripts/bench              # everything, about five minutes; rewrites bench/results/latest.md and latest.txt
//	./scripts/bench 'Serve'      # only the benchmarks that match; prints the table and writes nothing
//	./scripts/bench side-by-side # the harness that drives any FHIR server, on both engines; rewrites bench/results/side-by-side.md
//	./scripts/bench replay       # a simulated hospital's log judged; rewrites bench/results/replay.md
//	./scripts/bench detection --seeds 201,202,203,204,205 # the detector on simulated hospitals; rewrites docs/detection-results.md and .html
//
// It measures nothing itself: each figure comes from a Benchmark function that `go test -bench` runs alone as well, and latest.txt is
// what they printed, for benchstat. What is measured and which aim it has stands in rows.go. The machine is rarely ours alone, so each
// figure of wall time stands beside one of processor time, and the table says what other programs took meanwhile.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// suite is one run of go test.
type suite struct {
	dir, bench, time string
}

// Suites run in this order. What starts whole programs goes by number of runs, the rest by time.
var suites = []suite{
	{"internal/seal", "Seal|Open", "1s"},
	{"internal/record", "Write|Import|Read/one", "2s"},
	{"internal/audit", "Append", "4s"},
	{"internal/access", "Decision", "4s"},
	{"bench", "Fsync", "1s"},
	{"bench", "Import|Start", "3x"},
	{"bench", "Serve", "8s"},
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) > 0 && args[0] == "side-by-side" {
		return runSideBySide(args[1:])
	}
	if len(args) > 0 && args[0] == "replay" {
		return runReplay(args[1:])
	}
	if len(args) > 0 && args[0] == "detection" {
		return runDetection(args[1:])
	}
	var raw bytes.Buffer
	facts := machine()
	results := map[string]result{}
	for _, s := range suites {
		command := exec.Command("go", "test", "./"+s.dir, "-run=^$", "-bench="+s.bench, "-benchtime="+s.time, "-timeout=30m")
		if len(args) > 0 {
			command.Args[4] = "-bench=" + args[0]
		}
		var out bytes.Buffer
		command.Stdout, command.Stderr = io.MultiWriter(os.Stderr, &out), os.Stderr
		others := newMeter()
		if err := command.Run(); err != nil {
			return fmt.Errorf("%s: %w", s.dir, err)
		}
		taken := others.cores(command.ProcessState)
		for name, r := range parse(s.dir, out.String(), runtime.GOMAXPROCS(0)) {
			r.others = taken
			results[name] = r
		}
		raw.Write(out.Bytes())
	}
	page := table(facts, results)
	fmt.Print(page)
	if len(args) > 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Join("bench", "results"), 0o755); err != nil {
		return err
	}
	for name, content := range map[string][]byte{"latest.md": []byte(page), "latest.txt": raw.Bytes()} {
		if err := os.WriteFile(filepath.Join("bench", "results", name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
