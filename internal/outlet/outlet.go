// Package outlet tells those who are away of alerts: by a webhook, by mail. What leaves names a case, a suspicion and how severe it is, with
// the way to the page; never a patient, and never whose case it is. It also writes to people that a message waits for them, and nothing of it.
//
//	o, err := outlet.Open(ctx, outlet.Options{DB: records, Source: cases, Webhook: hook, Mail: mail})
//	go o.Run(ctx)
//
// What is to leave waits in a table until it has left, or was tried for three days. Several nodes on one database send each message once,
// unless one is killed between sending and noting it: then it is sent again.
package outlet

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/outcome"
)

//go:embed migrations
var embedded embed.FS

// Message is an alert as it leaves.
type Message struct {
	Case       string    `json:"case"`
	Hypothesis string    `json:"hypothesis"` // snoop, harvest, ...
	Severity   string    `json:"severity"`   // low, moderate or high
	Queue      string    `json:"queue"`
	Link       string    `json:"link"` // to the page, which asks who reads it
	Opened     time.Time `json:"opened"`
	Text       string    `json:"text,omitempty"` // what happened, of word that is about no case
}

// Source has the alerts.
type Source interface {
	// Alerts gives the cases that became alerts after a change, by number, with the changes by which they did, and the newest change.
	Alerts(ctx context.Context, since int64) (about []string, changes []int64, newest int64, err error)
	// Message writes an alert as it is now; false when nobody need be told any more.
	Message(ctx context.Context, about string) (Message, bool, error)
	// Newest is the newest change, and Wait comes back when there is one after a change.
	Newest(ctx context.Context) (int64, error)
	Wait(ctx context.Context, after int64) error
}

// Letters has what waits for people themselves.
type Letters interface {
	// Letters gives what waits since a number, in order, and the newest number.
	Letters(ctx context.Context, after int64) (numbers []int64, newest int64, err error)
	// Letter gives the address of who is to hear of one, and the page to look at; false when she has none, or it waits no more.
	Letter(ctx context.Context, number int64) (to, link string, wanted bool, err error)
}

// Words writes what leaves to people themselves apart from [Letters].
type Words interface {
	// Words writes what [Outlet.Write] was told; false when she has no address, or need not hear of it any more.
	Words(ctx context.Context, about string, change int64) (Letter, bool, error)
}

// Letter is a mail to one person. It names no patient.
type Letter struct {
	To, Subject string
	Lines       []string
}

// Options of an outlet. Ways that are nil are not used.
type Options struct {
	DB      *db.DB // records.db
	Source  Source
	Letters Letters // leave by Mail; may be nil
	Words   Words   // as Letters
	Webhook *Webhook
	Mail    *Mail
	Now     func() time.Time
	Logger  *slog.Logger
}

// The ways out.
const (
	ByWebhook = "webhook"
	ByMail    = "mail"
	ByLetter  = "letter" // mail to a person, not to the office
)

// Outlet sends what waits. Safe for concurrent use.
type Outlet struct {
	o  Options
	mu sync.Mutex
	is map[string]State
}

// State is how one way out does.
type State struct {
	Waiting  int
	Sent     int64
	Failures int64
	Dropped  int64  // given up after three days
	Trouble  string // why the last attempt failed; empty: it did not
	Since    time.Time
}

// Open brings the tables up to date. Errors: as [db.Migrate].
func Open(ctx context.Context, o Options) (*Outlet, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	files, err := fs.Sub(embedded, "migrations")
	if err != nil {
		return nil, outcome.Wrap("outlet: open", outcome.Exception, "the migrations are missing", err)
	}
	if err := db.Migrate(ctx, o.DB, "outlet", files); err != nil {
		return nil, err
	}
	return &Outlet{o: o, is: map[string]State{}}, nil
}

// ways are those that are configured, and how long a message waits on each before it leaves.
func (x *Outlet) ways() map[string]time.Duration {
	out := map[string]time.Duration{}
	if x.o.Webhook != nil {
		out[ByWebhook] = 0
	}
	if x.o.Mail != nil {
		out[ByMail] = x.o.Mail.Patience
	}
	return out
}

// every is each way by which something leaves.
func (x *Outlet) every() []string {
	out := slices.Sorted(maps.Keys(x.ways()))
	if x.o.Mail != nil && (x.o.Letters != nil || x.o.Words != nil) {
		out = append(out, ByLetter)
	}
	return out
}

// State tells how a way out does. Errors: outcome.NoStore.
func (x *Outlet) State(ctx context.Context, way string) (State, error) {
	x.mu.Lock()
	out := x.is[way]
	x.mu.Unlock()
	err := x.o.DB.Reader().QueryRowContext(ctx, `select count(*) from outlet_message where way = ?`, way).Scan(&out.Waiting)
	return out, unreadable(err)
}

