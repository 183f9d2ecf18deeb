package audit

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"chartwarden/internal/outcome"
	"chartwarden/internal/tlog"
)

// journalReads are the interactions that open charts through the journal; no export, no print, no bulk.
var journalReads = []string{"read", "vread", "chart", "search", "search-type", "history-instance"}

// journalable says why an event may not go through the journal; empty when it may.
func journalable(e *Event) string {
	switch e.Kind {
	case Search, Session, Glass:
		return ""
	case Disclosure:
	default:
		return "only explained and emergency reads of charts go on"
	}
	if !slices.Contains(journalReads, e.Interaction) || len(e.Patients) > chartsPerHour {
		return "nothing is exported, printed or read in bulk"
	}
	for i := range e.Patients {
		if e.Patients[i].Unexplained && !e.Patients[i].Glass {
			return "only explained and emergency reads of charts go on"
		}
	}
	return ""
}

// journalize takes an event that the log did not take, when it may. cause is why the log did not.
func (l *Log) journalize(ctx context.Context, e Event, cause error) (Logged, error) {
	if l.boot.ended.Load() || ctx.Err() != nil || outcome.Is(cause, outcome.Invalid) || outcome.Is(cause, outcome.Deleted) || outcome.Is(cause, outcome.Lock) {
		return Logged{}, cause // the log is not what failed
	}
	l.distress(cause)
	l.merging.RLock()
	defer l.merging.RUnlock()
	if l.journal == nil {
		return Logged{}, cause
	}
	if why := journalable(&e); why != "" {
		return Logged{}, outcome.New(outcome.NoStore, "the audit log is out of order: "+why)
	}
	e.Time = l.o.Now().UTC()
	n, err := l.journal.append(e.Kind, &e)
	if err != nil {
		return Logged{}, err
	}
	return Logged{name: fmt.Sprintf("%s-%d", l.journal.origin, n)}, nil
}

// openJournalOnly serves without a database.
func (l *Log) openJournalOnly() error {
	if l.o.JournalFile == "" {
		return outcome.Wrap("audit: open", outcome.NoStore, "the audit log cannot be opened and there is no emergency journal", nil)
	}
	j, err := openJournalFile(l.box, l.o.JournalFile, l.base, nil)
	if err != nil {
		return outcome.Wrap("audit: open", outcome.NoStore, "neither the audit log nor the emergency journal can be opened", err)
	}
	l.journal = j
	l.distress(errNoLog)
	return nil
}

