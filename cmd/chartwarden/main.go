// Command chartwarden is an electronic health record server that defends patient records against the people who are allowed in.
//
// Each subcommand is one file. Exit codes: 0 done; 1 the thing checked does not hold; 2 wrong use or cannot run. An error is one line
// on stderr that says what is wrong and how to mend it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
)

// command is one subcommand: run gets the arguments behind its name.
type command struct {
	name, usage string
	run         func(ctx context.Context, args []string, out io.Writer) error
}

var commands []command

func init() {
	commands = []command{
		{"demo", "a seeded hospital with running life: [--listen ADDR] [--data DIR] [--seed N] [--size small|medium|large]", demo},
		{"init", "a new installation: --data DIR [--admin NAME] [--sandbox] [--passphrase-file F]", initialise},
		{"serve", "run the server: --data DIR [--listen ADDR] [--public-url URL] [--tls-cert F --tls-key F]", serve},
		{"import", "take FHIR files in: --data DIR [--atomic] [--report FILE] FILE|DIR ...", importFiles},
		{"person", "add|list|terminate|unlock people: --data DIR ...", person},
		{"audit", "verify|export|head|schema of the audit log", auditLog},
		{"policy", "check|test|explain the rules of access", policies},
		{"config", "print the effective configuration", config},
		{"routes", "print every route and the policy action it names: [--json]", routes},
		{"version", "print the version", version},
	}
}

// errDoesNotHold ends a check that found a fault: exit 1, the findings are printed already.
var errDoesNotHold = errors.New("does not hold")

func main() { os.Exit(Main()) }

// Main runs the program on os.Args and returns its exit code.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) < 2 {
		usage(os.Stderr)
		return 2
	}
	name := os.Args[1]
	if slices.Contains([]string{"help", "-h", "--help"}, name) {
		usage(os.Stdout)
		return 0
	}
	i := slices.IndexFunc(commands, func(c command) bool { return c.name == name })
	if i < 0 {
		fmt.Fprintf(os.Stderr, "chartwarden: there is no command %q; `chartwarden help` lists them\n", name)
		return 2
	}
	switch err := commands[i].run(ctx, os.Args[2:], os.Stdout); {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errDoesNotHold):
		return 1
	default:
		fmt.Fprintln(os.Stderr, "chartwarden: "+sentence(err))
		return 2
	}
}

// sentence is an error as one line.
func sentence(err error) string {
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "chartwarden: an electronic health record server that defends patient records against insiders")
	fmt.Fprintln(w)
	for _, c := range commands {
		fmt.Fprintf(w, "  chartwarden %-8s %s\n", c.name, c.usage)
	}
	fmt.Fprintln(w, "\nExit codes: 0 done, 1 the thing checked does not hold, 2 wrong use or cannot run.")
}

// flags is a flag set whose values also come from CHARTWARDEN_* variables.
func flags(name string, c *server.Config) *flag.FlagSet {
	fs := flag.NewFlagSet("chartwarden "+name, flag.ContinueOnError)
	text := func(p *string, flagName, usage string) {
		env := "CHARTWARDEN_" + strings.ToUpper(strings.ReplaceAll(flagName, "-", "_"))
		fs.StringVar(p, flagName, os.Getenv(env), usage+" ("+env+")")
	}
	text(&c.Data, "data", "data directory")
	text(&c.Database, "database", "postgres://... for records and audit; empty: SQLite in the data directory")
	text(&c.PassphraseFile, "passphrase-file", "file with the passphrase that protects the keys; empty: the key file in the data directory")
	text(&c.HeadFile, "head-file", "where each newest head of the log is kept; best on another volume")
	text(&c.JournalFile, "journal-file", "emergency journal; best on another volume")
	text(&c.TimeZone, "time-zone", "of the site, such as Europe/Vienna")
	return fs
}

// serving adds the flags of commands that listen.
func serving(fs *flag.FlagSet, c *server.Config) {
	text := func(p *string, flagName, usage string) {
		env := "CHARTWARDEN_" + strings.ToUpper(strings.ReplaceAll(flagName, "-", "_"))
		fs.StringVar(p, flagName, os.Getenv(env), usage+" ("+env+")")
	}
	text(&c.Listen, "listen", "host:port")
	text(&c.PublicURL, "public-url", "as browsers see this server")
	text(&c.TLSCert, "tls-cert", "PEM file")
	text(&c.TLSKey, "tls-key", "PEM file")
	text(&c.TrustedProxy, "trusted-proxy", "address of the proxy that ends TLS")
}

// parse reads args and refuses what is left over unless rest is wanted.
func parse(fs *flag.FlagSet, args []string, rest bool) error {
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return outcome.New(outcome.Invalid, err.Error())
	}
	if !rest && fs.NArg() > 0 {
		return outcome.New(outcome.Invalid, "unexpected argument "+fs.Arg(0)+"; `"+fs.Name()+" --help` lists the flags")
	}
	return nil
}

func logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}
