package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// answerLimit is how long one call may take before the measurement is given up.
const answerLimit = 30 * time.Second

// client is one shop server with one connection that it keeps. It is written on
// the bare connection, because a heavier client would take the cores from the
// server that is measured.
type client struct {
	conn  net.Conn
	in    *bufio.Reader
	out   []byte
	host  string
	sign  string // the body that asks for a token
	token string
	ends  time.Time // when the token does
	due   int64     // unix seconds
}

// dial connects to a server and signs in as a shop.
func dial(host, key, secret string) (*client, error) {
	conn, err := net.DialTimeout("tcp", host, answerLimit)
	if err != nil {
		return nil, err
	}
	c := &client{
		conn: conn, in: bufio.NewReaderSize(conn, 16<<10), host: host, due: time.Now().Add(48 * time.Hour).Unix(),
		sign: fmt.Sprintf(`{"imp_key":%q,"imp_secret":%q}`, key, secret),
	}
	return c, c.signIn()
}

// tokenLow is how long before its end a token is asked for again.
const tokenLow = 30 * time.Second

// signIn asks for a token.
func (c *client) signIn() error {
	var token struct {
		AccessToken string `json:"access_token"`
		ExpiredAt   int64  `json:"expired_at"`
	}
	err := c.send(http.MethodPost, "/users/getToken", c.sign, &token)
	c.token, c.ends = token.AccessToken, time.Unix(token.ExpiredAt, 0)
	return err
}

// close ends the connection.
func (c *client) close() error { return c.conn.Close() }

// call sends one request and decodes the envelope's response into v. A nil v
// looks at the envelope's code only.
func (c *client) call(method, path, body string, v any) error {
	if time.Until(c.ends) < tokenLow {
		if err := c.signIn(); err != nil {
			return err
		}
	}
	return c.send(method, path, body, v)
}

func (c *client) send(method, path, body string, v any) error {
	b := append(c.out[:0], method...)
	b = append(append(append(b, ' '), path...), " HTTP/1.1\r\nHost: "...)
	b = append(append(b, c.host...), "\r\nContent-Type: application/json\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(body)), 10)
	if c.token != "" {
		b = append(append(b, "\r\nAuthorization: "...), c.token...)
	}
	b = append(append(b, "\r\n\r\n"...), body...)
	c.out = b
	if err := c.conn.SetDeadline(time.Now().Add(answerLimit)); err != nil {
		return err
	}
	if _, err := c.conn.Write(b); err != nil {
		return err
	}
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	raw, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %d %.300s", method, path, res.StatusCode, raw)
	}
	if v == nil {
		return nil
	}
	return json.Unmarshal(raw, &struct {
		Response any `json:"response"`
	}{v})
}

func (c *client) account(_ context.Context, p *purchase) error {
	var made struct {
		ID     string `json:"imp_uid"`
		Bank   string `json:"vbank_code"`
		Number string `json:"vbank_num"`
	}
	err := c.call(http.MethodPost, "/vbanks", fmt.Sprintf(
		`{"merchant_uid":%q,"amount":%d,"vbank_code":%q,"vbank_due":%d,"escrow":true,"name":%q,"buyer_name":%q,"buyer_email":%q,"buyer_tel":%q}`,
		orderID(p.n), orderAmount, orderBank, c.due, orderName, orderBuyer, orderEmail, orderPhone), &made)
	if err == nil && (made.ID == "" || made.Number == "") {
		return errors.New("no account in the answer")
	}
	p.id, p.bank, p.number = made.ID, made.Bank, made.Number
	return err
}

func (c *client) deposit(_ context.Context, p *purchase) error {
	return c.call(http.MethodPost, "/sandbox/bank/deposits", fmt.Sprintf(`{"imp_uid":%q,"kind":"exact"}`, p.id), nil)
}

func (c *client) deliver(_ context.Context, p *purchase) error {
	return c.call(http.MethodPost, "/escrows/logis/"+p.id, fmt.Sprintf(
		`{"logis":{"company":%q,"invoice":%q,"sent_at":%d}}`, orderCarrier, trackingNumber(p.n), time.Now().Unix()), nil)
}

func (c *client) confirm(_ context.Context, p *purchase) error {
	return c.call(http.MethodPost, "/sandbox/payments/"+p.id+"/decision", `{"decision":"confirm"}`, nil)
}
