package witness

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/outcome"
	"chartwarden/internal/tlog"
)

// Files of a witness. The key alone is no witness: without what it cosigned before it could be made to sign a second history.
const (
	keyFile   = "witness.key"   // name and seed, a line each
	stateFile = "witness.state" // a line that says whose it is, of each log the head that was cosigned last, and the hash of all that; a blank line behind each
)

// stateOf is the first line of a witness's memory.
func stateOf(key tlog.Verifier) string { return "chartwarden witness 1 " + key.String() + "\n\n" }

// sum is the last line of a memory: without it a file that was cut off at its end would be a memory of fewer logs.
func sum(text []byte) string { return fmt.Sprintf("sha256 %x\n", sha256.Sum256(text)) }

// MakeKey makes a new witness in dir, which may not exist yet: its key, and a memory in which no log was seen. A witness that is there
// already is left as it is and its key returned; name does not matter then. An empty name is replaced by one that nobody else has.
//
// Errors: outcome.Value for a name with spaces or `+`; outcome.Lock when another process makes one there; outcome.Conflict when a witness
// was there whose key is gone; outcome.NoStore; those of [ReadKey] but for outcome.NotFound.
func MakeKey(dir, name string) (tlog.Signer, error) {
	if s, err := ReadKey(dir); !outcome.Is(err, outcome.NotFound) {
		return s, err
	}
	if name == "" {
		name = "chartwarden.example/witness/" + strings.ToLower(rand.Text()[:8])
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return tlog.Signer{}, err
	}
	s, err := tlog.NewCosigner(name, key)
	if err != nil {
		return tlog.Signer{}, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return tlog.Signer{}, unstored(err)
	}
	free, err := lock(dir)
	if err != nil {
		return tlog.Signer{}, err
	}
	defer free()
	if s, err := ReadKey(dir); !outcome.Is(err, outcome.NotFound) { // made since
		return s, err
	}
	if _, err := os.Lstat(filepath.Join(dir, stateFile)); err == nil {
		return tlog.Signer{}, outcome.New(outcome.Conflict, "a witness worked in that directory, and its key is gone: make the new one in another directory")
	} else if !errors.Is(err, fs.ErrNotExist) {
		return tlog.Signer{}, unread(stateFile, err)
	}
	text := []byte(stateOf(s.Verifier()))
	if err := replace(dir, stateFile, append(text, sum(text)...)); err != nil { // first: a key without a memory is refused
		return tlog.Signer{}, err
	}
	if err := replace(dir, keyFile, []byte(name+"\n"+base64.StdEncoding.EncodeToString(key.Seed())+"\n")); err != nil {
		if _, there := os.Lstat(filepath.Join(dir, keyFile)); errors.Is(there, fs.ErrNotExist) {
			_ = os.Remove(filepath.Join(dir, stateFile)) // nobody has the key, so that the next try is the first again
		}
		return tlog.Signer{}, err
	}
	return s, nil
}

// ReadKey is the key of the witness in dir. Errors: outcome.NotFound when there is no such file; outcome.Structure;
// outcome.NoStore.
func ReadKey(dir string) (tlog.Signer, error) {
	text, err := os.ReadFile(filepath.Join(dir, keyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return tlog.Signer{}, outcome.Wrap("witness: key", outcome.NotFound, "there is no witness in that directory: make one with `chartwarden witness key --state DIR`", err)
	}
	if err != nil {
		return tlog.Signer{}, unread(keyFile, err)
	}
	name, encoded, _ := strings.Cut(string(text), "\n")
	seed, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSuffix(encoded, "\n"))
	if err != nil || len(seed) != ed25519.SeedSize {
		return tlog.Signer{}, outcome.New(outcome.Structure, "the file "+keyFile+" is damaged: a name and a seed, a line each, are expected")
	}
	return tlog.NewCosigner(name, ed25519.NewKeyFromSeed(seed))
}

// head is what the witness cosigned last of one log.
type head struct {
	tlog.Checkpoint
	at   time.Time
	note []byte // with the witness's signature; nil: none yet
}

// state is the witness's memory. It is written whole, so that after a crash the file is the one before or the one after.
type state struct {
	dir   string
	of    tlog.Verifier
	free  func()
	heads map[string]head // by origin
}

func openState(dir string, key tlog.Verifier) (*state, error) {
	free, err := lock(dir)
	if err != nil {
		return nil, err
	}
	s := &state{dir: dir, of: key, free: free, heads: map[string]head{}}
	if err := s.read(); err != nil {
		free()
		return nil, err
	}
	return s, nil
}

func lock(dir string) (free func(), err error) {
	free, err = db.LockDir(dir)
	if outcome.Is(err, outcome.Lock) {
		err = outcome.New(outcome.Lock, "another witness works in this directory: stop it first")
	}
	return free, err
}

func (s *state) close() { s.free() }

func (s *state) read() error {
	lost := func(why string) error {
		return outcome.New(outcome.Invariant, why+": give this witness up and make a new one in another directory, since under the same key it could sign a second history")
	}
	text, err := os.ReadFile(filepath.Join(s.dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return lost("the file " + stateFile + " is missing, in which it keeps what it cosigned")
	}
	if err != nil {
		return unread(stateFile, err)
	}
	if len(text) < len(sum(nil)) {
		return lost("the file " + stateFile + " was cut off")
	}
	text, last := text[:len(text)-len(sum(nil))], text[len(text)-len(sum(nil)):]
	if string(last) != sum(text) {
		return lost("the file " + stateFile + " was cut off or changed")
	}
	text, found := bytes.CutPrefix(text, []byte(stateOf(s.of)))
	if !found {
		return lost("the file " + stateFile + " is that of another witness")
	}
	for len(text) > 0 {
		body, rest, _ := bytes.Cut(text, []byte("\n\n"))
		lines, after, ended := bytes.Cut(rest, []byte("\n\n"))
		if !ended {
			return lost("the file " + stateFile + " was changed")
		}
		note := slices.Concat(body, []byte("\n\n"), lines, []byte("\n"))
		signed, held, err := tlog.OpenNote(note, s.of)
		if err != nil {
			return lost("the file " + stateFile + " holds a head that this witness did not sign")
		}
		c, err := tlog.ParseCheckpoint(signed)
		if err != nil || s.heads[c.Origin].note != nil {
			return lost("the file " + stateFile + " was changed")
		}
		s.heads[c.Origin] = head{c, held[0].Time, note}
		text = after
	}
	return nil
}

// store makes h the head of its log, durably.
func (s *state) store(h head) error {
	next := maps.Clone(s.heads)
	next[h.Origin] = h
	text := []byte(stateOf(s.of))
	for _, origin := range slices.Sorted(maps.Keys(next)) {
		text = append(append(text, next[origin].note...), '\n')
	}
	if err := replace(s.dir, stateFile, append(text, sum(text)...)); err != nil {
		return err
	}
	s.heads = next
	return nil
}

// replace writes a whole file durably under its name, or leaves the one before.
func replace(dir, name string, text []byte) error {
	f, err := os.CreateTemp(dir, name+".*")
	if err != nil {
		return unstored(err)
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return unstored(err)
	}
	d, err := os.Open(dir)
	if err == nil {
		err = errors.Join(d.Sync(), d.Close())
	}
	return unstored(err)
}

func unstored(err error) error {
	if err == nil {
		return nil
	}
	return outcome.Wrap("witness: store", outcome.NoStore, "the witness's directory cannot be written: check its rights and its disk", err)
}

func unread(file string, err error) error {
	return outcome.Wrap("witness: read", outcome.NoStore, "the file "+file+" cannot be read: check its rights and its disk", err)
}
