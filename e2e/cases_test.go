package e2e

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/casework"
	"chartwarden/internal/detect"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"

	"github.com/chromedp/chromedp/kb"
)

// bureau is an installation in this process, with cases that detection would raise.
type bureau struct {
	*servertest.Server
	t    testing.TB
	base string
}

func newBureau(t testing.TB) *bureau {
	t.Helper()
	needsBrowser(t)
	s := servertest.Start(t)
	return &bureau{s, t, strings.Replace(s.URL, "127.0.0.1", "localhost", 1)}
}

func (o *bureau) put(body string) string {
	o.t.Helper()
	doc, err := document.Parse([]byte(body))
	if err != nil {
		o.t.Fatal(err)
	}
	done, err := o.Gate.Import(o.t.Context(), access.Job("import"), []access.Entry{{Method: "POST", URL: doc.Type(), Doc: doc}})
	if err == nil {
		err = done[0].Err
	}
	if err != nil {
		o.t.Fatal(err)
	}
	return doc.Type() + "/" + done[0].Written.ID
}

func (o *bureau) person(n identity.NewPerson) signIn {
	o.t.Helper()
	n.TrainingDue = time.Now().AddDate(1, 0, 0)
	made, err := o.Persons.CreateForTest(o.t.Context(), audit.Agent{Job: "test"}, n)
	if err != nil {
		o.t.Fatal(err)
	}
	return signIn{n.Roles[0], n.Name, made.Person, made.Password, made.Secret}
}

// as signs somebody in.
func (o *bureau) as(who signIn) *tab {
	o.t.Helper()
	b := browse(o.t, o.base)
	b.open("/sign-in")
	if status := b.signIn(who, who.code(o.t, 0)); status != 200 {
		o.t.Fatalf("%s cannot sign in:\n%s", who.name, b.text())
	}
	return b
}

// raise makes three cases; the first is about the nurse, whose accesses are real ones of the log.
func (o *bureau) raise(practitioner string, nurse signIn) (first casework.Case) {
	o.t.Helper()
	var patients []string
	var entries []int64
	for i, name := range []string{"Okafor", "Brandt", "Iversen", "Quist", "Adler"} {
		ref := o.put(`{"resourceType":"Patient","name":[{"family":"` + name + `","given":["M"]}],"birthDate":"196` + strconv.Itoa(i) + `-03-14"}`)
		o.put(`{"resourceType":"Condition","subject":{"reference":"` + ref + `"},"code":{"text":"Asthma"}}`)
		patients = append(patients, ref)
	}
	who, err := o.Persons.Person(o.t.Context(), nurse.login)
	if err != nil {
		o.t.Fatal(err)
	}
	p := access.Person(&identity.Session{Person: who, Capacity: identity.StaffCapacity, AAL: 2, Trust: "registered", Zone: "hospital", Created: time.Now()})
	for _, ref := range patients[:3] {
		id := strings.TrimPrefix(ref, "Patient/")
		if _, err := o.Gate.BreakGlass(o.t.Context(), p, id, "covering", "Covering"); err != nil && !strings.Contains(err.Error(), "moment") {
			o.t.Fatal(err)
		}
		if _, err := o.Gate.Chart(o.t.Context(), p, id); err != nil {
			continue // the glass has a pace
		}
	}
	reads, err := o.Log.OfPerson(o.t.Context(), who.ID, audit.Page{Limit: 50})
	if err != nil {
		o.t.Fatal(err)
	}
	for _, r := range reads {
		entries = append(entries, int64(r.Index))
	}
	at := time.Now().Add(-40 * time.Minute)
	first = servertest.Raise(o.t, o.Cases, servertest.Suspicion{Agent: practitioner, At: at, Patients: patients, Entries: entries, Kinds: []string{"read", "read", "read", "print", "read"},
		Signals: []detect.Signal{{Name: "unexplained", Nats: 5.1, Text: "decisive: no reason of care is known"}, {Name: "kin.household", Nats: 3.2, Text: "strong: the patient lives at the person's address"},
			{Name: "hours", Nats: 1.9, Text: "moderate: outside the usual hours"}, {Name: "prints", Nats: .8, Text: "weak: more prints than the role makes"}}})
	for i, h := range []string{"exfiltration", "stalking"} {
		other := o.put(`{"resourceType":"Practitioner","name":[{"family":"Other"}]}`)
		o.person(identity.NewPerson{Name: "Kim " + h, Roles: []string{identity.Physician}, Department: "Oncology", Practitioner: other})
		servertest.Raise(o.t, o.Cases, servertest.Suspicion{Agent: other, Hypothesis: h, LogE: 6, Posterior: .27, Severity: .8, At: at.Add(-time.Duration(i) * 26 * time.Hour), Patients: patients[i : i+2], Kinds: []string{"export", "read"}})
	}
	return first
}

