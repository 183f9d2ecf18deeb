package machine

import (
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"
	"time"

	"chartwarden/internal/posture"
)

var patched = time.Date(2026, 11, 20, 4, 12, 0, 0, time.UTC)

// computer is a machine of a test: LVM with root and swap on LUKS, as installers make it.
func computer(changes map[string]string) fs.FS {
	files := map[string]string{
		"etc/os-release":               "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\n",
		"proc/stat":                    "cpu 1 2 3\nbtime 1795327200\n",
		"proc/mounts":                  "/dev/mapper/vg-root / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/sda1 /boot ext4 rw 0 0\nproc /proc proc rw 0 0\n",
		"proc/swaps":                   "Filename Type Size Used Priority\n/dev/dm-2 partition 1 0 -2\n/dev/zram0 partition 1 0 100\n",
		"sys/class/block/dm-0/dm/name": "sda2_crypt\n", "sys/class/block/dm-0/dm/uuid": "CRYPT-LUKS2-0123-sda2_crypt\n", "sys/class/block/dm-0/slaves/sda2": "",
		"sys/class/block/dm-1/dm/name": "vg-root\n", "sys/class/block/dm-1/dm/uuid": "LVM-x\n", "sys/class/block/dm-1/slaves/dm-0": "",
		"sys/class/block/dm-2/dm/name": "vg-swap\n", "sys/class/block/dm-2/dm/uuid": "LVM-y\n", "sys/class/block/dm-2/slaves/dm-0": "",
		"sys/class/block/sda1/size": "1", "sys/class/block/sda2/size": "1", "sys/class/block/sdb1/size": "1",
		"var/lib/dpkg/status": "",
	}
	for name, text := range changes {
		files[name] = text
	}
	out := fstest.MapFS{}
	for name, text := range files {
		if text != "-" {
			out[name] = &fstest.MapFile{Data: []byte(text), ModTime: patched}
		}
	}
	return out
}

// Each volume that keeps anything of people has to be encrypted; what cannot be told is not called encrypted.
func TestDisk(t *testing.T) {
	mounts := "/dev/mapper/vg-root / ext4 rw 0 0\n"
	for name, c := range map[string]struct {
		changes map[string]string
		want    string
	}{
		"LVM on LUKS":               {nil, posture.Encrypted},
		"root in clear":             {map[string]string{"proc/mounts": "/dev/sda2 / ext4 rw 0 0\n"}, posture.Open},
		"home in clear":             {map[string]string{"proc/mounts": mounts + "/dev/sdb1 /home ext4 rw 0 0\n"}, posture.Open},
		"a folder of home in clear": {map[string]string{"proc/mounts": mounts + "/dev/sdb1 /home/anna ext4 rw 0 0\n"}, posture.Open},
		"a stick elsewhere":         {map[string]string{"proc/mounts": mounts + "/dev/sdb1 /media/stick vfat rw 0 0\n"}, posture.Encrypted},
		"swap in clear":             {map[string]string{"proc/swaps": "Filename Type Size Used Priority\n/dev/sdb1 partition 1 0 -2\n"}, posture.Open},
		"half of it in clear":       {map[string]string{"sys/class/block/dm-1/slaves/sdb1": ""}, posture.Open},
		"verity is no cipher":       {map[string]string{"sys/class/block/dm-0/dm/uuid": "CRYPT-VERITY-0-root"}, posture.Open},
		"a pool that hides disks":   {map[string]string{"proc/mounts": "rpool/root / zfs rw 0 0\n"}, posture.NotKnown},
		"home on the network":       {map[string]string{"proc/mounts": mounts + "nas:/home /home nfs4 rw 0 0\n"}, posture.Encrypted},
		"a container":               {map[string]string{"proc/mounts": "overlay / overlay rw 0 0\n"}, posture.NotKnown},
		"no mounts":                 {map[string]string{"proc/mounts": "-"}, posture.NotKnown},
		"btrfs on one":              {map[string]string{"proc/mounts": "/dev/mapper/sda2_crypt / btrfs rw 0 0\n", "sys/fs/btrfs/u/devices/dm-0": ""}, posture.Encrypted},
		"btrfs with a second":       {map[string]string{"proc/mounts": "/dev/mapper/sda2_crypt / btrfs rw 0 0\n", "sys/fs/btrfs/u/devices/dm-0": "", "sys/fs/btrfs/u/devices/sdb1": ""}, posture.Open},
		"a file as a disk":          {map[string]string{"proc/mounts": "/dev/sdb1 / ext4 rw 0 0\n", "sys/class/block/sdb1/loop/backing_file": "/x"}, posture.NotKnown},
	} {
		if got := disk(computer(c.changes)); got != c.want {
			t.Errorf("%s is %s, want %s", name, got, c.want)
		}
	}
}

