package ingest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/gzip"

	"chartwarden/internal/detect"
	"chartwarden/internal/ingest/foreign"
	"chartwarden/internal/outcome"
)

// Options of a replay.
type Options struct {
	Context string   // directory of NDJSON, one file a type, and roster.csv, leavers.csv, devices.csv, justified.csv; any subset
	Logs    []string // in order
	Form    Form     // of the logs
	Out     string   // directory of what is written; made when missing
	Budget  float64  // expected false cases for 1,000 active people and day
	Seed    uint64
}

// Place is one line of a file.
type Place struct {
	File string `json:"file"`
	Line int    `json:"line"`
}

// Summary is what a replay did, as report.json tells it. Only Seconds, EventsPerSecond and PeakMemory differ between two runs.
type Summary struct {
	detect.Report
	Records         int             `json:"context_records"`
	Foreign         *foreign.Report `json:"foreign,omitempty"` // of logs of other systems
	Rejected        int             `json:"rejected"`
	Duplicates      int             `json:"duplicates"`   // of those
	ClockFaults     int             `json:"clock_faults"` // lines dated far ahead of those around them, judged at the time of the line before
	ClockFaultsAt   []Place         `json:"clock_faults_at,omitempty"`
	ExplainedShare  float64         `json:"explained_share"`
	PermutedShare   float64         `json:"permuted_explained_share"`
	CasesADay       float64         `json:"cases_a_day"`
	Seconds         float64         `json:"seconds"`
	EventsPerSecond float64         `json:"events_per_second"`
	PeakMemory      int64           `json:"peak_memory_bytes"`
}

// Replay judges a recorded log: it reads the context, then the log as a stream, and writes verdicts.ndjson, cases.ndjson,
// audits.ndjson, alerts.ndjson, rejected.ndjson and report.json into the output directory. The same input gives the same bytes of all but the last, on any number of
// cores. A line that cannot be read is written to rejected.ndjson and never stops it.
// Errors: outcome.NotFound for a directory or log that is not there, outcome.NoStore when the output cannot be written.
func Replay(ctx context.Context, o Options) (Summary, error) {
	began := time.Now()
	var sum Summary
	if st, err := os.Stat(o.Context); err != nil || !st.IsDir() {
		return sum, outcome.New(outcome.NotFound, "--context names no directory: give one with FHIR NDJSON files")
	}
	if err := present(o.Logs); err != nil {
		return sum, err
	}
	out, err := newOutput(o.Out)
	if err != nil {
		return sum, err
	}
	defer out.close()
	engine := detect.New(detect.Options{Seed: o.Seed, Budget: o.Budget, Verdict: out.verdict, Case: out.raise, Audit: out.audit, Alert: out.alert})
	cross := newCrosswalk()
	if sum.Records, err = learn(ctx, o.Context, engine, cross, out); err != nil {
		return sum, err
	}
	in := newReader(o.Form, engine, cross, out)
	if sum.Foreign, err = in.all(ctx, o.Logs); err != nil {
		return sum, err
	}
	sum.Duplicates, sum.ClockFaults, sum.ClockFaultsAt = in.own.duplicates, in.own.clock.faults, in.own.clock.at
	sum.Report = engine.Close()
	sum.Rejected = out.rejects
	if sum.Accesses > 0 {
		sum.ExplainedShare = float64(sum.Explained) / float64(sum.Accesses)
	}
	sum.PermutedShare = sum.Permuted.Share
	if sum.Days > 0 {
		sum.CasesADay = float64(sum.Cases) / float64(sum.Days)
	}
	sum.Seconds = time.Since(began).Seconds()
	sum.EventsPerSecond = float64(sum.Events) / sum.Seconds
	sum.PeakMemory = peakMemory()
	return sum, out.finish(&sum)
}

// learn tells the engine the context.
func learn(ctx context.Context, dir string, e judge, cross *crosswalk, out *output) (n int, err error) {
	f := facts{dir: dir, to: e, cross: cross, reject: func(name string, line int, why string) error {
		out.reject(name, line, why)
		return out.err
	}}
	if n, err = f.read(ctx); err == nil {
		err = out.err
	}
	return n, err
}

