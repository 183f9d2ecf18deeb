package identity

import (
	"context"
	"slices"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// Who can be the second person. One rule says it to whoever agrees, to an asker who would agree alone because nobody else can, and to
// whoever gives a role by which somebody becomes one.

// MayAgree reports whether somebody with these roles can be the second person of a change of people or programs, as far as roles go.
func MayAgree(roles []string) bool {
	return slices.ContainsFunc(roles, func(x string) bool { return slices.Contains(agreeing, x) })
}

// mayAgree asks the rules in force as well.
func (s *Store) mayAgree(r *row) bool {
	return MayAgree(r.Roles) && (s.o.Agrees == nil || s.o.Agrees(r.Person))
}

// eyes is what is known at one moment of those who could be somebody's second person.
type eyes struct {
	everybody []*row                     // who is active
	ripe, old map[int64]bool             // see [Store.ripe]
	makers    map[string]map[string]bool // see makersOf; in a sandbox nobody's
}

func (s *Store) eyes(ctx context.Context) (e eyes, err error) {
	all, err := s.all(ctx, s.db.Reader(), "") // those who left have made people, too
	if err != nil {
		return e, err
	}
	if !s.o.Sandbox {
		e.makers = makersOf(all)
	}
	e.everybody = slices.DeleteFunc(all, func(r *row) bool { return r.State != Active })
	e.ripe, e.old, err = s.ripe(ctx)
	return e, err
}

// bars says why r cannot look at what asker asks about somebody, whatever her roles; empty: she can. counts are those whose factors do.
func (e eyes) bars(r *row, asker, about string, counts map[int64]bool) string {
	switch {
	case r.ID == asker:
		return "somebody else than who asked approves this"
	case r.ID == about:
		return "nobody approves what concerns himself"
	case !counts[r.number]:
		return "how you sign in was changed too lately to be a second pair of eyes: you count 24 hours after your newest authenticator or passkey was set up"
	case e.makers[r.ID][asker] || e.makers[asker][r.ID]:
		return "who asked and who approves must not have created one another"
	}
	return ""
}

// agreeing are those who can agree to what asker asks about somebody, as far as counts goes.
func (s *Store) agreeing(e eyes, asker, about string, counts map[int64]bool) (out []Person) {
	for _, r := range e.everybody {
		if e.bars(r, asker, about, counts) == "" && s.mayAgree(r) {
			out = append(out, r.Person)
		}
	}
	return out
}

// CanAgree lists, by name, who can now be the second person of what somebody asks about a person or a program of hers. Errors: outcome.NoStore.
func (s *Store) CanAgree(ctx context.Context, asker, about string) ([]Person, error) {
	e, err := s.eyes(ctx)
	if err != nil {
		return nil, err
	}
	out := s.agreeing(e, asker, about, e.ripe)
	slices.SortFunc(out, byName)
	return out, nil
}

// second checks that by is a second pair of eyes on p; alone reports the exception of a solo practice. Whose roles let her agree to an [Act]
// is for its owner to say.
func (s *Store) second(ctx context.Context, p *Pending, by audit.Agent) (alone bool, err error) {
	refuse := func(why string) (bool, error) {
		return false, outcome.New(outcome.Forbidden, why).Because("two-people")
	}
	if by.Person == "" || by.Capacity != StaffCapacity {
		return refuse("a second person approves this, signed in as staff: a command line or a program is nobody")
	}
	e, err := s.eyes(ctx)
	if err != nil {
		return false, err
	}
	i := slices.IndexFunc(e.everybody, func(r *row) bool { return r.ID == by.Person })
	if i < 0 {
		return refuse("you are not active")
	}
	me := e.everybody[i]
	if p.Act == nil && !s.mayAgree(me) {
		return refuse("an administrator or a privacy officer approves this")
	}
	said := e.bars(me, p.AskedBy, p.Person, e.ripe)
	if said == "" {
		return false, nil
	}
	if me.ID != p.AskedBy || p.Kind == pendingReset || p.Act != nil || s.now().Sub(p.Asked) < aloneAfter || len(s.agreeing(e, p.AskedBy, p.Person, e.old)) > 0 {
		return refuse(said)
	}
	return true, nil
}

// makersOf are, for each person, those who created her, who created those, and so on: somebody could make a person of her own who makes
// another, and be three.
func makersOf(everybody []*row) map[string]map[string]bool {
	by := map[string]string{}
	for _, r := range everybody {
		by[r.ID] = r.CreatedBy
	}
	out := map[string]map[string]bool{}
	for id := range by {
		of := map[string]bool{}
		for maker := by[id]; maker != "" && !of[maker]; maker = by[maker] {
			of[maker] = true
		}
		out[id] = of
	}
	return out
}

// givesEyes reports whether about gains a role that two have to give, by a person's hand, though another is there who could look at that:
// else one person makes herself the two who agree. about is empty for somebody new.
func (s *Store) givesEyes(ctx context.Context, by audit.Agent, about string, p, old profile) (bool, error) {
	gains := slices.ContainsFunc(p.Roles, func(x string) bool { return slices.Contains(peopleRoles, x) && !slices.Contains(old.Roles, x) })
	if by.Person == "" || !gains {
		return false, nil
	}
	e, err := s.eyes(ctx)
	if err != nil {
		return false, err
	}
	return len(s.agreeing(e, by.Person, about, e.old)) > 0, nil
}

// ripe are the people who count as a second pair of eyes: their newest factor is old enough, and so is the newest thing that was done to
// how they sign in, for who planted a factor could remove it again or have it closed. Suspect passkeys do not count. old are those of
// whom any factor is old enough: a factor made today does not take somebody out of the world, so that another may approve alone.
func (s *Store) ripe(ctx context.Context) (ripe, old map[int64]bool, err error) {
	before := micros(s.now().Add(-s.o.Ripe))
	ripe, old = map[int64]bool{}, map[int64]bool{}
	young := map[int64]bool{}
	count := func(person, made int64) {
		if made <= before {
			old[person] = true
		} else {
			young[person] = true
		}
	}
	found, err := s.factors(ctx, s.db.Reader(), `c.kind='totp'`)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range found {
		count(c.person, c.enrolled)
	}
	keys, err := s.passkeys(ctx, s.db.Reader(), `k.made_at>=0`)
	if err != nil {
		return nil, nil, err
	}
	for _, k := range keys {
		if !k.Suspect {
			count(k.person, k.made)
		}
	}
	planted, err := s.planted(ctx, before)
	if err != nil {
		return nil, nil, err
	}
	for person := range old {
		ripe[person] = !young[person] && !planted[person]
	}
	return ripe, old, nil
}
