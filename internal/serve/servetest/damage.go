package servetest

import (
	"path/filepath"

	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
	"github.com/holdfast-pay/holdfast/internal/store/storetest"
)

// Damage changes the database behind the server's back.
func (s *Server) Damage(statement string, args ...any) {
	s.T.Helper()
	if s.Database != "" {
		pgtest.Exec(s.T, s.Database, statement, args...)
		return
	}
	storetest.Exec(s.T, filepath.Join(s.data, "holdfast.db"), statement, args...)
}
