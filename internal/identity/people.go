package identity

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strconv"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// Person finds somebody by id. Errors: outcome.NotFound.
func (s *Store) Person(ctx context.Context, id string) (Person, error) {
	r, err := s.find(ctx, s.db.Reader(), id)
	if err != nil {
		return Person{}, err
	}
	return r.Person, nil
}

// People lists everybody, those who left included, by name.
func (s *Store) People(ctx context.Context) ([]Person, error) {
	rows, err := s.all(ctx, s.db.Reader(), "")
	if err != nil {
		return nil, err
	}
	out := make([]Person, len(rows))
	for i, r := range rows {
		out[i] = r.Person
	}
	slices.SortFunc(out, byName)
	return out, nil
}

func byName(a, b Person) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) }

// Create adds a person, without credentials (see [Store.Invite]). Outside a sandbox somebody with a clinical role or a clearance
// waits for a second person: the item is returned, and the person's state is [Waiting]. So does somebody who could be a second person
// herself, where somebody is there who could agree ([Store.CanAgree]). The first administrator of an installation does not wait.
//
// Errors: outcome.Duplicate (the sign-in name is taken), outcome.Required, outcome.Value and outcome.CodeInvalid for the fields.
func (s *Store) Create(ctx context.Context, by audit.Agent, n NewPerson) (Person, *Pending, error) {
	return s.create(ctx, by, n, nil)
}

// create is Create, with what else belongs to the same moment.
func (s *Store) create(ctx context.Context, by audit.Agent, n NewPerson, also func(*sql.Tx, *row) error) (Person, *Pending, error) {
	r, err := s.draft(ctx, by, n)
	if err != nil {
		return Person{}, nil, err
	}
	var item *Pending
	if r.State == Waiting {
		item = s.newPending(pendingCreate, r, by, "", nil)
	}
	noted, err := s.note(ctx, s.event(by, didCreate, acted, "person "+r.ID+" "+string(r.State)+"; "+r.profile().difference(profile{Name: r.Name})))
	if err != nil {
		return Person{}, nil, err
	}
	var then func(*sql.Tx) error
	if also != nil {
		then = func(tx *sql.Tx) error { return also(tx, r) }
	}
	if err := s.insert(ctx, noted, r, n.SignInName == "", item, then); err != nil {
		return Person{}, nil, err
	}
	return r.Person, item, nil
}

// draft is the row that n becomes, not yet stored.
func (s *Store) draft(ctx context.Context, by audit.Agent, n NewPerson) (*row, error) {
	p, err := profile{Name: n.Name, SignInName: n.SignInName, Roles: n.Roles, Practitioner: n.Practitioner, Patient: n.Patient, Department: n.Department,
		Clearances: n.Clearances, TrainingDue: n.TrainingDue.UTC(), Manager: n.Manager, Mail: n.Mail, House: n.House}.clean()
	if err == nil {
		err = s.managed(ctx, p, profile{}, "")
	}
	if err == nil {
		err = s.housed(p, profile{})
	}
	if err != nil {
		return nil, err
	}
	if n.TrainingDue.IsZero() {
		p.TrainingDue = n.TrainingDue
	}
	if p.SignInName == "" {
		p.SignInName = nameFrom(p.Name)
	}
	r := &row{Person: Person{ID: newID(), State: Active, Created: s.now().UTC(), CreatedBy: by.Person}, number: newNumber()}
	r.apply(p)
	eyes, err := s.givesEyes(ctx, by, "", p, profile{})
	if err != nil {
		return nil, err
	}
	if !s.o.Sandbox && (eyes || p.needsSecond(profile{})) {
		first := slices.Contains(p.Roles, Administrator)
		if first {
			var any bool
			if err := s.db.Reader().QueryRowContext(ctx, `select exists(select 1 from identity_person)`).Scan(&any); err != nil {
				return nil, outcome.Wrap("identity: create", outcome.NoStore, "the people cannot be read", err)
			}
			first = !any
		}
		if !first {
			r.State = Waiting
		}
	}
	r.Active = r.State == Active
	return r, nil
}

