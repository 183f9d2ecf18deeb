package identity

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// Account is how another system knows a person: a directory that keeps people by SCIM, or the HR file. It gives no right; which roles came
// of it is remembered, so that what one origin takes back is not taken from another.
type Account struct {
	Source   string // id of a [Client] that provisions, or [HRSource]
	Person   string // id; empty: not stored yet
	Key      string // the source's own key of the person, which never changes
	Body     json.RawMessage
	Given    []string // roles that the source gave
	Kept     []string // of these, roles that the person had without it
	Giving   []string // roles that were about to be given when this was stored: those that the person has now came from the source
	Asked    []Asked  // of Given, roles that waited for a second person when this was stored: see [Store.Standing]
	Created  time.Time
	Changed  time.Time
	Revision int64
}

// HRSource is the source of accounts that the HR file made. No program can be called so.
const HRSource = "hr:"

// Group is a group of a source. Its members are persons with an account of that source.
type Group struct {
	Source   string
	ID       string
	Body     json.RawMessage
	Members  []string // ids of persons
	Created  time.Time
	Changed  time.Time
	Revision int64
}

// Name is what the source calls the group.
func (g Group) Name() string {
	var b struct {
		DisplayName string `json:"displayName"`
	}
	_ = json.Unmarshal(g.Body, &b) // it was written by the source's own door
	return b.DisplayName
}

type accountBody struct {
	Key              string
	Body             json.RawMessage
	Given, Kept      []string `json:",omitempty"`
	Created, Changed time.Time
	Asked            []Asked  `json:",omitempty"`
	Giving           []string `json:",omitempty"`
}

type groupBody struct {
	Body             json.RawMessage
	Members          []string `json:",omitempty"`
	Created, Changed time.Time
}

func (s *Store) accountTag(source, key string) []byte {
	tag := s.box.PRF("account", []byte(source), []byte(key))
	return tag[:]
}

func accountAAD(source string, person, revision int64) []byte {
	return aad("account", fmt.Sprintf("%s/%d/%d", source, person, revision))
}

func groupAAD(source, id string, revision int64) []byte {
	return aad("group", fmt.Sprintf("%s/%s/%d", source, id, revision))
}

const selectAccount = `select a.source, a.person, a.revision, a.sealed, p.id from identity_account a join identity_person p on p.number=a.person where a.source=?`

func (s *Store) accounts(ctx context.Context, q queryer, where string, args ...any) (out []Account, err error) {
	rows, err := q.QueryContext(ctx, selectAccount+where+` order by p.created_at, p.id`, args...)
	if err != nil {
		return nil, unreadableAccounts(err)
	}
	defer rows.Close()
	for rows.Next() {
		var a Account
		var number int64
		var sealed []byte
		if err := rows.Scan(&a.Source, &number, &a.Revision, &sealed, &a.Person); err != nil {
			return nil, unreadableAccounts(err)
		}
		var b accountBody
		if err := openJSON(s.box, accountAAD(a.Source, number, a.Revision), sealed, &b); err != nil {
			return nil, err
		}
		a.Key, a.Body, a.Given, a.Kept, a.Created, a.Changed, a.Asked, a.Giving = b.Key, b.Body, b.Given, b.Kept, b.Created, b.Changed, b.Asked, b.Giving
		out = append(out, a)
	}
	if err := rows.Err(); err != nil {
		return nil, unreadableAccounts(err)
	}
	return out, nil
}

func unreadableAccounts(err error) error {
	return outcome.Wrap("identity: accounts", outcome.NoStore, "the accounts of people cannot be read", err)
}

// Accounts lists the people whom a source knows, those who left included, oldest first. Errors: outcome.NoStore.
func (s *Store) Accounts(ctx context.Context, source string) ([]Account, error) {
	return s.accounts(ctx, s.db.Reader(), ``, source)
}

// Account gives how a source knows a person. Errors: outcome.NotFound.
func (s *Store) Account(ctx context.Context, source, person string) (Account, error) {
	return oneAccount(s.accounts(ctx, s.db.Reader(), ` and p.id=?`, source, person))
}

// AccountByKey finds whom a source knows by a key. Errors: outcome.NotFound.
func (s *Store) AccountByKey(ctx context.Context, source, key string) (Account, error) {
	return oneAccount(s.accounts(ctx, s.db.Reader(), ` and a.tag=?`, source, s.accountTag(source, key)))
}

func oneAccount(found []Account, err error) (Account, error) {
	if err == nil && len(found) == 0 {
		err = outcome.New(outcome.NotFound, "there is no such account")
	}
	if err != nil {
		return Account{}, err
	}
	return found[0], nil
}

