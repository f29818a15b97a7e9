package arch

import "slices"

// A group is a set of packages that live under the same rule.
type group struct {
	name string
	// packages are paths relative to the module root. A path that ends in "/*" also
	// means everything below it, but not the path itself.
	packages []string
	// mayImport are the packages of ours that the group may import, in the same notation.
	// Packages of one group may not import each other unless it is said here.
	mayImport []string
	// pure groups obey the rules of pureForbidden as well, and import nothing from
	// outside the standard library.
	pure bool
	// alone groups import nothing from outside the standard library.
	alone bool
	why   string
}

// A border is an import that is refused whatever a group allows.
type border struct {
	from, to []string
	// tests tells that the border holds for test files too.
	tests bool
	why   string
}

// A foreign rule keeps a library from outside the module in one room.
type foreign struct {
	// imports are import paths; one that ends in "/*" also means everything below it.
	imports []string
	// onlyIn are the packages that may import them, in the notation of group.packages.
	onlyIn []string
	why    string
}

var (
	ground = []string{"internal/money", "internal/bizday", "internal/ident", "internal/clock", "internal/fault",
		"internal/krbank", "internal/krcarrier"}
	rules = []string{"internal/ledger", "internal/escrow", "internal/settle", "internal/recon", "internal/merchant"}
	ports = []string{"internal/rail/bank", "internal/rail/carrier", "internal/rail/mail"}
	rails = []string{"internal/rail/bank/*", "internal/rail/carrier/*", "internal/rail/mail/*"}
	edges = []string{"internal/api/*", "internal/admin", "internal/web/*", "internal/sandbox", "internal/sandbox/*",
		"internal/rail/*", "internal/webhook", "internal/wire/*", "internal/letter"}
)

