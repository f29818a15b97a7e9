// Package journey plays whole escrow lives against the real server, alone and
// with many hands at once, and asks afterwards for what must always be true: the
// books, the log of events, and one outcome for each payment.
package journey
