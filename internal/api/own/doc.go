// Package own is what Holdfast's own APIs have in common, those of a shop
// (internal/api/shopapi) and of the operator (internal/admin): how a request is
// read, how an answer looks, and how every error is said.
//
// What is always true of them:
//
//   - A body is a JSON object, whatever its content type says; a form is refused.
//     No body counts as an empty object. A member that a call does not know is
//     refused.
//   - An answer is JSON in one piece with its length, and is kept by no cache.
//   - A refusal is {"error": {"code", "field", "message"}} and changes nothing.
//     Where several fields are wrong, error.problems names them all. Whatever is no
//     refusal is logged, and the caller learns only that there was one.
//   - A call that a repetition may help is answered 503 with Retry-After.
//   - Lists are paged by offset and limit.
//   - An address that exists in no form is 404, with another method 405.
package own
