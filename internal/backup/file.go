package backup

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"strings"

	"chartwarden/internal/outcome"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
)

// Names inside a file. The header is the manifest without rows; the manifest comes last, so a file without it is not whole.
const (
	headerName   = "header.json"
	manifestName = "manifest.json"
)

// largest bounds what one chunk may unpack to: a row above it would not be a row of ours.
const largest = 256 << 20

var packer = must(zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1)))
var unpacker = must(zstd.NewReader(nil, zstd.WithDecoderMaxMemory(largest), zstd.WithDecoderConcurrency(1)))

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// WriteFile writes a copy of the sources to w, sealed to the recipients. The caller makes w durable.
//
// Errors: outcome.Required without a recipient; outcome.NoStore when a database cannot be read or w not written.
func WriteFile(ctx context.Context, w io.Writer, about About, sources []Source, to ...age.Recipient) (Manifest, error) {
	if len(to) == 0 {
		return Manifest{}, noRecipient()
	}
	sealed, err := age.Encrypt(w, to...)
	if err != nil {
		return Manifest{}, unwritable(err)
	}
	f := &fileSink{t: tar.NewWriter(sealed), about: about}
	m, err := scan(ctx, about, sources, f)
	if err != nil {
		return m, err
	}
	if err := f.json(manifestName, m); err != nil {
		return m, unwritable(err)
	}
	if err := errors.Join(f.t.Close(), sealed.Close()); err != nil {
		return m, unwritable(err)
	}
	return m, nil
}

func noRecipient() error {
	return outcome.New(outcome.Required, "name the public key to which copies are sealed: an age recipient, age1...")
}

func unwritable(err error) error {
	return outcome.Wrap("backup: write", outcome.NoStore, "the copy cannot be written: check the target, its rights and its space", err)
}

type fileSink struct {
	t      *tar.Writer
	about  About
	packed []byte
}

func (f *fileSink) begin(m Manifest) error { return f.json(headerName, m) }

func (f *fileSink) chunk(source, table, id string, rows []byte) error {
	f.packed = packer.EncodeAll(rows, f.packed[:0])
	return f.put(source+"/"+table+"/"+id, f.packed)
}

func (f *fileSink) json(name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return f.put(name, b)
}

func (f *fileSink) put(name string, b []byte) error {
	if err := f.t.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(b)), ModTime: f.about.Taken}); err != nil {
		return unwritable(err)
	}
	if _, err := f.t.Write(b); err != nil {
		return unwritable(err)
	}
	return nil
}

// Copy is an opened copy: its shapes, then its rows.
type Copy interface {
	// Header is the manifest; of a file, rows and chunks are not known yet.
	Header() Manifest
	// chunks gives the rows in order, once. After the last one manifest is complete.
	chunks(ctx context.Context) iter.Seq2[chunk, error]
	manifest() Manifest
}

type chunk struct {
	source, table, id string
	rows              []byte
}

// OpenFile opens the copy in r, which is read as Restore goes.
//
// Errors: outcome.Invalid when no identity opens it, or it is no copy of this format.
func OpenFile(r io.Reader, with ...age.Identity) (Copy, error) {
	plain, err := age.Decrypt(r, with...)
	if err != nil {
		return nil, outcome.Wrap("backup: open", outcome.Invalid, "the copy does not open with this key: give the identity that belongs to its recipient", err)
	}
	f := &file{t: tar.NewReader(plain)}
	h, err := f.t.Next()
	if err != nil || h.Name != headerName {
		return nil, outcome.Wrap("backup: open", outcome.Invalid, "the file is no copy made by `chartwarden backup`", err)
	}
	f.m, err = readManifest(f.t)
	return f, err
}

// Read reads a file to its end and gives its manifest, whole. It restores nothing.
func Read(r io.Reader, with ...age.Identity) (Manifest, error) {
	c, err := OpenFile(r, with...)
	if err != nil {
		return Manifest{}, err
	}
	for _, err := range c.chunks(context.Background()) {
		if err != nil {
			return Manifest{}, err
		}
	}
	return c.manifest(), nil
}

func readManifest(r io.Reader) (m Manifest, err error) {
	if err := json.NewDecoder(r).Decode(&m); err != nil || !strings.HasPrefix(m.Format, "chartwarden-backup/") {
		return m, outcome.Wrap("backup: open", outcome.Invalid, "the file is no copy made by `chartwarden backup`", err)
	}
	if m.Format != Format {
		return m, outcome.New(outcome.NotSupported, "the copy has the format "+m.Format+": restore it with the version of the program that made it")
	}
	return m, nil
}

type file struct {
	t *tar.Reader
	m Manifest
}

func (f *file) Header() Manifest   { return f.m }
func (f *file) manifest() Manifest { return f.m }

func (f *file) chunks(ctx context.Context) iter.Seq2[chunk, error] {
	return func(yield func(chunk, error) bool) {
		for {
			h, err := f.t.Next()
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(chunk{}, damaged(err)) // also at io.EOF: the manifest comes before the end
				return
			}
			if h.Name == manifestName {
				if f.m, err = readManifest(f.t); err != nil {
					yield(chunk{}, err)
					return
				}
				if _, err := f.t.Next(); err != io.EOF {
					yield(chunk{}, damaged(err))
				}
				return
			}
			c, err := f.next(h)
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

func (f *file) next(h *tar.Header) (c chunk, err error) {
	parts := strings.Split(h.Name, "/")
	if len(parts) != 3 || h.Size > largest {
		return c, damaged(nil)
	}
	packed, err := io.ReadAll(f.t)
	if err != nil {
		return c, damaged(err)
	}
	c.source, c.table, c.id = parts[0], parts[1], parts[2]
	if c.rows, err = unpacker.DecodeAll(packed, nil); err != nil {
		return c, damaged(err)
	}
	return c, nil
}

func damaged(err error) error {
	return outcome.Wrap("backup: read", outcome.Invalid, "the copy is damaged or was cut off: use an older one", err)
}
