package identity

import (
	"context"
	"database/sql"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/db"
	"chartwarden/internal/seal"
)

// Check verifies the rows of people and sessions: their tags, and that they are as the log says: who left stays out, a session that
// ended stays ended, roles and factors are those of the last change. Make one with [NewCheck], give it every entry in order, then ask
// for the rows. For one run and one goroutine.
type Check struct {
	s        *Store
	fault    func(table string, row int64, what string)
	untagged bool

	people   map[string]*told       // by id
	sessions map[string]*stint      // by public id
	items    map[string]deed        // that were decided
	carried  map[string]deed        // acts that were carried out
	clients  map[string]*registered // by id
	over     map[string]audit.Index // authorizations that ended, by id
	devices  map[string][]deed      // by id
	keyings  []deed                 // entries by which devices get keys of browsers
	reports  map[string][]deed      // of machines, by device
	asked    map[string]deed        // recertifications, by id
	answers  map[string][]deed      // by holding
	undone   map[audit.Index]bool
	unsure   map[audit.Index]bool      // acts that a crash may have cut between their entry and their row
	late     map[audit.Index]time.Time // by log: when its newest entry was written
	cut      bool                      // an earlier log is not here as it was: what it said is not known
	tagged   time.Time                 // when the rows of an earlier version got their tags
	taggings int
}

// told is what the log says of one person, in order.
type told struct {
	acts []deed
	last time.Time
	seen bool // somebody signed in as this person
}

// deed is one entry about a person.
type deed struct {
	at          audit.Index
	when        time.Time
	interaction string
	text        string
	said        time.Time // by the entry itself
}

// stint is what the log says of one session.
type stint struct {
	person               string
	opened               bool
	ended, locked        audit.Index // the entry that says so; 0: none
	lockedAt, unlockedAt time.Time
	last                 time.Time
	when                 time.Time
}

// NewCheck begins a verification of the tables in d. untagged leaves tags out, for an installation of an earlier version.
// Errors: as [db.Migrate].
func NewCheck(ctx context.Context, d *db.DB, box *seal.Box, untagged bool, fault func(table string, row int64, what string)) (*Check, error) {
	files, err := fs.Sub(embedded, "migrations")
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, d, "identity", files); err != nil {
		return nil, err
	}
	s := &Store{db: d, box: box, tags: newTags(box), now: time.Now, o: Options{Altered: func(string, int64) {}}}
	return &Check{s: s, fault: fault, untagged: untagged, people: map[string]*told{}, sessions: map[string]*stint{}, items: map[string]deed{}, carried: map[string]deed{},
		clients: map[string]*registered{}, over: map[string]audit.Index{},
		devices: map[string][]deed{}, reports: map[string][]deed{}, undone: map[audit.Index]bool{}, unsure: map[audit.Index]bool{}, late: map[audit.Index]time.Time{}, asked: map[string]deed{}, answers: map[string][]deed{}}, nil
}

var (
	personIn  = regexp.MustCompile(`\bperson ([a-z2-7]{16})\b`)
	sessionIn = regexp.MustCompile(`\bsession ([a-z2-7]{16})\b`)
	itemIn    = regexp.MustCompile(`^item ([a-z2-7]{16})\b`)
	fieldIn   = regexp.MustCompile(`(roles|role of the house|clearances|practitioner|patient|department|manager|training due) ("(?:[^"\\]|\\.)*") -> ("(?:[^"\\]|\\.)*")`)
)

// Entry takes in one entry of the log.
func (c *Check) Entry(r *audit.Read) {
	e := &r.Event
	of := r.Index - audit.Index(r.Index.Number())
	if e.Kind == audit.Started {
		c.doubt(of)
	}
	c.late[of] = r.Recorded
	switch {
	case e.Kind == audit.Cut:
		c.cut = true
	case e.Kind == audit.Job && e.Interaction == "rows-tagged" && e.Outcome == acted:
		c.tagged = r.Recorded
		if c.taggings++; c.taggings > 1 {
			c.fault("keyring", 1, "rows were given tags a second time: somebody set the installation back to before it had them")
		}
	case e.Kind == audit.Session, e.Kind == audit.People, e.Kind == audit.Emergency:
		c.act(r)
	}
}

