package e2e

import (
	"encoding/base64"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"
)

// script is what somebody writes wherever he may write: it breaks out of an attribute, an element, a comment and a script, and would run.
const script = `"><w00t data-w00t=1 onfocus="w00t()" autofocus></textarea></title></script><img src=w00t onerror=w00t()>'-w00t()-'`

// strewn puts the script into the strings of a resource where XSS stands.
func strewn(resource string) string {
	return strings.ReplaceAll(strings.ReplaceAll(resource, "XSS64", base64.StdEncoding.EncodeToString([]byte("<html><script>w00t()</script>"+script))), "XSS", strings.ReplaceAll(script, `"`, `\"`))
}

var (
	formOnPage = regexp.MustCompile(`(?s)<form([^>]*)>(.*?)</form>`)
	actionOf   = regexp.MustCompile(`action="([^"]*)"`)
	fieldOf    = regexp.MustCompile(`<(input|textarea|select|button)([^>]*)>`)
	nameOf     = regexp.MustCompile(`\bname="([^"]*)"`)
	typeAttr   = regexp.MustCompile(`\btype="([^"]*)"`)
	valueOf    = regexp.MustCompile(`\bvalue="([^"]*)"`)
	linkOf     = regexp.MustCompile(`<a[^>]*href="(/[^"]*)"`)
	anID       = regexp.MustCompile(`[a-z0-9]{24,26}|[0-9]+`)
)

// harmless forms end somebody's stay, and are not filled in.
var harmful = []string{"/sign-out", "/lock", "/end", "/suspend", "/reset", "/settings/keys", "/step-up", "/undo", "/alive"}

// fills submits every form of a page with the script in every field that takes text, and says how many fields those were.
func fills(t *testing.T, c *servertest.Client, page string) (fields int) {
	t.Helper()
	for _, f := range formOnPage.FindAllStringSubmatch(page, -1) {
		to := actionOf.FindStringSubmatch(f[1])
		if to == nil || !strings.Contains(f[1], `method="post"`) || slices.ContainsFunc(harmful, func(h string) bool { return strings.HasSuffix(to[1], h) || strings.HasSuffix(to[1], h+"-others") }) {
			continue
		}
		v := url.Values{}
		for _, x := range fieldOf.FindAllStringSubmatch(f[2], -1) {
			name, typ, value := nameOf.FindStringSubmatch(x[2]), typeAttr.FindStringSubmatch(x[2]), valueOf.FindStringSubmatch(x[2])
			if name == nil {
				continue
			}
			kind := x[1]
			if typ != nil && kind != "button" {
				kind = typ[1]
			}
			switch {
			case (kind == "hidden" || kind == "radio" || kind == "checkbox" || kind == "button" || kind == "submit" || kind == "date") && value != nil:
				if !v.Has(name[1]) {
					v.Set(name[1], html.UnescapeString(value[1]))
				}
			case kind == "hidden" || kind == "button" || kind == "submit":
			case kind == "select":
				if first := regexp.MustCompile(`(?s)name="` + name[1] + `".*?<option[^>]*value="([^"]+)"`).FindStringSubmatch(f[2]); first != nil {
					v.Set(name[1], html.UnescapeString(first[1]))
				}
			default:
				v.Set(name[1], script)
				fields++
			}
		}
		got := c.Do(t, "POST", html.UnescapeString(to[1]), v.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html")
		if got.Status >= 500 {
			t.Errorf("%s: %d", to[1], got.Status)
		}
		unbroken(t, "the answer of "+to[1], got)
	}
	return fields
}

// unbroken fails where the script stands as it was written, or where an address is one.
func unbroken(t *testing.T, what string, a servertest.Answer) {
	t.Helper()
	for _, bad := range []string{"<w00t", "<img src=w00t", `"><w00t`, "<script>w00t"} {
		if strings.Contains(a.Body, bad) && strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
			t.Errorf("%s holds %s", what, bad)
		}
	}
	if a.Header.Get("Content-Security-Policy") == "" || a.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s has no policy", what)
	}
}

