package access

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/fhir"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// Review is something for the privacy office to look at: one person's glass openings or unexplained accesses of one patient on one
// day. It is derived from the log; the verdict is an entry too.
type Review struct {
	ID        int64
	Kind      string // glass, unexplained, question (of the patient), refused, panel (of a practice's own officer, by nothing but its panel), downtime (opened in a declared one), sampled (and drawn to be looked at)
	Code      string // of the glass: the reason chosen; empty for none
	Person    string // id
	PatientID string
	First     time.Time
	Last      time.Time
	Entries   int
	FirstIdx  audit.Index
	Verdict   string // explained, ask, escalate; empty: open
	Reviewer  string // id; empty where a later fact answered
	Reviewed  time.Time
	Owner     string    // id of the officer whom it waits for; empty: nobody yet
	Given     time.Time // when she got it
	Due       time.Time // by when she is to have looked; zero: nobody has it yet
}

// Glass reports whether it is about a chart that was opened with a reason.
func (r Review) Glass() bool { return r.Kind == "glass" || r.Kind == "downtime" || r.Kind == "sampled" }

// ReviewState picks a part of the reviews.
type ReviewState string

// The parts: those that nobody decided about, those that wait for the person's own answer, those that are done.
const (
	ReviewsOpen   ReviewState = "open"
	ReviewsMine   ReviewState = "mine" // open, and the asker's to look at
	ReviewsAsked  ReviewState = "asked"
	ReviewsClosed ReviewState = "closed"
)

var reviewWhere = map[ReviewState]string{
	ReviewsOpen:   `verdict IS NULL`,
	ReviewsMine:   `verdict IS NULL AND owner = ?`,
	ReviewsAsked:  `verdict = 'ask'`,
	ReviewsClosed: `verdict IN ('explained', 'escalate')`,
}

// inQueue tells what waits for the office from what is only listed: refusals, and the openings of a downtime that were not drawn.
const inQueue = `kind NOT IN ('refused', 'downtime')`

const reviewOrder = ` ORDER BY last_at DESC, id DESC`

// ReviewList is a part of the reviews, newest first.
type ReviewList struct {
	Reviews []Review
	Total   int
	Entry   string // of this reading
}

// Reviews lists the reviews of a state, newest first: limit of them after the first skip.
// Errors: outcome.Forbidden for all but those who review the glass; outcome.Value for a state that does not exist.
func (g *Gate) Reviews(ctx context.Context, p Principal, state ReviewState, skip, limit int) (ReviewList, error) {
	where, ok := reviewWhere[state]
	if !ok {
		return ReviewList{}, outcome.New(outcome.Value, "reviews are open, mine, asked or closed")
	}
	logged, err := g.readLog(ctx, p, policy.GlassReview)
	if err != nil {
		return ReviewList{}, err
	}
	if err := g.catchUp(ctx); err != nil {
		return ReviewList{}, err
	}
	g.reconcile(ctx)
	out := ReviewList{Entry: logged.Entry()}
	var whose []any
	if state == ReviewsMine {
		whose = append(whose, p.Session.Person.ID) // only a person passes the policy above
	}
	if err := g.db.Reader().QueryRowContext(ctx, `SELECT count(*) FROM access_review WHERE `+inQueue+` AND `+where, whose...).Scan(&out.Total); err != nil {
		return ReviewList{}, unreadable(err)
	}
	out.Reviews, err = g.reviews(ctx, `WHERE `+inQueue+` AND `+where+reviewOrder+` LIMIT ? OFFSET ?`, append(whose, limit, skip)...)
	return out, err
}

// ReviewCase is one review with everything that helps to decide it.
type ReviewCase struct {
	Review
	Lines   []Line   // what the person did about the patient in that time, in order
	Sought  []Sought // what would have explained it
	History []Line   // what reviewers did about it, the reason that the person gave, the question of the patient, in order
	Newer   int64    // the neighbours among the reviews of its state; 0: none
	Older   int64
	Entry   string // of this reading
}

// ReviewOf gives one review. The reading is an entry that names the patient. Errors: those of [Gate.Reviews]; outcome.NotFound.
func (g *Gate) ReviewOf(ctx context.Context, p Principal, id int64) (ReviewCase, error) {
	if err := g.Permit(ctx, p, policy.GlassReview); err != nil {
		return ReviewCase{}, err
	}
	found, err := g.reviews(ctx, `WHERE id = ?`, id)
	if err != nil || len(found) == 0 {
		return ReviewCase{}, notFoundOr(err, "there is no such review")
	}
	out := ReviewCase{Review: found[0]}
	c, err := g.chartByID(ctx, out.PatientID)
	if err != nil {
		return ReviewCase{}, err
	}
	logged, err := g.readLog(ctx, p, policy.GlassReview, c)
	if err != nil {
		return ReviewCase{}, err
	}
	out.Entry = logged.Entry()
	if err := g.gather(ctx, &out, c); err != nil {
		return ReviewCase{}, err
	}
	began := out.First
	if out.Kind == "question" && len(out.Lines) > 0 { // it began with what the patient asks about
		began = out.Lines[0].At
	}
	if out.Sought, err = g.sought(ctx, out.Review, c, began); err != nil {
		return ReviewCase{}, err
	}
	return out, g.neighbours(ctx, &out)
}

