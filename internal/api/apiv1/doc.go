// Package apiv1 serves the PortOne V1 dialect: it turns requests into commands
// and queries at the one door, and their answers into the shapes of wirev1.
//
// What is always true of it:
//
//   - Every answer is one JSON document, written in one piece with its length,
//     whatever happens: unknown paths, wrong methods, bodies that cannot be read
//     and panics included. It never redirects.
//   - Nothing has happened when a request is refused. The token is checked
//     before the body is read, because there is a client that repeats a call
//     after a 401.
//   - A refusal names the field and the reason in Korean. Cancels, registered
//     amounts and new accounts are refused with the status of a success and a
//     code other than 0, as this dialect does; everything else with a status
//     that says what is wrong.
//   - A payment of another shop does not exist.
//
// Bodies may be JSON or forms on every method; the content type is not asked.
package apiv1
