package main

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// table is text in columns.
type table struct{ rows [][]string }

func newTable(title string, columns ...string) *table {
	return &table{rows: [][]string{append([]string{title}, columns...)}}
}

func (t *table) row(name string, cells ...string) {
	t.rows = append(t.rows, append([]string{name}, cells...))
}

// String aligns the first column left and the others right.
func (t *table) String() string {
	widths := map[int]int{}
	for _, r := range t.rows {
		for i, cell := range r {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, r := range t.rows {
		for i, cell := range r {
			gap := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				b.WriteString(cell + gap)
			} else {
				b.WriteString("  " + gap + cell)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000) }

// us is a share of a duration.
func us(d time.Duration, n int64) string {
	return fmt.Sprintf("%.0f us", float64(d.Microseconds())/float64(max(n, 1)))
}