// gather reads from the log of the patient what the person of a review did, and what reviewers did about it.
func (g *Gate) gather(ctx context.Context, out *ReviewCase, c chart) error {
	const batch = 200
	passed := false // the first of the review; what comes before it in this list came after it
	for before := audit.Index(0); ; {
		reads, err := g.log.OfPatient(ctx, c.number, audit.Page{Before: before, Limit: batch})
		if err != nil {
			return err
		}
		for _, r := range reads {
			before = r.Index
			switch {
			case r.Event.Kind == audit.Casework && (reviewIn(r.Event) == out.ID || concerns(r.Event, out.Review)):
				out.History = append(out.History, lineOf(r))
			case r.Event.Kind == audit.Casework, r.Event.Kind == audit.LogRead, r.Event.Agent.Person != out.Person:
			default:
				at := happened(r)
				since := !at.Before(out.First)
				if out.Kind == "question" {
					since = !passed
				}
				if since && !at.After(out.Last) {
					out.Lines = append(out.Lines, lineOf(r))
				}
			}
			passed = passed || r.Index == out.FirstIdx
		}
		if len(reads) < batch || reads[len(reads)-1].Recorded.Before(out.First) && passed {
			slices.Reverse(out.Lines)
			slices.Reverse(out.History)
			return nil
		}
	}
}

// Question is a review in which somebody is asked about the own accesses.
type Question struct {
	Review
	Text  string // what the reviewer asks
	Asked time.Time
}

// Questions lists what p is asked about the own accesses, newest first. It is part of the own pages.
func (g *Gate) Questions(ctx context.Context, p Principal) ([]Question, error) {
	s, _, err := g.May(ctx, p, policy.Own)
	if err != nil || p.Session == nil {
		return nil, err
	}
	found, err := g.reviews(ctx, `WHERE person = ? AND verdict = 'ask'`+reviewOrder+` LIMIT 50`, s.who.ID)
	if err != nil {
		return nil, err
	}
	var out []Question
	for _, r := range found {
		c, err := g.chartByID(ctx, r.PatientID)
		if err != nil {
			return nil, err
		}
		one := ReviewCase{Review: r}
		if err := g.gather(ctx, &one, c); err != nil {
			return nil, err
		}
		q := Question{Review: r, Asked: r.Reviewed}
		for _, h := range one.History {
			if words, ok := strings.CutPrefix(h.Text, "ask: "); ok {
				q.Text, q.Asked = words, h.At
			}
		}
		out = append(out, q)
	}
	return out, nil
}

// reviewIn is the review that an entry of casework is about; 0 for none.
func reviewIn(e audit.Event) int64 {
	for _, part := range e.Patients {
		if d := detailsOf(part.Details); d.Review != 0 {
			return d.Review
		}
	}
	return 0
}

// neighbours finds the reviews before and after one in the list that it stands in.
func (g *Gate) neighbours(ctx context.Context, out *ReviewCase) error {
	state := ReviewsOpen
	switch out.Verdict {
	case "ask":
		state = ReviewsAsked
	case "explained", "escalate":
		state = ReviewsClosed
	}
	for _, one := range []struct {
		id          *int64
		than, order string
	}{{&out.Newer, ">", ` ORDER BY last_at, id`}, {&out.Older, "<", reviewOrder}} {
		err := g.db.Reader().QueryRowContext(ctx, `SELECT id FROM access_review WHERE `+inQueue+` AND `+reviewWhere[state]+
			` AND (last_at, id) `+one.than+` (?, ?)`+one.order+` LIMIT 1`, out.Last.UnixMicro(), out.ID).Scan(one.id)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return unreadable(err)
		}
	}
	return nil
}

