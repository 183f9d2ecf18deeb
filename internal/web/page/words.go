package page

import (
	"strconv"
	"strings"

	"chartwarden/internal/web/look"

	"github.com/a-h/templ"
)

func anchor(prefix string, i int) string { return prefix + strconv.Itoa(i) }

func dayLine(v DayView) string {
	if v.Shift == "" {
		return v.Date.Text()
	}
	return v.Date.Text() + ". " + v.Shift
}

// join writes the parts that are not empty with a separator.
func join(sep string, parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, sep)
}

func linkIf(href, text string) look.Link {
	if href == "" {
		return look.Link{}
	}
	return look.Link{Text: text, Href: href}
}

// here marks the link to the page one is on.
func here(on bool) templ.Attributes {
	if on {
		return templ.Attributes{"aria-current": "page"}
	}
	return nil
}

func orDash(s string) string {
	if s == "" {
		return "not known"
	}
	return s
}

func large(t look.TrendOf) look.TrendOf { t.Large = true; return t }

func backOr(href string) string {
	if href == "" {
		return "/"
	}
	return href
}

func legend(v look.VolumeOf) string {
	if v.PartName == "" {
		return ""
	}
	return "Amber: " + v.PartName
}

func maskedWords(unmask string) string {
	if unmask == "" {
		return ""
	}
	return "Patients are masked"
}

func picked(os []Option) string {
	for _, o := range os {
		if o.On {
			return o.Value
		}
	}
	return ""
}

// comma puts a comma before what follows a name; nothing before nothing.
func comma(s string) string {
	if s == "" {
		return ""
	}
	return ", " + s
}
