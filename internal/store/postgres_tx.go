package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holdfast-pay/holdfast/internal/fault"
)

// A transaction on PostgreSQL costs few journeys to the server, however many
// functions share it: the payments that they expect are read and locked in the
// first, statements whose outcome nobody waits for are kept and travel with the
// next question, and the last journey carries the rest together with the commit.
//
// A function that fails before its statements have left is taken back by
// forgetting them. One whose statements the server refuses, or have left
// already, ends the transaction: the group is run again without it, and it is
// run by itself.
//
// # A commit without an answer
//
// Every transaction that writes puts its number on its writer's own row of
// commit_mark, as the last thing before the commit. When the answer to a commit
// is lost, or the server says that it gave up waiting for the standby, a new
// connection locks that row, which waits for a transaction that has put its
// number there, reads the number, and closes the row for ever. A transaction
// that is still on its way, in the network or at the server, finds the row closed
// and fails. The closing is a commit of its own: only an answer to that proves
// that the earlier commit stands, on the standby too, because the log of the
// server has one order. The writer goes on with a new row.

// pgWriter is one of the connections that write. It belongs to one goroutine.
type pgWriter struct {
	e    *postgres
	name string // its row of commit_mark
	n    int64  // number of its last transaction
	conn *pgx.Conn
	// warning is what the server said since it was last cleared.
	warning string
}

// ownDial marks the context of a connection that the store itself makes. The
// driver makes others to cancel statements; they are refused, because a cancelled
// commit stops waiting for the standby and is done all the same.
type ownDial struct{}

var errNoCancel = errors.New("store: statements are not cancelled at the server")

// connect makes a connection that writes and says that this process lives.
// notice may be nil.
func (e *postgres) connect(ctx context.Context, notice func(*pgconn.Notice)) (*pgx.Conn, error) {
	c := e.config.Copy()
	dial := c.DialFunc
	c.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if ctx.Value(ownDial{}) == nil {
			return nil, errNoCancel
		}
		conn, err := dial(ctx, network, addr)
		return impatient{conn, e.options.Answer}, err
	}
	c.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		if notice != nil {
			notice(n)
		}
	}
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, ownDial{}, true), connectLimit)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("%w: connect to the database: %w", ErrUnavailable, err)
	}
	_, err = conn.Exec(ctx, sessionSettings+e.alive(), pgx.QueryExecModeSimpleProtocol)
	if err == nil {
		_, err = e.check(ctx, conn)
	}
	if err != nil {
		return nil, errors.Join(e.classify(err), conn.Close(ctx))
	}
	return conn, nil
}

// impatient is a connection on which every wait ends, also when the other side
// keeps it open and is silent: nobody waits without an end for a server that
// hangs, or for a standby that its commit waits for.
type impatient struct {
	net.Conn
	limit time.Duration
}

func (c impatient) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.limit)); err != nil { //nolint:forbidigo // a limit on a socket, not a business instant
		return 0, err
	}
	return c.Conn.Read(b)
}

func (c impatient) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.limit)); err != nil { //nolint:forbidigo // as above
		return 0, err
	}
	return c.Conn.Write(b)
}

func (w *pgWriter) noticed(n *pgconn.Notice) {
	if n.SeverityUnlocalized == "WARNING" {
		w.warning = n.Message
	}
}

func (w *pgWriter) begin() (writeTx, error) {
	if w.conn == nil || w.conn.IsClosed() {
		if err := w.reconnect(); err != nil {
			return nil, err
		}
	}
	t := &pgTx{w: w, function: noCulprit}
	t.queue = append(t.queue, statement{query: `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE`, function: noCulprit})
	return t, nil
}

// reconnect makes the connection and its row of commit_mark.
func (w *pgWriter) reconnect() (err error) {
	ctx := context.Background()
	if w.conn, err = w.e.connect(ctx, w.noticed); err != nil {
		return err
	}
	if _, err = w.conn.Exec(ctx, putMark, w.name, w.n); err != nil {
		w.drop()
	}
	return w.e.classify(err)
}

// goodbye bounds the farewell of a connection.
const goodbye = time.Second

func (w *pgWriter) drop() {
	if w.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	_ = w.conn.Close(ctx) // whatever it says, it is not used again
	w.conn = nil
}

// pgTx is a transaction of a group.
type pgTx struct {
	w        *pgWriter
	queue    []statement
	function int
	first    int   // where the present function's statements begin in the queue
	left     bool  // statements of the present function that write have left
	wrote    bool  // statements of any function that write have left
	journeys int   // how often the server was asked
	broken   *lost // why the transaction cannot go on
}

func (t *pgTx) enter(function int) { t.function, t.first, t.left = function, len(t.queue), false }
func (t *pgTx) blame(function int) { t.function = function }

