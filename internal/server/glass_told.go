package server

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/outlet"
)

// Those who treat a patient at whom somebody broke the glass are written to at once. The patient reads it on her page the moment it happened; whether
// she is also written to, and how many days later, is the site's to say: a review comes first where there is time for one.

// aboutOpened is a letter to a patient; then the id of the person that she signs in as, a stroke, and the number of the grant.
const aboutOpened = "opened:"

const (
	tellsAfter = 7 * 24 * time.Hour   // where the site says nothing
	tellsStill = 14 * 24 * time.Hour  // how far behind that a start looks for whom a server that stood still did not tell
	tellsBack  = 10 * time.Minute     // and how far a look of a running one: another node may store a grant late
	tellsLast  = 365 * 24 * time.Hour // the longest that a site may wait
	neverTells = time.Duration(-1)    // the site's rule is not to write
	tellLook   = 30 * time.Second     // between two looks
	tellDays   = "never, or a number of days from 0 to 365"
)

// tellPatients reads the site's rule: how long after the glass was broken its patient is written to, or neverTells.
func (c Config) tellPatients() (time.Duration, error) {
	switch strings.TrimSpace(c.TellPatients) {
	case "":
		return tellsAfter, nil
	case "never":
		return neverTells, nil
	}
	days, err := strconv.Atoi(strings.TrimSpace(c.TellPatients))
	after := time.Duration(days) * 24 * time.Hour
	if err != nil || days < 0 || after > tellsLast {
		return 0, errors.New("write --tell-patients as " + tellDays)
	}
	return after, nil
}

// tellPatients has patients written to until ctx ends.
func (s *Server) tellPatients(ctx context.Context) {
	after, err := s.Config.tellPatients()
	if err != nil || after == neverTells {
		return
	}
	since := s.options.Now().Add(-tellsStill)
	for {
		began := s.options.Now()
		if err := s.tellPatientsOnce(ctx, since, after); err == nil {
			since = began.Add(-tellsBack)
		} else if ctx.Err() == nil {
			s.options.Logger.Warn("patients could not be told of openings with a reason; it is tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(tellLook):
		}
	}
}

// tellPatientsOnce has those written to whose letter has come due since a time.
func (s *Server) tellPatientsOnce(ctx context.Context, since time.Time, after time.Duration) error {
	due, err := s.Gate.BrokenBetween(ctx, since.Add(-after), s.options.Now().Add(-after))
	if err != nil || len(due) == 0 {
		return err
	}
	people, err := s.Persons.People(ctx)
	if err != nil {
		return err
	}
	signsIn := map[string]string{} // a patient who works here reads her page: her address is one at work
	for _, p := range people {
		if p.Active && p.PortalOnly() && p.Mail != "" {
			signsIn[p.Patient] = p.ID
		}
	}
	for _, b := range due {
		if id, ok := signsIn["Patient/"+b.PatientID]; ok {
			err = errors.Join(err, s.outlet.Write(ctx, aboutOpened+id+"/"+strconv.FormatInt(b.Grant, 10), b.At.UnixMicro()))
		}
	}
	return err
}

// tellTeam has those written to who treat a patient at whom somebody broke the glass.
func (s *Server) tellTeam(ctx context.Context) {
	s.Gate.TellBroken(ctx, func(b access.Broken) (err error) {
		for _, id := range b.Team {
			err = errors.Join(err, s.outlet.Write(ctx, aboutGlass+id+"/"+strconv.FormatInt(b.Grant, 10), b.At.UnixMicro()))
		}
		return err
	})
}

// openedLetter says to a patient that her chart was opened: nothing of whom, of what, or of why.
func openedLetter(to, base string) outlet.Letter {
	return outlet.Letter{To: to, Subject: "Your record was opened with a reason", Lines: []string{
		"Somebody who had no link to your care gave a reason and opened your record. That may well be right: an emergency, or a colleague who covers.",
		"Who it was, when, and why stands on your own page. You can ask about it there:", "", base + "/me", "", "Nothing can be answered by this mail."}}
}
