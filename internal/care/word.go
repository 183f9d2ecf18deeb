package care

import (
	"context"
	"time"

	"chartwarden/internal/fhir"
)

// WordKind says what a word gives.
type WordKind string

// What colleagues say to each other. The names stand in the tables of access and never change.
const (
	AskedIn WordKind = "asked" // somebody who treats the patient asked her in
	Took    WordKind = "taken" // she took an open order of her department; it rests on that order
	Covers  WordKind = "cover" // she stands in for a colleague
)

// Word is what a person may lean on besides what records tell: what was said and recorded at this server. Who may say what to whom is
// decided where it is kept; here it counts from From to To, and never for anybody but the [Actor] that it is given with.
type Word struct {
	Kind     WordKind
	Patient  fhir.PatientID // of a cover 0: all whom the colleague treats
	By       string         // name of who said so; of a cover, of who is covered
	Covered  string         // of a cover: the Practitioner of the colleague
	From, To time.Time
	Known    time.Time
}

func (w Word) holds(at int64) bool { return w.From.UnixMilli() <= at && at < w.To.UnixMilli() }

func (w Word) row(p fhir.PatientID) row {
	return row{edge: edge{patient: p, since: w.From.UnixMilli(), until: w.To.UnixMilli()}, known: w.Known.UnixMilli()}
}

// covered are the keyed names of a colleague for whom a person stands in.
type covered struct {
	word   Word
	selves []int64
}

// lean adds to a person's place among staff the words that hold. Whom she covers counts by what is said of him alone, in care teams, visits,
// orders and tasks: not his words, not his departments, not his shifts, and not whom he covers himself.
func (g *Graph) lean(ctx context.Context, w *workforce, a Actor, at int64) error {
	for _, word := range a.Words {
		switch {
		case !word.holds(at):
		case word.Kind != Covers:
			w.words = append(w.words, word)
		case word.Covered != "" && word.Covered != a.Practitioner:
			other, err := g.workforce(ctx, Actor{Practitioner: word.Covered}, at, nil)
			if err != nil {
				return err
			}
			w.covers = append(w.covers, covered{word, other.selves[1:]}) // not the person: she has no edges but those of authors
		}
	}
	return nil
}

// said takes in what colleagues said about the patient.
func (c *collapse) said(p fhir.PatientID) {
	for _, word := range c.who.words {
		if word.Patient != p {
			continue
		}
		switch word.Kind {
		case AskedIn:
			c.out.Facts.Asked = true
			c.via = &word
			c.found(askedIn, word.row(p))
		case Took:
			if len(c.out.Facts.OrderDepts) > 0 { // those of her departments that are open
				c.out.Facts.TaskOpen = true
				c.found(orderTaken, word.row(p))
			}
		case Covers:
		}
		c.via = nil
	}
}

// instead takes in an edge of somebody whom the person covers, as what it is.
func (c *collapse) instead(r row) {
	for i := range c.who.covers {
		x := &c.who.covers[i]
		if !x.has(r.actor) {
			continue
		}
		switch r.kind {
		case team, ownDoctor, encounter, appointment, ordered, asked, task:
			if !r.waits(c.now) { // neither his own word nor hers
				c.via = &x.word
				c.counts(r)
				c.via = nil
			}
		default: // a place, a protection, the patient himself
		}
		return
	}
}

func (x *covered) has(key int64) bool {
	for _, k := range x.selves {
		if k == key {
			return true
		}
	}
	return false
}
