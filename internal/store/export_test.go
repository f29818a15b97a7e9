package store

// Spread makes a store claim work merchant by merchant, as it does where the rows
// of merchants lie on several servers.
func Spread(s *Store) {
	if e, ok := s.engine.(*postgres); ok {
		e.citus = true
	}
}
