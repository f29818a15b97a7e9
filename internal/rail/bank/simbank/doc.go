// Package simbank is the bank of the sandbox. It issues accounts that look
// real, knows a holder for nearly every account, does every order once, and
// misbehaves when it is told to.
//
// # What is always true
//
//   - The same requests against the same records have the same outcome. Nothing
//     is random: numbers and names follow from what was asked.
//   - Everything it knows is in its [Records]. A restart forgets nothing, and an
//     order is taken by one record, added once.
//   - Account numbers are unique over all merchants and are never reused. They
//     belong to nobody: the first digits only look like those of the bank.
//   - Accounts whose number ends in 0000 do not exist: the holder is not found,
//     and money sent there is refused.
//   - No money moves. A live merchant must never be given this bank; package
//     serve sees to it.
package simbank