var groups = []group{
	{
		name: "ground", packages: ground, pure: true,
		why: "money, days, names, time, faults and the tables of banks and carriers are what everything else is said in; they depend on nothing of ours",
	},
	{
		name: "ledger", packages: []string{"internal/ledger"}, mayImport: ground, pure: true,
		why: "the books know amounts and accounts, not payments",
	},
	{
		name: "escrow", packages: []string{"internal/escrow"},
		mayImport: slices.Concat(ground, []string{"internal/ledger", "internal/settle"}), pure: true,
		why: "a confirmed payment becomes a settlement line, whose fees and terms are settle's words",
	},
	{
		name: "merchant", packages: []string{"internal/merchant"},
		mayImport: slices.Concat(ground, []string{"internal/escrow", "internal/settle"}), pure: true,
		why: "a shop's contract chooses the policy of escrow and the terms of settle",
	},
	{
		name: "rules", packages: []string{"internal/settle", "internal/recon"},
		mayImport: slices.Concat(ground, []string{"internal/ledger"}), pure: true,
		why: "a rule is a function from values to values, so that it can be read, replayed and tested without a world",
	},
	{
		name: "store", packages: []string{"internal/store", "internal/store/*"},
		mayImport: slices.Concat(ground, rules, []string{"internal/store", "internal/store/*"}),
		why:       "the store keeps what the rules decided and knows nobody above it",
	},
	{
		name: "app", packages: []string{"internal/app", "internal/app/*"},
		mayImport: slices.Concat(ground, rules, []string{"internal/store", "internal/app", "internal/app/*"}),
		why:       "the one door opens a transaction, so nothing it can reach may call outside: it declares its own small ports instead of importing rails",
	},
	{
		name: "ports", packages: ports, mayImport: ground,
		why: "a port is an interface in the words of the domain; it knows no party behind it",
	},
	{
		name: "rails", packages: rails, mayImport: slices.Concat(ground, ports),
		why: "a rail speaks to one bank, carrier or mail server and implements its port; it never calls back into the house. The contract test of a port (banktest, mailtest) stands beside them",
	},
	{
		name: "letter", packages: []string{"internal/letter"}, mayImport: slices.Concat(ground, rules),
		why: "a buyer's mail is composed from what was decided; sending it is a rail's work",
	},
	{
		name: "webhook", packages: []string{"internal/webhook"}, mayImport: ground,
		why: "bodies come ready-made, so signing and sending know no dialect",
	},
	{
		name: "wire body", packages: []string{"internal/wire/body"}, pure: true,
		why: "the neutral decoder turns bytes into named values for every dialect and therefore knows none",
	},
	{
		name: "wire order", packages: []string{"internal/wire/order"},
		mayImport: slices.Concat(ground, rules, []string{"internal/wire/body"}),
		why:       "what both dialects write alike is read once; it knows neither",
	},
	{
		name: "words of refusals", packages: []string{"internal/wire/korean"}, mayImport: slices.Concat(ground, rules),
		why: "both dialects say no in the same words",
	},
	{
		name: "wire", packages: []string{"internal/wire/wirev1", "internal/wire/wirev2"},
		mayImport: slices.Concat(ground, rules, []string{"internal/wire/body", "internal/wire/korean", "internal/wire/order"}),
		why:       "a dialect is shapes and texts; webhooks need the same shapes as the API, so it knows no HTTP",
	},
	{
		name: "idempotency", packages: []string{"internal/api/once"},
		mayImport: slices.Concat(ground, []string{"internal/app", "internal/wire/body"}),
		why:       "every edge lets a request act once in the same way and says no in its own words",
	},
	{
		name: "transport", packages: []string{"internal/api/transport"}, mayImport: []string{"internal/wire/body"},
		why: "how a request is read and an answer is written in one piece is the same for every dialect",
	},
	{
		name: "api v1", packages: []string{"internal/api/apiv1"},
		mayImport: slices.Concat(ground, rules, []string{"internal/app", "internal/api/once", "internal/api/transport", "internal/wire/body", "internal/wire/order", "internal/wire/wirev1"}),
		why:       "routes to commands in one dialect",
	},
	{
		name: "own apis", packages: []string{"internal/api/own"},
		mayImport: slices.Concat(ground, rules, []string{"internal/app", "internal/api/once", "internal/api/transport", "internal/wire/body"}),
		why:       "Holdfast's own APIs read and answer alike, whoever may call them",
	},
	{
		name: "shop api", packages: []string{"internal/api/shopapi"},
		mayImport: slices.Concat(ground, rules, []string{"internal/app", "internal/wire/body", "internal/api/own", "internal/api/transport"}),
		why:       "our own API for shops goes through the same door as the dialects; what a webhook says it is given",
	},
	{
		name: "api v2", packages: []string{"internal/api/apiv2"},
		mayImport: slices.Concat(ground, rules, []string{"internal/app", "internal/api/once", "internal/api/transport", "internal/wire/body", "internal/wire/order", "internal/wire/wirev2"}),
		why:       "routes to commands in one dialect",
	},
	{
		name: "password", packages: []string{"internal/password"},
		why: "the admin API makes people, the console lets them in; both hash alike and share one bound on hashes at work",
	},
	{
		name: "admin api", packages: []string{"internal/admin"},
		mayImport: slices.Concat(ground, rules, []string{"internal/app", "internal/api/own", "internal/api/transport", "internal/wire/body", "internal/password"}),
		why:       "our own API goes through the same door as the dialects",
	},
	{
		name: "look", packages: []string{"internal/web/ui", "internal/web/ui/*"},
		mayImport: slices.Concat(ground, []string{"internal/web/ui", "internal/web/ui/*"}),
		why:       "the shared look and words know no page",
	},
	{
		name: "payment window", packages: []string{"internal/web/pay"},
		mayImport: slices.Concat(ground, rules, []string{"internal/app", "internal/web/ui", "internal/wire/body", "internal/wire/korean", "internal/wire/wirev1", "internal/wire/wirev2"}),
		why:       "a browser SDK opens it with the parameters of its dialect and reads the result in the same",
	},
	{
		name: "decision page", packages: []string{"internal/web/decide"},
		mayImport: slices.Concat(ground, rules, []string{"internal/app", "internal/letter", "internal/web/ui"}),
		why:       "the page repeats the notice of the mail that led to it, word for word",
	},
	{
		name: "membership page", packages: []string{"internal/web/verify"},
		mayImport: slices.Concat(ground, rules, []string{"internal/app", "internal/letter", "internal/web/ui"}),
		why:       "the page names the operator as the mails do",
	},
	{
		name: "documents", packages: []string{"internal/web/docs"},
		why: "it shows documents that it is given",
	},
	{
		name: "demonstration", packages: []string{"internal/demo"},
		why: "it plays the people outside and may know the server by its HTTP interfaces alone",
	},
	{
		name: "operator desk", packages: []string{"internal/web/operate"},
		mayImport: slices.Concat(ground, rules, []string{"internal/app", "internal/web/ui"}),
		why:       "a page shows what the door answers; pages do not know each other",
	},
	{
		name: "console", packages: []string{"internal/web/console"},
		mayImport: slices.Concat(ground, rules, []string{"internal/app", "internal/web/ui", "internal/web/ui/*", "internal/wire/body", "internal/password"}),
		why:       "a page like the others, with people who sign in and with long forms, which the strict reader of bodies reads",
	},
	{
		name: "sandbox", packages: []string{"internal/sandbox", "internal/sandbox/*"},
		mayImport: slices.Concat(ground, rules, ports, []string{"internal/app", "internal/api/once", "internal/api/transport", "internal/wire/body", "internal/wire/order", "internal/wire/wirev1", "internal/web/ui", "internal/web/ui/*", "internal/sandbox/*"}),
		why:       "the sandbox plays the outside world through the ports and the door, answers shops in the shapes they know, and has a page in the common look",
	},
	{
		name: "work", packages: []string{"internal/work"},
		mayImport: slices.Concat(ground, rules, ports, []string{"internal/app", "internal/webhook", "internal/letter", "internal/wire/body", "internal/wire/wirev1", "internal/wire/wirev2"}),
		why:       "the loops carry notices out and bring outcomes back as commands",
	},
	{
		name: "config", packages: []string{"internal/config"}, mayImport: ground,
		why: "one struct of settings that serve reads",
	},
	{
		name: "serve", packages: []string{"internal/serve", "internal/serve/*"}, mayImport: []string{"internal/*", "sdk", "sdk/*"},
		why: "the one place that builds the whole, and so the only one that names concrete rails",
	},
	{
		name: "command line", packages: []string{"cmd/holdfast"},
		mayImport: slices.Concat(ground, rules, []string{"internal/app", "internal/config", "internal/demo", "internal/password", "internal/serve", "internal/webhook"}),
		why:       "the program parses arguments and calls serve; what tests build is what runs",
	},
	{
		name: "browser sdk", packages: []string{"sdk", "sdk/*"},
		why: "scripts for a browser, embedded; they know the server by its addresses only",
	},
	{
		name: "go client", packages: []string{"client"}, alone: true,
		why: "shops import it: it knows the server by its HTTP interfaces alone and brings nothing else into their programs",
	},
	{
		name: "arch", packages: []string{"internal/arch"},
		why: "the rules judge the others and need none of them",
	},
	{
		name: "tests and measures", packages: []string{"test/*", "bench", "bench/*"},
		mayImport: []string{"internal/*", "client", "sdk", "test/*", "bench/*"},
		why:       "stories and measures build the whole through serve and may look at any part of it; they follow a shop's events with the client that shops have",
	},
}

