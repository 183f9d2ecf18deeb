package identity

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
	"chartwarden/internal/scope"

	"github.com/go-jose/go-jose/v4"
)

// Client is a registered program: an app that people let act for them, a backend service that acts for itself, or both. It is a copy.
// Its owner answers for it. Source: https://hl7.org/fhir/smart-app-launch/STU2.2/.
type Client struct {
	ID         string // chosen at registration, never reused
	Name       string // as the consent page says it
	Owner      string // id of a person
	Redirects  []string
	Keys       json.RawMessage // public keys as a JWK Set; nil for a public app
	Scope      string          // all that it can ever be granted
	Maps       []MappedGroup   // of one that provisions: what its groups give
	FirstParty bool            // an app of this house, which an administrator marked as such: through it a person can break the glass
	State      State
	Created    time.Time
	CreatedBy  string
	Ends       time.Time // at most a year; earlier when the owner leaves
	epoch      int64
	revision   int64
}

// Public reports an app that can keep no secret.
func (c Client) Public() bool { return len(c.Keys) == 0 }

// Backend reports a program that no person ever stands in front of.
func (c Client) Backend() bool { return len(c.Redirects) == 0 }

// Scopes is what it is registered for.
func (c Client) Scopes() scope.Set {
	set, err := scope.Parse(c.Scope)
	if err != nil {
		return scope.Set{} // it was checked at registration; reaching nothing is right whatever happened since
	}
	return set
}

// Provisioning is the whole scope of a program that keeps people and groups by /scim and can do nothing else.
const Provisioning = "scim"

// Provisions reports a program that keeps people and groups, and never reads a record.
func (c Client) Provisions() bool { return c.Scope == Provisioning }

// String is "Client/id".
func (c Client) String() string { return "Client/" + c.ID }

// LogValue is [Client.String], for slog.
func (c Client) LogValue() slog.Value { return slog.StringValue(c.String()) }

// NewClient is what [Store.RegisterClient] takes.
type NewClient struct {
	ID, Name, Owner, Scope string
	Redirects              []string
	Keys                   json.RawMessage `json:",omitempty"`
	FirstParty             bool
	Ends                   time.Time // zero: in a year
}

const (
	clientLasts  = 365 * 24 * time.Hour
	ownerGone    = 7 * 24 * time.Hour // how long a program outlives its owner's leaving, unless it is registered anew
	maxRedirects = 20
)

// storedClient is the sealed form; State stands in it, so that no SQL activates a program.
type storedClient struct {
	Name, Owner, Scope, CreatedBy string
	Redirects                     []string        `json:",omitempty"`
	Keys                          json.RawMessage `json:",omitempty"`
	FirstParty                    bool            `json:",omitempty"`
	State                         State
	Created, Ends                 time.Time
	Epoch                         int64
	Maps                          []MappedGroup `json:",omitempty"`
}

func clientAAD(id string, revision int64) []byte {
	return aad("client", id+"/"+strconv.FormatInt(revision, 10))
}

func (s *Store) scanClient(from scanner) (Client, error) {
	var c Client
	var sealed []byte
	err := from.Scan(&c.ID, &c.revision, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return c, outcome.Wrap("identity: client", outcome.NotFound, "there is no such client", err)
	}
	if err != nil {
		return c, outcome.Wrap("identity: client", outcome.NoStore, "the clients cannot be read", err)
	}
	var f storedClient
	if err := openJSON(s.box, clientAAD(c.ID, c.revision), sealed, &f); err != nil {
		return c, err
	}
	c.Name, c.Owner, c.Scope, c.CreatedBy, c.Redirects, c.Keys, c.FirstParty = f.Name, f.Owner, f.Scope, f.CreatedBy, f.Redirects, f.Keys, f.FirstParty
	c.State, c.Created, c.Ends, c.epoch, c.Maps = f.State, f.Created, f.Ends, f.Epoch, f.Maps
	return c, nil
}

// putClient stores c as the revision after the one it was read as; 0 is new.
func (s *Store) putClient(tx *sql.Tx, c Client) error {
	sealed, err := sealJSON(s.box, s.clientKey, clientAAD(c.ID, c.revision+1), storedClient{c.Name, c.Owner, c.Scope, c.CreatedBy, c.Redirects, c.Keys, c.FirstParty,
		c.State, c.Created, c.Ends, c.epoch, c.Maps})
	if err != nil {
		return err
	}
	if c.revision == 0 {
		_, err = tx.Exec(`insert into identity_client(id, revision, sealed) values(?,1,?)`, c.ID, sealed)
		return err
	}
	return one(tx.Exec(`update identity_client set revision=?, sealed=? where id=? and revision=?`, c.revision+1, sealed, c.ID, c.revision))
}

