package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"

	"chartwarden/internal/outcome"
)

// Custodian keeps the key that wraps the root key, outside the database. Wrap and Unwrap bind context, which is not secret;
// Unwrap fails for any other context. Implementations are safe for concurrent use.
type Custodian interface {
	Wrap(plain, context []byte) ([]byte, error)
	Unwrap(wrapped, context []byte) ([]byte, error)
	ID() string // names the key, for "this is the wrong one"; not secret
}

var idText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// gcm is AES-256-GCM with a random nonce in front of each ciphertext, by the constructor that FIPS 140 builds allow.
func gcm(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// fileKey is the custodian of a key file. Its id is derived from the key, so a damaged file is noticed when it is read.
type fileKey struct {
	aead cipher.AEAD
	id   string
}

func newFileKey(key []byte) (*fileKey, error) {
	aead, err := gcm(key)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("chartwarden key file id"))
	return &fileKey{aead, "file-" + idText.EncodeToString(mac.Sum(nil)[:10])}, nil
}

func (k *fileKey) ID() string { return k.id }

func (k *fileKey) Wrap(plain, context []byte) ([]byte, error) {
	return k.aead.Seal(nil, nil, plain, context), nil
}

func (k *fileKey) Unwrap(wrapped, context []byte) ([]byte, error) {
	return k.aead.Open(nil, nil, wrapped, context)
}

const keyFileHeader = "chartwarden key file 1"

// CreateKeyFile makes a new random key file (mode 0600) and its custodian. It never overwrites: a lost key file is a lost
// installation. Only initialisation calls it; a server only opens.
//
// Errors: outcome.Conflict when the file exists; outcome.NoStore when it cannot be written.
func CreateKeyFile(path string) (Custodian, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	k, err := newFileKey(key)
	if err != nil {
		return nil, outcome.Wrap("seal: create key file", outcome.Exception, "no key could be made", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, outcome.Wrap("seal: create key file", outcome.Conflict, "a key file already exists there; it is never overwritten", err)
	}
	if err == nil {
		_, err = fmt.Fprintf(f, "%s\nid: %s\nkey: %s\n", keyFileHeader, k.id, base64.StdEncoding.EncodeToString(key))
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err != nil {
		return nil, outcome.Wrap("seal: create key file", outcome.NoStore, "the key file cannot be written: check the directory and its permissions", err)
	}
	return k, nil
}

// OpenKeyFile reads a key file. Errors: outcome.NotFound when it is missing; outcome.Invalid when it is damaged, no key file, or
// readable by others.
func OpenKeyFile(path string) (Custodian, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, outcome.Wrap("seal: open key file", outcome.NotFound, "there is no key file at the configured place: give its path, or initialise first", err)
	}
	if err != nil {
		return nil, outcome.Wrap("seal: open key file", outcome.NoStore, "the key file cannot be read: check its permissions", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, outcome.Wrap("seal: open key file", outcome.Invalid, "the key file may be read by others: set its mode to 0600", nil)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, outcome.Wrap("seal: open key file", outcome.NoStore, "the key file cannot be read: check its permissions", err)
	}
	k, err := parseKeyFile(string(text))
	if err != nil {
		return nil, outcome.Wrap("seal: open key file", outcome.Invalid, "the key file is damaged or is none: restore it from its backup", err)
	}
	return k, nil
}

func parseKeyFile(text string) (*fileKey, error) {
	lines := strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	if len(lines) != 3 || strings.TrimSpace(lines[0]) != keyFileHeader {
		return nil, errors.New("not three lines with the header")
	}
	id, okID := strings.CutPrefix(strings.TrimSpace(lines[1]), "id: ")
	encoded, okKey := strings.CutPrefix(strings.TrimSpace(lines[2]), "key: ")
	if !okID || !okKey {
		return nil, errors.New("id or key line missing")
	}
	key, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(key) != 32 {
		return nil, errors.New("the key is not 32 bytes of base64")
	}
	k, err := newFileKey(key)
	if err == nil && k.id != id {
		err = errors.New("id and key do not belong together")
	}
	return k, err
}
