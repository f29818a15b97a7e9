// Package escrow is the rule of the product: what may happen to a payment, who
// may make it happen, and what follows.
//
// # The one function
//
// Decide takes a payment as it is, a command and the circumstances (actor,
// time, calendar, policy) and answers with a Decision: the payment as it will
// be, the ledger transfers, the events, mails, bank orders and settlement lines
// that are owed. It is pure. It reads no clock, no database and no network, and
// it never changes the payment it is given.
//
// # What is always true
//
//   - The held account of a payment carries the whole amount or nothing.
//   - A payment has at most one standing decision. The first one wins; the same
//     one again changes nothing; the opposite is refused and the refusal names
//     the earlier decision.
//   - A command repeated is answered as before and changes nothing.
//   - Money goes to the shop only by a confirmation, and before it only whole;
//     a ruling on a dispute is the one place where a held amount divides.
//   - Time confirms only when the buyer was told what silence means (Decree
//     art. 28-3), and never before a day already announced.
//
// When a rule says no, Decide returns a *Refusal: an answer, not a fault.
package escrow