// staffMapping is how hr.csv is read: by hr.map beside it, if there is one.
func staffMapping(dir string) (*foreign.Mapping, error) {
	text, err := os.ReadFile(filepath.Join(dir, "hr.map"))
	if errors.Is(err, fs.ErrNotExist) {
		return foreign.StaffMapping(), nil
	}
	if err != nil {
		return nil, err
	}
	return foreign.ParseStaff("hr.map", string(text))
}

// open gives a file to read, unpacked when it is packed, whatever its name.
func open(name string, read func(io.Reader) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<16)
	if magic, err := in.Peek(2); err != nil || magic[0] != 0x1f || magic[1] != 0x8b {
		return read(in)
	}
	z, err := gzip.NewReader(in)
	if err != nil {
		return err
	}
	return read(z)
}

// reading says which file could not be read to its end; errors of the output stay as they are.
func reading(err error, name string) error {
	var known *outcome.Error
	if errors.As(err, &known) || errors.Is(err, context.Canceled) {
		return err
	}
	return outcome.Wrap("replay: read", outcome.NotFound, "the file "+name+" cannot be read to its end", err)
}

// output writes the files of a replay. The first error stays; later writes do nothing.
type output struct {
	dir                       string
	verdicts, cases, rejected *bufio.Writer
	audits, alerts            *bufio.Writer // apart from the cases, whose ranking they do not touch
	files                     []*os.File
	line                      []byte
	rejects                   int
	err                       error
}

func newOutput(dir string) (*output, error) {
	o := &output{dir: dir}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, outcome.New(outcome.NoStore, "the output directory cannot be made")
	}
	if err := os.Remove(filepath.Join(dir, "report.json")); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a run before
		return nil, outcome.New(outcome.NoStore, "the report of an earlier run cannot be removed")
	}
	for name, w := range map[string]**bufio.Writer{"verdicts.ndjson": &o.verdicts, "cases.ndjson": &o.cases, "rejected.ndjson": &o.rejected, "audits.ndjson": &o.audits, "alerts.ndjson": &o.alerts} {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			o.close()
			return nil, outcome.New(outcome.NoStore, "the output file "+name+" cannot be written")
		}
		o.files = append(o.files, f)
		*w = bufio.NewWriterSize(f, 1<<20)
	}
	return o, nil
}

func (o *output) write(w *bufio.Writer) {
	if o.line = append(o.line, '\n'); o.err == nil {
		if _, err := w.Write(o.line); err != nil {
			o.err = outcome.New(outcome.NoStore, "the output cannot be written: is the disk full?")
		}
	}
}

func (o *output) verdict(v *detect.Verdict) {
	o.line = v.AppendJSON(o.line[:0])
	o.write(o.verdicts)
}

func (o *output) raise(c *detect.Case) {
	o.line = c.AppendJSON(o.line[:0])
	o.write(o.cases)
}

func (o *output) audit(c *detect.Case) {
	o.line = c.AppendJSON(o.line[:0])
	o.write(o.audits)
}

func (o *output) alert(c *detect.Case) {
	o.line = c.AppendJSON(o.line[:0])
	o.write(o.alerts)
}

func (o *output) reject(file string, number int, why string) {
	o.rejects++
	o.line, _ = json.Marshal(rejection{filepath.Base(file), number, why})
	o.write(o.rejected)
}

func (o *output) finish(sum *Summary) error {
	for _, w := range []*bufio.Writer{o.verdicts, o.cases, o.rejected, o.audits, o.alerts} {
		if err := w.Flush(); err != nil && o.err == nil {
			o.err = outcome.New(outcome.NoStore, "the output cannot be written: is the disk full?")
		}
	}
	text, err := json.MarshalIndent(sum, "", "  ")
	if err == nil && o.err == nil {
		err = os.WriteFile(filepath.Join(o.dir, "report.json"), append(text, '\n'), 0o600)
	}
	if o.err == nil && err != nil {
		o.err = outcome.New(outcome.NoStore, "report.json cannot be written")
	}
	return o.err
}

func (o *output) close() {
	for _, f := range o.files {
		f.Close()
	}
}
