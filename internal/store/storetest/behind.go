package storetest

import (
	"database/sql"
	"testing"
)

// Exec runs a statement in an SQLite file behind the back of a store that may
// have it open. pgtest.Exec does the same on PostgreSQL.
func Exec(t testing.TB, file, statement string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)")
	if err == nil {
		_, err = db.ExecContext(t.Context(), statement, args...)
	}
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}
