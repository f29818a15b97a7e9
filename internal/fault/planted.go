//go:build planted

package fault

// bug is set by the linker.
var bug string

// Planted reports whether the program was built with a bug.
func Planted(b Bug) bool { return bug == string(b) }

// Plant puts a bug into the running program, for a harness that must find many; it
// is called before anything else runs.
func Plant(b Bug) { bug = string(b) }
