package sso

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"chartwarden/internal/outcome"
)

// bounded lets requests through to the named hosts only, and no more of an answer than anybody needs: what a provider writes into its
// discovery document leads nowhere else.
type bounded struct {
	base  http.RoundTripper
	hosts []string
}

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if !speaks(r.URL) || !slices.Contains(b.hosts, strings.ToLower(r.URL.Host)) {
		return nil, outcome.New(outcome.Forbidden, "the identity provider leads to a host that this site did not name").Because("provider.host")
	}
	answer, err := b.base.RoundTrip(r)
	if err == nil {
		answer.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(answer.Body, largestAnswer), answer.Body}
	}
	return answer, err
}

// speaks reports whether an address is https, or on this machine.
func speaks(u *url.URL) bool {
	if u.Scheme == "https" {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}
