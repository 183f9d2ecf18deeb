package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// runReplay simulates a hospital, judges its log by the built program, measures what an engine keeps, and writes the table.
func runReplay(args []string) error {
	staff, days := "1200", "14"
	if len(args) == 2 {
		staff, days = args[0], args[1]
	}
	dir, err := os.MkdirTemp("", "replay-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	facts := machine()
	program := filepath.Join(dir, "chartwarden")
	if out, err := exec.Command("go", "build", "-o", program, "./cmd/chartwarden").CombinedOutput(); err != nil {
		return fmt.Errorf("build: %s", out)
	}
	town := filepath.Join(dir, "town")
	if out, err := exec.Command(program, "simulate", "--out", town, "--seed", "9", "--staff", staff, "--patients", staff+"0", "--days", days, "--each", "1").CombinedOutput(); err != nil {
		return fmt.Errorf("simulate: %s", out)
	}
	log := filepath.Join(town, "log.ndjson")
	st, err := os.Stat(log)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	var events, records int
	rows := ""
	for _, cores := range []string{"1", "2", "2"} {
		command := exec.Command(program, "replay", "--context", filepath.Join(town, "context"), "--log", log, "--out", filepath.Join(dir, "out"), "--json")
		command.Env = append(os.Environ(), "GOMAXPROCS="+cores)
		command.Stderr = os.Stderr
		others := newMeter()
		out, err := command.Output()
		if err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		var sum struct {
			Events  int     `json:"events"`
			Records int     `json:"context_records"`
			Rate    float64 `json:"events_per_second"`
			Seconds float64 `json:"seconds"`
			Peak    int64   `json:"peak_memory_bytes"`
		}
		if err := json.Unmarshal(out, &sum); err != nil {
			return err
		}
		events, records = sum.Events, sum.Records
		cpu := (command.ProcessState.UserTime() + command.ProcessState.SystemTime()).Seconds()
		rows += fmt.Sprintf("| %s | %.1f | %.0f | %.1f | %.1f | %.0f | %.1f |\n", cores, sum.Seconds, sum.Rate, cpu, 1e6*cpu/float64(sum.Events), float64(sum.Peak)/(1<<20), others.cores(command.ProcessState))
	}
	memory, err := exec.Command("go", "test", "./internal/detect", "-run=^$", "-bench=Memory", "-benchtime=1x").Output()
	if err != nil {
		return fmt.Errorf("memory: %w", err)
	}
	fmt.Fprintf(&b, "# Judging a recorded log\n\n%s\n\nRun `make replay-bench` to make this page anew. `chartwarden replay` from files to files, context and log, over a simulated hospital\n(%s staff, %s0 patients, %s days, seed 9): %d events in %.0f MB, %d resources of context. What other programs took of the machine stands in the last column:\non a loaded one the time of the processor says more than the clock.\n\n",
		facts, staff, staff, days, events, float64(st.Size())/(1<<20), records)
	b.WriteString("| cores | s | events/s | processor s | processor µs an event | peak MiB | cores of others |\n|--:|--:|--:|--:|--:|--:|--:|\n" + rows)
	b.WriteString("\nHeap of the engine for one member of staff, of 200 who open ten charts a day, each with ten patients of her own (`go test ./internal/detect -bench Memory`):\n\n| | after 1 month | 6 months | 12 months |\n|---|--:|--:|--:|\n")
	for _, m := range memoryLine.FindAllStringSubmatch(string(memory), -1) {
		figures := map[string]string{}
		for _, f := range memoryFigure.FindAllStringSubmatch(m[2], -1) {
			figures[f[2]] = f[1]
		}
		fmt.Fprintf(&b, "| %s, bytes | %s | %s | %s |\n", strings.ReplaceAll(m[1], "_", " "), figures["1"], figures["6"], figures["12"])
	}
	return os.WriteFile("bench/results/replay.md", b.Bytes(), 0o644)
}

var (
	memoryLine   = regexp.MustCompile(`BenchmarkMemory/(\S+?)(?:-\d+)?\s+\d+\s(.*)`)
	memoryFigure = regexp.MustCompile(`(\d+) B/person-after-(\d+)-months`)
)
