// Package recon compares the books with themselves (대사, reconciliation).
//
// # What it owns
//
// The hash over a row of the log of events and of the ledger (chain.go, rows.go),
// and the rules by which a payment or a payout is compared with everything that
// was written about it (check.go). The rules here are pure: rows go in, hashes and
// violations come out. The store reads the rows: Store.VerifyBooks walks through
// all books once and returns what does not agree; Store.AuditBooks is the same in steps.
//
// # What is always true
//
//   - Each merchant has two chains, of events and of transfers. The hash of a row
//     is SHA-256 over the hash of the row before it and the row with all its
//     columns, its merchant and its position among them. So a row that is changed,
//     taken out, put in or moved breaks the chain at its place, and the end of a
//     chain stands for everything before it.
//   - A row that changes in its life, or that stands in no chain, carries a sum: a
//     hash over itself alone.
//   - Neither is a secret. Who can write the whole database can also write its
//     hashes; what they cannot do is bring back an end of a chain that somebody
//     else has written down.
package recon

import "errors"

var errHash = errors.New("a hash has 64 hexadecimal digits")
