package audit

import (
	"context"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"chartwarden/internal/outcome"
	"chartwarden/internal/tlog"
)

// Several nodes may share a store. Each writes a log of its own: own origin, own signing key, a number, a lease. The logs of one store
// are read as one, and every position ([Index]) holds the number of its log.

// MainNode is the node of an installation that has one, and whose log bears the installation's own origin.
const MainNode = "main"

var nodeName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$`)

// nodeOrigin is the origin of a node's first log.
func nodeOrigin(installation, node string) string {
	if node == MainNode {
		return installation
	}
	return installation + nodePart + node
}

const nodePart = "/node/"

// ordinal says which log of a node an origin names, by the origin of its first: 1 for that, n for the n-th, which opened after a cut.
// These are `base-n` for the main node, and `base/n` for others, whose names may end in digits.
func ordinal(base, origin string) (int64, bool) {
	if origin == base {
		return 1, true
	}
	digits, ok := strings.CutPrefix(origin, base+between(base))
	n, err := strconv.ParseInt(digits, 10, 32)
	return n, ok && err == nil && n > 1
}

func nextOrigin(base string, after int64) string {
	return fmt.Sprintf("%s%s%d", base, between(base), max(after, 1)+1)
}

func between(base string) string {
	if strings.Contains(base, nodePart) {
		return "/"
	}
	return "-"
}

// logRow is one log of the store.
type logRow struct {
	number       int64
	origin       string
	node         string
	verifier     string
	bound        []byte
	evidence     string
	acknowledged bool
	end          Index // of its newest head
}

// live reports that no later log of its node is among all.
func (r logRow) live(all []logRow) bool {
	return !slices.ContainsFunc(all, func(o logRow) bool { return o.node == r.node && o.number > r.number })
}

type querier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}

// logsIn lists the logs of a store by number.
func logsIn(ctx context.Context, q querier) ([]logRow, error) {
	rows, err := q.QueryContext(ctx, `select l.number, l.origin, l.node, l.verifier, l.bound, l.evidence, case when l.acknowledged is null then 0 else 1 end,
		coalesce((select max(h.at) from head h where h.at >= l.number * 1099511627776 and h.at < (l.number + 1) * 1099511627776), l.number * 1099511627776)
		from log l order by l.number`)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	var out []logRow
	for rows.Next() {
		var r logRow
		if err := rows.Scan(&r.number, &r.origin, &r.node, &r.verifier, &r.bound, &r.evidence, &r.acknowledged, &r.end); err != nil {
			return nil, unreadable(err)
		}
		out = append(out, r)
	}
	return out, unreadable(rows.Err())
}

// survey learns which logs there are now and how long; its own as long as this process knows.
func (l *Log) survey(ctx context.Context) ([]logRow, error) {
	rows, err := l.logs(ctx)
	if err != nil {
		return nil, err
	}
	l.roster.Store(&rows)
	if h := l.head.Load(); h != nil {
		for i := range rows {
			if rows[i].number == h.number {
				rows[i].end = max(rows[i].end, h.end())
			}
		}
	}
	return rows, nil
}

// rowOf finds the log that a position lies in, looking again when it is of a node that joined meanwhile.
func (l *Log) rowOf(number int64) (logRow, bool) {
	for _, again := range []bool{false, true} {
		if again {
			if l.d == nil {
				break
			}
			if _, err := l.survey(context.Background()); err != nil {
				break
			}
		}
		if known := l.roster.Load(); known != nil {
			if i := slices.IndexFunc(*known, func(r logRow) bool { return r.number == number }); i >= 0 {
				return (*known)[i], true
			}
		}
	}
	return logRow{}, false
}

func (l *Log) originOf(i Index) string {
	if l.writer != nil && i.log() == l.writer.number {
		return l.writer.origin
	}
	r, _ := l.rowOf(i.log())
	return r.origin
}

// mine are the logs of this node.
func (l *Log) mine(rows []logRow) (out []logRow) {
	for _, r := range rows {
		if r.node == l.o.Node {
			out = append(out, r)
		}
	}
	return out
}

// signerOf gives the signer of a log of this node: by the node's own secret, or by a key that the installation's keys give.
func (l *Log) signerOf(origin string) (tlog.Signer, error) {
	if l.o.Secret == nil {
		return tlog.NewSigner(origin, l.box.SigningKey("log "+origin))
	}
	return tlog.NewSigner(origin, nodeKey(l.o.Secret, origin))
}

func nodeKey(secret []byte, origin string) ed25519.PrivateKey {
	seed, err := hkdf.Expand(sha256.New, secret, "chartwarden log "+origin, ed25519.SeedSize)
	if err != nil {
		panic("audit: " + err.Error()) // only for impossible lengths
	}
	return ed25519.NewKeyFromSeed(seed)
}

// bind is what shows that a row of the table log is as this installation wrote it, when its key is one that only its node has.
func (s *store) bind(r logRow) []byte {
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], uint64(r.number))
	sum := s.box.PRF("log row", number[:], []byte(r.node), []byte(r.origin), []byte(r.verifier))
	return sum[:]
}

var errUnbound = errors.New("its row in the table of logs is not as it was written")

// verifierOf is the key that a log's heads must be signed by, known from the installation's keys.
func (s *store) verifierOf(r logRow) (tlog.Verifier, error) {
	if len(r.bound) == 0 {
		signer, err := tlog.NewSigner(r.origin, s.box.SigningKey("log "+r.origin))
		return signer.Verifier(), err
	}
	if subtle.ConstantTimeCompare(r.bound, s.bind(r)) != 1 {
		return tlog.Verifier{}, errUnbound
	}
	return tlog.ParseVerifier(r.verifier)
}

// belongs reports that an origin is one of an installation's.
func belongs(installation, origin string) bool {
	_, ok := ordinal(installation, origin)
	return ok || strings.HasPrefix(origin, installation+nodePart)
}

func (o *Options) checkNode() error {
	if o.Node == "" {
		o.Node = MainNode
	}
	if !nodeName.MatchString(o.Node) {
		return outcome.New(outcome.Invalid, "a node is named by lower case letters, digits, dots and dashes, at most 63").At("--node")
	}
	return nil
}
