// Package witness is both ends of C2SP tlog-witness: somebody independent who cosigns the heads of logs, one history of each and never
// a smaller one after a larger, and the errand of a log to such a one.
//
// The witness, on another machine than the log and in other hands:
//
//	signer, err := witness.MakeKey(dir, "witness.example/county")   // once
//	w, err := witness.Open(witness.Options{Dir: dir, Logs: keys})    // whose heads it cosigns
//	http.Serve(listener, w.Handler())
//
// The log:
//
//	remote, err := witness.ParseRemote("https://witness.example=witness.example/county+6ea1b2c3+BA...")
//	cosigned, at, err := remote.Cosign(ctx, head, known, prove)      // a *Contradiction says that the witness knows otherwise
//
// Sources: https://c2sp.org/tlog-witness, https://c2sp.org/tlog-cosignature.
package witness

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/tlog"
)

// mostBody bounds a submission: 63 hashes and a checkpoint with the signatures of many.
const mostBody = 64 << 10

// Witness cosigns heads of the logs that it was told of. It is safe for concurrent use.
type Witness struct {
	signer tlog.Signer
	o      Options
	state  *state
	mu     sync.Mutex // look, decide, store and answer are one step
}

// Options say what a witness watches over.
type Options struct {
	Dir    string          // made by [MakeKey]
	Logs   []tlog.Verifier // keys of the logs whose heads are cosigned
	Now    func() time.Time
	Logger *slog.Logger // is told of heads that were signed by their log and contradict what was cosigned: evidence to keep
}

// Open takes up the witness in a directory. One process works in it at a time.
//
// Errors: outcome.NotFound when there is no witness; outcome.Lock when another process works there; outcome.Invariant when what
// it remembers is missing or is not what it wrote: such a witness is given up, never started afresh under the same key.
func Open(o Options) (*Witness, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	signer, err := ReadKey(o.Dir)
	if err != nil {
		return nil, err
	}
	s, err := openState(o.Dir, signer.Verifier())
	if err != nil {
		return nil, err
	}
	return &Witness{signer: signer, o: o, state: s}, nil
}

// Close frees the directory.
func (w *Witness) Close() { w.state.close() }

// Verifier is the key that the witness's signatures are checked with.
func (w *Witness) Verifier() tlog.Verifier { return w.signer.Verifier() }

// Handler serves `POST /add-checkpoint` as C2SP tlog-witness says, and `GET /head?origin=ORIGIN`: the head of a log that this witness
// cosigned last, for whoever wants to compare. Nothing else; nobody is asked who he is, since signatures are what counts.
func (w *Witness) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, mostBody))
		if err != nil {
			answer{http.StatusBadRequest, plainText, "the request is too long, or was cut off\n"}.write(rw)
			return
		}
		w.add(body).write(rw)
	})
	mux.HandleFunc("GET /head", func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		note := w.state.heads[r.URL.Query().Get("origin")].note
		w.mu.Unlock()
		if note == nil {
			answer{http.StatusNotFound, plainText, "no head of this log was cosigned here\n"}.write(rw)
			return
		}
		answer{http.StatusOK, plainText, string(note)}.write(rw)
	})
	return mux
}

const (
	plainText = "text/plain; charset=utf-8"
	sizeText  = "text/x.tlog.size"
)

type answer struct {
	status int
	kind   string
	body   string
}

func (a answer) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", a.kind)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body) // who is gone asks again
}

// add decides about one submission. The order of the checks is that of the specification.
func (w *Witness) add(body []byte) answer {
	refuse := func(status int, why string) answer { return answer{status, plainText, why + "\n"} }
	s, err := tlog.ParseSubmission(body)
	if err != nil {
		return refuse(http.StatusBadRequest, err.Error())
	}
	origin, _, _ := bytes.Cut(s.Note, []byte("\n"))
	var keys []tlog.Verifier
	for _, v := range w.o.Logs {
		if v.Name() == string(origin) {
			keys = append(keys, v)
		}
	}
	if keys == nil {
		return refuse(http.StatusNotFound, "this witness was not told of that log")
	}
	c, _, err := tlog.OpenCheckpoint(s.Note, keys...)
	if err != nil {
		return refuse(http.StatusForbidden, "the checkpoint is not signed by a key of its log")
	}
	if s.Old > c.Size {
		return refuse(http.StatusBadRequest, "the old size is larger than the new one")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	last := w.state.heads[c.Origin]
	other := s.Old == c.Size && last.note != nil && c.Root != last.Root
	if s.Old != last.Size || other {
		if other && s.Old == last.Size {
			w.contradicted(s.Note, last)
		}
		return answer{http.StatusConflict, sizeText, strconv.FormatInt(last.Size, 10) + "\n"}
	}
	root := last.Root
	if last.note == nil {
		root = tlog.EmptyRoot
	}
	if tlog.CheckConsistency(s.Proof, s.Old, c.Size, root, c.Root) != nil {
		w.contradicted(s.Note, last)
		return refuse(http.StatusUnprocessableEntity, "the proof does not show that the checkpoint continues the one cosigned before")
	}
	line, err := w.cosign(c, s.Note, last)
	if err != nil {
		return refuse(http.StatusInternalServerError, "the witness cannot store what it would sign")
	}
	return answer{http.StatusOK, plainText, string(line)}
}

// contradicted tells of a head that its log signed and that does not follow from the one cosigned before.
func (w *Witness) contradicted(note []byte, last head) {
	w.o.Logger.Error("a log signed a head that was not shown to continue the one cosigned before: keep both", "signed", string(note), "cosigned", string(last.note))
}

// cosign stores the head with this witness's signature, durably, and gives the signature. Of the other signatures under it only the
// log's own is kept.
func (w *Witness) cosign(c tlog.Checkpoint, note []byte, last head) ([]byte, error) {
	at := w.o.Now()
	if at.Before(last.at) {
		at = last.at // a clock that was set back does not make an older statement of a newer one
	}
	text, _, ok := bytes.Cut(note, []byte("\n\n"))
	if !ok {
		return nil, outcome.New(outcome.Structure, "not a signed note")
	}
	bare := append(bytes.Clone(text), "\n\n"...)
	line, err := w.signer.Cosignature(note, at)
	if err != nil {
		return nil, err
	}
	for l := range bytes.Lines(note[len(bare):]) {
		if bytes.HasPrefix(l, []byte("— "+c.Origin+" ")) {
			bare = append(bare, l...)
		}
	}
	return line, w.state.store(head{c, at, append(bare, line...)})
}