var borders = []border{
	{
		from: []string{"internal/wire/wirev1", "internal/api/apiv1"}, to: []string{"internal/wire/wirev2", "internal/api/apiv2"}, tests: true,
		why: "the dialects are two faces of one truth; a change of one must not be able to break the other",
	},
	{
		from: []string{"internal/wire/wirev2", "internal/api/apiv2"}, to: []string{"internal/wire/wirev1", "internal/api/apiv1"}, tests: true,
		why: "the dialects are two faces of one truth; a change of one must not be able to break the other",
	},
	{
		from: edges, to: []string{"internal/store", "internal/store/*"},
		why: "an edge that writes past the door skips authority, idempotency and the rules",
	},
	{
		from: []string{"internal/rail/*"}, to: []string{"internal/app", "internal/app/*"},
		why: "an outcome comes back as a command through work, never as a call from a rail",
	},
	{
		from: []string{"internal/app", "internal/app/*", "internal/store", "internal/store/*"},
		to:   []string{"internal/rail/*", "internal/webhook", "internal/letter", "internal/work"},
		why:  "no rail call, mail or webhook inside a transaction",
	},
	{
		from: []string{"cmd/*", "internal/app", "internal/work", "internal/webhook", "internal/letter", "internal/api/*", "internal/admin",
			"internal/web/*", "internal/sandbox", "internal/sandbox/*", "internal/store", "internal/config"},
		to:  rails,
		why: "a concrete rail is named in serve alone, so that one place decides who really moves money",
	},
	{
		from: []string{"internal/api/*", "internal/admin", "internal/web/*", "internal/app", "internal/work", "internal/store"},
		to:   []string{"internal/sandbox", "internal/sandbox/*"},
		why:  "what a live merchant can reach must not be able to reach the sandbox",
	},
}

