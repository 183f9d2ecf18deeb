package machine

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"chartwarden/internal/posture"
)

// disk says whether every volume on which a browser leaves anything is encrypted: the root, what is mounted at or below /home, /root,
// /var, /tmp, /opt and /srv, and swap. A disk that encrypts in its hardware is not seen, nor are encrypted directories.
// Source: https://docs.kernel.org/admin-guide/abi-stable-files.html (sysfs-block), proc_mounts(5).
func disk(root fs.FS) string {
	said := map[string]bool{}
	met := false
	for line := range strings.Lines(file(root, "proc/mounts")) {
		f := strings.Fields(line)
		if len(f) < 4 || !keeps(f[1]) || passing(f[2]) {
			continue
		}
		met = met || f[1] == "/"
		state := volume(root, f[0])
		if f[2] == "btrfs" && state == posture.Encrypted {
			state = siblings(root, device(root, f[0]))
		}
		said[state] = true
	}
	for line := range strings.Lines(file(root, "proc/swaps")) {
		f := strings.Fields(line)
		if len(f) < 5 || f[1] != "partition" || strings.HasPrefix(f[0], "/dev/zram") { // a file lies on one of the volumes above
			continue
		}
		said[volume(root, f[0])] = true
	}
	switch {
	case said[posture.Open]:
		return posture.Open
	case !met || said[posture.NotKnown]:
		return posture.NotKnown
	}
	return posture.Encrypted
}

// keeps reports whether what lies at a mount point may be of a person.
func keeps(at string) bool {
	if at == "/" {
		return true
	}
	return slices.ContainsFunc([]string{"/home", "/root", "/var", "/tmp", "/opt", "/srv"}, func(p string) bool { return at == p || strings.HasPrefix(at, p+"/") })
}

// passing reports whether a file system keeps nothing on a disk of this machine that outlasts it, or nothing that can be written.
func passing(kind string) bool {
	return slices.Contains([]string{"tmpfs", "ramfs", "squashfs", "iso9660", "proc", "sysfs", "devtmpfs", "autofs", "nsfs", "fuse.portal", "fuse.gvfsd-fuse", "rpc_pipefs", "nfs", "nfs4", "cifs"}, kind)
}

func volume(root fs.FS, source string) string {
	name := device(root, source)
	if name == "" {
		return posture.NotKnown
	}
	return layer(root, name, 0)
}

// device is the kernel's name of a block device: sda2, dm-0; empty where that cannot be told.
func device(root fs.FS, source string) string {
	name, ok := strings.CutPrefix(source, "/dev/")
	if !ok {
		return ""
	}
	if mapped, ok := strings.CutPrefix(name, "mapper/"); ok {
		all, _ := fs.ReadDir(root, "sys/class/block")
		for _, e := range all {
			if strings.TrimSpace(file(root, "sys/class/block/"+e.Name()+"/dm/name")) == mapped {
				return e.Name()
			}
		}
		return ""
	}
	if target, err := fs.ReadLink(root, "dev/"+name); err == nil { // /dev/disk/by-uuid/..., /dev/vg/home
		name = path.Base(target)
	}
	if name = path.Base(name); !there(root, "sys/class/block/"+name) {
		return ""
	}
	return name
}

func there(root fs.FS, name string) bool { _, err := fs.Stat(root, name); return err == nil }

// ciphers begin the UUID that cryptsetup gives a mapping that encrypts. CRYPT-VERITY- and CRYPT-INTEGRITY- do not.
var ciphers = []string{"CRYPT-LUKS1-", "CRYPT-LUKS2-", "CRYPT-PLAIN-", "CRYPT-TCRYPT-", "CRYPT-BITLK-", "CRYPT-LOOPAES-", "CRYPT-FVAULT2-"}

// layer goes down from a device to what it lies on, until one of the layers encrypts: an LVM volume on LUKS does, by each of its parts.
func layer(root fs.FS, name string, depth int) string {
	at := "sys/class/block/" + name
	uuid := file(root, at+"/dm/uuid")
	if slices.ContainsFunc(ciphers, func(c string) bool { return strings.HasPrefix(uuid, c) }) {
		return posture.Encrypted
	}
	if depth > 8 || there(root, at+"/loop") { // what a loop lies on is not told here
		return posture.NotKnown
	}
	below, _ := fs.ReadDir(root, at+"/slaves")
	if len(below) == 0 {
		return posture.Open
	}
	state := posture.Encrypted
	for _, e := range below {
		switch layer(root, e.Name(), depth+1) {
		case posture.Open:
			return posture.Open
		case posture.NotKnown:
			state = posture.NotKnown
		}
	}
	return state
}

// siblings judges all devices of the btrfs that one is part of: its mount names one only.
func siblings(root fs.FS, name string) string {
	pools, _ := fs.ReadDir(root, "sys/fs/btrfs")
	for _, p := range pools {
		devices, _ := fs.ReadDir(root, "sys/fs/btrfs/"+p.Name()+"/devices")
		if !slices.ContainsFunc(devices, func(e fs.DirEntry) bool { return e.Name() == name }) {
			continue
		}
		for _, e := range devices {
			if state := layer(root, e.Name(), 0); state != posture.Encrypted {
				return state
			}
		}
		return posture.Encrypted
	}
	return posture.NotKnown
}
