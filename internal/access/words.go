package access

import (
	"context"
	"slices"
	"strconv"

	"chartwarden/internal/audit"
	"chartwarden/internal/care"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// words are those that people hold.
type words struct{ remembered[heldWord] }

// WordsAbout lists the words about a patient that have not ended, oldest first, for those to whom the chart is open.
// Errors: outcome.Forbidden, outcome.NotFound.
func (g *Gate) WordsAbout(ctx context.Context, p Principal, patientID string) ([]Word, error) {
	c, err := g.chartByID(ctx, patientID)
	if outcome.Is(err, outcome.NotFound) {
		return nil, g.absent(ctx, p, policy.Read, "chart", "Patient", err)
	}
	if err != nil {
		return nil, err
	}
	if _, _, err := g.permit(ctx, p, policy.Read, "chart", c, func(s standing) policy.Resource { return s.typical("Condition") }); err != nil {
		return nil, err
	}
	return g.readWords(ctx, g.db.Reader(), `WHERE patient = ? AND ended IS NULL AND until > ?`, int64(c.number), g.now().UnixMicro())
}

// endsWord begins the text of an entry by which a word ends.
const endsWord = "the word of entry "

// EndWord ends a word before its time: by who may more by it, by who said it, by who is covered. Errors: outcome.NotFound for a word that is
// over or that is neither's.
func (g *Gate) EndWord(ctx context.Context, p Principal, id int64) (Word, error) {
	absent := outcome.New(outcome.NotFound, "this has ended already, or it is not yours to end")
	if p.Session == nil {
		return Word{}, absent
	}
	me := p.Session.Person.ID
	list, err := g.readWords(ctx, g.db.Reader(), `WHERE id = ? AND ended IS NULL AND until > ?`, id, g.now().UnixMicro())
	if err != nil {
		return Word{}, err
	}
	if len(list) == 0 || !slices.Contains([]string{list[0].Person, list[0].By, list[0].Whom}, me) {
		return Word{}, absent
	}
	w := list[0]
	s, d, err := g.May(ctx, p, policy.Own)
	if err != nil {
		return w, err
	}
	e := s.event(wordEnded, "E")
	e.Kind, e.PolicyHash, e.Text = audit.People, d.Hash, endsWord+w.Entry+" ends: "+w.line()
	if w.Patient != 0 {
		c, err := g.chartNumber(ctx, w.Patient)
		if err != nil {
			return w, err
		}
		e.Patients = []audit.PatientPart{{Patient: c.number, Ref: "Patient/" + c.id, Template: "word.end", Sentence: endedSentence(w, me)}}
	}
	if _, err := g.log.Note(ctx, e); err != nil {
		return w, err
	}
	n, err := g.end(ctx, me, `id = `+strconv.FormatInt(id, 10))
	if err == nil && n == 0 {
		err = absent
	}
	return w, err
}

func endedSentence(w Word, by string) string {
	switch {
	case w.Kind == care.AskedIn && by != w.Person:
		return "no longer asks a colleague about you"
	case w.Kind == Approved && by != w.Person:
		return "took a permission to see a part of your chart back"
	}
	return "gave back what let them see your chart"
}

// OwnWord is a word that concerns p, with the chart that it is about.
type OwnWord struct {
	Word
	PatientID string // empty of a cover
}

// MyWords lists the words that have not ended by which p may more, that she said, or by which she is covered, the newest first.
// Errors: outcome.Transient.
func (g *Gate) MyWords(ctx context.Context, p Principal) ([]OwnWord, error) {
	if p.Session == nil {
		return nil, nil
	}
	me := p.Session.Person.ID
	list, err := g.readWords(ctx, g.db.Reader(), `WHERE (person = ? OR whom = ? OR said_by = ?) AND ended IS NULL AND until > ?`, me, me, me, g.now().UnixMicro())
	if err != nil {
		return nil, err
	}
	var out []OwnWord
	for _, w := range slices.Backward(list) {
		c, err := g.chartNumber(ctx, w.Patient)
		if err != nil {
			return nil, err
		}
		out = append(out, OwnWord{w, c.id})
	}
	return out, nil
}
