package letter_test

import (
	"testing"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/letter"
)

// BenchmarkCompose is the cost of the longest letter, the one with the notice.
func BenchmarkCompose(b *testing.B) {
	v := view(escrow.MailShipped, false)
	arrange(escrow.MailShipped, &v)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := letter.Compose(escrow.MailShipped, v); err != nil {
			b.Fatal(err)
		}
	}
}