// Whatever people and resources say is text. Names, addresses, notes, narratives, titles, content types and answers that hold a script are
// written wherever the pages and FHIR let somebody write; then Chromium opens each page that can be reached by a link, as everybody who
// reads there: nothing runs, no element and no attribute comes of it.
func TestScriptsInEveryField(t *testing.T) {
	o := newBureau(t)
	practitioner := o.put(strewn(`{"resourceType":"Practitioner","name":[{"family":"XSS","given":["XSS"],"text":"XSS"}],"telecom":[{"system":"phone","value":"XSS"}]}`))
	patient := o.put(strewn(`{"resourceType":"Patient","name":[{"use":"official","family":"XSS","given":["XSS"],"prefix":["XSS"],"text":"XSS"}],"birthDate":"1961-03-14","gender":"female",
		"identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}],"text":"XSS"},"value":"XSS","system":"urn:x"}],
		"address":[{"line":["XSS"],"city":"XSS","postalCode":"XSS","country":"XSS","text":"XSS"}],"telecom":[{"system":"phone","value":"XSS"},{"system":"email","value":"XSS"},{"system":"url","value":"javascript:w00t()"}],
		"contact":[{"name":{"text":"XSS"},"relationship":[{"text":"XSS"}]}],"communication":[{"language":{"text":"XSS"}}],"maritalStatus":{"text":"XSS"},"photo":[{"contentType":"text/html","data":"XSS64","title":"XSS","url":"javascript:w00t()"}]}`))
	start := time.Now().Add(-2 * time.Hour).UTC().Format(time.RFC3339)
	about := `"subject":{"reference":"` + patient + `","display":"XSS"}`
	code := `"code":{"text":"XSS","coding":[{"system":"http://loinc.org","code":"2823-3","display":"XSS"}]}`
	for _, r := range []string{
		`{"resourceType":"Encounter","status":"in-progress","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IMP","display":"XSS"},` + about + `,"participant":[{"individual":{"reference":"` + practitioner + `","display":"XSS"}}],
			"period":{"start":"` + start + `"},"type":[{"text":"XSS"}],"reasonCode":[{"text":"XSS"}],"serviceType":{"text":"XSS"},"location":[{"location":{"display":"XSS"}}]}`,
		`{"resourceType":"AllergyIntolerance","patient":{"reference":"` + patient + `"},"code":{"text":"XSS"},"reaction":[{"manifestation":[{"text":"XSS"}],"description":"XSS"}],"note":[{"text":"XSS"}]}`,
		`{"resourceType":"Condition",` + about + `,` + code + `,"note":[{"text":"XSS"}],"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]}}`,
		`{"resourceType":"Observation","status":"final",` + about + `,` + code + `,"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}],"text":"XSS"}],"effectiveDateTime":"` + start + `",
			"valueQuantity":{"value":6.3,"unit":"XSS"},"referenceRange":[{"text":"XSS"}],"note":[{"text":"XSS"}],"interpretation":[{"text":"XSS"}]}`,
		`{"resourceType":"Observation","status":"final",` + about + `,"code":{"text":"XSS"},"effectiveDateTime":"` + start + `","valueString":"XSS"}`,
		`{"resourceType":"MedicationRequest","status":"active","intent":"order",` + about + `,"medicationCodeableConcept":{"text":"XSS"},"authoredOn":"` + start + `","dosageInstruction":[{"text":"XSS","patientInstruction":"XSS"}],"requester":{"display":"XSS"}}`,
		`{"resourceType":"DocumentReference","status":"current","docStatus":"final",` + about + `,"type":{"text":"XSS"},"description":"XSS","date":"` + start + `","author":[{"reference":"` + practitioner + `","display":"XSS"}],
			"content":[{"attachment":{"contentType":"text/html","title":"XSS","data":"XSS64"}}]}`,
		`{"resourceType":"DocumentReference","status":"current",` + about + `,"type":{"text":"XSS"},"description":"XSS","date":"` + start + `","content":[{"attachment":{"contentType":"image/svg+xml","title":"XSS","data":"XSS64"}}]}`,
		`{"resourceType":"DocumentReference","status":"current",` + about + `,"type":{"text":"XSS"},"description":"XSS","date":"` + start + `","content":[{"attachment":{"contentType":"text/plain","title":"XSS","data":"XSS64"}}]}`,
		`{"resourceType":"DocumentReference","status":"current",` + about + `,"type":{"text":"XSS"},"date":"` + start + `","content":[{"attachment":{"contentType":"application/pdf","title":"XSS","url":"javascript:w00t()"}}]}`,
		`{"resourceType":"DiagnosticReport","status":"final",` + about + `,` + code + `,"conclusion":"XSS","effectiveDateTime":"` + start + `","presentedForm":[{"contentType":"text/html","title":"XSS","data":"XSS64"}],"performer":[{"display":"XSS"}]}`,
		`{"resourceType":"Composition","status":"final",` + about + `,"type":{"text":"XSS"},"date":"` + start + `","title":"XSS","author":[{"display":"XSS"}],"section":[{"title":"XSS","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">&lt;w00t&gt; <b>XSS64</b></div>"}}]}`,
		`{"resourceType":"Procedure","status":"completed",` + about + `,"code":{"text":"XSS"},"performedDateTime":"` + start + `"}`,
		`{"resourceType":"Immunization","status":"completed","patient":{"reference":"` + patient + `"},"vaccineCode":{"text":"XSS"},"occurrenceDateTime":"` + start + `"}`,
		`{"resourceType":"Flag","status":"active",` + about + `,"code":{"text":"XSS"}}`,
		`{"resourceType":"CarePlan","status":"active","intent":"plan",` + about + `,"title":"XSS","description":"XSS"}`,
		`{"resourceType":"Task","status":"requested","intent":"order","for":{"reference":"` + patient + `"},"owner":{"reference":"` + practitioner + `"},"description":"XSS","code":{"text":"XSS"}}`,
		`{"resourceType":"Appointment","status":"booked","description":"XSS","comment":"XSS","start":"` + time.Now().Add(time.Minute).UTC().Format(time.RFC3339) + `","end":"` + time.Now().Add(time.Hour).UTC().Format(time.RFC3339) + `",
			"participant":[{"status":"accepted","actor":{"reference":"` + patient + `","display":"XSS"}},{"status":"accepted","actor":{"reference":"` + practitioner + `"}}],"serviceType":[{"text":"XSS"}],"reasonCode":[{"text":"XSS"}]}`,
		`{"resourceType":"Coverage","status":"active","beneficiary":{"reference":"` + patient + `"},"payor":[{"display":"XSS"}],"subscriberId":"XSS","type":{"text":"XSS"}}`,
	} {
		o.put(strewn(r))
	}
	name := script[:40]
	people := []identity.NewPerson{{Name: name + " doctor", Roles: []string{identity.Physician}, Practitioner: practitioner, Department: script[:40]}, {Name: name + " desk", Roles: []string{identity.FrontDesk}},
		{Name: name + " billing", Roles: []string{identity.Billing}}, {Name: name + " officer", Roles: []string{identity.Privacy}}, {Name: name + " admin", Roles: []string{identity.Administrator}},
		{Name: name + " patient", Roles: []string{identity.Patient}, Patient: patient}}
	var who []signIn
	places := make([][]string, len(people))
	fields, pages := 0, 0
	for i, n := range people { // by program: every form that a link leads to is filled in
		who = append(who, o.person(n))
		capacity := identity.StaffCapacity
		if n.Roles[0] == identity.Patient {
			capacity = identity.PatientCapacity
		}
		opened, err := o.Persons.Enter(t.Context(), who[i].login, capacity, identity.Arrival{Zone: "hospital", Trust: "registered"})
		if err != nil {
			t.Fatal(err)
		}
		c := &servertest.Client{Client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Transport: withCookie{opened.Token}}, Base: o.URL}
		if n.Roles[0] == identity.Physician {
			c.Form(t, "/find", "q", script)
		}
		seen := map[string]int{}
		for queue := []string{"/", "/day", "/desk", "/desk/new", "/find", "/activity", "/me", "/my-sign-in", "/my-devices", "/apps", "/privacy", "/privacy/cases", "/audit", "/admin/people", "/admin/people/new", "/approvals", "/integrity", "/chart/" + strings.TrimPrefix(patient, "Patient/")}; len(queue) > 0; queue = queue[1:] {
			at := html.UnescapeString(queue[0])
			if kind := anID.ReplaceAllString(at, "*"); seen[at] > 0 || seen[kind] > 3 || strings.HasPrefix(at, "/static") || len(places[i]) > 60 {
				continue
			} else {
				seen[kind]++
			}
			seen[at]++
			got := c.Get(t, at, "Accept", "text/html")
			unbroken(t, at, got)
			if got.Status == http.StatusSeeOther {
				queue = append(queue, got.Header.Get("Location"))
				continue
			}
			if got.Status != http.StatusOK || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") {
				if d := got.Header.Get("Content-Disposition"); got.Status == http.StatusOK && !strings.HasPrefix(d, "attachment") {
					t.Errorf("%s is shown here as %s", at, got.Header.Get("Content-Type"))
				}
				continue
			}
			places[i] = append(places[i], at)
			for _, l := range linkOf.FindAllStringSubmatch(got.Body, -1) {
				queue = append(queue, l[1])
			}
			fields += fills(t, c, got.Body)
		}
	}
	for i, one := range who { // and as people see it
		b := o.as(one)
		for _, status := range []int{400, 401, 403, 404, 409, 422, 429} { // of what was ended meanwhile
			b.expect(status)
		}
		for _, at := range places[i] {
			if b.open(at) >= 500 {
				t.Errorf("%s: a fault", at)
			}
			pages++
			if broken := ask[string](b, `(window.w00t ? "it ran " : "") + [...document.querySelectorAll("w00t, [data-w00t], [onfocus], [onerror], [onload], img[src=w00t], script:not([src]), a[href^='javascript:'], [src^='javascript:'], form[action^='javascript:']")].map(e => e.outerHTML.slice(0, 200)).join(" ")`); broken != "" {
				t.Errorf("%s as %s: %s", at, people[i].Roles[0], broken)
			}
		}
		b.close()
	}
	if t.Log(fields, "fields filled in,", pages, "pages opened"); fields < 20 || pages < 40 {
		t.Error("that is too few to learn anything")
	}
}

// withCookie sends a session along.
type withCookie struct{ token string }

func (w withCookie) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.AddCookie(&http.Cookie{Name: "chartwarden", Value: w.token})
	return http.DefaultTransport.RoundTrip(r)
}
