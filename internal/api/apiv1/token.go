package apiv1

import (
	"errors"
	"net/http"
	"strings"
)

// errTwoTokens refuses a request that names two tokens: which one counts would
// be a guess.
var errTwoTokens = errors.New("apiv1: more than one Authorization header")

// tokenOf returns the token of a request, or "" if there is none. Clients send it
// bare or as Bearer in Authorization, in X-ImpTokenHeader, or as _token in the
// query.
func tokenOf(r *http.Request) (string, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) > 1 {
		return "", errTwoTokens
	}
	if len(headers) == 1 {
		if token := bareToken(headers[0]); token != "" {
			return token, nil
		}
	}
	if token := bareToken(r.Header.Get("X-ImpTokenHeader")); token != "" {
		return token, nil
	}
	return r.URL.Query().Get("_token"), nil
}

func bareToken(header string) string {
	header = strings.TrimSpace(header)
	scheme, token, found := strings.Cut(header, " ")
	switch {
	case found && strings.EqualFold(scheme, "bearer"):
		return strings.TrimSpace(token)
	case strings.EqualFold(header, "bearer"): // The scheme without a token.
		return ""
	}
	return header
}
