package wirev2

import "time"

// PaymentIDMax is the most characters of a paymentId.
const PaymentIDMax = 64

// CurrencyKRW is the only currency.
const CurrencyKRW = "KRW"

// Versions say through which dialect a payment was begun. It can be read and changed
// through both.
const (
	VersionV1 = "V1"
	VersionV2 = "V2"
)

// Items is a list.
type Items[T any] struct {
	Items []T `json:"items"`
}

// PageInfo says which page of how many items is shown. Pages count from 0.
type PageInfo struct {
	Number     int64 `json:"number"`
	Size       int64 `json:"size"`
	TotalCount int64 `json:"totalCount"`
}

// Page is a page of a list.
type Page[T any] struct {
	Items []T      `json:"items"`
	Page  PageInfo `json:"page"`
}

// Tokens are what an API secret or a refresh token is exchanged for.
type Tokens struct {
	AccessToken  string `json:"accessToken"`
	RefreshToken string `json:"refreshToken"`
}

// Nothing is the answer of a call that has none.
type Nothing struct{}

// moment is an instant as this dialect writes it; empty for one that has not come.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