func (x *Outlet) note(way string, change func(*State)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	s := x.is[way]
	change(&s)
	x.is[way] = s
}

const (
	look    = 2 * time.Second // between two looks at what is due
	longest = time.Hour       // between two attempts
	most    = 82              // attempts, in about three days, after which a message is given up
)

// Run takes up alerts and sends what waits until ctx ends. Without any way out it comes back at once.
func (x *Outlet) Run(ctx context.Context) {
	if len(x.ways()) == 0 {
		return
	}
	for ctx.Err() == nil {
		at, err := x.take(ctx)
		if err == nil {
			err = x.collect(ctx)
		}
		if err == nil {
			err = x.send(ctx)
		}
		if err != nil && ctx.Err() == nil {
			x.o.Logger.Warn("alerts for those who are away wait", "error", err)
		}
		waiting, cancel := context.WithTimeout(ctx, look)
		if err != nil || x.o.Source.Wait(waiting, at) != nil {
			<-waiting.Done()
		}
		cancel()
	}
}

// take puts new alerts into the table, with the place up to which they were looked at.
func (x *Outlet) take(ctx context.Context) (at int64, err error) {
	known := true
	err = x.o.DB.Reader().QueryRowContext(ctx, `select at from outlet_cursor where name = 'cases'`).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) { // what is old when this way out is first used was seen on the pages
		known = false
		at, err = x.o.Source.Newest(ctx)
	}
	if err != nil {
		return 0, unreadable(err)
	}
	about, changes, newest, err := x.o.Source.Alerts(ctx, at)
	if err != nil || known && newest == at {
		return at, err
	}
	now := x.o.Now()
	return newest, x.o.DB.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`insert into outlet_cursor(name, at) values('cases', ?) on conflict(name) do update set at = excluded.at`, newest); err != nil {
			return err
		}
		for i := range about {
			for way, wait := range x.ways() {
				if err := insert(tx, way, about[i], changes[i], now.Add(wait)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Tell puts word of something that is no case into the table, for the office: about is what [Source] writes it by, and no number; change
// grows from one of its kind to the next. Telling the same twice sends it once. Errors: as [db.DB.Write].
func (x *Outlet) Tell(ctx context.Context, about string, change int64) error {
	return x.tell(ctx, about, change, x.ways())
}

// Write is [Outlet.Tell] for one person, by mail: about is what [Words] writes it by, and no number. Errors: as [db.DB.Write].
func (x *Outlet) Write(ctx context.Context, about string, change int64) error {
	if x.o.Mail == nil || x.o.Words == nil {
		return nil
	}
	return x.tell(ctx, about, change, map[string]time.Duration{ByLetter: 0})
}

func (x *Outlet) tell(ctx context.Context, about string, change int64, ways map[string]time.Duration) error {
	now := x.o.Now()
	if len(ways) == 0 {
		return nil
	}
	return x.o.DB.Write(ctx, func(tx *sql.Tx) error {
		newer, err := tx.Exec(`insert into outlet_cursor(name, at) values(?, ?) on conflict(name) do update set at = excluded.at where outlet_cursor.at < excluded.at`, about, change)
		if err != nil {
			return err
		}
		if n, err := newer.RowsAffected(); err != nil || n == 0 {
			return err
		}
		for way, wait := range ways {
			if err := insert(tx, way, about, change, now.Add(wait)); err != nil {
				return err
			}
		}
		return nil
	})
}

// collect puts new letters into the table.
func (x *Outlet) collect(ctx context.Context) error {
	if x.o.Mail == nil || x.o.Letters == nil {
		return nil
	}
	var at int64
	known := true
	err := x.o.DB.Reader().QueryRowContext(ctx, `select at from outlet_cursor where name = 'letters'`).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		known, err = false, nil
	}
	if err != nil {
		return unreadable(err)
	}
	numbers, newest, err := x.o.Letters.Letters(ctx, at)
	if err != nil || known && newest == at {
		return err
	}
	if !known { // what is old when this way out is first used was seen on the pages
		numbers = nil
	}
	now := x.o.Now()
	return x.o.DB.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`insert into outlet_cursor(name, at) values('letters', ?) on conflict(name) do update set at = excluded.at`, newest); err != nil {
			return err
		}
		for _, n := range numbers {
			if err := insert(tx, ByLetter, strconv.FormatInt(n, 10), n, now); err != nil {
				return err
			}
		}
		return nil
	})
}

func insert(tx *sql.Tx, way, about string, change int64, due time.Time) error {
	_, err := tx.Exec(`insert into outlet_message(number, way, about, change, attempts, due) values((select coalesce(max(number), 0) + 1 from outlet_message), ?, ?, ?, 0, ?)
		on conflict(way, about, change) do nothing`, way, about, change, due.UnixMicro())
	return err
}

// waiting is one row that is due.
type waiting struct {
	number, attempts, due int64
	change                int64
	about                 string
	message               Message
	letter                Letter
}

