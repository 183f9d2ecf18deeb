// Package training keeps what people who work here have to know and to sign: short modules with questions, attestations, and what each person
// completed when. Whoever is overdue opens no charts beyond her own work and exports nothing; care never waits for it (policies/denials.cedar).
//
//	school, err := training.Open(ctx, training.Options{DB: records, Tags: tags, Persons: people, Log: log})
//	done, wrong, err := school.Complete(ctx, session, "patient-data", answers)
//	go school.Run(ctx)   // keeps each person's due day
//
// A completion is an entry of the log and a tagged row, and counts for a year while the text stays as it was signed. The due day of a
// person, which policy asks about, is a year after the oldest of what counts; whoever lacks something has 30 days from when that is
// noticed: after the first sign-in, a new role, or a changed text. So nobody who is new is shut out, and nobody is by a change of role.
package training

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/db"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
)

//go:embed migrations
var migrations embed.FS

const (
	counts = 1   // years for which a completion counts
	grace  = 30  // days that somebody has who lacks something
	round  = 200 // people whose due day is set in one go
	table  = "training_done"
	settle = time.Hour // between two looks at who lacks what
)

// Warning is how long before the due day a person is told on My day.
const Warning = 14 * 24 * time.Hour

// Tags authenticate the rows of completions; a *seal.Rows does.
type Tags interface {
	Tag(columns ...any) []byte
	Holds(tag []byte, columns ...any) bool
}

// Options are the parts a School stands on.
type Options struct {
	DB      *db.DB // records.db
	Tags    Tags   // of training_done
	Persons *identity.Store
	Log     *audit.Log
	Folder  string // of files that replace the modules of the program, or add to them; empty: none
	Now     func() time.Time
	Logger  *slog.Logger
	Altered func(table string, row int64) // told of a row that this server did not write; may be nil
}

// School knows the modules and who completed them. Safe for concurrent use.
type School struct {
	o       Options
	modules []Module
	lessons []Module
}

// Open brings the tables up to date and reads the modules. Errors: as [db.Migrate]; outcome.Value for a file that does not parse.
func Open(ctx context.Context, o Options) (*School, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Altered == nil {
		o.Altered = func(string, int64) {}
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, outcome.Wrap("training: open", outcome.Exception, "the migrations are missing", err)
	}
	if err := db.Migrate(ctx, o.DB, "training", files); err != nil {
		return nil, err
	}
	s := &School{o: o}
	var own fs.FS
	if o.Folder != "" {
		own = os.DirFS(o.Folder)
	}
	s.modules, s.lessons, err = load(own, ".")
	return s, err
}

// Done is a module that a person completed.
type Done struct {
	Module  string
	Version string
	At      time.Time
	Entry   string // origin/index in the log
}

// Task is one module as it stands for a person.
type Task struct {
	Module
	Done  Done // the newest; zero: never
	Until time.Time
	Due   bool // it is not done, was done more than a year ago, or was changed since
}