var foreigns = []foreign{
	{
		imports: []string{"database/sql", "database/sql/*", "github.com/jackc/*", "modernc.org/*", "github.com/pressly/*"},
		onlyIn:  []string{"internal/store", "internal/store/*", "bench", "bench/*"},
		why:     "SQL stands in the store alone; bench holds a hand-written transaction to compare with",
	},
	{
		imports: []string{"net/http", "net/http/*"},
		onlyIn: []string{"internal/api/*", "internal/admin", "internal/web/*", "internal/sandbox", "internal/sandbox/*", "internal/webhook",
			"internal/rail/bank/*", "internal/rail/carrier/*", "internal/rail/mail/*", "internal/serve", "internal/demo", "internal/serve/*", "cmd/holdfast", "client", "sdk", "test/*", "bench", "bench/*"},
		why: "HTTP is an edge; a shape, a rule or the door that knows it can serve only one of its users",
	},
}

// pureForbidden are the parts of the standard library that a pure package must not import.
var pureForbidden = map[string]string{
	"bufio":         "reads and writes",
	"context":       "a rule cannot be cancelled half way",
	"database/sql":  "SQL belongs to the store",
	"io/ioutil":     "reads and writes files",
	"log":           "a rule says what it decided in its result",
	"log/slog":      "a rule says what it decided in its result",
	"net":           "calls outside",
	"net/http":      "calls outside",
	"os":            "reads the machine",
	"os/exec":       "runs programs",
	"os/signal":     "reads the machine",
	"path/filepath": "walks files",
	"syscall":       "reads the machine",
	"testing":       "is for tests",
}

// pureAllowed are the libraries that one pure package may use all the same. They must be
// functions from values to values themselves.
var pureAllowed = map[string][]string{
	// One order number must have one spelling, and the standard library has no normal forms.
	"internal/wire/body": {"golang.org/x/text/unicode/norm"},
}

// clockFunctions are the functions of package time that read or wait for the machine's clock.
var clockFunctions = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// realClock is the one pure package that may read the machine's clock, and that may take a
// context, because it waits.
const realClock = "internal/clock"

// refusedTags are the struct tags that tie a pure type to a format or a table.
var refusedTags = []string{"json", "sql", "db", "yaml", "xml", "form"}

// emptyNames are package names that say nothing about what is inside.
var emptyNames = []string{"util", "utils", "common", "model", "models", "service", "services", "helper", "helpers", "misc", "shared", "types"}
