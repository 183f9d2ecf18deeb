package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
)

// heardAnswers are the answers that sessions were told of: a stream ends whenever its page is hidden or left, and the next one tells what came
// meanwhile, once.
type heardAnswers struct {
	mu    sync.Mutex
	heard map[[2]string]time.Time // by session and request
}

// first reports whether a session hears of a request for the first time, and forgets what is an hour old.
func (h *heardAnswers) first(session, request string, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.heard == nil {
		h.heard = map[[2]string]time.Time{}
	}
	for k, at := range h.heard {
		if now.Sub(at) > time.Hour {
			delete(h.heard, k)
		}
	}
	_, known := h.heard[[2]string{session, request}]
	h.heard[[2]string{session, request}] = now
	return !known
}

// askNews gives, as they come, the events of the live stream by which a clinician or a desk hears what became of a request for a chart, and
// how many colleagues wait for her word. They name colleagues and no patient. Nil for who is not staff. It ends with the request.
func (p *Pages) askNews(r *http.Request) <-chan string {
	who := access.PrincipalFrom(r.Context())
	if p.o.Gate == nil || who.Session.Capacity != identity.StaffCapacity {
		return nil
	}
	ctx, out := r.Context(), make(chan string)
	go func() {
		tick := time.NewTicker(looks)
		defer tick.Stop()
		var before []string // that were open
		waiting := -1       // of them for her; not counted yet
		for {
			mine, open, err := p.o.Gate.AnswersToMine(ctx, who)
			if err != nil { // the database may answer later
				mine, open = nil, before
			}
			var text strings.Builder
			for _, a := range mine {
				if p.heard.first(who.Session.ID, a.ID, time.Now()) {
					said, _ := json.Marshal(p.answerSaid(r, a))
					fmt.Fprintf(&text, "event: notice\ndata: %s\n\n", said)
				}
			}
			if len(open) == 0 && err == nil {
				waiting = max(waiting, 0)
			}
			if anyClinical(who.Session) && !slices.Equal(open, before) {
				if n, err := p.o.Gate.AsksWaiting(ctx, who); err == nil {
					if said, _ := json.Marshal(map[string]any{"href": colleaguesPath, "n": n}); n != waiting {
						fmt.Fprintf(&text, "event: count\ndata: %s\n\n", said)
					}
					if waiting >= 0 && n > waiting {
						fmt.Fprintf(&text, "event: notice\ndata: %s\n\n", askSaid)
					}
					before, waiting = open, n
				}
			}
			if text.Len() > 0 {
				select {
				case out <- text.String():
				case <-ctx.Done():
					return
				}
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// askSaid is the notice that somebody asks.
const askSaid = `{"text":"A colleague asks to see the chart of a patient of yours. ","href":"` + colleaguesPath + `","link":"Answer"}`

// answerSaid is the notice of an answer.
func (p *Pages) answerSaid(r *http.Request, a access.Answered) map[string]string {
	if a.Yes {
		return map[string]string{"text": p.nameOf(r, a.By) + " agreed: what you asked for is open to you. ", "href": chartHref(a.PatientID), "link": "Open the chart"}
	}
	return map[string]string{"text": p.nameOf(r, a.By) + " did not agree to what you asked for. ", "href": chartHref(a.PatientID), "link": "Other ways"}
}
