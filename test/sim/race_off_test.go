//go:build !race

package sim_test

// raced says that the tests are built with the race detector.
const raced = false
