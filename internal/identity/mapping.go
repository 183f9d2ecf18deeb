package identity

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// ProviderSource begins the source of accounts at an identity provider; its issuer follows. What its groups give is kept by this house, as
// for a directory, and which roles came of it is remembered for each person.
const ProviderSource = "oidc:"

// maps is what the groups of an identity provider give, as it lies in its row.
type maps struct {
	Maps     []MappedGroup
	revision int64
}

func mappingAAD(source string, revision int64) []byte {
	return aad("mapping", source+"/"+strconv.FormatInt(revision, 10))
}

func (s *Store) mapping(ctx context.Context, source string) (m maps, err error) {
	var sealed []byte
	err = s.db.Reader().QueryRowContext(ctx, `select revision, sealed from identity_mapping where source=?`, source).Scan(&m.revision, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return m, nil
	}
	if err != nil {
		return m, unreadableAccounts(err)
	}
	return m, openJSON(s.box, mappingAAD(source, m.revision), sealed, &m)
}

// Mapped is which roles the groups of a source give: of a program that provisions, or of an identity provider. Errors: outcome.NotFound (no
// such program).
func (s *Store) Mapped(ctx context.Context, source string) ([]MappedGroup, error) {
	if strings.HasPrefix(source, ProviderSource) {
		m, err := s.mapping(ctx, source)
		return m.Maps, err
	}
	c, err := s.Client(ctx, source)
	return c.Maps, err
}

// MapProvider is [Store.MapGroup] for an identity provider. Errors: outcome.NotFound and outcome.Duplicate (it is not, or is, mapped so
// already); outcome.CodeInvalid (no such role); outcome.Conflict (changed meanwhile).
func (s *Store) MapProvider(ctx context.Context, by audit.Agent, source, group, role string, remove bool) ([]MappedGroup, error) {
	m, err := s.mapping(ctx, source)
	if err != nil {
		return nil, err
	}
	next, verb, err := remapped(m.Maps, MappedGroup{group, role, by.Person, s.now().UTC()}, remove)
	if err != nil {
		return m.Maps, err
	}
	n, err := s.note(ctx, s.event(by, didProvision, acted, "identity provider "+strings.TrimPrefix(source, ProviderSource)+": group "+fmt.Sprintf("%q", group)+verb+role))
	if err != nil {
		return m.Maps, err
	}
	err = s.act(ctx, n, func(tx *sql.Tx) error {
		sealed, err := sealJSON(s.box, s.clientKey, mappingAAD(source, m.revision+1), maps{Maps: next})
		if err != nil {
			return err
		}
		if m.revision == 0 {
			return one(tx.Exec(`insert into identity_mapping(source, revision, sealed) values(?,1,?) on conflict (source) do nothing`, source, sealed))
		}
		return one(tx.Exec(`update identity_mapping set revision=?, sealed=? where source=? and revision=?`, m.revision+1, sealed, source, m.revision))
	})
	if err != nil {
		return m.Maps, err
	}
	return next, nil
}

// remapped adds or takes away what a group gives, and says so for the entry.
func remapped(before []MappedGroup, m MappedGroup, remove bool) (after []MappedGroup, verb string, err error) {
	if _, err := cleanRoles([]string{m.Role}); err != nil || m.Role == Patient {
		return nil, "", outcome.New(outcome.CodeInvalid, "there is no such role at work").At("role")
	}
	after = slices.DeleteFunc(slices.Clone(before), func(o MappedGroup) bool { return o.Group == m.Group && o.Role == m.Role })
	there := len(after) < len(before)
	switch {
	case remove && !there:
		return nil, "", outcome.New(outcome.NotFound, "this group does not give this role")
	case !remove && there:
		return nil, "", outcome.New(outcome.Duplicate, "this group gives this role already")
	case m.Group == "" || len(m.Group) > 256:
		return nil, "", outcome.New(outcome.Value, "name the group as the directory does, in at most 256 bytes").At("group")
	case remove:
		return after, " no longer gives ", nil
	}
	return append(after, m), " gives ", nil
}

// providerBody is the account of a person at an identity provider.
type providerBody struct {
	Groups []string `json:"groups"`
}

// SetProviderGroups keeps in which groups a provider says that the person of an account is; those alone count that this house maps. It changes
// nobody's roles: changed says that the caller has them brought up to date. Errors: outcome.Conflict (changed meanwhile: [ErrChanged]).
func (s *Store) SetProviderGroups(ctx context.Context, by audit.Agent, v Vouched, person string, groups []string) (changed bool, err error) {
	source := ProviderSource + v.Issuer
	if v.Subject == "" { // unlinked: whoever gets the account next is somebody else
		v.Subject = "unlinked " + person
	}
	mapped, err := s.Mapped(ctx, source)
	if err != nil {
		return false, err
	}
	kept := cleanSet(slices.DeleteFunc(slices.Clone(groups), func(g string) bool {
		return !slices.ContainsFunc(mapped, func(m MappedGroup) bool { return m.Group == g })
	}))
	body, err := json.Marshal(providerBody{kept})
	if err != nil {
		return false, outcome.Wrap("identity: groups", outcome.Exception, "the groups could not be kept", err)
	}
	a, err := s.Account(ctx, source, person)
	if outcome.Is(err, outcome.NotFound) {
		if len(kept) == 0 {
			return false, nil
		}
		return true, s.TakeOn(ctx, by, Account{Source: source, Person: person, Key: v.Subject, Body: body})
	}
	if err != nil {
		return false, err
	}
	var due []string
	for _, m := range mapped {
		if slices.Contains(kept, m.Group) {
			due = append(due, m.Role)
		}
	}
	if string(a.Body) == string(body) && a.Key == v.Subject {
		return len(a.Giving) > 0 || !slices.Equal(a.Given, cleanSet(due)), nil
	}
	a.Body, a.Key = body, v.Subject
	return true, s.KeepAccount(ctx, a)
}

// providerGroups are the groups of an identity provider, told by the accounts of their members.
func providerGroups(accounts []Account) (out []Group) {
	members := map[string][]string{}
	for _, a := range accounts {
		var b providerBody
		_ = json.Unmarshal(a.Body, &b) // it was written here
		for _, g := range b.Groups {
			members[g] = append(members[g], a.Person)
		}
	}
	for g, people := range members {
		name, _ := json.Marshal(map[string]string{"displayName": g})
		out = append(out, Group{ID: g, Body: name, Members: people})
	}
	return out
}
