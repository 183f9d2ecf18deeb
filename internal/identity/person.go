package identity

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"log/slog"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"crypto/rand"

	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"

	"golang.org/x/text/unicode/norm"
)

// State is where a person stands. The row of somebody who left stays: entries name it for ever.
type State string

// The states. Only an active person signs in.
const (
	Waiting State = "pending" // for a second person
	Active  State = "active"
	Ended   State = "ended"
)

// Person is a human known here: staff, patient, or both. It is a copy; changing it changes nothing stored.
// Printed, it is its id: a patient's name is patient data.
type Person struct {
	ID           string // opaque, never reused
	Name         string // as people say it
	SignInName   string // what is typed at sign-in instead of the id
	Roles        []string
	House        string    // name of the role of the house that narrows her roles, or empty
	Practitioner string    // "Practitioner/id", or empty
	Patient      string    // "Patient/id" of the person's own chart, or empty
	Department   string    // or empty
	Manager      string    // id of the person who answers for the work, or empty
	Mail         string    // address at work, or empty
	Clearances   []string  // sensitivity labels
	TrainingDue  time.Time // until when training lasts; zero: nothing was asked yet
	State        State
	Active       bool // State is Active
	Enrolled     bool // has a passkey, or a password with an authenticator
	Epoch        int64
	Created      time.Time
	CreatedBy    string    // id of a person; empty: the command line
	Aliased      bool      // patients read an alias in place of her name, because she is in danger: docs/adr/0206
	SuspendedBy  string    // of a suspended person: id of the program that suspended her; empty: this house did
	Out          time.Time // when she was last suspended, also after she came back; zero: never. What rested on her before ended then
}

// String is the id.
func (p Person) String() string { return "Person/" + p.ID }

// GoString is the id, for %#v.
func (p Person) GoString() string { return p.String() }

// LogValue is the id, for slog.
func (p Person) LogValue() slog.Value { return slog.StringValue(p.String()) }

// Capacities are those in which the person can hold a session, staff first. Somebody without any role has the staff capacity and
// may do nothing in it.
func (p Person) Capacities() []string {
	var out []string
	own := slices.Contains(p.Roles, Patient)
	if !own || len(p.Roles) > 1 {
		out = append(out, StaffCapacity)
	}
	if own && p.Patient != "" {
		out = append(out, PatientCapacity)
	}
	return out
}

// capacity picks one: the wanted, or with "" the first.
func (p Person) capacity(wanted string) (string, error) {
	own := p.Capacities()
	if wanted == "" && len(own) > 0 {
		return own[0], nil
	}
	if !slices.Contains(own, wanted) {
		return "", outcome.New(outcome.Forbidden, "this person cannot act in that capacity").Because("capacity")
	}
	return wanted, nil
}

// TrainingLasts reports whether training lasts at a moment. It does for whom nothing was asked yet: who came by an HR file or a directory an hour ago
// is new, and not overdue.
func (p Person) TrainingLasts(at time.Time) bool {
	return p.TrainingDue.IsZero() || p.TrainingDue.After(at)
}

// PortalOnly reports whether a person is here as a patient and nothing else.
func (p Person) PortalOnly() bool { return len(p.Roles) == 1 && p.Roles[0] == Patient }

// RolesIn are the roles that count in a capacity: never both kinds at once.
func (p Person) RolesIn(capacity string) []string {
	return slices.DeleteFunc(slices.Clone(p.Roles), func(r string) bool { return (r == Patient) != (capacity == PatientCapacity) })
}

// NewPerson is what [Store.Create] takes. SignInName may be empty: one is made from the name.
type NewPerson struct {
	Name         string
	SignInName   string
	Roles        []string
	House        string // name of a role of the house that narrows them
	Practitioner string
	Patient      string
	Department   string
	Manager      string // id of a person
	Mail         string
	Clearances   []string
	TrainingDue  time.Time
}

// Change is what [Store.Change] sets; nil fields stay.
type Change struct {
	Name         *string    `json:",omitempty"`
	Roles        *[]string  `json:",omitempty"`
	Practitioner *string    `json:",omitempty"`
	Patient      *string    `json:",omitempty"`
	Department   *string    `json:",omitempty"`
	Manager      *string    `json:",omitempty"`
	Mail         *string    `json:",omitempty"`
	Clearances   *[]string  `json:",omitempty"`
	TrainingDue  *time.Time `json:",omitempty"`
	Aliased      *bool      `json:",omitempty"`
	House        *string    `json:",omitempty"`
}

// profile is the sealed part of a person.
type profile struct {
	Name, SignInName                  string
	Roles                             []string
	Practitioner, Patient, Department string
	Clearances                        []string
	TrainingDue                       time.Time
	Manager, Mail                     string    `json:",omitempty"`
	SuspendedBy                       string    `json:",omitempty"`
	Out                               time.Time `json:",omitzero"`
	Aliased                           bool      `json:",omitempty"`
	House                             string    `json:",omitempty"`
}

