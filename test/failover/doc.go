// Package failover gives the program a primary and a standby of PostgreSQL, kills
// the primary under load, and lets the standby take its place, at times after the
// standby has stalled and commits have waited for it in vain.
//
// With synchronous replication nothing acknowledged may be missing, also when
// somebody ends the wait of a commit, after which the old primary shows it and no
// standby has it. With asynchronous replication acknowledged payments are lost: the
// test of that proves that the harness would see it.
//
// go test ./test/failover -failovers 20 fails over more often than the usual run does.
package failover
