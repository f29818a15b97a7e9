package wirev1

import (
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/order"
)

// Bounds of the parameters that only an account by API has.
const (
	holderMax          = 16
	bankCodeMax        = 4
	escrowPasswordMax  = 100
	productCountMax    = 1_000_000
	productTypeReal    = "real"
	productTypeDigital = "digital"
)

// VbankOrder are the parameters of POST /vbanks: a virtual account that a shop
// asks for without a payment window.
type VbankOrder struct {
	// Channel is channel_key; most clients leave it out.
	Channel string
	Open    escrow.Open // without the merchant and the id
	Bank    string      // national three-digit code
	Holder  string      // empty if the shop does not say
	Due     time.Time
}

// TakeVbankOrder takes the parameters out of a request. The caller asks f.Err
// before it uses the result.
//
// An escrow is asked for by the same flag as in the payment window, which is
// Holdfast's own here, or by the password that a gateway's escrow accounts take.
func TakeVbankOrder(f *body.Fields) VbankOrder {
	f.Require("merchant_uid", "amount", "vbank_code", "vbank_due")
	escrowed, _ := f.Bool("escrow")
	password := f.Text("escrow_password", escrowPasswordMax)
	data, _ := f.JSONText("custom_data", customDataMax)
	f.Int("product_count", 1, productCountMax)
	return VbankOrder{
		Channel: f.Text("channel_key", productTextMax),
		Open: escrow.Open{
			OrderID: f.Ident("merchant_uid", orderIDMax), Method: escrow.VirtualAccount, Goods: TakeGoods(f), Escrow: escrowed || password != "",
			Amount: TakeAmount(f), TaxFree: takeWon(f, "tax_free"), VAT: takeWon(f, "vat_amount"),
			Name: order.Cut(f.Text("name", orderNameReadMax), orderNameMax), Buyer: TakeBuyer(f), Device: "api",
			CustomData: data, NoticeURLs: order.CallURLs(f, "notice_url"),
		},
		Bank: TakeBank(f, "vbank_code"), Holder: f.Text("vbank_holder", holderMax), Due: TakeDueSeconds(f),
	}
}

// TakeAmount takes the amount of an order: at least one won.
func TakeAmount(f *body.Fields) money.Won {
	n, _ := f.Int("amount", 1, body.WonMax)
	return money.Won(n)
}

// TakeDueSeconds takes vbank_due in unix seconds; it is zero if the shop does not say.
func TakeDueSeconds(f *body.Fields) time.Time {
	at, given := f.UnixSeconds("vbank_due")
	if !given {
		return time.Time{}
	}
	return time.Unix(at, 0).UTC()
}

// TakeGoods takes product_type. Goods are physical unless the shop says otherwise.
func TakeGoods(f *body.Fields) escrow.Goods {
	if f.OneOf("product_type", productTypeReal, productTypeDigital) == productTypeDigital {
		return escrow.Digital
	}
	return escrow.Physical
}

// TakeBuyer takes what is known of the buyer.
func TakeBuyer(f *body.Fields) escrow.Party {
	return escrow.Party{
		Name: f.Text("buyer_name", buyerNameMax), Email: f.Text("buyer_email", buyerEmailMax), Phone: f.Text("buyer_tel", buyerTelMax),
		Address: f.Text("buyer_addr", buyerAddrMax), Postcode: f.Text("buyer_postcode", buyerPostcodeMax),
	}
}

var reasonBank = body.Reason{Code: "bank", English: "is no bank code", Korean: "존재하지 않는 은행 코드입니다"}

// TakeBank takes a bank code in any of its notations, see [BankCode].
func TakeBank(f *body.Fields, name string) string {
	return f.Spelt(name, bankCodeMax, reasonBank, BankCode)
}

// TakeRefundAccount takes the account to pay back to: all of it, or nothing.
func TakeRefundAccount(f *body.Fields) escrow.BankAccount {
	f.Text("refund_tel", buyerTelMax)
	account := escrow.BankAccount{
		Holder: f.Text("refund_holder", holderMax), Bank: TakeBank(f, "refund_bank"), Number: order.AccountNumber(f, "refund_account"),
	}
	if f.Has("refund_holder") || f.Has("refund_bank") || f.Has("refund_account") {
		f.Require("refund_holder", "refund_bank", "refund_account")
	}
	return account
}
