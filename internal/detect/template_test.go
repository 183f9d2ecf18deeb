package detect

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestTheVocabularyIsTheReviewedOne(t *testing.T) {
	doc, err := os.ReadFile("../../docs/formats/detection.md")
	if err != nil {
		t.Fatal(err)
	}
	for k := range activity {
		v := vocabulary[k]
		row := fmt.Sprintf("-%d..+%d | %s |", v.before, v.after, v.text)
		if !strings.Contains(string(doc), "| `"+v.name+"` | ") || !strings.Contains(string(doc), row) {
			t.Errorf("docs/formats/detection.md lacks %s: %s", v.name, row)
		}
	}
	for _, q := range relations[:len(relations)-1] {
		if !strings.Contains(string(doc), "| `"+q.name+"` | "+q.text+" |") {
			t.Errorf("docs/formats/detection.md lacks %s", q.name)
		}
	}
}
