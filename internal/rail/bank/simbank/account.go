package simbank

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/holdfast-pay/holdfast/internal/krbank"
	"github.com/holdfast-pay/holdfast/internal/rail/bank"
)

// missing is the ending of account numbers that do not exist.
const missing = "0000"

// maxDraws is how many numbers are tried for one account: the closed ones of
// the same payment and the rare ones that another payment has.
const maxDraws = 64

// shape is how the numbers of a bank begin and how many digits they have.
type shape struct {
	prefix string
	digits int
}

// shapes imitates the virtual accounts that buyers see.
var shapes = map[string]shape{
	"003": {"974", 14}, "004": {"904", 14}, "007": {"298", 14}, "011": {"790", 14}, "020": {"270", 14}, "023": {"616", 14},
	"031": {"937", 14}, "032": {"102", 13}, "034": {"608", 13}, "039": {"209", 13}, "071": {"700", 14}, "081": {"188", 14},
	"088": {"562", 14}, "089": {"701", 14},
}

// usualShape is that of a bank without a row.
var usualShape = shape{"9", 14}

// issued is a virtual account as the bank keeps it.
type issued struct {
	Merchant, Payment, Holder string
	Closed                    bool
}

// IssueAccount implements [bank.Bank].
func (s *Bank) IssueAccount(ctx context.Context, req bank.IssueRequest) (bank.Account, error) {
	if err := checkIssue(req); err != nil {
		return bank.Account{}, err
	}
	for draw := range maxDraws {
		number := drawNumber(req, draw)
		account := bank.Account{Bank: req.Bank, Number: number, Holder: req.Holder}
		if strings.HasSuffix(number, missing) {
			continue
		}
		added, err := add(ctx, s.records, shelf, kindAccount, shelfKey(req.Bank, number), issued{Merchant: req.Merchant, Payment: req.Payment, Holder: req.Holder})
		if err != nil || added {
			return account, err
		}
		var have issued
		if _, err := load(ctx, s.records, shelf, kindAccount, shelfKey(req.Bank, number), &have); err != nil {
			return bank.Account{}, err
		}
		if have.Merchant == req.Merchant && have.Payment == req.Payment && !have.Closed {
			account.Holder = have.Holder
			return account, nil
		}
	}
	return bank.Account{}, &bank.Invalid{Field: "payment", Reason: fmt.Sprintf("the bank gave it %d accounts already", maxDraws)}
}

func checkIssue(req bank.IssueRequest) error {
	_, known := krbank.ByCode(req.Bank)
	switch {
	case req.Merchant == "" || req.Merchant == shelf:
		return &bank.Invalid{Field: "merchant", Reason: "is required"}
	case req.Payment == "":
		return &bank.Invalid{Field: "payment", Reason: "is required"}
	case !known:
		return &bank.Invalid{Field: "bank", Reason: "is not a code of a Korean bank"}
	case req.Holder == "":
		return &bank.Invalid{Field: "holder", Reason: "is required"}
	case req.Amount <= 0:
		return &bank.Invalid{Field: "amount", Reason: "must be positive"}
	default:
		return nil
	}
}

func drawNumber(req bank.IssueRequest, draw int) string {
	sh, ok := shapes[req.Bank]
	if !ok {
		sh = usualShape
	}
	return sh.prefix + digits(sh.digits-len(sh.prefix), "account", req.Merchant, req.Payment, req.Bank, strconv.Itoa(draw))
}

// CloseAccount implements [bank.Bank].
func (s *Bank) CloseAccount(ctx context.Context, merchant, code, number string) error {
	return change(ctx, s.records, shelf, func(d *desk) error {
		account, err := d.account(merchant, code, number)
		if err != nil {
			return err
		}
		account.Closed = true
		return d.save(kindAccount, shelfKey(code, number), account)
	})
}

// account returns a virtual account of the merchant from the shelf, or
// ErrNoAccount. The number is digits alone, as it was issued.
func (d *desk) account(merchant, code, number string) (issued, error) {
	var account issued
	ok, err := d.load(kindAccount, shelfKey(code, number), &account)
	switch {
	case err != nil:
		return issued{}, err
	case !ok || account.Merchant != merchant:
		return issued{}, bank.ErrNoAccount
	default:
		return account, nil
	}
}

func shelfKey(code, number string) string { return code + "-" + number }

// HolderName implements [bank.Bank]. A virtual account belongs to whom it was
// issued for; every other account to somebody invented.
func (s *Bank) HolderName(ctx context.Context, code, number string) (string, error) {
	if _, ok := krbank.ByCode(code); !ok {
		return "", &bank.Invalid{Field: "bank", Reason: "is not a code of a Korean bank"}
	}
	plain, ok := krbank.Number(number)
	if !ok {
		return "", &bank.Invalid{Field: "number", Reason: "must have 10 to 16 digits"}
	}
	if strings.HasSuffix(plain, missing) {
		return "", bank.ErrNoAccount
	}
	var account issued
	if ok, err := load(ctx, s.records, shelf, kindAccount, shelfKey(code, plain), &account); err != nil || ok {
		return account.Holder, err
	}
	return personName(code, plain), nil
}

var (
	surnames = []string{"김", "이", "박", "최", "정", "강", "조", "윤", "장", "임", "한", "오", "서", "신", "권", "황"}
	given    = []string{"민준", "서연", "도윤", "지우", "하준", "서현", "지호", "수빈", "준서", "예은", "현우", "지민", "은지", "성민", "미경", "영수", "정희", "동현", "혜진", "상훈"}
)

// personName invents the holder of an account; the same account always has the
// same one.
func personName(code, number string) string {
	n := fold("holder", code, number)
	return surnames[n%uint64(len(surnames))] + given[n/uint64(len(surnames))%uint64(len(given))]
}

// digits returns n decimal digits, at most 18, that follow from the parts.
func digits(n int, parts ...string) string {
	limit := uint64(1)
	for range n {
		limit *= 10
	}
	return fmt.Sprintf("%0*d", n, fold(parts...)%limit)
}

// fold makes one number of the parts.
func fold(parts ...string) uint64 {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return binary.BigEndian.Uint64(sum[:8])
}
