package server

import (
	"context"
	"errors"
	"os"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/care"
	"chartwarden/internal/outcome"
	"chartwarden/internal/record"
	"chartwarden/internal/seal"
)

// Verification says what is known from elsewhere.
type Verification struct {
	Heads   []byte        // signed heads kept elsewhere, besides the head file of the configuration
	Keys    []string      // verifier keys kept elsewhere, of logs and of witnesses
	Within  time.Duration // how old the signature of a witness may be that cannot be asked; 0: a day
	Offline bool          // ask no witness
}

// VerifyData recomputes the whole log of an installation and compares every stored record version with the intent that announced it. It
// takes no lock and works beside a running server. Without the custodian's secret it checks the log alone and says so.
// The error means that it could not look; what does not hold is in the report.
func VerifyData(ctx context.Context, c Config, v Verification) (*audit.Report, error) {
	base := ""
	if c.PublicURL != "" {
		base = c.PublicURL + "/fhir"
	}
	c, err := c.toLookAt()
	if err != nil {
		return nil, err
	}
	s := &Server{Config: c}
	defer s.Close()
	witnesses, err := c.witnesses()
	if err != nil {
		return nil, err
	}
	if v.Offline {
		for _, w := range witnesses {
			v.Keys = append(v.Keys, w.Key.String())
		}
		witnesses = nil
	}
	o := audit.VerifyOptions{Keys: v.Keys, Witnesses: witnesses, Within: v.Within, Offline: v.Offline, JournalFile: c.JournalFile, Node: c.Node}
	if kept, err := os.ReadFile(c.HeadFile); err == nil {
		o.Heads = kept
	}
	o.Heads = append(o.Heads, v.Heads...)
	locked := s.openKeys(ctx)
	if errors.Is(locked, seal.ErrTampered) && c.PassphraseFile == "" {
		return &audit.Report{Faults: []audit.Fault{{Log: keysDB, Index: -1, What: "was changed: its own key file does not open it"}}}, nil
	}
	if locked == nil {
		if secret, err := s.nodeSecret(false); err == nil { // else the signed states of the emergency journal are not compared
			o.Secret = secret
		}
		var err error
		if s.records, err = s.openDB(ctx, recordsDB); err != nil {
			return unreadableFile(recordsDB, err)
		}
		zone, err := time.LoadLocation(c.TimeZone)
		if err != nil {
			return nil, err
		}
		if s.graph, err = care.Open(ctx, s.records, s.ring.Box("care"), care.Options{Zone: zone, Base: base}); err != nil {
			return unreadableFile(recordsDB, err)
		}
		if s.store, err = record.Open(ctx, record.Options{DB: s.records, Box: s.ring.Box("record"), Zone: zone, Base: base, Untagged: !s.ring.RowsTagged()}); err != nil {
			return unreadableFile(recordsDB, err)
		}
	}
	if s.trail, err = s.openDB(ctx, auditDB); err != nil {
		return unreadableFile(auditDB, err)
	}
	var report *audit.Report
	if locked == nil {
		report, err = s.verify(ctx, o, base == "")
	} else {
		report, err = audit.Verify(ctx, s.trail, o)
	}
	if err != nil {
		return unreadableFile(auditDB, err)
	}
	if locked != nil {
		report.Notes = append(report.Notes, "without the custodian's secret only the log itself was checked, not payloads and records: "+locked.Error())
	}
	return report, nil
}

// toLookAt completes a configuration for reading alone: a database can be looked at without a data directory.
func (c Config) toLookAt() (Config, error) {
	full := c.withDefaults()
	if c.Data == "" && full.Database != "" {
		full.HeadFile, full.JournalFile = c.HeadFile, c.JournalFile
		return full, full.checkDatabase()
	}
	return full, installed(full)
}

// unreadableFile makes a fault of a database file that is there and cannot be read: that is the finding, not a wrong use.
func unreadableFile(name string, err error) (*audit.Report, error) {
	if outcome.Is(err, outcome.NotFound) || outcome.Is(err, outcome.NotSupported) {
		return nil, err
	}
	return &audit.Report{Faults: []audit.Fault{{Log: name, Index: -1, What: "the file cannot be read: " + err.Error()}}}, nil
}

// Head reads the newest signed head of an installation's log, or the newest that a witness cosigned, also beside a running server.
func Head(ctx context.Context, c Config, cosigned bool) ([]byte, error) {
	c, err := c.toLookAt()
	if err != nil {
		return nil, err
	}
	s := &Server{Config: c}
	defer s.Close()
	d, err := s.openDB(ctx, auditDB)
	if err != nil {
		return nil, err
	}
	return audit.Newest(ctx, d, cosigned)
}
