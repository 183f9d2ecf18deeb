package e2e

import (
	"strings"
	"testing"
	"time"
)

// watchman is the privacy officer's open page.
type watchman struct{ *tab }

// keepsWatch opens the privacy officer's home page and stays there until the live stream stands.
func (h house) keepsWatch() watchman {
	h.t.Helper()
	b := h.sits("ruth.adeyemi", "")
	if b.at() != "/privacy" {
		b.open("/privacy")
	}
	ask[bool](b, `window.since = {}, new MutationObserver(() => { for (const a of document.querySelectorAll('[data-news] a')) window.since[a.getAttribute('href')] ??= Date.now() })
		.observe(document.querySelector('[data-news]'), { childList: true, subtree: true }), true`)
	// The page tells nobody that its stream stands, so a second stream is opened beside: the first was asked for before it.
	promised(b, `new Promise((done) => { const s = new EventSource('/events'); s.onopen = () => { s.close(); done('') } })`)
	return watchman{b}
}

// notice is an alert that stands on the page.
type notice struct{ Text, Href string }

// standing are the alerts that stand on the page now.
func (w watchman) standing() []notice {
	w.t.Helper()
	return ask[[]notice](w.tab, `[...document.querySelectorAll('[data-news] > div')].filter((d) => d.checkVisibility()).map((d) => ({ Text: d.querySelector('p').textContent, Href: d.querySelector('a')?.getAttribute('href') ?? '' }))`)
}

// since is from when on the alerts stood that ever did, also those that are gone, in milliseconds, by where they lead.
func (w watchman) since() map[string]int64 {
	w.t.Helper()
	return ask[map[string]int64](w.tab, `window.since`)
}

// hears waits until an alert about somebody stands on the page with these words, that came after a moment, without a reload, and gives since
// when it stands. Alerts about others may come meanwhile: the demonstration has stories of its own.
func (h house) hears(w watchman, words, name string, after time.Time) (sentence string, since time.Time) {
	h.t.Helper()
	others := map[string]bool{}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		for _, n := range w.standing() {
			if !strings.Contains(n.Text, words) || others[n.Href] {
				continue
			}
			if at := time.UnixMilli(w.since()[n.Href]); at.After(after) && h.about(w, n.Href, name) {
				return n.Text, at
			}
			others[n.Href] = true
		}
	}
	h.t.Fatalf("no alert about %s says %q; what stands: %q", name, words, w.standing())
	return "", time.Time{}
}

// about takes a case in a tab beside, which names the person, and reports whether it is this one. Who may not decide about it leaves that
// to the other officer.
func (h house) about(w watchman, href, name string) bool {
	h.t.Helper()
	beside := w.beside()
	defer beside.close() // a browser has six connections to a server, and each visible tab keeps one
	beside.open(href)
	if strings.Contains(beside.text(), "a colleague decides about it") {
		other := h.someone("a privacy of Privacy office")
		delete(h.played, other)
		beside = h.sits(other, "")
		beside.open(href)
	}
	if strings.Contains(beside.text(), "Take this case") {
		beside.follow("Take this case")
	}
	return strings.Contains(fold(beside.text()), fold(name))
}

// in is the page in the hands of another test.
func (w watchman) in(t testing.TB) watchman {
	b := *w.tab
	b.t = t
	return watchman{&b}
}

// misplay is one kind of misuse. What play gives is the last act: until then nothing is to be heard of.
type misplay struct {
	name, says, key string
	play            func(h house, key string) (last func())
}

var byDay = []misplay{
	{"an unauthorised chart", "no reason of care is known", "theo.moreau", func(h house, key string) func() {
		b, stranger := h.sits(key, ""), h.absent(1)[0]
		b.looksFor(stranger)
		return func() { b.breaksIn(stranger) }
	}},
	{"mass listing", "far more charts", "marcus.hale", func(h house, key string) func() {
		b, many := h.sits(key, ""), h.absent(40)
		return func() {
			for _, p := range many {
				b.open("/desk/patients/" + p.path)
			}
		}
	}},
	{"printing", "more printing than usual", "a front desk of Registration", func(h house, key string) func() {
		b, many := h.sits(key, ""), h.absent(16)
		return func() {
			for _, p := range many {
				b.open("/desk/patients/" + p.path)
				if status := b.follow("Print"); status != 200 {
					b.t.Fatalf("print: %d", status)
				}
			}
		}
	}},
	{"a suspicious place", "a place that is new", "a nurse of 4 East", func(h house, key string) func() {
		b, two := h.sits(key, "strange"), h.absent(2)
		b.looksFor(two[0])
		b.breaksIn(two[0])
		b.looksFor(two[1])
		return func() { b.breaksIn(two[1]) }
	}},
	{"a shared password", "two places at once", "anna.lindqvist", func(h house, key string) func() {
		here, there := h.sits(key, ""), h.sits(key, "away")
		own := here.mine()
		return func() {
			for i := range 12 {
				b := []*tab{here, there}[i%2]
				if status := b.open(own[i%len(own)]); status != 200 {
					b.t.Fatalf("her own patient: %d", status)
				}
			}
		}
	}},
	{"a leaver's account", "should be at rest", "a nurse of 3 North", func(h house, key string) func() {
		admin := h.sits("hollis.brackett", "")
		admin.open("/admin/people/" + h.people[key].ID)
		admin.fill("#reason", "Left the hospital")
		admin.follow("End access now")
		admin.says("Ended")
		time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(2 * time.Second))) // detection counts in seconds: within that of the end nobody has left
		b := browse(h.t, h.base)
		b.expect(401)
		b.open("/sign-in")
		return func() {
			if status := b.signIn(signIn{login: key, password: "as it was before"}, "123456"); status != 401 {
				b.t.Fatalf("a leaver signs in: %d at %s", status, b.at())
			}
		}
	}},
}

