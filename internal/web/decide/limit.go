package decide

import (
	"fmt"
	"sync"
	"time"
)

// limit allows so many takes in a window of time.
type limit struct {
	most   int
	window time.Duration
}

// kind tells limits of one key apart.
func (l limit) kind() string { return fmt.Sprintf("%d/%s", l.most, l.window) }

// limiter counts takes by key, in memory and per process. It keeps a bounded
// number of keys: when it is full, what has run out is forgotten, and if that
// frees nothing, everything. Forgetting allows; it never refuses.
type limiter struct {
	mu      sync.Mutex
	now     func() time.Time
	most    int
	windows map[string]window
}

// window is one key's count until its time is over.
type window struct {
	taken int
	ends  time.Time
}

func newLimiter(now func() time.Time, most int) *limiter {
	return &limiter{now: now, most: most, windows: map[string]window{}}
}

// take counts one take of the key and reports whether it is within the limit.
func (l *limiter) take(key string, of limit) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	win, ok := l.windows[key]
	if !ok || !now.Before(win.ends) {
		if !ok && len(l.windows) >= l.most {
			l.sweep(now)
		}
		win = window{ends: now.Add(of.window)}
	}
	win.taken++
	l.windows[key] = win
	return win.taken <= of.most
}

// forget gives a key its whole limit again.
func (l *limiter) forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.windows, key)
}

func (l *limiter) sweep(now time.Time) {
	for key, win := range l.windows {
		if !now.Before(win.ends) {
			delete(l.windows, key)
		}
	}
	if len(l.windows) >= l.most {
		clear(l.windows)
	}
}