// crashing is how long a process may go on after a row could not be written: it ends by itself then, or was killed before.
const crashing = 30 * time.Second

// doubt takes in that a process began a log anew: what the one before noted in its last half minute may have had its entry and not its row, tried once or more often. Both are
// right then. Whoever ends a server within half a minute of a change, and sets that one row back, is not named here.
func (c *Check) doubt(of audit.Index) {
	for _, t := range c.people {
		for _, d := range slices.Backward(t.acts) {
			if d.at-audit.Index(d.at.Number()) != of || d.when.Before(c.late[of].Add(-crashing)) {
				break
			}
			c.unsure[d.at] = true
		}
	}
	for _, d := range slices.Backward(c.keyings) {
		if d.at-audit.Index(d.at.Number()) == of {
			if d.when.Before(c.late[of].Add(-crashing)) {
				break
			}
			c.unsure[d.at] = true
		}
	}
}

func (c *Check) act(r *audit.Read) {
	e := &r.Event
	if e.Outcome != acted {
		if entry, ok := strings.CutPrefix(e.Text, notDone); ok {
			if at, ok := indexIn(entry, r.Index); ok {
				c.undone[at] = true
			}
		}
		return
	}
	c.program(r)
	c.asking(r)
	if id := e.Agent.Session; id != "" {
		c.session(id, r)
	}
	if e.Agent.Person != "" && e.Kind == audit.Session {
		c.person(e.Agent.Person).seen = true
	}
	if m := sessionIn.FindStringSubmatch(e.Text); m != nil {
		switch e.Interaction {
		case didCapacity.interaction:
			next := c.stint(m[1])
			next.opened, next.person, next.last, next.when = true, e.Agent.Person, r.Recorded, e.Time
		case didKill.interaction:
			if s := c.stint(m[1]); s.ended == 0 {
				s.ended, s.last = r.Index, r.Recorded
			}
		}
	}
	c.device(deed{r.Index, r.Recorded, e.Interaction, e.Text, e.Time})
	if m := itemIn.FindStringSubmatch(e.Text); m != nil && (e.Interaction == didApprove.interaction || e.Interaction == didRefuse.interaction || e.Interaction == didReset.interaction) {
		c.items[m[1]] = deed{at: r.Index, when: r.Recorded}
	} else if m != nil && (e.Interaction == didCarryOut.interaction || e.Interaction == didEndActing.interaction) {
		c.carried[m[1]] = deed{at: r.Index, when: r.Recorded}
	}
	if m := personIn.FindStringSubmatch(e.Text); m != nil && e.Kind == audit.People || m != nil && e.Interaction == didKill.interaction && strings.HasPrefix(e.Text, "all sessions") {
		p := c.person(m[1])
		p.acts = append(p.acts, deed{r.Index, e.Time, e.Interaction, e.Text, e.Time})
		if r.Recorded.After(p.last) {
			p.last = r.Recorded
		}
	}
}

// indexIn reads an entry's name, origin/number, as one of the log that the entry at beside stands in: an act is taken back right after it
// was noted.
func indexIn(entry string, beside audit.Index) (audit.Index, bool) {
	n, err := strconv.ParseInt(entry[strings.LastIndexByte(entry, '/')+1:], 10, 64)
	return beside - audit.Index(beside.Number()) + audit.Index(n), err == nil
}

