package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/holdfast-pay/holdfast/internal/merchant"
)

// PutDirectory remembers to whom a key belongs; a key that is taken is ErrExists.
func (t *Tx) PutDirectory(kind, key, merchant, ref string) error {
	return t.put(`INSERT INTO directory (kind, key, merchant, ref) VALUES ($1, $2, $3, $4)`, kind, key, merchant, ref)
}

// DropDirectory forgets a key; one that is not there is no error.
func (t *Tx) DropDirectory(kind, key string) error {
	return t.put(`DELETE FROM directory WHERE kind = $1 AND key = $2`, kind, key)
}

// Lookup finds whom a key belongs to, or ErrNotFound.
func (q *queries) Lookup(kind, key string) (Ref, error) {
	return one(q, scanRef, `SELECT merchant, ref FROM directory WHERE kind = $1 AND key = $2`, kind, key)
}

const merchantColumns = `id, version, ahead, created_at, doc`

func scanMerchant(rows rowSet) (m merchant.Merchant, err error) {
	var id, doc string
	var version, ahead, created int64
	if err = rows.Scan(&id, &version, &ahead, &created, &doc); err != nil {
		return m, err
	}
	if err = json.Unmarshal([]byte(doc), &m); err != nil {
		return m, fmt.Errorf("store: merchant %s cannot be read: %w", id, err)
	}
	m.ID, m.Version, m.Ahead, m.CreatedAt = id, version, time.Duration(ahead)*time.Microsecond, micros(created).time()
	return m, nil
}

// Merchant returns a merchant, or ErrNotFound.
func (q *queries) Merchant(id string) (merchant.Merchant, error) {
	return one(q, scanMerchant, `SELECT `+merchantColumns+` FROM merchant WHERE id = $1`+q.lock, id)
}

// Merchants returns merchants in the order of their making.
func (q *queries) Merchants(offset, limit int) ([]merchant.Merchant, error) {
	return all(q, scanMerchant, `SELECT `+merchantColumns+` FROM merchant ORDER BY created_at, id LIMIT $1 OFFSET $2`, limit, offset)
}

// AheadMerchants returns the ids of merchants whose test clock has been moved.
func (q *queries) AheadMerchants() ([]string, error) {
	return all(q, scalar[string], `SELECT id FROM merchant WHERE ahead > 0 ORDER BY id`)
}

// InsertMerchant records a new merchant.
func (t *Tx) InsertMerchant(m *merchant.Merchant) error {
	doc, err := json.Marshal(m)
	if err != nil {
		return err
	}
	m.Version = 1
	t.settingsChanged(m.ID)
	return t.put(`INSERT INTO merchant (id, mode, name, ahead, version, created_at, doc) VALUES ($1, $2, $3, $4, 1, $5, $6)`,
		m.ID, string(m.Mode), m.Name, m.Ahead.Microseconds(), m.CreatedAt.UnixMicro(), string(doc))
}

// UpdateMerchant replaces a merchant that has not changed since it was read.
func (t *Tx) UpdateMerchant(m *merchant.Merchant) error {
	doc, err := json.Marshal(m)
	if err != nil {
		return err
	}
	m.Version++
	t.settingsChanged(m.ID)
	return t.later(ErrStale, `UPDATE merchant SET name = $1, ahead = $2, doc = $3, version = $4 WHERE id = $5 AND version = $6`,
		m.Name, m.Ahead.Microseconds(), string(doc), m.Version, m.ID, m.Version-1)
}

// APIKey is a merchant's key pair; only a hash of the secret is kept.
type APIKey struct {
	Merchant, ID, SecretHash string
	CreatedAt, RevokedAt     time.Time
}

func scanKey(rows rowSet) (k APIKey, err error) {
	var created int64
	var revoked *int64
	err = rows.Scan(&k.Merchant, &k.ID, &k.SecretHash, &created, &revoked)
	k.CreatedAt, k.RevokedAt = micros(created).time(), instant(revoked)
	return k, err
}

// InsertKey records a key and lets it be found by its id alone.
func (t *Tx) InsertKey(k APIKey) error {
	if err := t.put(`INSERT INTO api_key (merchant, id, secret_hash, created_at) VALUES ($1, $2, $3, $4)`, k.Merchant, k.ID, k.SecretHash, k.CreatedAt.UnixMicro()); err != nil {
		return err
	}
	return t.PutDirectory("imp_key", k.ID, k.Merchant, k.ID)
}

// RevokeKey ends a key and its tokens.
func (t *Tx) RevokeKey(merchant, id string, at time.Time) error {
	if err := t.change(`UPDATE api_key SET revoked_at = $1 WHERE merchant = $2 AND id = $3 AND revoked_at IS NULL`, at.UnixMicro(), merchant, id); err != nil {
		return err
	}
	return t.put(`DELETE FROM access_token WHERE merchant = $1 AND key_id = $2`, merchant, id)
}

