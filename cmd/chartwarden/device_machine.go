package main

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/posture"
	"chartwarden/internal/posture/machine"
)

// The commands of `device` that run on the device itself, without an installation: the machine's side of docs/formats/device-posture.md.

// enrolled is what a machine keeps of its enrolment, in a file that its owner alone reads.
type enrolled struct {
	Server string `json:"server"`
	Device string `json:"device"`
	Name   string `json:"name"`
	Lock   string `json:"lock,omitempty"` // after how long the screen locks, as stated
	Key    []byte `json:"key"`            // P-256, 32 bytes

	key *ecdsa.PrivateKey
}

// machineFile defines the flag of the file.
func (l *line) machineFile(name *string) {
	usual := "/etc/chartwarden/device.json"
	if dir, err := os.UserConfigDir(); err == nil && os.Geteuid() != 0 {
		usual = filepath.Join(dir, "chartwarden", "device.json")
	}
	l.StringVar(name, "file", usual, "`FILE` that keeps the machine's key, readable by its owner alone")
}

var deviceAddress = regexp.MustCompile(`^(https?://[^/?#]+)/device/([A-Za-z0-9_-]{43})$`)

func deviceEnrol(ctx context.Context, l *line) error {
	var name string
	var e enrolled
	l.machineFile(&name)
	l.StringVar(&e.Lock, "lock", "", "`DURATION` after which the screen locks, where that cannot be read")
	address, err := l.parseOne("address")
	if err != nil {
		return err
	}
	m := deviceAddress.FindStringSubmatch(strings.TrimSpace(address))
	if m == nil {
		return outcome.New(outcome.Value, "give the address that Devices, or `chartwarden device register`, shows: https://HOST/device/CODE")
	}
	if e.Server = m[1]; !confidential(e.Server) {
		return outcome.New(outcome.Value, "a key is enrolled by https, or at this machine itself")
	}
	if d, err := time.ParseDuration(e.Lock); e.Lock != "" && (err != nil || d < time.Second || d > 24*time.Hour) {
		return outcome.New(outcome.Value, "write --lock as a duration of a second to a day, for example 5m")
	}
	if _, err := os.Lstat(name); err == nil {
		return outcome.New(outcome.Conflict, "this machine is enrolled already: "+name+" is there; remove it to enrol anew by a new code")
	}
	if _, err := e.read(); err != nil { // a machine that cannot report uses up no code
		return err
	}
	if e.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return err
	}
	if e.Key, err = e.key.Bytes(); err != nil {
		return err
	}
	if err := e.write(name); err != nil { // before the server knows the key: it may not be lost
		return err
	}
	ties, err := e.enrol(ctx, m[2])
	if err == nil {
		e.Device, e.Name = ties.Device, ties.Name
		err = e.write(name)
	}
	if err != nil {
		_ = os.Remove(name)
		return err
	}
	fmt.Fprintf(l.out, "This machine is %s, %s. Its key is in %s.\n", e.Device, e.Name, name)
	if err := e.report(ctx, l.out); err != nil {
		return err
	}
	ties.print(l.out)
	return nil
}

func deviceBrowser(ctx context.Context, l *line) error {
	var name string
	l.machineFile(&name)
	if err := l.parse(); err != nil {
		return err
	}
	e, err := readEnrolled(name)
	if err != nil {
		return err
	}
	proof, err := e.proof(ctx, "browser")
	if err != nil {
		return err
	}
	var ties browserAddress
	if err := e.ask(ctx, "browser", url.Values{"device": {e.Device}, "proof": {proof}}, &ties); err != nil {
		return err
	}
	ties.print(l.out)
	return nil
}

func deviceReport(ctx context.Context, l *line) error {
	var name string
	l.machineFile(&name)
	show := l.Bool("show", false, "show what would be reported, and send nothing")
	if err := l.parse(); err != nil {
		return err
	}
	e, err := readEnrolled(name)
	if *show && errors.Is(err, fs.ErrNotExist) {
		e, err = &enrolled{Device: "-"}, nil
	}
	if err != nil {
		return err
	}
	if *show {
		r, err := e.read()
		if err == nil {
			r.Nonce = "-"
			_, err = io.WriteString(l.out, r.Text())
		}
		return err
	}
	return e.report(ctx, l.out)
}

// browserAddress is an address for a browser of this machine.
type browserAddress struct{ Device, Name, Browser, Until string }

func (t browserAddress) print(out io.Writer) {
	fmt.Fprintf(out, "Open this in the browser of this machine; it works once, for ten minutes:\n%s\n", t.Browser)
}

// read is what this machine says of itself now.
func (e *enrolled) read() (posture.Report, error) {
	stated, _ := time.ParseDuration(e.Lock)
	s := machine.Source{Root: os.DirFS("/"), Lock: stated}
	if os.Geteuid() != 0 { // the settings of root's own desktop say nothing about others
		s.Ask = func(name string, args ...string) (string, error) {
			ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
			defer stop()
			out, err := exec.CommandContext(ctx, name, args...).Output()
			return string(out), err
		}
	}
	r, err := machine.Read(s)
	r.Device = e.Device
	return r, err
}