// tabTo presses Tab until what has the focus reads so, or matches a selector, and wants the focus to be seen.
func (b *tab) tabTo(what string) {
	b.t.Helper()
	for range 90 {
		b.keys(kb.Tab)
		at := ask[string](b, `(() => { const e = document.activeElement, s = getComputedStyle(e), l = e.closest('label')
			const ring = s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 || l && getComputedStyle(l).outlineStyle !== 'none' || (e.checkVisibility && getComputedStyle(e, '::after').outlineStyle !== 'none')
			return (ring ? '' : 'no ring: ') + (e.matches(`+strconv.Quote(selectorOr(what))+`) ? 'it is' : (e.innerText || e.getAttribute('aria-label') || e.name || e.tagName).trim().replace(/\s+/g, ' ')) })()`)
		bare, hidden := strings.CutPrefix(at, "no ring: ")
		if bare == "it is" || strings.HasPrefix(bare, what) {
			if hidden {
				b.t.Errorf("%s: the focus on %q cannot be seen", b.at(), what)
			}
			return
		}
	}
	b.t.Fatalf("%s: Tab never comes to %q", b.at(), what)
}

func selectorOr(what string) string {
	if strings.ContainsAny(what, "[#") {
		return what
	}
	return "nothing"
}

// touchable wants every control of the page to be 44 px high on a phone; links inside text aside.
func (b *tab) touchable() {
	b.t.Helper()
	b.phone()
	for _, x := range ask[[]string](b, `[...document.querySelectorAll('main :is(button, .btn, summary, select, textarea, input:not([type=hidden], [type=radio], [type=checkbox]), .views a, .reasons label, .roles label, .rows a.over)')]
		.filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 43.5).map((e) => e.tagName + ' ' + e.textContent.trim().slice(0, 40) + ' ' + Math.round(e.getBoundingClientRect().height))`) {
		b.t.Errorf("%s: %s px", b.at(), x)
	}
	b.size(1440, 900)
}