func (c *Check) session(id string, r *audit.Read) {
	e := &r.Event
	switch e.Interaction {
	case didLogin.interaction:
		s := c.stint(id)
		s.opened, s.person, s.last, s.when = true, e.Agent.Person, r.Recorded, e.Time
	case didLogout.interaction, didCapacity.interaction:
		s := c.stint(id)
		s.ended, s.last = r.Index, r.Recorded
	case didLock.interaction:
		s := c.stint(id)
		if e.Time.After(s.lockedAt) {
			s.locked, s.lockedAt, s.last = r.Index, e.Time, r.Recorded
		}
	case didUnlock.interaction:
		s := c.stint(id)
		if !c.undone[r.Index] && e.Time.After(s.unlockedAt) {
			s.unlockedAt, s.last = e.Time, r.Recorded
		}
	}
}

func (c *Check) stint(id string) *stint {
	s := c.sessions[id]
	if s == nil {
		s = &stint{}
		c.sessions[id] = s
	}
	return s
}

func (c *Check) person(id string) *told {
	p := c.people[id]
	if p == nil {
		p = &told{}
		c.people[id] = p
	}
	return p
}

// Rows are the tables as they were at one moment.
type Rows struct {
	at         time.Time
	people     []personColumns
	sessions   []sessionColumns
	factors    []credentialColumns
	passkeys   []passkeyColumns
	accounts   []linkColumns // of identity providers
	codes      []recoveryColumns
	links      []enrolmentColumns
	items      []pendingColumns
	clients    []Client
	grants     []*granted
	owed       []audit.Event
	devices    []deviceColumns
	deviceKeys []deviceKeyColumns
	machines   []deviceMachineColumns
	postures   []postureColumns

	recertifications []recertificationColumns
	holdings         []holdingColumns
}

// Read takes the rows, between the entries that came before and those that come after: what is written meanwhile is not judged.
// Errors: outcome.NoStore.
func (c *Check) Read(ctx context.Context) (*Rows, error) {
	tx, err := c.s.db.Reader().BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, unreadableLot(err)
	}
	defer func() { _ = tx.Rollback() }()
	out := &Rows{at: time.Now()}
	for _, l := range c.s.lots() {
		if err := l.each(ctx, tx, func(r lotRow) {
			if !c.untagged && !l.rows.Holds(r.mac, r.tagged...) {
				c.fault(l.table, r.number, "was not written by this server, or was changed")
				return
			}
			switch v := r.row.(type) {
			case *personColumns:
				out.people = append(out.people, *v)
			case *sessionColumns:
				out.sessions = append(out.sessions, *v)
			case *credentialColumns:
				out.factors = append(out.factors, *v)
			case *passkeyColumns:
				out.passkeys = append(out.passkeys, *v)
			case *linkColumns:
				out.accounts = append(out.accounts, *v)
			case *recoveryColumns:
				out.codes = append(out.codes, *v)
			case *enrolmentColumns:
				out.links = append(out.links, *v)
			case *pendingColumns:
				out.items = append(out.items, *v)
			case *deviceColumns:
				out.devices = append(out.devices, *v)
			case *deviceKeyColumns:
				out.deviceKeys = append(out.deviceKeys, *v)
			case *deviceMachineColumns:
				out.machines = append(out.machines, *v)
			case *postureColumns:
				out.postures = append(out.postures, *v)
			case *recertificationColumns:
				out.recertifications = append(out.recertifications, *v)
			case *holdingColumns:
				out.holdings = append(out.holdings, *v)
			}
		}); err != nil {
			return nil, err
		}
	}
	if err := c.readPrograms(ctx, tx, out); err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, `select sealed from identity_backlog order by number`)
	if err != nil {
		return nil, unreadableLot(err)
	}
	defer rows.Close()
	for rows.Next() {
		var sealed []byte
		if err := rows.Scan(&sealed); err != nil {
			return nil, unreadableLot(err)
		}
		var e audit.Event
		if err := openJSON(c.s.box, aad("backlog", ""), sealed, &e); err != nil {
			c.fault("identity_backlog", 0, "holds what this server did not write")
			continue
		}
		out.owed = append(out.owed, e)
	}
	if err := rows.Err(); err != nil {
		return nil, unreadableLot(err)
	}
	return out, nil
}