// report reports, once more a second later where another report of this machine came first.
func (e *enrolled) report(ctx context.Context, out io.Writer) error {
	err := e.reportOnce(ctx, out)
	if outcome.Is(err, outcome.Conflict) {
		time.Sleep(1100 * time.Millisecond)
		err = e.reportOnce(ctx, out)
	}
	return err
}

func (e *enrolled) reportOnce(ctx context.Context, out io.Writer) error {
	r, err := e.read()
	if err != nil {
		return err
	}
	if r.Nonce, err = e.nonce(ctx, "report"); err != nil {
		return err
	}
	signature, err := posture.Sign(e.key, r.Text())
	if err != nil {
		return err
	}
	var answer struct {
		Trust string
		Lacks []string
		Until time.Time
	}
	if err := e.ask(ctx, "report", url.Values{"report": {r.Text()}, "signature": {signature}}, &answer); err != nil {
		return err
	}
	fmt.Fprintf(out, "Reported: %s.\n", strings.Join(r.Words(time.Now()), "; "))
	if answer.Trust == "managed" {
		fmt.Fprintf(out, "It counts as managed until %s.\n", answer.Until.Local().Format("2 Jan 15:04"))
		return nil
	}
	fmt.Fprintf(out, "It counts as registered, not managed: %s.\n", strings.Join(answer.Lacks, "; "))
	return nil
}

func (e *enrolled) enrol(ctx context.Context, code string) (t browserAddress, err error) {
	proof, err := e.proof(ctx, "enrol")
	if err != nil {
		return t, err
	}
	err = e.ask(ctx, "enrol", url.Values{"code": {code}, "proof": {proof}}, &t)
	if err == nil && (len(t.Device) != 16 || t.Browser == "") {
		err = outcome.New(outcome.Exception, e.Server+" does not answer as a Chartwarden does")
	}
	return t, err
}

func (e *enrolled) nonce(ctx context.Context, purpose string) (string, error) {
	var text string
	err := e.ask(ctx, "nonce", url.Values{"for": {purpose}, "device": {e.Device}}, &text)
	return text, err
}

// proof shows the key for a nonce of the server.
func (e *enrolled) proof(ctx context.Context, purpose string) (string, error) {
	nonce, err := e.nonce(ctx, purpose)
	if err != nil {
		return "", err
	}
	point, err := e.key.PublicKey.Bytes()
	if err != nil {
		return "", err
	}
	signature, err := posture.Sign(e.key, "chartwarden-device/1\n"+nonce)
	return base64.RawURLEncoding.EncodeToString(point) + "." + nonce + "." + signature, err
}

// ask posts a form to the server and reads its answer: JSON, or, into a string, text.
func (e *enrolled) ask(ctx context.Context, what string, form url.Values, into any) error {
	ctx, stop := context.WithTimeout(ctx, 30*time.Second)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.Server+"/device/machine/"+what, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		return outcome.Wrap("device", outcome.Transient, e.Server+" does not answer; nothing was changed here", err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	if err != nil {
		return outcome.Wrap("device", outcome.Transient, "the answer of "+e.Server+" broke off", err)
	}
	if answer.StatusCode != http.StatusOK {
		said, _, _ := strings.Cut(string(body), "\n")
		code := outcome.Forbidden
		if answer.StatusCode == http.StatusConflict {
			code = outcome.Conflict
		}
		return outcome.New(code, cmp.Or(strings.TrimSuffix(said, "."), answer.Status))
	}
	if text, ok := into.(*string); ok {
		*text = string(body)
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return outcome.Wrap("device", outcome.Exception, e.Server+" does not answer as a Chartwarden does", err)
	}
	return nil
}

// confidential reports whether nobody reads along on the way to a server.
func confidential(server string) bool {
	at, err := url.Parse(server)
	if err != nil {
		return false
	}
	ip := net.ParseIP(at.Hostname())
	return at.Scheme == "https" || at.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// write keeps the enrolment, whole or not at all.
func (e *enrolled) write(name string) error {
	text, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return outcome.Wrap("device", outcome.NoStore, "the folder of "+name+" cannot be made: run this as its owner, or name another with --file", err)
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".device-*") // mode 0600
	if err != nil {
		return outcome.Wrap("device", outcome.NoStore, name+" cannot be written: run this as its owner, or name another with --file", err)
	}
	_, err = f.Write(append(text, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return outcome.Wrap("device", outcome.NoStore, name+" cannot be written", err)
	}
	return nil
}

// readEnrolled reads the file, and refuses one that others may read or change.
func readEnrolled(name string) (*enrolled, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return nil, outcome.Wrap("device", outcome.NotFound, "this machine is not enrolled: there is no "+name+" that you may read; `chartwarden device enrol` makes it", err)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 || !ok || int(owner.Uid) != os.Geteuid() {
		return nil, outcome.New(outcome.Forbidden, name+" has to be a file that you own and nobody else may read: chmod 600, or, if somebody else had it, enrol anew")
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, outcome.Wrap("device", outcome.NotFound, name+" cannot be read", err)
	}
	e := &enrolled{}
	err = json.Unmarshal(text, e)
	if err == nil {
		e.key, err = ecdsa.ParseRawPrivateKey(elliptic.P256(), e.Key)
	}
	if err != nil || !confidential(e.Server) || e.Device == "" {
		return nil, outcome.New(outcome.Invalid, name+" is not what enrolment wrote: remove it and enrol anew by a new code")
	}
	return e, nil
}
