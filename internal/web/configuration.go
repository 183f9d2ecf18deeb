package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"chartwarden/internal/identity"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// configures reports whether the page Configuration is for somebody; whether it opens is the door's to say.
func configures(s *identity.Session) bool {
	return administers(s) || slices.Contains(s.Roles(), identity.Security)
}

// configuration shows what this process is set to. Reading it is an entry.
func (p *Pages) configuration(w http.ResponseWriter, r *http.Request) {
	entry, err := p.o.Gate.ReadSettings(r.Context(), p.asks(r))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, entry)
	v := page.ConfigurationView{Shell: withEntry(p.shell(r, atConfiguration, atConfiguration), entry), Version: p.o.Version, Since: look.Exact(p.began.In(p.o.Zone))}
	for _, s := range p.o.Settings {
		if p.o.Trouble != nil {
			s.Means = strings.TrimSpace(s.Means + " " + p.o.Trouble(s.Name))
		}
		i := slices.IndexFunc(v.Groups, func(g page.SettingGroup) bool { return g.Name == s.Group })
		if i < 0 {
			i = len(v.Groups)
			v.Groups = append(v.Groups, page.SettingGroup{ID: "group-" + strconv.Itoa(i), Name: s.Group})
		}
		v.Groups[i].Settings = append(v.Groups[i].Settings, page.Setting{Name: s.Name, Variable: s.Variable, Value: s.Value, Means: s.Means, Change: s.Change, Origin: origin(s.Origin)})
	}
	p.draw(w, r, http.StatusOK, page.Configuration(v))
}

// origin marks where a value comes from; what somebody set stands out from what was left.
func origin(word string) look.Mark {
	m := look.Mark{Text: strings.ToUpper(word[:1]) + word[1:]}
	if word != "default" {
		m.Tone = look.Accent
	}
	return m
}
