// Package admin is the operator's HTTP API under /admin/v1: merchants and their
// contracts, keys and people, acts of the operator on payments, the calendar, the
// books, settlements and the audit log.
//
// # Authority
//
// Every call carries the operator's token in "Authorization: Bearer". Without
// it, or with another, the answer is 401 and the same for every address. A
// server without a token has no admin API: every call is 401.
//
// # Requests and answers
//
// They are those of internal/api/own: a misspelt setting is never taken for one left
// as it was. In a change, a member that is absent leaves its setting; so does null,
// except where the document says that null clears. Instants are RFC 3339 in UTC, dates
// are Korean days, amounts are whole won.
//
// The OpenAPI document of all this is embedded; every answer is held against it
// in tests.
package admin
