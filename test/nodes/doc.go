// Package nodes runs three real processes of the program on one PostgreSQL,
// behind Debian's haproxy, and gives them work over HTTP as shops and buyers do.
// It asks that several nodes are one Holdfast: nothing lost, nothing done twice,
// one outcome for each payment, whichever node was asked, and also while nodes
// are restarted, frozen or cut off from the database.
//
// Each test runs in a short form by default. docs/reliability.md names the flags
// of the long forms. A harness proves something only if it fails when the program
// is wrong: the tests named Planted build the program with a bug (package fault)
// and require that the same harness finds it.
package nodes
