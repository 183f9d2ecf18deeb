package outlet

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/mail"
	"net/smtp"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/outcome"
)

// Mail sends what waits to the privacy office, several alerts in one. A message waits for Patience first: a case that somebody has taken by
// then needs no mail.
type Mail struct {
	server   string // host:port
	from     string
	to       []string
	auth     smtp.Auth
	roots    *tls.Config // nil: as usual
	Patience time.Duration
}

// NewMail checks the settings: server is host:port and speaks STARTTLS, unless it is this machine; to are addresses with commas; login
// is a name and a password in two lines, or empty. Errors: outcome.Value.
func NewMail(server, from, to, login string) (*Mail, error) {
	host, _, err := net.SplitHostPort(server)
	if err != nil || host == "" {
		return nil, outcome.New(outcome.Value, "write --mail-server as host:port")
	}
	m := &Mail{server: server, Patience: 5 * time.Minute}
	sender, err := mail.ParseAddress(from)
	if err != nil {
		return nil, outcome.New(outcome.Value, "write --mail-from as an address")
	}
	m.from = sender.Address
	receivers, err := mail.ParseAddressList(to)
	if err != nil {
		return nil, outcome.New(outcome.Value, "write --mail-to as addresses with commas")
	}
	for _, r := range receivers {
		m.to = append(m.to, r.Address)
	}
	if login != "" {
		name, password, ok := strings.Cut(strings.TrimSpace(login), "\n")
		if !ok {
			return nil, outcome.New(outcome.Value, "the file of --mail-login-file holds a name and, in a second line, a password")
		}
		m.auth = smtp.PlainAuth("", strings.TrimSpace(name), strings.TrimSpace(password), host)
	}
	return m, nil
}

// send writes one mail about all to the office.
func (m *Mail) send(ctx context.Context, all []Message, now time.Time) error {
	return m.post(ctx, m.to, m.text(all, now))
}

// letter writes to one person that a message waits for her.
func (m *Mail) letter(ctx context.Context, l Letter, now time.Time) error {
	var b bytes.Buffer
	for _, line := range append([]string{"From: <" + m.from + ">", "To: <" + l.To + ">", "Subject: " + l.Subject, "Date: " + now.Format(time.RFC1123Z), "MIME-Version: 1.0",
		"Content-Type: text/plain; charset=utf-8", ""}, l.Lines...) {
		b.WriteString(line + "\r\n")
	}
	return m.post(ctx, []string{l.To}, b.Bytes())
}

// ofYesterday is the courteous message of the night.
func ofYesterday(to, link string) Letter {
	return Letter{to, "A word about your work of yesterday", []string{"You opened records for which no reason of care is known yet. There may well be one.",
		"Please look at My activity and say in a sentence what it was for:", "", link, "", "Nobody has drawn a conclusion. Nothing can be answered by this mail."}}
}

// post hands a mail to the server. What it answered is told by its step only: its words may hold addresses.
func (m *Mail) post(ctx context.Context, receivers []string, text []byte) error {
	failed := func(step string) error { return outcome.New(outcome.Transient, "the mail server fails at "+step) }
	dialer := net.Dialer{Timeout: 10 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", m.server)
	if err != nil {
		return failed("connecting")
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	host, _, _ := net.SplitHostPort(m.server)
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return failed("the greeting")
	}
	if secure, _ := c.Extension("STARTTLS"); secure {
		config := &tls.Config{}
		if m.roots != nil {
			config = m.roots.Clone()
		}
		config.ServerName, config.MinVersion = host, tls.VersionTLS12
		if c.StartTLS(config) != nil {
			return failed("STARTTLS")
		}
	} else if !loopback(host) {
		return failed("STARTTLS, which it does not offer")
	}
	if m.auth != nil && c.Auth(m.auth) != nil {
		return failed("signing in")
	}
	if c.Mail(m.from) != nil {
		return failed("the sender")
	}
	for _, to := range receivers {
		if c.Rcpt(to) != nil {
			return failed("a receiver")
		}
	}
	w, err := c.Data()
	if err != nil {
		return failed("the text")
	}
	if _, err := w.Write(text); err != nil {
		return failed("the text")
	}
	if w.Close() != nil {
		return failed("the text")
	}
	_ = c.Quit() // it took the mail
	return nil
}

// text is the whole mail. Nothing in it names a patient or whose case it is.
func (m *Mail) text(all []Message, now time.Time) []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	subject := "A case waits for the privacy office"
	if len(all) > 1 {
		subject = fmt.Sprintf("%d cases wait for the privacy office", len(all))
	}
	if i := slices.IndexFunc(all, func(a Message) bool { return a.Text != "" }); i >= 0 {
		subject = all[i].Text
	}
	line("From: <%s>", m.from)
	line("To: <%s>", strings.Join(m.to, ">, <"))
	line("Subject: %s", subject)
	line("Date: %s", now.Format(time.RFC1123Z))
	line("MIME-Version: 1.0")
	line("Content-Type: text/plain; charset=utf-8")
	line("")
	for _, a := range all {
		if a.Text != "" {
			line("%s.", a.Text)
		} else {
			line("Case %s, %s: %s, severity %s.", a.Case, a.Queue, a.Hypothesis, a.Severity)
		}
		line("%s", a.Link)
		line("")
	}
	line("Sign in to see more. Nothing can be decided by this mail.")
	return b.Bytes()
}
