package training

import (
	"strings"
	"testing"
	"testing/fstest"
)

// What ships is short, in plain language, and asks what a course has to ask.
func TestWhatShipsIsShort(t *testing.T) {
	all, lessons, err := load(nil, ".")
	if err != nil || len(all) != 7 || len(lessons) != 3 {
		t.Fatal(len(all), len(lessons), err)
	}
	for _, m := range append(all, lessons...) {
		words := 0
		for _, s := range m.Text {
			for _, text := range s.Text {
				words += len(strings.Fields(text))
			}
		}
		if words > 180*m.Minutes { // a slow reader
			t.Errorf("%s: %d words in %d minutes", m.ID, words, m.Minutes)
		}
		if course := m.ID != "promise" && !strings.HasPrefix(m.ID, "lesson-"); course != (len(m.Quiz) >= 3) {
			t.Errorf("%s asks %d questions", m.ID, len(m.Quiz))
		}
	}
	if !all[0].Concerns([]string{"billing"}) || all[0].Concerns([]string{"patient"}) {
		t.Error("the first module concerns everybody who works here")
	}
}

// A folder of the house replaces a module and adds others; a file that does not parse is named with its line.
func TestAHouseWritesItsOwn(t *testing.T) {
	own := fstest.MapFS{"phishing.txt": {Data: []byte("# Ours\nminutes: 1\n\n## One\nText\nof two lines\n\nAnother\n")}, "fire.txt": {Data: []byte("# Fire\nminutes: 1\nfor: nurse\n## Out\nGo.\n")}}
	all, _, err := load(own, ".")
	if err != nil || len(all) != 8 {
		t.Fatal(len(all), err)
	}
	for _, m := range all {
		if m.ID == "phishing" && (m.Title != "Ours" || len(m.Text[0].Text) != 2 || m.Text[0].Text[0] != "Text of two lines") {
			t.Errorf("%+v", m)
		}
	}
	for text, says := range map[string]string{
		"":                                "a module has a title",
		"# A\nminutes: 9\n":               "line 2: minutes is a number",
		"# A\nminutes: 1\nText\n":         "line 3: text stands under a heading",
		"# A\nminutes: 1\n## B\nx\n? Q\n": "asks 3 to 6 questions",
		"# A\nminutes: 1\n## B\n+ yes\n":  "line 4: an answer comes after its question",
		"# A\nminutes: 1\n## B\n" + strings.Repeat("? Q\n- a\n- b\n= c\n", 3): "one of them right",
	} {
		if _, err := Parse("x", text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("# A\nminutes: 1\nfor: nurse\n## B\ntext\n? Q\n- a\n+ b\n= c\n")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Parse("x", text)
		if err != nil {
			return
		}
		for _, q := range m.Quiz {
			if q.Right < 0 || q.Right >= len(q.Answers) {
				t.Fatalf("%+v", q)
			}
		}
	})
}
