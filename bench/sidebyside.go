package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// sidePhases are the phases of the harness in the order of the table; the import comes before them.
const sidePhases = "read,pname,obs,encsort,chain,include,create,update,everything,mixed"

// sideRow is one line of the side-by-side table. Aims hold with policy on and the audit durable before the answer; what Medplum 5.1.17
// does was measured by the same harness with as many cores, patients and workers.
type sideRow struct {
	what, phase, unit string
	aim               float64
	below             bool    // the aim is an upper bound
	p99               float64 // a further aim: p99 in ms; 0 for none
	plain, hospital   string  // Medplum as it comes; with an AccessPolicy of 73 entries and its audit events saved and logged
}

var sideRows = []sideRow{
	{what: "read by id", phase: "read", unit: "/s", aim: 4000, p99: 10, plain: "887/s, p99 21 ms, 1.4 CPU ms", hospital: "219/s, p99 59 ms, 7.0 CPU ms"},
	{what: "`Patient?name=`", phase: "pname", unit: "/s", aim: 2000, plain: "462/s", hospital: "379/s"},
	{what: "`Observation?patient&code&date`", phase: "obs", unit: "/s", aim: 2000, plain: "392/s", hospital: "309/s"},
	{what: "`Encounter?subject&_sort=-date`", phase: "encsort", unit: "/s", aim: 2000, plain: "238/s", hospital: "191/s"},
	{what: "`Encounter?subject:Patient.family=`", phase: "chain", unit: "/s", aim: 2000, plain: "230/s", hospital: "211/s"},
	{what: "Encounter + 2 `_include`", phase: "include", unit: "/s", aim: 1000, plain: "232/s", hospital: "18/s (86 CPU ms)"},
	{what: "create Observation", phase: "create", unit: "/s", aim: 1500, plain: "165/s", hospital: "71/s"},
	{what: "update Observation (CPU with the read before it)", phase: "update", unit: "/s", aim: 1000, plain: "109/s", hospital: "49/s"},
	{what: "clinic visit (17 requests; CPU of one)", phase: "mixed", unit: "/min", aim: 6000, plain: "978/min", hospital: "581/min"},
	{what: "`Patient/$everything?_count=100`", phase: "everything", unit: "/s", aim: 150, plain: "28.5/s", hospital: "403 for the clinician"},
	{what: "bundle import through the door, resources (CPU of one)", phase: "import", unit: "/s", aim: 1500, plain: "151/s", hospital: "102/s"},
	{what: "`chartwarden import`, resources (CPU of one)", phase: "command-import", unit: "/s", aim: 10000},
	{what: "first start", phase: "start", unit: " ms", aim: 1000, below: true, plain: "208 s"},
	{what: "restart", phase: "restart", unit: " ms", aim: 1000, below: true, plain: "5-11 s"},
	{what: "idle memory", phase: "idle-MiB", unit: " MiB", aim: 100, below: true, plain: "467 MiB in 3 processes"},
}

// taken is one measurement: a line of the harness, or one of our own, which gives the value itself.
type taken struct {
	Label   string
	Phase   string
	Value   float64 // in the unit of its row
	CPU     float64 // of the program in ms for one resource
	N       int
	Errors  int
	Rate    float64 `json:"per_sec"`
	P50     float64 `json:"p50_ms"`
	P99     float64 `json:"p99_ms"`
	Server  float64 `json:"server_cpu_ms_per_op"`
	ByRoot  string  `json:"cpu_by_root"` // cores: "server=1.20 database=0.40"
	Foreign float64 `json:"foreign_cpu_cores"`
	Extra   struct {
		Visits      float64 `json:"visits_per_min"`
		Resources   float64 `json:"resources_per_sec"`
		ResourceCPU float64 `json:"server_cpu_ms_per_resource"`
		Refused     int     `json:"entries_refused"`
	}
}

