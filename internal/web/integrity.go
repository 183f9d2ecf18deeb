package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// checks are the verifications since this process started, newest first. Each is an entry too.
type checks struct {
	mu   sync.Mutex
	done []check
}

type check struct {
	access.Verified
	by string
}

const checksKept = 10

func (c *checks) add(one check) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done = slices.Insert(c.done, 0, one)
	c.done = c.done[:min(len(c.done), checksKept)]
}

func (c *checks) all() []check {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.done)
}

// integrity shows whether the record is whole.
func (p *Pages) integrity(w http.ResponseWriter, r *http.Request) {
	p.integrityPage(w, r, http.StatusOK, p.asks(r), "")
}

func (p *Pages) integrityPage(w http.ResponseWriter, r *http.Request, status int, who access.Principal, problem string) {
	in, err := p.o.Gate.Integrity(r.Context(), who)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, in.Entry)
	v := page.IntegrityView{Shell: withEntry(p.shell(r, atIntegrity, atIntegrity), in.Entry), State: integrityState(in.State), Head: string(in.Head), CanAck: in.MayAcknowledge, Problem: problem}
	v.Lead, v.Text = p.verdict(in)
	v.Facts = []look.Fact{{Name: "Origin", Value: in.Origin}, {Name: "Entries", Value: look.Number(in.Size)}}
	if in.Checkpoint.Origin != "" {
		v.Facts = append(v.Facts, look.Fact{Name: "Root", Value: in.Checkpoint.Root.String()})
	}
	if !in.Last.IsZero() {
		v.Facts = append(v.Facts, look.Fact{Name: "Newest entry", Value: look.Exact(in.Last.In(p.o.Zone)).Text()})
	}
	v.Facts = append(v.Facts, look.Fact{Name: "Key", Value: in.Verifier})
	if in.Alarms.Count > 0 {
		v.Facts = append(v.Facts, look.Fact{Name: "Altered outside this server", Tone: look.Crit,
			Value: look.Plural(int64(in.Alarms.Count), "row, which does not count", "rows, which do not count") + ": " + strings.Join(in.Alarms.Newest, ", ")})
	}
	v.Facts = append(v.Facts, p.drillFacts()...)
	if in.Waiting > 0 {
		v.Facts = append(v.Facts, look.Fact{Name: "In the emergency journal", Value: look.Plural(in.Waiting, "entry waits", "entries wait"), Tone: look.Warn})
	}
	if in.Outside != "none" {
		v.Copies = []page.Copy{p.headFile(in)}
	}
	for _, w := range in.Witnesses {
		v.Copies = append(v.Copies, p.witness(w))
		if w.Trouble != "" {
			v.Troubles = append(v.Troubles, strings.ToUpper(w.Trouble[:1])+w.Trouble[1:])
		}
	}
	if v.State == page.Unwitnessed {
		v.Shell.Banners = append(v.Shell.Banners, look.UnwitnessedBanner(ago(in.WitnessAge)))
	}
	for i, c := range p.checks.all() {
		v.Checks = append(v.Checks, checked(c, p.o.Zone))
		if i == 0 {
			v.Faults, v.Hidden = faults(c)
		}
	}
	p.draw(w, r, status, page.Integrity(v))
}

// verdict says in a sentence how sure one can be, and in another why not surer.
func (p *Pages) verdict(in access.Integrity) (lead, text string) {
	switch integrityState(in.State) {
	case page.Cut:
		return "Cut: two copies of the record disagree", in.Evidence + " Care goes on in a new record; exports, deletions and administration wait until somebody has seen this."
	case page.Journal:
		return "The emergency journal serves", "The record cannot be written: " + in.Fault + ". Charts open as usual and every opening is kept in a sealed journal, which is taken in when the record is back."
	}
	switch integrityState(in.State) {
	case page.Disputed:
		return "A witness knows another record than this one", "It says: " + in.Disputed + ". Either this server goes on with an older or a changed copy, or another one writes under its name. " +
			"Care goes on; exports, deletions and administration wait. The next start of the server closes this record and opens a new one."
	case page.Proven:
		return "Proven: " + look.Number(witnessedEntries(in.State)) + " of " + look.Plural(in.Size, "entry", "entries") + " stand under a head that a witness cosigned",
			"Somebody on another machine keeps that head and never cosigns a second history of this record. What is newer follows within a minute. A check recomputes every entry and asks the witness."
	case page.Unwitnessed:
		return "Not witnessed for " + ago(in.WitnessAge) + ": " + look.Number(witnessedEntries(in.State)) + " of " + look.Plural(in.Size, "entry", "entries") + " are",
			"The witness does not cosign. Nothing is lost and care is not held up; the newest head goes to it as soon as it answers. Until then whoever holds the whole machine could change what is newer."
	}
	if len(in.Witnesses) > 0 {
		return look.Plural(in.Size, "entry", "entries") + " under a signed head, self-witnessed", "The witness is on this machine, so whoever holds the machine holds it too. " +
			"A witness on another machine, in other hands, is what makes a replaced record visible."
	}
	text = "No head of this record is kept outside this installation, so whoever holds the whole machine could replace the whole record and nobody would see it. " +
		"Changes to single entries show all the same."
	switch in.Outside {
	case "agrees":
		text += " The head file agreed when the server started."
	case "unknown":
		text += " There was no head file to compare with when the server started."
	}
	return look.Plural(in.Size, "entry", "entries") + " under a signed head, self-witnessed", text
}