// One whole case by keyboard alone: the queue, take, ask, the person's answer, a note, a finding.
func TestCaseByKeyboard(t *testing.T) {
	o := newBureau(t)
	practitioner := o.put(`{"resourceType":"Practitioner","name":[{"family":"Whitlock","given":["Dana"]}]}`)
	dana := o.person(identity.NewPerson{Name: "Dana Whitlock", Roles: []string{identity.Nurse}, Department: "3 West", Practitioner: practitioner})
	o.person(identity.NewPerson{Name: "Eva Lund", Roles: []string{identity.Nurse}, Department: "3 West"})
	o.person(identity.NewPerson{Name: "Omar Haddad", Roles: []string{identity.Privacy}, Department: "Privacy office"})
	o.raise(practitioner, dana)
	patients := []string{"Okafor", "Brandt", "Iversen", "Quist", "Adler"}

	b := o.as(o.person(identity.NewPerson{Name: "Ruth Adeyemi", Roles: []string{identity.Privacy}, Department: "Privacy office"}))
	b.says("Open cases")
	b.fits("privacy-cases")
	b.keys("g")
	if b.followKeys("c"); b.at() != "/privacy/cases" {
		t.Fatalf("g c leads to %s", b.at())
	}
	b.says("Waiting 3", "High", "Nurse N-", "no link to care")
	b.silent(append(patients, "Dana", "Whitlock")...)
	b.fits("cases")
	b.touchable()
	first := ask[string](b, `document.querySelector('#preview').textContent`)
	b.followKeys("j")
	if second := ask[string](b, `document.querySelector('#preview').textContent`); second == first {
		t.Error("j shows the same case")
	}
	b.followKeys("k")
	if again := ask[string](b, `document.querySelector('#preview').textContent`); again != first {
		t.Errorf("k leads back to %q, not %q", again, first)
	}
	b.fits("cases-picked")
	b.followKeys("4")
	b.says("No case was closed yet")
	b.fits("cases-closed-none")
	b.followKeys("1")
	b.tabTo("Open it")
	b.followKeys(kb.Enter)
	page := b.at()
	b.says("We do not know", "Take this case", "Patients are masked", "personally close")
	b.silent(append(patients, "Dana", "Whitlock", "address")...)
	b.fits("case-new")
	b.touchable()
	b.tabTo("Take this case")
	b.followKeys(kb.Enter)
	b.says("Dana Whitlock", "Record it", "Ruth Adeyemi took the case")
	b.silent(patients...)
	b.fits("case-taken")
	b.touchable()

	b.keys("1")
	b.tabTo("[name=text]")
	b.keys("Why did you need these charts?")
	b.tabTo("Record it")
	b.followKeys(kb.Enter)
	b.says("Asked; no answer yet")
	b.fits("case-asked")

	n := o.as(dana)
	n.says("Answer 1 question")
	n.open("/activity")
	n.says("The privacy office asks you", "Why did you need these charts?", "Okafor, M")
	n.silent("suspicion", "/privacy/")
	n.fits("asked")
	n.touchable()
	n.tabTo("[name=answer]")
	n.keys(" ")
	n.tabTo("[name=text]")
	n.keys("I covered the night on 3 West.")
	n.tabTo("Send the answer")
	n.followKeys(kb.Enter)
	n.silent("The privacy office asks you")

	b.open(page)
	b.says("I was working", "I covered the night on 3 West.", "a claim, to be checked")
	b.keys("3")
	b.tabTo("[name=text]")
	b.keys("The roster has her on 5 West.")
	b.tabTo("Record it")
	b.followKeys(kb.Enter)
	b.says("The roster has her on 5 West.")
	b.tabTo("Show names, with a reason")
	b.keys(kb.Enter)
	b.tabTo("[name=names]")
	b.keys("To call the families")
	b.tabTo("Show names, with a reason")
	b.followKeys(kb.Enter)
	b.says("Okafor, M", "lives at the person's address")
	b.fits("case-named")
	b.keys("4")
	b.tabTo("[name=outcome]")
	b.keys(" ")
	b.keys(kb.ArrowDown)
	b.says("Training issue")
	b.keys(kb.ArrowDown)
	b.says("What explains the like, for 90 days", "For which patients")
	b.fits("case-justified")
	b.touchable()
	b.keys(kb.ArrowUp)
	b.tabTo("[name=text]")
	b.keys("She looked up neighbours out of worry. Training repeated.")
	b.fits("case-closing")
	b.tabTo("Record it")
	b.followKeys(kb.Enter)
	b.says("Training issue. Closed by Ruth Adeyemi", "Open it again")
	b.silent(patients...)
	b.fits("case-closed")
	b.open("/privacy/cases/closures")
	b.says("Ruth Adeyemi", "1 training issue")
	b.fits("closures")
	b.open("/privacy/sanctions")
	b.fits("sanctions")
	b.keys("g")
	b.followKeys("c")
	b.says("Waiting 2")
}

// A case is worked without scripts: links and forms are enough.
func TestCaseWithoutScripts(t *testing.T) {
	o := newBureau(t)
	practitioner := o.put(`{"resourceType":"Practitioner","name":[{"family":"Whitlock"}]}`)
	dana := o.person(identity.NewPerson{Name: "Dana Whitlock", Roles: []string{identity.Nurse}, Department: "3 West", Practitioner: practitioner})
	o.raise(practitioner, dana)
	b := o.as(o.person(identity.NewPerson{Name: "Ruth Adeyemi", Roles: []string{identity.Privacy}}))
	b.scripts(false)
	b.open("/privacy/cases")
	b.follow("[data-row]:nth-child(2) a[data-open]")
	b.follow("Previous")
	b.follow("Take this case")
	b.touch("[value=note]")
	b.fill("text", "Noted without scripts.")
	b.follow("Record it")
	b.says("Noted without scripts.")
}
