package audit

import (
	"context"

	"chartwarden/internal/outcome"
	"chartwarden/internal/tlog"
)

// Head is the newest signed head, a C2SP signed note; nil when the log is out of order.
func (l *Log) Head() []byte {
	if h := l.head.Load(); h != nil {
		return h.note
	}
	return nil
}

// Verifier is the public key of the current log as a C2SP verifier text: what an outside verifier is given once.
func (l *Log) Verifier() string {
	if l.writer == nil {
		return ""
	}
	return l.writer.signer.Verifier().String()
}

// InclusionProof proves an entry of the current log under the newest head: entry bytes and a self-contained proof.
// Errors: outcome.NotFound when there is no such entry in the current log.
func (l *Log) InclusionProof(ctx context.Context, i Index) (entry []byte, p tlog.Proof, err error) {
	h := l.head.Load()
	if h == nil {
		return nil, p, errNoLog
	}
	if i < 0 || i.log() != h.number || i >= h.end() {
		return nil, p, outcome.New(outcome.NotFound, "there is no such entry in the log")
	}
	raw, err := l.span(ctx, i, i+1, 1, false)
	if err != nil || len(raw) != 1 {
		return nil, p, outcome.Wrap("audit: proof", outcome.NotFound, "the entry is missing: verify the log", err)
	}
	path, err := tlog.Inclusion(h.tree.Reader(l.tile(ctx, h.number)), i.Number(), h.tree.Size())
	return raw[0].bytes, tlog.Proof{Index: i.Number(), Path: path, Note: h.note}, err
}

// Consistency proves that the current log as it was at a size is a prefix of what it is now; a witness asks for it.
func (l *Log) Consistency(ctx context.Context, size int64) ([]tlog.Hash, []byte, error) {
	h := l.head.Load()
	if h == nil {
		return nil, nil, errNoLog
	}
	proof, err := tlog.Consistency(h.tree.Reader(l.tile(ctx, h.number)), size, h.tree.Size())
	return proof, h.note, err
}

// Find resolves `origin/number` to the index of an entry. Errors: outcome.NotFound.
func (l *Log) Find(origin string, number int64) (Index, error) {
	var found Index = -1
	l.origin.Range(func(n, o any) bool {
		if o == origin && number >= 0 {
			found = indexOf(n.(int64), number)
		}
		return found < 0
	})
	if found < 0 {
		return 0, outcome.New(outcome.NotFound, "there is no such audit log here")
	}
	return found, nil
}

// Entry reads one entry. Errors: outcome.NotFound.
func (l *Log) Entry(ctx context.Context, i Index) (Read, error) {
	if l.d == nil {
		return Read{}, errNoLog
	}
	raw, err := l.span(ctx, i, i+1, 1, true)
	if err != nil {
		return Read{}, err
	}
	if len(raw) == 0 {
		return Read{}, outcome.New(outcome.NotFound, "there is no such entry in the log")
	}
	return l.open(raw[0], l.originOf(i)), nil
}
