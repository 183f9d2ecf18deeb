package witness

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/tlog"
)

// Remote is a witness as a log knows it: where it answers, and the key by which its word is known. Its methods are safe for concurrent
// use; Client may be nil.
type Remote struct {
	URL    string // without a slash at the end
	Key    tlog.Verifier
	Client *http.Client
}

// ParseRemote reads `URL=KEY`, as [Remote.String] writes it. https is wanted, since the sizes that a witness answers are not signed;
// plain http only to this machine. Errors: outcome.Value.
func ParseRemote(text string) (Remote, error) {
	bad := func(what string) (Remote, error) { return Remote{}, outcome.New(outcome.Value, what) }
	at, key, ok := strings.Cut(text, "=")
	if !ok {
		return bad("write a witness as URL=KEY, for example https://witness.example=witness.example/a+01ab23cd+BA...")
	}
	v, err := tlog.ParseVerifier(key)
	if err != nil || !v.Cosigns() {
		return bad("the witness at " + at + " needs its verifier key behind the `=`, as `chartwarden witness key` prints it")
	}
	r := Remote{URL: strings.TrimRight(at, "/"), Key: v}
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return bad("write the address of the witness " + v.Name() + " as https://host[:port][/path]")
	}
	if u.Scheme == "http" && !r.Here() {
		return bad("name the witness " + v.Name() + " by https: what it answers about sizes is not signed")
	}
	return r, nil
}

// String is the witness as settings write it.
func (r Remote) String() string { return r.URL + "=" + r.Key.String() }

// Name is the name in which the witness signs.
func (r Remote) Name() string { return r.Key.Name() }

