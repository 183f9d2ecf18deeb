package audit

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"chartwarden/internal/outcome"
	"chartwarden/internal/tlog"
)

// outsideHead is a head that was kept outside the data directory.
type outsideHead struct {
	tlog.Checkpoint
	note []byte
}

// tailSize is how much of a head file is read at start: hundreds of heads, of which the newest whole one counts.
const tailSize = 64 << 10

// readHeads reads the last heads of a head file. known is false when nothing can be learnt: there is no file, or it cannot be read.
func readHeads(path string) (notes [][]byte, known bool) {
	if path == "" {
		return nil, false
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, false
	}
	b := make([]byte, min(info.Size(), tailSize))
	if _, err := f.ReadAt(b, info.Size()-int64(len(b))); err != nil && len(b) > 0 {
		return nil, false
	}
	notes = splitHeads(b)
	return notes, len(notes) > 0
}

// splitHeads finds the signed notes in what a head file, or a single head, holds. Each is text, a blank line, signature lines; a
// blank line parts them. A torn end or beginning is passed over.
func splitHeads(b []byte) (notes [][]byte) {
	blocks := bytes.Split(b, []byte("\n\n"))
	for i := 0; i+1 < len(blocks); i++ {
		if !bytes.HasPrefix(blocks[i+1], []byte("— ")) {
			continue
		}
		last := i+2 == len(blocks)
		if last && !bytes.HasSuffix(blocks[i+1], []byte("\n")) {
			break // torn
		}
		note := append(append(append([]byte(nil), blocks[i]...), "\n\n"...), bytes.TrimSuffix(blocks[i+1], []byte("\n"))...)
		notes = append(notes, append(note, '\n'))
		i++
	}
	return notes
}

// newestOutside finds the newest head of this node among notes: of the latest log, the largest. Notes that it
// did not sign are nobody's evidence.
func (l *Log) newestOutside(notes [][]byte) (newest *outsideHead, last int64) {
	for _, note := range notes {
		origin, _, _ := bytes.Cut(note, []byte("\n"))
		n, ok := ordinal(l.base, string(origin))
		if !ok {
			continue
		}
		signer, err := l.signerOf(string(origin))
		if err != nil {
			continue
		}
		c, _, err := tlog.OpenCheckpoint(note, signer.Verifier())
		if err != nil {
			continue
		}
		if newest == nil || n > last || n == last && c.Size >= newest.Size {
			newest, last = &outsideHead{c, note}, n
		}
	}
	return newest, last
}

// writeHead appends what is new to the head file, durably: the newest head, and the state of the emergency journal while it serves. A
// head file that cannot be written never stops care; the keeper tries again.
func (l *Log) writeHead() {
	if l.o.HeadFile == "" {
		return
	}
	l.heading.Lock()
	defer l.heading.Unlock()
	h, out := l.head.Load(), []byte(nil)
	if h != nil && h.note != nil && h.kept != l.written {
		out = append(append(out, h.note...), '\n')
	}
	journal, n := l.journalHead()
	if journal != nil && n != l.writtenJournal {
		out = append(append(out, journal...), '\n')
	}
	if out == nil {
		return
	}
	if err := appendFile(l.o.HeadFile, out); err != nil {
		l.o.Logger.Error("the head file cannot be written: the log is not witnessed outside", "err", err)
		return
	}
	if h != nil {
		l.written = h.kept
	}
	l.writtenJournal = n
}

func appendFile(path string, b []byte) error {
	_, err := os.Stat(path)
	fresh := errors.Is(err, fs.ErrNotExist)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err == nil {
		if _, err = f.Write(b); err == nil {
			err = f.Sync()
		}
		err = errors.Join(err, f.Close())
	}
	if err == nil && fresh {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return outcome.Wrap("audit: head file", outcome.NoStore, "the head file cannot be written: check its volume", err)
	}
	return nil
}

// syncDir makes a new or renamed file's name durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