func (p *Pages) headFile(in access.Integrity) page.Copy {
	c := page.Copy{Name: "Head file", Kind: "a file on this machine", Size: look.Plural(in.Checkpoint.Size, "entry", "entries")}
	switch {
	case in.Cut:
		c.State = look.Mark{Tone: look.Crit, Text: "Disagrees"}
	case in.Outside == "agrees":
		c.State = look.Mark{Tone: look.OK, Text: "Agreed at start"}
	default:
		c.State = look.Mark{Tone: look.Warn, Text: "New at start"}
	}
	return c
}

func (p *Pages) witness(w audit.Witness) page.Copy {
	c := page.Copy{Name: w.Name, Kind: "a witness on another machine"}
	if w.Here {
		c.Kind = "a witness on this machine"
	}
	if w.Size > 0 {
		c.Size = look.Plural(w.Size, "entry", "entries")
	}
	if !w.At.IsZero() {
		c.Last = look.Exact(w.At.In(p.o.Zone))
	}
	switch {
	case w.Disputes:
		c.State = look.Mark{Tone: look.Crit, Text: "Disagrees"}
	case w.Trouble != "":
		c.State = look.Mark{Tone: look.Warn, Text: "Does not cosign"}
	default:
		c.State = look.Mark{Tone: look.OK, Text: "Agrees"}
	}
	return c
}

func checked(c check, zone *time.Location) page.Verified {
	out := page.Verified{When: look.Exact(c.At.In(zone)), By: c.by, OK: c.Holds(), Result: "Whole",
		Scope: "all " + look.Plural(c.Entries, "entry", "entries") + " and " + look.Plural(c.Stored, "record version", "record versions") + fmt.Sprintf(", %.1f s", c.Took.Seconds())}
	if !c.Holds() {
		out.Result = look.Plural(int64(len(c.Faults))+c.More, "fault", "faults")
	}
	return out
}

const faultsShown = 50

// faults lists what a check found, and says how much of it is not shown.
func faults(c check) (lines []string, hidden string) {
	for _, f := range c.Faults[:min(len(c.Faults), faultsShown)] {
		lines = append(lines, f.String())
	}
	if all := len(c.Faults) + int(c.More); all > len(lines) {
		hidden = look.Shown(len(lines), all, "fault", "faults")
	}
	return lines, hidden
}

// doIntegrity verifies everything now, or takes note of a cut.
func (p *Pages) doIntegrity(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	if r.PostForm.Get("act") == "acknowledge" {
		who, ok := p.permitted(w, r, policy.Integrity)
		if !ok {
			return
		}
		if err := p.o.Gate.AcknowledgeCut(r.Context(), who); err != nil {
			p.fail(w, r, err)
			return
		}
		see(w, r, "/integrity")
		return
	}
	who := p.asks(r)
	done, err := p.o.Gate.VerifyNow(r.Context(), who)
	switch {
	case err == nil:
		entered(w, done.Entry)
		p.checks.add(check{done, who.Session.Person.Name})
		see(w, r, "/integrity")
	case outcome.Is(err, outcome.Lock), outcome.Is(err, outcome.NotSupported):
		p.integrityPage(w, r, outcome.Status(err), who, sentence(err))
	default:
		p.fail(w, r, err)
	}
}
