package ingest

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"path/filepath"
	"time"

	"chartwarden/internal/detect"
	"chartwarden/internal/ingest/atna"
	"chartwarden/internal/ingest/foreign"
	"chartwarden/internal/outcome"
)

// Form says how logs are written: the zero value is FHIR AuditEvents.
type Form struct {
	Name string           // fhir, atna, a preset of package foreign, or auto: each file by its first line
	Map  *foreign.Mapping // of a table that no preset fits; goes before Name
	Zone *time.Location   // of times that say none; before the mapping's
}

// FormOf checks a form as a command line gives it. Errors: outcome.NotFound for a name that is none, outcome.Invalid for a mapping or zone.
func FormOf(name, mapping, text, zone string) (f Form, err error) {
	f.Name = name
	if text != "" {
		if f.Map, err = foreign.Parse(filepath.Base(mapping), text); err != nil {
			return f, err
		}
	}
	switch name {
	case "", "fhir", "atna", "auto":
	default:
		if _, err = foreign.Preset(name); err != nil && f.Map == nil {
			return f, err
		}
	}
	if zone != "" {
		f.Zone, err = foreign.LoadZone(zone)
	}
	return f, err
}

// reader takes events from logs of any form.
type reader struct {
	form   Form
	stream *foreign.Stream
	own    *intake // of FHIR
	out    *output
	tables bool // the stream met something
}

func newReader(form Form, e judge, x *crosswalk, out *output) *reader {
	return &reader{form: form, own: newIntake(func(d *dated) { e.Judge(&d.Event) }, x, out.reject), out: out,
		stream: foreign.NewStream(foreign.Sinks{Event: e.Judge, Learn: e.Learn, Reject: out.reject}, x.walk)}
}

// all takes files in their order, and tells what a stream of other systems met, nil when there was none.
func (x *reader) all(ctx context.Context, logs []string) (*foreign.Report, error) {
	for _, name := range logs {
		if err := open(name, func(r io.Reader) error { return x.read(ctx, name, r) }); err != nil {
			return nil, reading(err, filepath.Base(name))
		}
	}
	x.own.clock.finish()
	if met := x.stream.Close(); x.tables {
		return &met, x.out.err
	}
	return nil, x.out.err
}

// read takes one file.
func (x *reader) read(ctx context.Context, name string, r io.Reader) error {
	in := bufio.NewReaderSize(r, 64<<10)
	start, err := in.Peek(16 << 10)
	if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
		return err
	}
	file := filepath.Base(name)
	m, form := x.form.Map, x.form.Name
	if m == nil {
		if form == "auto" {
			form, m = guess(start)
		} else if form != "" && form != "fhir" && form != "atna" {
			m, _ = foreign.Preset(form)
		}
	}
	switch {
	case m != nil:
		x.tables = true
		x.own.clock.finish()
		zone := x.form.Zone
		if zone == nil && m.Zone != "" {
			zone, _ = foreign.LoadZone(m.Zone)
		}
		return x.stream.Table(ctx, file, in, m, zone)
	case form == "atna":
		x.tables = true
		x.own.clock.finish()
		return x.messages(ctx, file, in)
	case form == "" || form == "fhir":
		x.stream.Flush()
		return lines(ctx, in, Event, func(l line[detect.Event]) error {
			x.own.take(name, l)
			return x.out.err
		})
	}
	return unknownForm(file)
}

func unknownForm(file string) error {
	return outcome.New(outcome.Invalid, file+": its first line is no AuditEvent, no syslog message and no header of a known export: name its --format, or write a mapping and give it by --map")
}

// guess knows a form by how a file begins.
func guess(start []byte) (form string, m *foreign.Mapping) {
	text := bytes.TrimLeft(bytes.TrimPrefix(start, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(text) == 0 || text[0] == '{' {
		return "fhir", nil
	}
	if text[0] == '<' || syslogCount(text) {
		return "atna", nil
	}
	return "none", foreign.GuessStart(start)
}

// syslogCount reports whether a file begins with the octet count of a syslog message.
func syslogCount(text []byte) bool {
	digits := text[:min(len(text), 8)]
	n := 0
	for n < len(digits) && digits[n] >= '0' && digits[n] <= '9' {
		n++
	}
	return n > 0 && bytes.HasPrefix(text[n:], []byte(" <"))
}

// messages reads a file of syslog messages.
func (x *reader) messages(ctx context.Context, file string, in io.Reader) error {
	x.stream.Format("atna")
	type message struct {
		text, why string
		line      int
		r         foreign.Reading
	}
	produce := func(give func([]message) bool) error {
		frames := atna.NewFrames(in, atna.Longest)
		var batch []message
		for {
			f, err := frames.Next()
			if err == io.EOF {
				give(batch)
				return nil
			}
			if err != nil {
				return err
			}
			if batch = append(batch, message{text: string(f.Text), why: f.Why, line: f.Line}); len(batch) == 64 {
				if !give(batch) {
					return nil
				}
				batch = nil
			}
		}
	}
	work := func(batch []message) []message {
		for i := range batch {
			if m := &batch[i]; m.why == "" {
				m.r, m.why = atna.Parse([]byte(m.text))
			}
		}
		return batch
	}
	return foreign.InOrder(ctx, produce, work, func(m message) error {
		if m.why != "" {
			x.out.reject(file, m.line, m.why)
			return x.out.err
		}
		if err := x.stream.Put(file, m.line, m.r, x.form.Zone); err != nil {
			return err
		}
		return x.out.err
	})
}
