package casework

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// Question is what the office asks somebody about accesses: the person herself, or her manager. It says nothing of a suspicion, and an
// answer is a claim to check against facts: it never closes anything.
type Question struct {
	ID       string `json:"-"`
	Case     string // empty: a message of the night
	Of       string // id of who is asked
	About    string // id of whose accesses it is about; the same as Of when she is asked herself
	By       string // id of the officer
	Text     string
	Asked    time.Time
	Accesses []Access // newest first, a few; for a manager without the patients
	Answer   string   // one of Answers or ManagerAnswers; empty: not answered
	Said     string   // with it, in own words
	Answered time.Time
	Night    time.Time // of a message of the night: until when it asks
	Cleared  time.Time // when the last of a message's accesses was explained; zero: not
	open     bool
}

// Access is one of the own accesses that somebody is asked about.
type Access struct {
	At      time.Time
	Patient string // Patient/9; empty for a manager, and where there is none
	Kind    string // as [Event.Kind]
	// Of a message of the night: the event, its place in the log, and why it is explained by now; empty: it is not.
	Event     string `json:",omitempty"`
	Entry     int64  `json:",omitempty"`
	Explained string `json:",omitempty"`
}

// Own reports whether somebody is asked about the own accesses.
func (q *Question) Own() bool { return q.Of == q.About }

// The answers that a person can choose from.
const (
	Working      = "working"       // "I was working"
	WrongPatient = "wrong-patient" // "wrong patient"
	ShouldNot    = "should-not"    // "I should not have"
	NotMe        = "not-me"        // "I do not know this access": somebody else may have used the account
)

// The answers of a manager.
const (
	InTheWork = "in-the-work" // "there was a reason in the work"
	NoReason  = "no-reason"   // "I know of none"
)

var (
	// Answers are those of the person herself.
	Answers = []string{Working, WrongPatient, ShouldNot, NotMe}
	// ManagerAnswers are those of somebody who is asked about another.
	ManagerAnswers = []string{InTheWork, NoReason}
)

// askedAbout is how many accesses a question names.
const askedAbout = 12

// AskPerson asks the person of a case about her accesses; the question stands in her My activity. Errors besides those of
// [Office.Take]: outcome.NotSupported for somebody without an account here; outcome.Conflict while a question waits.
func (f *Office) AskPerson(ctx context.Context, p access.Principal, id, text string) (Case, error) {
	return f.ask(ctx, p, id, "", text)
}

// AskManager asks somebody who answers for the person's work, whether there was a reason in it; without one, the manager whom the
// directory knows. The name of the person is told and no
// patient. Errors: as [Office.AskPerson]; outcome.Value for somebody who cannot be asked.
func (f *Office) AskManager(ctx context.Context, p access.Principal, id, manager, text string) (Case, error) {
	if manager == "" { // the one whom the directory knows
		if err := f.Permit(ctx, p); err != nil {
			return Case{}, err
		}
		c, err := f.reach(ctx, p, id)
		if err != nil {
			return Case{}, err
		}
		if manager = f.person(ctx, &c).Manager; manager == "" {
			return Case{}, outcome.New(outcome.Value, "no manager of this person is known here: choose whom you ask").At("manager")
		}
	}
	who, err := f.o.Persons.Person(ctx, manager)
	if manager == "" || err != nil || !who.Active || !slices.Contains(who.Capacities(), identity.StaffCapacity) || manager == staff(p).ID {
		return Case{}, outcome.New(outcome.Value, "choose somebody who works here, and not yourself").At("manager")
	}
	return f.ask(ctx, p, id, manager, text)
}

