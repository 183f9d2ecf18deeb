package casework

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/detect"
	"chartwarden/internal/identity"
	"chartwarden/internal/policy"
)

// File is one case with everything that helps to decide it.
type File struct {
	Listed
	Barred    string // why the officer takes no step on it; empty when she may
	Mutable   bool
	Mute      time.Time // until when two officers leave the suspicion alone; zero: not
	Lines     []access.Line
	Skipped   int                     // accesses of the log that Lines leave out
	Rows      map[string]detect.Event // of the other system's log, by the id of the event; nil: it is the own log
	Facts     []access.CaseFact
	Shifts    []access.Shift
	Questions []Question
	Reasons   []access.Line     // what the person said in My activity by herself about the patients of the case, oldest first
	Officers  []identity.Person // to whom it can be handed over
	Alike     []Listed          // closed cases of the same kind, the newest first
	About     []Listed          // other cases about the same person
	Prev      string            // the neighbours in the queue
	Next      string
	Entry     string // of this reading
}

const (
	linesRead   = 60 // log entries that a page of a case reads, the newest
	factsAsked  = 25 // pairs that are held against the relationships
	alikeShown  = 4
	shiftsAsked = 40 // moments at which the roster is asked
)

// Open gives one case. The reading is an entry, and where it shows whose the case is, that says so. A case about the officer's own
// accesses is not there. Errors: as [Office.Cases]; outcome.NotFound.
func (f *Office) Open(ctx context.Context, p access.Principal, id string) (File, error) {
	if err := f.o.Gate.Permit(ctx, p, policy.Cases); err != nil {
		return File{}, err
	}
	c, err := f.reach(ctx, p, id)
	if err != nil {
		return File{}, err
	}
	me, now := staff(p), f.now()
	out := File{Listed: Listed{Case: c, Who: f.who(ctx, &c, me), Overdue: c.late(now), Officer: f.name(ctx, c.Owner)}, Mutable: c.Mutable()}
	logged := access.CaseStep{Case: id, Step: "open"}
	if out.Who.ID != "" {
		logged.Text = "person " + out.Who.ID
	}
	if out.Lines, out.Skipped, out.Entry, err = f.lines(ctx, p, logged, &c); err != nil {
		return File{}, err
	}
	out.Rows = f.rows(ctx, &c)
	if out.Barred, err = f.Barred(ctx, p, &c); err != nil {
		return File{}, err
	}
	if c.Person != "" && !c.program() {
		var links []access.Link
		var at []time.Time
		seen := map[string]bool{}
		for _, e := range c.Events {
			if e.Patient != "" && !seen[e.Patient] && len(links) < factsAsked {
				seen[e.Patient] = true
				links = append(links, access.Link{PatientID: chartOf(e.Patient), At: e.Time})
			}
		}
		if out.Facts, err = f.o.Gate.CaseFacts(ctx, c.Person, links); err != nil {
			return File{}, err
		}
		for _, e := range c.Events { // the roster is asked once for each six hours in which something happened
			if n := len(at); n < shiftsAsked && (n == 0 || e.Time.Sub(at[n-1]) > 6*time.Hour) {
				at = append(at, e.Time)
			}
		}
		if out.Shifts, err = f.o.Gate.ShiftsAround(ctx, c.Person, at...); err != nil {
			return File{}, err
		}
	}
	if out.Questions, err = f.questionsOf(ctx, id); err != nil {
		return File{}, err
	}
	if out.Reasons, err = f.reasons(ctx, &c); err != nil {
		return File{}, err
	}
	if err := f.muteOf(ctx, &out); err != nil {
		return File{}, err
	}
	officers, err := f.officers(ctx)
	if err != nil {
		return File{}, err
	}
	out.Officers = slices.DeleteFunc(officers, func(x identity.Person) bool { return x.ID == me.ID || aboutMe(&c, x) })
	return out, f.beside(ctx, &out, me)
}