// Decide answers a review: explained, ask or escalate, with a sentence. Nobody answers for the own accesses, nor for those of her own circle
// while an officer is there who stands further off. An answer can be given
// again; each stays in the log. What happens after it opens the review anew.
// Errors: outcome.Value, outcome.Required, outcome.Forbidden, outcome.NotFound.
func (g *Gate) Decide(ctx context.Context, p Principal, id int64, verdict, text string) error {
	switch verdict {
	case "explained", "ask", "escalate":
	default:
		return outcome.New(outcome.Value, "choose: explained, ask, or escalate").At("decision")
	}
	if text == "" {
		return outcome.New(outcome.Required, "say in a sentence what you found").At("text")
	}
	s, d, err := g.May(ctx, p, policy.GlassReview)
	if err != nil {
		return err
	}
	found, err := g.reviews(ctx, `WHERE id = ?`, id)
	if err != nil || len(found) == 0 {
		return notFoundOr(err, "there is no such review")
	}
	if found[0].Person == s.who.ID {
		return outcome.New(outcome.Forbidden, "nobody reviews the own accesses: a colleague does").Because("two-people")
	}
	if err := g.aloof(ctx, p, found[0]); err != nil {
		return err
	}
	c, err := g.chartByID(ctx, found[0].PatientID)
	if err != nil {
		return err
	}
	e := s.event("review", "E")
	e.Kind, e.PolicyHash, e.Text = audit.Casework, d.Hash, verdict+": "+text
	e.Patients = []audit.PatientPart{{Patient: c.number, Ref: "Patient/" + c.id, Template: "review", Sentence: watched, Details: details{Review: id}.text()}}
	if _, err := g.log.Note(ctx, e); err != nil {
		return err
	}
	return g.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE access_review SET verdict = ?, reviewer = ?, reviewed = ? WHERE id = ?`, verdict, s.who.ID, s.at.UnixMicro(), id)
		return err
	})
}

// aloof refuses whoever is too close to the person or the patient of a review, where another officer is not. In a practice whose only
// officer knows everybody she answers, and her name is in the entry.
func (g *Gate) aloof(ctx context.Context, p Principal, r Review) error {
	person, err := g.persons.Person(ctx, r.Person)
	if err != nil && !outcome.Is(err, outcome.NotFound) {
		return err
	}
	person.ID = r.Person
	how, err := g.Acquainted(ctx, p.Session.Person, person, []string{r.PatientID})
	if err != nil || how == "" {
		return err
	}
	officers, err := g.persons.People(ctx)
	if err != nil {
		return err
	}
	officers = slices.DeleteFunc(officers, func(o identity.Person) bool {
		return !o.Active || o.ID == p.Session.Person.ID || !slices.Contains(o.Roles, identity.Privacy)
	})
	r.Owner = ""
	other, err := g.next(ctx, r, officers, nil)
	if err == nil && other != "" {
		err = outcome.New(outcome.Forbidden, "you are too close to the person or the patient to decide this: pass it on, another officer is not").Because("own.circle")
	}
	return err
}

func (g *Gate) reviews(ctx context.Context, where string, args ...any) ([]Review, error) {
	rows, err := g.db.Reader().QueryContext(ctx, `SELECT id, kind, person, patient, first_at, last_at, entries, first_idx, coalesce(verdict,''),
		coalesce(reviewer,''), coalesce(reviewed,0), owner, given, due, coalesce((SELECT code FROM access_grant a WHERE access_review.kind IN ('glass', 'downtime', 'sampled')
			AND a.person = access_review.person AND a.patient = access_review.patient AND a.opened <= last_at AND a.until >= first_at
			ORDER BY a.opened DESC LIMIT 1),'') FROM access_review `+where, args...)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	var out []Review
	var numbers []fhir.PatientID
	for rows.Next() {
		var r Review
		var first, last, reviewed, given, due int64
		var n fhir.PatientID
		if err := rows.Scan(&r.ID, &r.Kind, &r.Person, &n, &first, &last, &r.Entries, &r.FirstIdx, &r.Verdict, &r.Reviewer, &reviewed, &r.Owner, &given, &due, &r.Code); err != nil {
			return nil, unreadable(err)
		}
		r.First, r.Last = time.UnixMicro(first), time.UnixMicro(last)
		if reviewed != 0 {
			r.Reviewed = time.UnixMicro(reviewed)
		}
		if given != 0 {
			r.Given, r.Due = time.UnixMicro(given), time.UnixMicro(due)
		}
		out, numbers = append(out, r), append(numbers, n)
	}
	if err := rows.Err(); err != nil {
		return nil, unreadable(err)
	}
	for i, n := range numbers {
		c, err := g.chartNumber(ctx, n)
		if err != nil {
			return nil, err
		}
		out[i].PatientID = c.id
	}
	return out, nil
}

// FollowLog keeps the review list behind the log until ctx ends, and each minute closes what a later fact explains. Lists catch up by
// themselves before they are read; this keeps that short.
func (g *Gate) FollowLog(ctx context.Context) error {
	var reconciled time.Time
	for {
		if err := g.catchUp(ctx); err != nil {
			return err
		}
		if time.Since(reconciled) >= reconcilePause {
			g.reconcile(ctx)
			reconciled = time.Now()
		}
		cursor, err := g.cursor(ctx)
		if err != nil {
			return err
		}
		waiting, cancel := context.WithTimeout(ctx, reconcilePause)
		err = g.log.Wait(waiting, cursor)
		cancel()
		if err != nil && (ctx.Err() != nil || !errors.Is(waiting.Err(), context.DeadlineExceeded)) {
			return err
		}
	}
}

// catchUp folds the entries that the review list has not seen. Rows and cursor move in one transaction, so a restart repeats nothing, and
// of two nodes that do it at once one starts again where the other came to.
func (g *Gate) catchUp(ctx context.Context) error {
	for {
		after, err := g.cursor(ctx)
		if err != nil {
			return err
		}
		reads, err := g.log.After(ctx, after, 500)
		if err != nil || len(reads) == 0 {
			return err
		}
		units, watched := g.unitsOf(ctx, reads), g.selfWatched(ctx, reads)
		err = g.db.Write(ctx, func(tx *sql.Tx) error {
			moved, err := tx.Exec(`UPDATE access_seen SET place = ? WHERE place = ?`, after.Past(reads).Text(), after.Text())
			if err != nil {
				return err
			}
			if n, err := moved.RowsAffected(); err != nil || n == 0 {
				return err // another reader was faster
			}
			for _, r := range reads {
				if err := g.fold(tx, r, units[r.Event.Agent.Person], watched[r.Event.Agent.Person]); err != nil {
					return err
				}
			}
			if err := g.forgetWork(tx); err != nil {
				return err
			}
			return g.forgetFriction(tx)
		})
		if err != nil {
			return err
		}
	}
}

func (g *Gate) cursor(ctx context.Context) (audit.Cursor, error) {
	var place string
	if err := g.db.Reader().QueryRowContext(ctx, `SELECT place FROM access_seen`).Scan(&place); err != nil {
		return nil, unreadable(err)
	}
	return audit.ParseCursor(place)
}

// fold adds one entry to the figures of its day and to the review of its person, patient and day. A verdict covers what was there when
// it was given: what comes later opens the review again, except reads under a grant whose breaking was judged.
func (g *Gate) fold(tx *sql.Tx, r audit.Read, department string, panel bool) error {
	if err := g.count(tx, r, department); err != nil {
		return err
	}
	if err := g.meter(tx, r); err != nil {
		return err
	}
	if r.Event.Kind == audit.Casework {
		return g.foldQuestion(tx, r)
	}
	if r.Event.Agent.Person == "" || r.Event.Kind == audit.LogRead {
		return nil
	}
	for _, part := range r.Event.Patients {
		kind := ""
		switch {
		case part.Patient == 0, r.Event.Class == audit.Incidental:
		case r.Event.Kind == audit.Refusal:
			kind = "refused"
		case part.Template == "glass."+downtimeCode:
			kind = "downtime"
		case part.Glass:
			kind = "glass"
		case part.Unexplained:
			kind = "unexplained"
		case panel && part.Template == panelTemplate:
			kind = "panel"
		}
		if kind == "" {
			continue
		}
		when, anew := happened(r), kind != "glass" && kind != "downtime" || r.Event.Kind == audit.Glass
		at := when.UnixMicro()
		if _, err := tx.Exec(`INSERT INTO access_review (kind, person, patient, day, first_at, last_at, entries, first_idx, last_idx)
			VALUES (?,?,?,?,?,?,1,?,?) ON CONFLICT (kind, person, patient, day) DO UPDATE SET
			first_at = CASE WHEN excluded.first_at < access_review.first_at THEN excluded.first_at ELSE access_review.first_at END,
			last_at = CASE WHEN excluded.last_at > access_review.last_at THEN excluded.last_at ELSE access_review.last_at END,
			last_idx = excluded.last_idx, entries = access_review.entries + 1, verdict = CASE WHEN ? AND access_review.verdict IN ('explained', 'ask')
				AND excluded.last_at > access_review.reviewed THEN NULL ELSE access_review.verdict END`,
			kind, r.Event.Agent.Person, int64(part.Patient), g.dayOf(when), at, at, r.Index, r.Index, anew); err != nil {
			return err
		}
	}
	return nil
}

func unreadable(err error) error {
	return outcome.Wrap("access: reviews", outcome.Transient, "the list could not be read, please try again", err)
}

func notFoundOr(err error, text string) error {
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		return outcome.New(outcome.NotFound, text)
	}
	return err
}
