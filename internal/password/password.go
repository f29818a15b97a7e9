// Package password hashes the passwords of people who sign in, and compares them.
//
// What is stored is argon2id with 19 MiB of memory, two passes and one thread
// (OWASP's least). Every byte of a password counts. A hash costs memory and
// time, so at most [Parallel] run at once and the others wait; a guesser cannot
// make the server run out of memory.
package password

import (
	"context"
	"errors"
	"fmt"

	"github.com/alexedwards/argon2id"
)

const (
	// Least and Most bound a password, Least in characters and Most in bytes.
	Least = 10
	Most  = 1024
	// Parallel is how many hashes are computed at once.
	Parallel = 2
)

// Errors that callers tell apart.
var (
	// ErrTooShort and ErrTooLong refuse a password before it is hashed.
	ErrTooShort = fmt.Errorf("a password of at least %d characters is required", Least)
	ErrTooLong  = fmt.Errorf("a password has at most %d bytes", Most)
)

var params = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

var slots = make(chan struct{}, Parallel)

// Hash returns what is stored of a password.
func Hash(password string) (string, error) {
	switch {
	case len([]rune(password)) < Least:
		return "", ErrTooShort
	case len(password) > Most:
		return "", ErrTooLong
	}
	slots <- struct{}{}
	defer func() { <-slots }()
	return argon2id.CreateHash(password, params)
}

// Match reports whether a password belongs to a hash. An empty hash stands for
// a person who does not exist: the answer is no, after the same work. A password
// that is too long is nobody's and costs nothing. It waits for its turn no
// longer than the context lasts.
func Match(ctx context.Context, password, hash string) (bool, error) {
	if len(password) > Most {
		return false, nil
	}
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	defer func() { <-slots }()
	if hash == "" {
		_, err := argon2id.ComparePasswordAndHash(password, nobody)
		return false, err
	}
	ok, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, errors.Join(errors.New("the stored hash of a password cannot be read"), err)
	}
	return ok, nil
}

// nobody is the hash of a random password that was thrown away; it is compared
// when there is no person.
const nobody = "$argon2id$v=19$m=19456,t=2,p=1$q0KmwxhATS+GZ61BOYc5+g$8hkO7qjoKN/DYpQkOS+igGEkQnf4iG+x4z+uQWCidGA"
