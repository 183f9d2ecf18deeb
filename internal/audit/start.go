package audit

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"chartwarden/internal/outcome"
	"chartwarden/internal/tlog"
)

// begin decides which log this process writes: the newest one resumed, or a new one after a cut or at the very first start. It
// returns the act that opens a new one, or nil.
func (l *Log) begin(ctx context.Context) (*act, error) {
	logs, err := l.logs(ctx)
	if err != nil {
		return nil, err
	}
	outside, known := readHeads(l.o.HeadFile)
	switch {
	case l.o.HeadFile == "":
		l.state.Outside = "none"
	case !known:
		l.state.Outside = "unknown"
	default:
		l.state.Outside = "agrees"
	}
	for _, r := range logs {
		if _, ok := ordinal(l.o.Origin, r.origin); !ok {
			return nil, outcome.New(outcome.Invalid, "the audit log in this data directory belongs to "+r.origin+", not to "+l.o.Origin)
		}
		l.origin.Store(r.number, r.origin)
	}
	newest, last := l.newestOutside(outside)
	free, err := l.freeNumber(ctx)
	if err != nil {
		return nil, err
	}
	if len(logs) == 0 {
		switch {
		case newest != nil:
			return l.openNew(ctx, free, nextOrigin(l.o.Origin, last), "The data directory holds no log. The newest head outside:\n"+string(newest.note))
		case free > 0:
			return l.openNew(ctx, free, nextOrigin(l.o.Origin, free), "The data directory holds entries of a log that it does not know.")
		}
		if l.o.HeadFile != "" {
			l.state.Outside = "agrees" // nothing is known anywhere: the very first start
		}
		return l.openNew(ctx, 0, l.o.Origin, "")
	}
	current := logs[len(logs)-1]
	h, fault, err := l.resume(ctx, current)
	if err != nil {
		return nil, err
	}
	if fault == "" {
		fault = l.compare(ctx, h, current, newest, last)
	}
	if fault != "" {
		here, _ := ordinal(l.o.Origin, current.origin)
		return l.openNew(ctx, free, nextOrigin(l.o.Origin, max(last, here)), fault)
	}
	if current.evidence != "" && !current.acknowledged {
		l.state.Cut, l.state.Evidence = true, current.evidence
	}
	return nil, l.use(h, current.origin)
}

// resume rebuilds the edge of a log from its tiles and its tail and compares it with its newest signed head.
func (l *Log) resume(ctx context.Context, r logRow) (*held, string, error) {
	at, note, err := l.newestHead(ctx, r.number)
	if err != nil {
		return nil, "", err
	}
	if note == nil {
		return nil, "The log " + r.origin + " has no signed head.", nil
	}
	signer, err := l.signerOf(r.origin)
	if err != nil {
		return nil, "", err
	}
	broken := func(what string) (*held, string, error) {
		return nil, what + " The newest head inside:\n" + string(note), nil
	}
	c, _, err := tlog.OpenCheckpoint(note, signer.Verifier())
	if err != nil || c.Origin != r.origin || c.Size != at.Number() {
		return broken("The newest head of " + r.origin + " is not what this installation signed.")
	}
	tree, err := tlog.Restore(c.Size, l.tile(ctx, r.number), l.leaf(ctx, r.number))
	if outcome.Is(err, outcome.NotFound) || outcome.Is(err, outcome.Structure) {
		return broken("Entries or tiles of " + r.origin + " are missing.")
	}
	if err != nil {
		return nil, "", err
	}
	if tree.Root() != c.Root {
		return broken("Entries or tiles of " + r.origin + " were changed: the root differs from the signed one.")
	}
	end, err := l.span(ctx, indexOf(r.number, c.Size-1), indexOf(r.number+1, 0), 2, false)
	if err != nil {
		return nil, "", err
	}
	if len(end) != 1 {
		return broken("There are entries of " + r.origin + " beyond its newest head.")
	}
	e, err := parseEntry(end[0].bytes)
	if err != nil {
		return broken("The last entry of " + r.origin + " was written by a newer version, or damaged.")
	}
	return &held{tree: tree, number: r.number, note: note, time: e.time, minute: e.time / 60e6, kept: at}, "", nil
}

