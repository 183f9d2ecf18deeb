package page

import "chartwarden/internal/web/look"

// TrainingView is what a person has to read and to sign, and what she signed.
type TrainingView struct {
	Shell      look.Shell
	Until      string // what blocks what, and when
	ToDo, Done []TrainingLine
	Record     []TrainingSigned
}

// TrainingLine is one module.
type TrainingLine struct{ Href, Title, About, State string }

// TrainingSigned is one completion.
type TrainingSigned struct {
	What, Version string
	When          look.When
	Entry         string // number in the log
}

// CourseView is one module: text, questions, signature. Without an ID there is nothing to sign.
type CourseView struct {
	Shell            look.Shell
	ID, Title, About string
	Text             []CourseText
	Quiz             []CourseQuestion
	Problem          string
	Next             *CourseNext // of a lesson before an act
}

// CourseNext is the act that a lesson stands before: the form that goes on with it, and where else to go.
type CourseNext struct {
	Action string
	Fields []Option // Name and Value
	Back   string
}

// CourseText is a heading with its paragraphs.
type CourseText struct {
	Title string
	Text  []string
}

// CourseQuestion is one question; Why stands once it was answered.
type CourseQuestion struct {
	Name, Text, Why string
	Wrong           bool
	Answers         []Option
}

// ComplianceView is how everybody stands.
type ComplianceView struct {
	Shell look.Shell
	Views []look.Link
	Rows  []ComplianceLine
	Total int
}

// ComplianceLine is one person.
type ComplianceLine struct {
	Name, Unit, Done, Href string
	Due                    look.When
	Mark                   look.Mark
}
