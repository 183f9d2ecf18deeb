package access

import (
	"context"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/care"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// Who is not related to a patient may ask those who are. One of them answers with one touch, and his word is the link: it says who asked
// whom in, for how long, in the entry, on the page and in the patient's list (docs/adr/0190).

const (
	teamAsk      = "team-ask" // kind of a request
	askLapses    = 2 * time.Hour
	openAsks     = 10 // of one person at a time
	askedLasts   = 24 * time.Hour
	mostAsked    = 200       // requests of one person in a day that are looked through
	askedAtLeast = time.Hour // a shift that ends sooner does not bound the word
)

// Ask is a request to those who treat a patient.
type Ask struct {
	ID        string
	PatientID string
	Patient   Identity // where whoever looks treats the patient
	By        string   // id of who asks
	Text      string
	Asked     time.Time
	Lapses    time.Time
	State     string // open, done, refused, lapsed, withdrawn
	Answered  string // id of who answered
	Decided   time.Time
}

func askOf(it *identity.Pending) Ask {
	return Ask{ID: it.ID, PatientID: bodyOf(it).PatientID, By: it.AskedBy, Text: it.Reason, Asked: it.Asked, Lapses: it.Expires, State: it.State, Answered: it.By, Decided: it.Decided}
}

// AskTeam asks those who treat a patient whether p may see the chart, because of text. What is asked already is given as it is. It
// changes nothing until one of them answers.
//
// Errors: outcome.Required without text, outcome.TooLong; outcome.Conflict where the chart is open to p; outcome.Forbidden where their word
// would not open it or nobody could give it; outcome.Throttled; outcome.NotFound.
func (g *Gate) AskTeam(ctx context.Context, p Principal, patientID, text string) (Ask, error) {
	if text = strings.TrimSpace(text); text == "" {
		return Ask{}, outcome.New(outcome.Required, "say in a few words why you need the chart: your colleague decides by it").At("text")
	}
	if len([]rune(text)) > 400 {
		return Ask{}, outcome.New(outcome.TooLong, "that is longer than 400 characters: say it shorter").At("text")
	}
	s, ways, err := g.waysTo(ctx, p, patientID)
	if err != nil {
		return Ask{}, err
	}
	mine, err := g.openAsks(ctx, func(it *identity.Pending) bool { return it.AskedBy == s.who.ID })
	if err != nil {
		return Ask{}, err
	}
	for _, a := range mine {
		if a.PatientID == patientID {
			return a, nil
		}
	}
	switch {
	case !slices.Contains(ways, outcome.AskTeam):
		return Ask{}, outcome.New(outcome.Forbidden, "nobody who treats this patient can be asked here: take another way").Because("nobody.to-ask")
	case len(mine) >= openAsks:
		return Ask{}, outcome.New(outcome.Throttled, "you have asked about ten charts and nobody has answered yet: wait for an answer, or withdraw one")
	}
	it, err := g.persons.Ask(ctx, p.agent(), identity.Act{Kind: teamAsk, Reason: text, Says: "see a chart that those decide about who treat the patient", Body: mustJSON(actBody{Patient: s.chart.number, PatientID: patientID}), Lapses: askLapses,
		Patients: []audit.PatientPart{{Patient: s.chart.number, Ref: "Patient/" + patientID, Template: "ask", Sentence: "asked those who treat you whether they may see your chart"}}})
	if err != nil {
		return Ask{}, err
	}
	return askOf(it), nil
}

// waysTo are how p stands to a chart and what would open it. Errors: outcome.Conflict where it is open; those of the refusal where nothing
// would open it.
func (g *Gate) waysTo(ctx context.Context, p Principal, patientID string) (standing, []outcome.Way, error) {
	c, err := g.chartByID(ctx, patientID)
	if outcome.Is(err, outcome.NotFound) {
		return standing{}, nil, g.absent(ctx, p, policy.Read, "chart", "Patient", err)
	}
	if err != nil {
		return standing{}, nil, err
	}
	s, err := g.relate(ctx, p, c)
	if err != nil {
		return s, nil, err
	}
	r := s.typical("Condition")
	d := g.decide(s, policy.Read, r)
	if d.Allowed {
		return s, nil, outcome.New(outcome.Conflict, "this chart is open to you")
	}
	ways := g.ways(ctx, s, policy.Read, r)
	if len(ways) == 0 {
		return s, nil, refusal(d, outcome.NoWay)
	}
	return s, ways, nil
}

// ways is what would open r to s: what the rules offer, without what nobody could give.
// What cannot be found out about colleagues is not offered: it keeps nobody from the rest, least of all from the glass.
func (g *Gate) ways(ctx context.Context, s standing, action string, r policy.Resource) []outcome.Way {
	offered := g.policy.Ways(s.request(action, r))
	out := offered[:0]
	for _, way := range offered {
		there := true
		var err error
		switch way {
		case outcome.AskTeam:
			if there = len(s.relation.Flags) == 0; there { // that somebody treats a protected person is not said
				there, err = g.someoneTreats(ctx, s)
			}
		case outcome.AskGrant:
			there, err = g.someoneApproves(ctx, s)
		}
		if s.principal.App != nil && slices.Contains([]outcome.Way{outcome.TakeOrder, outcome.AskTeam, outcome.AskGrant}, way) {
			there = false // pages of this house ask colleagues; no program does
		}
		if err != nil {
			g.logger.Warn("whether colleagues could open a chart could not be found out", "error", err)
			there = false
		}
		if there {
			out = append(out, way)
		}
	}
	return out
}

// someoneTreats reports whether anybody but s could answer for a patient.
func (g *Gate) someoneTreats(ctx context.Context, s standing) (bool, error) {
	team, err := g.care.Team(ctx, s.chart.number, s.at)
	if err != nil || len(team) == 0 {
		return false, err
	}
	here, err := g.colleagues.at(ctx, g.persons, s.at)
	if err != nil {
		return false, err
	}
	for _, m := range team {
		id, ok := here[m.Ref]
		if !ok || id == s.who.ID {
			continue
		}
		person, err := g.persons.Person(ctx, id)
		if err != nil {
			return false, err
		}
		if ok, err := g.treats(ctx, person, s.chart); err != nil || ok {
			return ok, err
		}
	}
	return false, nil
}

// treats reports whether a person has a relation of his own to a patient that would open the chart: by no word of a colleague, not by where
// he works, not by the glass. Only such a person gives his word.
func (g *Gate) treats(ctx context.Context, person identity.Person, c chart) (bool, error) {
	if !person.Active {
		return false, nil
	}
	actor, err := g.actor(ctx, person)
	if err != nil {
		return false, err
	}
	actor.Words = nil
	rel, err := g.care.Relate(ctx, actor, c.number, g.now())
	if err != nil {
		return false, err
	}
	rel.Facts.OrderDepts, rel.Facts.Panel = nil, false
	s := g.alone(Person(&identity.Session{Person: person, Capacity: identity.StaffCapacity, Trust: policy.Registered, Zone: policy.Hospital, AAL: 2}))
	s.chart, s.context.AuthAge = c, 0
	s.meet(rel)
	return g.decide(s, policy.Read, s.typical("Condition")).Allowed, nil
}

func (g *Gate) openAsks(ctx context.Context, keep func(*identity.Pending) bool) (out []Ask, err error) {
	acts, err := g.persons.ActsOpen(ctx, teamAsk)
	for i := range acts {
		if keep(&acts[i]) {
			out = append(out, askOf(&acts[i]))
		}
	}
	return out, err
}

// MyAsk is what became of p's newest request about a chart; false without one of the last day.
func (g *Gate) MyAsk(ctx context.Context, p Principal, patientID string) (Ask, bool, error) {
	if p.Session == nil {
		return Ask{}, false, nil
	}
	acts, err := g.persons.ActsAsked(ctx, teamAsk, p.Session.Person.ID, g.now().Add(-askedLasts), mostAsked)
	for i := range acts {
		if a := askOf(&acts[i]); a.PatientID == patientID && (a.State == "open" || a.State == "refused") {
			return a, true, err
		}
	}
	return Ask{}, false, err
}

// Asks lists the open requests that p may answer, oldest first, with who the patient is. The names stand under one incidental entry, which
// is returned.
func (g *Gate) Asks(ctx context.Context, p Principal) (asks []Ask, entry string, err error) {
	asks, charts, err := g.answerable(ctx, p)
	if err != nil || len(asks) == 0 {
		return nil, "", err
	}
	hits, entry, err := g.identities(ctx, p, charts)
	for i := range asks {
		for _, h := range hits {
			if h.PatientID == asks[i].PatientID {
				asks[i].Patient = h.Identity
			}
		}
	}
	return asks, entry, err
}

// AsksWaiting counts them, for the navigation, which is on every page: what was counted stands for some seconds, while the same requests are
// open. A count is no reading. Errors: outcome.NoStore, outcome.Transient.
func (g *Gate) AsksWaiting(ctx context.Context, p Principal) (int, error) {
	if p.Session == nil || p.Session.Capacity != identity.StaffCapacity {
		return 0, nil
	}
	open, err := g.persons.OpenItems(ctx, teamAsk, p.Session.Person.ID)
	if err != nil || len(open) == 0 {
		return 0, err
	}
	return g.counted.of(p.Session.Person.ID, strings.Join(open, " "), func() (int, error) {
		asks, _, err := g.answerable(ctx, p)
		return len(asks), err
	})
}

func (g *Gate) answerable(ctx context.Context, p Principal) (asks []Ask, charts []chart, err error) {
	if p.Session == nil || p.Session.Capacity != identity.StaffCapacity {
		return nil, nil, nil
	}
	all, err := g.openAsks(ctx, func(it *identity.Pending) bool { return it.AskedBy != p.Session.Person.ID })
	if err != nil {
		return nil, nil, err
	}
	for _, a := range all {
		c, err := g.chartByID(ctx, a.PatientID)
		if outcome.Is(err, outcome.NotFound) {
			continue
		}
		ok := false
		if err == nil {
			ok, err = g.treats(ctx, p.Session.Person, c)
		}
		if err != nil {
			return nil, nil, err
		}
		if ok {
			asks = append(asks, a)
			if !slices.ContainsFunc(charts, func(x chart) bool { return x.number == c.number }) {
				charts = append(charts, c)
			}
		}
	}
	return asks, charts, nil
}

// AnswerAsk is the word of one who treats the patient: yes gives who asked the chart to read until her shift ends, else for a day.
//
// Errors: outcome.NotFound when it was answered, lapsed, or is not for p to answer.
func (g *Gate) AnswerAsk(ctx context.Context, p Principal, id string, yes bool) error {
	asks, _, err := g.answerable(ctx, p)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(asks, func(a Ask) bool { return a.ID == id })
	if at < 0 {
		return outcome.New(outcome.NotFound, "this request was answered or has lapsed, or it is not yours to answer")
	}
	a := asks[at]
	c, err := g.chartByID(ctx, a.PatientID)
	if err != nil {
		return err
	}
	sentence := "declined to let a colleague see your chart"
	var in letting
	if yes {
		if in, err = g.mayLetIn(ctx, p, c, a.By); err != nil {
			return err
		}
		sentence = "answered a colleague who asked to see your chart"
	}
	// The answer settles the request before the word is there: who took it back a moment ago, or was answered by another, gets none.
	if err := g.persons.Answer(ctx, p.agent(), id, yes, []audit.PatientPart{{Patient: c.number, Ref: "Patient/" + c.id, Template: "ask", Sentence: sentence}}); err != nil || !yes {
		return err
	}
	_, err = g.letIn(ctx, in)
	return err
}

// WithdrawAsk takes p's own open request back. Errors: outcome.NotFound.
func (g *Gate) WithdrawAsk(ctx context.Context, p Principal, id string) error {
	it, err := g.persons.Act(ctx, id)
	if err != nil {
		return err
	}
	if p.Session == nil || it.Kind != teamAsk || it.AskedBy != p.Session.Person.ID {
		return outcome.New(outcome.NotFound, "there is no such request of yours")
	}
	b := bodyOf(it)
	return g.persons.Disagree(ctx, p.agent(), id, "withdrawn", []audit.PatientPart{{Patient: b.Patient, Ref: "Patient/" + b.PatientID, Template: "ask", Sentence: "took a request for your chart back"}})
}

// AskedIn says that p, who treats a patient, asked a colleague about her: the chart opens to the colleague until the end of the shift, else
// for a day. One who has been asked already is not asked again.
//
// Errors: outcome.Forbidden for whoever does not treat the patient, for oneself, and for a person to whom the word would give nothing;
// outcome.NotFound.
func (g *Gate) AskedIn(ctx context.Context, p Principal, patientID, person string) (Word, error) {
	c, err := g.chartByID(ctx, patientID)
	if outcome.Is(err, outcome.NotFound) {
		return Word{}, g.absent(ctx, p, policy.Read, "chart", "Patient", err)
	}
	if err != nil {
		return Word{}, err
	}
	in, err := g.mayLetIn(ctx, p, c, person)
	if err != nil {
		return Word{}, err
	}
	return g.letIn(ctx, in)
}

// letting is a word that may be given and is not yet.
type letting struct {
	word     Word
	there    bool // it was given before: word is that one
	event    audit.Event
	chart    chart
	sentence string
}

// letIn gives it.
func (g *Gate) letIn(ctx context.Context, in letting) (Word, error) {
	if in.there {
		return in.word, nil
	}
	err := g.say(ctx, in.event, &in.word, in.chart, in.sentence)
	return in.word, err
}

// mayLetIn decides whether p's word lets a person in to a chart. Nothing is kept by it.
func (g *Gate) mayLetIn(ctx context.Context, p Principal, c chart, person string) (letting, error) {
	s, d, err := g.permit(ctx, p, policy.Read, wordGiven, c, func(s standing) policy.Resource { return s.typical("Condition") })
	if err != nil {
		return letting{}, err
	}
	if p.Session.Capacity != identity.StaffCapacity || p.App != nil || p.Session.Person.ID == person {
		return letting{}, outcome.New(outcome.Forbidden, "nobody asks himself in: a colleague who treats the patient says it").Because("own.word")
	}
	if ok, err := g.treats(ctx, p.Session.Person, c); err != nil || !ok {
		if err == nil {
			err = outcome.New(outcome.Forbidden, "only who treats this patient by a visit, an order, a task or the care team asks a colleague in: you were asked in or cover yourself").Because("own.relation")
		}
		return letting{}, err
	}
	other, err := g.persons.Person(ctx, person)
	if err != nil {
		return letting{}, err
	}
	them, err := g.relate(ctx, Person(&identity.Session{Person: other, Capacity: identity.StaffCapacity, Trust: policy.Registered, Zone: policy.Hospital, AAL: 2}), c)
	if err != nil {
		return letting{}, err
	}
	them.context.AuthAge = 0
	with := them
	with.relation.Asked = true
	switch r := them.typical("Condition"); {
	case them.relation.Asked:
		w, err := g.newestWord(ctx, care.AskedIn, person, c)
		return letting{word: w, there: true}, err
	case !g.policy.Decide(with.request(policy.Read, r)).Allowed:
		return letting{}, outcome.New(outcome.Forbidden, "your word does not open this chart to that person").Because("word.opens-nothing")
	}
	w := Word{Kind: care.AskedIn, Person: person, Patient: c.number, By: s.who.ID, From: s.at, Until: s.at.Add(askedLasts), Known: s.at}
	if shift := them.care.Shift; shift.On && shift.Until.After(s.at.Add(askedAtLeast)) && shift.Until.Before(w.Until) {
		w.Until = shift.Until
	}
	e := s.event(wordGiven, "E")
	e.PolicyHash = d.Hash
	return letting{word: w, event: e, chart: c, sentence: "asked " + other.Name + " about you"}, nil
}

func (g *Gate) newestWord(ctx context.Context, kind care.WordKind, person string, c chart) (Word, error) {
	list, err := g.readWords(ctx, g.db.Reader(), `WHERE kind = ? AND person = ? AND patient = ? AND ended IS NULL AND until > ?`, string(kind), person, int64(c.number), g.now().UnixMicro())
	if err != nil || len(list) == 0 {
		return Word{}, err
	}
	return list[len(list)-1], nil
}

// UsualAnswer is how long requests usually waited for their answer: the median of those that the records keep, the newest fifty; false
// while there are fewer than three. Errors: outcome.NoStore.
func (g *Gate) UsualAnswer(ctx context.Context) (time.Duration, bool, error) {
	took, err := g.persons.Waits(ctx, teamAsk, "done", 50)
	if err != nil || len(took) < 3 {
		return 0, false, err
	}
	slices.Sort(took)
	return took[len(took)/2], true, nil
}
