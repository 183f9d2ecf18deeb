package feed

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"chartwarden/internal/ingest"
	"chartwarden/internal/outcome"
)

const (
	pieceSize = 128 << 10
	longest   = 8 << 20 // bytes of a line; a longer one is stepped over and told
	atOnce    = 8       // pieces of one transaction
	starting  = 64 << 10
	printed   = starting // bytes by which a file is known: tables of many columns have long headers

	// after how many times [Options.Still] a row without an end is taken for one, an hour usually: who writes by blocks leaves half a row for
	// as long as nothing happens
	givenUp = 360
)

// unfinished are ends of names that programs give to what they still write.
var unfinished = []string{".part", ".partial", ".filepart", ".tmp", ".swp", "~"}

// Scan takes what is new in the directory and gives how many pieces that were. One pass is made at a time. A file that cannot be taken holds
// up no other; see [Store.Files]. Errors: outcome.NotFound when the directory cannot be read; as [db.DB.Write].
func (s *Store) Scan(ctx context.Context) (taken int, err error) {
	if s.o.Dir == "" || s.o.Mine != nil && !s.o.Mine() {
		return 0, nil
	}
	s.scanning.Lock()
	defer s.scanning.Unlock()
	list, err := os.ReadDir(s.o.Dir)
	if err != nil {
		return 0, outcome.Wrap("feed: scan", outcome.NotFound, "the directory of --incoming cannot be read: check its name and rights", err)
	}
	s.gone(list)
	var known []File
	for _, d := range list { // by name, so that files of days come in order
		name := d.Name()
		if strings.HasPrefix(name, ".") || slices.ContainsFunc(unfinished, func(end string) bool { return strings.HasSuffix(name, end) }) {
			continue
		}
		path := filepath.Join(s.o.Dir, name)
		st, err := os.Stat(path)
		if err != nil || !st.Mode().IsRegular() || st.Size() == 0 {
			continue
		}
		is := sight{st.Size(), st.ModTime()}
		if s.idle[path] == is {
			continue
		}
		if known == nil {
			if known, err = s.files(ctx, ``); err != nil {
				return taken, err
			}
		}
		quiet := s.o.Now().Sub(is.at)
		t := taking{s: s, name: name, path: path, still: quiet > s.o.Still}
		t.closed = t.still && (quiet > givenUp*s.o.Still || slices.ContainsFunc(known, func(k File) bool { return k.Prefix > 0 && k.Begun.After(is.at) && k.Name != name }))
		n, err := t.take(ctx, known)
		if taken += n; n > 0 {
			known = nil
		}
		if errors.Is(err, errRaced) { // the next look finds how far it is
			continue
		}
		if err != nil && !mendable(err) {
			return taken, err
		}
		s.trouble(name, err)
		if t.done || err != nil && t.still {
			s.idle[path] = is
		}
	}
	return taken, nil
}

// gone forgets what was wrong with files that are not there any more.
func (s *Store) gone(list []os.DirEntry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.troubles {
		if name != "" && !slices.ContainsFunc(list, func(d os.DirEntry) bool { return d.Name() == name }) {
			delete(s.troubles, name)
		}
	}
}

// mendable reports whether an error is one of a file and not of the store.
func mendable(err error) bool {
	return outcome.Is(err, outcome.Invalid) || outcome.Is(err, outcome.NotFound)
}

// taking is one look at one file.
type taking struct {
	s          *Store
	name, path string
	still      bool // it was not changed of late: what is there is all, but perhaps for the end of a row
	closed     bool // another file was begun after it, or it was left for long: what is there is all
	done       bool // nothing more is to be had until it changes
	file       File
	form       ingest.Form
	in         *bufio.Reader
}

