// Package disk takes the disk away from the running program: by a power cut, which
// loses everything that has not been flushed, and by filling it.
//
// A small file system in a file stands for the disk (a loop mount, which needs
// root). The power is cut by the file system's own shutdown, which drops what has
// not reached the disk, as xfs_io -x -c shutdown does. Where the machine allows no
// loop mounts the tests are skipped with the reason.
//
// go test ./test/disk -cuts 400 cuts more often than the usual run does.
package disk
