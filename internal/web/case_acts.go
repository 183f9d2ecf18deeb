package web

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"chartwarden/internal/casework"
	"chartwarden/internal/outcome"
)

// workCase takes one step on a case, and leads back to it.
func (p *Pages) workCase(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	who, id, f := p.asks(r), r.PathValue("case"), r.PostForm
	office, ctx, act := p.o.Office, r.Context(), f.Get("act")
	text := f.Get(cmp.Or(map[string]string{"names": "names", "hand-over": "hand-over", "mute": "mute", "reopen": "reopen"}[act], "text"))
	var err error
	switch act {
	case "take":
		_, err = office.Take(ctx, who, id)
	case "hand-over":
		_, err = office.HandOver(ctx, who, id, f.Get("to"), text)
	case "ask":
		_, err = office.AskPerson(ctx, who, id, text)
	case "ask-manager":
		_, err = office.AskManager(ctx, who, id, f.Get("manager"), text)
	case "heard":
		_, err = office.Heard(ctx, who, id, text)
	case "note":
		_, err = office.Note(ctx, who, id, text)
	case "close":
		seen, _ := strconv.Atoi(f.Get("seen"))
		_, err = office.Close(ctx, who, id, casework.Finding{Outcome: f.Get("outcome"), Text: text, Seen: seen, Fact: factOf(f)})
	case "reopen":
		_, err = office.Reopen(ctx, who, id, text)
	case "names":
		_, err = office.ShowNames(ctx, who, id, text)
	case "mute":
		_, err = office.AskMute(ctx, who, id, text)
	default:
		err = outcome.New(outcome.Value, "choose what you do").At("act")
	}
	place := caseHref(id)
	switch {
	case err == nil:
		p.sent(r, place)
		see(w, r, place)
	case outcome.Is(err, outcome.NotFound), outcome.Is(err, outcome.Login):
		p.fail(w, r, err)
	case mendable(err), outcome.Is(err, outcome.TooLong), outcome.Is(err, outcome.NotSupported), isFriend(err):
		words := url.Values{}
		for _, name := range []string{"act", "text", "names", "hand-over", "mute", "reopen", "manager", "outcome", "fact-whom", "fact-of", "fact-patients", "fact-reason"} {
			if f.Get(name) != "" {
				words.Set(name, f.Get(name))
			}
		}
		p.comeBack(w, r, place, complaint{sentence(err), outcome.Status(err)}, words)
	default:
		p.fail(w, r, err)
	}
}

// isFriend reports whether a step was refused because the officer is close to the case; the page of the case says so.
func isFriend(err error) bool {
	var e *outcome.Error
	return errors.As(err, &e) && e.Reason == "friend"
}

// factOf is what explains the like, when the form says it.
func factOf(f url.Values) *casework.Fact {
	x := casework.Fact{Patients: strings.TrimSpace(f.Get("fact-patients")), Of: f.Get("fact-of"), Reason: strings.TrimSpace(f.Get("fact-reason"))}
	if f.Get("outcome") != casework.Justified || x.Patients == "" && x.Reason == "" && x.Of == "" {
		return nil
	}
	if f.Get("fact-whom") == "unit" {
		x.Unit = "unit" // the office fills in which
	}
	return &x
}

var answerTitles = map[string]struct{ title, hint string }{
	casework.Working:      {"I was working", "Say what you were working on"},
	casework.WrongPatient: {"Wrong patient", "I took the chart for another one"},
	casework.ShouldNot:    {"I should not have", "There was no reason in my work"},
	casework.NotMe:        {"I do not know this access", "Somebody else may have used my account"},
	casework.InTheWork:    {"There was a reason in the work", "Say which"},
	casework.NoReason:     {"I know of no reason", "As far as you can tell"},
}

func answerTitle(code string) string {
	if t, ok := answerTitles[code]; ok {
		return t.title
	}
	return upper(code)
}

// answer takes the word of who was asked.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	who, f := p.asks(r), r.PostForm
	question := r.PathValue("question")
	err := p.o.Office.Answer(r.Context(), who, question, f.Get("answer"), f.Get("text"))
	place := "/activity"
	switch {
	case err == nil:
		p.sent(r, place)
		see(w, r, place)
	case mendable(err), outcome.Is(err, outcome.TooLong):
		p.comeBack(w, r, place, complaint{sentence(err), outcome.Status(err)}, url.Values{"question": {question}, "answer": {f.Get("answer")}, "text": {f.Get("text")}})
	default:
		p.fail(w, r, err)
	}
}