// runSideBySide has the harness measure both engines and writes the table. With flags, which go on to the benchmark, it prints the
// table and writes nothing.
func runSideBySide(args []string) error {
	tool, err := filepath.Abs(filepath.Join(os.Getenv("CHARTWARDEN_TESTDATA"), "bench", "fhirbench"))
	if err == nil {
		_, err = os.Stat(tool)
	}
	if err != nil {
		return fmt.Errorf("the harness is not here: CHARTWARDEN_TESTDATA names the folder that holds bench/fhirbench (%w)", err)
	}
	file, err := os.CreateTemp("", "side-by-side")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	facts := machine()
	command := exec.Command("go", append([]string{"test", "./bench", "-run=^$", "-bench=SideBySide", "-benchtime=1x", "-timeout=60m", "-fhirbench=" + tool, "-measured=" + file.Name()}, args...)...)
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Run(); err != nil {
		return err
	}
	all, err := readTaken(file)
	if err != nil {
		return err
	}
	page := sideTable(facts, all)
	fmt.Print(page)
	if len(args) > 0 {
		return nil
	}
	return os.WriteFile(filepath.Join("bench", "results", "side-by-side.md"), []byte(page), 0o644)
}

func readTaken(from io.Reader) (out []taken, err error) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var t taken
		if err := json.Unmarshal(lines.Bytes(), &t); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, lines.Err()
}

// sideTable is the page: one table for each engine, and Medplum beside both.
func sideTable(f facts, all []taken) string {
	var out strings.Builder
	fmt.Fprintf(&out, "# Side by side\n\n%s.\n\n50 Synthea patients, 8 workers on the machine of the server, in a closed loop. Policy is on and the audit entry durable before each answer leaves. "+
		"Run `./scripts/bench side-by-side` to make this page anew. Throughput counts only where other programs took less than 0.1 core; a line with errors has no result.\n", f)
	for _, engine := range []struct{ label, name string }{{"sqlite", "SQLite"}, {"postgres", "PostgreSQL (server + database)"}} {
		by := map[string]taken{}
		for _, t := range all {
			if t.Label == engine.label {
				by[t.Phase] = t
			}
		}
		if len(by) == 0 {
			continue
		}
		fmt.Fprintf(&out, "\n## %s\n\n| request | measured | p50 ms | p99 ms | server CPU ms | other programs, cores | errors | aim | | Medplum default | Medplum as a hospital runs it |\n|---|--:|--:|--:|--:|--:|--:|--:|---|---|---|\n", engine.name)
		for _, r := range sideRows {
			if t, ok := by[r.phase]; ok {
				out.WriteString(r.line(t))
			}
		}
	}
	return out.String()
}

func (r sideRow) line(t taken) string {
	value, cpu, errors := t.Rate, t.cpu(), strconv.Itoa(t.Errors+t.Extra.Refused)
	p50, p99, foreign := number(t.P50), number(t.P99), number(max(0, t.Foreign))
	switch {
	case t.Phase == "mixed":
		value = t.Extra.Visits
	case t.Phase == "import":
		value, cpu = t.Extra.Resources, number(t.Extra.ResourceCPU)
	case t.Value > 0:
		value, cpu, errors, p50, p99, foreign = t.Value, "", "", "", "", ""
		if t.CPU > 0 {
			cpu = number(t.CPU)
		}
	}
	sign := "≥ "
	if r.below {
		sign = "< "
	}
	aim := sign + number(r.aim) + r.unit
	if r.p99 > 0 {
		aim += ", p99 < " + number(r.p99) + " ms"
	}
	return fmt.Sprintf("| %s | %s%s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", r.what, number(value), r.unit, p50, p99, cpu, foreign, errors, aim, r.verdict(t, value), r.plain, r.hospital)
}

func (r sideRow) verdict(t taken, value float64) string {
	switch {
	case t.Errors+t.Extra.Refused > 0:
		return "**errors**"
	case r.below == (value < r.aim) && (r.p99 == 0 || t.P99 < r.p99):
		return "met"
	}
	return "**missed**"
}

// cpu is what one operation takes of each process, in ms.
func (t taken) cpu() string {
	var parts []string
	for _, root := range strings.Fields(t.ByRoot) {
		_, cores, _ := strings.Cut(root, "=")
		if v, err := strconv.ParseFloat(cores, 64); err == nil && t.Rate > 0 {
			parts = append(parts, number(v*1000/t.Rate))
		}
	}
	return strings.Join(parts, " + ")
}