func (f *Office) lines(ctx context.Context, p access.Principal, step access.CaseStep, c *Case) ([]access.Line, int, string, error) {
	var at []int64
	for _, e := range slices.Backward(c.Events) {
		if e.Entry >= 0 && !slices.Contains(at, e.Entry) {
			at = append(at, e.Entry)
		}
	}
	skipped := max(0, len(at)-linesRead)
	lines, entry, err := f.o.Gate.CaseLines(ctx, p, step, at[:min(len(at), linesRead)]...)
	return lines, skipped, entry, err
}

// reasons are what the person of a case said by herself about it: a claim that changes nothing of the case.
func (f *Office) reasons(ctx context.Context, c *Case) ([]access.Line, error) {
	if c.Person == "" || c.program() || len(c.Events) == 0 {
		return nil, nil
	}
	said, err := f.o.Gate.OwnReasons(ctx, c.Person, c.Events[0].Time)
	return slices.DeleteFunc(said, func(l access.Line) bool { return !slices.Contains(c.Patients, "Patient/"+l.PatientID) }), err
}

func (f *Office) muteOf(ctx context.Context, out *File) error {
	live, err := f.mutes(ctx, f.d.Reader(), `name = ? and until > ?`, f.nameOf(out.Agent, out.Case.Hypothesis), f.now().UnixMicro())
	for _, m := range live {
		out.Mute = m.Until
	}
	return err
}

// beside finds what stands beside a case: its neighbours in the queue, what is alike, what else there is about the person.
func (f *Office) beside(ctx context.Context, out *File, me identity.Person) error {
	open, err := f.Queue(ctx)
	if err != nil {
		return err
	}
	now := f.now()
	by := Filter{View: ToDo}
	if out.Queue == Watch && out.State == New {
		by.View = OnWatch
	}
	open = slices.DeleteFunc(open, func(c Case) bool { return aboutMe(&c, me) || !by.keeps(&c, me) })
	slices.SortStableFunc(open, func(a, b Case) int { return cmp.Or(boolean(b.late(now))-boolean(a.late(now)), comparePressing(a, b)) })
	if at := slices.IndexFunc(open, func(c Case) bool { return c.ID == out.ID }); at >= 0 {
		if at > 0 {
			out.Prev = open[at-1].ID
		}
		if at+1 < len(open) {
			out.Next = open[at+1].ID
		}
	}
	done, err := f.closed(ctx, me, Filter{Hypothesis: out.Case.Hypothesis})
	if err != nil {
		return err
	}
	for _, c := range done {
		if c.ID != out.ID && len(out.Alike) < alikeShown {
			out.Alike = append(out.Alike, Listed{Case: c, Who: f.who(ctx, &c, me)})
		}
	}
	others, err := f.ByPerson(ctx, out.Agent)
	if err != nil {
		return err
	}
	for _, c := range others {
		if c.ID != out.ID {
			out.About = append(out.About, Listed{Case: c, Who: f.who(ctx, &c, me)})
		}
	}
	return nil
}

func chartOf(ref string) string {
	if len(ref) > 8 && ref[:8] == "Patient/" {
		return ref[8:]
	}
	return ref
}

// Hours are those at which the person of a case usually works, those of her peers, and who the peers are. For a page of a case whose
// opening is durable.
func (f *Office) Hours(ctx context.Context, c *Case) (own, peers access.Hours, of string, err error) {
	if c.Person == "" || c.program() || len(c.Events) == 0 {
		return own, peers, "", nil
	}
	until := c.Events[0].Time
	since := until.Add(-12 * 7 * 24 * time.Hour)
	if own, err = f.o.Gate.HoursOf(ctx, since, until, c.Person); err != nil {
		return own, peers, "", err
	}
	person := f.person(ctx, c)
	people, err := f.o.Persons.People(ctx)
	if err != nil {
		return own, peers, "", err
	}
	var ids []string
	for _, x := range people {
		if x.ID != person.ID && x.Active && x.Department == person.Department && slices.ContainsFunc(x.Roles, func(r string) bool { return r != identity.Patient && slices.Contains(person.Roles, r) }) && len(ids) < 8 {
			ids = append(ids, x.ID)
		}
	}
	if len(ids) == 0 {
		return own, peers, "", nil
	}
	peers, err = f.o.Gate.HoursOf(ctx, since, until, ids...)
	return own, peers, strconv.Itoa(len(ids)), err
}
