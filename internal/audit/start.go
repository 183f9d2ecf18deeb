package audit

import (
	"context"
	"database/sql"
	"fmt"

	"chartwarden/internal/outcome"
	"chartwarden/internal/tlog"
)

// begin decides which log this process writes: the newest one resumed, or a new one after a cut or at the very first start. It
// returns the act that opens a new one, or nil.
func (l *Log) begin(ctx context.Context) (*act, error) {
	all, err := l.survey(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		if !belongs(l.o.Origin, r.origin) {
			return nil, outcome.New(outcome.Invalid, "the audit log in this data directory belongs to "+r.origin+", not to "+l.o.Origin)
		}
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
	newest, last := l.newestOutside(outside)
	logs := l.mine(all)
	if len(logs) == 0 {
		stray, err := l.stray(all)
		if err != nil {
			return nil, err
		}
		switch {
		case newest != nil:
			return l.openNew(ctx, l.unused(ctx, nextOrigin(l.base, last)), "The data directory holds no log. The newest head outside:\n"+string(newest.note))
		case stray >= 0:
			return l.openNew(ctx, l.unused(ctx, nextOrigin(l.base, stray+1)), "The data directory holds entries of a log that it does not know.")
		}
		if free := l.unused(ctx, l.base); free != l.base {
			return l.openNew(ctx, free, "The data directory holds no log, and a witness knows one of this name.")
		}
		if l.o.HeadFile != "" {
			l.state.Outside = "agrees" // nothing is known anywhere: the very first start
		}
		return l.openNew(ctx, l.base, "")
	}
	current := logs[len(logs)-1]
	here, ok := ordinal(l.base, current.origin)
	if !ok {
		return nil, outcome.New(outcome.Invalid, "the log "+current.origin+" is not one of the node "+l.o.Node)
	}
	if err := l.strange(ctx, current); err != nil {
		return nil, err
	}
	epoch, err := l.take(ctx, current.number) // first, so that nothing is appended behind the check
	if err != nil {
		return nil, err
	}
	h, fault, err := l.resume(ctx, current)
	if err != nil {
		return nil, err
	}
	if fault == "" {
		fault = l.compare(ctx, h, current, newest, last)
	}
	if fault == "" {
		fault = l.confront(ctx, h, current)
	}
	if fault != "" {
		return l.openNew(ctx, l.unused(ctx, nextOrigin(l.base, max(last, here))), fault)
	}
	if current.evidence != "" && !current.acknowledged {
		l.state.Cut, l.state.Evidence = true, current.evidence
	}
	return nil, l.use(h, current.origin, epoch)
}

// strange refuses to take up a log that another machine writes under the name of this node: its key is not here, and it is not old.
func (l *Log) strange(ctx context.Context, r logRow) error {
	signer, err := l.signerOf(r.origin)
	if err != nil || l.o.Secret == nil || signer.Verifier().String() == r.verifier {
		return err
	}
	end, err := l.span(ctx, r.end-1, r.end, 1, false)
	if err != nil || len(end) == 0 {
		return err
	}
	if e, err := parseEntry(end[0].bytes); err == nil && l.o.Now().Sub(e.at()).Abs() < 3*idle {
		return outcome.Wrap("audit: open", outcome.Lock, "another machine writes the log of a node "+l.o.Node+": name this one otherwise with --node, or wait three minutes if that one is gone", nil)
	}
	return nil
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
	if signer.Verifier().String() != r.verifier {
		return nil, "This node has not the key of the log " + r.origin + ". Its newest head:\n" + string(note), nil
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
	if here, _ := ordinal(l.base, r.origin); last > here {
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

// stray is the number of a log that no row knows although there are entries of it; -1: none.
func (l *Log) stray(all []logRow) (int64, error) {
	used, err := lastUsed(l.d.Reader())
	if err != nil || !l.alone(all) {
		return -1, unreadable(err)
	}
	for _, r := range all {
		if r.number >= used {
			return -1, nil
		}
	}
	return used, nil
}

// alone reports that no other node has a log here, which may be opening another at this moment.
func (l *Log) alone(all []logRow) bool { return len(l.mine(all)) == len(all) }

// use makes h the log that this process writes.
func (l *Log) use(h *held, origin string, epoch int64) error {
	signer, err := l.signerOf(origin)
	if err != nil {
		return err
	}
	l.state.Origin = origin
	l.head.Store(h)
	l.lookups.cursor.Store(int64(indexOf(h.number, 0)))
	l.writer = &writer{hot: l.hot, box: l.box, origin: origin, number: h.number, epoch: epoch, signer: signer, chains: newChains(l.o.links), now: l.o.Now, follow: func() Index { return Index(l.lookups.cursor.Load()) }, held: h}
	return nil
}

// openNew prepares a log that does not exist yet; its row is written with its first entry.
func (l *Log) openNew(ctx context.Context, origin, evidence string) (*act, error) {
	l.startOver()
	number, err := l.reserve(ctx)
	if err != nil {
		return nil, err
	}
	if err := l.use(&held{tree: &tlog.Tree{}, number: number, kept: indexOf(number, 0)}, origin, 1); err != nil {
		return nil, err
	}
	text := "log format 1"
	if l.o.Sandbox {
		text += ", sandbox"
	}
	if l.o.Node != MainNode {
		text += ", node " + l.o.Node
	}
	events := []Event{l.own(Event{Kind: Opened, Interaction: "opened", Text: text})}
	if evidence != "" {
		l.state.Cut, l.state.Evidence = true, evidence
		l.o.Logger.Error("the audit log was cut: outside evidence contradicts it, a new log is opened", "origin", origin)
		events = append(events, l.own(Event{Kind: Cut, Interaction: "cut", Outcome: 12, Text: evidence}))
	}
	row := logRow{number: number, origin: origin, node: l.o.Node, verifier: l.writer.signer.Verifier().String()}
	if l.o.Secret != nil {
		row.bound = l.bind(row)
	}
	a := &act{also: func(tx *sql.Tx, _ Index) error {
		_, err := tx.Exec(`insert into log(number, origin, verifier, opened, evidence, node, bound) values(?, ?, ?, ?, ?, ?, ?)`,
			row.number, row.origin, row.verifier, l.o.Now().UnixMicro(), evidence, row.node, row.bound)
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
