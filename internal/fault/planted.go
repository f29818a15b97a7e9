//go:build planted

package fault

// bug is set by the linker.
var bug string

// Planted reports whether the program was built with a bug.
func Planted(b Bug) bool { return bug == string(b) }
