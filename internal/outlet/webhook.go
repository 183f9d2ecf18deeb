package outlet

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"chartwarden/internal/outcome"
)

// Webhook posts each alert to one address, signed.
//
// The body is a [Message] as JSON. The header Chartwarden-Signature is `t=UNIX,v1=HEX`: HMAC-SHA256 of the time, a dot and the body under
// the secret. Chartwarden-Delivery is the same when a message is sent again.
type Webhook struct {
	address string
	secret  []byte
	client  *http.Client
}

// NewWebhook checks an address: https, or http on this machine. It is the only one that is ever called: no redirect is followed and no
// proxy asked. Errors: outcome.Value, without the address.
func NewWebhook(address string, secret []byte) (*Webhook, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, outcome.New(outcome.Value, "write --webhook-url as https://host/path, without a name and password")
	}
	if len(secret) < 16 {
		return nil, outcome.New(outcome.Value, "the file of --webhook-secret-file holds at least 16 characters, by which the receiver knows that it was this server")
	}
	client := &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{Proxy: nil, TLSHandshakeTimeout: 5 * time.Second, MaxIdleConns: 1, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true}}
	return &Webhook{address, secret, client}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (w *Webhook) send(ctx context.Context, m Message, number int64, now time.Time) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.address, bytes.NewReader(body))
	if err != nil {
		return outcome.New(outcome.Value, "the webhook's address cannot be used")
	}
	at := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, w.secret)
	mac.Write([]byte(at + "."))
	mac.Write(body)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Chartwarden-Signature", "t="+at+",v1="+hex.EncodeToString(mac.Sum(nil)))
	r.Header.Set("Chartwarden-Delivery", strconv.FormatInt(number, 10))
	answer, err := w.client.Do(r)
	if err != nil {
		return outcome.New(outcome.Transient, "the webhook does not answer") // the cause would name its address
	}
	defer answer.Body.Close()
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return outcome.New(outcome.Transient, fmt.Sprintf("the webhook answers %d", answer.StatusCode))
	}
	return nil
}
