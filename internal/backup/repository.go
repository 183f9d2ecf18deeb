package backup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/outcome"

	"filippo.io/age"
)

// Repository is a folder of copies that share their chunks. Nothing in it is ever changed or removed, so the folder may lie where
// files can only be added. One process adds at a time; any number may read.
type Repository struct {
	dir string
}

const (
	chunksDir = "chunks"
	copiesDir = "copies"
	sealedExt = ".age"
	stamp     = "20060102T150405.000000Z" // names of copies sort by time
)

// OpenRepository opens or makes the folder.
//
// Errors: outcome.NoStore when it cannot be made or written.
func OpenRepository(dir string) (*Repository, error) {
	for _, d := range []string{chunksDir, copiesDir} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return nil, outcome.Wrap("backup: folder", outcome.NoStore, "the folder "+dir+" cannot be used: check its path and its rights", err)
		}
	}
	return &Repository{dir}, nil
}

// Add writes a copy; chunks that the folder holds already are not written again. The copy is whole when Add returns, and not there at
// all when it fails: the manifest is written last. added is the number of bytes written.
//
// Errors: as WriteFile.
func (r *Repository) Add(ctx context.Context, about About, sources []Source, to ...age.Recipient) (m Manifest, added int64, err error) {
	if len(to) == 0 {
		return m, 0, noRecipient()
	}
	s := &repositorySink{r: r, to: to}
	if m, err = scan(ctx, about, sources, s); err != nil {
		return m, s.added, err
	}
	b, err := json.Marshal(m)
	if err != nil {
		return m, s.added, unwritable(err)
	}
	err = s.put(filepath.Join(r.dir, copiesDir, about.Taken.UTC().Format(stamp)+sealedExt), b)
	return m, s.added, err
}

type repositorySink struct {
	r     *Repository
	to    []age.Recipient
	added int64
}

func (s *repositorySink) begin(Manifest) error { return nil }

func (s *repositorySink) chunk(_, _, id string, rows []byte) error {
	name := s.r.chunk(id)
	if _, err := os.Stat(name); err == nil {
		return nil
	}
	return s.put(name, packer.EncodeAll(rows, nil))
}

func (r *Repository) chunk(id string) string {
	return filepath.Join(r.dir, chunksDir, id[:2], id+sealedExt)
}

// put writes a sealed file under another name first, so that a name stands for whole content only.
func (s *repositorySink) put(name string, b []byte) error {
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, s.to...)
	if err == nil {
		_, err = w.Write(b)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return unwritable(err)
	}
	if err := durable(name, sealed.Bytes()); err != nil {
		return unwritable(err)
	}
	s.added += int64(sealed.Len())
	return nil
}

func durable(name string, b []byte) error {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Copies names the copies, oldest first.
func (r *Repository) Copies() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(r.dir, copiesDir))
	if err != nil {
		return nil, outcome.Wrap("backup: folder", outcome.NoStore, "the folder cannot be read", err)
	}
	var out []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), sealedExt); ok {
			if _, err := time.Parse(stamp, name); err == nil {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return out, nil
}

// Open opens a copy by its name; an empty name is the newest.
//
// Errors: outcome.NotFound when there is none; outcome.Invalid when no identity opens it.
func (r *Repository) Open(name string, with ...age.Identity) (Copy, error) {
	if name == "" {
		all, err := r.Copies()
		if err != nil {
			return nil, err
		}
		if len(all) == 0 {
			return nil, outcome.New(outcome.NotFound, "the folder "+r.dir+" holds no copy")
		}
		name = all[len(all)-1]
	}
	b, err := r.read(filepath.Join(r.dir, copiesDir, name+sealedExt), with)
	if err != nil {
		return nil, err
	}
	c := &stored{r: r, with: with}
	c.m, err = readManifest(bytes.NewReader(b))
	return c, err
}

func (r *Repository) read(name string, with []age.Identity) ([]byte, error) {
	sealed, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, outcome.Wrap("backup: open", outcome.NotFound, "the copy, or a part of it, is not in the folder: use another", err)
	}
	if err != nil {
		return nil, damaged(err)
	}
	plain, err := age.Decrypt(bytes.NewReader(sealed), with...)
	var wrong *age.NoIdentityMatchError
	if errors.As(err, &wrong) {
		return nil, outcome.Wrap("backup: open", outcome.Invalid, "the copy does not open with this key: give the identity that belongs to its recipient", err)
	}
	if err != nil {
		return nil, damaged(err)
	}
	b, err := io.ReadAll(io.LimitReader(plain, largest))
	if err != nil {
		return nil, damaged(err)
	}
	return b, nil
}

type stored struct {
	r    *Repository
	m    Manifest
	with []age.Identity
}

func (c *stored) Header() Manifest   { return c.m }
func (c *stored) manifest() Manifest { return c.m }

func (c *stored) chunks(ctx context.Context) iter.Seq2[chunk, error] {
	return func(yield func(chunk, error) bool) {
		for _, p := range c.m.Sources {
			for _, t := range p.Tables {
				for _, id := range t.Chunks {
					one := chunk{source: p.Name, table: t.Name, id: id}
					err := ctx.Err()
					if err == nil && len(id) != 64 {
						err = damaged(nil)
					}
					if err == nil {
						one.rows, err = c.rows(id)
					}
					if !yield(one, err) || err != nil {
						return
					}
				}
			}
		}
	}
}

func (c *stored) rows(id string) ([]byte, error) {
	packed, err := c.r.read(c.r.chunk(id), c.with)
	if err != nil {
		return nil, err
	}
	rows, err := unpacker.DecodeAll(packed, nil)
	if err != nil {
		return nil, damaged(err)
	}
	return rows, nil
}