// plays one misuse while the officer's page is open, and wants its sentence there: about that person, without name or patient.
func (h house) plays(m misplay, office watchman, picture bool) {
	h.t.Helper()
	key := h.someone(m.key)
	last := m.play(h, key)
	began := time.Now()
	last()
	ended := time.Now()
	sentence, at := h.hears(office, m.says, h.people[key].Name, began)
	h.t.Logf("it stands %v after the first of what is left to do, done in %v: %s", at.Sub(began).Round(time.Millisecond), ended.Sub(began).Round(time.Millisecond), sentence)
	for _, word := range []string{h.people[key].Name, key, "Practitioner/", "Patient/", "Quellmann"} {
		if strings.Contains(sentence, word) {
			h.t.Errorf("the alert says %q", word)
		}
	}
	if picture {
		office.fits("officer-hears")
	}
}

// Played by hand in the running demonstration: each of six stands on the officer's open page, as the browser shows it. Everybody sits at
// a browser with cookies of its own, comes in by the start page, and acts by pages. Two things come by HTTP, as they would in a house: what
// the admission system and the roster know (patients on file whom nothing brings here, a nurse lent to a ward) comes by FHIR.
func TestSevenThatCannotWait(t *testing.T) {
	h := newHouse(t, 10)
	office := h.keepsWatch()
	for i, m := range byDay {
		t.Run(m.name, func(t *testing.T) { h.in(t).plays(m, office.in(t), i == 2) })
	}
	if n := len(office.standing()); n != 3 {
		t.Errorf("%d alerts stand on the page: what came last pushes the others away", n)
	}
}

// A nurse at night with the patients of her ward, and one from another ward whom the roster lends to it: of those two nobody is told. What was
// judged after them stands on the page, and they do not. The seventh misuse, odd hours, is played by internal/server: here the odd hours that the
// demonstration itself holds have on some dates spent what the budget has for them (ADR 132).
func TestTheNightNurseAndTheFloatAreNotToldOf(t *testing.T) {
	h := newHouse(t, 22)
	office := h.keepsWatch()
	nurse, float := h.someone("a nurse of 5 West at work"), h.someone("a nurse of 4 East at rest")
	h.lend(float, "5 West")
	var ward []string
	for _, key := range []string{nurse, float} {
		b := h.sits(key, "")
		if ward == nil {
			ward = b.mine()
		}
		b.expect(403)
		opened := 0
		for _, chart := range ward {
			if b.open(chart) == 200 {
				opened++
			}
		}
		if t.Logf("%s opens %d of %d charts of the ward", key, opened, len(ward)); opened < 3 {
			t.Errorf("too few")
		}
	}
	h.plays(byDay[len(byDay)-1], office, false)
	for href := range office.since() {
		for _, key := range []string{nurse, float} {
			if h.about(office, href, h.people[key].Name) {
				t.Errorf("the officer hears of %s", key)
			}
		}
	}
}

// breaksIn opens the chart that a search has found, by the glass.
func (b *tab) breaksIn(p patient) {
	b.t.Helper()
	b.expect(403)
	b.expect(429)
	if status := b.follow(p.name); status == 200 {
		return
	}
	for end := time.Now().Add(patience); ; time.Sleep(time.Second) { // one glass in ten seconds
		status := b.follow("Confirm and open")
		if status == 200 {
			return
		}
		if status != 429 || time.Now().After(end) {
			b.t.Fatalf("the glass answers %d:\n%s", status, b.text())
		}
	}
}

// mine are the charts that My day leads to.
func (b *tab) mine() []string {
	b.t.Helper()
	b.open("/day?all=1")
	list := ask[[]string](b, `[...new Set([...document.querySelectorAll('main a[href^="/chart/"]')].map((a) => a.getAttribute('href')))]`)
	if len(list) == 0 {
		b.t.Fatalf("My day is empty:\n%s", b.text())
	}
	return list[:min(len(list), 12)]
}
