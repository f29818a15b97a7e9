//go:build race

package sim_test

// raced says that the tests are built with the race detector, under which the
// embedded database is some twenty times slower.
const raced = true