// putAccount stores a as the revision after the one it was read as; 0 is new.
func (s *Store) putAccount(tx *sql.Tx, a Account, number int64) error {
	k, err := s.personKey(context.Background(), number)
	if err != nil {
		return err
	}
	now := s.now().UTC()
	if a.Revision == 0 {
		a.Created = now
	}
	sealed, err := sealJSON(s.box, k, accountAAD(a.Source, number, a.Revision+1), accountBody{a.Key, a.Body, cleanSet(a.Given), cleanSet(a.Kept), a.Created, now, a.Asked, cleanSet(a.Giving)})
	if err != nil {
		return err
	}
	tag := s.accountTag(a.Source, a.Key)
	if a.Revision == 0 {
		var taken bool
		if err := tx.QueryRow(`select exists(select 1 from identity_account where source=? and (tag=? or person=?))`, a.Source, tag, number).Scan(&taken); err != nil {
			return err
		}
		if taken {
			return outcome.New(outcome.Duplicate, "this source knows this person, or this key, already")
		}
		_, err = tx.Exec(`insert into identity_account(source, person, tag, revision, sealed) values(?,?,?,1,?)`, a.Source, number, tag, sealed)
		return err
	}
	return one(tx.Exec(`update identity_account set tag=?, revision=?, sealed=? where source=? and person=? and revision=?`, tag, a.Revision+1, sealed, a.Source, number, a.Revision))
}

// CreateAccount is [Store.Create] with the account in the same moment, so that nobody is there whom the source does not know.
// Errors: as Create; outcome.Duplicate also for a key that the source knows.
func (s *Store) CreateAccount(ctx context.Context, by audit.Agent, n NewPerson, a Account) (Person, *Pending, error) {
	a.Revision = 0
	return s.create(ctx, by, n, func(tx *sql.Tx, r *row) error { return s.putAccount(tx, a, r.number) })
}

// TakeOn stores the account of somebody who is here already: from now on its source changes her. Whoever calls decides that it is she; the
// entry comes first. Errors: outcome.NotFound (nobody), outcome.Duplicate (the source knows her, or the key).
func (s *Store) TakeOn(ctx context.Context, by audit.Agent, a Account) error {
	a.Revision = 0
	r, err := s.find(ctx, s.db.Reader(), a.Person)
	if err != nil {
		return err
	}
	if _, err := s.personKey(ctx, r.number); err != nil {
		return err
	}
	n, err := s.note(ctx, s.event(by, didProvision, acted, "person "+r.ID+" is taken on by the source "+a.Source))
	if err != nil {
		return err
	}
	return s.act(ctx, n, func(tx *sql.Tx) error { return s.putAccount(tx, a, r.number) })
}

// KeepAccount stores an account that was read before. Errors: outcome.NotFound (nobody), outcome.Duplicate (the key is taken),
// outcome.Conflict (changed meanwhile).
func (s *Store) KeepAccount(ctx context.Context, a Account) error {
	r, err := s.find(ctx, s.db.Reader(), a.Person)
	if err != nil {
		return err
	}
	if _, err := s.personKey(ctx, r.number); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error { return s.putAccount(tx, a, r.number) })
}

// DropAccount makes a source forget a person, as a member of its groups too: a group that names nobody could not be kept any more.
// Errors: outcome.NotFound, outcome.NoStore.
func (s *Store) DropAccount(ctx context.Context, source, person string) error {
	r, err := s.find(ctx, s.db.Reader(), person)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`delete from identity_account where source=? and person=?`, source, r.number); err != nil {
			return err
		}
		groups, err := s.groups(context.WithoutCancel(ctx), tx, ``, source)
		if err != nil {
			return err
		}
		for _, g := range groups {
			if !slices.Contains(g.Members, r.ID) {
				continue
			}
			g.Members, g.Changed = slices.DeleteFunc(g.Members, func(m string) bool { return m == r.ID }), s.now().UTC()
			if err := s.putGroup(tx, g); err != nil {
				return err
			}
		}
		return nil
	})
}

// Groups lists the groups of a source. Errors: outcome.NoStore.
func (s *Store) Groups(ctx context.Context, source string) ([]Group, error) {
	if strings.HasPrefix(source, ProviderSource) {
		accounts, err := s.Accounts(ctx, source)
		return providerGroups(accounts), err
	}
	return s.groups(ctx, s.db.Reader(), ``, source)
}

// Group gives one group. Errors: outcome.NotFound.
func (s *Store) Group(ctx context.Context, source, id string) (Group, error) {
	found, err := s.groups(ctx, s.db.Reader(), ` and id=?`, source, id)
	if err == nil && len(found) == 0 {
		err = outcome.New(outcome.NotFound, "there is no such group")
	}
	if err != nil {
		return Group{}, err
	}
	return found[0], nil
}