// insert stores a new person and what belongs to the same moment. A made-up sign-in name that is taken gets a number.
func (s *Store) insert(ctx context.Context, n noted, r *row, numbered bool, item *Pending, also func(*sql.Tx) error) error {
	k, err := s.personKey(ctx, r.number)
	if err != nil {
		return err
	}
	wanted := r.SignInName
	return s.act(ctx, n, func(tx *sql.Tx) error {
		for next := 2; ; next++ {
			tag := s.nameTag(r.SignInName)
			var taken bool
			if err := tx.QueryRow(`select exists(select 1 from identity_person where name_tag=?)`, tag[:]).Scan(&taken); err != nil {
				return err
			}
			if !taken {
				break
			}
			if !numbered {
				return outcome.New(outcome.Duplicate, "this sign-in name is taken: choose another")
			}
			r.SignInName = wanted + strconv.Itoa(next)
		}
		sealed, err := sealJSON(s.box, k, aad("person", r.ID), r.profile())
		if err != nil {
			return err
		}
		tag := s.nameTag(r.SignInName)
		c := personColumns{number: r.number, id: r.ID, nameTag: tag[:], state: string(r.State), created: micros(r.Created), createdBy: r.CreatedBy, sealed: sealed}
		if _, err := tx.Exec(`insert into identity_person(number, id, name_tag, state, epoch, revision, relieved_at, created_at, created_by, sealed, mac) values(?,?,?,?,?,?,?,?,?,?,?)`,
			append(c.tagged(), s.tags.person.Tag(c.tagged()...))...); err != nil {
			return err
		}
		if item != nil {
			if err := s.insertPending(tx, item, r); err != nil {
				return err
			}
		}
		if also != nil {
			return also(tx)
		}
		return nil
	})
}

// Change sets fields of a person. The audit holds old and new values. Outside a sandbox a gain that opens charts (a clinical role,
// a clearance, another practitioner's relationships), or that makes somebody a second person, waits for a second person: then nothing is changed yet and the item is
// returned. So it is, in a sandbox too, with an alias that patients are to read, or no longer. Nobody gives rights to himself. Live sessions follow within a second. Of a suspended person roles and clearances can be taken.
//
// Errors: outcome.NotFound; outcome.Forbidden (one's own rights); outcome.Conflict (the person left, waits, or was changed
// meanwhile; or it was the last administrator: retry after reading again).
func (s *Store) Change(ctx context.Context, by audit.Agent, id string, c Change) (Person, *Pending, error) {
	r, err := s.find(ctx, s.db.Reader(), id)
	if err != nil {
		return Person{}, nil, err
	}
	old := r.profile()
	p, err := old.with(c).clean()
	if !r.Active && (r.State != Suspended || err != nil || !p.onlyLoses(old)) {
		return Person{}, nil, outcome.New(outcome.Conflict, "only an active person can be changed: this one waits for a second person, is suspended, or has left")
	}
	if err == nil {
		err = s.managed(ctx, p, old, r.ID)
	}
	if err == nil {
		err = s.housed(p, old)
	}
	if err != nil {
		return Person{}, nil, err
	}
	said := p.difference(old)
	if said == "" {
		return r.Person, nil, nil
	}
	if by.Person == r.ID && p.rights() != old.rights() {
		return Person{}, nil, outcome.New(outcome.Forbidden, "nobody changes his own rights: ask somebody else to").Because("self-grant")
	}
	eyes, err := s.givesEyes(ctx, by, r.ID, p, old)
	if err != nil {
		return Person{}, nil, err
	}
	if p.Aliased != old.Aliased || !s.o.Sandbox && (eyes || p.needsSecond(old)) {
		item := s.newPending(pendingChange, r, by, "", &c)
		n, err := s.note(ctx, s.event(by, didAsk, acted, "item "+item.ID+": person "+r.ID+": "+said))
		if err != nil {
			return Person{}, nil, err
		}
		return r.Person, item, s.storePending(ctx, n, item, r)
	}
	if losesAdministrator(old, p) {
		if err := s.keepAdministrator(ctx, s.db.Reader(), r); err != nil {
			return Person{}, nil, err
		}
	}
	n, err := s.note(ctx, s.event(by, didChange, acted, "person "+r.ID+": "+said))
	if err != nil {
		return Person{}, nil, err
	}
	if err := s.update(ctx, n, r, p, nil); err != nil {
		return Person{}, nil, err
	}
	r.apply(p)
	return r.Person, nil, nil
}