const selectClient = `select id, revision, sealed from identity_client`

// Client finds a program by id, whatever its state. Errors: outcome.NotFound.
func (s *Store) Client(ctx context.Context, id string) (Client, error) {
	return s.client(ctx, s.db.Reader(), id)
}

func (s *Store) client(ctx context.Context, q queryer, id string) (Client, error) {
	return s.scanClient(q.QueryRowContext(ctx, selectClient+` where id=?`, id))
}

// LiveClient is Client for one that may be used now. Errors: outcome.NotFound, with the same words for one that waits, ended or never was.
func (s *Store) LiveClient(ctx context.Context, id string) (Client, error) {
	c, err := s.Client(ctx, id)
	if err == nil && !s.Live(c) {
		err = outcome.New(outcome.NotFound, "there is no such client")
	}
	return c, err
}

// Live reports whether a program may be used now.
func (s *Store) Live(c Client) bool { return c.State == Active && s.now().Before(c.Ends) }

// Clients lists all programs, those that ended included, by id.
func (s *Store) Clients(ctx context.Context) ([]Client, error) { return s.clients(ctx, s.db.Reader()) }

func (s *Store) clients(ctx context.Context, q queryer) ([]Client, error) {
	rows, err := q.QueryContext(ctx, selectClient+` order by id`)
	if err != nil {
		return nil, outcome.Wrap("identity: clients", outcome.NoStore, "the clients cannot be read", err)
	}
	defer func() { _ = rows.Close() }()
	var out []Client
	for rows.Next() {
		c, err := s.scanClient(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// ClientsUsed says when each program last got a token; one that never did is not there. Of a directory, whose token lasts, it is when that was
// made. Errors: outcome.NoStore.
func (s *Store) ClientsUsed(ctx context.Context) (map[string]time.Time, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `select a.client, max(a.created_at), coalesce(max(t.used_at), 0) from identity_authorization a
		left join identity_token t on t."authorization"=a.number group by a.client`)
	if err != nil {
		return nil, outcome.Wrap("identity: clients", outcome.NoStore, "the clients cannot be read", err)
	}
	defer func() { _ = rows.Close() }()
	out := map[string]time.Time{}
	for rows.Next() {
		var client string
		var made, used int64
		if err := rows.Scan(&client, &made, &used); err != nil {
			return nil, outcome.Wrap("identity: clients", outcome.NoStore, "the clients cannot be read", err)
		}
		out[client] = timeOf(max(made, used))
	}
	return out, rows.Err()
}

// RegisterClient adds a program. Outside a sandbox it waits for a second person, who is not its owner: the item is returned and the
// state is [Waiting]. One that waited in vain may be registered again.
//
// Errors: outcome.Duplicate (the id is taken, or was), outcome.NotFound (no such owner), outcome.Required and outcome.Value for what
// does not fit together, with the field.
func (s *Store) RegisterClient(ctx context.Context, by audit.Agent, n NewClient) (Client, *Pending, error) {
	c, err := s.draftClient(n)
	if err != nil {
		return Client{}, nil, err
	}
	owner, err := s.owner(ctx, n.Owner)
	if err != nil {
		return Client{}, nil, err
	}
	switch before, err := s.Client(ctx, c.ID); {
	case outcome.Is(err, outcome.NotFound):
	case err != nil:
		return Client{}, nil, err
	case before.State != Waiting:
		return Client{}, nil, outcome.New(outcome.Duplicate, "this id is taken, or was: choose another").At("id")
	default:
		c.revision, c.epoch = before.revision, before.epoch
		if open, err := s.waits(ctx, c.ID); err != nil || open {
			return Client{}, nil, errors.Join(err, outcome.New(outcome.Duplicate, "this client waits for a second person already").At("id"))
		}
	}
	c.CreatedBy = by.Person
	var item *Pending
	if c.State = Active; !s.o.Sandbox {
		c.State = Waiting
		item = s.newPending(pendingClient, owner, by, "", nil)
		item.Client = c.ID
	}
	if _, err := s.personKey(ctx, owner.number); err != nil {
		return Client{}, nil, err
	}
	noted, err := s.note(ctx, s.event(by, didRegister, acted, c.said()))
	if err != nil {
		return Client{}, nil, err
	}
	return c, item, s.act(ctx, noted, func(tx *sql.Tx) error {
		if err := s.putClient(tx, c); err != nil || item == nil {
			return err
		}
		return s.insertPending(tx, item, owner)
	})
}

// owner finds who may answer for a program.
func (s *Store) owner(ctx context.Context, id string) (*row, error) {
	owner, err := s.find(ctx, s.db.Reader(), id)
	if outcome.Is(err, outcome.NotFound) || err == nil && !(owner.Active && slices.Contains(owner.Capacities(), StaffCapacity)) {
		return nil, outcome.New(outcome.NotFound, "the owner is no active member of staff: `chartwarden person list` shows the ids").At("owner")
	}
	return owner, err
}

// waits reports whether an open item is about the client.
func (s *Store) waits(ctx context.Context, id string) (bool, error) {
	items, err := s.Pending(ctx)
	return slices.ContainsFunc(items, func(p Pending) bool { return p.Client == id }), err
}

// said is a registration in the words of its entry.
func (c Client) said() string {
	kind := "third-party app"
	switch {
	case c.Provisions():
		kind = "directory service"
	case c.Backend():
		kind = "backend service"
	case c.FirstParty:
		kind = "first-party app"
	}
	return "client " + c.ID + " " + string(c.State) + ": " + kind + " of person " + c.Owner + "; scopes " + c.Scope + "; redirects " + strings.Join(c.Redirects, " ")
}

func (s *Store) activateClient(ctx context.Context, by audit.Agent, p *Pending, how string, also func(*sql.Tx) error) error {
	c, err := s.Client(ctx, p.Client)
	if err != nil {
		return err
	}
	if c.State != Waiting {
		return ErrChanged
	}
	c.State = Active
	n, err := s.note(ctx, s.event(by, didApprove, acted, how+"activate "+c.said()))
	if err != nil {
		return err
	}
	return s.act(ctx, n, func(tx *sql.Tx) error {
		if err := s.putClient(tx, c); err != nil {
			return err
		}
		return also(tx)
	})
}

// RevokeClient ends a program for good: its tokens are dead at once in every process on these files. It gives how many
// authorizations that cut. A log without store does not stop it: the entry is owed.
// Errors: outcome.NotFound; outcome.Conflict (it ended already).
func (s *Store) RevokeClient(ctx context.Context, by audit.Agent, id, reason string) (int, error) {
	c, err := s.Client(ctx, id)
	if err != nil {
		return 0, err
	}
	if c.State == Ended {
		return 0, outcome.New(outcome.Conflict, "this client was revoked already")
	}
	c.State, c.epoch = Ended, c.epoch+1
	n, err := s.noteOrOwe(ctx, s.event(by, didRevokeClient, acted, "client "+c.ID+": "+reason))
	if err != nil {
		return 0, err
	}
	var cut int64
	err = s.act(ctx, n, func(tx *sql.Tx) error {
		if err := s.putClient(tx, c); err != nil {
			return err
		}
		res, err := tx.Exec(`update identity_authorization set ended_at=?, ended_why='client-revoke' where client=? and ended_at=0 and ends_at>?`, micros(s.now()), c.ID, micros(s.now()))
		if err == nil {
			cut, err = res.RowsAffected()
		}
		return err
	})
	return int(cut), err
}

// orphan brings the end of an owner's programs near: somebody else must answer for them, or they stop. It gives their number.
func (s *Store) orphan(tx *sql.Tx, owner string) (int, error) {
	all, err := s.clients(context.Background(), tx)
	if err != nil {
		return 0, err
	}
	count := 0
	for _, c := range all {
		if end := s.now().UTC().Add(ownerGone); c.Owner == owner && c.State != Ended {
			if count++; end.Before(c.Ends) {
				c.Ends = end
			}
			if err := s.putClient(tx, c); err != nil {
				return 0, err
			}
		}
	}
	return count, nil
}

var clientID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,63}$`)

// draftClient checks that a registration fits together.
func (s *Store) draftClient(n NewClient) (Client, error) {
	bad := func(field, mend string) (Client, error) {
		return Client{}, outcome.New(outcome.Value, mend).At(field)
	}
	c := Client{ID: n.ID, Name: strings.Join(strings.Fields(n.Name), " "), Owner: n.Owner, Redirects: n.Redirects, FirstParty: n.FirstParty, Created: s.now().UTC(), Ends: n.Ends.UTC()}
	switch {
	case !clientID.MatchString(c.ID):
		return bad("id", "a client's id has 2 to 64 letters, digits, dots, dashes, underscores")
	case c.Name == "" || len(c.Name) > 100:
		return bad("name", "a client needs a name of at most 100 bytes, which people read before they let it in")
	case n.Ends.IsZero():
		c.Ends = c.Created.Add(clientLasts)
	case n.Ends.After(c.Created.Add(clientLasts)) || !n.Ends.After(c.Created):
		return bad("ends", "a registration ends within a year")
	}
	if strings.TrimSpace(n.Scope) == Provisioning {
		if c.Scope = Provisioning; len(n.Redirects) > 0 || len(n.Keys) > 0 || n.FirstParty {
			return bad("scope", "a program that keeps people (scim) has a token and nothing else: leave out redirect addresses and keys")
		}
		return c, nil
	}
	set, err := scope.Parse(n.Scope)
	if err != nil {
		return c, outcome.Wrap("identity: client", outcome.Value, "the scopes cannot be read", err)
	}
	c.Scope = set.String()
	if len(c.Redirects) > maxRedirects {
		return bad("redirect", "a client has at most 20 redirect addresses")
	}
	for _, r := range c.Redirects {
		if mend := redirectFault(r); mend != "" {
			return bad("redirect", mend)
		}
	}
	if len(n.Keys) > 0 {
		if c.Keys, err = publicKeys(n.Keys); err != nil {
			return c, err
		}
	}
	forPeople := set.In(scope.Patient) || set.In(scope.Person)
	switch {
	case c.Public() && c.Backend():
		return bad("jwks", "a backend service proves itself by a key (jwks), an app has a redirect address: give one of them, or both")
	case set.In(scope.System) && c.Public():
		return bad("scope", "system scopes are for clients with a key: give its public keys (jwks), or ask for patient or user scopes")
	case forPeople && c.Backend():
		return bad("scope", "patient and user scopes are for apps that people open: give a redirect address, or ask for system scopes")
	case len(set.Resources()) == 0 && !set.Has(scope.OpenID):
		return bad("scope", "the scopes name no resource: write for example \"system/Observation.rs\"")
	case c.FirstParty && c.Backend():
		return bad("first-party", "a backend service is never first-party: that is for apps that people open")
	}
	return c, nil
}

var privateScheme = regexp.MustCompile(`^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+$`)

// redirectFault says what is wrong with a redirect address: codes go to https, to this machine, or to a scheme that one app owns.
// Source: https://www.rfc-editor.org/rfc/rfc8252#section-7.
func redirectFault(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme == "" || strings.ContainsAny(text, "*# \t\r\n\\") || u.User != nil || len(text) > 512:
		return "a redirect address is absolute and exact: https://app.example/callback, without fragment or wildcard"
	case u.Scheme == "https" && u.Host != "":
		return ""
	case u.Scheme == "http" && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()):
		return ""
	case privateScheme.MatchString(u.Scheme):
		return ""
	}
	return "a redirect address is https, http on this machine (localhost), or a scheme of the app's own with a dot in it (com.example.app:/callback)"
}

// publicKeys reads a JWK Set and keeps of it what verifies RS384 and ES384.
func publicKeys(text []byte) (json.RawMessage, error) {
	bad := func(mend string) (json.RawMessage, error) { return nil, outcome.New(outcome.Value, mend).At("jwks") }
	var set jose.JSONWebKeySet
	if len(text) > 64<<10 || json.Unmarshal(text, &set) != nil || len(set.Keys) == 0 {
		return bad(`the file is no JWK Set: {"keys":[...]} with public keys`)
	}
	seen := map[string]bool{}
	for _, k := range set.Keys {
		alg := AssertionAlgorithm(k)
		switch {
		case !k.Valid():
			return bad("a key of the JWK Set is not valid")
		case !k.IsPublic():
			return bad("the JWK Set holds a private or shared key: keep that, replace it by a new one, and give the public keys only")
		case alg == "":
			return bad("each key is RSA of at least 2048 bits (RS384), or EC P-384 (ES384)")
		case k.KeyID == "" || seen[k.KeyID]:
			return bad("each key has a kid of its own")
		}
		seen[k.KeyID] = true
	}
	return json.Marshal(set)
}
