package web

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"time"
)

// What people type may name a patient. A browser keeps the body of a POST that was answered with a page, on its disk too, to restore
// the tab; and it cannot go back to such a page without asking whether to send everything again. So the words of such a form stay here,
// in memory and for one session, and its answer has an address of its own that says nothing.

// typedLasts is how long one can go back to what was asked.
const typedLasts = 30 * time.Minute

// putAside takes a form and leads to its answer.
func (p *Pages) putAside(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	token := rand.Text()
	p.asked.keep(session(r).ID, token, p.now(), r.PostForm)
	see(w, r, r.URL.EscapedPath()+"?typed="+token)
}

// answering gives answer the form that the address stands for, as if it had just been posted; blank draws the page that asks. What was
// typed too long ago, or by another session, is forgotten.
func (p *Pages) answering(answer, blank http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		words, ok := p.asked.look(session(r).ID, r.URL.Query().Get("typed"), p.now())
		if !ok {
			blank(w, r)
			return
		}
		r = r.Clone(r.Context())
		r.PostForm, r.Form = words, words
		answer(w, r)
	}
}

// comeBack answers a form that failed: what was typed is kept sealed, under the person's own key, and the page at place shows it again
// with the complaint. Nothing of it travels in an address or in the answer of the POST.
func (p *Pages) comeBack(w http.ResponseWriter, r *http.Request, place string, c complaint, words url.Values) {
	s := session(r)
	if err := p.o.Persons.SaveDraft(r.Context(), s, formOf(place), []byte(words.Encode())); err != nil {
		p.fail(w, r, err)
		return
	}
	p.complaints.keep(s.ID, formOf(place), p.now(), c)
	see(w, r, place)
}

// cameBack gives what was typed into the failed form of the page at place, and once why it failed. What cannot be read is left out: it
// never stands in the way of a page.
func (p *Pages) cameBack(r *http.Request, place string) (complaint, url.Values) {
	s := session(r)
	kept, err := p.o.Persons.LoadDraft(r.Context(), s, formOf(place))
	if err != nil || kept == nil {
		return complaint{}, nil
	}
	words, err := url.ParseQuery(string(kept))
	if err != nil {
		return complaint{}, nil
	}
	return p.complaints.take(s.ID, formOf(place), p.now()), words
}

// sent forgets what was typed into a form that has succeeded.
func (p *Pages) sent(r *http.Request, place string) {
	_ = p.o.Persons.DropDraft(r.Context(), session(r), formOf(place)) // the act stands; the words lapse by themselves
}

// formOf names the failed form of a page to the draft store.
func formOf(place string) string { return "form " + place }

// complaint is why a note was not signed, said on the page that goes on writing it.
type complaint struct {
	text   string
	status int
}
