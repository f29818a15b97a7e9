package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	_ "modernc.org/sqlite" // the driver of the store

	"github.com/holdfast-pay/holdfast/internal/clock"
)

// A template is what one life leaves in the database, step by step, as rows: the
// letters that follow from a step and what their arrival changes belong to it.
type template struct {
	steps    [4][]change
	merchant string // whose life it was
}

// rows counts the rows that a life inserts and changes.
func (t *template) rows() (inserted, changed int) {
	for _, s := range t.steps {
		for _, c := range s {
			if c.isInsert {
				inserted++
			} else {
				changed++
			}
		}
	}
	return inserted, changed
}

// change is one row that a step writes.
type change struct {
	table    string
	isInsert bool
	columns  []string // written
	cells    []cell   // of columns, then of the key of a changed row
	keys     []string // columns of the key of a changed row
	query    string
}

// cell is a value with the places in which each life has its own.
type cell struct {
	fixed    any
	parts    []string // texts around the names; len(names)+1 of them
	names    []int    // indices into the names of a life
	position bool     // the next position of the log or the ledger
}

// names are the texts that differ from life to life: payment, account, order,
// parcel, decision link.
type names [5]string

// namesOf are those of life n in a replay.
func namesOf(n int64) names {
	return names{fmt.Sprintf("imp_%012d", n), fmt.Sprintf("9%013d", n), orderID(n), trackingNumber(n), fmt.Sprintf("%064d", n)}
}

// values are those of a life, in the order of the statement's parameters.
func (c *change) values(own *names, position func() int64) []any {
	args := make([]any, len(c.cells))
	for i := range c.cells {
		args[i] = c.cells[i].value(own, position)
	}
	return args
}

// value is what a life writes into the cell.
func (c *cell) value(own *names, position func() int64) any {
	switch {
	case c.position:
		return position()
	case c.names == nil:
		return c.fixed
	}
	var b strings.Builder
	for i, name := range c.names {
		b.WriteString(c.parts[i])
		b.WriteString(own[name])
	}
	b.WriteString(c.parts[len(c.names)])
	return b.String()
}