func (t *taking) take(ctx context.Context, known []File) (taken int, err error) {
	f, err := os.Open(t.path)
	if err != nil {
		return 0, outcome.New(outcome.NotFound, "the file cannot be read: check its rights")
	}
	defer f.Close()
	r, packed, err := t.open(f)
	if err != nil || r == nil {
		return 0, err
	}
	t.in = bufio.NewReaderSize(r, starting)
	start, err := t.in.Peek(starting)
	if err != nil && err != io.EOF {
		return 0, unpackable(err)
	}
	if len(start) == 0 {
		t.done = true
		return 0, nil
	}
	if ok, err := t.know(known, start); !ok || err != nil {
		return 0, err
	}
	if packed || t.file.Taken < starting {
		n, err := t.in.Discard(int(min(t.file.Taken, 1<<40)))
		if int64(n) < t.file.Taken && err != nil {
			return 0, shrunk(err)
		}
	} else if st, err := f.Stat(); err != nil || st.Size() < t.file.Taken {
		return 0, shrunk(err)
	} else if _, err := f.Seek(t.file.Taken, io.SeekStart); err != nil {
		return 0, shrunk(err)
	} else {
		t.in.Reset(f)
	}
	t.closed = t.closed || packed // it was whole, or would not be unpacked
	return t.rest(ctx)
}

func unpackable(err error) error {
	return outcome.Wrap("feed: unpack", outcome.Invalid, "the file cannot be unpacked to its end: was it copied as a whole?", err)
}

func shrunk(err error) error {
	return outcome.Wrap("feed: take", outcome.Invalid, "the file is shorter than what was taken of it before: what was taken stays", err)
}

