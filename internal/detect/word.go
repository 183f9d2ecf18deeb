package detect

// Word is what a colleague said and recorded at the installation whose log this is, by which a chart was open: the entry of each access
// names it. It is nobody's own word: who says it treats the patient, or is covered.
type Word = Template

// leans keeps that a person opened a chart by a colleague's word, until the looks of that time have been judged for the last time. It
// explains these looks and no later ones: when the word is over the door opens by it no more.
func (e *Engine) leans(a, p int32, t int64, word Word) {
	w := &e.world
	from := w.source("word")
	pt := &w.patients[p]
	for i := range pt.facts {
		if f := &pt.facts[i]; f.template == word && f.party == a && f.source == from && t-int64(f.to) < 3600 {
			f.to = instantOf(t)
			return
		}
	}
	pt.facts = append(room(pt.facts), fact{from: instantOf(t), to: instantOf(t), source: from, party: a, template: word})
}

// leading is the template that an explanation stands on: not a word, where there is another.
func leading(found []reason) Template {
	for _, r := range found {
		if r.template != activity && vocabulary[r.template].party != aColleague {
			return r.template
		}
	}
	return found[0].template
}

// lasting reports whether a template is a reason of care of the person's own, that later looks may lean on.
func (t Template) lasting() bool {
	p := vocabulary[t].party
	return p != derived && p != aColleague
}
