package store

import (
	"slices"
	"strings"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/recon"
)

// HeldDay is by how much the money held for a merchant's buyers changed on a
// Korean day.
type HeldDay struct {
	Merchant string
	Day      bizday.Date
	Change   int64
}

// HeldChanges are the changes of the held money up to a day, by merchant and day;
// an empty merchant means all. They come from the transfers: those that were added
// up when they were verified, and the ones since. The reader must be a Snapshot.
func (q *queries) HeldChanges(merchant string, last bizday.Date) ([]HeldDay, error) {
	merchants := []string{merchant}
	if merchant == "" {
		var err error
		if merchants, err = q.bookkept(); err != nil {
			return nil, err
		}
	}
	var out []HeldDay
	for _, m := range merchants {
		days, err := q.heldOf(m)
		if err != nil {
			return nil, err
		}
		for day, change := range days {
			d, err := parseDate(day)
			if err != nil {
				return nil, err
			}
			if !d.After(last) {
				out = append(out, HeldDay{m, d, change})
			}
		}
	}
	slices.SortFunc(out, func(a, b HeldDay) int {
		if a.Merchant != b.Merchant {
			return strings.Compare(a.Merchant, b.Merchant)
		}
		return strings.Compare(a.Day.String(), b.Day.String())
	})
	return out, nil
}

// bookkept are the merchants that have a log.
func (q *queries) bookkept() (out []string, err error) {
	for after := ""; ; {
		page, err := all(q, scalar[string], `SELECT merchant FROM event_log WHERE merchant > $1 ORDER BY merchant LIMIT $2`, after, auditPage)
		if err != nil || len(page) == 0 {
			return out, err
		}
		out, after = append(out, page...), page[len(page)-1]
	}
}

func (q *queries) heldOf(merchant string) (map[string]int64, error) {
	kept, err := q.keptDays(merchant)
	if err != nil {
		return nil, err
	}
	days := kept.kept
	for after := kept.upTo; ; {
		rows, err := all(q, scanChainedTransfer, chainedTransfers, merchant, after, auditPage)
		if err != nil || len(rows) == 0 {
			return days, err
		}
		for i := range rows {
			addHeld(days, &rows[i].Transfer)
			after = rows[i].Position
		}
	}
}

func addHeld(days map[string]int64, x *recon.Transfer) {
	if day, change := heldBy(x); change != 0 {
		days[day] += change
	}
}