// Tasks are the modules that concern a person, those to do first. Errors: outcome.Transient.
func (s *School) Tasks(ctx context.Context, p identity.Person) ([]Task, error) {
	done, err := s.Record(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	return s.tasks(p, done), nil
}

func (s *School) tasks(p identity.Person, done []Done) (out []Task) {
	for _, m := range s.modules {
		if !m.Concerns(p.RolesIn(identity.StaffCapacity)) {
			continue
		}
		t := Task{Module: m, Due: true}
		for _, d := range done {
			if d.Module == m.ID && d.At.After(t.Done.At) {
				t.Done = d
			}
		}
		if !t.Done.At.IsZero() {
			t.Until = t.Done.At.AddDate(counts, 0, 0)
			t.Due = t.Done.Version != m.Version || !t.Until.After(s.o.Now())
		}
		out = append(out, t)
	}
	slices.SortStableFunc(out, func(a, b Task) int {
		if a.Due != b.Due {
			if a.Due {
				return -1
			}
			return 1
		}
		return 0
	})
	return out
}

// Module gives one that concerns a person, by its id. Errors: outcome.NotFound.
func (s *School) Module(p identity.Person, id string) (Module, error) {
	at := slices.IndexFunc(s.modules, func(m Module) bool { return m.ID == id && m.Concerns(p.RolesIn(identity.StaffCapacity)) })
	if at < 0 {
		return Module{}, outcome.New(outcome.NotFound, "there is no such training for you")
	}
	return s.modules[at], nil
}

// Record is everything that a person ever completed, the newest first. A row that this server did not write is none. Errors: outcome.Transient.
func (s *School) Record(ctx context.Context, person string) (out []Done, err error) {
	rows, err := s.o.DB.Reader().QueryContext(ctx, `SELECT module, version, at, entry, mac FROM training_done WHERE person = ? ORDER BY at DESC`, person)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	var altered []Done
	for rows.Next() {
		var d Done
		var at int64
		var mac []byte
		if err := rows.Scan(&d.Module, &d.Version, &at, &d.Entry, &mac); err != nil {
			return nil, unreadable(err)
		}
		if !s.o.Tags.Holds(mac, person, d.Module, d.Version, at, d.Entry) {
			d.At = time.UnixMicro(at)
			altered = append(altered, d)
			continue
		}
		d.At = time.UnixMicro(at)
		out = append(out, d)
	}
	if err := rows.Err(); err != nil {
		return nil, unreadable(err)
	}
	for _, d := range altered { // a verification numbers them likewise
		var n int64
		if err := s.o.DB.Reader().QueryRowContext(ctx, `SELECT count(*) FROM training_done WHERE at < ?1 OR at = ?1 AND (person < ?2 OR person = ?2 AND module <= ?3)`,
			d.At.UnixMicro(), person, d.Module).Scan(&n); err != nil {
			return nil, unreadable(err)
		}
		s.o.Altered(table, n)
	}
	return out, nil
}

// Complete takes a person's answers to a module, by the index of each, and her word that she read it. All must be right: wrong gives the
// questions that are not, in order, and nothing is kept. An attestation has no questions. The entry comes first.
// Errors: outcome.NotFound; outcome.Value for answers that do not fit the questions; outcome.NoStore.
func (s *School) Complete(ctx context.Context, p *identity.Session, id string, answers []int) (done Done, wrong []int, err error) {
	m, err := s.Module(p.Person, id)
	if err != nil {
		return done, nil, err
	}
	if len(answers) != len(m.Quiz) {
		return done, nil, outcome.New(outcome.Value, "answer every question").At("answers")
	}
	for i, q := range m.Quiz {
		if answers[i] != q.Right {
			wrong = append(wrong, i)
		}
	}
	if len(wrong) > 0 {
		return done, wrong, nil
	}
	if done, err = s.keep(ctx, p, m); err != nil {
		return done, nil, err
	}
	if err := s.settlePerson(ctx, p.Person); err != nil { // it is signed: the next round gives the day
		s.o.Logger.Warn("a due day of training could not be set", "error", err)
	}
	return done, nil, nil
}

// keep writes a completion: the entry, then the row.
func (s *School) keep(ctx context.Context, p *identity.Session, m Module) (done Done, err error) {
	at := s.o.Now().UTC()
	logged, err := s.o.Log.Note(ctx, audit.Event{Time: at, Kind: audit.People, Agent: p.Agent(), Action: "E", Interaction: completes, Class: audit.Deliberate, Purpose: "HOPERAT",
		Text: says(m.ID, m.Version)})
	if err != nil {
		return done, err
	}
	done = Done{Module: m.ID, Version: m.Version, At: at.Truncate(time.Microsecond), Entry: logged.Entry()}
	err = s.o.DB.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO training_done (person, module, version, at, entry, mac) VALUES (?,?,?,?,?,?)`, p.Person.ID, m.ID, m.Version, at.UnixMicro(), done.Entry,
			s.o.Tags.Tag(p.Person.ID, m.ID, m.Version, at.UnixMicro(), done.Entry))
		return err
	})
	return done, err
}

// Due is the day that a person's training lasts to, by what she completed; lacks reports that something is missing, and then it is zero.
func (s *School) due(p identity.Person, done []Done) (day time.Time, lacks bool) {
	for _, t := range s.tasks(p, done) {
		if t.Due {
			return time.Time{}, true
		}
		if day.IsZero() || t.Until.Before(day) {
			day = t.Until
		}
	}
	return day, false
}

// settlePerson sets a person's due day, where it is another.
func (s *School) settlePerson(ctx context.Context, p identity.Person) error {
	p, err := s.o.Persons.Person(ctx, p.ID)
	if err != nil || !p.Active {
		return err
	}
	done, err := s.Record(ctx, p.ID)
	if err != nil {
		return err
	}
	day, lacks := s.due(p, done)
	if latest := s.o.Now().AddDate(0, 0, grace); lacks {
		if !p.TrainingDue.IsZero() && !p.TrainingDue.After(latest) {
			return nil // already asked
		}
		day = latest
	}
	if day.IsZero() || day.UTC().Format(time.DateOnly) == p.TrainingDue.UTC().Format(time.DateOnly) {
		return nil
	}
	_, _, err = s.o.Persons.Change(ctx, audit.Agent{Job: "training"}, p.ID, identity.Change{TrainingDue: &day})
	return err
}

// Settle gives everybody who works here and has come to sign in the due day that follows from what she completed. Errors: outcome.Transient.
func (s *School) Settle(ctx context.Context) error {
	people, err := s.o.Persons.People(ctx)
	if err != nil {
		return err
	}
	n, failed := 0, error(nil)
	for _, p := range people {
		if !p.Active || p.PortalOnly() || n >= round {
			continue
		}
		if !p.Enrolled { // who comes by the hospital's provider has no factor here
			if link, err := s.o.Persons.LinkOf(ctx, p.ID); err != nil || link.Used.IsZero() {
				failed = errors.Join(failed, err)
				continue
			}
		}
		before := p.TrainingDue
		if err := s.settlePerson(ctx, p); err != nil {
			failed = errors.Join(failed, err) // one person keeps nobody else waiting
			continue
		}
		if now, err := s.o.Persons.Person(ctx, p.ID); err == nil && !now.TrainingDue.Equal(before) {
			n++
		}
	}
	return failed
}

// Run settles each hour until ctx ends.
func (s *School) Run(ctx context.Context) {
	for {
		if err := s.Settle(ctx); err != nil && ctx.Err() == nil {
			s.o.Logger.Warn("the due days of training could not be looked at", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(settle):
		}
	}
}

// Standing is how one person stands, for those who answer for it.
type Standing struct {
	Person  identity.Person
	Done    int
	Of      int
	Overdue bool
	Soon    bool // due within [Warning]
}

// Everybody tells how each person who works here stands, the most urgent first. Errors: outcome.Transient.
func (s *School) Everybody(ctx context.Context) (out []Standing, err error) {
	people, err := s.o.Persons.People(ctx)
	if err != nil {
		return nil, err
	}
	now := s.o.Now()
	for _, p := range people {
		if !p.Active || p.PortalOnly() {
			continue
		}
		tasks, err := s.Tasks(ctx, p)
		if err != nil {
			return nil, err
		}
		one := Standing{Person: p, Of: len(tasks), Overdue: !p.TrainingLasts(now), Soon: p.TrainingDue.After(now) && p.TrainingDue.Sub(now) <= Warning}
		for _, t := range tasks {
			if !t.Due {
				one.Done++
			}
		}
		out = append(out, one)
	}
	slices.SortStableFunc(out, func(a, b Standing) int { return a.Person.TrainingDue.Compare(b.Person.TrainingDue) })
	return out, nil
}

// Lesson gives a lesson of a minute, by the moment that it is for, when the person has not been shown it, and notes that she is now: it is shown
// once. False for none. Errors: outcome.Transient; it never stands in the way of anything.
func (s *School) Lesson(ctx context.Context, person, moment string) (Module, bool, error) {
	at := slices.IndexFunc(s.lessons, func(m Module) bool { return m.ID == "lesson-"+moment })
	if at < 0 {
		return Module{}, false, nil
	}
	first := false
	err := s.o.DB.Write(ctx, func(tx *sql.Tx) error {
		done, err := tx.Exec(`INSERT INTO training_lesson (person, lesson, at) VALUES (?,?,?) ON CONFLICT (person, lesson) DO NOTHING`, person, moment, s.o.Now().UnixMicro())
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		first = n == 1
		return err
	})
	return s.lessons[at], first && err == nil, err
}

// Read reports whether a person said that she read a lesson, whatever its version: it is asked for once. A lesson that is not there
// counts as read. Errors: outcome.Transient, and then it stands in the way of nothing.
func (s *School) Read(ctx context.Context, person, moment string) (bool, error) {
	if _, ok := s.Lessons(moment); !ok {
		return true, nil
	}
	done, err := s.Record(ctx, person)
	return slices.ContainsFunc(done, func(d Done) bool { return d.Module == "lesson-"+moment }), err
}

// Acknowledge keeps a person's word that she read a lesson, as a completion. Errors: outcome.NotFound for a lesson that is not there;
// outcome.NoStore.
func (s *School) Acknowledge(ctx context.Context, p *identity.Session, moment string) (Done, error) {
	m, ok := s.Lessons(moment)
	if !ok {
		return Done{}, outcome.New(outcome.NotFound, "there is no such lesson")
	}
	return s.keep(ctx, p, m)
}

// Lessons gives a lesson to read again. False for none.
func (s *School) Lessons(moment string) (Module, bool) {
	at := slices.IndexFunc(s.lessons, func(m Module) bool { return m.ID == "lesson-"+moment })
	if at < 0 {
		return Module{}, false
	}
	return s.lessons[at], true
}

func unreadable(err error) error {
	if err == nil {
		return nil
	}
	return outcome.Wrap("training: read", outcome.Transient, "the training record could not be read, please try again", err)
}