// Key returns a key that has not been revoked.
func (q *queries) Key(merchant, id string) (APIKey, error) {
	return one(q, scanKey, `SELECT merchant, id, secret_hash, created_at, revoked_at FROM api_key WHERE merchant = $1 AND id = $2 AND revoked_at IS NULL`, merchant, id)
}

// Keys returns all keys of a merchant.
func (q *queries) Keys(merchant string) ([]APIKey, error) {
	return all(q, scanKey, `SELECT merchant, id, secret_hash, created_at, revoked_at FROM api_key WHERE merchant = $1 ORDER BY created_at, id`, merchant)
}

// Token is the one live access token of a key. The token itself is derived
// from these facts and never stored.
type Token struct {
	Merchant, KeyID     string
	IssuedAt, ExpiresAt time.Time
}

// Token returns the newest token of a key, live or not.
func (q *queries) Token(merchant, keyID string) (Token, error) {
	return one(q, func(rows rowSet) (k Token, err error) {
		var issued, expires int64
		err = rows.Scan(&k.Merchant, &k.KeyID, &issued, &expires)
		k.IssuedAt, k.ExpiresAt = micros(issued).time(), micros(expires).time()
		return k, err
	}, `SELECT merchant, key_id, issued_at, expires_at FROM access_token WHERE merchant = $1 AND key_id = $2`, merchant, keyID)
}

// Token is the same in a transaction: until its end nobody else issues one for the key.
func (t *Tx) Token(merchant, keyID string) (Token, error) {
	if err := t.hold("token", merchant, keyID); err != nil {
		return Token{}, err
	}
	return t.queries.Token(merchant, keyID)
}

// PutToken records the live token of a key.
func (t *Tx) PutToken(k Token) error {
	return t.put(`INSERT INTO access_token (merchant, key_id, issued_at, expires_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (merchant, key_id) DO UPDATE SET issued_at = excluded.issued_at, expires_at = excluded.expires_at`,
		k.Merchant, k.KeyID, k.IssuedAt.UnixMicro(), k.ExpiresAt.UnixMicro())
}

// Staff is a person who signs in to a merchant's console.
type Staff struct {
	Merchant, ID, Email, PasswordHash string
	CreatedAt                         time.Time
}

// InsertStaff records a person; an address that is taken is ErrExists.
func (t *Tx) InsertStaff(s Staff) error {
	if err := t.put(`INSERT INTO staff (merchant, id, email, password_hash, created_at) VALUES ($1, $2, $3, $4, $5)`,
		s.Merchant, s.ID, s.Email, s.PasswordHash, s.CreatedAt.UnixMicro()); err != nil {
		return err
	}
	return t.PutDirectory("staff", s.Email, s.Merchant, s.ID)
}

// Staff returns a person of a merchant.
func (q *queries) Staff(merchant, id string) (Staff, error) {
	return one(q, func(rows rowSet) (s Staff, err error) {
		var created int64
		err = rows.Scan(&s.Merchant, &s.ID, &s.Email, &s.PasswordHash, &created)
		s.CreatedAt = micros(created).time()
		return s, err
	}, `SELECT merchant, id, email, password_hash, created_at FROM staff WHERE merchant = $1 AND id = $2`, merchant, id)
}

// Session returns the data of a sign-in that has not expired.
func (q *queries) Session(token string, now time.Time) ([]byte, error) {
	return one(q, scalar[[]byte], `SELECT data FROM session WHERE token = $1 AND expiry > $2`, token, now.UnixMicro())
}

// PutSession records the data of a sign-in.
func (t *Tx) PutSession(token string, data []byte, expiry time.Time) error {
	return t.put(`INSERT INTO session (token, data, expiry) VALUES ($1, $2, $3) ON CONFLICT (token) DO UPDATE SET data = excluded.data, expiry = excluded.expiry`, token, data, expiry.UnixMicro())
}

// DropSession ends a sign-in.
func (t *Tx) DropSession(token string) error {
	return t.put(`DELETE FROM session WHERE token = $1`, token)
}

// DropExpiredSessions forgets sign-ins that have ended.
func (t *Tx) DropExpiredSessions(now time.Time) error {
	return t.put(`DELETE FROM session WHERE expiry <= $1`, now.UnixMicro())
}

// Prepared is an amount that a shop registered before the window opens.
type Prepared struct {
	Merchant, OrderID string
	Amount            int64
	Currency          string
}

// Prepared returns the registration of an order.
func (q *queries) Prepared(merchant, orderID string) (Prepared, error) {
	return one(q, func(rows rowSet) (p Prepared, err error) {
		err = rows.Scan(&p.Merchant, &p.OrderID, &p.Amount, &p.Currency)
		return p, err
	}, `SELECT merchant, order_id, amount, currency FROM prepared WHERE merchant = $1 AND order_id = $2`, merchant, orderID)
}

// InsertPrepared registers an order once.
func (t *Tx) InsertPrepared(p Prepared, at time.Time) error {
	return t.put(`INSERT INTO prepared (merchant, order_id, amount, currency, at) VALUES ($1, $2, $3, $4, $5)`, p.Merchant, p.OrderID, p.Amount, p.Currency, at.UnixMicro())
}

