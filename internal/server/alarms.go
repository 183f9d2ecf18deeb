package server

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
)

// grantRows is the table of grants, whose tags this package's own key family makes: access holds no keys.
const grantRows = "access_grant"

// trainingRows is the table of completions of training, of which the same is true.
const trainingRows = "training_done"

// wordRows is the table of what colleagues said, whose tags are made so too.
const wordRows = "access_word"

// downtimeRows is the table of declared downtimes, whose tags are made so too.
const downtimeRows = "access_downtime"

// practiceRows is the table of what declares a practice, whose tags are made so too.
const practiceRows = "access_practice"

// alarms collects the rows beside the records that the parts met and that this program did not write, or not like that. Each is told
// once: to the logger, as an entry of the log, on the integrity page. Telling never holds up who met it.
type alarms struct {
	logger *slog.Logger
	mu     sync.Mutex
	seen   map[string]bool
	newest []string
	queue  chan string
}

const (
	mostAlarms  = 10_000 // different rows that are told apart; more are a flood, and the verification names them all
	shownAlarms = 20
)

func newAlarms(logger *slog.Logger) *alarms {
	return &alarms{logger: logger, seen: map[string]bool{}, queue: make(chan string, mostAlarms)}
}

// raise is told of a row.
func (a *alarms) raise(table string, row int64) {
	name := fmt.Sprintf("%s row %d", table, row)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seen[name] || len(a.seen) >= mostAlarms {
		return
	}
	a.seen[name] = true
	a.newest = slices.Insert(a.newest, 0, name)
	a.newest = a.newest[:min(len(a.newest), shownAlarms)]
	a.logger.Error("a row was altered outside this server and does not count: run audit verify", "row", name)
	a.queue <- name // has room for every name
}

// state is what the integrity page shows.
func (a *alarms) state() access.Alarms {
	a.mu.Lock()
	defer a.mu.Unlock()
	return access.Alarms{Count: len(a.seen), Newest: slices.Clone(a.newest)}
}

// follow appends an entry for each row until the function that it gives is called.
func (a *alarms) follow(log *audit.Log) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			select {
			case <-ctx.Done():
				for len(a.queue) > 0 { // those of the last moment
					a.append(log, <-a.queue)
				}
				return
			case name := <-a.queue:
				a.append(log, name)
			}
		}
	})
	return func() error {
		cancel()
		running.Wait()
		return nil
	}
}

func (a *alarms) append(log *audit.Log, row string) {
	e := audit.Event{Kind: audit.Job, Agent: audit.Agent{Job: "integrity"}, Action: "E", Interaction: "row-altered", Class: audit.Machine, Purpose: "HSYSADMIN",
		Outcome: 8, Text: row + " was altered outside this server and does not count"}
	if _, err := log.Note(context.Background(), e); err != nil {
		a.logger.Error("an alarm could not become an entry; the verification names its row", "row", row)
	}
}
