// Package console is the merchant's own pages under /console: whether escrow is
// on and for which method, the payments with their state, the life of each, the
// acts of the shop, settlements and webhooks.
//
// # Who sees what
//
// A person signs in with a mail address and a password and then sees the one
// merchant that they belong to. Another merchant's payment does not exist here:
// the answer is 404, as for one that nobody has. The answer to a wrong password
// and to an unknown address is the same text after the same work.
//
// # Acts
//
// Nothing changes on GET. Every form carries the version of the payment that
// was shown, so that a form sent twice acts once and one that was overtaken
// changes nothing. A field that is wrong is marked where it stands, with what
// was written kept. Every act is written into the audit log under the name of
// the person.
//
// # Pages
//
// Everything works without scripts, at 360 px, by keyboard and for screen
// readers, in Korean and English.
package console
