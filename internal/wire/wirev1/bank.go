package wirev1

import "github.com/holdfast-pay/holdfast/internal/krbank"

// StandardCode is a row of a code table on the wire.
type StandardCode struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// Banks is the table of banks on the wire.
func Banks() []StandardCode {
	all := krbank.All()
	rows := make([]StandardCode, len(all))
	for i, b := range all {
		rows[i] = StandardCode{Code: b.Code, Name: b.Korean}
	}
	return rows
}

// BankCode returns the national three-digit code for what a shop sent. Shops
// that used a single gateway before write its form of the code: two digits, or
// BK and two digits. It reports false if no bank has the code.
func BankCode(sent string) (string, bool) {
	code := sent
	switch {
	case len(sent) == 2:
		code = "0" + sent
	case len(sent) == 4 && sent[:2] == "BK":
		code = "0" + sent[2:]
	}
	_, known := krbank.ByCode(code)
	return code, known
}
