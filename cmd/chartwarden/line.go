package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
)

// line is a command line behind the command's name: define the flags on it, then parse.
type line struct {
	*flag.FlagSet
	command command
	args    []string
	out     io.Writer
	config  *server.Config // of the installation, when the command has one
}

func newLine(path string, c command, args []string, out io.Writer) *line {
	l := &line{FlagSet: flag.NewFlagSet(path, flag.ContinueOnError), command: c, args: args, out: out}
	l.SetOutput(io.Discard) // an error is one line, and ours to print
	return l
}

// installation defines the flags that say which installation is meant. Their values also come from CHARTWARDEN_* variables, and so do the
// witnesses, who are asked about the log by whatever opens it.
func (l *line) installation(c *server.Config) {
	l.config = c
	for _, s := range server.Settings(c) {
		if !s.Listens {
			l.setting(s.Value, s.Flag, s.Usage)
		} else if s.Flag == "witness" {
			*s.Value = os.Getenv(s.Variable())
		}
	}
}

// listening defines the flags of commands that listen.
func (l *line) listening(c *server.Config) {
	for _, s := range server.Settings(c) {
		if s.Listens {
			l.define(s)
		}
	}
}

// only defines one flag of those.
func (l *line) only(c *server.Config, name string) {
	for _, s := range server.Settings(c) {
		if s.Flag == name {
			l.define(s)
		}
	}
}

func (l *line) define(s server.Setting) {
	if !s.Many {
		l.setting(s.Value, s.Flag, s.Usage)
		return
	}
	*s.Value = os.Getenv(s.Variable())
	first := true // those on the command line stand in for those of the environment
	l.Func(s.Flag, s.Usage+" ("+s.Variable()+", with commas)", func(text string) error {
		if !first {
			text = *s.Value + "," + text
		}
		*s.Value, first = text, false
		return nil
	})
}

// origins notes where the values of the configuration come from.
func (l *line) origins() {
	if l.config == nil {
		return
	}
	l.config.Origins = map[string]string{}
	for _, s := range server.Settings(l.config) {
		switch {
		case l.given(s.Flag):
			l.config.Origins[s.Flag] = server.FromFlag
		case os.Getenv(s.Variable()) != "":
			l.config.Origins[s.Flag] = server.FromEnvironment
		}
	}
}

func (l *line) setting(p *string, name, usage string) {
	env := "CHARTWARDEN_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	l.StringVar(p, name, os.Getenv(env), usage+" ("+env+")")
}

// parse reads the flags and refuses anything else.
func (l *line) parse() error {
	rest, err := l.parseWith()
	if err == nil && len(rest) > 0 {
		err = outcome.New(outcome.Invalid, "unexpected argument "+rest[0]+"; `"+l.Name()+" --help` lists the flags")
	}
	return err
}

// parseOne reads the flags and the one argument that the command takes.
func (l *line) parseOne(what string) (string, error) {
	rest, err := l.parseWith()
	if err == nil && len(rest) != 1 {
		err = outcome.New(outcome.Required, "name one "+what+": "+l.Name()+" "+l.command.form)
	}
	if err != nil {
		return "", err
	}
	return rest[0], nil
}

// parseWith reads the flags, before, between or behind the arguments, and returns these. Behind `--` all are arguments.
func (l *line) parseWith() ([]string, error) {
	var rest []string
	for args := l.args; ; {
		if err := l.FlagSet.Parse(args); errors.Is(err, flag.ErrHelp) {
			return nil, &wantsHelp{l.help}
		} else if err != nil {
			what := strings.Replace(err.Error(), "flag provided but not defined: -", "there is no flag --", 1)
			return nil, outcome.New(outcome.Invalid, what+"; `"+l.Name()+" --help` lists the flags")
		}
		l.origins()
		left := l.Args()
		if read := len(args) - len(left); len(left) == 0 || read > 0 && args[read-1] == "--" {
			return append(rest, left...), nil
		}
		rest, args = append(rest, left[0]), left[1:]
	}
}

// moment reads a point in time of the site: RFC 3339, or a day, which begins at its midnight. Empty is the zero time.
func moment(flagName, text string, c server.Config) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	zone, err := time.LoadLocation(c.Effective().TimeZone)
	if err != nil {
		return time.Time{}, outcome.New(outcome.Invalid, "name a time zone of the IANA database, for example Europe/Vienna").At("--time-zone")
	}
	t, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		return time.Time{}, outcome.New(outcome.Value, "write "+flagName+" as 2026-11-22 or 2026-11-22T08:30:00Z")
	}
	return t, nil
}

// many is a flag that may be repeated or hold commas.
type many []string

func (m *many) String() string { return strings.Join(*m, ",") }

// Set adds what s holds.
func (m *many) Set(s string) error {
	for one := range strings.SplitSeq(s, ",") {
		*m = append(*m, strings.TrimSpace(one))
	}
	return nil
}

// wantsHelp is the "error" of a command line that asks for help.
type wantsHelp struct{ print func(io.Writer) }

func (*wantsHelp) Error() string { return "help" }

func (l *line) help(w io.Writer) {
	fmt.Fprintf(w, "%s\n  %s\n", strings.TrimSpace(l.Name()+" "+l.command.form), l.command.about)
	var flags []*flag.Flag
	l.VisitAll(func(f *flag.Flag) { flags = append(flags, f) })
	if len(flags) > 0 {
		fmt.Fprintln(w)
	}
	own := func(f *flag.Flag) int { // what belongs to the command before what belongs to every installation
		if strings.Contains(f.Usage, "CHARTWARDEN_") && f.Name != "data" {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(flags, func(a, b *flag.Flag) int { return own(a) - own(b) })
	for _, f := range flags {
		value, usage := flag.UnquoteUsage(f)
		fmt.Fprintf(w, "  %-24s %s\n", strings.TrimSpace("--"+f.Name+" "+value), usage)
	}
}

// given reports whether a flag stood on the command line.
func (l *line) given(name string) (given bool) {
	l.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	return given
}
