package client_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-pay/holdfast/client"
	"github.com/holdfast-pay/holdfast/internal/api/shopapi"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev2"
)

// apart are members that are read outside of a type's own: they choose the variant or
// have one. Disputes are always an empty list.
var apart = []string{"status", "type", "method", "escrow", "disputes"}

// shapes are the schemas of the documents that answers have, with the types that read
// them.
var shapes = map[string][]any{
	"PaymentReady":                {client.Payment{}, client.Ready{}},
	"PaymentVirtualAccountIssued": {client.Payment{}, client.AccountIssued{}},
	"PaymentPaid":                 {client.Payment{}, client.Paid{}},
	"PaymentPartialCancelled":     {client.Payment{}, client.PartCancelled{}},
	"PaymentCancelled":            {client.Payment{}, client.Cancelled{}},
	"PaymentFailed":               {client.Payment{}, client.Failed{}},
	"TransactionReady":            {client.Transaction{}, client.Ready{}},
	"TransactionPaid":             {client.Transaction{}, client.Paid{}},
	"TransactionPartialCancelled": {client.Transaction{}, client.PartCancelled{}},
	"TransactionCancelled":        {client.Transaction{}, client.Cancelled{}},
	"TransactionFailed":           {client.Transaction{}, client.Failed{}},
	"EventPaid":                   {client.PaymentEvent{}},
	"EventPartialCancelled":       {client.PaymentEvent{}},
	"EventCancelled":              {client.PaymentEvent{}},
	"CancellationSucceeded":       {client.Cancellation{}},
	"CancellationRequested":       {client.Cancellation{}},
	"CancellationFailed":          {client.Cancellation{}},
	"EscrowRegistered":            {client.EscrowRegistered{}},
	"EscrowDelivered":             {client.EscrowDelivered{}},
	"EscrowConfirmed":             {client.EscrowConfirmed{}},
	"EscrowRejected":              {client.EscrowRejected{}},
	"EscrowRejectConfirmed":       {client.EscrowRejectConfirmed{}},
	"EscrowCancelled":             {client.EscrowCancelled{}},
	"MethodVirtualAccount":        {client.VirtualAccount{}},
	"MethodTransfer":              {client.Transfer{}},
	"MethodCard":                  {client.Card{}},
	"ReceiptCancelled":            {client.PaymentReceipt{}},
	"CashReceiptCancelled":        {client.CashReceipt{}},
	"Amount":                      {client.Amount{}},
	"Channel":                     {client.Channel{}},
	"Customer":                    {client.Customer{}},
	"Origin":                      {client.Origin{}},
	"Product":                     {client.Product{}},
	"Tokens":                      {client.Tokens{}},
	"Webhook":                     {client.Webhook{}},
	"Endpoint":                    {client.Endpoint{}},
	"Delivery":                    {client.EventDelivery{}},
	"Payout":                      {client.Payout{}},
	"PayoutLine":                  {client.PayoutLine{}},
}

// TestEveryMember holds that the client reads every member that the documents say an
// answer may have.
func TestEveryMember(t *testing.T) {
	schemas := schemasOf(t, wirev2.OpenAPI())
	for name, members := range schemasOf(t, shopapi.OpenAPI()) {
		schemas[name] = members
	}
	for name, types := range shapes {
		members := schemas[name]
		if len(members) == 0 {
			t.Errorf("no document has %s", name)
		}
		var read []string
		for _, v := range types {
			read = append(read, tagsOf(reflect.TypeOf(v))...)
		}
		for _, m := range members {
			if !slices.Contains(read, m) && !slices.Contains(apart, m) {
				t.Errorf("%s: the client does not read %s", name, m)
			}
		}
	}
}

// schemasOf are the members of each object that a document describes.
func schemasOf(t *testing.T, raw []byte) map[string][]string {
	t.Helper()
	var doc struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for name, schema := range doc.Components.Schemas {
		for member := range schema.Properties {
			out[name] = append(out[name], member)
		}
	}
	return out
}

// tagsOf are the members that a struct reads, with those of embedded ones.
func tagsOf(t reflect.Type) (out []string) {
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			out = append(out, name)
		}
	}
	return out
}
