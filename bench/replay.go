package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
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
	b.WriteString("\n" + memoryTable(string(memory)))
	return os.WriteFile("bench/results/replay.md", b.Bytes(), 0o644)
}

var memoryFigure = regexp.MustCompile(`([\d.]+) B/(\w+)-after-(\d+)-weeks`)

// memoryTable is what the engine keeps, of the output of the benchmark that measures it.
func memoryTable(output string) string {
	figures := map[string]string{}
	for _, f := range memoryFigure.FindAllStringSubmatch(output, -1) {
		bytes, _ := strconv.ParseFloat(f[1], 64)
		figures[f[2]+f[3]] = fmt.Sprintf("%.0f", bytes)
	}
	var b strings.Builder
	b.WriteString(memoryText + "\n| one more | after 6 weeks, bytes | after 26 weeks, bytes |\n|---|--:|--:|\n")
	for _, of := range []struct{ what, name string }{
		{"member of staff", "person"}, {"patient of the directory", "patient"}, {"appointment of the last hundred days", "appointment"},
	} {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", of.what, figures[of.name+"6"], figures[of.name+"26"])
	}
	b.WriteString(memoryNotes)
	return b.String()
}

const memoryText = `Heap of the engine, each as the difference of two houses that differ in nothing else (` + "`go test ./internal/detect -bench Memory`" + `). A member of staff
opens ten charts a day, of patients who change each week, one in twenty without a known reason; ids have 36 characters. Hers are: who she is
and what she usually does (800 bytes), the shifts of two weeks and the next four (12 bytes each), two days of looks (32 bytes and the id of the
event), her days among those that are compared, and whom she met at which patient in the last month (8 bytes a pair). A patient is who she is. An
appointment is a fact of the context (20 bytes) with the resource that said it and who made that (24 bytes and its place in an index).
`

const memoryNotes = `
Not of one person: an open case takes 250 bytes, and 29 for each of the 600 events that it names at most; one of somebody who works every day stays
open as long as she does. The ids of the last million lines take 16 to 32 MB, the samples of the nightly fit 4 MB, whatever the size of the house.
A fact goes when nothing can ask for it: 35 to 94 days after its end, by its template; its resource after 100 days, so that the context is flat from then
on. It is the larger part: a simulated hospital holds some 800 facts for each of its staff after 26 weeks, 80 KB. To hold less than the facts of three
months, explained pairs older than a month would have to stand in the store, or lose the resource they come from, and with it that they can be taken back.
`
