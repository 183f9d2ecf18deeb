package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/policy"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"

	"golang.org/x/text/unicode/norm"
)

const peopleOnPage = 50

// peopleViews are the parts of the list.
var peopleViews = []struct {
	show, name string
	holds      func(identity.Person) bool
}{
	{"", "Active", func(one identity.Person) bool { return one.State != identity.Ended && !portalOnly(one) }},
	{"new", "Not enrolled", func(one identity.Person) bool {
		return one.State != identity.Ended && !one.Enrolled && !portalOnly(one)
	}},
	{"unused", "Not used", nil},
	{"ended", "Ended", func(one identity.Person) bool { return one.State == identity.Ended && !portalOnly(one) }},
	{"portal", "Portal", portalOnly},
}

// people lists who may sign in, a part at a time: all of a view, or those who fit what was searched for.
func (p *Pages) people(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	if err := p.o.Gate.Permit(r.Context(), who, policy.PeopleList); err != nil {
		p.fail(w, r, err)
		return
	}
	people, err := p.o.Persons.People(r.Context())
	if err != nil {
		p.fail(w, r, err)
		return
	}
	v := page.PeopleView{Shell: p.shell(r, atPeople, atPeople), May: administers(who.Session), Q: strings.TrimSpace(r.PostForm.Get("q"))}
	show, typed := r.URL.Query().Get("show"), r.URL.Query().Get("typed")
	if v.Q == "" {
		typed = ""
	}
	set, err := p.o.Persons.ScheduledFor(r.Context(), "")
	if err != nil {
		p.fail(w, r, err)
		return
	}
	unused := map[string]bool{}
	for _, x := range set {
		unused[x.Person] = unused[x.Person] || x.Kind == identity.SuspendAt
	}
	var chosen []identity.Person
	for _, view := range peopleViews {
		holds := view.holds
		if view.show == "unused" {
			if holds = func(one identity.Person) bool { return unused[one.ID] }; len(unused) == 0 && show != view.show {
				continue
			}
		}
		held := slices.DeleteFunc(slices.Clone(people), func(one identity.Person) bool { return !holds(one) || !fits(one, v.Q) })
		link := look.Link{Text: view.name, Href: peopleHref(view.show, typed, 0)}
		if v.Q != "" {
			link.Text += ", " + look.Number(int64(len(held)))
		}
		if view.show == show {
			link.Href, chosen, v.Which = "", held, view.name
		}
		v.Views = append(v.Views, link)
	}
	if v.Q == "" {
		v.Views = append(v.Views, look.Link{Text: "Set for later", Href: comingPath}, look.Link{Text: "On no roster", Href: unrosteredPath})
	}
	v.Total = len(chosen)
	skip, _ := strconv.Atoi(r.URL.Query().Get("from")) // anything but a number is the first page
	skip = min(max(skip, 0), len(chosen))
	shown := chosen[skip:min(skip+peopleOnPage, len(chosen))]
	v.First = skip + 1
	if skip > 0 {
		v.Newer = look.Link{Text: "Before", Href: peopleHref(show, typed, max(0, skip-peopleOnPage))}
	}
	if skip+len(shown) < len(chosen) {
		v.Older = look.Link{Text: "More people", Href: peopleHref(show, typed, skip+len(shown))}
	}
	for _, one := range shown {
		line, err := p.personLine(r, one)
		if err != nil {
			p.fail(w, r, err)
			return
		}
		if unused[one.ID] {
			line.Marks = append(line.Marks, look.Mark{Tone: look.Warn, Text: "Not used"})
		}
		v.People = append(v.People, line)
	}
	if access.SecondRight(who.Session.Roles()) != "" && v.Q == "" && skip == 0 {
		if v.Pending, err = p.pending(r, people); err != nil {
			p.fail(w, r, err)
			return
		}
	}
	p.draw(w, r, http.StatusOK, page.People(v))
}

// peopleHref is the address of a part of the list; what was searched for stands behind a chance number.
func peopleHref(show, typed string, from int) string {
	path, q := "/admin/people", url.Values{}
	if show != "" {
		q.Set("show", show)
	}
	if typed != "" {
		path += "/find"
		q.Set("typed", typed)
	}
	if from > 0 {
		q.Set("from", strconv.Itoa(from))
	}
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	return path
}

// fits reports whether each word begins a word of the person's name, sign-in name, role or department, whatever its accents.
func fits(one identity.Person, q string) bool {
	text := []string{shownName(one), rolesOf(one), one.Department}
	if !portalOnly(one) {
		text = append(text, one.SignInName)
	}
	have := plainWords(strings.Join(text, " "))
	return !slices.ContainsFunc(plainWords(q), func(want string) bool {
		return !slices.ContainsFunc(have, func(word string) bool { return strings.HasPrefix(word, want) })
	})
}

// plainWords are the words of a text in small letters without accents.
func plainWords(s string) []string {
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(s))
	return strings.FieldsFunc(strings.NewReplacer("ł", "l", "ø", "o", "đ", "d", "ß", "ss").Replace(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
