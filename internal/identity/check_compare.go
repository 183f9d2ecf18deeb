package identity

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/audit"
)

// settled is how long before the rows were read an entry must be for its act to be done for sure.
const settled = time.Second

// apart is how far the time of a row may lie from that of its entry.
const apart = time.Minute

// standing is what the log comes to for one person.
type standing struct {
	made, left bool
	suspended  bool
	epoch      int64
	fields     map[string]string   // the last value of each field that was ever said
	or         map[string][]string // what a field may hold beside that, of acts that a crash may have cut
	kept       int64               // so many ends of sessions a crash may have cut
	stayed     bool                // it may have cut the leaving
	ran        bool                // it may have cut the suspension
	enrolled   time.Time           // by the newest link that was used; zero: never since a reset
	ways       ways
	linked     time.Time // the newest enrolment link
	cut        time.Time // the newest end of all sessions
}

// fold carries out the acts of one person in order.
func (c *Check) fold(p *told) standing {
	s := standing{fields: map[string]string{}, or: map[string][]string{}, ways: noWays()}
	slices.SortStableFunc(p.acts, func(a, b deed) int { return a.when.Compare(b.when) }) // they may stand in the logs of several nodes
	for _, d := range p.acts {
		if c.undone[d.at] {
			continue
		}
		carried, unsure, before := d.interaction, c.unsure[d.at], s
		s.ways.fold(d)
		switch d.interaction {
		case didCreate.interaction:
			s.made = true
			if strings.Contains(d.text, " with test credentials;") {
				s.enrolled = d.when
			}
		case didKill.interaction:
			s.epoch, s.cut = s.epoch+1, d.when
		case didSuspend.interaction:
			s.suspended, s.epoch, s.cut = true, s.epoch+1, d.when
		case didResume.interaction:
			s.suspended = false
		case didApprove.interaction:
			s.suspended = s.suspended && !strings.Contains(d.text, resumes)
		case didReset.interaction:
			s.epoch, s.cut, s.enrolled, s.linked = s.epoch+1, d.when, time.Time{}, d.when
		case didInvite.interaction:
			s.linked = d.when
		case didEnrol.interaction:
			s.enrolled = d.when
		case didTerminate.interaction:
			s.left, s.epoch, s.cut, s.enrolled = true, s.epoch+1, d.when, time.Time{}
		case didAsk.interaction, didRefuse.interaction:
			continue // nothing is changed yet; who was never let in ends with the refusal, and gains nothing by coming back to it
		}
		if unsure {
			s.kept += s.epoch - before.epoch
		}
		s.stayed = s.left && (s.stayed || unsure && !before.left)
		s.ran = s.suspended && (s.ran || unsure && !before.suspended)
		if carried != didCreate.interaction && carried != didChange.interaction && carried != didApprove.interaction {
			continue
		}
		for _, m := range fieldIn.FindAllStringSubmatch(d.text, -1) {
			if v, err := strconv.Unquote(m[3]); err == nil {
				if unsure {
					s.or[m[1]] = append(s.or[m[1]], s.fields[m[1]])
				} else {
					s.or[m[1]] = nil
				}
				s.fields[m[1]] = v
			}
		}
	}
	return s
}

