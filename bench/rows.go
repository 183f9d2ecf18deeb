package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// row is one line of the table: which metric of which benchmark it shows, and what it ought to be.
type row struct {
	what   string
	name   string // directory, benchmark and sub-benchmark
	metric string
	aim    float64 // 0: none
	least  bool    // the aim is a lower bound
	under  string  // condition of the aim
}

var rows = []row{
	{what: "seal 1.4 KB, times/s", name: "internal/seal Seal", metric: "/s"},
	{what: "open 1.4 KB, times/s", name: "internal/seal Open", metric: "/s"},
	{what: "sealed writes one by one, 64 clients, resources/s", name: "internal/record Write/clients-64", metric: "resources/s"},
	{what: "sealed writes in batches of 250, resources/s", name: "internal/record Import", metric: "resources/s"},
	{what: "sealed reads by id, one client, resources/s", name: "internal/record Read/one", metric: "/s"},

	{what: "write and fsync 4 KiB, p50 ms", name: "bench Fsync", metric: "p50-ms"},
	{what: "audit append, 1 client, p50 ms", name: "internal/audit Append/clients-1", metric: "p50-ms", aim: 1, under: "where fsync takes 0.1 ms"},
	{what: "audit append, 1 client, p99 ms", name: "internal/audit Append/clients-1", metric: "p99-ms"},
	{what: "audit append, 1 client, entries/s", name: "internal/audit Append/clients-1", metric: "entries/s"},
	{what: "audit append, 8 clients, p50 ms", name: "internal/audit Append/clients-8", metric: "p50-ms"},
	{what: "audit append, 8 clients, p99 ms", name: "internal/audit Append/clients-8", metric: "p99-ms"},
	{what: "audit append, 8 clients, entries/s", name: "internal/audit Append/clients-8", metric: "entries/s"},
	{what: "audit append, 64 clients, p50 ms", name: "internal/audit Append/clients-64", metric: "p50-ms"},
	{what: "audit append, 64 clients, p99 ms", name: "internal/audit Append/clients-64", metric: "p99-ms"},
	{what: "audit append, 64 clients, entries/s", name: "internal/audit Append/clients-64", metric: "entries/s"},
	{what: "audit append, 256 clients, p50 ms", name: "internal/audit Append/clients-256", metric: "p50-ms"},
	{what: "audit append, 256 clients, p99 ms", name: "internal/audit Append/clients-256", metric: "p99-ms"},
	{what: "audit append, 256 clients, entries/s", name: "internal/audit Append/clients-256", metric: "entries/s", aim: 20_000, least: true},
	{what: "audit append, 256 clients, CPU µs an entry", name: "internal/audit Append/clients-256", metric: "cpu-us/entry"},

	{what: "decision with facts (relate, decide), p50 ms", name: "internal/access Decision", metric: "p50-ms"},
	{what: "decision with facts (relate, decide), p99 ms", name: "internal/access Decision", metric: "p99-ms", aim: 1},

	{what: "chart page of about 300 resources, p50 ms", name: "bench ServeChartPage/workers-1", metric: "p50-ms"},
	{what: "chart page of about 300 resources, p95 ms", name: "bench ServeChartPage/workers-1", metric: "p95-ms", aim: 50},
	{what: "chart page, server CPU ms", name: "bench ServeChartPage/workers-1", metric: "cpu-ms/op"},
	{what: "FHIR read by id, 8 workers, requests/s", name: "bench ServeRead/workers-8", metric: "requests/s", aim: 4_000, least: true},
	{what: "FHIR read by id, 8 workers, p50 ms", name: "bench ServeRead/workers-8", metric: "p50-ms"},
	{what: "FHIR read by id, 8 workers, p99 ms", name: "bench ServeRead/workers-8", metric: "p99-ms", aim: 10},
	{what: "FHIR read by id, server CPU ms", name: "bench ServeRead/workers-8", metric: "cpu-ms/op"},
	{what: "FHIR Observation?patient&code&date, 8 workers, requests/s", name: "bench ServeSearch/workers-8", metric: "requests/s", aim: 2_000, least: true},
	{what: "FHIR Observation?patient&code&date, p99 ms", name: "bench ServeSearch/workers-8", metric: "p99-ms"},
	{what: "FHIR Observation?patient&code&date, server CPU ms", name: "bench ServeSearch/workers-8", metric: "cpu-ms/op"},
	{what: "FHIR create Observation, 8 workers, requests/s", name: "bench ServeCreate/workers-8", metric: "requests/s", aim: 1_500, least: true},
	{what: "FHIR create Observation, p99 ms", name: "bench ServeCreate/workers-8", metric: "p99-ms"},
	{what: "FHIR create Observation, server CPU ms", name: "bench ServeCreate/workers-8", metric: "cpu-ms/op"},

	{what: "import of 120 Synthea patients by the command line, resources/s", name: "bench Import", metric: "resources/s", aim: 3_000, least: true},
	{what: "the same, wall s", name: "bench Import", metric: "wall-s"},
	{what: "the same, CPU s", name: "bench Import", metric: "cpu-s"},
	{what: "start with these 120 patients until ready, ms", name: "bench Start", metric: "ready-ms", aim: 1_000},
	{what: "resident memory of that server when idle, MiB", name: "bench Start", metric: "idle-MiB", aim: 100},
}

