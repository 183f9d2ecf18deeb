package server

import (
	"context"
	"fmt"

	"chartwarden/internal/audit"
)

// tagger is the agent under which the log says that rows were given their tags.
var tagger = audit.Agent{Job: "row-tags"}

// tagRows gives the rows of an installation of an earlier version their tags, once in its life. To tag a row is to believe it, so nobody
// may bring that moment about again by stripping tags: the keyring says under the custodian's key that it is past, and before the
// keyring does, the entry of the log. The rows come first, the entry second, the keyring last; a crash between repeats nothing that
// counts.
func (s *Server) tagRows(ctx context.Context) error {
	if s.ring.RowsTagged() {
		return nil
	}
	if s.Log.State().Journaling {
		s.options.Logger.Warn("rows of the earlier version get their tags without an entry, since the log takes none: the next start says so")
		_, err := s.tagEach(ctx)
		return err
	}
	said, err := s.Log.OfAgent(ctx, tagger, audit.Page{Limit: 1})
	if err != nil {
		return err
	}
	if len(said) == 0 {
		text, err := s.tagEach(ctx)
		if err != nil {
			return err
		}
		if _, err := s.Log.Note(ctx, audit.Event{Kind: audit.Job, Agent: tagger, Action: "E", Interaction: "rows-tagged", Class: audit.Machine, Purpose: "HSYSADMIN",
			Text: text}); err != nil {
			return err
		}
		s.options.Logger.Info(text)
	}
	return s.ring.MarkRowsTagged(ctx)
}

func (s *Server) tagEach(ctx context.Context) (string, error) {
	text := "rows of an earlier version were given their tags:"
	for _, one := range []struct {
		what string
		tag  func(context.Context) (int64, error)
	}{{"relationships", s.graph.TagRows}, {"records", s.store.TagRows}, {"people and sessions", s.Persons.TagRows}, {"grants", s.Gate.TagRows}} {
		n, err := one.tag(ctx)
		if err != nil {
			return "", err
		}
		text += fmt.Sprintf(" %s %d,", one.what, n)
	}
	return text[:len(text)-1], nil
}