func (f *Office) ask(ctx context.Context, p access.Principal, id, manager, text string) (Case, error) {
	q := Question{Case: id, By: staff(p).ID, Text: strings.TrimSpace(text), Asked: f.now(), open: true}
	t := step{name: "ask", text: text, needs: true, owner: true}
	if manager != "" {
		t.name = "ask-manager"
	}
	c, err := f.take(ctx, p, id, t, func(c *Case) error {
		if c.Person == "" {
			return outcome.New(outcome.NotSupported, "this person has no account here: ask in another way, and write a note")
		}
		if q.Of, q.About = c.Person, c.Person; manager != "" {
			if q.Of = manager; manager == c.Person {
				return outcome.New(outcome.Value, "choose somebody else than the person of the case").At("manager")
			}
		}
		waiting, err := f.questions(ctx, f.d.Reader(), `asked = ? and open = 1`, f.nameOfAsked(q.Of))
		if err != nil {
			return err
		}
		if slices.ContainsFunc(waiting, func(x Question) bool { return x.Case == id }) {
			return outcome.New(outcome.Conflict, "a question is waiting for an answer already")
		}
		q.Accesses = nil
		for _, e := range slices.Backward(c.Events) {
			if e.Explained || len(q.Accesses) == askedAbout {
				continue
			}
			one := Access{At: e.Time, Kind: e.Kind}
			if manager == "" {
				one.Patient = e.Patient
			}
			q.Accesses = append(q.Accesses, one)
		}
		return nil
	}, func(c *Case) { c.State = Asked })
	if err != nil {
		return c, err
	}
	return c, f.keepQuestion(ctx, &q)
}

func (s *Store) nameOfAsked(person string) []byte {
	sum := s.box.PRF("case asked", []byte(person))
	return sum[:]
}

func questionBound(number, open int64, asked []byte) []byte {
	b := []byte("casework question 1\x00")
	b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, uint64(number)), uint64(open))
	return append(b, asked...)
}

func (s *Store) keepQuestion(ctx context.Context, q *Question) error {
	return s.d.Write(ctx, func(tx *sql.Tx) error { return s.insertQuestion(tx, q) })
}

func (s *Store) insertQuestion(tx *sql.Tx, q *Question) error {
	var number int64
	if err := tx.QueryRow(`select coalesce(max(number), 0) + 1 from casework_question`).Scan(&number); err != nil {
		return err
	}
	asked := s.nameOfAsked(q.Of)
	sealed, err := s.sealQuestion(number, asked, q)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`insert into casework_question(number, asked, about, open, sealed) values(?,?,?,?,?)`, number, asked, caseNumber(q.Case), q.openNumber(), sealed)
	return err
}

func (q *Question) openNumber() int64 {
	if q.open {
		return 1
	}
	return 0
}

func (s *Store) sealQuestion(number int64, asked []byte, q *Question) ([]byte, error) {
	plain, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	return s.box.Seal(nil, s.key, questionBound(number, q.openNumber(), asked), plain)
}

func (s *Store) questions(ctx context.Context, q querier, where string, args ...any) (out []Question, err error) {
	rows, err := q.QueryContext(ctx, `select number, asked, open, sealed from casework_question where `+where+` order by number desc`, args...)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var number, open int64
		var asked, sealed []byte
		if err := rows.Scan(&number, &asked, &open, &sealed); err != nil {
			return nil, unreadable(err)
		}
		x := Question{ID: strconv.FormatInt(number, 10), open: open == 1}
		if err := s.openRow(questionBound(number, open, asked), sealed, &x); err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, unreadable(rows.Err())
}

// settle rewrites the questions that fn changes.
func (s *Store) settle(ctx context.Context, where string, arg any, fn func(*Question) bool) error {
	return s.d.Write(ctx, func(tx *sql.Tx) error { return s.settleIn(tx, where, arg, fn) })
}

func (s *Store) settleIn(tx *sql.Tx, where string, arg any, fn func(*Question) bool) error {
	list, err := s.questions(context.Background(), tx, where, arg)
	if err != nil {
		return err
	}
	for i := range list {
		q := &list[i]
		if !fn(q) {
			continue
		}
		number, _ := strconv.ParseInt(q.ID, 10, 64)
		sealed, err := s.sealQuestion(number, s.nameOfAsked(q.Of), q)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(`update casework_question set open=?, sealed=? where number=?`, q.openNumber(), sealed, number); err != nil {
			return err
		}
	}
	return nil
}

// dropQuestions ends what still waits for an answer when a case is closed.
func (f *Office) dropQuestions(ctx context.Context, id string) error {
	return f.settle(ctx, `open = 1 and about = ?`, caseNumber(id), func(q *Question) bool {
		q.open = false
		return true
	})
}

