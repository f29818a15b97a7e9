package own_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/api/own"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// TestErrors: every error has its status and code, and a field in the API's spelling.
func TestErrors(t *testing.T) {
	edge := own.Edge{Name: "test", Log: slog.New(slog.DiscardHandler), Field: strings.ToUpper}
	rule := func(code escrow.Code) error {
		return fmt.Errorf("wrapped: %w", &escrow.Refusal{Code: code, Field: "amount", Reason: "no"})
	}
	for _, c := range []struct {
		err         error
		status      int
		code, field string
	}{
		{rule(escrow.Invalid), 400, "invalid", "AMOUNT"},
		{rule(escrow.ExceedsBalance), 400, "exceeds_balance", "AMOUNT"},
		{rule(escrow.Forbidden), 403, "forbidden", "AMOUNT"},
		{rule(escrow.NotFound), 404, "not_found", "AMOUNT"},
		{rule(escrow.WrongState), 409, "wrong_state", "AMOUNT"},
		{own.Refuse(418, "teapot", "pot", "no coffee"), 418, "teapot", "pot"},
		{fmt.Errorf("wrapped: %w", store.ErrUnavailable), 503, "unavailable", ""},
		{errors.New("secret words"), 500, "fault", ""},
	} {
		w := httptest.NewRecorder()
		edge.Handle(func(*http.Request) (own.Reply, error) { return own.Reply{}, c.err })(w, httptest.NewRequest(http.MethodGet, "/", nil))
		var out struct {
			Error struct{ Code, Field, Message string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != c.status || out.Error.Code != c.code || out.Error.Field != c.field {
			t.Errorf("%v: %d %s", c.err, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), "secret words") || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%v: %v %s", c.err, w.Header(), w.Body)
		}
		if again := w.Header().Get("Retry-After"); (again != "") != (c.status == 503) {
			t.Errorf("%v: Retry-After %q", c.err, again)
		}
	}
}

// TestBodies: an object or nothing, and nothing that is packed.
func TestBodies(t *testing.T) {
	edge := own.Edge{Name: "test", Log: slog.New(slog.DiscardHandler)}
	read := edge.Handle(func(r *http.Request) (own.Reply, error) {
		f, err := own.ReadBody(r)
		if err != nil {
			return own.Reply{}, err
		}
		f.Require("a", "b")
		return own.Reply{}, f.ErrStrict()
	})
	for _, c := range []struct {
		sent, coding, code string
		status, problems   int
	}{
		{"", "", "invalid", 400, 2},
		{`{"a":1}`, "", "invalid", 400, 0},
		{`{"a":1,"c":1}`, "", "invalid", 400, 2},
		{"a=1&b=2", "", "not_object", 400, 0},
		{"[]", "", "not_object", 400, 0},
		{"{", "", "malformed", 400, 0},
		{"{}", "gzip", "compressed", 415, 0},
		{strings.Repeat(" ", 2<<20), "", "too_large", 413, 0},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.sent))
		r.Header.Set("Content-Encoding", c.coding)
		w := httptest.NewRecorder()
		read(w, r)
		var out struct {
			Error struct {
				Code     string
				Problems []struct{ Field string }
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != c.status || out.Error.Code != c.code || len(out.Error.Problems) != c.problems {
			t.Errorf("%.20q: %d %s", c.sent, w.Code, w.Body)
		}
	}
}
