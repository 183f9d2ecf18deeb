package training

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"chartwarden/internal/outcome"
)

//go:embed content
var shipped embed.FS

// Module is one text to read and to sign: with questions it is a course of a few minutes, without it is an attestation.
type Module struct {
	ID      string // of the file, without .txt
	Title   string
	Minutes int
	For     []string // roles whom it concerns; empty: everybody who works here
	Text    []Section
	Quiz    []Question
	Version string // hash of the file, so that nobody has signed what was changed since
}

// Section is a heading with its paragraphs.
type Section struct {
	Title string
	Text  []string
}

// Question has one right answer, and says why it is.
type Question struct {
	Text    string
	Answers []string
	Right   int // index of the right one
	Why     string
}

// Concerns reports whether somebody with these roles has to complete the module.
func (m Module) Concerns(roles []string) bool {
	staff := slices.ContainsFunc(roles, func(r string) bool { return r != "patient" })
	return staff && (len(m.For) == 0 || slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(m.For, r) }))
}

const (
	longest   = 16 << 10 // bytes of a file: it is read within five minutes
	minutes   = 5
	questions = 6
)

// Parse reads a module file. `# ` is the title, `minutes: N` and `for: role role` follow it; `## ` begins a section; `? ` a question, `- `
// a wrong and `+ ` the right answer, `= ` why it is right. Other lines are text; an empty line ends a paragraph. A course has 3 to 6
// questions, an attestation none. Errors: outcome.Value with the line.
func Parse(id, text string) (Module, error) {
	sum := sha256.Sum256([]byte(text))
	m := Module{ID: id, Version: hex.EncodeToString(sum[:6])}
	bad := func(line int, what string) (Module, error) {
		return Module{}, outcome.New(outcome.Value, fmt.Sprintf("training file %s.txt, line %d: %s", id, line, what))
	}
	if len(text) > longest {
		return bad(0, "longer than 16 KiB: nobody reads that in five minutes")
	}
	open := false // a paragraph
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i, line := range lines {
		line = strings.TrimSpace(line)
		mark, rest, _ := strings.Cut(line, " ")
		rest = strings.TrimSpace(rest)
		last := len(m.Quiz) - 1
		switch {
		case line == "":
			open = false
			continue
		case mark == "#":
			m.Title = rest
		case mark == "minutes:":
			n, err := strconv.Atoi(rest)
			if err != nil || n < 1 || n > minutes {
				return bad(i+1, "minutes is a number from 1 to 5")
			}
			m.Minutes = n
		case mark == "for:":
			m.For = strings.Fields(rest)
		case mark == "##":
			m.Text = append(m.Text, Section{Title: rest})
		case mark == "?":
			m.Quiz = append(m.Quiz, Question{Text: rest, Right: -1})
		case (mark == "-" || mark == "+" || mark == "=") && last < 0:
			return bad(i+1, "an answer comes after its question, a line that begins with ?")
		case mark == "+" && m.Quiz[last].Right >= 0:
			return bad(i+1, "a question has one right answer")
		case mark == "-", mark == "+":
			if mark == "+" {
				m.Quiz[last].Right = len(m.Quiz[last].Answers)
			}
			m.Quiz[last].Answers = append(m.Quiz[last].Answers, rest)
		case mark == "=":
			m.Quiz[last].Why = rest
		case last >= 0:
			return bad(i+1, "text stands before the questions")
		case len(m.Text) == 0:
			return bad(i+1, "text stands under a heading, a line that begins with ##")
		default:
			s := &m.Text[len(m.Text)-1]
			if n := len(s.Text); open {
				s.Text[n-1] += " " + line
			} else {
				s.Text = append(s.Text, line)
			}
			open = true
			continue
		}
		open = false
	}
	switch {
	case m.Title == "" || len(m.Text) == 0 || m.Minutes == 0:
		return bad(len(lines), "a module has a title (#), minutes: and a section (##)")
	case len(m.Quiz) != 0 && (len(m.Quiz) < 3 || len(m.Quiz) > questions):
		return bad(len(lines), "a course asks 3 to 6 questions, an attestation none")
	}
	for _, q := range m.Quiz {
		if q.Text == "" || q.Right < 0 || len(q.Answers) < 2 || q.Why == "" {
			return bad(len(lines), "each question has two answers or more, one of them right (+), and says why (=)")
		}
	}
	return m, nil
}

// Load reads the modules that ship with the program; a file of the same name in the folder dir replaces one, others are added. An empty dir
// is none. Errors: outcome.Value for a file that does not parse; outcome.NotFound for a folder that cannot be read.
func load(dir fs.FS, folder string) (all, lessons []Module, err error) {
	files := map[string]string{}
	for _, from := range []struct {
		fs     fs.FS
		folder string
	}{{shipped, "content"}, {dir, folder}} {
		if from.fs == nil {
			continue
		}
		names, err := fs.Glob(from.fs, path.Join(from.folder, "*.txt"))
		if err != nil {
			return nil, nil, err
		}
		for _, name := range names {
			b, err := fs.ReadFile(from.fs, name)
			if err != nil {
				return nil, nil, outcome.Wrap("training: content", outcome.NotFound, "a training file cannot be read: check the folder's rights", err)
			}
			files[strings.TrimSuffix(path.Base(name), ".txt")] = string(b)
		}
	}
	for id, text := range files {
		m, err := Parse(id, text)
		if err != nil {
			return nil, nil, err
		}
		if strings.HasPrefix(id, "lesson-") {
			lessons = append(lessons, m)
		} else {
			all = append(all, m)
		}
	}
	for _, l := range [][]Module{all, lessons} {
		slices.SortFunc(l, func(a, b Module) int { return strings.Compare(a.ID, b.ID) })
	}
	return all, lessons, nil
}
