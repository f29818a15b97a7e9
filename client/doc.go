// Package client is a Go client of Holdfast for a shop's server: the PortOne V2
// operations, Holdfast's own API (webhook endpoints, deliveries, the feed of events),
// the receiving of webhooks, and the calls of the sandbox that a test of a shop needs.
// It uses the standard library only.
//
//	shop, err := client.New("https://pay.example", client.Secret(os.Getenv("HOLDFAST_SECRET")))
//	payment, err := shop.Payment(ctx, "order-1")
//
// # What is always true of it
//
//   - A [Client] holds no state of a payment and may be used by many goroutines at once.
//   - Every call takes a context and ends with it.
//   - A call that writes carries an Idempotency-Key, the same at each repetition, so that
//     it acts once however often it is sent. Calls are repeated at most [AttemptsMax]
//     times, when no whole answer came or the server says that another attempt can
//     succeed. [WithIdempotencyKey] sets a key of the caller's own, with which the call
//     can be made again by another process.
//   - A refusal is an *[Error]; [errors.Is] compares it with an [ErrorType]. A call
//     that got no answer is a *[NoAnswer]: it may have been carried out.
//   - Amounts are whole won. Instants that have not come are zero.
//   - What this version does not know is kept: see [UnknownState], [UnknownEscrow],
//     [UnknownMethod] and [UnknownEvent].
//
// # Webhooks
//
// [Verifier] checks the signatures of Standard Webhooks and reads events;
// [Verifier.Handler] receives them. [Client.Feed] reads the same events without any
// webhook.
package client