// Compare holds rows against the log, all entries of which have come by now.
func (c *Check) Compare(rows *Rows) {
	for i := range rows.owed { // done, and not in the log yet
		c.act(&audit.Read{Index: -1, Recorded: rows.at, Event: rows.owed[i]})
	}
	byNumber := map[int64]*personColumns{}
	here := map[string]bool{}
	folded := map[int64]standing{}
	moving := map[int64]bool{}
	for i := range rows.people {
		p := &rows.people[i]
		byNumber[p.number], here[p.id] = p, true
		t := c.people[p.id]
		if t == nil {
			t = &told{}
		}
		folded[p.number], moving[p.number] = c.fold(t), t.last.After(rows.at.Add(-settled))
		if !moving[p.number] {
			c.comparePerson(p, folded[p.number])
		}
	}
	for id, t := range c.people {
		if s := c.fold(t); s.made && t.seen && !here[id] && !c.cut && !t.last.After(rows.at.Add(-settled)) {
			c.fault(personTable, 0, "lacks person "+id+", who signed in before")
		}
	}
	c.compareFactors(rows, byNumber, folded, moving)
	c.compareDevices(rows)
	c.compareRecertifications(rows)
	for i := range rows.sessions {
		s := &rows.sessions[i]
		if p := byNumber[s.person]; p != nil && s.ended == 0 && s.epoch == p.epoch && p.state == string(Active) && s.ends > micros(rows.at) {
			c.compareSession(s, p, folded[s.person], rows.at)
		}
	}
	c.comparePrograms(rows)
	for i := range rows.links {
		l := &rows.links[i]
		f, known := folded[l.person]
		if !known || moving[l.person] || l.used != 0 || l.expires < micros(rows.at) || c.cut {
			continue
		}
		made := timeOf(l.created)
		if f.left || f.enrolled.After(made) || f.linked.Sub(made) > apart {
			c.fault(enrolmentTable, l.person, "is an enrolment link that was used, replaced or revoked")
		}
	}
	sure := func(d deed) bool {
		return !d.when.IsZero() && !c.undone[d.at] && d.when.Before(rows.at.Add(-settled))
	}
	for i := range rows.items {
		q := &rows.items[i]
		if sure(c.items[q.id]) && q.state == "open" && !moving[q.person] {
			c.fault(pendingTable, q.person, "is an item that was decided, and is open again")
		} else if sure(c.carried[q.id]) && q.state != "done" {
			c.fault(pendingTable, q.person, "is an act that was carried out, and waits again")
		} else if q.state == "open" && folded[q.person].left && !moving[q.person] {
			c.fault(pendingTable, q.person, "is an item about somebody who left, and is open")
		}
	}
}

func (c *Check) comparePerson(p *personColumns, s standing) {
	say := func(what string) { c.fault(personTable, p.number, what) }
	if !s.made {
		if !c.cut {
			say("is a person whom no entry made")
		}
		return
	}
	if s.left && !s.stayed && p.state != string(Ended) {
		say("has left, as the log says, and is not ended here")
	}
	if s.suspended && !s.ran && p.state == string(Active) {
		say("is suspended, as the log says, and active here")
	}
	if p.epoch < s.epoch-s.kept {
		say("was set back: its sessions were ended since")
	}
	var f profile
	if err := openJSON(c.s.box, aad("person", p.id), p.sealed, &f); err != nil {
		say("does not open")
		return
	}
	for field, value := range map[string]string{"roles": strings.Join(f.Roles, " "), "clearances": strings.Join(f.Clearances, " "), "practitioner": f.Practitioner,
		"patient": f.Patient, "department": f.Department, "manager": f.Manager, "training due": day(f.TrainingDue), "role of the house": f.House} {
		if value != s.fields[field] && !slices.Contains(s.or[field], value) && !c.cut {
			say("holds other " + field + " than the log says")
		}
	}
}

func (c *Check) compareSession(s *sessionColumns, p *personColumns, of standing, now time.Time) {
	say := func(what string) { c.fault(sessionTable, s.number, what) }
	in := c.sessions[s.id]
	if in == nil || !in.opened {
		if !c.cut && timeOf(s.created).After(c.tagged) { // a version before did not name the session after a change of capacity
			say("is a session that no entry opened")
		}
		return
	}
	if in.last.After(now.Add(-settled)) {
		return
	}
	switch {
	case in.person != p.id:
		say("is a session of somebody else, as the log says")
	case in.ended != 0 && !c.undone[in.ended]:
		say("ended, as the log says, and goes on here")
	case !of.cut.IsZero() && in.when.Before(of.cut):
		say("ended with all sessions of its person, as the log says, and goes on here")
	case in.lockedAt.After(in.unlockedAt) && !c.undone[in.locked] && s.locked == 0:
		say("is locked, as the log says, and is open here")
	}
}
