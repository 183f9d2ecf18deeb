package simulate

import (
	"bufio"
	"os"
	"path/filepath"

	"chartwarden/internal/outcome"
)

// output is the directory that a run fills. Files are made when their first line comes.
type output struct {
	dir   string
	files map[string]*os.File
	bufs  map[string]*bufio.Writer
	bytes int64
	done  chan error // of the log lines that are being written
}

func newOutput(dir string) (*output, error) {
	if err := os.MkdirAll(filepath.Join(dir, "context"), 0o755); err != nil {
		return nil, outcome.Wrap("simulate: make the directory", outcome.NoStore, "the output directory cannot be made; choose another with --out", err)
	}
	if old, _ := filepath.Glob(filepath.Join(dir, "context", "*")); len(old) > 0 {
		return nil, outcome.New(outcome.Conflict, "there is a simulation already; name a new directory").At("--out")
	}
	return &output{dir: dir, files: map[string]*os.File{}, bufs: map[string]*bufio.Writer{}}, nil
}

func (o *output) write(name string, line []byte) error {
	b := o.bufs[name]
	if b == nil {
		f, err := os.Create(filepath.Join(o.dir, filepath.FromSlash(name)))
		if err != nil {
			return outcome.Wrap("simulate: write", outcome.NoStore, "a file of the output cannot be written", err)
		}
		b = bufio.NewWriterSize(f, 1<<18)
		o.files[name], o.bufs[name] = f, b
	}
	o.bytes += int64(len(line))
	if _, err := b.Write(line); err != nil {
		return outcome.Wrap("simulate: write", outcome.NoStore, "a file of the output cannot be written: is the disk full?", err)
	}
	return nil
}

func (o *output) context(typ string, line []byte) error {
	return o.write("context/"+typ+".ndjson", line)
}

// entries writes a day of the log beside the simulation of the next one.
func (o *output) entries(s scribe, day []event) error {
	if err := o.wait(); err != nil {
		return err
	}
	if err := o.write("log.ndjson", nil); err != nil {
		return err
	}
	to, done := o.bufs["log.ndjson"], make(chan error, 1)
	o.done = done
	go func() {
		var line []byte
		for i := range day {
			line = s.appendEvent(line[:0], &day[i])
			if _, err := to.Write(line); err != nil {
				done <- outcome.Wrap("simulate: write", outcome.NoStore, "the log cannot be written: is the disk full?", err)
				return
			}
		}
		done <- nil
	}()
	return nil
}

func (o *output) wait() error {
	if o.done == nil {
		return nil
	}
	err := <-o.done
	o.done = nil
	return err
}

// close ends all files; the first fault is returned.
func (o *output) close() (err error) {
	err = o.wait()
	for name, b := range o.bufs {
		for _, e := range []error{b.Flush(), o.files[name].Close()} {
			if err == nil && e != nil {
				err = outcome.Wrap("simulate: close", outcome.NoStore, "a file of the output could not be finished: is the disk full?", e)
			}
		}
	}
	return err
}
