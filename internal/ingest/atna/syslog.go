package atna

import (
	"bytes"
	"strings"
)

// body is what a syslog message carries: the XML, without a byte order mark. The header is read no further than it takes to find it;
// messages of the older RFC 3164 are borne. why says what is wrong with one that is none.
func body(text []byte) (xml []byte, why string) {
	text = bytes.TrimPrefix(bytes.TrimRight(text, " \t\r\n\x00"), mark)
	if len(text) == 0 || text[0] != '<' {
		return nil, "not syslog: a message begins with <PRI>"
	}
	end := bytes.IndexByte(text[:min(len(text), 6)], '>')
	if end < 2 {
		return nil, "not syslog: a message begins with <PRI>"
	}
	pri := 0
	for _, c := range text[1:end] {
		if c < '0' || c > '9' {
			return nil, "not syslog: a message begins with <PRI>"
		}
		pri = pri*10 + int(c-'0')
	}
	if pri > 191 {
		return nil, "not syslog: the priority is above 191"
	}
	rest := text[end+1:]
	if bytes.HasPrefix(rest, []byte("1 ")) {
		if rest, why = after(rest); why != "" {
			return nil, why
		}
	} else if i := start(rest); i >= 0 {
		rest = rest[i:]
	} else {
		return nil, "no audit message: the text is none of RFC 5424 and holds no AuditMessage"
	}
	rest = bytes.TrimPrefix(bytes.TrimLeft(rest, " \t\r\n"), mark)
	if start(rest) != 0 {
		return nil, "no audit message: the text holds no AuditMessage"
	}
	return rest, ""
}

// start is where XML begins, -1 nowhere.
func start(b []byte) int {
	i, j := bytes.Index(b, prolog), bytes.Index(b, beginTag)
	if i < 0 || j >= 0 && j < i {
		return j
	}
	return i
}

// after steps over version, time, host, application, process, kind and structured data of RFC 5424.
func after(b []byte) (rest []byte, why string) {
	for range 6 { // VERSION TIMESTAMP HOSTNAME APP-NAME PROCID MSGID
		i := bytes.IndexByte(b, ' ')
		if i <= 0 {
			return nil, "the syslog header is cut short"
		}
		b = b[i+1:]
	}
	switch {
	case len(b) == 0:
		return nil, "the syslog header is cut short"
	case b[0] == '-':
		return b[1:], ""
	case b[0] != '[': // some leave the structured data out
		return b, ""
	}
	quoted := false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == ']' && !quoted:
			if i+1 == len(b) || b[i+1] != '[' {
				return b[i+1:], ""
			}
		}
	}
	return nil, "the syslog header is cut short"
}

// person is a login out of the forms in which UserID stands: plain, or alias<name@issuer> of XUA.
func person(id string) string {
	if i, j := strings.IndexByte(id, '<'), strings.LastIndexByte(id, '>'); i >= 0 && j > i+1 {
		return id[i+1 : j]
	}
	return id
}

// patient splits an identifier of a patient into namespace and value: urn:oid:1.2|9, 9^^^&1.2&ISO, 9^^^NAME, Patient/9, 9.
func patient(id string) (system, value string) {
	id = strings.TrimSpace(id)
	if i := strings.LastIndexByte(id, '|'); i >= 0 {
		return id[:i], id[i+1:]
	}
	value, rest, cx := strings.Cut(id, "^")
	if !cx {
		return "", id
	}
	parts := strings.SplitN(rest, "^", 4)
	if len(parts) < 3 {
		return "", value
	}
	authority := strings.Split(parts[2], "&") // name, oid, ISO
	switch {
	case len(authority) > 1 && authority[1] != "":
		return "urn:oid:" + authority[1], value
	case authority[0] != "":
		return authority[0], value
	}
	return "", value
}
