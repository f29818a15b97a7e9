// Package apiv2 serves the PortOne V2 dialect: it turns requests into commands and
// queries at the one door, and their answers into the shapes of wirev2.
//
// What is always true of it:
//
//   - Every answer is one JSON object, written in one piece with its length, whatever
//     happens: unknown paths, wrong methods, bodies that cannot be read and panics
//     included. A success has the status 200 and no other. It never redirects.
//   - Nothing has happened when a request is refused. Credentials are checked before
//     the body is read.
//   - A refusal is of a kind that the operation may answer, and says in Korean which
//     field is at fault.
//   - A payment of another shop does not exist. A storeId may be left out; one that is
//     not the caller's own is FORBIDDEN.
//
// The content type is not asked: the JavaScript client sends JSON as text.
//
// A handler decodes, calls the door with the request's context, and returns a whole
// answer, so that something around it can store the answer and give it again.
package apiv2