// open gives what a file says as UTF-8; nil when it has to be whole for that and may not be yet.
func (t *taking) open(f *os.File) (r io.Reader, packed bool, err error) {
	var magic [3]byte
	n, err := io.ReadFull(f, magic[:])
	if err != nil && err != io.ErrUnexpectedEOF {
		return nil, false, unpackable(err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, false, unpackable(err)
	}
	m := t.s.o.Form.Map
	other := m != nil && m.Encoding != "" && m.Encoding != "utf-8"
	zipped := bytes.HasPrefix(magic[:n], []byte{0x1f, 0x8b})
	switch wide := bytes.HasPrefix(magic[:n], []byte{0xff, 0xfe}) || bytes.HasPrefix(magic[:n], []byte{0xfe, 0xff}); {
	case !zipped && !wide && !other:
		return f, false, nil
	case !t.still:
		return nil, true, nil
	}
	r = f
	if zipped {
		if r, err = gzip.NewReader(bufio.NewReaderSize(f, 1<<16)); err != nil {
			return nil, true, unpackable(err)
		}
	}
	return ingest.Decoded(t.s.o.Form, r), true, nil
}

// know finds the file among those that are known, or how it is written when it is new; ok is false while too little of it is there.
func (t *taking) know(known []File, start []byte) (ok bool, err error) {
	best := -1
	prints := map[int][]byte{} // most files are known by the same number of bytes
	for i := range known {
		k := &known[i]
		if k.Prefix <= 0 || k.Prefix > len(start) || best >= 0 && k.Prefix <= known[best].Prefix {
			continue
		}
		if prints[k.Prefix] == nil {
			prints[k.Prefix] = fingerprint(start[:k.Prefix])
		}
		if bytes.Equal(k.Print, prints[k.Prefix]) {
			best = i
		}
	}
	if best >= 0 {
		t.file = known[best]
		t.form, err = t.s.form(&t.file)
	} else {
		t.file = File{Name: t.name, Begun: t.s.o.Now().UTC(), Line: 1}
		if bytes.HasPrefix(start, []byte("\xef\xbb\xbf")) {
			t.file.Taken = 3
		}
		text := start[t.file.Taken:]
		if len(bytes.TrimSpace(text)) == 0 {
			return false, nil
		}
		if bytes.IndexByte(text, '\n') < 0 && !t.still && len(start) < starting {
			return false, nil // by its first line it is told how it is written
		}
		if t.form, err = ingest.Sniff(t.name, text, t.s.o.Form); err != nil {
			return false, err
		}
		t.file.Form, t.file.Zone = t.form.Name, zoneName(t.form.Zone)
		if m := t.form.Map; m != nil {
			t.file.Form, t.file.Map = m.Name, m.Text
			header, lines, whole, err := m.Head(t.name, text)
			if err != nil || !whole {
				return false, err
			}
			if t.form.Zone == nil {
				if err := t.zoned(header, text[len(header):]); err != nil {
					return false, err
				}
			}
			if t.file.Header = header; m.Header {
				t.file.Taken += int64(len(header))
				t.file.Line += lines
			}
		}
	}
	// the more there is of it, the surer it is known again
	if n := min(len(start), printed); n > t.file.Prefix {
		t.file.Prefix, t.file.Print = n, fingerprint(start[:n])
	}
	return true, err
}

// zoned refuses a table whose times name no zone where none was given.
func (t *taking) zoned(header string, text []byte) error {
	table, err := t.form.Map.Table(t.name, header)
	if err != nil {
		return err
	}
	for _, r := range table.Rows(string(text[:table.Cut(text, false)]), 1) {
		if r.Why == "" && r.Reading.Local {
			return outcome.New(outcome.Invalid, "its times name no zone: say where its clocks are by --zone, for example --zone America/New_York")
		}
	}
	return nil
}

func fingerprint(text []byte) []byte {
	sum := sha256.Sum256(text)
	return sum[:]
}

func zoneName(z *time.Location) string {
	if z == nil {
		return ""
	}
	return z.String()
}

// rest takes whole lines as long as there are any.
func (t *taking) rest(ctx context.Context) (taken int, err error) {
	var pieces []piece
	next := t.file
	flush := func() error {
		if len(pieces) == 0 && !next.Skipping {
			return nil
		}
		if err := t.s.keep(ctx, &next, pieces); err != nil {
			return err
		}
		taken += len(pieces)
		t.file, pieces = next, nil
		return nil
	}
	buf := make([]byte, 0, pieceSize)
	for ended := false; !ended; {
		if err := ctx.Err(); err != nil {
			return taken, err
		}
		n, err := io.ReadFull(t.in, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if ended = err != nil; ended {
			if _, err := t.in.Peek(1); err != io.EOF { // cut short, or unreadable
				return taken, cmp.Or(flush(), unpackable(err))
			}
		}
		if next.Skipping {
			i := bytes.IndexByte(buf, '\n')
			next.Taken += int64(len(buf))
			if i >= 0 {
				next.Skipping = false
				next.Line++
				next.Taken -= int64(len(buf) - i - 1)
				buf = append(buf[:0], buf[i+1:]...)
			} else {
				buf = buf[:0]
			}
			if next.Skipping {
				continue
			}
		}
		n, err = t.form.Cut(t.name, t.file.Header, buf, ended && (t.closed || t.still && t.whole(buf)))
		if err != nil {
			return taken, err
		}
		switch {
		case n > 0:
			pieces = append(pieces, piece{First: next.Line, Text: strings.ToValidUTF8(string(buf[:n]), "\uFFFD")})
			next.Taken += int64(n)
			next.Line += bytes.Count(buf[:n], []byte("\n"))
			buf = append(buf[:0], buf[n:]...)
			if cap(buf) > pieceSize && len(buf) < pieceSize {
				buf = append(make([]byte, 0, pieceSize), buf...)
			}
		case ended:
		case cap(buf) < longest:
			buf = append(make([]byte, 0, 2*cap(buf)), buf...)
		default:
			pieces = append(pieces, piece{First: next.Line, Why: "longer than 8 MiB, or a quote is opened and never closed"})
			if i := bytes.IndexByte(buf, '\n'); i >= 0 { // what follows that line is looked at again
				next.Taken += int64(i + 1)
				next.Line++
				buf = append(buf[:0], buf[i+1:]...)
			} else {
				next.Taken += int64(len(buf))
				next.Skipping, buf = true, make([]byte, 0, pieceSize)
			}
		}
		if len(pieces) == atOnce {
			if err := flush(); err != nil {
				return taken, err
			}
		}
	}
	if err := flush(); err != nil {
		return taken, err
	}
	t.done = t.closed || t.still && len(buf) == 0
	return taken, nil
}

// whole reports whether the last row of a text is one, though no line end follows: JSON tells, a row of a table does not.
func (t *taking) whole(text []byte) bool {
	last := text[bytes.LastIndexByte(text, '\n')+1:]
	return t.form.Map == nil && t.form.Name != "atna" && json.Valid(last)
}
