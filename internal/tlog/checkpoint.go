package tlog

import (
	"bytes"
	"strconv"
	"strings"

	"chartwarden/internal/outcome"
)

// Checkpoint is what a log states about itself: this many entries, under this root. Signed, it is a head.
type Checkpoint struct {
	Origin     string
	Size       int64
	Root       Hash
	Extensions []string // further lines, none of them empty; kept as they are
}

// Text is the checkpoint as the text of a signed note. Source: https://c2sp.org/tlog-checkpoint.
func (c Checkpoint) Text() []byte {
	out := c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + c.Root.String() + "\n"
	for _, line := range c.Extensions {
		out += line + "\n"
	}
	return []byte(out)
}

// ParseCheckpoint reads the text of a checkpoint. It accepts exactly what [Checkpoint.Text] writes, so that one checkpoint has one form.
func ParseCheckpoint(text []byte) (Checkpoint, error) {
	bad := outcome.New(outcome.Structure, "not a checkpoint: lines of origin, size and root are expected")
	lines := strings.Split(string(text), "\n")
	if len(lines) < 4 || lines[0] == "" || lines[len(lines)-1] != "" {
		return Checkpoint{}, bad
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 {
		return Checkpoint{}, bad
	}
	root, err := ParseHash(lines[2])
	if err != nil {
		return Checkpoint{}, bad
	}
	c := Checkpoint{Origin: lines[0], Size: size, Root: root, Extensions: lines[3 : len(lines)-1]}
	for _, line := range c.Extensions {
		if line == "" {
			return Checkpoint{}, bad
		}
	}
	if !bytes.Equal(c.Text(), text) || size == 0 && root != EmptyRoot {
		return Checkpoint{}, bad
	}
	return c, nil
}

// OpenCheckpoint reads a signed checkpoint and which of the verifiers signed it. It must be signed by the key of its own origin, so
// one of the verifiers has to carry the origin as its name. Errors are those of [OpenNote] and [ParseCheckpoint].
func OpenCheckpoint(note []byte, verifiers ...Verifier) (Checkpoint, []Signature, error) {
	text, held, err := OpenNote(note, verifiers...)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	c, err := ParseCheckpoint(text)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	for _, s := range held {
		if s.Name == c.Origin {
			return c, held, nil
		}
	}
	return Checkpoint{}, nil, outcome.New(outcome.Invariant, "the checkpoint is not signed by the log that it speaks of")
}
