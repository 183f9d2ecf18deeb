package server

import (
	"cmp"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
)

// A zone says from where a request comes: hospital, vpn or internet, and within the first two a place ("hospital/ward-3") with a time of
// its own until an idle screen locks. The site's networks decide, or the word of its own proxy; nothing that a browser says does.

// zoneNet is a network and the place that it is.
type zoneNet struct {
	net   netip.Prefix
	place string
}

// zonesUsual are the networks that count as the hospital where a site names none: this machine and private addresses, so that a practice on
// one network works as it is.
const zonesUsual = "hospital=127.0.0.0/8,hospital=::1/128,hospital=10.0.0.0/8,hospital=172.16.0.0/12,hospital=192.168.0.0/16,hospital=fc00::/7"

// The zones that the rules know (policies/schema.cedarschema).
const (
	inHospital = "hospital"
	byVPN      = "vpn"
	onInternet = "internet"
)

// plan is what Config.Zones says.
type plan struct {
	nets   []zoneNet
	places map[string]identity.Zone
}

// zonePlan reads ZONE[/PLACE]=NETWORK[@IDLE[-WRITING]][+shared], separated by commas. Of networks within each other the narrowest counts.
func zonePlan(text string) (plan, error) {
	bad := func(one, mend string) (plan, error) {
		return plan{}, outcome.New(outcome.Invalid, "the zone "+one+" cannot be read: "+mend).At("--network")
	}
	p := plan{places: map[string]identity.Zone{inHospital: {Inside: true}, byVPN: {Inside: true}, onInternet: {}}}
	for one := range strings.SplitSeq(cmp.Or(strings.TrimSpace(text), zonesUsual), ",") {
		one = strings.TrimSpace(one)
		if one == "" {
			continue
		}
		place, rest, ok := strings.Cut(one, "=")
		zone, name, inner := strings.Cut(place, "/")
		if !ok || !slices.Contains([]string{inHospital, byVPN, onInternet}, zone) || inner && !namesPlace(name) {
			return bad(one, "write hospital=10.0.0.0/8, vpn=10.8.0.0/16 or, for a place, hospital/ward-3=10.1.3.0/24@5m")
		}
		rest, shared := strings.CutSuffix(rest, "+shared")
		network, idle, timed := strings.Cut(rest, "@")
		n, err := netip.ParsePrefix(network)
		if err != nil || n.Addr().Is4In6() {
			return bad(one, "its network is written as 10.0.0.0/8 or fd00::/8")
		}
		z, known := p.places[place]
		if !known {
			z = identity.Zone{Inside: zone != onInternet}
		}
		if timed {
			idle, writing, differs := strings.Cut(idle, "-")
			d, err := time.ParseDuration(idle)
			w, werr := d, error(nil)
			if differs {
				w, werr = time.ParseDuration(writing)
			}
			if err != nil || werr != nil || d < idleLeast || w > idleMost || w < d || z.Idle != 0 && (z.Idle != d || z.Writing != w) {
				return bad(one, "after @ stands how long an idle screen stays open, from 1m to 1h and the same for all networks of a place; after a hyphen how long one on which something is being written, 5m-15m")
			}
			z.Idle, z.Writing = d, w
		}
		z.Shared = z.Shared || shared
		p.places[place] = z
		p.nets = append(p.nets, zoneNet{n.Masked(), place})
	}
	slices.SortStableFunc(p.nets, func(a, b zoneNet) int { return b.net.Bits() - a.net.Bits() })
	return p, nil
}

// What a screen may stay open without anybody's act. Source: NIST SP 800-63B-4, 2.2.3: at level 2 an hour at most.
const (
	idleLeast = time.Minute
	idleMost  = time.Hour
)

// namesPlace keeps names of places to what an entry and a page show as it is.
func namesPlace(name string) bool {
	return name != "" && len(name) <= 40 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// zoneAt is the place of an address; the internet, where no network holds it.
func (p plan) zoneAt(a netip.Addr) string {
	for _, n := range p.nets {
		if n.net.Contains(a) {
			return n.place
		}
	}
	return onInternet
}

// peer is the address that a request truly comes from, and whether the site's own proxy is there: then the last hop that the proxy names
// is the address, and its header may name the zone. Anybody else's headers are not read.
func (s *Server) peer(r *http.Request) (from netip.Addr, byProxy bool) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	from, err = netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}, false
	}
	from = from.Unmap()
	proxy, err := netip.ParseAddr(s.Config.TrustedProxy)
	if err != nil || proxy.Unmap() != from {
		return from, false
	}
	lines := r.Header.Values("X-Forwarded-For") // a proxy that adds a line leaves what the client sent in the lines before it
	if len(lines) == 0 {
		return netip.Addr{}, true
	}
	hops := strings.Split(lines[len(lines)-1], ",")
	said, err := netip.ParseAddr(strings.TrimSpace(hops[len(hops)-1])) // only the last hop is the proxy's own word
	if err != nil {
		return netip.Addr{}, true
	}
	return said.Unmap(), true
}

// zoneOf is where a request comes from.
func (s *Server) zoneOf(r *http.Request, from netip.Addr, byProxy bool) string {
	if name := s.Config.ZoneHeader; byProxy && name != "" {
		if said := r.Header.Values(name); len(said) == 1 {
			if _, known := s.zones.places[said[0]]; known {
				return said[0]
			}
			return onInternet
		} else if len(said) > 1 { // one of them is not the proxy's
			return onInternet
		}
	}
	if !from.IsValid() {
		return onInternet
	}
	return s.zones.zoneAt(from)
}
