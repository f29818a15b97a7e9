//go:build !planted

package fault

// Planted reports whether the program was built with a bug.
func Planted(Bug) bool { return false }