// send sends what is due by each way: a webhook one by one, a mail all together.
func (x *Outlet) send(ctx context.Context) error {
	for _, way := range x.every() {
		due, err := x.due(ctx, way)
		if err != nil || len(due) == 0 {
			if err != nil {
				return err
			}
			continue
		}
		var ready []waiting
		for _, m := range due {
			if mine, err := x.claim(ctx, &m); err != nil || !mine {
				if err != nil {
					return err
				}
				continue
			}
			wanted, err := x.write(ctx, way, &m)
			if err != nil {
				return err
			}
			if !wanted {
				err = x.remove(ctx, m.number)
			} else {
				ready = append(ready, m)
			}
			if err != nil {
				return err
			}
		}
		if err := x.deliver(ctx, way, ready); err != nil {
			return err
		}
	}
	return nil
}

// write writes a message as it is now; false when nobody need be told any more.
func (x *Outlet) write(ctx context.Context, way string, m *waiting) (wanted bool, err error) {
	if way == ByLetter {
		number, failed := strconv.ParseInt(m.about, 10, 64)
		if failed != nil {
			m.letter, wanted, err = x.o.Words.Words(ctx, m.about, m.change)
			return wanted, err
		}
		to, link, wanted, err := x.o.Letters.Letter(ctx, number)
		m.letter = ofYesterday(to, link)
		return wanted, err
	}
	m.message, wanted, err = x.o.Source.Message(ctx, m.about)
	return wanted, err
}

func (x *Outlet) deliver(ctx context.Context, way string, ready []waiting) error {
	if way == ByMail && len(ready) > 0 {
		var all []Message
		for _, m := range ready {
			all = append(all, m.message)
		}
		return x.sent(ctx, way, x.o.Mail.send(ctx, all, x.o.Now()), ready...)
	}
	for _, m := range ready {
		if way == ByLetter {
			if err := x.sent(ctx, way, x.o.Mail.letter(ctx, m.letter, x.o.Now()), m); err != nil {
				return err
			}
			continue
		}
		if err := x.sent(ctx, way, x.o.Webhook.send(ctx, m.message, m.number, x.o.Now()), m); err != nil {
			return err
		}
	}
	return nil
}

// sent notes how an attempt ended.
func (x *Outlet) sent(ctx context.Context, way string, failure error, all ...waiting) error {
	now := x.o.Now()
	x.note(way, func(s *State) {
		if failure == nil {
			s.Sent, s.Trouble = s.Sent+int64(len(all)), ""
			return
		}
		if s.Failures++; s.Trouble == "" {
			s.Since = now
		}
		s.Trouble = failure.Error()
	})
	if failure != nil {
		x.o.Logger.Warn("an alert did not leave; it is tried again", "way", way, "error", failure)
	}
	for _, m := range all {
		if failure == nil {
			if err := x.remove(ctx, m.number); err != nil {
				return err
			}
			continue
		}
		pause := min(longest, 10*time.Second<<min(m.attempts, 10))
		if m.attempts >= most {
			x.note(way, func(s *State) { s.Dropped++ })
			if err := x.remove(ctx, m.number); err != nil {
				return err
			}
			continue
		}
		if err := x.o.DB.Write(ctx, func(tx *sql.Tx) error {
			_, err := tx.Exec(`update outlet_message set due = ? where number = ?`, now.Add(pause).UnixMicro(), m.number)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

func (x *Outlet) due(ctx context.Context, way string) (out []waiting, err error) {
	rows, err := x.o.DB.Reader().QueryContext(ctx, `select number, about, change, attempts, due from outlet_message where way = ? and due <= ? order by number limit 50`, way, x.o.Now().UnixMicro())
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var m waiting
		if err := rows.Scan(&m.number, &m.about, &m.change, &m.attempts, &m.due); err != nil {
			return nil, unreadable(err)
		}
		out = append(out, m)
	}
	return out, unreadable(rows.Err())
}

// claim takes a row, so that no other node sends it at once; one that is killed leaves it for ten minutes.
func (x *Outlet) claim(ctx context.Context, m *waiting) (mine bool, err error) {
	until := x.o.Now().Add(10 * time.Minute).UnixMicro()
	err = x.o.DB.Write(ctx, func(tx *sql.Tx) error {
		done, err := tx.Exec(`update outlet_message set attempts = attempts + 1, due = ? where number = ? and due = ?`, until, m.number, m.due)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		mine = n == 1
		return err
	})
	return mine, err
}

func (x *Outlet) remove(ctx context.Context, number int64) error {
	return x.o.DB.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`delete from outlet_message where number = ?`, number)
		return err
	})
}

func unreadable(err error) error {
	if err == nil {
		return nil
	}
	return outcome.Wrap("outlet: read", outcome.NoStore, "what waits to leave cannot be read", err)
}
