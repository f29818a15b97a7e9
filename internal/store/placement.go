package store

// Way is how a table lies when the database is spread over several servers.
type Way string

// The ways that Citus knows.
const (
	// Distributed: a row lies on the server of the value in its Column.
	Distributed Way = "distributed"
	// Reference: every server has all rows; writing goes to all of them.
	Reference Way = "reference"
	// Local: a table that only the server knows that nodes speak to. A transaction
	// that writes there and elsewhere is not of one piece, so that nothing of the
	// daily work may lie there.
	Local Way = "local"
)

// Placement is where a table lies when the database is spread over several
// servers, and why.
type Placement struct {
	Table string `json:"table"`
	Way   Way    `json:"way"`
	// Column is what the rows of a distributed table are spread by. Every key of the
	// table contains it, and what locks or changes a row says it.
	Column string `json:"column,omitempty"`
	// With is a table whose rows of the same value lie on the same server; empty for
	// a table that is by itself.
	With string `json:"with,omitempty"`
	Why  string `json:"why"`
}

// Placements is the place of every table, in the order in which they are made.
func Placements() []Placement {
	out := []Placement{
		{Table: first, Way: Distributed, Column: "id", Why: "a merchant's own row lies with its other rows"},
	}
	for _, t := range []struct{ table, why string }{
		{"api_key", "a merchant's keys"},
		{"access_token", "the live token of a merchant's key"},
		{"api_secret", "a merchant's secrets"},
		{"api_login", "the newest login of a merchant's secret"},
		{"payment", "a merchant's payments"},
		{"event", "a merchant's log"},
		{"event_log", "the end of a merchant's log, taken in the transaction that writes to it"},
		{"transfer", "a merchant's ledger, written with its payments"},
		{"mail", "owed by a payment, written with it"},
		{"webhook", "owed by a payment, written with it"},
		{"endpoint_health", "how a merchant's endpoints fail, written with the calls to them"},
		{"bank_order", "owed by a payment or payout, written with it"},
		{"settlement_line", "written with the payment that earned it"},
		{"payout", "a merchant's lines, added up"},
		{"prepared", "an order of a merchant"},
		{"cash_receipt", "a payment's or order's receipt"},
		{"staff", "people of a merchant"},
		{"audit", "acts on a merchant's settings and money; those that concern all stand under an empty name"},
		{"books_head", "how far a merchant's books are verified"},
		{"books_violation", "what did not agree in a merchant's books"},
		{"held_day", "what was held for a merchant's buyers, day by day"},
		{"lease", "what one node at a time does for a merchant; what concerns all stands under an empty name"},
		{"sandbox_record", "what the simulated parties know about a merchant"},
		{"keyed_request", "a request with an idempotency key, marked in the transaction in which it acts; the operator's stand under an empty name"},
	} {
		out = append(out, Placement{Table: t.table, Way: Distributed, Column: "merchant", With: first, Why: t.why})
	}
	return append(out,
		Placement{Table: "directory", Way: Distributed, Column: "key", Why: "finds the merchant, so that it cannot lie with it; asked by its key"},
		Placement{Table: "session", Way: Distributed, Column: "token", Why: "a sign-in is found before it is known whose it is; asked by its token"},
		Placement{Table: "commit_mark", Way: Distributed, Column: "writer", Why: "must commit together with the rows of which it is the proof, wherever they lie"},
		Placement{Table: "books_state", Way: Distributed, Column: "name", Why: "the auditor's few notes; asked by their name"},
		Placement{Table: "calendar_override", Way: Reference, Why: "the same for all merchants, read often and hardly ever written"},
		Placement{Table: "agreement", Way: Reference, Why: "what all nodes agree on: read by every decision and hardly ever written, together with the calendar's overrides"},
		Placement{Table: "goose_db_version", Way: Local, Why: "the steps of the schema, taken through the one server that nodes speak to"},
	)
}

// first is the table with which all that has a merchant lies together.
const first = "merchant"