// PutPrepared registers an order in the place of what was registered before.
func (t *Tx) PutPrepared(p Prepared, at time.Time) error {
	return t.put(`INSERT INTO prepared (merchant, order_id, amount, currency, at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (merchant, order_id) DO UPDATE SET amount = excluded.amount, currency = excluded.currency, at = excluded.at`,
		p.Merchant, p.OrderID, p.Amount, p.Currency, at.UnixMicro())
}

// UpdatePrepared changes a registration.
func (t *Tx) UpdatePrepared(p Prepared, at time.Time) error {
	return t.later(ErrNotFound, `UPDATE prepared SET amount = $1, currency = $2, at = $3 WHERE merchant = $4 AND order_id = $5`, p.Amount, p.Currency, at.UnixMicro(), p.Merchant, p.OrderID)
}

// CashReceipt returns the document of a cash receipt. kind is payment or external.
func (q *queries) CashReceipt(merchant, kind, ref string) (string, error) {
	return one(q, scalar[string], `SELECT doc FROM cash_receipt WHERE merchant = $1 AND kind = $2 AND ref = $3`, merchant, kind, ref)
}

// CashReceipt is the same in a transaction: until its end nobody else asks for it.
func (t *Tx) CashReceipt(merchant, kind, ref string) (string, error) {
	if err := t.hold("receipt", merchant, kind, ref); err != nil {
		return "", err
	}
	return t.queries.CashReceipt(merchant, kind, ref)
}

// PutCashReceipt records a cash receipt.
func (t *Tx) PutCashReceipt(merchant, kind, ref, doc string) error {
	return t.put(`INSERT INTO cash_receipt (merchant, kind, ref, doc) VALUES ($1, $2, $3, $4) ON CONFLICT (merchant, kind, ref) DO UPDATE SET doc = excluded.doc`, merchant, kind, ref, doc)
}

// AuditRow is one act of a person on settings or of an operator on money.
type AuditRow struct {
	Merchant, ID                   string
	At                             time.Time
	Actor, Action, Subject, Detail string
}

// InsertAudit appends to the audit log, which is never changed.
func (t *Tx) InsertAudit(a AuditRow) error {
	return t.put(`INSERT INTO audit (merchant, id, at, actor, action, subject, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)`, a.Merchant, a.ID, a.At.UnixMicro(), a.Actor, a.Action, a.Subject, a.Detail)
}

// Audit returns the newest rows of a merchant's log; an empty merchant names
// what concerns all.
func (q *queries) Audit(merchant string, offset, limit int) ([]AuditRow, error) {
	return all(q, func(rows rowSet) (a AuditRow, err error) {
		var at int64
		err = rows.Scan(&a.Merchant, &a.ID, &at, &a.Actor, &a.Action, &a.Subject, &a.Detail)
		a.At = micros(at).time()
		return a, err
	}, `SELECT merchant, id, at, actor, action, subject, detail FROM audit WHERE merchant = $1 ORDER BY id DESC LIMIT $2 OFFSET $3`, merchant, limit, offset)
}

// SandboxRecord returns a record of the simulated parties.
func (q *queries) SandboxRecord(merchant, kind, key string) (string, error) {
	return one(q, scalar[string], `SELECT doc FROM sandbox_record WHERE merchant = $1 AND kind = $2 AND key = $3`, merchant, kind, key)
}

// SandboxRecords returns all records of one kind, by key.
func (q *queries) SandboxRecords(merchant, kind string) (map[string]string, error) {
	type row struct{ key, doc string }
	rows, err := all(q, func(rows rowSet) (r row, err error) {
		err = rows.Scan(&r.key, &r.doc)
		return r, err
	}, `SELECT key, doc FROM sandbox_record WHERE merchant = $1 AND kind = $2 ORDER BY key`, merchant, kind)
	out := map[string]string{}
	for _, r := range rows {
		out[r.key] = r.doc
	}
	return out, err
}

// AddSandboxRecord records something new; a key that is taken is ErrExists.
func (t *Tx) AddSandboxRecord(merchant, kind, key, doc string) error {
	return t.put(`INSERT INTO sandbox_record (merchant, kind, key, doc) VALUES ($1, $2, $3, $4)`, merchant, kind, key, doc)
}

// ChangeSandboxRecord puts doc in the place of was; if something else stands
// there, or nothing, it is ErrStale.
func (t *Tx) ChangeSandboxRecord(merchant, kind, key, was, doc string) error {
	return t.later(ErrStale, `UPDATE sandbox_record SET doc = $1 WHERE merchant = $2 AND kind = $3 AND key = $4 AND doc = $5`, doc, merchant, kind, key, was)
}

// PutSandboxRecord records something for the simulated parties.
func (t *Tx) PutSandboxRecord(merchant, kind, key, doc string) error {
	return t.put(`INSERT INTO sandbox_record (merchant, kind, key, doc) VALUES ($1, $2, $3, $4) ON CONFLICT (merchant, kind, key) DO UPDATE SET doc = excluded.doc`, merchant, kind, key, doc)
}
