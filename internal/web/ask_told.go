package web

import (
	"encoding/json"
	"fmt"
	"maps"
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

// fresh are those of the answers that a session was not told of.
func (h *heardAnswers) fresh(session string, answers []access.Answered) (out []access.Answered) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range answers {
		if _, known := h.heard[[2]string{session, a.ID}]; !known {
			out = append(out, a)
		}
	}
	return out
}

// told remembers that a session was told of answers, and forgets what is an hour old: they are news for less.
func (h *heardAnswers) told(session string, answers []access.Answered, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.heard == nil {
		h.heard = map[[2]string]time.Time{}
	}
	maps.DeleteFunc(h.heard, func(_ [2]string, at time.Time) bool { return now.Sub(at) > time.Hour })
	for _, a := range answers {
		h.heard[[2]string{session, a.ID}] = now
	}
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
			news := p.heard.fresh(who.Session.ID, mine)
			for _, a := range news {
				said, _ := json.Marshal(p.answerSaid(r, a))
				fmt.Fprintf(&text, "event: notice\ndata: %s\n\n", said)
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
				case out <- text.String(): // a stream that ends first leaves them to the next one
					p.heard.told(who.Session.ID, news, time.Now())
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
