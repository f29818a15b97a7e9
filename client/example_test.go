package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/holdfast-pay/holdfast/client"
)

// order is what the examples sell.
func order(name string) client.InstantPayment {
	return client.InstantPayment{
		Account:   client.AccountOrder{Bank: "SHINHAN", ValidHours: 72},
		OrderName: name, Amount: client.AmountOrder{Total: 39000}, Escrow: true,
		Customer: &client.CustomerInput{Name: "홍길동", Email: "buyer@holdfast.example"},
	}
}

// Issue a virtual account for an order with escrow, and see what the buyer has to pay to.
func ExampleClient_PayInstantly() {
	ctx := context.Background()
	shop, err := client.New(serverURL, client.Secret(apiSecret))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := shop.PayInstantly(ctx, "example-pay", order("찻잔")); err != nil {
		log.Fatal(err)
	}
	payment, err := shop.Payment(ctx, "example-pay")
	if err != nil {
		log.Fatal(err)
	}
	switch method := payment.Method.(type) {
	case client.VirtualAccount:
		fmt.Println("pay", payment.Amount.Total, "won to", method.Bank)
	default:
		fmt.Printf("paid otherwise: %T\n", method)
	}
	// Output: pay 39000 won to SHINHAN
}

// Play a whole escrow in the sandbox: the money comes, the parcel arrives, the buyer
// confirms.
func Example_escrow() {
	ctx := context.Background()
	shop, err := client.New(serverURL, client.Secret(apiSecret))
	if err != nil {
		log.Fatal(err)
	}
	sandbox := shop.Sandbox(v1Key, v1Secret)
	check := func(err error) {
		if err != nil {
			log.Fatal(err)
		}
	}
	_, err = shop.PayInstantly(ctx, "example-escrow", order("찻잔"))
	check(err)
	payment, err := shop.Payment(ctx, "example-escrow")
	check(err)
	_, err = sandbox.Deposit(ctx, payment.TransactionID, 0)
	check(err)
	clock, err := sandbox.Clock(ctx)
	check(err)
	_, err = shop.RegisterDelivery(ctx, payment.ID, client.Delivery{Company: "CJ", InvoiceNumber: "689012345678", SentAt: clock.Now})
	check(err)
	_, err = sandbox.Parcel(ctx, payment.TransactionID, client.ParcelDeliverNow)
	check(err)
	_, err = sandbox.Decide(ctx, payment.TransactionID, client.DecideConfirm, "")
	check(err)

	payment, err = shop.Payment(ctx, payment.ID)
	check(err)
	switch escrow := payment.Escrow.(type) {
	case client.EscrowConfirmed:
		fmt.Println("confirmed, by silence:", escrow.IsAutomaticallyConfirmed, escrow.Company)
	default:
		fmt.Printf("%T\n", escrow)
	}
	// Output: confirmed, by silence: false CJ
}

// Tell refusals apart.
func ExampleError() {
	shop, err := client.New(serverURL, client.Secret(apiSecret))
	if err != nil {
		log.Fatal(err)
	}
	_, err = shop.Cancel(context.Background(), "no such order", client.Cancel{Reason: "변심"})
	var refusal *client.Error
	switch {
	case errors.Is(err, client.PaymentNotFound):
		fmt.Println("there is no such order")
	case errors.As(err, &refusal):
		fmt.Println(refusal.Status, refusal.Type, refusal.PgCode)
	}
	// Output: there is no such order
}

// Keep the key before the call: after a crash the same call gets the first answer, and
// the order has one account.
func ExampleWithIdempotencyKey() {
	shop, err := client.New(serverURL, client.Secret(apiSecret))
	if err != nil {
		log.Fatal(err)
	}
	ctx := client.WithIdempotencyKey(context.Background(), "account-of-example-key") // kept with the order
	first, err := shop.PayInstantly(ctx, "example-key", order("찻잔"))
	if err != nil {
		log.Fatal(err)
	}
	again, err := shop.PayInstantly(ctx, "example-key", order("찻잔"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(first == again)
	// Output: true
}

// Receive webhooks. While a secret is rotated, give both.
func ExampleVerifier_Handler() {
	verifier, err := client.NewVerifier("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/hooks", verifier.Handler(func(ctx context.Context, e client.Event) error {
		switch data := e.Data.(type) {
		case client.EscrowEvent:
			if e.Type == client.EventEscrowDecisionDue {
				log.Printf("order %s: the buyer may decide until %s", data.PaymentID, data.LastDay)
			}
		case client.TransactionEvent:
			log.Printf("order %s: ask for the payment", data.PaymentID)
		}
		return nil // an error is answered with 500, and the event is told again
	}))
}

// Follow all events without a webhook, from where the last run ended.
func ExampleClient_Feed() {
	shop, err := client.New(serverURL, client.Secret(apiSecret))
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := shop.PayInstantly(ctx, "example-feed", order("찻잔")); err != nil {
		log.Fatal(err)
	}
	for e, err := range shop.Feed(ctx, 0) {
		if err != nil {
			log.Fatal(err)
		}
		event, err := e.Event()
		if err != nil {
			log.Fatal(err)
		}
		data, ok := event.Data.(client.TransactionEvent)
		if ok && data.PaymentID == "example-feed" && e.Type == client.EventVirtualAccountIssued {
			fmt.Println(e.Type) // keep e.Position, and begin after it next time
			break
		}
	}
	// Output: Transaction.VirtualAccountIssued
}
