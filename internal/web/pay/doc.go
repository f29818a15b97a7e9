// Package pay is the payment window: what a buyer sees between the shop's
// button and the shop's answer.
//
// # The way through it
//
//	POST /pay/v1/open              the shop's page asks for a window (IMP.request_pay)
//	POST /pay/v2/open              the same for PortOne V2 (PortOne.requestPayment)
//	GET  /pay/{ticket}             what the payment has come to: choose, pay into an account, done
//	POST /pay/{ticket}             the buyer's choice: method, bank, escrow, consent
//	GET  /pay/{ticket}/approve     the simulated bank or card issuer; sandbox merchants only
//	POST /pay/{ticket}/approve     its answer
//	POST /pay/{ticket}/cancel      the buyer gives up
//	POST /pay/{ticket}/close       the shop's page closes the window and asks what came of it
//	GET  /pay/{ticket}/return      back to the shop's address
//	GET  /pay/terms                the escrow terms
//
// Every GET of a ticket shows the state of the payment as it is, so the back
// button, a reload, a second tab and a repeated submit all lead to the same
// place and change nothing.
//
// Both generations of PortOne's script lead to the same window. What differs is one
// [dialect]: how a request is read, and in which words the page is told of a result.
// The payment remembers its own. V2 names one method, which is then the only one
// offered; in V1 the buyer may choose another.
//
// # Manual approval
//
// Where a shop has the last word on payments of V2 (escrow.Profile.ManualApproval, as
// it was when the window opened), the buyer's last step ends the window with a token
// and the payment stays open. The step may be done again, which gives another token;
// what the tokens are good for is internal/app's (agreed.go).
//
// # Who may
//
// A window has no cookies and works where a browser keeps none for frames. Its
// authority is the ticket in its address: the payment, the page that opened it
// and an expiry, signed by this server. Only that page may show the window in a
// frame, and only that page is told the result, with the nonce that it gave. The
// result is a hint; the shop's server reads the payment.
//
// # Escrow
//
// For cash-like methods of physical goods the buyer is offered an escrow,
// whatever the amount, and the choice is never made for them (Act on Consumer
// Protection in Electronic Commerce, art. 24(2) and decree art. 9). If the shop
// asked for an escrow it is fixed; the consent to the terms is still the
// buyer's. Where the law exempts a payment the window says why.
package pay
