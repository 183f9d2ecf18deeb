package server

import "strings"

// What browsers call themselves, by the words of their header: the first that fits. Each names its ancestors, too, so the order counts.
// Only these words are kept, for the person's own list: not the header, by which one browser could be told from others.
var (
	systems  = [][2]string{{"iPhone", "an iPhone"}, {"iPad", "an iPad"}, {"Android", "Android"}, {"CrOS", "ChromeOS"}, {"Windows", "Windows"}, {"Macintosh", "a Mac"}, {"Linux", "Linux"}}
	browsers = [][2]string{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"FxiOS", "Firefox"}, {"CriOS", "Chrome"},
		{"Chrome/", "Chrome"}, {"Safari/", "Safari"}}
)

// browserWords says in words what a User-Agent header claims; empty where it says nothing that is known.
func browserWords(header string) string {
	find := func(table [][2]string) string {
		for _, one := range table {
			if strings.Contains(header, one[0]) {
				return one[1]
			}
		}
		return ""
	}
	browser, system := find(browsers), find(systems)
	switch {
	case browser == "" && system == "":
		return ""
	case browser == "":
		return "A browser on " + system
	case system == "":
		return browser
	}
	return browser + " on " + system
}
