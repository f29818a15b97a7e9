// Package sim plays whole years of Holdfast in one process: buyers, shops, the
// bank, the carrier, the mail server and the clock are played by the test, the
// rest is the program itself on a SQLite file, and it dies between any two steps.
//
// # One seed
//
// A seed decides everything: who does what next, how the world outside
// misbehaves, how far the clock moves, and at which step the program ends.
// Nothing waits for real time and nothing happens side by side, so a run
// can be played again:
//
//	go test ./test/sim -run 'TestSimulation$' -sim.seed 42 -sim.days 100
//
// A failure prints that command and the last steps. Long runs:
//
//	go test ./test/sim -run 'TestSimulation$' -sim.seeds 1000 -timeout 0
//
// # A step
//
// Every commit and every call to the outside is a step, with a place before it
// and a place after it. At each of them the process may end: whatever it held in
// memory is gone, and a new one opens what is stored. A commit may also be
// refused, or be made and its answer lost; a call to the outside may hang while
// the world goes on, and come back hours later.
//
// # What is asked
//
// After every step: events are numbered without gaps, each is one that a small
// model of the payment allows, the state of the payment is the model's, and an
// answer is one that the model expects. Every day, when the loops have come to
// rest: the books balance and agree with the states and with the bank, nothing is
// overdue, nobody waits for ever. At the end the world heals, and all money must
// come to its place.
//
// The bank knows by itself what it has executed; buyers know by the letters they
// have read until when they may decide.
package sim