// compare holds a resumed log against the newest head outside.
func (l *Log) compare(ctx context.Context, h *held, r logRow, outside *outsideHead, last int64) string {
	if outside == nil {
		return ""
	}
	say := func(what string) string {
		return what + " The newest head inside:\n" + string(h.note) + "\nThe newest head outside:\n" + string(outside.note)
	}
	if here, _ := ordinal(l.o.Origin, r.origin); last > here {
		return say("The head file knows a later log than the data directory: the directory was rolled back.")
	} else if last < here {
		return "" // no head of this log came out yet
	}
	if outside.Size > h.tree.Size() {
		return say(fmt.Sprintf("The head file knows %d entries, the data directory holds %d: entries are missing.", outside.Size, h.tree.Size()))
	}
	root, err := tlog.Root(h.tree.Reader(l.tile(ctx, h.number)), outside.Size)
	if err != nil || root != outside.Root {
		return say("The log in the data directory is another one than the head file knows.")
	}
	return ""
}

// freeNumber is the first number of a log that no row uses.
func (l *Log) freeNumber(ctx context.Context) (n int64, err error) {
	err = l.d.Reader().QueryRowContext(ctx, `select 1 + max(coalesce((select max(number) from log), -1), coalesce((select max(at) >> 40 from entry), -1),
		coalesce((select max(at) >> 40 from head), -1), coalesce((select max(id) >> 52 from payload), -1), coalesce((select max(id) >> 44 from tile), -1))`).Scan(&n)
	return n, unreadable(err)
}

// use makes h the log that this process writes.
func (l *Log) use(h *held, origin string) error {
	signer, err := l.signerOf(origin)
	if err != nil {
		return err
	}
	l.state.Origin = origin
	l.origin.Store(h.number, origin)
	l.head.Store(h)
	l.writer = &writer{hot: l.hot, box: l.box, origin: origin, number: h.number, signer: signer, chains: newChains(l.o.links), now: l.o.Now, follow: func() Index { return Index(l.lookups.cursor.Load()) }, held: h}
	return nil
}

func (l *Log) signerOf(origin string) (tlog.Signer, error) {
	return tlog.NewSigner(origin, l.box.SigningKey("log "+origin))
}

// openNew prepares a log that does not exist yet; its row is written with its first entry.
func (l *Log) openNew(ctx context.Context, number int64, origin, evidence string) (*act, error) {
	var kept Index
	err := l.d.Reader().QueryRowContext(ctx, `select at from head order by at desc limit 1`).Scan(&kept)
	if err != nil && err != sql.ErrNoRows {
		return nil, unreadable(err)
	}
	if err := l.use(&held{tree: &tlog.Tree{}, number: number, kept: kept}, origin); err != nil {
		return nil, err
	}
	text := "log format 1"
	if l.o.Sandbox {
		text += ", sandbox"
	}
	events := []Event{l.own(Event{Kind: Opened, Interaction: "opened", Text: text})}
	if evidence != "" {
		l.state.Cut, l.state.Evidence = true, evidence
		l.o.Logger.Error("the audit log was cut: outside evidence contradicts it, a new log is opened", "origin", origin)
		events = append(events, l.own(Event{Kind: Cut, Interaction: "cut", Outcome: 12, Text: evidence}))
	}
	a := &act{also: func(tx *sql.Tx, _ Index) error {
		_, err := tx.Exec(`insert into log(number, origin, verifier, opened, evidence) values(?, ?, ?, ?, ?)`,
			number, origin, l.writer.signer.Verifier().String(), l.o.Now().UnixMicro(), evidence)
		return err
	}}
	for i := range events {
		drafts, err := l.draft(ctx, events[i].Kind, &events[i])
		if err != nil {
			return nil, err
		}
		a.drafts = append(a.drafts, drafts...)
	}
	return a, nil
}

func acknowledge(number int64) func(*sql.Tx, Index) error {
	return func(tx *sql.Tx, first Index) error {
		_, err := tx.Exec(`update log set acknowledged = ? where number = ?`, first, number)
		return err
	}
}

// ordinal says which log of an installation an origin names: 1 for the installation's own name, n for name-n.
func ordinal(base, origin string) (int64, bool) {
	if origin == base {
		return 1, true
	}
	digits, ok := strings.CutPrefix(origin, base+"-")
	n, err := strconv.ParseInt(digits, 10, 32)
	return n, ok && err == nil && n > 1
}

func nextOrigin(base string, after int64) string { return fmt.Sprintf("%s-%d", base, max(after, 1)+1) }
