package casework

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"chartwarden/internal/outcome"
)

var (
	errNoCase = outcome.New(outcome.NotFound, "there is no such case")
	errRaced  = outcome.New(outcome.Conflict, "the case was changed meanwhile: look at it again")
)

// row is a case as it lies: clear columns are bound to what is sealed.
type row struct {
	number, open, revision, changed int64
	person, name, sealed            []byte
}

const columns = `number, person, name, open, revision, changed, sealed`

func (r *row) into() []any {
	return []any{&r.number, &r.person, &r.name, &r.open, &r.revision, &r.changed, &r.sealed}
}

// bound is the associated data of a row.
func (r *row) bound() []byte {
	b := []byte("casework case 1\x00")
	for _, n := range []int64{r.number, r.open, r.revision, r.changed} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return append(append(b, r.person...), r.name...)
}

func (s *Store) personOf(agent string) []byte {
	sum := s.box.PRF("case person", []byte(agent))
	return sum[:]
}

func (s *Store) nameOf(agent, hypothesis string) []byte {
	sum := s.box.PRF("case", []byte(agent), []byte(hypothesis))
	return sum[:]
}

func (s *Store) unseal(r *row) (Case, error) {
	var c Case
	plain, err := s.box.Open(nil, r.bound(), r.sealed)
	if err == nil {
		err = json.Unmarshal(plain, &c)
	}
	if err != nil {
		return c, outcome.Wrap("casework: open", outcome.Exception, "a case was altered in the database: run `chartwarden audit verify`", err)
	}
	c.ID, c.Revision, c.Change = strconv.FormatInt(r.number, 10), int(r.revision), r.changed
	return c, nil
}

type querier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}

func (s *Store) list(ctx context.Context, q querier, where string, args ...any) (out []Case, err error) {
	rows, err := q.QueryContext(ctx, `select `+columns+` from casework_case where `+where, args...)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		if err := rows.Scan(r.into()...); err != nil {
			return nil, unreadable(err)
		}
		c, err := s.unseal(&r)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, unreadable(rows.Err())
}

// ofName gives the cases of a person and hypothesis, the closed ones before the open one.
func (s *Store) ofName(tx *sql.Tx, name []byte) ([]Case, error) {
	return s.list(context.Background(), tx, `name = ? order by open, number`, name)
}

func (s *Store) insert(tx *sql.Tx, c *Case) error {
	var number int64
	if err := tx.QueryRow(`select coalesce(max(number), 0) + 1 from casework_case`).Scan(&number); err != nil {
		return err
	}
	c.ID, c.Revision = strconv.FormatInt(number, 10), 0
	r, err := s.seal(tx, c)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`insert into casework_case(`+columns+`) values(?,?,?,?,?,?,?)`, r.number, r.person, r.name, r.open, r.revision, r.changed, r.sealed)
	return err
}

// store writes the next revision of a case. Errors: outcome.Conflict when it is not the one that was read.
func (s *Store) store(tx *sql.Tx, c *Case) error {
	r, err := s.seal(tx, c)
	if err != nil {
		return err
	}
	done, err := tx.Exec(`update casework_case set open=?, revision=?, changed=?, sealed=? where number=? and revision=?`, r.open, r.revision, r.changed, r.sealed, r.number, r.revision-1)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, errRaced)
	}
	return nil
}

// seal numbers the next revision and seals it.
func (s *Store) seal(tx *sql.Tx, c *Case) (r row, err error) {
	if err := tx.QueryRow(`select coalesce(max(changed), 0) + 1 from casework_case`).Scan(&c.Change); err != nil {
		return r, err
	}
	if c.Revision++; c.tell {
		c.Told, c.tell = c.Change, false
	}
	r.number, _ = strconv.ParseInt(c.ID, 10, 64)
	r.person, r.name, r.revision, r.changed = s.personOf(c.Agent), s.nameOf(c.Agent, c.Hypothesis), int64(c.Revision), c.Change
	if c.Open() {
		r.open = 1
	}
	plain, err := json.Marshal(c)
	if err != nil {
		return r, err
	}
	r.sealed, err = s.box.Seal(nil, s.key, r.bound(), plain)
	return r, err
}

