// Package wirev1 is the PortOne V1 dialect as data: its shapes, codes and texts,
// and how they follow from the domain. It speaks no HTTP; the edge and the
// webhooks share it so that a shop sees the same payment in both.
//
// What is always true of this dialect:
//
//   - Every answer is an [Envelope]. Code 0 is success; every other code comes
//     with a message and without a response.
//   - Every key of an object is present. An unknown text is null, a time that
//     has not come is 0 and never null, an amount is an integer of whole won.
//   - Times are unix seconds, except the date of receipt of a delivery.
//   - A few messages are compared letter by letter by shops. They are constants
//     here and may never change.
//
// [OpenAPI] is the published description of the dialect. Tests hold every
// answer of the server against it.
package wirev1
