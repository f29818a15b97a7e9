// Package shopapi is Holdfast's own API for a shop's server, under /holdfast/v1:
// the endpoints at which the shop is told of things, the log of what it was told,
// telling it again, the feed of all events, and the payouts with what they pay.
//
// # Authority
//
// A call carries the shop's credentials of PortOne V2: "Authorization: PortOne
// SECRET", or "Bearer" and an access token. A merchant is of one mode, sandbox or
// live, so that its endpoints are too.
//
// # Requests and answers
//
// They are those of internal/api/own. Instants are RFC 3339 in UTC; a member that
// there is nothing to say of is left out, and none is null. Idempotency-Key counts
// as it does in PortOne V2. A signing secret is in the answer that makes it and in
// no other.
package shopapi