// record lives one life in a house of its own and keeps what each step wrote.
func record(ctx context.Context, dir string) (*template, error) {
	h, err := openHouse(ctx, dir, clock.Real{})
	if err != nil {
		return nil, err
	}
	defer func() { _ = h.Close() }()
	db, err := openReader(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	p := &purchase{n: purchases.Add(1)}
	before, err := lookAt(ctx, db)
	if err != nil {
		return nil, err
	}
	t := &template{merchant: h.merchant}
	var seen [4]image
	for i := range stepNames {
		if err := step(ctx, h, i, p); err != nil {
			return nil, err
		}
		if err := h.Loops.Drain(ctx, h.merchant); err != nil {
			return nil, err
		}
		if seen[i], err = lookAt(ctx, db); err != nil {
			return nil, err
		}
	}
	own := names{p.id, p.number, orderID(p.n), trackingNumber(p.n), seen[3].link()}
	for i, after := range seen {
		t.steps[i] = differences(before, after, own)
		before = after
	}
	return t, nil
}

// openReader opens the database of a folder for looking at it.
func openReader(dir string) (*sql.DB, error) {
	return sql.Open("sqlite", "file:"+(&url.URL{Path: filepath.Join(dir, "holdfast.db")}).EscapedPath()+"?mode=ro&_pragma=busy_timeout(5000)")
}

// image is every row of every table, by table and key.
type image map[string]*tableImage

type tableImage struct {
	columns []string
	keys    []int // indices of the key's columns
	rows    map[string][]any
	order   []string
}

// link is the key by which the decision link is found.
func (im image) link() string {
	for _, row := range im["directory"].rows {
		if row[0] == "decide" {
			if key, ok := row[1].(string); ok {
				return key
			}
		}
	}
	return ""
}

// lookAt leaves out the ends of the logs and what the auditor keeps, which belong
// to no life.
func lookAt(ctx context.Context, db *sql.DB) (image, error) {
	tables, err := texts(ctx, db, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('event_log', 'books_head', 'books_state', 'books_violation', 'held_day') AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%'`)
	if err != nil {
		return nil, err
	}
	im := image{}
	for _, table := range tables {
		if im[table], err = lookAtTable(ctx, db, table); err != nil {
			return nil, err
		}
	}
	return im, nil
}

func texts(ctx context.Context, db *sql.DB, query string, args ...any) (out []string, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

func lookAtTable(ctx context.Context, db *sql.DB, table string) (*tableImage, error) {
	key, err := texts(ctx, db, `SELECT name FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk`, table)
	if err != nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, `SELECT * FROM `+table)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	t := &tableImage{rows: map[string][]any{}}
	if t.columns, err = rows.Columns(); err != nil {
		return nil, err
	}
	for _, k := range key {
		t.keys = append(t.keys, slices.Index(t.columns, k))
	}
	for rows.Next() {
		row := make([]any, len(t.columns))
		at := make([]any, len(row))
		for i := range row {
			at[i] = &row[i]
		}
		if err := rows.Scan(at...); err != nil {
			return nil, err
		}
		k := fmt.Sprint(t.key(row)...)
		t.rows[k] = row
		t.order = append(t.order, k)
	}
	return t, rows.Err()
}

func (t *tableImage) key(row []any) []any {
	out := make([]any, len(t.keys))
	for i, k := range t.keys {
		out[i] = row[k]
	}
	return out
}

// differences are the rows that are in after and not, or otherwise, in before.
func differences(before, after image, own names) (out []change) {
	for _, table := range slices.Sorted(mapKeys(after)) {
		t := after[table]
		for _, k := range t.order {
			row, was := t.rows[k], before[table].rows[k]
			switch {
			case was == nil:
				out = append(out, insertion(table, t.columns, row, own))
			case !reflect.DeepEqual(was, row):
				out = append(out, update(table, t, was, row, own))
			}
		}
	}
	return out
}

func mapKeys(im image) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range im {
			if !yield(k) {
				return
			}
		}
	}
}

func insertion(table string, columns []string, row []any, own names) change {
	c := change{table: table, isInsert: true, columns: columns}
	marks := make([]string, len(columns))
	for i, column := range columns {
		c.cells = append(c.cells, split(table, column, row[i], own))
		marks[i] = "?"
	}
	c.query = fmt.Sprintf(`INSERT INTO %s (%s) VALUES (%s)`, table, strings.Join(columns, ", "), strings.Join(marks, ", "))
	return c
}

func update(table string, t *tableImage, was, row []any, own names) change {
	c := change{table: table}
	var sets, wheres []string
	for i, column := range t.columns {
		if !reflect.DeepEqual(was[i], row[i]) {
			c.columns = append(c.columns, column)
			c.cells = append(c.cells, split(table, column, row[i], own))
			sets = append(sets, column+" = ?")
		}
	}
	for _, k := range t.keys {
		c.cells = append(c.cells, split(table, t.columns[k], row[k], own))
		wheres = append(wheres, t.columns[k]+" = ?")
		c.keys = append(c.keys, t.columns[k])
	}
	c.query = fmt.Sprintf(`UPDATE %s SET %s WHERE %s`, table, strings.Join(sets, ", "), strings.Join(wheres, " AND "))
	return c
}

// split cuts a text at the names of the recorded life.
func split(table, column string, v any, own names) cell {
	if (table == "event" || table == "transfer") && column == "position" {
		return cell{position: true}
	}
	text, isText := v.(string)
	c := cell{fixed: v}
	for rest := text; isText; {
		at, which := -1, 0
		for i, name := range own {
			if found := strings.Index(rest, name); name != "" && found >= 0 && (at < 0 || found < at) {
				at, which = found, i
			}
		}
		if at < 0 {
			c.parts = append(c.parts, rest)
			break
		}
		c.parts, c.names = append(c.parts, rest[:at]), append(c.names, which)
		rest = rest[at+len(own[which]):]
	}
	return c
}