func (t *pgTx) leave() error {
	t.function = noCulprit
	return t.state()
}

func (t *pgTx) undo() error {
	function := t.function
	t.function = noCulprit
	if t.broken != nil {
		return t.broken
	}
	if t.left {
		return &lost{culprit: function}
	}
	t.queue = t.queue[:t.first]
	return nil
}

// state is the error of a transaction that cannot go on, or nil. A plain nil
// pointer in an error would not be one.
func (t *pgTx) state() error {
	if t.broken != nil {
		return t.broken
	}
	return nil
}

func (t *pgTx) later(none error, query string, args ...any) error {
	t.queue = append(t.queue, statement{query: query, args: args, none: none, function: t.function})
	return t.state()
}

func (t *pgTx) add(query string, args ...any) error {
	t.queue = append(t.queue, statement{query: query, args: args, function: t.function, rows: 1})
	return t.state()
}

func (t *pgTx) hold(name string) error {
	return t.later(nil, `SELECT pg_advisory_xact_lock($1)`, lockNumber(name))
}

func (t *pgTx) share(name string) error {
	return t.later(nil, `SELECT pg_advisory_xact_lock_shared($1)`, lockNumber(name))
}

// lockNumber is the number by which the server knows the lock of a name.
func lockNumber(name string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash does not fail
	return int64(h.Sum64())
}

// send gives the server what is queued and further statements, and reads the
// answers to the former. The caller reads the others and closes the results.
func (t *pgTx) send(more ...statement) (pgx.BatchResults, error) {
	if t.broken != nil {
		return nil, t.broken
	}
	var b pgx.Batch
	t.queue = joined(t.queue)
	for _, st := range slices.Concat(t.queue, more) {
		b.Queue(st.query, st.args...)
		changes := !onlyReads(st.query)
		t.wrote = t.wrote || changes
		t.left = t.left || (changes && (st.function == t.function || st.rows > 1))
	}
	queued := t.queue
	t.queue, t.first = t.queue[:0:0], 0
	t.journeys++
	answers := t.w.conn.SendBatch(context.Background(), &b)
	for _, st := range queued {
		tag, err := answers.Exec()
		if err == nil && st.none != nil && tag.RowsAffected() == 0 {
			err = st.none
		}
		if err != nil {
			_ = answers.Close() // the cause is what is reported
			return nil, t.fail(err, st.function)
		}
	}
	return answers, nil
}

// fail marks the transaction as broken by a statement of a function.
func (t *pgTx) fail(err error, function int) error {
	if t.broken != nil {
		return t.broken
	}
	t.broken = &lost{cause: err, culprit: function}
	var pg *pgconn.PgError
	said := errors.As(err, &pg)
	switch {
	case function == manyFunctions:
		t.broken.apart, t.broken.culprit = true, noCulprit
	case said && slices.Contains([]string{codeSerialization, codeDeadlock, codeLockTimeout}, pg.Code):
		t.broken.again, t.broken.apart, t.broken.culprit = true, true, noCulprit
	case t.w.conn.IsClosed() || (said && pg.Code == codeReadOnly): // a new connection finds the server that takes writes
		t.w.drop()
		t.broken.again, t.broken.culprit = true, noCulprit
	}
	return t.broken
}

func (t *pgTx) exec(query string, args ...any) (int64, error) {
	answers, err := t.send(statement{query: query, args: args, function: t.function})
	if err != nil {
		return 0, err
	}
	tag, err := answers.Exec()
	if err := errors.Join(err, answers.Close()); err != nil {
		return 0, t.fail(err, t.function)
	}
	return tag.RowsAffected(), nil
}

func (t *pgTx) query(query string, args ...any) (rowSet, error) {
	answers, err := t.send(statement{query: query, args: args, function: t.function})
	if err != nil {
		return nil, err
	}
	rows, _ := answers.Query() // its error is that of the rows
	return pgRows{rows, func(err error) error {
		if err := errors.Join(err, answers.Close()); err != nil {
			return t.fail(err, t.function)
		}
		return nil
	}}, nil
}

func (t *pgTx) many(questions []question, scan func(int, rowSet) error) error {
	if len(questions) == 0 {
		return t.state()
	}
	more := make([]statement, len(questions))
	for i, q := range questions {
		more[i] = statement{query: q.query, args: q.args, function: t.function}
	}
	answers, err := t.send(more...)
	if err != nil {
		return err
	}
	for i := range questions {
		rows, _ := answers.Query() // its error is that of the rows
		for err == nil && rows.Next() {
			err = scan(i, pgRows{Rows: rows})
		}
		rows.Close()
		err = errors.Join(err, rows.Err())
	}
	if err := errors.Join(err, answers.Close()); err != nil {
		return t.fail(err, noCulprit)
	}
	return nil
}

