// Package kill builds the program, gives it work over HTTP, and kills it at
// random moments, as a power cut or an operating system would. Afterwards nothing
// that was acknowledged may be missing, nothing may have been done twice, the
// books must balance, and every webhook must have arrived.
//
// go test ./test/kill -kills 1000 -crashes 100 kills more often than the usual run does.
package kill
