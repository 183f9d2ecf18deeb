// Command chartwarden is an electronic health record server that defends patient records against the people who are allowed in.
//
// The table of subcommands is [commands]; each is one file. Exit codes: 0 done; 1 the thing checked does not hold; 2 wrong use or cannot
// run. An error is one line on stderr that says what is wrong and how to mend it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	_ "time/tzdata" // a site's zone is known also where the machine has no zone database

	"chartwarden/internal/outcome"
)

// errDoesNotHold ends a check that found a fault: exit 1, the findings are printed already.
var errDoesNotHold = errors.New("does not hold")

func main() { os.Exit(Main()) }

// Main runs the program on os.Args and returns its exit code.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := dispatch(ctx, "chartwarden", commands, os.Args[1:], os.Stdout)
	var help *wantsHelp
	switch {
	case err == nil:
		return 0
	case errors.As(err, &help):
		help.print(os.Stdout)
		return 0
	case errors.Is(err, errDoesNotHold):
		return 1
	default:
		fmt.Fprintln(os.Stderr, "chartwarden: "+sentence(err))
		return 2
	}
}

// sentence is an error as one line: what is wrong and where, and for a fault that is not the caller's also what was being done.
func sentence(err error) string {
	var o *outcome.Error
	if !errors.As(err, &o) {
		return strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	text := o.Public
	if slices.Contains([]outcome.Code{outcome.Exception, outcome.NoStore, outcome.Invariant, outcome.Transient, outcome.Timeout}, o.Code) && o.Op != "" {
		text = o.Op + ": " + text
	}
	if o.Expression != "" && !strings.Contains(text, o.Expression) {
		text += " (at " + o.Expression + ")"
	}
	return strings.ReplaceAll(text, "\n", "; ")
}

// terminal is stderr when somebody watches it, nil otherwise: progress is for eyes.
func terminal() io.Writer {
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		return os.Stderr
	}
	return nil
}

func logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}
