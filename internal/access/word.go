package access

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/care"
	"chartwarden/internal/fhir"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
)

// Word is what one person gives another by saying so: a colleague asked in, a cover, an order that was taken, a request that was approved.
// It is an entry and a row; care takes it in beside what records tell, and it ends by the clock, by a person, or with somebody's access.
type Word struct {
	ID          int64
	Kind        care.WordKind // or Approved
	Person      string        // id of who may more by it
	Patient     fhir.PatientID
	Whom        string   // of a cover: id of who is covered
	By          string   // id of who said so
	Groups      []string // of what was approved: field groups
	From, Until time.Time
	Known       time.Time
	Entry       string
	EndedBy     string
	Item        string // of what was approved: id of the request

	ended sql.NullInt64
}

// Approved is the kind of a word that gives field groups of one chart for a while.
const Approved care.WordKind = "grant"

const wordTable = "access_word"

func (w *Word) columns() []any {
	return []any{string(w.Kind), w.Person, int64(w.Patient), w.Whom, w.By, strings.Join(w.Groups, " "), w.From.UnixMicro(), w.Until.UnixMicro(), w.Known.UnixMicro(),
		w.Entry, w.ended, w.EndedBy}
}

// tagged leaves the item out of a word that has none: such rows of a version before keep their tags.
func (w *Word) tagged() []any {
	if w.Item == "" {
		return w.columns()
	}
	return append(w.columns(), w.Item)
}

const wordColumns = `id, kind, person, patient, whom, said_by, parts, since, until, known, entry, ended, ended_by, item, mac`

func scanWord(rows *sql.Rows) (w Word, mac []byte, err error) {
	var since, until, known int64
	var parts, kind string
	err = rows.Scan(&w.ID, &kind, &w.Person, &w.Patient, &w.Whom, &w.By, &parts, &since, &until, &known, &w.Entry, &w.ended, &w.EndedBy, &w.Item, &mac)
	w.Kind, w.From, w.Until, w.Known = care.WordKind(kind), time.UnixMicro(since), time.UnixMicro(until), time.UnixMicro(known)
	w.Groups = strings.Fields(parts)
	return w, mac, err
}

// Over reports whether the word gives nothing any more at that time.
func (w *Word) Over(at time.Time) bool { return w.ended.Valid || !w.Until.After(at) }

// line is what the entry of a word says of it: enough to find out whether a row is what was said.
func (w *Word) line() string {
	out := []string{string(w.Kind), w.Person}
	item := ""
	if w.Item != "" {
		item = "item " + w.Item + " agreed by " + w.By // the entry is of a job
	}
	for _, s := range []string{w.Whom, strings.Join(w.Groups, " "), item} {
		if s != "" {
			out = append(out, s)
		}
	}
	return strings.Join(append(out, w.From.UTC().Format(time.RFC3339), w.Until.UTC().Format(time.RFC3339)), " ")
}

// The interactions of words in entries.
const (
	wordGiven = "word-give"
	wordEnded = "word-end"
)

// say keeps a word: the entry first. e is begun by who says it; sentence is what the patient reads after that person's name, where the
// word is about one.
func (g *Gate) say(ctx context.Context, e audit.Event, w *Word, c chart, sentence string) error {
	if w.Known.IsZero() {
		w.Known = g.now()
	}
	e.Kind, e.Text = audit.People, w.line()
	if w.Patient != 0 {
		e.Patients = []audit.PatientPart{{Patient: c.number, Ref: "Patient/" + c.id, Template: "word." + string(w.Kind), Sentence: sentence}}
	}
	logged, err := g.log.Note(ctx, e)
	if err != nil {
		return err
	}
	w.Entry = logged.Entry()
	defer g.words.change()()
	return g.db.Write(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRow(`INSERT INTO access_word (kind, person, patient, whom, said_by, parts, since, until, known, entry, ended, ended_by, item, mac)
			VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?) RETURNING id`, append(w.columns(), w.Item, g.wordTags.Tag(w.tagged()...))...).Scan(&w.ID)
		return unreadableWords(err)
	})
}

// end notes that words ended, each that this server wrote and that was not over; by is the person who ended them or "".
func (g *Gate) end(ctx context.Context, by string, where string, args ...any) (n int, err error) {
	defer g.words.change()()
	err = g.db.Write(ctx, func(tx *sql.Tx) error {
		n = 0
		found, err := g.readWords(context.WithoutCancel(ctx), tx, `WHERE ended IS NULL AND until > ? AND (`+where+`)`, append([]any{g.now().UnixMicro()}, args...)...)
		if err != nil {
			return err
		}
		for i := range found {
			w := &found[i]
			w.ended, w.EndedBy = sql.NullInt64{Int64: g.now().UnixMicro(), Valid: true}, by
			if _, err := tx.Exec(`UPDATE access_word SET ended = ?, ended_by = ?, mac = ? WHERE id = ?`, w.ended, by, g.wordTags.Tag(w.tagged()...), w.ID); err != nil {
				return unreadableWords(err)
			}
			n++
		}
		return nil
	})
	return n, err
}

