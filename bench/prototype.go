package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The bare prototype is the least that can stand behind the four calls of a life:
// route, decode the JSON, write the recorded rows in a shared commit, encode an
// answer. It authorises nobody, decides nothing, and finds every row ready.

// bareServer answers from recorded rows.
type bareServer struct{ g *grouped }

// maxBareBody bounds a request, as the real server does.
const maxBareBody = 64 << 10

// serveBare runs the prototype on a data folder until the context ends.
func serveBare(ctx context.Context, dir, listen string) error {
	t, err := record(ctx, filepath.Join(dir, "recorded"))
	if err != nil {
		return err
	}
	w, err := openRows(ctx, dir, t)
	if err != nil {
		return err
	}
	s := &bareServer{group(context.WithoutCancel(ctx), w)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /users/getToken", s.token)
	mux.HandleFunc("POST /vbanks", s.account)
	mux.HandleFunc("POST /sandbox/bank/deposits", s.deposit)
	mux.HandleFunc("POST /escrows/logis/{id}", s.act(2))
	mux.HandleFunc("POST /sandbox/payments/{id}/decision", s.act(3))
	front := &http.Server{Addr: listen, Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { <-ctx.Done(); _ = front.Close() }()
	if err = front.ListenAndServe(); errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, s.g.close())
}

func (s *bareServer) token(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{"access_token": "bare", "expired_at": time.Now().Add(24 * time.Hour).Unix()}, nil)
}

func (s *bareServer) account(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		OrderID string `json:"merchant_uid"`
		Amount  int64  `json:"amount"`
		Bank    string `json:"vbank_code"`
		Due     int64  `json:"vbank_due"`
		Escrow  bool   `json:"escrow"`
		Name    string `json:"name"`
		Buyer   string `json:"buyer_name"`
		Email   string `json:"buyer_email"`
		Phone   string `json:"buyer_tel"`
	}
	n, err := decode(r, &asked, func() string { return asked.OrderID })
	if err == nil {
		err = s.g.write(r.Context(), item{0, n})
	}
	own := namesOf(n)
	answer(w, map[string]any{"imp_uid": own[0], "merchant_uid": own[2], "amount": asked.Amount, "vbank_code": asked.Bank, "vbank_num": own[1], "vbank_date": asked.Due}, err)
}

func (s *bareServer) deposit(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		ID   string `json:"imp_uid"`
		Kind string `json:"kind"`
	}
	n, err := decode(r, &asked, func() string { return asked.ID })
	if err == nil {
		err = s.g.write(r.Context(), item{1, n})
	}
	answer(w, map[string]any{"imp_uid": asked.ID, "status": "paid"}, err)
}

func (s *bareServer) act(step int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Logis struct {
				Company string `json:"company"`
				Invoice string `json:"invoice"`
				SentAt  int64  `json:"sent_at"`
			} `json:"logis"`
			Decision string `json:"decision"`
		}
		id := r.PathValue("id")
		n, err := decode(r, &asked, func() string { return id })
		if err == nil {
			err = s.g.write(r.Context(), item{step, n})
		}
		answer(w, map[string]any{"imp_uid": id, "company": asked.Logis.Company, "invoice": asked.Logis.Invoice}, err)
	}
}

// decode reads a body and the number of the life out of one of its names.
func decode(r *http.Request, into any, name func() string) (int64, error) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBareBody))
	if err != nil {
		return 0, err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimPrefix(strings.TrimPrefix(name(), "order-"), "imp_"), 10, 64)
}

func answer(w http.ResponseWriter, response any, err error) {
	if err != nil {
		http.Error(w, fmt.Sprint(err), http.StatusInternalServerError)
		return
	}
	raw, err := json.Marshal(map[string]any{"code": 0, "message": nil, "response": response})
	if err != nil {
		http.Error(w, fmt.Sprint(err), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(raw) // a client that is gone needs no answer
}
