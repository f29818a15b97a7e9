// Package wirev2 is the PortOne V2 dialect as data: its shapes, words and texts, and
// how they follow from the domain. It speaks no HTTP; the edge and the webhooks share
// it so that a shop sees the same payment in both.
//
// What is always true of this dialect:
//
//   - A success is one JSON object. A refusal is an [Error], whose type is one of those
//     that the operation may answer; anything else breaks typed clients.
//   - What is not known is left out. No member is ever null.
//   - Amounts are integers of whole won. Instants are RFC 3339 in UTC, with Z.
//   - Every union (payment, method, escrow, cancellation, error) has only the members
//     that clients know.
//
// A paymentId is the shop's order ([escrow.Payment.OrderID]); the attempts to pay it are
// its transactions ([escrow.Payment.ID]). A storeId is the shop's public code.
//
// [OpenAPI] is the published description of the dialect. Tests hold every answer of
// the server against it.
package wirev2
