package password

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestEveryByteCounts(t *testing.T) {
	long := strings.Repeat("한글비밀번호", 12) // 216 bytes, beyond what bcrypt reads
	for _, pw := range []string{"correct horse", long, "with\x00nul byte"} {
		hash, err := Hash(pw)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
			t.Errorf("the hash is %s", hash)
		}
		for other, want := range map[string]bool{pw: true, pw + "x": false, pw[:len(pw)-1]: false, "": false} {
			if got, err := Match(t.Context(), other, hash); got != want || err != nil {
				t.Errorf("%.20q against the hash of %.20q: %t, %v", other, pw, got, err)
			}
		}
	}
}

func TestBounds(t *testing.T) {
	for pw, want := range map[string]error{"": ErrTooShort, "123456789": ErrTooShort, "비밀번호비밀번호비밀": nil, strings.Repeat("x", Most+1): ErrTooLong} {
		if _, err := Hash(pw); !errors.Is(err, want) {
			t.Errorf("%.20q: %v, want %v", pw, err, want)
		}
	}
	if ok, err := Match(t.Context(), strings.Repeat("x", 1<<20), "not even looked at"); ok || err != nil {
		t.Errorf("a megabyte of password: %t, %v", ok, err)
	}
}

func TestNobody(t *testing.T) {
	if ok, err := Match(t.Context(), "", ""); ok || err != nil {
		t.Errorf("a person who does not exist signs in: %t, %v", ok, err)
	}
	if _, err := Match(t.Context(), "anything", "$argon2id$broken"); err == nil {
		t.Error("a broken hash is not reported")
	}
}

func TestWaitingEnds(t *testing.T) {
	for range Parallel {
		slots <- struct{}{}
	}
	defer func() {
		for range Parallel {
			<-slots
		}
	}()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Match(ctx, "anything", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("a full house answers %v", err)
	}
}
