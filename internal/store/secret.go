package store

import "time"

// APISecret is a secret by which a shop's server speaks as the shop; only its
// hash is kept.
type APISecret struct {
	Merchant, ID, Hash   string
	CreatedAt, RevokedAt time.Time
}

// secretDirectory is the kind under which the directory finds a secret by its hash.
const secretDirectory = "api_secret"

const secretColumns = `merchant, id, hash, created_at, revoked_at`

func scanSecret(rows rowSet) (s APISecret, err error) {
	var created int64
	var revoked *int64
	err = rows.Scan(&s.Merchant, &s.ID, &s.Hash, &created, &revoked)
	s.CreatedAt, s.RevokedAt = micros(created).time(), instant(revoked)
	return s, err
}

// InsertSecret records a secret and lets it be found by its hash alone; a hash that
// is taken is ErrExists.
func (t *Tx) InsertSecret(s APISecret) error {
	if err := t.put(`INSERT INTO api_secret (merchant, id, hash, created_at) VALUES ($1, $2, $3, $4)`, s.Merchant, s.ID, s.Hash, s.CreatedAt.UnixMicro()); err != nil {
		return err
	}
	return t.PutDirectory(secretDirectory, s.Hash, s.Merchant, s.ID)
}

// RevokeSecret ends a secret and its login.
func (t *Tx) RevokeSecret(merchant, id string, at time.Time) error {
	if err := t.change(`UPDATE api_secret SET revoked_at = $1 WHERE merchant = $2 AND id = $3 AND revoked_at IS NULL`, at.UnixMicro(), merchant, id); err != nil {
		return err
	}
	return t.put(`DELETE FROM api_login WHERE merchant = $1 AND secret = $2`, merchant, id)
}

// Secret returns a secret that has not been revoked.
func (q *queries) Secret(merchant, id string) (APISecret, error) {
	return one(q, scanSecret, `SELECT `+secretColumns+` FROM api_secret WHERE merchant = $1 AND id = $2 AND revoked_at IS NULL`, merchant, id)
}

// SecretByHash finds a secret that has not been revoked.
func (q *queries) SecretByHash(hash string) (APISecret, error) {
	ref, err := q.Lookup(secretDirectory, hash)
	if err != nil {
		return APISecret{}, err
	}
	return q.Secret(ref.Merchant, ref.ID)
}

// Secrets returns all secrets of a merchant.
func (q *queries) Secrets(merchant string) ([]APISecret, error) {
	return all(q, scanSecret, `SELECT `+secretColumns+` FROM api_secret WHERE merchant = $1 ORDER BY created_at, id`, merchant)
}

// Login is what a secret's refresh token is derived from. Serial rises with every
// login and refresh, so that only the newest token is good.
type Login struct {
	Merchant, Secret string
	Serial           int64
	ExpiresAt        time.Time
}

// Login returns the newest login of a secret, over or not. Until the end of the
// transaction nobody else asks for it.
func (t *Tx) Login(merchant, secret string) (Login, error) {
	if err := t.hold("login", merchant, secret); err != nil {
		return Login{}, err
	}
	return one(&t.queries, func(rows rowSet) (l Login, err error) {
		var expires int64
		err = rows.Scan(&l.Merchant, &l.Secret, &l.Serial, &expires)
		l.ExpiresAt = micros(expires).time()
		return l, err
	}, `SELECT merchant, secret, serial, expires_at FROM api_login WHERE merchant = $1 AND secret = $2`, merchant, secret)
}

// PutLogin records the newest login of a secret.
func (t *Tx) PutLogin(l Login) error {
	return t.put(`INSERT INTO api_login (merchant, secret, serial, expires_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (merchant, secret) DO UPDATE SET serial = excluded.serial, expires_at = excluded.expires_at`,
		l.Merchant, l.Secret, l.Serial, l.ExpiresAt.UnixMicro())
}
