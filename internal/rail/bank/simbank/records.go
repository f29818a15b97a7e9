package simbank

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"sync"
)

// Records is the memory of the simulated bank: documents by merchant, kind and
// key. Every change is durable when the call returns.
type Records interface {
	// Get returns the document, and false if there is none.
	Get(ctx context.Context, merchant, kind, key string) (doc []byte, ok bool, err error)
	// Add keeps a document under a key that has none and reports whether it did.
	// Of two that add the same key at once, one is told true.
	Add(ctx context.Context, merchant, kind, key string, doc []byte) (added bool, err error)
	// Put keeps a document in place of what was there.
	Put(ctx context.Context, merchant, kind, key string, doc []byte) error
	// List returns all documents of a kind by key.
	List(ctx context.Context, merchant, kind string) (map[string][]byte, error)
}

// The kinds of documents.
const (
	kindAccount = "bank.account" // on the shelf, by bank and number
	kindOrder   = "bank.order"   // by order key
	kindScript  = "bank.script"  // one, under keyOnly
	kindNotices = "bank.notices" // one, under keyOnly
	kindDeposit = "bank.deposit" // by bank transaction
)

const (
	// shelf stands in the place of the merchant for what must be unique over all
	// merchants. No merchant has this id.
	shelf = "*"
	// keyOnly is the key of a kind of which a merchant has one document.
	keyOnly = "-"
)

// load reads a document into v and reports whether there was one.
func load(ctx context.Context, r Records, merchant, kind, key string, v any) (bool, error) {
	doc, ok, err := r.Get(ctx, merchant, kind, key)
	if err != nil {
		return false, fmt.Errorf("read %s %s: %w", kind, key, err)
	}
	if !ok {
		return false, nil
	}
	if err := json.Unmarshal(doc, v); err != nil {
		return false, fmt.Errorf("read %s %s: %w", kind, key, err)
	}
	return true, nil
}

func save(ctx context.Context, r Records, merchant, kind, key string, v any) error {
	doc, err := json.Marshal(v)
	if err == nil {
		err = r.Put(ctx, merchant, kind, key, doc)
	}
	if err != nil {
		return fmt.Errorf("keep %s %s: %w", kind, key, err)
	}
	return nil
}

func add(ctx context.Context, r Records, merchant, kind, key string, v any) (bool, error) {
	doc, err := json.Marshal(v)
	if err != nil {
		return false, fmt.Errorf("keep %s %s: %w", kind, key, err)
	}
	added, err := r.Add(ctx, merchant, kind, key, doc)
	if err != nil {
		return false, fmt.Errorf("keep %s %s: %w", kind, key, err)
	}
	return added, nil
}

// Memory is Records without a disk, for tests.
type Memory struct {
	mu   sync.Mutex
	docs map[[2]string]map[string][]byte
}

// NewMemory returns an empty memory.
func NewMemory() *Memory { return &Memory{docs: map[[2]string]map[string][]byte{}} }

// Get returns a copy of the document.
func (m *Memory) Get(_ context.Context, merchant, kind, key string) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	doc, ok := m.docs[[2]string{merchant, kind}][key]
	return bytes.Clone(doc), ok, nil
}

// Add keeps the document unless there is one.
func (m *Memory) Add(_ context.Context, merchant, kind, key string, doc []byte) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.docs[[2]string{merchant, kind}][key]; ok {
		return false, nil
	}
	m.keep(merchant, kind, key, doc)
	return true, nil
}

// Put keeps the document.
func (m *Memory) Put(_ context.Context, merchant, kind, key string, doc []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keep(merchant, kind, key, doc)
	return nil
}

func (m *Memory) keep(merchant, kind, key string, doc []byte) {
	drawer := [2]string{merchant, kind}
	if m.docs[drawer] == nil {
		m.docs[drawer] = map[string][]byte{}
	}
	m.docs[drawer][key] = bytes.Clone(doc)
}

// List returns the documents; the caller must not change them.
func (m *Memory) List(_ context.Context, merchant, kind string) (map[string][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.docs[[2]string{merchant, kind}]), nil
}
