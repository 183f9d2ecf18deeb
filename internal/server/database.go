package server

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"chartwarden/internal/db"
	"chartwarden/internal/outcome"
)

// openDB opens a file of the data directory, or the schema of that name in the database.
func (s *Server) openDB(ctx context.Context, name string) (*db.DB, error) {
	d, err := s.Config.openDB(ctx, name)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, d.Close)
	return d, nil
}

func (c Config) openDB(ctx context.Context, name string) (*db.DB, error) {
	if c.Database == "" {
		return db.Open(ctx, filepath.Join(c.Data, name), db.Options{})
	}
	o := db.Options{Schema: strings.TrimSuffix(name, ".db")}
	if name == auditDB {
		o.Turn = c.Node // each node appends to a log of its own
	}
	return db.Open(ctx, c.Database, o)
}

// durable refuses to keep a real installation where a power cut loses what was acknowledged.
func (s *Server) durable(ctx context.Context) error {
	if s.ring.Sandbox() {
		return nil
	}
	return s.keys.Durable(ctx)
}

// Shown is the configuration for people's eyes: without the password of the database.
func (c Config) Shown() Config {
	c = c.withDefaults()
	if u, err := url.Parse(c.Database); err == nil && c.Database != "" {
		if _, has := u.User.Password(); has {
			u.User = url.UserPassword(u.User.Username(), "xxxxx")
		}
		q := u.Query()
		for _, secret := range []string{"password", "sslpassword"} {
			if q.Has(secret) {
				q.Set(secret, "xxxxx")
				u.RawQuery = q.Encode()
			}
		}
		c.Database = u.String()
	} else if err != nil {
		c.Database = "not a URL"
	}
	if u, err := url.Parse(c.WebhookURL); err == nil && c.WebhookURL != "" {
		if u.User = nil; u.RawQuery != "" {
			u.RawQuery = "xxxxx"
		}
		c.WebhookURL = u.String()
	} else if err != nil {
		c.WebhookURL = "not a URL"
	}
	return c
}

var nodeName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

// checkDatabase names what is wrong with where records are to lie.
func (c Config) checkDatabase() error {
	switch {
	case c.Database != "" && !db.IsURL(c.Database):
		return outcome.New(outcome.Invalid, "write --database as postgres://name@host/database, or leave it empty for SQLite in the data directory").At("--database")
	case !nodeName.MatchString(c.Node):
		return outcome.New(outcome.Invalid, "name a node by up to 32 small letters, digits and hyphens").At("--node")
	}
	return nil
}

// installed says what to do where there is no installation to open.
func installed(c Config) error {
	if c.Data == "" {
		return outcome.New(outcome.Required, "name the data directory with --data or CHARTWARDEN_DATA").At("--data")
	}
	_, err := os.Stat(filepath.Join(c.Data, keysDB))
	if c.Database != "" {
		if err == nil {
			return outcome.New(outcome.Conflict, "the installation in that directory keeps its records there: leave --database out").At("--database")
		}
		_, err = os.Stat(c.Data)
	}
	if err != nil {
		return outcome.Wrap("server: open", outcome.NotFound, "there is no installation in that directory: run `chartwarden init --data DIR` first", err)
	}
	return nil
}

const nodeKeyName = "node.key"

// nodeSecret reads the secret by which this node signs its log, making it the first time; the keys are open. It lies wrapped by the
// custodian and never enters the database: whoever writes there cannot sign, and whoever copies the file alone cannot either. Nil on
// SQLite, where the log's key comes from the key ring, unless the installation was brought back there from a database. A copy of the
// keys holds the file (docs/adr/0082).
func (s *Server) nodeSecret(make bool) ([]byte, error) {
	if s.Config.Data == "" {
		return nil, nil
	}
	path := filepath.Join(s.Config.Data, nodeKeyName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && s.Config.Database == "" {
		return nil, nil
	}
	if errors.Is(err, fs.ErrNotExist) && make {
		return s.newNodeSecret(path)
	}
	if err != nil {
		return nil, outcome.Wrap("server: node key", outcome.NoStore, "the node's key file "+nodeKeyName+" cannot be read: check its permissions", err)
	}
	if strings.TrimSpace(string(text)) == keyringWord {
		return nil, nil
	}
	wrapped, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	var secret []byte
	if err == nil {
		secret, err = s.custodian.Unwrap(wrapped, s.nodeContext())
	}
	if err != nil || len(secret) != 32 {
		return nil, outcome.New(outcome.Invalid, "the node's key file "+nodeKeyName+" was altered, or is of another node or installation: put back a copy, or give the node a new name and a directory of its own")
	}
	return secret, nil
}

// nodeContext is what the custodian binds to a node's secret.
func (s *Server) nodeContext() []byte {
	return []byte("chartwarden node 1\x00" + s.ring.Installation() + "\x00" + s.Config.Node)
}

func (s *Server) newNodeSecret(path string) ([]byte, error) {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	wrapped, err := s.custodian.Wrap(secret, s.nodeContext())
	if err != nil {
		return nil, outcome.Wrap("server: node key", outcome.NoStore, "the key custodian refused to wrap the node's secret", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(base64.StdEncoding.EncodeToString(wrapped) + "\n")
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err != nil {
		return nil, outcome.Wrap("server: node key", outcome.NoStore, "the node's key file "+nodeKeyName+" cannot be written: check the data directory", err)
	}
	return secret, nil
}
