package db

import (
	"strconv"
	"strings"
)

// rebind writes the placeholders of SQLite (`?`, `?1`) as those of PostgreSQL (`$1`). A `?` counts on from the highest number so far,
// as in SQLite. Quoted text, names and comments stay as they are.
func rebind(query string) string {
	if strings.IndexByte(query, '?') < 0 {
		return query
	}
	var b strings.Builder
	b.Grow(len(query) + 16)
	highest := 0
	for i := 0; i < len(query); {
		end := i + 1
		switch c := query[i]; {
		case c == '\'' || c == '"':
			end = after(query, i+1, string(c))
		case strings.HasPrefix(query[i:], "--"):
			end = after(query, i, "\n")
		case strings.HasPrefix(query[i:], "/*"):
			end = after(query, i+2, "*/")
		case c == '?':
			for end < len(query) && '0' <= query[end] && query[end] <= '9' {
				end++
			}
			n := highest + 1
			if end > i+1 {
				n, _ = strconv.Atoi(query[i+1 : end]) // digits
			}
			highest = max(highest, n)
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
			i = end
			continue
		}
		b.WriteString(query[i:end])
		i = end
	}
	return b.String()
}

// after is the place behind the next mark from i on, or the end.
func after(s string, i int, mark string) int {
	if n := strings.Index(s[i:], mark); n >= 0 {
		return i + n + len(mark)
	}
	return len(s)
}