// row is a person as stored.
type row struct {
	Person
	number   int64
	revision int64
	relieved time.Time
}

// hasFactor reports, within a query of people p, whether somebody has a way to sign in.
const hasFactor = `exists(select 1 from identity_credential c where c.person=p.number and c.kind='totp') or exists(select 1 from identity_passkey k where k.person=p.number)`

const selectPerson = `select ` + personList + `, ` + hasFactor + ` from identity_person p`

type scanner interface{ Scan(dest ...any) error }

func (s *Store) scanPerson(from scanner) (*row, error) {
	var r row
	var c personColumns
	err := from.Scan(append(c.into(), &r.Enrolled)...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, outcome.Wrap("identity: person", outcome.NotFound, "there is no such person", err)
	}
	if err != nil {
		return nil, outcome.Wrap("identity: person", outcome.NoStore, "the people cannot be read", err)
	}
	if err := s.genuine(s.tags.person, personTable, c.number, c.mac, c.tagged()); err != nil {
		return nil, err
	}
	r.number, r.ID, r.State, r.Epoch, r.revision, r.CreatedBy = c.number, c.id, State(c.state), c.epoch, c.revision, c.createdBy
	r.relieved, r.Created, r.Active = timeOf(c.relieved), timeOf(c.created), r.State == Active
	var p profile
	if err := openJSON(s.box, aad("person", r.ID), c.sealed, &p); err != nil {
		return nil, err
	}
	r.apply(p)
	return &r, nil
}

func (r *row) apply(p profile) {
	r.Name, r.SignInName, r.Roles, r.Practitioner, r.Patient = p.Name, p.SignInName, p.Roles, p.Practitioner, p.Patient
	r.Department, r.Clearances, r.TrainingDue, r.Manager, r.Mail = p.Department, p.Clearances, p.TrainingDue, p.Manager, p.Mail
	r.SuspendedBy, r.Out, r.Aliased, r.House = p.SuspendedBy, p.Out, p.Aliased, p.House
}

func (r *row) profile() profile {
	return profile{r.Name, r.SignInName, r.Roles, r.Practitioner, r.Patient, r.Department, r.Clearances, r.TrainingDue, r.Manager, r.Mail, r.SuspendedBy, r.Out, r.Aliased, r.House}
}

// queryer is a reader pool or a transaction.
type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func (s *Store) find(ctx context.Context, q queryer, id string) (*row, error) {
	return s.scanPerson(q.QueryRowContext(ctx, selectPerson+` where p.id=?`, id))
}

// locate finds a person by id or sign-in name.
func (s *Store) locate(ctx context.Context, typed string) (*row, error) {
	typed = strings.ToLower(strings.TrimSpace(typed))
	tag := s.nameTag(typed)
	return s.scanPerson(s.db.Reader().QueryRowContext(ctx, selectPerson+` where p.id=? or p.name_tag=? order by p.id=? desc limit 1`, typed, tag[:], typed))
}

func (s *Store) nameTag(name string) [32]byte { return s.box.PRF("sign-in name", []byte(name)) }

// all reads everybody, or everybody in a state.
func (s *Store) all(ctx context.Context, q queryer, state State) ([]*row, error) {
	rows, err := q.QueryContext(ctx, selectPerson+` where p.state=? or ?=''`, string(state), string(state))
	if err != nil {
		return nil, outcome.Wrap("identity: people", outcome.NoStore, "the people cannot be read", err)
	}
	defer func() { _ = rows.Close() }()
	var out []*row
	for rows.Next() {
		r, err := s.scanPerson(rows)
		if errors.Is(err, errAltered) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		return nil, outcome.Wrap("identity: people", outcome.NoStore, "the people cannot be read", err)
	}
	return out, nil
}

// personKey is the data key of everything about one person.
func (s *Store) personKey(ctx context.Context, number int64) (seal.KeyID, error) {
	return s.box.Key(ctx, number, "person")
}

func newNumber() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return int64(binary.BigEndian.Uint64(b[:])>>2) + 1 // 62 bits, never 0, which owns no person
}

