package audit

import (
	"context"

	"chartwarden/internal/outcome"
	"chartwarden/internal/tlog"
)

// Head is the newest signed head, a C2SP signed note, with the signatures of witnesses that saw just it; nil when the log is out of order.
func (l *Log) Head() []byte {
	h := l.head.Load()
	if h == nil {
		return nil
	}
	if c, err := l.newestCosigned(context.Background(), h.number); err == nil && c.at == h.end() && sameText(c.note, h.note) {
		return c.note
	}
	return h.note
}

// Verifier is the public key of the current log as a C2SP verifier text: what an outside verifier is given once.
func (l *Log) Verifier() string {
	if l.writer == nil {
		return ""
	}
	return l.writer.signer.Verifier().String()
}

// VerifierOf is the public key of the log that an entry is in; empty when there is no such log.
func (l *Log) VerifierOf(i Index) string {
	if l.writer != nil && i.log() == l.writer.number {
		return l.Verifier()
	}
	if r, ok := l.rowOf(i.log()); ok && l.box != nil {
		if v, err := l.verifierOf(r); err == nil {
			return v.String()
		}
	}
	return ""
}

// InclusionProof proves an entry of any log: entry bytes and a self-contained proof, under the newest head that a witness cosigned, and
// under the newest of all while that one does not hold the entry.
// Errors: outcome.NotFound when there is no such entry.
func (l *Log) InclusionProof(ctx context.Context, i Index) (entry []byte, p tlog.Proof, err error) {
	if l.d == nil || l.head.Load() == nil {
		return nil, p, errNoLog
	}
	if i < 0 {
		return nil, p, outcome.New(outcome.NotFound, "there is no such entry in the log")
	}
	note, tree, err := l.edgeOf(ctx, i.log())
	if err != nil {
		return nil, p, err
	}
	if i.Number() >= tree.Size() {
		return nil, p, outcome.New(outcome.NotFound, "there is no such entry in the log")
	}
	raw, err := l.span(ctx, i, i+1, 1, false)
	if err != nil || len(raw) != 1 {
		return nil, p, outcome.Wrap("audit: proof", outcome.NotFound, "the entry is missing: verify the log", err)
	}
	note, size := l.under(ctx, i.log(), i.Number(), note, tree)
	path, err := tlog.Inclusion(tree.Reader(l.tile(ctx, i.log())), i.Number(), size)
	return raw[0].bytes, tlog.Proof{Index: i.Number(), Path: path, Note: note}, err
}

// edgeOf gives the newest head of a log with the tree under it; of another than this process writes from the store.
func (l *Log) edgeOf(ctx context.Context, number int64) (note []byte, tree *tlog.Tree, err error) {
	if h := l.head.Load(); h.number == number {
		return h.note, h.tree, nil
	}
	at, note, err := l.newestHead(ctx, number)
	if err != nil {
		return nil, nil, err
	}
	if note == nil {
		return nil, nil, outcome.New(outcome.NotFound, "there is no such entry in the log")
	}
	tree, err = tlog.Restore(at.Number(), l.tile(ctx, number), l.leaf(ctx, number))
	if err != nil && !outcome.Is(err, outcome.NoStore) {
		err = outcome.Wrap("audit: proof", outcome.NotFound, "entries or tiles are missing: verify the log", err)
	}
	return note, tree, err
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
	if l.writer != nil && origin == l.writer.origin && number >= 0 {
		return indexOf(l.writer.number, number), nil
	}
	if l.d != nil && number >= 0 && belongs(l.o.Origin, origin) {
		rows, err := l.survey(context.Background())
		if err != nil {
			return 0, err
		}
		for _, r := range rows {
			if r.origin == origin {
				return indexOf(r.number, number), nil
			}
		}
	}
	return 0, outcome.New(outcome.NotFound, "there is no such audit log here")
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
