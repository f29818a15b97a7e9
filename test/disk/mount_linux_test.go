package disk_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	// shutdown is the request of ext4 and XFS to go down at once (_IOR('X', 125, u32)),
	// and withoutFlush its way: nothing more is written, not even the journal.
	shutdown     = 0x8004587d
	withoutFlush = 2
	// mkfs is where Debian keeps it.
	mkfs = "/usr/sbin/mkfs.ext4"
)

// disk is a file system in a file.
type disk struct {
	t     testing.TB
	image string
	// dir is where it is mounted.
	dir string
}

// newDisk makes a file system of so many bytes and mounts it until the end of
// the test. It skips the test where that is impossible.
func newDisk(t testing.TB, bytes int64) *disk {
	t.Helper()
	switch _, err := os.Stat(mkfs); {
	case os.Geteuid() != 0:
		t.Skip("a loop mount needs root")
	case err != nil && os.Getenv("CI") != "":
		t.Fatalf("%v (Debian: apt-get install e2fsprogs)", err)
	case err != nil:
		t.Skipf("%v (Debian: apt-get install e2fsprogs)", err)
	}
	at := t.TempDir()
	d := &disk{t: t, image: filepath.Join(at, "image"), dir: filepath.Join(at, "disk")}
	f, err := os.Create(d.image)
	if err == nil {
		err = f.Truncate(bytes)
	}
	if err == nil {
		err = f.Close()
	}
	if err == nil {
		err = os.Mkdir(d.dir, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	d.run(mkfs, "-q", "-F", d.image)
	if out, err := exec.Command("mount", "-o", "loop", d.image, d.dir).CombinedOutput(); err != nil {
		t.Skipf("the machine allows no loop mounts: %s", out)
	}
	t.Cleanup(d.unmount)
	return d
}

func (d *disk) run(name string, args ...string) {
	d.t.Helper()
	if out, err := exec.CommandContext(d.t.Context(), name, args...).CombinedOutput(); err != nil {
		d.t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// cut ends the power of the disk: whoever writes to it from now on fails, and
// what was not flushed is lost.
func (d *disk) cut() {
	d.t.Helper()
	f, err := os.Open(d.dir)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	if err := unix.IoctlSetPointerInt(int(f.Fd()), shutdown, withoutFlush); err != nil {
		d.t.Fatalf("shut the file system down: %v", err)
	}
}

// again mounts the disk as a machine does that starts after a power cut.
func (d *disk) again() {
	d.t.Helper()
	d.run("umount", d.dir)
	d.run("mount", "-o", "loop", d.image, d.dir)
}

// unmount lets the disk go, also when the test failed half way.
func (d *disk) unmount() {
	if out, err := exec.Command("umount", d.dir).CombinedOutput(); err != nil {
		d.t.Logf("umount: %s", out)
	}
}