var (
	signInName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,63}$`)
	logicalID  = regexp.MustCompile(`^[A-Za-z0-9.-]{1,64}$`)
)

// clean validates a profile and puts its sets in order.
func (p profile) clean() (profile, error) {
	var err error
	p.Name = strings.Join(strings.Fields(norm.NFC.String(p.Name)), " ")
	if p.Name == "" || len(p.Name) > 200 {
		return p, outcome.New(outcome.Required, "a person needs a name of at most 200 bytes")
	}
	if p.Roles, err = cleanRoles(p.Roles); err != nil {
		return p, err
	}
	p.Clearances = cleanSet(p.Clearances)
	for kind, ref := range map[string]string{"Practitioner": p.Practitioner, "Patient": p.Patient} {
		if id, ok := strings.CutPrefix(ref, kind+"/"); ref != "" && (!ok || !logicalID.MatchString(id)) {
			return p, outcome.New(outcome.Value, "the "+kind+" of a person is written "+kind+"/id")
		}
	}
	if slices.Contains(p.Roles, Patient) && p.Patient == "" {
		return p, outcome.New(outcome.Required, "the role patient needs the person's own chart: Patient/id")
	}
	if p.SignInName != "" && !signInName.MatchString(p.SignInName) {
		return p, outcome.New(outcome.Value, "a sign-in name has 2 to 64 characters: a-z, 0-9, dot, dash, underscore")
	}
	if p.Mail = strings.TrimSpace(p.Mail); p.Mail != "" {
		if at, err := mail.ParseAddress(p.Mail); err != nil || at.Address != p.Mail || len(p.Mail) > 254 {
			return p, outcome.New(outcome.Value, "a mail address is written name@house.example").At("mail")
		}
	}
	p.Manager = strings.TrimSpace(p.Manager)
	return p, nil
}

// FaultOf says what [Store.Create] would refuse of a person by herself, without asking who else is here; nil: nothing.
func FaultOf(n NewPerson) error {
	_, err := profile{Name: n.Name, SignInName: n.SignInName, Roles: n.Roles, Practitioner: n.Practitioner, Patient: n.Patient, Department: n.Department, Clearances: n.Clearances, Manager: n.Manager, Mail: n.Mail}.clean()
	return err
}

func (p profile) with(c Change) profile {
	set := func(to *string, from *string) {
		if from != nil {
			*to = *from
		}
	}
	set(&p.Name, c.Name)
	set(&p.Practitioner, c.Practitioner)
	set(&p.Patient, c.Patient)
	set(&p.Department, c.Department)
	set(&p.Manager, c.Manager)
	set(&p.Mail, c.Mail)
	set(&p.House, c.House)
	if c.Roles != nil {
		p.Roles = *c.Roles
	}
	if c.Clearances != nil {
		p.Clearances = *c.Clearances
	}
	if c.TrainingDue != nil {
		p.TrainingDue = c.TrainingDue.UTC()
	}
	if c.Aliased != nil {
		p.Aliased = *c.Aliased
	}
	return p
}

// needsSecond reports whether going from old to p opens charts that were closed: a clinical role, a clearance, another
// practitioner's relationships, or more field groups than a role of the house let her see.
func (p profile) needsSecond(old profile) bool {
	gained := func(now, before []string, counts func(string) bool) bool {
		return slices.ContainsFunc(now, func(x string) bool { return counts(x) && !slices.Contains(before, x) })
	}
	return gained(p.Roles, old.Roles, Clinical) ||
		gained(p.Clearances, old.Clearances, func(string) bool { return true }) ||
		anyClinical(p.Roles) && p.Practitioner != "" && p.Practitioner != old.Practitioner || p.widens(old)
}

// rights are what nobody changes for herself: what she may, whom she is, and what others judge her by.
func (p profile) rights() string {
	return strings.Join([]string{strings.Join(p.Roles, " "), strings.Join(p.Clearances, " "), p.Practitioner, p.Patient, p.Manager, p.Department, day(p.TrainingDue), strconv.FormatBool(p.Aliased), p.House}, "\n")
}

// difference tells old and new values for the audit; a name is only said to have changed.
func (p profile) difference(old profile) string {
	var out []string
	say := func(what, before, after string) {
		if before != after {
			out = append(out, what+" "+strconv.Quote(before)+" -> "+strconv.Quote(after))
		}
	}
	if p.Name != old.Name {
		out = append(out, "name changed")
	}
	say("roles", strings.Join(old.Roles, " "), strings.Join(p.Roles, " "))
	say("role of the house", old.House, p.House)
	say("clearances", strings.Join(old.Clearances, " "), strings.Join(p.Clearances, " "))
	say("practitioner", old.Practitioner, p.Practitioner)
	say("patient", old.Patient, p.Patient)
	say("department", old.Department, p.Department)
	say("manager", old.Manager, p.Manager)
	if p.Mail != old.Mail {
		out = append(out, "mail address changed")
	}
	if !p.TrainingDue.Equal(old.TrainingDue) {
		say("training due", day(old.TrainingDue), day(p.TrainingDue))
	}
	say("alias before patients", strconv.FormatBool(old.Aliased), strconv.FormatBool(p.Aliased))
	return strings.Join(out, "; ")
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

// nameFrom makes a sign-in name: "Dr. Zoë Ångström" is dr.zoe.angstrom.
func nameFrom(name string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(name)) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r), r == '\'', r == '’', r == '.':
		default:
			b.WriteByte(' ')
		}
	}
	out := strings.Join(strings.Fields(b.String()), ".")
	if len(out) > 48 {
		out = strings.TrimRight(out[:48], ".")
	}
	if len(out) < 2 {
		return "person"
	}
	return out
}