// update stores a new profile of r, unless somebody else was faster.
func (s *Store) update(ctx context.Context, n noted, r *row, p profile, also func(*sql.Tx) error) error {
	k, err := s.personKey(ctx, r.number)
	if err != nil {
		return err
	}
	sealed, err := sealJSON(s.box, k, aad("person", r.ID), p)
	if err != nil {
		return err
	}
	err = s.act(ctx, n, func(tx *sql.Tx) error {
		if losesAdministrator(r.profile(), p) { // again: two of the last two may be asked to leave at once
			if err := s.keepAdministrator(context.Background(), tx, r); err != nil {
				return err
			}
		}
		if err := s.alterPerson(tx, r.number, func(c *personColumns) bool {
			return c.revision == r.revision && (c.state == string(Active) || c.state == string(Suspended) && p.onlyLoses(r.profile()))
		}, func(c *personColumns) {
			c.sealed, c.revision = sealed, c.revision+1
		}); err != nil {
			return err
		}
		if also != nil {
			return also(tx)
		}
		return nil
	})
	s.refresh(r.number)
	return err
}

// managed refuses a new manager who is nobody who works here, or the person herself.
func (s *Store) managed(ctx context.Context, p, old profile, id string) error {
	if p.Manager == "" || p.Manager == old.Manager {
		return nil
	}
	m, err := s.find(ctx, s.db.Reader(), p.Manager)
	if err != nil && !outcome.Is(err, outcome.NotFound) {
		return err
	}
	if err != nil || !m.Active || p.Manager == id || !slices.Contains(m.Capacities(), StaffCapacity) {
		return outcome.New(outcome.Value, "the manager is the id of somebody else who works here").At("manager")
	}
	return nil
}

// onlyLoses reports whether roles and clearances are taken, and nothing else changes.
func (p profile) onlyLoses(old profile) bool {
	gains := func(now, before []string) bool {
		return slices.ContainsFunc(now, func(x string) bool { return !slices.Contains(before, x) })
	}
	rest := p
	rest.Roles, rest.Clearances = old.Roles, old.Clearances
	return !gains(p.Roles, old.Roles) && !gains(p.Clearances, old.Clearances) && rest.difference(old) == ""
}

func losesAdministrator(old, p profile) bool {
	return slices.Contains(old.Roles, Administrator) && !slices.Contains(p.Roles, Administrator)
}

// keepAdministrator refuses when r is the last active administrator: nobody could let anybody in again.
func (s *Store) keepAdministrator(ctx context.Context, q queryer, r *row) error {
	others, err := s.all(ctx, q, Active)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(others, func(o *row) bool { return o.number != r.number && slices.Contains(o.Roles, Administrator) }) {
		return nil
	}
	return outcome.New(outcome.Conflict, "this is the last administrator: make another one first").Because("last-administrator")
}

// ErrChanged says that what was read is not what is stored any more: whoever gets it reads again and tries once more.
var ErrChanged = outcome.New(outcome.Conflict, "this was changed meanwhile: read it again and retry")

// one wants exactly one row to have changed; none means that somebody else was faster.
func one(res sql.Result, err error) error { return oneOr(ErrChanged)(res, err) }

// oneOr is one with another word for "none".
func oneOr(none error) func(sql.Result, error) error {
	return func(res sql.Result, err error) error {
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			return err
		}
		return none
	}
}
