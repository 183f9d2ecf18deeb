package server

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

// A browser is told from others by a cookie: a secret that it alone holds. What entries call the device is a keyed digest of the secret,
// so who reads the log, or has the database, cannot pass for a device; nothing of it is stored.
const (
	deviceCookie      = "__Host-chartwarden-device"
	plainDeviceCookie = "chartwarden-device"
	deviceSecret      = 16 // bytes
	deviceLasts       = 400 * 24 * time.Hour
)

func (s *Server) deviceCookieName() string {
	if s.https() {
		return deviceCookie
	}
	return plainDeviceCookie
}

// device is the public name of the browser that a request comes from; empty for a program, and at the first contact.
func (s *Server) device(r *http.Request) string {
	c, err := r.Cookie(s.deviceCookieName())
	if err != nil {
		return ""
	}
	secret, err := base64.RawURLEncoding.Strict().DecodeString(c.Value)
	if err != nil || len(secret) != deviceSecret {
		return ""
	}
	name := s.ring.Box("server").PRF("device", secret)
	return hex.EncodeToString(name[:8])
}

// meet gives a browser that comes to a page for the first time what it is told by from then on.
func (s *Server) meet(w http.ResponseWriter, r *http.Request) {
	if !comes(r) || inFHIR(r) || s.device(r) != "" {
		return
	}
	var secret [deviceSecret]byte
	_, _ = rand.Read(secret[:]) // never fails
	http.SetCookie(w, &http.Cookie{Name: s.deviceCookieName(), Value: base64.RawURLEncoding.EncodeToString(secret[:]), Path: "/", MaxAge: int(deviceLasts / time.Second),
		HttpOnly: true, Secure: s.https(), SameSite: http.SameSiteLaxMode})
}

// comes reports whether a browser goes to a page in a window of its own. A form or a frame of another site leaves the cookie at home
// (SameSite=Lax), so an answer to it would give a known browser a new name, and whoever lures somebody could make a device strange.
func comes(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html") &&
		cmp.Or(r.Header.Get("Sec-Fetch-Mode"), "navigate") == "navigate" && cmp.Or(r.Header.Get("Sec-Fetch-Dest"), "document") == "document"
}

// seatCookie says, in a demonstration alone, at which seat its people sit who all sit at one browser in truth.
const seatCookie = "chartwarden-seat"

func (s *Server) pretends() bool { return s.options.Demo && s.options.DemoFrom != nil && s.Sandbox() }

// SetSeat has the browser sit at a seat of the demonstration from now on, this request included.
func (s *Server) SetSeat(w http.ResponseWriter, r *http.Request, name string) *http.Request {
	if !s.pretends() {
		return r
	}
	seat := &http.Cookie{Name: seatCookie, Value: name, Path: "/", HttpOnly: true, Secure: s.https(), SameSite: http.SameSiteLaxMode}
	http.SetCookie(w, seat)
	now := r.Clone(r.Context())
	now.Header.Del("Cookie")
	for _, c := range r.Cookies() {
		if c.Name != seatCookie {
			now.AddCookie(c)
		}
	}
	now.AddCookie(seat)
	return now
}
