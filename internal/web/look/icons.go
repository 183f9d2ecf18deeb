package look

import (
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// markFile is the shield as a file of its own, for the browser's tab.
const markFile = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="M12 1.8 3.2 5v6.4c0 5.2 3.6 9.3 8.8 10.8 5.2-1.5 8.8-5.6 8.8-10.8V5z" fill="#0a5a64"/><path d="M6.4 12.4h2.9l1.5-3.7 2.5 6.6 1.7-2.9h2.6" fill="none" stroke="#fff" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round"/></svg>`

var svgBody = regexp.MustCompile(`(?s)<svg[^>]*>(.*)</svg>`)

// sprite joins the vendored icons into one file of symbols. Only icons that a page uses are vendored (a test compares both ways).
func sprite() []byte {
	names, err := fs.Glob(files, "thirdparty/lucide/*.svg")
	if err != nil {
		panic(err)
	}
	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg">`)
	for _, name := range names {
		inner := svgBody.FindStringSubmatch(string(mustRead(name)))[1]
		b.WriteString(`<symbol id="` + strings.TrimSuffix(path.Base(name), ".svg") + `" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">`)
		b.WriteString(strings.Join(strings.Fields(inner), " "))
		b.WriteString(`</symbol>`)
	}
	b.WriteString(`</svg>`)
	return []byte(b.String())
}

// icon is the address of one symbol.
func icon(name string) string { return URL("icons.svg") + "#" + name }

// HasIcon reports whether an icon is vendored.
func HasIcon(name string) bool {
	_, err := fs.Stat(files, "thirdparty/lucide/"+name+".svg")
	return err == nil
}