// Here reports whether the witness is on this machine, where whoever holds the log holds it too: it is not an independent one.
func (r Remote) Here() bool {
	u, err := url.Parse(r.URL)
	if err != nil {
		return false
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && (ip.Unmap().IsLoopback() || ip.Unmap().IsUnspecified())
}

// Contradiction is what a witness says that cosigned another history of the log, or a longer one. It is an error and evidence.
type Contradiction struct {
	Witness string
	Ours    int64 // size of the head that it did not cosign
	Theirs  int64 // size of the one that it cosigned last; -1: not told
	Note    []byte
}

// Error says it in words for people.
func (c *Contradiction) Error() string {
	if c.Theirs > c.Ours {
		return fmt.Sprintf("the witness %s knows %d entries, here are %d: entries are missing", c.Witness, c.Theirs, c.Ours)
	}
	return fmt.Sprintf("the witness %s cosigned another log than the one here, under the same name", c.Witness)
}

// Cosign brings a head to the witness and returns it with the cosignature added, and when the witness says to have seen it. known is
// the largest size under a cosignature of this witness that the caller checked, 0 for none; prove gives the proof that the log of size old
// is a prefix of the head's.
//
// Errors: *[Contradiction]; else the head is simply not cosigned: outcome.Transient when the witness is not reached in time,
// outcome.NotFound when it was not told of this log, outcome.Invariant when its signature does not hold or it states a smaller size than
// known, outcome.Exception for any other answer; those of prove pass through.
func (r Remote) Cosign(ctx context.Context, note []byte, known int64, prove func(old int64) ([]tlog.Hash, error)) ([]byte, time.Time, error) {
	text, _, _ := bytes.Cut(note, []byte("\n\n"))
	c, err := tlog.ParseCheckpoint(append(bytes.Clone(text), '\n'))
	if err != nil {
		return nil, time.Time{}, err
	}
	old := min(known, c.Size)
	for range 3 { // somebody else may bring it heads of this log at the same time
		proof, err := prove(old)
		if err != nil {
			return nil, time.Time{}, err
		}
		status, kind, body, err := r.ask(ctx, http.MethodPost, "/add-checkpoint", tlog.Submission{Old: old, Proof: proof, Note: note}.Text())
		if err != nil {
			return nil, time.Time{}, err
		}
		switch status {
		case http.StatusOK:
			cosigned, s, err := tlog.AddCosignature(note, body, r.Key)
			if err != nil {
				err = outcome.New(outcome.Invariant, "the answer of the witness "+r.Name()+" is not signed by the key that was given for it")
			}
			return cosigned, s.Time, err
		case http.StatusNotFound:
			return nil, time.Time{}, outcome.New(outcome.NotFound, "the witness "+r.Name()+" was not told of this log: start it with --log and the log's key")
		case http.StatusUnprocessableEntity:
			return nil, time.Time{}, r.contradiction(ctx, c, -1)
		case http.StatusConflict:
			size, err := strconv.ParseInt(strings.TrimSuffix(string(body), "\n"), 10, 64)
			if err != nil || size < 0 || kind != sizeText {
				return nil, time.Time{}, r.strange(status)
			}
			if size < known { // what is unsigned does not take back what is signed
				return nil, time.Time{}, outcome.New(outcome.Invariant, fmt.Sprintf("the witness %s says that it cosigned %d entries, and its own signature stands under %d: "+
					"it lost what it knew, so give it up and name one with a new key", r.Name(), size, known))
			}
			if size > c.Size || size == c.Size && old == c.Size {
				return nil, time.Time{}, r.contradiction(ctx, c, size)
			}
			old = size
		default:
			return nil, time.Time{}, r.strange(status)
		}
	}
	return nil, time.Time{}, outcome.New(outcome.Transient, "the witness "+r.Name()+" was asked by others at the same time")
}

func (r Remote) strange(status int) error {
	return outcome.New(outcome.Exception, fmt.Sprintf("the witness %s answers with status %d, which is not an answer of a witness", r.Name(), status))
}

// contradiction adds the head that the witness knows, where it tells.
func (r Remote) contradiction(ctx context.Context, c tlog.Checkpoint, theirs int64) *Contradiction {
	out := &Contradiction{Witness: r.Name(), Ours: c.Size, Theirs: theirs}
	if note, err := r.Head(ctx, c.Origin); err == nil {
		out.Note = note
	}
	return out
}

// Head is the head of a log that the witness cosigned last, as it tells: signed by itself, which is checked, and by the log, which the
// caller checks. Only witnesses of this program answer. Errors: outcome.NotFound; those of [Remote.Cosign].
func (r Remote) Head(ctx context.Context, origin string) ([]byte, error) {
	status, _, body, err := r.ask(ctx, http.MethodGet, "/head?origin="+url.QueryEscape(origin), nil)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, outcome.New(outcome.NotFound, "the witness "+r.Name()+" tells no head of this log")
	}
	text, _, err := tlog.OpenNote(body, r.Key)
	if err != nil {
		return nil, err
	}
	if c, err := tlog.ParseCheckpoint(text); err != nil || c.Origin != origin {
		return nil, outcome.New(outcome.Invariant, "the witness "+r.Name()+" tells a head of another log")
	}
	return body, nil
}

// patience is how long one request may take: a witness that is slow is one that is away.
const patience = 10 * time.Second

func (r Remote) ask(ctx context.Context, method, path string, body []byte) (status int, kind string, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	away := func(err error) (int, string, []byte, error) {
		return 0, "", nil, outcome.Wrap("witness: ask", outcome.Transient, "the witness "+r.Name()+" is not reached", err)
	}
	q, err := http.NewRequestWithContext(ctx, method, r.URL+path, bytes.NewReader(body))
	if err != nil {
		return away(err)
	}
	client := r.Client
	if client == nil {
		client = direct
	}
	a, err := client.Do(q)
	if err != nil {
		return away(err)
	}
	defer a.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(a.Body, mostBody))
	if err != nil {
		return away(err)
	}
	return a.StatusCode, a.Header.Get("Content-Type"), answer, nil
}

// direct follows no redirect: nobody but the witness answers for it.
var direct = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