func (t *pgTx) rollback() error {
	if t.w.conn == nil || t.journeys == 0 {
		return nil
	}
	if _, err := t.w.conn.Exec(context.Background(), `ROLLBACK`); err != nil {
		t.w.drop()
		return err
	}
	return nil
}

// commit sends what is left together with the commit. Statements that may turn
// out to touch nothing go before: once the commit is sent it cannot be held back.
func (t *pgTx) commit() error {
	t.function = noCulprit
	if t.broken == nil && t.journeys == 0 && len(t.queue) == 1 {
		return nil // nothing but the beginning is queued
	}
	if slices.ContainsFunc(t.queue, func(st statement) bool { return st.none != nil }) {
		answers, err := t.send()
		if err != nil {
			return err
		}
		if err := answers.Close(); err != nil {
			return t.fail(err, noCulprit)
		}
	}
	marked := t.wrote || slices.ContainsFunc(t.queue, func(st statement) bool { return !onlyReads(st.query) })
	if marked {
		t.w.n++
		t.queue = append(t.queue, statement{query: putMark, args: []any{t.w.name, t.w.n}, function: noCulprit})
	}
	return t.committed(t.sendCommit(), marked)
}

func (t *pgTx) sendCommit() error {
	t.w.warning = ""
	answers, err := t.send(statement{query: `COMMIT`, function: noCulprit})
	if err != nil {
		return err
	}
	tag, err := answers.Exec()
	if err = errors.Join(err, answers.Close()); err != nil {
		return t.fail(err, noCulprit)
	}
	if tag.String() != "COMMIT" {
		return t.fail(fmt.Errorf("store: the commit ended in %s", tag), noCulprit)
	}
	if t.w.warning != "" && !fault.Planted(fault.IgnoreStandby) {
		return t.fail(fmt.Errorf("store: the database warned during the commit: %s", t.w.warning), noCulprit)
	}
	return nil
}

// committed judges the answer to a commit. What the server refused, and what
// wrote nothing, did not happen; of the rest the server is asked.
func (t *pgTx) committed(err error, marked bool) error {
	var pg *pgconn.PgError
	if err == nil || !marked || (errors.As(err, &pg) && pg.SeverityUnlocalized == "ERROR") {
		return err
	}
	t.w.drop()
	if fault.Planted(fault.RepeatLostCommit) {
		return &lost{cause: err, again: true, culprit: noCulprit}
	}
	done, known := t.w.outcome()
	t.w.name = rand.Text() // the old row is closed, or the old transaction may still hold it
	switch {
	case !known:
		return &lost{cause: fmt.Errorf("%w (%w)", ErrUnknown, err), culprit: noCulprit}
	case done:
		return nil
	}
	return t.broken
}

const (
	// outcomeLimit bounds how long the outcome of a commit is asked for, unless the
	// options say otherwise.
	outcomeLimit = 20 * time.Second
	outcomePause = 200 * time.Millisecond
)

// outcome asks whether the last transaction was committed, and is where the
// acknowledged ones are. known is false when nobody could say.
func (w *pgWriter) outcome() (done, known bool) {
	ctx, cancel := context.WithTimeout(context.Background(), w.e.options.Patience)
	defer cancel()
	for {
		done, err := w.ask(ctx)
		if err == nil {
			return done, true
		}
		select {
		case <-ctx.Done():
			return false, false
		case <-time.After(outcomePause):
		}
	}
}

func (w *pgWriter) ask(ctx context.Context) (done bool, err error) {
	conn, err := w.e.connect(ctx, w.noticed)
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close(ctx) }() // the answer is here
	w.warning = ""                         // a server may warn everybody who connects
	var n int64
	err = conn.QueryRow(ctx, askMark, w.name).Scan(&n)
	if err == nil && w.warning != "" {
		err = errors.New(w.warning)
	}
	return n == -1-w.n, err
}

// Statements about commit_mark. askMark waits for a transaction that holds the
// row, closes it, and is a commit of its own; a closed row has the number n as
// -1-n. On a closed row putMark divides by zero, which ends its transaction. An
// update takes the time from the row that was to be inserted: a distributed table
// takes no function there.
const (
	putMark = `INSERT INTO commit_mark (writer, n) VALUES ($1, $2)
		ON CONFLICT (writer) DO UPDATE SET n = excluded.n / CASE WHEN commit_mark.n < 0 THEN 0 ELSE 1 END, at = excluded.at`
	askMark = `INSERT INTO commit_mark (writer, n) VALUES ($1, -1)
		ON CONFLICT (writer) DO UPDATE SET n = CASE WHEN commit_mark.n < 0 THEN commit_mark.n ELSE -1 - commit_mark.n END, at = excluded.at RETURNING n`
)
