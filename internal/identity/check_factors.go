package identity

import (
	"regexp"
	"strings"
	"time"
)

// What the log says of somebody's factors: which were made, which were taken away, which codes were used.

var (
	passkeyIn  = regexp.MustCompile(`\bpasskey ([a-z2-7]{16})\b`)
	linkIn     = regexp.MustCompile(`^provider link ([a-z2-7]{16})\b`)
	recoveryIn = regexp.MustCompile(`\brecovery code ([a-z2-7]{16})\b`)
)

// ways is what the log comes to for the factors of one person.
type ways struct {
	password time.Time            // when password and authenticator were set; zero: there are none
	passkeys map[string]time.Time // by id, when they were made
	suspect  map[string]bool
	link     string // id of the link to an identity provider
	linked   time.Time
	codes    time.Time // when the recovery codes were made; zero: there are none
	used     map[string]bool
}

func noWays() ways {
	return ways{passkeys: map[string]time.Time{}, suspect: map[string]bool{}, used: map[string]bool{}}
}

// fold carries out what one entry did.
func (w *ways) fold(d deed) {
	id := ""
	if m := passkeyIn.FindStringSubmatch(d.text); m != nil {
		id = m[1]
	}
	switch d.interaction {
	case didCreate.interaction:
		if strings.Contains(d.text, " with test credentials;") {
			w.password = d.when
		}
	case didEnrol.interaction:
		if id == "" {
			w.password = d.when
			return
		}
		w.passkeys[id] = d.when
	case didAddPasskey.interaction:
		w.passkeys[id] = d.when
	case didRemovePasskey.interaction:
		delete(w.passkeys, id)
	case didSuspectPasskey.interaction:
		w.suspect[id] = true
	case didLink.interaction:
		if m := linkIn.FindStringSubmatch(d.text); m != nil {
			w.link, w.linked = m[1], d.when
		}
	case didUnlink.interaction:
		w.link = ""
	case didRemovePassword.interaction:
		w.password = time.Time{}
	case didMakeCodes.interaction:
		w.codes = d.when
	case didRecover.interaction:
		if m := recoveryIn.FindStringSubmatch(d.text); m != nil {
			w.used[m[1]] = true
		}
	case didReset.interaction, didTerminate.interaction:
		*w = noWays()
	}
}

func (c *Check) compareFactors(rows *Rows, people map[int64]*personColumns, folded map[int64]standing, moving map[int64]bool) {
	near := func(row int64, said time.Time) bool { return !said.IsZero() && timeOf(row).Sub(said).Abs() <= apart }
	known := func(person int64) (ways, bool) {
		s, known := folded[person]
		return s.ways, known && !moving[person] && !c.cut
	}
	passwords, keys := map[int64]int{}, map[int64]map[string]bool{}
	for i := range rows.factors {
		f := &rows.factors[i]
		passwords[f.person]++
		if w, ok := known(f.person); ok && !near(f.enrolled, w.password) {
			c.fault(credentialTable, f.person, "is a "+f.kind+" that is not the one enrolled last")
		}
	}
	for i := range rows.passkeys {
		k := &rows.passkeys[i]
		if keys[k.person] == nil {
			keys[k.person] = map[string]bool{}
		}
		keys[k.person][k.id] = true
		w, ok := known(k.person)
		if !ok {
			continue
		}
		if !near(k.made, w.passkeys[k.id]) {
			c.fault(passkeyTable, k.person, "is a passkey that was removed, or that no entry made")
			continue
		}
		held := heldPasskey{passkeyColumns: *k}
		if err := openJSON(c.s.box, aad("passkey", k.id), k.sealed, &held); err != nil {
			c.fault(passkeyTable, k.person, "does not open")
		} else if w.suspect[k.id] && !held.Suspect {
			c.fault(passkeyTable, k.person, "is a passkey that was closed since there may be a copy, and is open again")
		}
	}
	for i := range rows.accounts {
		l := &rows.accounts[i]
		if w, ok := known(l.person); ok && (l.id != w.link || !near(l.made, w.linked)) {
			c.fault(linkTable, l.person, "is a link to an identity provider that was removed, or that no entry made")
		}
	}
	for i := range rows.codes {
		y := &rows.codes[i]
		if w, ok := known(y.person); ok && !near(y.made, w.codes) {
			c.fault(recoveryTable, y.person, "is a recovery code that was replaced, or that no entry made")
		} else if ok && y.used == 0 && w.used[y.id] {
			c.fault(recoveryTable, y.person, "is a recovery code that was used, and is good again")
		}
	}
	for number, s := range folded {
		if moving[number] || people[number].state == string(Ended) {
			continue
		}
		if !s.ways.password.IsZero() && passwords[number] < 2 {
			c.fault(credentialTable, number, "is missing: the person enrolled, and nobody reset that")
		}
		for id := range s.ways.passkeys {
			if !keys[number][id] {
				c.fault(passkeyTable, number, "is missing: the person made a passkey, and nobody removed it")
			}
		}
	}
}
