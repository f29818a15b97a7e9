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
	// Swap keeps the documents of will, by kind and key, if all of them still are
	// as in was: the same, or absent where was has none. It keeps all or none and
	// reports which; of two that change the same document at once, one is told true.
	Swap(ctx context.Context, merchant string, was, will map[[2]string][]byte) (kept bool, err error)
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
	return newDesk(ctx, r, merchant).load(kind, key, v)
}

// add keeps a document under a key that has none and reports whether it did.
func add(ctx context.Context, r Records, merchant, kind, key string, v any) (bool, error) {
	d := newDesk(ctx, r, merchant)
	if err := d.save(kind, key, v); err != nil {
		return false, err
	}
	return d.keep()
}

// maxTries is how often a call begins again because another process has changed
// what it had read. Each time that other one has got on.
const maxTries = 64

// change lets fn read and change documents of a merchant and keeps what it
// changed, all of it or nothing. It runs fn again, at most [maxTries] times, when
// a document that it changed was changed by another meanwhile.
func change(ctx context.Context, r Records, merchant string, fn func(*desk) error) error {
	for range maxTries {
		d := newDesk(ctx, r, merchant)
		if err := fn(d); err != nil {
			return err
		}
		if kept, err := d.keep(); err != nil || kept {
			return err
		}
	}
	return fmt.Errorf("the bank's records of %s were changed by others %d times in a row", merchant, maxTries)
}

// desk is where documents lie that one call reads and changes.
type desk struct {
	ctx       context.Context //nolint:containedctx // a desk lives for one call
	records   Records
	merchant  string
	was, will map[[2]string][]byte // what was read, nil for nothing, and what is to be kept
}

func newDesk(ctx context.Context, r Records, merchant string) *desk {
	return &desk{ctx, r, merchant, map[[2]string][]byte{}, map[[2]string][]byte{}}
}

// load reads a document into v and reports whether there is one.
func (d *desk) load(kind, key string, v any) (bool, error) {
	doc, ok, err := d.records.Get(d.ctx, d.merchant, kind, key)
	if err == nil && ok {
		d.was[[2]string{kind, key}] = doc
		err = json.Unmarshal(doc, v)
	}
	if err != nil {
		return false, fmt.Errorf("read %s %s: %w", kind, key, err)
	}
	return ok, nil
}

// save changes a document that was loaded, or adds one that was not there.
func (d *desk) save(kind, key string, v any) error {
	doc, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("keep %s %s: %w", kind, key, err)
	}
	d.will[[2]string{kind, key}] = doc
	return nil
}

// keep makes the changes durable, and reports false if another was quicker.
func (d *desk) keep() (bool, error) {
	maps.DeleteFunc(d.will, func(id [2]string, doc []byte) bool { return d.was[id] != nil && bytes.Equal(d.was[id], doc) })
	if len(d.will) == 0 {
		return true, nil
	}
	kept, err := d.records.Swap(d.ctx, d.merchant, d.was, d.will)
	if err != nil {
		return false, fmt.Errorf("keep records of %s: %w", d.merchant, err)
	}
	return kept, nil
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

// Add keeps the document unless there is one; the simulated carrier asks for it.
func (m *Memory) Add(_ context.Context, merchant, kind, key string, doc []byte) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.docs[[2]string{merchant, kind}][key]; ok {
		return false, nil
	}
	m.keep(merchant, kind, key, doc)
	return true, nil
}

// Put keeps the document, whatever was there; the simulated carrier asks for it.
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

// Swap keeps all documents of will or none.
func (m *Memory) Swap(_ context.Context, merchant string, was, will map[[2]string][]byte) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id := range will {
		if doc, ok := m.docs[[2]string{merchant, id[0]}][id[1]]; ok != (was[id] != nil) || !bytes.Equal(doc, was[id]) {
			return false, nil
		}
	}
	for id, doc := range will {
		m.keep(merchant, id[0], id[1], doc)
	}
	return true, nil
}

// List returns the documents; the caller must not change them.
func (m *Memory) List(_ context.Context, merchant, kind string) (map[string][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.docs[[2]string{merchant, kind}]), nil
}
