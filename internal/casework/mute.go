package casework

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"slices"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
)

// One suspicion about one person can be left alone for a while, when two officers want it. A part stays in the queue all the same, so
// that the office learns what it misses, and what concerns the person's own chart, household or kin is never left alone.

const (
	muteLasts = 30 * 24 * time.Hour
	unmuted   = 20 // one in so many cases stays in the queue
)

// neverMuted are the relations that cannot be left alone.
var neverMuted = []string{"self", "kin.household", "kin.on-file", "kin.rare-surname"}

// muteRow is what lies sealed of one mute.
type muteRow struct {
	Agent, Hypothesis, Case, Item string
	By, AskedBy, Reason           string
	From, Until                   time.Time
}

func muteBound(number, until int64, name []byte) []byte {
	b := []byte("casework mute 1\x00")
	return append(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, uint64(number)), uint64(until)), name...)
}

// Mutable reports whether the suspicion of a case may be left alone at all. What was drawn at random may not: there is none.
func (c *Case) Mutable() bool {
	return !c.Escalated && !c.Drawn() && !slices.ContainsFunc(c.Contributions, func(x Contribution) bool { return slices.Contains(neverMuted, x.Name) })
}

// sampled reports whether a case stays in the queue though its suspicion is left alone: one in twenty, always the same ones.
func (c *Case) sampled() bool {
	sum := sha256.Sum256([]byte("unmuted\x00" + c.Agent + "\x00" + c.Hypothesis + "\x00" + c.ID))
	return binary.BigEndian.Uint64(sum[:])%unmuted == 0
}

// AskMute asks a second officer that the suspicion of a case be left alone for 30 days: it then raises no case in the queue about this
// person, one in twenty aside. Errors besides those of [Office.Take]: outcome.NotSupported for what cannot be left alone.
func (f *Office) AskMute(ctx context.Context, p access.Principal, id, text string) (item string, err error) {
	c, err := f.take(ctx, p, id, step{name: "mute", text: text, needs: true, owner: true, note: "asks a second officer to leave this suspicion alone for 30 days: " + text}, func(c *Case) error {
		if !c.Mutable() {
			return outcome.New(outcome.NotSupported, "a suspicion about the own chart, household or kin is never left alone, and what was drawn at random neither")
		}
		return nil
	}, nil)
	if err != nil {
		return "", err
	}
	asked, err := f.o.Gate.AskMute(ctx, p, c.ID, c.Person, text)
	return asked.ID, err
}

// mayMute says whether somebody may be the second person of a mute: who is close to the case may not.
func (f *Office) mayMute(ctx context.Context, by identity.Person, a access.Approval) error {
	c, err := f.Case(ctx, a.Case)
	if err != nil {
		return err
	}
	how, err := f.close(ctx, by, &c)
	if err == nil && how != "" {
		err = outcome.New(outcome.Forbidden, barred[how]).Because("friend")
	}
	return err
}

// mute carries out what two officers wanted. It counts from when it was agreed to, and once.
func (f *Office) mute(ctx context.Context, a access.Approval) error {
	c, err := f.Case(ctx, a.Case)
	if err != nil {
		return err
	}
	row := muteRow{Agent: c.Agent, Hypothesis: c.Hypothesis, Case: c.ID, Item: a.ID, By: a.DecidedBy, AskedBy: a.AskedBy, Reason: a.Reason, From: f.now()}
	row.Until = row.From.Add(muteLasts)
	name, until := f.nameOf(c.Agent, c.Hypothesis), row.Until.UnixMicro()
	fresh := false
	err = f.d.Write(ctx, func(tx *sql.Tx) error {
		known, err := f.mutes(context.Background(), tx, `name = ?`, name)
		fresh = !slices.ContainsFunc(known, func(m muteRow) bool { return m.Item == a.ID })
		if err != nil || !fresh {
			return err
		}
		var number int64
		if err := tx.QueryRow(`select coalesce(max(number), 0) + 1 from casework_mute`).Scan(&number); err != nil {
			return err
		}
		plain, err := json.Marshal(row)
		if err != nil {
			return err
		}
		sealed, err := f.box.Seal(nil, f.key, muteBound(number, until, name), plain)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`insert into casework_mute(number, name, until, sealed) values(?,?,?,?)`, number, name, until, sealed)
		return err
	})
	if err != nil || !fresh {
		return err
	}
	_, err = f.update(ctx, c.ID, 0, func(c *Case) error {
		c.Notes = append(c.Notes, Note{At: row.From, By: a.DecidedBy, Step: "muted", Text: "until " + row.Until.Format("2 Jan 2006")})
		return nil
	})
	return err
}

func (s *Store) mutes(ctx context.Context, q querier, where string, args ...any) (out []muteRow, err error) {
	rows, err := q.QueryContext(ctx, `select number, name, until, sealed from casework_mute where `+where, args...)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var number, until int64
		var name, sealed []byte
		if err := rows.Scan(&number, &name, &until, &sealed); err != nil {
			return nil, unreadable(err)
		}
		var m muteRow
		if err := s.openRow(muteBound(number, until, name), sealed, &m); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, unreadable(rows.Err())
}

// Muted picks from cases those that two officers want to be left alone now. They stay where they are and go on taking in what
// follows; queues and alerts leave them out. Errors: outcome.NoStore.
func (s *Store) Muted(ctx context.Context, cases ...Case) (map[string]bool, error) {
	live, err := s.mutes(ctx, s.d.Reader(), `until > ?`, s.o.Now().UnixMicro())
	if err != nil || len(live) == 0 {
		return nil, err
	}
	out := map[string]bool{}
	for i := range cases {
		c := &cases[i]
		held := slices.ContainsFunc(live, func(m muteRow) bool { return m.Agent == c.Agent && m.Hypothesis == c.Hypothesis })
		out[c.ID] = held && c.Mutable() && !c.sampled()
	}
	return out, nil
}
