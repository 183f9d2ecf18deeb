package foreign

import (
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"
)

// cut gives every row of a text as its line, cells and what is wrong with it.
func cut(t testing.TB, r io.Reader, sep byte, quote bool) (out []string) {
	err := blocks(r, sep, quote, 1, func(b block) bool {
		if b.why != "" {
			out = append(out, fmt.Sprintf("%d! %s", b.first, b.why))
			return true
		}
		for text, line := b.text, b.first; text != ""; {
			end, _, why := rowEnd(text, sep, quote, true)
			if why != "" {
				t.Errorf("a block holds what is no row: %s", why)
			}
			cells, why := split(text[:end], sep, quote, nil)
			out = append(out, fmt.Sprintf("%d %q %s", line, cells, why))
			line += strings.Count(text[:end], "\n")
			text = text[end:]
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRowsOfATable(t *testing.T) {
	for _, c := range []struct {
		name, text string
		sep        byte
		plain      bool
		want       []string
	}{
		{"plain", "a\tb\nc\td\n", '\t', false, []string{`1 ["a" "b"] `, `2 ["c" "d"] `}},
		{"CRLF and no end of line", "a|b\r\nc|d", '|', false, []string{`1 ["a" "b"] `, `2 ["c" "d"] `}},
		{"separators and line ends inside quotes", "a,\"b,\r\nc\",d\ne,f,g\n", ',', false, []string{`1 ["a" "b,\r\nc" "d"] `, `3 ["e" "f" "g"] `}},
		{"doubled quotes", `"a ""b""","",c` + "\n", ',', false, []string{`1 ["a \"b\"" "" "c"] `}},
		{"quotes in the middle of a cell are signs", "5\" tube,b\n", ',', false, []string{`1 ["5\" tube" "b"] `}},
		{"a quote that is closed too early", "\"a\"b,c\nd,e\n", ',', false, []string{"1! a quote stands inside a quoted cell: double it", `2 ["d" "e"] `}},
		{"a quote that is never closed", "a,b\nc,\"d\ne,f\ng,h\n", ',', false, []string{`1 ["a" "b"] `, "2! a quote is opened and never closed", `3 ["e" "f"] `, `4 ["g" "h"] `}},
		{"quotes that mean nothing", "\"a\t\"b\nc\td\n", '\t', true, []string{`1 ["\"a" "\"b"] `, `2 ["c" "d"] `}},
		{"empty cells", ",,\n\n,\n", ',', false, []string{`1 ["" "" ""] `, `2 [""] `, `3 ["" ""] `}},
		{"nothing", "", ',', false, nil},
	} {
		if got := cut(t, strings.NewReader(c.text), c.sep, !c.plain); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if got := cut(t, iotest.OneByteReader(strings.NewReader(c.text)), c.sep, !c.plain); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s, byte by byte: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestAMegabyteInACellAndARowWithoutEnd(t *testing.T) {
	big := strings.Repeat("x\n", 1<<19)
	got := cut(t, strings.NewReader("a,\""+big+"\"\nb,c\n"), ',', true)
	if len(got) != 2 || !strings.HasPrefix(got[1], fmt.Sprint(1<<19+2)+` ["b" "c"]`) {
		t.Errorf("%d rows, the last %.40q", len(got), got[len(got)-1])
	}
	// a quote opened in a long file costs its line and nothing else
	wide := strings.Repeat("e", 1000)
	got = cut(t, strings.NewReader("a,b\nc,\"d\n"+strings.Repeat(wide+",f\n", 12<<10)), ',', true)
	if len(got) != 12<<10+2 || !strings.Contains(got[1], "2! ") || got[2] != `3 ["`+wide+`" "f"] ` {
		t.Errorf("%d rows, %.200q", len(got), got[:3])
	}
	// a line that never ends takes no memory
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got = cut(t, io.MultiReader(strings.NewReader("a,b\n"), io.LimitReader(forever{}, 64<<20), strings.NewReader("\nc,d\n")), ',', true)
	runtime.ReadMemStats(&after)
	if len(got) != 3 || !strings.HasPrefix(got[1], "2! the row is longer than 8 MiB") || got[2] != `3 ["c" "d"] ` {
		t.Errorf("%q", got)
	}
	if grown := (after.TotalAlloc - before.TotalAlloc) >> 20; grown > 64 {
		t.Errorf("allocated %d MB", grown)
	}
}

type forever struct{}

func (forever) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestEncodings(t *testing.T) {
	text := "név\tb\n"
	var little, big []byte
	for _, u := range utf16.Encode([]rune("\ufeff" + text)) {
		little = append(little, byte(u), byte(u>>8))
		big = append(big, byte(u>>8), byte(u))
	}
	for name, c := range map[string]struct {
		bytes    []byte
		encoding string
	}{
		"UTF-16 little": {little, ""}, "UTF-16 big": {big, "utf-8"}, "UTF-16 without a mark": {little[2:], "utf-16"},
		"a mark before UTF-8": {[]byte("\ufeff" + text), ""}, "UTF-8": {[]byte(text), "utf-8"}, "Windows": {[]byte("n\xe9v\tb\n"), "windows-1252"},
	} {
		if got, err := io.ReadAll(decode(strings.NewReader(string(c.bytes)), c.encoding)); err != nil || string(got) != text {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
}

// Whatever cells hold, a table that quotes them reads back the same, however it is cut.
func TestQuotedTablesReadBack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	signs := []string{"a", "b", "\"", ",", "\n", "\r\n", " ", "é", "\t", "|"}
	for range 300 {
		var b strings.Builder
		var want [][]string
		for range 1 + r.IntN(5) {
			var cells []string
			for j := range 1 + r.IntN(4) {
				var cell strings.Builder
				for range r.IntN(5) {
					cell.WriteString(signs[r.IntN(len(signs))])
				}
				cells = append(cells, cell.String())
				if j > 0 {
					b.WriteByte(',')
				}
				b.WriteString(`"` + strings.ReplaceAll(cell.String(), `"`, `""`) + `"`)
			}
			b.WriteByte('\n')
			want = append(want, cells)
		}
		var got [][]string
		_ = blocks(iotest.HalfReader(strings.NewReader(b.String())), ',', true, 1, func(bl block) bool {
			for text := bl.text; text != ""; {
				end, _, _ := rowEnd(text, ',', true, true)
				cells, why := split(text[:end], ',', true, nil)
				if why != "" {
					t.Fatal(why)
				}
				got, text = append(got, cells), text[end:]
			}
			return true
		})
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %q, want %q", b.String(), got, want)
		}
	}
}

func FuzzRows(f *testing.F) {
	f.Add("a,\"b\n\"\"c\",d\r\n\"x\"y\n\"", byte(','), true)
	f.Add("a\tb\n\"c\td\n", byte('\t'), false)
	f.Fuzz(func(t *testing.T, s string, sep byte, quote bool) {
		if sep == '"' || sep == '\n' || sep == '\r' {
			return
		}
		whole := cut(t, strings.NewReader(s), sep, quote)
		if bits := cut(t, iotest.OneByteReader(strings.NewReader(s)), sep, quote); !reflect.DeepEqual(whole, bits) {
			t.Errorf("%q: %q, byte by byte %q", s, whole, bits)
		}
		if n := strings.Count(s, "\n"); n+1 < len(whole) {
			t.Errorf("%d rows of %d lines", len(whole), n+1)
		}
	})
}
