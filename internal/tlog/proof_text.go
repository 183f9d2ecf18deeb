package tlog

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"strings"

	"chartwarden/internal/outcome"
)

const proofHeader = "c2sp.org/tlog-proof@v1"

// Proof is everything that shows one entry to be in a log, for somebody who has only the log's verifier key: a file that can be kept.
type Proof struct {
	Index int64
	Path  []Hash
	Extra []byte // of the application; may be nil
	Note  []byte // signed checkpoint
}

// Text is the proof in the C2SP form. Source: https://c2sp.org/tlog-proof.
func (p Proof) Text() []byte {
	var b bytes.Buffer
	b.WriteString(proofHeader + "\n")
	if p.Extra != nil {
		b.WriteString("extra " + base64.StdEncoding.EncodeToString(p.Extra) + "\n")
	}
	b.WriteString("index " + strconv.FormatInt(p.Index, 10) + "\n")
	for _, h := range p.Path {
		b.WriteString(h.String() + "\n")
	}
	b.WriteString("\n")
	b.Write(p.Note)
	return b.Bytes()
}

// ParseProof reads what [Proof.Text] writes. It checks the form only; [Proof.Check] checks the proof.
func ParseProof(text []byte) (Proof, error) {
	bad := outcome.New(outcome.Structure, "not a tlog-proof: index, hashes, a blank line and a signed checkpoint are expected")
	head, note, ok := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !ok || lines[0] != proofHeader || len(lines) < 2 {
		return Proof{}, bad
	}
	p, lines := Proof{Note: note}, lines[1:]
	if encoded, ok := strings.CutPrefix(lines[0], "extra "); ok {
		extra, err := decode(encoded)
		if err != nil || len(lines) < 2 {
			return Proof{}, bad
		}
		p.Extra, lines = append([]byte{}, extra...), lines[1:]
	}
	digits, ok := strings.CutPrefix(lines[0], "index ")
	index, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || index < 0 || len(lines) > 1+maxPath {
		return Proof{}, bad
	}
	p.Index = index
	for _, line := range lines[1:] {
		h, err := ParseHash(line)
		if err != nil {
			return Proof{}, bad
		}
		p.Path = append(p.Path, h)
	}
	if !bytes.Equal(p.Text(), text) {
		return Proof{}, bad
	}
	return p, nil
}

// Check returns the checkpoint under which the proof shows that entry, when its signatures and path hold.
func (p Proof) Check(entry []byte, verifiers ...Verifier) (Checkpoint, []Signature, error) {
	c, held, err := OpenCheckpoint(p.Note, verifiers...)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	if err := CheckInclusion(p.Path, p.Index, c.Size, LeafHash(entry), c.Root); err != nil {
		return Checkpoint{}, nil, err
	}
	return c, held, nil
}