// update lets fn change a case and stores it, all or nothing. revision is that of the case as whoever acts saw it; 0: any.
// Errors: outcome.NotFound; outcome.Conflict when it was changed meanwhile; fn's; as [db.DB.Write].
func (s *Store) update(ctx context.Context, id string, revision int, fn func(*Case) error) (out Case, err error) {
	err = s.d.Write(ctx, func(tx *sql.Tx) error {
		out, err = s.updateIn(tx, id, revision, fn)
		return err
	})
	if err != nil {
		return Case{}, err
	}
	s.tell()
	return out, nil
}

// updateIn is update within a transaction; who calls it tells when that is over.
func (s *Store) updateIn(tx *sql.Tx, id string, revision int, fn func(*Case) error) (out Case, err error) {
	number, bad := strconv.ParseInt(id, 10, 64)
	if bad != nil {
		return out, errNoCase
	}
	cases, err := s.list(context.Background(), tx, `number = ?`, number)
	switch {
	case err != nil:
		return out, err
	case len(cases) == 0:
		return out, errNoCase
	case revision != 0 && cases[0].Revision != revision:
		return out, errRaced
	}
	out = cases[0]
	if err := fn(&out); err != nil {
		return out, err
	}
	return out, s.store(tx, &out)
}

// Queue gives the open cases, the most pressing first. Errors: outcome.NoStore; outcome.Exception when one was altered.
func (s *Store) Queue(ctx context.Context) ([]Case, error) {
	out, err := s.list(ctx, s.d.Reader(), `open = 1`)
	slices.SortStableFunc(out, comparePressing)
	return out, err
}

// Done gives the closed cases, the newest first, limit of them after the first skip. Errors: as [Store.Queue].
func (s *Store) Done(ctx context.Context, skip, limit int) ([]Case, error) {
	return s.list(ctx, s.d.Reader(), `open = 0 order by changed desc limit ? offset ?`, limit, skip)
}

// Case gives one case. Errors: outcome.NotFound; as [Store.Queue].
func (s *Store) Case(ctx context.Context, id string) (Case, error) {
	number, bad := strconv.ParseInt(id, 10, 64)
	if bad != nil {
		return Case{}, errNoCase
	}
	out, err := s.list(ctx, s.d.Reader(), `number = ?`, number)
	if err == nil && len(out) == 0 {
		err = errNoCase
	}
	if err != nil {
		return Case{}, err
	}
	return out[0], nil
}

// ByPerson gives all cases about who acts as a Practitioner, the newest first. Errors: as [Store.Queue].
func (s *Store) ByPerson(ctx context.Context, agent string) ([]Case, error) {
	return s.list(ctx, s.d.Reader(), `person = ? order by number desc`, s.personOf(agent))
}

// Since gives the cases that changed after a change, in the order of their newest changes. Errors: as [Store.Queue].
func (s *Store) Since(ctx context.Context, change int64) ([]Case, error) {
	return s.list(ctx, s.d.Reader(), `changed > ? order by changed`, change)
}

// Newest is the number of the newest change; 0 before the first. Errors: outcome.NoStore.
func (s *Store) Newest(ctx context.Context) (n int64, err error) {
	err = s.d.Reader().QueryRowContext(ctx, `select coalesce(max(changed), 0) from casework_case`).Scan(&n)
	return n, unreadable(err)
}

// Waiting is how many cases are open. Errors: outcome.NoStore.
func (s *Store) Waiting(ctx context.Context) (n int, err error) {
	err = s.d.Reader().QueryRowContext(ctx, `select count(*) from casework_case where open = 1`).Scan(&n)
	return n, unreadable(err)
}

// elsewhere is how often it is looked whether another node changed a case.
const elsewhere = 250 * time.Millisecond

// Wait returns when a case has changed after a change, or ctx ends. Errors: ctx's; outcome.NoStore.
func (s *Store) Wait(ctx context.Context, change int64) error {
	var tick <-chan time.Time
	if s.d.Shared() {
		t := time.NewTicker(elsewhere)
		defer t.Stop()
		tick = t.C
	}
	for {
		s.mu.Lock()
		grew := s.grew
		s.mu.Unlock()
		if n, err := s.Newest(ctx); err != nil || n > change {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-grew:
		case <-tick:
		}
	}
}

// tell wakes those who wait.
func (s *Store) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.grew)
	s.grew = make(chan struct{})
}

func unreadable(err error) error {
	if err == nil {
		return nil
	}
	return outcome.Wrap("casework: read", outcome.NoStore, "the cases cannot be read", err)
}