func (s *Store) groups(ctx context.Context, q queryer, where string, args ...any) (out []Group, err error) {
	rows, err := q.QueryContext(ctx, `select source, id, revision, sealed from identity_group where source=?`+where+` order by id`, args...)
	if err != nil {
		return nil, unreadableAccounts(err)
	}
	defer rows.Close()
	for rows.Next() {
		var g Group
		var sealed []byte
		if err := rows.Scan(&g.Source, &g.ID, &g.Revision, &sealed); err != nil {
			return nil, unreadableAccounts(err)
		}
		var b groupBody
		if err := openJSON(s.box, groupAAD(g.Source, g.ID, g.Revision), sealed, &b); err != nil {
			return nil, err
		}
		g.Body, g.Members, g.Created, g.Changed = b.Body, b.Members, b.Created, b.Changed
		out = append(out, g)
	}
	if err := rows.Err(); err != nil {
		return nil, unreadableAccounts(err)
	}
	return out, nil
}

// KeepGroup stores a group and gives it as stored; one without id is new. Errors: outcome.Conflict (changed meanwhile).
func (s *Store) KeepGroup(ctx context.Context, g Group) (Group, error) {
	g.Changed = s.now().UTC()
	if g.Revision == 0 {
		g.ID, g.Created = newID(), g.Changed
	}
	g.Members = cleanSet(g.Members)
	if err := s.db.Write(ctx, func(tx *sql.Tx) error { return s.putGroup(tx, g) }); err != nil {
		return Group{}, err
	}
	g.Revision++
	return g, nil
}

// putGroup stores g as the revision after the one it was read as; 0 is new.
func (s *Store) putGroup(tx *sql.Tx, g Group) error {
	sealed, err := sealJSON(s.box, s.clientKey, groupAAD(g.Source, g.ID, g.Revision+1), groupBody{g.Body, g.Members, g.Created, g.Changed})
	if err != nil {
		return err
	}
	if g.Revision == 0 {
		_, err := tx.Exec(`insert into identity_group(source, id, revision, sealed) values(?,?,1,?)`, g.Source, g.ID, sealed)
		return err
	}
	return one(tx.Exec(`update identity_group set revision=?, sealed=? where source=? and id=? and revision=?`, g.Revision+1, sealed, g.Source, g.ID, g.Revision))
}

// DropGroup deletes a group. Errors: outcome.NotFound.
func (s *Store) DropGroup(ctx context.Context, source, id string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		return oneOr(outcome.New(outcome.NotFound, "there is no such group"))(tx.Exec(`delete from identity_group where source=? and id=?`, source, id))
	})
}

// MappedGroup says which role the members of a source's group get, by whom that was said and when.
type MappedGroup struct {
	Group string // its display name, as the source writes it
	Role  string
	By    string // id of a person; empty: the command line
	Since time.Time
}

// MapGroup gives or takes a role to or from whoever is in a group of a program that provisions. It changes nobody yet: the caller has the
// people brought up to date. Errors: outcome.NotFound; outcome.Conflict (not such a program, not active); outcome.CodeInvalid (no such
// role); outcome.Duplicate (it is mapped so already).
func (s *Store) MapGroup(ctx context.Context, by audit.Agent, client, group, role string, remove bool) (Client, error) {
	c, err := s.Client(ctx, client)
	if err != nil {
		return c, err
	}
	maps, verb, err := remapped(c.Maps, MappedGroup{group, role, by.Person, s.now().UTC()}, remove)
	if outcome.Is(err, outcome.CodeInvalid) {
		return c, err
	}
	if !c.Provisions() || c.State != Active {
		return c, outcome.New(outcome.Conflict, "groups are mapped for an active program with the scope scim")
	}
	if err != nil {
		return c, err
	}
	c.Maps = maps
	n, err := s.note(ctx, s.event(by, didProvision, acted, "client "+c.ID+": group "+fmt.Sprintf("%q", group)+verb+role))
	if err != nil {
		return c, err
	}
	return c, s.act(ctx, n, func(tx *sql.Tx) error { return s.putClient(tx, c) })
}

// NoteProvisioning writes down one request of a program that provisions, before it is answered. text names resources by id; asked is the
// query. Errors: outcome.NoStore: nothing is to be answered.
func (s *Store) NoteProvisioning(ctx context.Context, by audit.Agent, text, asked string, refused bool) error {
	result := acted
	if refused {
		result = failed
	}
	e := s.event(by, didProvision, result, text)
	e.Query, e.Class = asked, audit.Machine
	_, err := s.note(ctx, e)
	return err
}

// Taken reports whether a sign-in name or mail address belongs to somebody at work who did not leave. Whoever is here as a patient only does
// not count: another system must not learn from a refusal that somebody is a patient. Errors: outcome.NoStore.
func (s *Store) Taken(ctx context.Context, signInName, mail string) (bool, error) {
	people, err := s.all(ctx, s.db.Reader(), "")
	if err != nil && !errors.Is(err, errAltered) {
		return false, err
	}
	for _, r := range people {
		if r.State != Ended && !r.PortalOnly() && (signInName != "" && r.SignInName == signInName || mail != "" && strings.EqualFold(r.Mail, mail)) {
			return true, nil
		}
	}
	return false, nil
}
