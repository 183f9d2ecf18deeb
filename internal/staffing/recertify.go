package staffing

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/care"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
)

// How long people have to answer: the usual, and the least and the most that may be chosen.
const (
	AnswersWithin = 14 * 24 * time.Hour
	answersLeast  = 24 * time.Hour
	answersMost   = 92 * 24 * time.Hour
)

// wordsAsked is how long a word must still run to be asked about: what the clock ends tomorrow needs no answer.
const wordsAsked = 48 * time.Hour

// Recertifying is whom a recertification is about. With neither manager nor department: everybody who works here.
type Recertifying struct {
	Due        time.Time // zero: in 14 days
	Owners     []string  // ids of who answers for whoever has no manager who can; the first who is not the person herself
	Manager    string    // id: only the people of this manager
	Department string    // only of this department
}

// Recertify asks who answers for people whether roles, clearances and words that run on are still needed: her manager, else an owner; nobody
// answers for herself. What nobody answers until the day lapses ([Desk.Tick]).
//
// Errors: outcome.Value (the day, an owner who does not work here, or nothing to ask about); outcome.Conflict (nobody could answer for somebody).
func (d *Desk) Recertify(ctx context.Context, by audit.Agent, r Recertifying) (identity.Recertification, error) {
	now := d.o.Now()
	if r.Due.IsZero() {
		r.Due = now.Add(AnswersWithin)
	}
	if within := r.Due.Sub(now); within < answersLeast || within > answersMost {
		return identity.Recertification{}, outcome.New(outcome.Value, "people need a day at least to answer, and three months at most").At("due")
	}
	people, err := d.o.Persons.People(ctx)
	if err != nil {
		return identity.Recertification{}, err
	}
	byID := map[string]identity.Person{}
	for _, p := range people {
		byID[p.ID] = p
	}
	works := func(id string) bool {
		p, ok := byID[id]
		return ok && p.Active && slices.Contains(p.Capacities(), identity.StaffCapacity) && !p.PortalOnly()
	}
	for _, id := range r.Owners {
		if !works(id) {
			return identity.Recertification{}, outcome.New(outcome.Value, "an owner is the id of somebody who works here").At("owner")
		}
	}
	words, err := d.o.Gate.StandingWords(ctx, now.Add(wordsAsked))
	if err != nil {
		return identity.Recertification{}, err
	}
	known, err := d.evidence(ctx, people)
	if err != nil {
		return identity.Recertification{}, err
	}
	var asked []identity.Holding
	for _, p := range people {
		if !p.Active && p.State != identity.Suspended || p.PortalOnly() || r.Manager != "" && p.Manager != r.Manager || r.Department != "" && p.Department != r.Department {
			continue
		}
		held := holdings(p, words[p.ID], byID)
		if len(held) == 0 {
			continue
		}
		candidates := append([]string{p.Manager}, r.Owners...)
		i := slices.IndexFunc(candidates, func(id string) bool { return id != p.ID && works(id) })
		if i < 0 {
			return identity.Recertification{}, outcome.New(outcome.Conflict, "nobody could answer for person "+p.ID+": set a manager on her page, or name a further owner").At("owner")
		}
		for _, h := range held {
			h.Reviewer, h.Marks = candidates[i], known.marks(p, h.Kind, h.What)
			asked = append(asked, h)
		}
	}
	return d.o.Persons.StartRecertification(ctx, by, identity.Recertification{Owners: r.Owners, Due: r.Due}, asked)
}

// holdings are what is asked about one person.
func holdings(p identity.Person, words []access.Word, byID map[string]identity.Person) (out []identity.Holding) {
	for _, role := range p.RolesIn(identity.StaffCapacity) {
		out = append(out, identity.Holding{Person: p.ID, Kind: identity.RoleHeld, What: role})
	}
	for _, label := range p.Clearances {
		out = append(out, identity.Holding{Person: p.ID, Kind: identity.ClearanceHeld, What: label})
	}
	for _, w := range words {
		says := "may open one chart, by a colleague's word"
		if w.Kind == care.Covers {
			says = "stands in for " + byID[w.Whom].Name
		}
		out = append(out, identity.Holding{Person: p.ID, Kind: identity.WordHeld, What: strconv.FormatInt(w.ID, 10), Says: says + ", until " + w.Until.UTC().Format("2 Jan 2006")})
	}
	return out
}

// Answer keeps what somebody holds, or takes it away, by whoever is asked about it. Taking away is the act of identity or of the door that ends
// it, and nothing here waits for a second person: less is held after it.
//
// Errors: outcome.NotFound (not asked of this person, or nobody is asked); outcome.Conflict (answered meanwhile; the last administrator or
// privacy officer); as the acts.
func (d *Desk) Answer(ctx context.Context, by audit.Agent, id string, keep bool) error {
	open, err := d.o.Persons.OpenHoldings(ctx, by.Person)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(open, func(h identity.Holding) bool { return h.ID == id })
	if i < 0 || by.Person == "" {
		return outcome.New(outcome.NotFound, "this was answered already, or somebody else is asked")
	}
	if keep {
		return d.o.Persons.AnswerHolding(ctx, by, open[i], identity.Kept)
	}
	return d.take(ctx, by, open[i], identity.Taken)
}