// EndWords ends what a person has by words and what others have by hers, with her access. Errors: outcome.Transient.
func (g *Gate) EndWords(ctx context.Context, person string) (int, error) {
	return g.end(ctx, "", `person = ? OR whom = ? OR said_by = ?`, person, person, person)
}

// readWords gives the words that hold of those that a condition finds, oldest first; the others raise the alarm.
func (g *Gate) readWords(ctx context.Context, q querier, where string, args ...any) (out []Word, err error) {
	rows, err := q.QueryContext(ctx, `SELECT `+wordColumns+` FROM access_word `+where+` ORDER BY id`, args...)
	if err != nil {
		return nil, unreadableWords(err)
	}
	defer rows.Close()
	for rows.Next() {
		w, mac, err := scanWord(rows)
		if err != nil {
			return nil, unreadableWords(err)
		}
		if g.wordTags.Holds(mac, w.tagged()...) {
			out = append(out, w)
		} else {
			g.altered(wordTable, w.ID)
		}
	}
	return out, unreadableWords(rows.Err())
}

// heldWord is a word with what it needs of other people.
type heldWord struct {
	Word
	by      string // name of who said so; of a cover, of who is covered
	covered string // Practitioner
}

// heldWords gives the words by which a person may more at that time: none of anybody who may not work here any more, or who was shut out since it was said, back though she be.
func (g *Gate) heldWords(ctx context.Context, person string, at time.Time) ([]heldWord, error) {
	return g.words.held(person, at, func(from int64) ([]heldWord, error) {
		found, err := g.readWords(ctx, g.db.Reader(), `WHERE person = ? AND until > ? AND ended IS NULL`, person, from)
		if err != nil {
			return nil, err
		}
		var out []heldWord
		for _, w := range found {
			one, err := g.withNames(ctx, w)
			if err != nil {
				return nil, err
			}
			if one != nil {
				out = append(out, *one)
			}
		}
		return out, nil
	})
}

func (g *Gate) withNames(ctx context.Context, w Word) (*heldWord, error) {
	one := &heldWord{Word: w}
	for _, id := range []string{w.Person, w.By, w.Whom} {
		if id == "" {
			continue
		}
		p, err := g.persons.Person(ctx, id)
		if outcome.Is(err, outcome.NotFound) || err == nil && (!p.Active || !w.Known.After(p.Out)) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if id == w.Person {
			continue
		}
		one.by = p.Name
		if id == w.Whom {
			one.covered = p.Practitioner
		}
	}
	return one, nil
}

// wordsOf are a person's words as care takes them in, and the field groups that were approved, by patient.
func (g *Gate) wordsOf(ctx context.Context, person identity.Person) (words []care.Word, err error) {
	held, err := g.heldWords(ctx, person.ID, g.now())
	for _, w := range held {
		if w.Kind != Approved {
			words = append(words, care.Word{Kind: w.Kind, Patient: w.Patient, By: w.by, Covered: w.covered, From: w.From, To: w.Until, Known: w.Known})
		}
	}
	return words, err
}

// approved are the field groups of a chart that were approved for a person and have not lapsed.
func (g *Gate) approved(ctx context.Context, person string, patient fhir.PatientID, at time.Time) (groups []string, err error) {
	held, err := g.heldWords(ctx, person, at)
	for _, w := range held {
		if w.Kind == Approved && w.Patient == patient && !w.From.After(at) && w.Until.After(at) {
			groups = append(groups, w.Groups...)
		}
	}
	slices.Sort(groups)
	return slices.Compact(groups), err
}

// approvedFor are the patients of whom anything may be approved for a person.
func (g *Gate) approvedFor(ctx context.Context, person string, at time.Time) (out []fhir.PatientID, err error) {
	held, err := g.heldWords(ctx, person, at)
	for _, w := range held {
		if w.Kind == Approved && w.Until.After(at) {
			out = append(out, w.Patient)
		}
	}
	return out, err
}

func unreadableWords(err error) error {
	if err == nil {
		return nil
	}
	return outcome.Wrap("access: word", outcome.Transient, "what colleagues said could not be read, please try again", err)
}
