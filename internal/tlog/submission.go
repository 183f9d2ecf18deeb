package tlog

import (
	"bytes"
	"strconv"
	"strings"

	"chartwarden/internal/outcome"
)

// maxPath is the most hashes that a proof in a log of 63-bit size can have.
const maxPath = 63

// Submission is what a log sends to a witness: its newest signed checkpoint, and the proof that the checkpoint which the witness cosigned
// last is a prefix of it. Source: https://c2sp.org/tlog-witness.
type Submission struct {
	Old   int64 // size that the witness cosigned last; 0: none
	Proof []Hash
	Note  []byte // signed checkpoint
}

// Text is the submission as the body of a request.
func (s Submission) Text() []byte {
	var b bytes.Buffer
	b.WriteString("old " + strconv.FormatInt(s.Old, 10) + "\n")
	for _, h := range s.Proof {
		b.WriteString(h.String() + "\n")
	}
	b.WriteString("\n")
	b.Write(s.Note)
	return b.Bytes()
}

// ParseSubmission reads what [Submission.Text] writes, and nothing else. Neither proof nor signatures are checked. Errors:
// outcome.Structure.
func ParseSubmission(body []byte) (Submission, error) {
	bad := outcome.New(outcome.Structure, "not a submission to a witness: a line `old SIZE`, hashes, a blank line and a signed checkpoint are expected")
	head, note, ok := bytes.Cut(body, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	digits, old := strings.CutPrefix(lines[0], "old ")
	size, err := strconv.ParseInt(digits, 10, 64)
	if !ok || !old || err != nil || size < 0 || len(lines) > 1+maxPath {
		return Submission{}, bad
	}
	s := Submission{Old: size, Note: note}
	for _, line := range lines[1:] {
		h, err := ParseHash(line)
		if err != nil {
			return Submission{}, bad
		}
		s.Proof = append(s.Proof, h)
	}
	if text, _, err := cut(note); err != nil || !bytes.Equal(s.Text(), body) {
		return Submission{}, bad
	} else if _, err := ParseCheckpoint(text); err != nil {
		return Submission{}, bad
	}
	return s, nil
}

// AddCosignature adds to a signed checkpoint the signature of v that lines, a witness's answer, hold; those of other keys are left
// out. Errors: outcome.Invariant when there is none of v, or it does not hold.
func AddCosignature(note, lines []byte, v Verifier) ([]byte, Signature, error) {
	text, _, err := cut(note)
	if err != nil {
		return nil, Signature{}, err
	}
	none := outcome.New(outcome.Invariant, "the witness's answer holds no signature of its key that fits the checkpoint")
	for line := range strings.Lines(string(lines)) {
		answer := append(append(append([]byte(nil), text...), '\n'), line...)
		if _, held, err := OpenNote(answer, v); err == nil {
			return append(bytes.Clone(note), line...), held[0], nil
		}
	}
	return nil, Signature{}, none
}
