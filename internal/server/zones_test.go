package server

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestZonePlan(t *testing.T) {
	p, err := zonePlan("hospital=10.0.0.0/8, vpn=10.8.0.0/16,hospital/ward-3=10.1.3.0/24@5m,hospital/ward-3=10.1.4.0/24,hospital/desk=10.1.3.7/32@90s,internet=10.9.0.0/16,hospital=fd00:1::/32")
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{"10.2.2.2": "hospital", "10.8.1.1": "vpn", "10.1.3.4": "hospital/ward-3", "10.1.4.4": "hospital/ward-3", "10.1.3.7": "hospital/desk", "10.9.0.1": "internet",
		"fd00:1::7": "hospital", "fd00:2::7": "internet", "127.0.0.1": "internet", "192.168.1.1": "internet", "8.8.8.8": "internet"} {
		if got := p.zoneAt(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is %s, not %s", address, got, want)
		}
	}
	if z := p.places["hospital/ward-3"]; z.Idle != 5*time.Minute || !z.Inside {
		t.Errorf("%+v", z)
	}
	wards, err := zonePlan("hospital/ward=10.1.0.0/16@5m-15m+shared,hospital/lobby=10.2.0.0/16+shared,hospital/desk=10.3.0.0/16@90s")
	if err != nil {
		t.Fatal(err)
	}
	if ward, lobby, desk := wards.places["hospital/ward"], wards.places["hospital/lobby"], wards.places["hospital/desk"]; ward.Idle != 5*time.Minute || ward.Writing != 15*time.Minute || !ward.Shared || !lobby.Shared || desk.Shared || desk.Writing != 90*time.Second {
		t.Errorf("%+v %+v %+v", ward, lobby, desk)
	}
	usual, err := zonePlan("")
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{"127.0.0.1": "hospital", "::1": "hospital", "10.2.2.2": "hospital", "172.31.0.1": "hospital", "172.32.0.1": "internet", "192.168.7.7": "hospital", "fd12::1": "hospital", "100.64.0.1": "internet", "2001:db8::1": "internet"} {
		if got := usual.zoneAt(netip.MustParseAddr(address)); got != want {
			t.Errorf("usually %s is %s, not %s", address, got, want)
		}
	}
	for _, text := range []string{"hospital", "ward=10.0.0.0/8", "hospital/=10.0.0.0/8", "hospital/Ward 3=10.0.0.0/8", "hospital=10.0.0.0", "hospital=10.0.0.0/33", "hospital=::ffff:10.0.0.0/104", "hospital=10.0.0.0/8@", "hospital=10.0.0.0/8@5s",
		"hospital=10.0.0.0/8@2h", "hospital=10.0.0.0/8@5m,hospital=11.0.0.0/8@6m", "hospital/a/b=10.0.0.0/8", "hospital=10.0.0.0/8@5m-", "hospital=10.0.0.0/8@10m-5m", "hospital=10.0.0.0/8@5m-2h", "hospital=10.0.0.0/8+mine", "=10.0.0.0/8"} {
		if _, err := zonePlan(text); err == nil || !strings.Contains(err.Error(), "cannot be read") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func FuzzZonePlan(f *testing.F) {
	f.Add(zonesUsual)
	f.Add("hospital/ward-3=10.1.3.0/24@5m,vpn=::/0")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := zonePlan(text)
		if err != nil {
			return
		}
		for _, n := range p.nets {
			if z, known := p.places[n.place]; !known || z.Idle != 0 && (z.Idle < idleLeast || z.Idle > idleMost) {
				t.Errorf("%s: %+v", n.place, z)
			}
		}
	})
}

// Nobody but the configured proxy says from where a request comes, neither by address nor by zone; and of what the proxy passes on, only its own words count.
func TestNobodyForgesAZone(t *testing.T) {
	plain, err := zonePlan("hospital=10.0.0.0/8,vpn=10.8.0.0/16,hospital/desk=10.1.1.0/24@2m")
	if err != nil {
		t.Fatal(err)
	}
	at := func(c Config, remote string, headers ...string) (string, string) {
		s := &Server{Config: c, zones: plain}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.RemoteAddr = remote
		for i := 0; i < len(headers); i += 2 {
			r.Header.Add(headers[i], headers[i+1])
		}
		from, byProxy := s.peer(r)
		return s.zoneOf(r, from, byProxy), from.String()
	}
	proxied := Config{TrustedProxy: "192.0.2.1", ZoneHeader: "X-Zone"}
	const outside, inside = "198.51.100.7:1", "10.2.2.2:1"
	for _, x := range []struct {
		name    string
		c       Config
		remote  string
		headers []string
		zone    string
		address string
	}{
		{"nothing configured, headers sent", Config{}, outside, []string{"X-Forwarded-For", "10.2.2.2", "X-Zone", "hospital", "Forwarded", "for=10.2.2.2", "X-Real-IP", "10.2.2.2"}, "internet", "198.51.100.7"},
		{"inside, headers sent", Config{}, inside, []string{"X-Forwarded-For", "198.51.100.7"}, "hospital", "10.2.2.2"},
		{"a proxy is configured, and this is another", proxied, outside, []string{"X-Forwarded-For", "10.2.2.2", "X-Zone", "hospital"}, "internet", "198.51.100.7"},
		{"the proxy names an address", proxied, "192.0.2.1:9", []string{"X-Forwarded-For", "10.1.1.5"}, "hospital/desk", "10.1.1.5"},
		{"mapped", proxied, "[::ffff:192.0.2.1]:9", []string{"X-Forwarded-For", "::ffff:10.8.1.5"}, "vpn", "10.8.1.5"},
		{"a client wrote the first hop", proxied, "192.0.2.1:9", []string{"X-Forwarded-For", "10.2.2.2, 198.51.100.7"}, "internet", "198.51.100.7"},
		{"a client wrote the first line", proxied, "192.0.2.1:9", []string{"X-Forwarded-For", "10.2.2.2", "X-Forwarded-For", "198.51.100.7"}, "internet", "198.51.100.7"},
		{"the proxy is silent", proxied, "192.0.2.1:9", nil, "internet", "invalid IP"},
		{"the proxy says nonsense", proxied, "192.0.2.1:9", []string{"X-Forwarded-For", "unknown"}, "internet", "invalid IP"},
		{"the proxy names the zone", proxied, "192.0.2.1:9", []string{"X-Forwarded-For", "198.51.100.7", "X-Zone", "vpn"}, "vpn", "198.51.100.7"},
		{"a zone that nobody configured", proxied, "192.0.2.1:9", []string{"X-Forwarded-For", "10.2.2.2", "X-Zone", "hospital/other"}, "internet", "10.2.2.2"},
		{"two words for the zone", proxied, "192.0.2.1:9", []string{"X-Forwarded-For", "10.2.2.2", "X-Zone", "hospital", "X-Zone", "vpn"}, "internet", "10.2.2.2"},
		{"no header is configured", Config{TrustedProxy: "192.0.2.1"}, "192.0.2.1:9", []string{"X-Forwarded-For", "198.51.100.7", "X-Zone", "hospital"}, "internet", "198.51.100.7"},
	} {
		if zone, address := at(x.c, x.remote, x.headers...); zone != x.zone || address != x.address {
			t.Errorf("%s: %s at %s, want %s at %s", x.name, zone, address, x.zone, x.address)
		}
	}
}