// KeepOrdinary keeps what a person is asked about and nothing speaks against, and counts it. Errors: the first; the others are answered.
func (d *Desk) KeepOrdinary(ctx context.Context, by audit.Agent) (n int, err error) {
	open, err := d.o.Persons.OpenHoldings(ctx, by.Person)
	if err != nil {
		return 0, err
	}
	for _, h := range open {
		if Risk(h) > 0 {
			continue
		}
		switch failed := d.o.Persons.AnswerHolding(ctx, by, h, identity.Kept); {
		case failed == nil:
			n++
		case !outcome.Is(failed, outcome.Conflict) && err == nil: // a conflict: answered by another meanwhile
			err = failed
		}
	}
	return n, err
}

// take ends what somebody holds. A word ends first: where the answer is not stored after that, it is asked again and found ended.
func (d *Desk) take(ctx context.Context, by audit.Agent, h identity.Holding, answer string) error {
	if h.Kind != identity.WordHeld {
		return d.o.Persons.TakeAway(ctx, by, h, answer)
	}
	if by.Person == h.Person {
		return outcome.New(outcome.Forbidden, "nobody answers for herself: somebody else is asked").Because("self-grant")
	}
	number, err := strconv.ParseInt(h.What, 10, 64)
	if err != nil {
		return err
	}
	ran, err := d.o.Gate.TakeWord(ctx, by, number)
	if err != nil {
		return err
	}
	if !ran {
		answer = identity.Moot
	}
	return d.o.Persons.AnswerHolding(ctx, by, h, answer)
}

// Lapse takes away what nobody answered for until its day, and names it. Of a person who is on shift, holds a grant of the glass, or is in
// contact with a patient, nothing is taken until that is over; the last administrator and the last privacy officer stay. Both stay open and are
// looked at again each minute, by whichever node. Errors: the first; the others are done.
func (d *Desk) Lapse(ctx context.Context) (lapsed []identity.Holding, err error) {
	due, err := d.o.Persons.Lapsing(ctx)
	if err != nil {
		return nil, err
	}
	for _, x := range due {
		all, failed := d.o.Persons.Holdings(ctx, x.ID)
		if failed != nil {
			return lapsed, failed
		}
		busy := map[string]bool{}
		for _, h := range all {
			if h.Answer != "" {
				continue
			}
			waits, known := busy[h.Person]
			if !known {
				if waits, failed = d.waits(ctx, h.Person); failed != nil {
					err = firstOf(err, failed)
					waits = true // not known: nothing is taken from somebody who may have a patient before her
				}
				busy[h.Person] = waits
			}
			if waits {
				continue
			}
			switch failed := d.take(ctx, clockwork, h, identity.Lapsed); {
			case failed == nil:
				lapsed = append(lapsed, h)
			case outcome.Is(failed, outcome.Conflict): // changed or answered meanwhile, or the last one: it stays open
			default:
				err = firstOf(err, failed)
			}
		}
	}
	if len(lapsed) > 0 {
		d.o.Logger.Info("rights lapsed that nobody answered for", "holdings", len(lapsed))
	}
	return lapsed, err
}

// waits reports whether nothing may be taken from a person by the clock now.
func (d *Desk) waits(ctx context.Context, person string) (bool, error) {
	p, err := d.o.Persons.Person(ctx, person)
	if err != nil || !p.Active {
		return false, err
	}
	return d.o.Gate.WithPatients(ctx, p)
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// Progress is how a recertification stands.
type Progress struct {
	identity.Recertification
	Open, Kept, Taken, Lapsed, Moot int
	People                          int
	Waiting                         map[string]int // open, by id of who is asked
}

// Progress counts the answers of a recertification. Errors: outcome.NotFound, outcome.NoStore.
func (d *Desk) Progress(ctx context.Context, id string) (Progress, error) {
	all, err := d.o.Persons.Recertifications(ctx)
	if err != nil {
		return Progress{}, err
	}
	i := slices.IndexFunc(all, func(x identity.Recertification) bool { return x.ID == id })
	if i < 0 {
		return Progress{}, outcome.New(outcome.NotFound, fmt.Sprintf("there is no recertification %s", strconv.Quote(id)))
	}
	out := Progress{Recertification: all[i], Waiting: map[string]int{}}
	held, err := d.o.Persons.Holdings(ctx, id)
	seen := map[string]bool{}
	for _, h := range held {
		if !seen[h.Person] {
			seen[h.Person] = true
			out.People++
		}
		switch h.Answer {
		case identity.Kept:
			out.Kept++
		case identity.Taken:
			out.Taken++
		case identity.Lapsed:
			out.Lapsed++
		case identity.Moot:
			out.Moot++
		default:
			out.Open++
			out.Waiting[h.Reviewer]++
		}
	}
	return out, err
}
