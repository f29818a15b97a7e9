// Package sandbox lets a shop's developers play everyone who is not the shop:
// the buyer, the bank, the carrier, the mail server and time itself. It is an
// HTTP API under /sandbox/..., whole scenarios in one call, and one page with
// buttons at /sandbox.
//
// # What is always true
//
//   - A live merchant has no sandbox: every address answers 404 to its
//     credentials, as an address that does not exist does. The check is made
//     once, before any operation is reached.
//   - Nothing here knows a rule. The sandbox says what an outsider would say,
//     through the ports and the one door, and shows what came of it.
//   - One merchant's clock is moved by one call at a time; another is refused
//     with 409. Time moves forward only.
//   - What is refused has changed nothing, with one exception that is the point
//     of a sandbox: an outsider's impossible story is told and refused by the
//     core, and both are shown.
//
// # Shapes
//
// Requests are JSON or forms, read by the same rules as those of the V1 dialect,
// and answered in its envelope; a refusal is in Korean, or in English for callers
// whose Accept-Language asks for it. A payment that is returned as such has the V1
// shape. All other instants are texts in RFC 3339 with the Korean offset, and
// may be given as such or in unix seconds. [OpenAPI] describes every operation;
// tests hold every answer against it.
package sandbox
