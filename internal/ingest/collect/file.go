package collect

import (
	"bytes"
	"io"
	"os"
	"sync"

	"chartwarden/internal/detect"
	"chartwarden/internal/ingest"
	"chartwarden/internal/outcome"
)

// File is an AuditEvent NDJSON file that grows. It is safe for concurrent use.
type File struct {
	mu   sync.Mutex
	path string
	f    *os.File
	buf  []byte
}

// OpenFile opens a file to append to, made when missing. A line that a crash left half written at its end is cut off.
// Errors: outcome.NoStore.
func OpenFile(path string) (*File, error) {
	o := &File{path: path}
	if err := o.open(); err != nil {
		return nil, outcome.Wrap("collect: open", outcome.NoStore, "the file "+path+" cannot be written", err)
	}
	return o, nil
}

func (o *File) open() error {
	f, err := os.OpenFile(o.path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if err := mend(f); err != nil {
		f.Close()
		return err
	}
	o.f = f
	return nil
}

// mend cuts off what follows the last line end.
func mend(f *os.File) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	buf := make([]byte, 64<<10)
	for end := st.Size(); end > 0; {
		n := min(end, int64(len(buf)))
		if _, err := f.ReadAt(buf[:n], end-n); err != nil && err != io.EOF {
			return err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			end = end - n + int64(i) + 1
			if end < st.Size() {
				return f.Truncate(end)
			}
			return nil
		}
		if end -= n; end == 0 && st.Size() > 0 {
			return f.Truncate(0)
		}
	}
	return nil
}

// Append adds events and comes back when they are on the disk. A file that was moved away is made anew, so that it can be rotated. After
// an error call no more. Errors: outcome.NoStore.
func (o *File) Append(events []detect.Event) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf = o.buf[:0]
	for i := range events {
		o.buf = ingest.AppendEvent(o.buf, &events[i])
	}
	err := o.again()
	if err == nil {
		_, err = o.f.Write(o.buf)
	}
	if err == nil {
		err = o.f.Sync()
	}
	if err != nil {
		return outcome.Wrap("collect: append", outcome.NoStore, "the file "+o.path+" cannot be written: is the disk full?", err)
	}
	return nil
}

// again opens the file anew when its name leads to another one or to none.
func (o *File) again() error {
	ours, err := o.f.Stat()
	if err != nil {
		return err
	}
	if there, err := os.Stat(o.path); err == nil && os.SameFile(ours, there) {
		return nil
	}
	o.f.Close()
	return o.open()
}

// Close ends it.
func (o *File) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.f.Close()
}