// Questions lists what p is asked and did not answer yet, newest first: part of the own pages, with no word of a suspicion.
// Errors: as [access.Gate.Permit].
func (f *Office) Questions(ctx context.Context, p access.Principal) ([]Question, error) {
	if p.Session == nil || p.Session.Capacity != identity.StaffCapacity {
		return nil, nil
	}
	if err := f.o.Gate.Permit(ctx, p, policy.Own); err != nil {
		return nil, err
	}
	return f.questions(ctx, f.d.Reader(), `asked = ? and open = 1`, f.nameOfAsked(p.Session.Person.ID))
}

// questionsOf lists what was asked about a case, newest first.
func (f *Office) questionsOf(ctx context.Context, id string) ([]Question, error) {
	return f.questions(ctx, f.d.Reader(), `about = ?`, caseNumber(id))
}

// caseNumber is the number of a case; 0, which no case has, for what is none.
func caseNumber(id string) int64 {
	n, _ := strconv.ParseInt(id, 10, 64)
	return n
}

// Answer takes the word of who was asked. It is written into the case and changes nothing else, but for "I do not know this access": the
// account may be in other hands, so the case moves to the most pressing queue. An answer to a message of the night also closes what of it
// is only on watch.
// Errors: outcome.NotFound for a question that is not there, not hers, or answered; outcome.Value, outcome.TooLong for the answer.
func (f *Office) Answer(ctx context.Context, p access.Principal, question, answer, text string) error {
	list, err := f.Questions(ctx, p)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(list, func(q Question) bool { return q.ID == question })
	gone := outcome.New(outcome.NotFound, "there is no such question for you, or it is answered already")
	if at < 0 {
		return gone
	}
	q := list[at]
	choices := Answers
	if !q.Own() {
		choices = ManagerAnswers
	}
	if !slices.Contains(choices, answer) {
		return outcome.New(outcome.Value, "choose one of the answers").At("answer")
	}
	if text = strings.TrimSpace(text); len([]rune(text)) > longestWords {
		return outcome.New(outcome.TooLong, "that is longer than 2,000 characters: say it shorter").At("text")
	}
	if answer == Working && text == "" {
		return outcome.New(outcome.Required, "say in a sentence what you were working on").At("text")
	}
	said := answer
	if text != "" {
		said += ": " + text
	}
	entry, err := f.o.Gate.StepCase(ctx, p, policy.Own, access.CaseStep{Step: "answer", Text: "question " + q.ID + ": " + said})
	if err != nil {
		return err
	}
	now := f.now()
	q.Answer, q.Said, q.Answered = answer, text, now
	settle := func(tx *sql.Tx) error {
		found := false
		err := f.settleIn(tx, `asked = ? and open = 1`, f.nameOfAsked(q.Of), func(x *Question) bool {
			if x.ID != q.ID {
				return false
			}
			found, x.open, x.Answer, x.Said, x.Answered = true, false, answer, text, now
			return true
		})
		if err == nil && !found { // answered in another window meanwhile
			return gone
		}
		return err
	}
	if q.Case == "" {
		return f.heard(ctx, p, &q, Note{At: now, By: q.Of, Step: "answer", Text: said, Entry: entry}, settle)
	}
	err = f.d.Write(ctx, func(tx *sql.Tx) error {
		if err := settle(tx); err != nil {
			return err
		}
		others, err := f.questions(context.Background(), tx, `about = ? and open = 1`, caseNumber(q.Case))
		if err != nil {
			return err
		}
		_, err = f.updateIn(tx, q.Case, 0, func(c *Case) error {
			c.Notes = append(c.Notes, Note{At: now, By: q.Of, Step: "answer", Text: said, Entry: entry})
			if c.State == Asked && len(others) == 0 {
				c.State = Taken
			}
			if answer == NotMe && c.Open() {
				c.Escalated = true
				if c.Queue != Automatic {
					c.Queue = Automatic
					c.Due = now.Add(within[Automatic])
				}
			}
			return nil
		})
		return err
	})
	if err == nil {
		f.tell()
	}
	return err
}
