// Package arch holds the import rules of the house as a test.
//
// The rules are data in rules_test.go: for each group of packages, what it may import of
// ours, which foreign code it must not touch, and why. The checker in arch_test.go parses
// the import clauses and declarations of every Go file of the module, without compiling,
// so a rule is checked even for files that another platform would build.
//
// Always true of a green run:
//   - every package of the module belongs to exactly one group, so that a new package is
//     an explicit decision and not an accident;
//   - every import of ours is one that its group allows;
//   - the pure groups (ground and rules) do no I/O, read no clock and carry no JSON or SQL
//     tags, which is what lets a decision be replayed from its inputs alone.
//
// Test files are free: a test may need the store to test a rule. The one exception is the
// border between the two PortOne dialects, which holds for tests as well.
//
// Who adds a package adds it to rules_test.go with the reason. Who needs an import that is
// refused asks first whether the code stands in the right room.
package arch
