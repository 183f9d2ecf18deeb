package audit

import (
	"context"
	"time"
)

// idle is how long the log may stand still before a heartbeat shows that it was not cut off.
const idle = time.Minute

// keep looks after the log once a second until ctx ends.
func (l *Log) keep(ctx context.Context) {
	tick, stop := l.o.Tick(time.Second)
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
			l.pulse(ctx)
		}
	}
}

func (l *Log) pulse(ctx context.Context) {
	h := l.head.Load()
	if h == nil { // no database: the journal serves until a restart
		l.writeHead()
		return
	}
	now, end := l.o.Now(), h.end()
	troubled := l.journaling.Load()
	switch {
	case end != l.seen && !troubled:
		l.seen, l.beat = end, now
	case now.Sub(l.beat) >= idle || troubled: // in trouble the heartbeat is the probe that finds the log working again
		if _, err := l.append(ctx, Heartbeat, l.own(Event{Interaction: "heartbeat"}), nil); err == nil {
			l.beat = now
		} else if !troubled {
			l.distress(err)
		}
	}
	if !l.journaling.Load() && now.Sub(l.saw) >= idle {
		l.saw = now
		if err := l.attest(ctx); err != nil {
			l.o.Logger.Error("the heads of other nodes' logs cannot be attested", "err", err)
		}
	}
	if !l.journaling.Load() {
		if err := l.tend(ctx); err != nil {
			l.o.Logger.Error("the emergency journal does not stand ready yet", "err", err)
		}
	}
	l.writeHead()
}

// distress notes that the log cannot be written; recovered that it can again.
func (l *Log) distress(cause error) {
	l.mu.Lock()
	l.state.Fault = cause.Error()
	l.mu.Unlock()
	if !l.journaling.Swap(true) {
		l.o.Logger.Error("the audit log cannot be written: only explained and emergency reads go on", "err", cause)
	}
}

func (l *Log) recovered() {
	if l.journaling.Swap(false) {
		l.mu.Lock()
		l.state.Fault = ""
		l.mu.Unlock()
		l.o.Logger.Info("the audit log can be written again")
	}
}
