package document

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParse holds the parser against encoding/json: what we accept it accepts, with the same content; what it accepts and we
// refuse is refused for one of the reasons that Parse names, and that reason holds.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		sample, `{}`, `[]`, `null`, ` true `, `-0.5e+3`, `"\u00e9\ud83d\ude00\/"`, `{"a":1,"a":2}`, `{"\u0061":1}`, `"\ud800"`, `"\udc00\ud800"`,
		"\"\xff\"", "\"\x7f\"", `[1,]`, `{"a":}`, `01`, `1.`, `.5`, `1e`, `+1`, `nul`, `"\x"`, `"\u12g4"`, "\"\t\"", `// x`, `{"a":[{"b":[]}]}`, "\ufeff{}",
		strings.Repeat("[", 65) + strings.Repeat("]", 65), `"abcdefgh\"ijklmnop"`, `{"aaaaaaaab":1,"aaaaaaaac":2,"aaaaaaaab":3}`, "", " ", `"`, `"\`, `"\u`, `"\ud83d\u`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p := parser{b: b, levels: MaxDepth}
		ok := p.document()
		valid := json.Valid(b)
		if ok && !valid {
			t.Fatal("accepts what encoding/json refuses")
		}
		if !ok {
			_ = p.err().Error()
		}
		if !ok && valid {
			if p.fault < faultUTF8 {
				t.Fatalf("refuses valid JSON: %s", faultTexts[p.fault])
			}
			if !holds(p.fault, b) {
				t.Fatalf("refuses for a reason that does not hold: %s", faultTexts[p.fault])
			}
			return
		}
		if !ok {
			return
		}
		tp := &tape{b, p.nodes}
		dec := json.NewDecoder(bytes.NewReader(b))
		dec.UseNumber()
		same(t, tp.at(0), dec)
		if d, err := Parse(bytes.Clone(b)); err == nil {
			if !bytes.Equal(d.AppendJSON(nil), b) {
				t.Fatal("the bytes changed")
			}
			checkStamp(t, d)
			for n := range d.Root().All() {
				if n.Expression() == "" {
					t.Fatal("a node without a path")
				}
			}
		}
	})
}

// same compares a node with what the tokens of encoding/json say.
func same(t *testing.T, n Node, dec *json.Decoder) {
	t.Helper()
	tok, err := dec.Token()
	if err != nil {
		t.Fatal(err)
	}
	switch tok := tok.(type) {
	case json.Delim:
		count := 0
		for c := range n.children {
			count++
			if tok == '{' {
				name, _ := dec.Token()
				if name != c.Name() || n.Kind() != Object {
					t.Fatalf("name %q, want %q", c.Name(), name)
				}
			} else if n.Kind() != Array {
				t.Fatal("not an array")
			}
			same(t, c, dec)
		}
		if dec.More() {
			t.Fatalf("only %d children", count)
		}
		if _, err := dec.Token(); err != nil {
			t.Fatal(err)
		}
	case string:
		if n.Kind() != String || n.Text() != tok {
			t.Fatalf("string %q, want %q", n.Text(), tok)
		}
	case json.Number:
		if n.Kind() != Number || n.Text() != tok.String() {
			t.Fatalf("number %q, want %q", n.Text(), tok)
		}
	case bool:
		if n.Kind() != Bool || n.Bool() != tok {
			t.Fatal("boolean")
		}
	case nil:
		if n.Kind() != Null || n.Text() != "" {
			t.Fatal("null")
		}
	}
}

// holds decides by other means whether b, valid JSON, has the fault.
func holds(f fault, b []byte) bool {
	found := map[fault]bool{faultUTF8: !utf8.Valid(b)}
	for i := 0; i+6 <= len(b); i++ {
		if b[i] == '\\' && b[i+1] != 'u' {
			i++
		} else if b[i] == '\\' {
			hex := strings.ToLower(string(b[i+2 : i+6]))
			switch {
			case hex >= "d800" && hex < "dc00" && i+12 <= len(b) && string(b[i+6:i+8]) == `\u` && strings.ToLower(string(b[i+8:i+12])) >= "dc00" && strings.ToLower(string(b[i+8:i+12])) < "e000":
				i += 6
			case hex >= "d800" && hex < "e000":
				found[faultSurrogate] = true
			}
			i += 5
		}
	}
	depth, deepest := 0, 0
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var walk func()
	walk = func() {
		tok, err := dec.Token()
		if err != nil {
			return
		}
		if d, ok := tok.(json.Delim); ok {
			depth++
			deepest = max(deepest, depth)
			seen := map[string]bool{}
			for dec.More() {
				if d == '{' {
					before := dec.InputOffset()
					name, _ := dec.Token()
					s, _ := name.(string)
					if seen[s] {
						found[faultTwice] = true
					}
					seen[s] = true
					if len(s) > 255 || bytes.ContainsRune(b[before:dec.InputOffset()], '\\') {
						found[faultName] = true
					}
				}
				walk()
			}
			_, _ = dec.Token()
			depth--
		}
	}
	walk()
	found[faultDepth] = deepest > MaxDepth
	return found[f]
}

// FuzzSplitBundle holds the splitter against the parser: a bundle that Parse accepts is split into the same resources, and what the
// splitter accepts as a whole, encoding/json accepts.
func FuzzSplitBundle(f *testing.F) {
	for _, s := range []string{
		`{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Basic","id":"a"}},{}]}`,
		`{"entry":[],"resourceType":"Bundle"}`, `{"resourceType":"Bundle"}`, `{"resourceType":"Bundle","x":tru,"y":[}]}`, `{"resourceType":"Bundle","entry":[1 2]}`,
	} {
		f.Add([]byte(s), uint8(3))
	}
	f.Fuzz(func(t *testing.T, b []byte, chunk uint8) {
		s := SplitBundle(&slow{b, int(chunk) + 1})
		var got []*Doc
		whole := true
		for e, err := range s.Entries() {
			if err != nil {
				whole = false
				break
			}
			d, err := e.Doc()
			whole = whole && err == nil
			got = append(got, d)
		}
		if whole && !json.Valid(b) {
			t.Fatal("accepts what encoding/json refuses")
		}
		d, err := Parse(bytes.Clone(b))
		if err != nil || d.Type() != "Bundle" || d.Root().Get("entry").Exists() && d.Root().Get("entry").Kind() != Array {
			return
		}
		i := 0
		for e := range d.Root().Get("entry").Items() {
			if i >= len(got) {
				t.Fatal("an entry is missing")
			}
			if r := e.Get("resource"); got[i] != nil && string(got[i].AppendJSON(nil)) != string(r.Raw()) {
				t.Fatal("an entry differs")
			} else if _, err := r.Detach(); err == nil && got[i] == nil {
				t.Fatal("a good entry is refused")
			}
			i++
		}
		if i != len(got) {
			t.Fatal("an entry too many")
		}
	})
}

type slow struct {
	b []byte
	n int
}

func (s *slow) Read(p []byte) (int, error) {
	if len(s.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(s.n, len(p))], s.b)
	s.b = s.b[n:]
	return n, nil
}
