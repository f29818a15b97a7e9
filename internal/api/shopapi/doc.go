// Package shopapi is Holdfast's own API for a shop's server, under /holdfast/v1:
// the endpoints at which the shop is told of things, the log of what it was told,
// telling it again, and the feed of all events.
//
// # Authority
//
// A call carries the shop's credentials of PortOne V2: "Authorization: PortOne
// SECRET", or "Bearer" and an access token. A merchant is of one mode, sandbox or
// live, so that its endpoints are too.
//
// # Requests and answers
//
// Bodies are JSON objects, read by internal/wire/body; a member that a call does not
// know is refused. A refusal is {"error": {"code", "field", "message"}} and changes
// nothing. Instants are RFC 3339 in UTC. Idempotency-Key counts as it does in
// PortOne V2. A signing secret is in the answer that makes it and in no other.
package shopapi
