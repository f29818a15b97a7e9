package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestParting: a call on a connection that was idle when the server was told to
// stop is answered, and is the last one of its connection.
func TestParting(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	server := httptest.NewServer(parting(ctx, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	defer server.Close()
	for _, told := range []bool{false, false, true, true} {
		if told {
			stop()
		}
		res, err := server.Client().Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil || res.Close != told {
			t.Errorf("told to stop %t: the connection closes %t, %v", told, res.Close, err)
		}
	}
}
