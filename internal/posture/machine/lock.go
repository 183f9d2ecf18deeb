package machine

import (
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/posture"
)

const mostLock = 999_999 * time.Second // that a report can say

// lock is after how long an idle screen locks, and who says so: the first that says anything of the session manager, settings that the
// site locked, the own desktop, whoever enrolled the machine.
func lock(s Source) (time.Duration, string) {
	for _, way := range []struct {
		by    string
		after time.Duration
	}{{posture.ByPolicy, sessionManager(s.Root)}, {posture.ByPolicy, lockedSettings(s.Root)}, {posture.ByDesktop, desktop(s.Ask)}, {posture.ByWord, s.Lock}} {
		if after := way.after.Truncate(time.Second); after > 0 && after <= mostLock {
			return after, way.by
		}
	}
	return 0, ""
}

// ini gives the values of a file of sections and keys, by section/key; later lines count.
func ini(into map[string]string, text string) {
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]") {
			section = line[1 : len(line)-1]
		} else if key, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			into[section+"/"+strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
}

// sessionManager is what systemd-logind does. Source: logind.conf(5).
func sessionManager(root fs.FS) time.Duration {
	said := map[string]string{}
	ini(said, file(root, "etc/systemd/logind.conf"))
	names := map[string]string{} // a file in /etc stands in for one of its name in /usr
	for _, dir := range []string{"usr/lib/systemd/logind.conf.d", "etc/systemd/logind.conf.d"} {
		list, _ := fs.ReadDir(root, dir)
		for _, e := range list {
			if strings.HasSuffix(e.Name(), ".conf") {
				names[e.Name()] = dir + "/" + e.Name()
			}
		}
	}
	for _, name := range sorted(names) {
		ini(said, file(root, names[name]))
	}
	if said["Login/IdleAction"] != "lock" {
		return 0
	}
	after, given := said["Login/IdleActionSec"]
	if !given {
		return 30 * time.Minute // its default
	}
	return timeSpan(after)
}

func sorted[V any](m map[string]V) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// timeSpan reads "15min", "900", "1h 30min"; 0 where it cannot. Source: systemd.time(7).
func timeSpan(text string) (out time.Duration) {
	units := map[string]time.Duration{"": time.Second, "s": time.Second, "sec": time.Second, "second": time.Second, "seconds": time.Second, "m": time.Minute, "min": time.Minute,
		"minute": time.Minute, "minutes": time.Minute, "h": time.Hour, "hr": time.Hour, "hour": time.Hour, "hours": time.Hour}
	for rest := strings.TrimSpace(text); rest != ""; {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, err := strconv.ParseUint(rest[:digits], 10, 31)
		if err != nil {
			return 0
		}
		rest = strings.TrimLeft(rest[digits:], " ")
		letters := len(rest) - len(strings.TrimLeft(rest, "abcdefghijklmnopqrstuvwxyz"))
		unit, ok := units[rest[:letters]]
		if !ok || time.Duration(n) > mostLock/unit {
			return 0
		}
		out += time.Duration(n) * unit
		rest = strings.TrimLeft(rest[letters:], " ")
	}
	return out
}

const (
	idleDelay   = "org/gnome/desktop/session/idle-delay"
	lockEnabled = "org/gnome/desktop/screensaver/lock-enabled"
	lockDelay   = "org/gnome/desktop/screensaver/lock-delay"
)

// lockedSettings is what a site's dconf says where people cannot change it. Source: GNOME system administration guide, dconf keyfiles and locks.
func lockedSettings(root fs.FS) time.Duration {
	said, locked := map[string]string{}, map[string]bool{}
	databases, _ := fs.ReadDir(root, "etc/dconf/db")
	for _, d := range databases {
		at := "etc/dconf/db/" + d.Name()
		if !strings.HasSuffix(at, ".d") {
			continue
		}
		files, _ := fs.ReadDir(root, at)
		for _, f := range files {
			ini(said, file(root, at+"/"+f.Name()))
		}
		locks, _ := fs.ReadDir(root, at+"/locks")
		for _, l := range locks {
			for line := range strings.Lines(file(root, at+"/locks/"+l.Name())) {
				locked[strings.Trim(strings.TrimSpace(line), "/")] = true
			}
		}
	}
	if !locked[idleDelay] || !locked[lockEnabled] || !locked[lockDelay] {
		return 0
	}
	return gnome(said[idleDelay], said[lockEnabled], said[lockDelay])
}

// desktop is what the desktop of whoever runs this says.
func desktop(ask func(string, ...string) (string, error)) time.Duration {
	if ask == nil {
		return 0
	}
	var said [3]string
	for i, key := range [][2]string{{"org.gnome.desktop.session", "idle-delay"}, {"org.gnome.desktop.screensaver", "lock-enabled"}, {"org.gnome.desktop.screensaver", "lock-delay"}} {
		text, err := ask("gsettings", "get", key[0], key[1])
		if err != nil {
			return 0
		}
		said[i] = strings.TrimSpace(text)
	}
	return gnome(said[0], said[1], said[2])
}

// gnome adds up when the screen goes blank and when it locks after that.
func gnome(idle, enabled, delay string) time.Duration {
	blank, err := strconv.ParseUint(strings.TrimPrefix(idle, "uint32 "), 10, 32)
	then, wrong := strconv.ParseUint(strings.TrimPrefix(delay, "uint32 "), 10, 32)
	if err != nil || wrong != nil || blank == 0 || enabled != "true" {
		return 0
	}
	return time.Duration(blank+then) * time.Second
}
