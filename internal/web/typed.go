package web

import (
	"crypto/rand"
	"net/http"
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
	see(w, r, r.URL.Path+"?typed="+token)
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

// complaint is why a note was not signed, said on the page that goes on writing it.
type complaint struct {
	text   string
	status int
}
