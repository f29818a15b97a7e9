package wirev1

import "encoding/json"

// Codes of an answer. Clients test only whether the code is 0; the others tell
// a person who is at fault.
const (
	// CodeOK is success.
	CodeOK = 0
	// CodeFault refuses a request that is wrong in itself, or names a failure.
	CodeFault = -1
	// CodeRule refuses a right request because the state of things forbids it.
	CodeRule = 1
)

// MessageOK is the message of a success. It is empty rather than null, because
// there are typed clients that refuse null and none that refuse an empty text.
const MessageOK = ""

// Envelope is the outermost shape of every answer.
type Envelope struct {
	Code     int    `json:"code"`
	Message  string `json:"message"`
	Response any    `json:"response"`
}

// Success wraps a value. A nil value becomes null, for the calls that answer
// nothing but success.
func Success(value any) Envelope { return Envelope{Code: CodeOK, Message: MessageOK, Response: value} }

// Refusal wraps a reason. Several clients read the message without looking, so
// that an empty one would break them; it must not be empty.
func Refusal(code int, message string) Envelope { return Envelope{Code: code, Message: message} }

// JSON returns the exact bytes of the answer.
func (e Envelope) JSON() ([]byte, error) { return json.Marshal(e) }
