package store

import "sync"

// bells tell who waits for a merchant's next event that one is committed here.
type bells struct {
	mu sync.Mutex
	of map[string]chan struct{}
}

// Bell returns a channel that is closed once this process has committed a further
// event of a merchant. Who asks for it before reading misses none of this process.
func (s *Store) Bell(merchant string) <-chan struct{} {
	s.bells.mu.Lock()
	defer s.bells.mu.Unlock()
	c := s.bells.of[merchant]
	if c == nil {
		if s.bells.of == nil {
			s.bells.of = map[string]chan struct{}{}
		}
		c = make(chan struct{})
		s.bells.of[merchant] = c
	}
	return c
}

// ring wakes who waits for the merchants of events.
func (b *bells) ring(events []loggedEvent) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range events {
		if c := b.of[e.Merchant]; c != nil {
			close(c)
			delete(b.of, e.Merchant)
		}
	}
}