// openJournal brings in what an earlier process left in the emergency journal and makes sure that a fresh one stands ready. An error
// that is the journal's own leaves the log without one; the keeper tries again.
func (l *Log) openJournal(ctx context.Context) (err error) {
	if l.o.JournalFile == "" {
		return nil
	}
	l.merging.Lock()
	defer l.merging.Unlock()
	defer func() {
		if err != nil && l.journal != nil {
			_ = l.journal.close()
			l.journal = nil
		}
	}()
	open, err := l.openJournals(ctx)
	if err != nil {
		return err
	}
	var records []journaled
	j, err := openJournalFile(l.box, l.o.JournalFile, l.base, func(r journaled) { records = append(records, r) })
	if err == nil {
		signer, known := l.signerOf(j.origin)
		if notes, _ := readHeads(l.o.HeadFile); known == nil && behind(signer, j, notes) {
			_ = j.close()
			err = errJournalAltered
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case outcome.Is(err, outcome.Invariant): // keep it for whoever investigates and say so for ever
		if err := os.Rename(l.o.JournalFile, l.o.JournalFile+".altered-"+l.o.Now().UTC().Format("20060102T150405")); err != nil {
			return noJournal("was altered and cannot be put aside", err)
		}
		j = nil
	case err != nil:
		return noJournal("cannot be read", err)
	}
	for _, id := range open {
		if j != nil && id == j.id {
			continue
		}
		l.o.Logger.Error("an emergency journal that was prepared is missing or was altered", "journal", id)
		e := l.own(Event{Kind: Journal, Interaction: "journal-lost", Outcome: 12, Text: "emergency journal " + id + " is missing or was altered", Imported: Imported{Journal: id}})
		if _, err := l.append(ctx, Journal, e, markJournal(id, -1)); err != nil {
			return err
		}
	}
	if j != nil {
		l.journal = j
		if len(records) > 0 || !slices.Contains(open, j.id) {
			return l.mergeRecords(ctx, records)
		}
		return nil
	}
	return l.prepareJournal(ctx)
}

// behind reports that a signed state of the journal, kept elsewhere, knows more of it than the file holds.
func behind(signer tlog.Signer, j *journal, notes [][]byte) bool {
	for _, note := range notes {
		if c, _, err := tlog.OpenCheckpoint(note, signer.Verifier()); err == nil && (c.Size > j.n || c.Size == j.n && c.Root != tlog.Hash(j.chain)) {
			return true
		}
	}
	return false
}

// openJournals lists the journals of this node that were prepared and not merged.
func (l *Log) openJournals(ctx context.Context) (ids []string, err error) {
	rows, err := l.d.Reader().QueryContext(ctx, `select id, prepared from journal where merged is null order by prepared`)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	var at []Index
	for rows.Next() {
		var id string
		var prepared Index
		if err := rows.Scan(&id, &prepared); err != nil {
			return nil, unreadable(err)
		}
		ids, at = append(ids, id), append(at, prepared)
	}
	if err := rows.Err(); err != nil {
		return nil, unreadable(err)
	}
	own := ids[:0]
	for i, id := range ids {
		if r, ok := l.rowOf(at[i].log()); !ok || r.node == l.o.Node {
			own = append(own, id)
		}
	}
	return own, nil
}

func markJournal(id string, merged int64) func(*sql.Tx, Index) error {
	return func(tx *sql.Tx, first Index) error {
		_, err := tx.Exec(`insert into journal(id, prepared, merged) values(?, ?, ?) on conflict(id) do update set merged = excluded.merged`, id, first, merged)
		return err
	}
}

// prepareJournal sets a fresh journal aside and states so in the log, with the hash of its beginning.
func (l *Log) prepareJournal(ctx context.Context) error {
	if err := createJournal(ctx, l.box, l.o.JournalFile, l.o.JournalSize); err != nil {
		return err
	}
	j, err := openJournalFile(l.box, l.o.JournalFile, l.base, nil)
	if err != nil {
		return noJournal("cannot be read", err)
	}
	e := l.own(Event{Kind: Journal, Interaction: "journal-prepared", Text: "emergency journal " + j.id + " begins with " + hex.EncodeToString(j.chain[:]), Imported: Imported{Journal: j.id, Chain: j.chain}})
	if _, err := l.append(ctx, Journal, e, func(tx *sql.Tx, first Index) error {
		_, err := tx.Exec(`insert into journal(id, prepared) values(?, ?)`, j.id, first)
		return err
	}); err != nil {
		return errors.Join(err, j.close())
	}
	l.journal = j
	return nil
}

// tend merges the journal when it holds something, and sets one aside when there is none.
func (l *Log) tend(ctx context.Context) error {
	l.merging.RLock()
	there := l.journal != nil
	l.merging.RUnlock()
	if there {
		return l.merge(ctx)
	}
	return l.openJournal(ctx)
}

// merge brings the running journal into the log, once the log can be written again.
func (l *Log) merge(ctx context.Context) error {
	l.merging.Lock()
	defer l.merging.Unlock()
	if l.journal == nil {
		return nil
	}
	n, chain := l.journal.length()
	if n == 0 {
		return nil
	}
	var records []journaled
	again, err := openJournalFile(l.box, l.o.JournalFile, l.base, func(r journaled) { records = append(records, r) })
	if err != nil {
		return err
	}
	if err := again.close(); err != nil {
		return noJournal("cannot be read", err)
	}
	if again.n != n || again.chain != chain {
		return errJournalAltered
	}
	return l.mergeRecords(ctx, records)
}

// mergeRecords appends the journal's records as imported entries in one commit, keeps the file, and prepares the next one. A crash
// between leaves a journal that is marked as merged, or one that is not: never one that is half merged. A merge that seemed to fail may
// have happened (a commit whose sync failed) and the journal have gone on: then what came after it is merged now.
func (l *Log) mergeRecords(ctx context.Context, records []journaled) error {
	j := l.journal
	var merged sql.NullInt64
	err := l.d.Reader().QueryRowContext(ctx, `select merged from journal where id = ?`, j.id).Scan(&merged)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return unreadable(err)
	}
	if done := max(0, merged.Int64); !merged.Valid || done < int64(len(records)) {
		a := &act{also: markJournal(j.id, int64(len(records)))}
		add := func(kind Kind, e Event) error {
			drafts, err := l.draft(ctx, kind, &e)
			a.drafts = append(a.drafts, drafts...)
			return err
		}
		last := Imported{Journal: j.id, Chain: j.chain}
		for _, r := range records[done:] {
			r.event.Kind = Emergency
			r.event.Imported = Imported{Journal: j.id, Number: r.number, Chain: r.chain}
			if err := add(Emergency, r.event); err != nil {
				return err
			}
			last = r.event.Imported
		}
		if err := add(Journal, l.own(Event{Kind: Journal, Interaction: "journal-merged", Text: fmt.Sprintf("emergency journal %s: %d entries", j.id, len(records)), Imported: last})); err != nil {
			return err
		}
		if err := l.commit(ctx, a); err != nil {
			return err
		}
	}
	_ = j.close()
	if err := errors.Join(os.Rename(j.path, j.path+"."+j.id+".merged"), syncDir(filepath.Dir(j.path))); err != nil {
		return noJournal("was merged but cannot be put aside", err)
	}
	l.journal = nil
	return l.prepareJournal(ctx)
}

// journalHead is the signed state of the journal, which goes where the heads go: a journal cut shorter than it is found out. It is nil
// while nothing stands in the journal that the head file does not hold.
func (l *Log) journalHead() (note []byte, n int64) {
	l.merging.RLock()
	defer l.merging.RUnlock()
	if l.journal == nil {
		return nil, 0
	}
	n, chain := l.journal.length()
	signer, err := l.signerOf(l.journal.origin)
	if n == 0 || err != nil {
		return nil, n
	}
	return signer.Sign(tlog.Checkpoint{Origin: l.journal.origin, Size: n, Root: tlog.Hash(chain)}.Text()), n
}
