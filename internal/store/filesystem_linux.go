package store

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// remote are the filesystems of other machines or programs, by the number that
// statfs gives (linux/magic.h). Their locks and flushes are not to be relied on.
var remote = map[uint32]string{
	0x6969: "NFS", 0xff534d42: "CIFS", 0xfe534d42: "SMB", 0x517b: "SMB", 0x01021997: "9p", 0x65735546: "FUSE", 0x00c36400: "Ceph", 0x5346414f: "AFS",
}

// RemoteFilesystem names the filesystem of another machine on which a file lies or
// would lie; empty for one of this machine.
func RemoteFilesystem(file string) (string, error) {
	for dir := filepath.Dir(file); ; dir = filepath.Dir(dir) {
		var s syscall.Statfs_t
		err := syscall.Statfs(dir, &s)
		if errors.Is(err, os.ErrNotExist) && dir != filepath.Dir(dir) {
			continue // it is still to be made
		}
		return remote[uint32(s.Type)], err // the numbers have 32 bits; some systems keep them signed
	}
}
