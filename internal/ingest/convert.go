package ingest

import (
	"bufio"
	"context"
	"io"
	"os"

	"chartwarden/internal/detect"
	"chartwarden/internal/ingest/foreign"
	"chartwarden/internal/outcome"
)

// Converted is what a conversion did.
type Converted struct {
	Events   int             `json:"events"`
	Rejected int             `json:"rejected"`
	Foreign  *foreign.Report `json:"foreign,omitempty"`
}

// Convert writes the events of logs, of any form, as AuditEvents in one order to the file o.Out, which [Replay] and a standing watch
// read. Names that a log carries are not in them. Lines that are none go to the file rejected, if it has a name. Without o.Context
// people and patients keep the identifiers of their system; the reading resolves them then.
// Errors: as Replay's. An error leaves no file.
func Convert(ctx context.Context, o Options, rejected string) (sum Converted, err error) {
	if err := present(o.Logs); err != nil {
		return sum, err
	}
	temp := o.Out + ".part"
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return sum, outcome.New(outcome.NoStore, "the output "+o.Out+" cannot be written")
	}
	defer os.Remove(temp)
	defer f.Close()
	out := &output{rejected: bufio.NewWriter(io.Discard)}
	if rejected != "" {
		r, err := os.OpenFile(rejected, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return sum, outcome.New(outcome.NoStore, "the file "+rejected+" cannot be written")
		}
		out.files = append(out.files, r)
		out.rejected = bufio.NewWriter(r)
	}
	defer out.close()
	w := &scribe{out: out, w: bufio.NewWriterSize(f, 1<<20)}
	cross := newCrosswalk()
	if o.Context != "" {
		if st, err := os.Stat(o.Context); err != nil || !st.IsDir() {
			return sum, outcome.New(outcome.NotFound, "--context names no directory: give one with FHIR NDJSON files")
		}
		silent := &output{rejected: bufio.NewWriter(io.Discard)} // a replay tells of the context
		if _, err := learn(ctx, o.Context, w, cross, silent); err != nil {
			return sum, err
		}
	}
	if sum.Foreign, err = newReader(o.Form, w, cross, out).all(ctx, o.Logs); err != nil {
		return sum, err
	}
	sum.Events, sum.Rejected = w.events, out.rejects
	for _, step := range []func() error{w.w.Flush, out.rejected.Flush, f.Sync, func() error { return os.Rename(temp, o.Out) }} {
		if err := step(); err != nil {
			return sum, outcome.New(outcome.NoStore, "the output cannot be written: is the disk full?")
		}
	}
	return sum, nil
}

// present asks for every log before any is read.
func present(logs []string) error {
	for _, l := range logs {
		if st, err := os.Stat(l); err != nil || st.IsDir() {
			return outcome.New(outcome.NotFound, "the log "+l+" is not there or no file")
		}
	}
	return nil
}

// rejection is a line of rejected.ndjson.
type rejection struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Reason string `json:"reason"`
}

// judge is what a context and a log are told to: the engine, or a scribe.
type judge interface {
	foreign.Pupil
	Roster(detect.Shift)
	Device(device, kind, place string)
	Judge(*detect.Event)
}

// scribe writes events and learns nothing.
type scribe struct {
	out    *output
	w      *bufio.Writer
	line   []byte
	events int
}

func (s *scribe) Judge(e *detect.Event) {
	s.events++
	s.line = AppendEvent(s.line[:0], e)
	if _, err := s.w.Write(s.line); err != nil && s.out.err == nil {
		s.out.err = outcome.New(outcome.NoStore, "the output cannot be written: is the disk full?")
	}
}

func (*scribe) Learn(detect.Record)   {}
func (*scribe) Roster(detect.Shift)   {}
func (*scribe) Leaves(string, int64)  {}
func (*scribe) Device(_, _, _ string) {}
