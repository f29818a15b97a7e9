//go:build !linux

package store

// RemoteFilesystem is not known here.
func RemoteFilesystem(string) (string, error) { return "", nil }