func TestLock(t *testing.T) {
	gnomeOf := func(idle, enabled, delay string) func(string, ...string) (string, error) {
		return func(_ string, args ...string) (string, error) {
			return map[string]string{"idle-delay": idle, "lock-enabled": enabled, "lock-delay": delay}[args[2]] + "\n", nil
		}
	}
	dconf := map[string]string{"etc/dconf/db/local.d/00-lock": "[org/gnome/desktop/session]\nidle-delay=uint32 300\n[org/gnome/desktop/screensaver]\nlock-enabled=true\nlock-delay=uint32 30\n"}
	locks := map[string]string{"etc/dconf/db/local.d/00-lock": dconf["etc/dconf/db/local.d/00-lock"],
		"etc/dconf/db/local.d/locks/lock": "/" + idleDelay + "\n/" + lockEnabled + "\n/" + lockDelay + "\n"}
	logind := func(text string) map[string]string { return map[string]string{"etc/systemd/logind.conf": text} }
	for name, c := range map[string]struct {
		changes map[string]string
		ask     func(string, ...string) (string, error)
		stated  time.Duration
		want    time.Duration
		by      string
	}{
		"nothing":                    {nil, nil, 0, 0, ""},
		"stated":                     {nil, nil, 5 * time.Minute, 5 * time.Minute, posture.ByWord},
		"the session manager":        {logind("[Login]\nIdleAction=lock\nIdleActionSec=1h 30min\n"), nil, time.Minute, 90 * time.Minute, posture.ByPolicy},
		"the session manager's time": {logind("[Login]\nIdleAction=lock\n"), nil, 0, 30 * time.Minute, posture.ByPolicy},
		"which suspends":             {logind("[Login]\nIdleAction=suspend\n"), nil, 0, 0, ""},
		"commented out":              {logind("[Login]\n#IdleAction=lock\n"), nil, 0, 0, ""},
		"a further file":             {map[string]string{"etc/systemd/logind.conf.d/x.conf": "[Login]\nIdleAction=lock\nIdleActionSec=300\n"}, nil, 0, 5 * time.Minute, posture.ByPolicy},
		"settings that are locked":   {locks, nil, 0, 330 * time.Second, posture.ByPolicy},
		"settings that are not":      {dconf, nil, 0, 0, ""},
		"the own desktop":            {nil, gnomeOf("uint32 300", "true", "uint32 0"), 0, 5 * time.Minute, posture.ByDesktop},
		"which never blanks":         {nil, gnomeOf("uint32 0", "true", "uint32 0"), 0, 0, ""},
		"which does not lock":        {nil, gnomeOf("uint32 300", "false", "uint32 0"), 0, 0, ""},
		"no such program":            {nil, func(string, ...string) (string, error) { return "", errors.New("no") }, time.Minute, time.Minute, posture.ByWord},
	} {
		if got, by := lock(Source{Root: computer(c.changes), Ask: c.ask, Lock: c.stated}); got != c.want || by != c.by {
			t.Errorf("%s: %v by %q, want %v by %q", name, got, by, c.want, c.by)
		}
	}
}

// What is read of a machine is a report that a server can read.
func TestRead(t *testing.T) {
	r, err := Read(Source{Root: computer(nil), Lock: 5 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	r.Device, r.Nonce = "abcdefghij234567", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	got, err := posture.Parse(r.Text())
	if err != nil || got != r || r.System != "debian 12" || !r.Updated.Equal(patched) || r.Started.Unix() != 1795327200 {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := Read(Source{Root: fstest.MapFS{}}); err == nil {
		t.Error("a machine without /proc has a posture")
	}
}

// Files of a machine are text that anybody may have written: what is read of them is a report, or nothing.
func FuzzRead(f *testing.F) {
	f.Add("/dev/mapper/vg-root / ext4 rw 0 0\n", "[Login]\nIdleAction=lock\nIdleActionSec=1h\n", "ID=x\nVERSION_ID=\"1\n2\"\n")
	f.Fuzz(func(t *testing.T, mounts, logind, release string) {
		r, err := Read(Source{Root: computer(map[string]string{"proc/mounts": mounts, "proc/swaps": mounts, "etc/systemd/logind.conf": logind, "etc/os-release": release})})
		if err != nil {
			t.Fatal(err)
		}
		r.Device, r.Nonce = "abcdefghij234567", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		if got, err := posture.Parse(r.Text()); err != nil || got != r {
			t.Errorf("%q: %v", r.Text(), err)
		}
	})
}
