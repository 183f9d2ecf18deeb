// Package machine reads the posture of the Linux machine on which it runs, from what the kernel and the system keep in files.
//
// What cannot be read is reported as not known, never as good.
package machine

import (
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/posture"
)

// Source is where a machine is read.
type Source struct {
	Root fs.FS                                             // of its file system
	Ask  func(name string, args ...string) (string, error) // runs a program of the machine; nil asks none
	Lock time.Duration                                     // after how long the screen locks, as stated where nothing can be read; 0: nobody states it
}

// Read gives the posture, without device and nonce. Errors: outcome.NotSupported where this is no Linux.
func Read(s Source) (posture.Report, error) {
	r := posture.Report{System: system(s.Root), Disk: disk(s.Root), Updated: updated(s.Root)}
	var err error
	if r.Started, err = started(s.Root); err != nil {
		return r, err
	}
	r.Lock, r.LockBy = lock(s)
	return r, nil
}

// file reads a small file; empty where it cannot be read.
func file(root fs.FS, name string) string {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return ""
	}
	return string(text)
}

// system is name and version. Source: os-release(5).
func system(root fs.FS) string {
	text := file(root, "etc/os-release")
	if text == "" {
		text = file(root, "usr/lib/os-release")
	}
	said := map[string]string{"ID": "linux", "VERSION_ID": "rolling"} // what the manual has for a system without
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if value = strings.Trim(value, `"'`); plain.MatchString(value) {
			said[name] = value
		}
	}
	return strings.ToLower(said["ID"]) + " " + said["VERSION_ID"]
}

var plain = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$`)

// started is when the kernel came up. Source: proc_stat(5), btime.
func started(root fs.FS) (time.Time, error) {
	for line := range strings.Lines(file(root, "proc/stat")) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "btime" {
			if at, err := strconv.ParseInt(f[1], 10, 64); err == nil {
				return time.Unix(at, 0).UTC(), nil
			}
		}
	}
	return time.Time{}, outcome.New(outcome.NotSupported, "this program reads the posture of Linux machines only; docs/formats/device-posture.md says what another reports")
}

// stamps are files that a system touches when it took its updates, or found that there are none to take.
var stamps = []string{
	"var/lib/apt/periodic/unattended-upgrades-stamp", "var/lib/apt/periodic/upgrade-stamp", "var/lib/dpkg/status", // Debian, Ubuntu
	"var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/rpmdb.sqlite", "var/lib/rpm/Packages", // Fedora, RHEL, SUSE
	"var/lib/pacman/local", "lib/apk/db/installed", "usr/lib/apk/db/installed", // Arch, Alpine
}

func updated(root fs.FS) (newest time.Time) {
	for _, name := range stamps {
		if info, err := fs.Stat(root, name); err == nil && info.ModTime().After(newest) {
			newest = info.ModTime().UTC().Truncate(time.Second)
		}
	}
	return newest
}
