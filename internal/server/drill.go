package server

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/web"
)

// drillReport is where the recovery machine may put the report of its last drill: the file of the configuration, or else drill/last.json in
// the folder of copies. Empty: nowhere.
func (c Config) drillReport() string {
	switch {
	case c.DrillReport != "":
		return c.DrillReport
	case c.BackupTo != "":
		return filepath.Join(c.BackupTo, "drill", "last.json")
	}
	return ""
}

// drill reads that report, for the page about integrity; nil where none is expected. Nothing signs it: the page says whose word it is.
func (s *Server) drill() *web.Drill {
	path := s.Config.drillReport()
	if path == "" {
		return nil
	}
	var said struct {
		At           time.Time `json:"at"`
		Taken        time.Time `json:"taken"`
		Installation string    `json:"installation"`
		Verification struct {
			Holds bool `json:"holds"`
		} `json:"verification"`
	}
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &said)
	}
	if err == nil && said.Installation != s.ring.Installation() {
		err = outcome.New(outcome.Invalid, "it is about another installation")
	}
	if err != nil {
		return &web.Drill{}
	}
	return &web.Drill{At: said.At, Taken: said.Taken, Holds: said.Verification.Holds}
}
