package settle

import (
	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/money"
)

// safeguards are the parts of settlement money that must be kept outside
// (Electronic Financial Transactions Act as amended by Act 21205: 60 per cent from
// 17 December 2026, 20 points more each year).
var safeguards = []struct {
	year    int // from 17 December of it
	percent int64
}{{2028, 100}, {2027, 80}, {2026, 60}}

// Safeguard is the part of held money that must be kept outside on a day, rounded
// up to the won.
func Safeguard(held money.Won, day bizday.Date) money.Won {
	year, month, n := day.YMD()
	if month < 12 || n < 17 {
		year--
	}
	for _, s := range safeguards {
		if year >= s.year {
			return (held/100)*money.Won(s.percent) + (held%100*money.Won(s.percent)+99)/100
		}
	}
	return 0
}