// result is what one benchmark reported.
type result struct {
	metrics map[string]float64
	others  float64 // processors that other programs kept busy meanwhile; negative when unknown
}

// parse reads the output of go test -bench, run with so many processors. Names lose "Benchmark" and their number.
func parse(dir, out string, cores int) map[string]result {
	found := map[string]result{}
	processors := ""
	if cores > 1 {
		processors = "-" + strconv.Itoa(cores)
	}
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := strings.TrimSuffix(strings.TrimPrefix(fields[0], "Benchmark"), processors)
		r := result{metrics: map[string]float64{}}
		for i := 2; i+1 < len(fields); i += 2 {
			if v, err := strconv.ParseFloat(fields[i], 64); err == nil {
				r.metrics[fields[i+1]] = v
			}
		}
		if ns := r.metrics["ns/op"]; ns > 0 {
			r.metrics["/s"] = 1e9 / ns
		}
		found[dir+" "+name] = r
	}
	return found
}

// table is the page of results.
func table(f facts, results map[string]result) string {
	var out strings.Builder
	fmt.Fprintf(&out, "# Results\n\n%s.\n\nRun `./scripts/bench` to make this page anew. Clients run on the same machine as the server and take their share of it.\n\n", f)
	out.WriteString("| what | measured | aim | |\n|---|--:|--:|---|\n")
	used := map[string]float64{}
	for _, r := range rows {
		found, ok := results[r.name]
		value, measured := found.metrics[r.metric]
		if !ok || !measured {
			continue
		}
		used[strings.Fields(r.name)[0]] = found.others
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", r.what, number(value), r.aimText(), r.verdict(value))
	}
	out.WriteString("\nProcessors that other programs kept busy meanwhile:")
	for i, dir := range slices.Sorted(maps.Keys(used)) {
		if i > 0 {
			out.WriteByte(',')
		}
		if used[dir] < 0 {
			fmt.Fprintf(&out, " %s unknown", dir)
			continue
		}
		fmt.Fprintf(&out, " %s %.1f", dir, used[dir])
	}
	out.WriteString(".\n")
	return out.String()
}

func (r row) aimText() string {
	if r.aim == 0 {
		return ""
	}
	sign := "< "
	if r.least {
		sign = "≥ "
	}
	return strings.TrimSpace(sign + number(r.aim) + " " + r.under)
}

func (r row) verdict(value float64) string {
	switch {
	case r.aim == 0:
		return ""
	case r.least && value >= r.aim, !r.least && value < r.aim:
		return "met"
	}
	return "**missed**"
}

// number writes three significant digits, and thousands apart.
func number(v float64) string {
	switch {
	case v >= 1000:
		n := strconv.Itoa(int(v + 0.5))
		for i := len(n) - 3; i > 0; i -= 3 {
			n = n[:i] + "," + n[i:]
		}
		return n
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}
