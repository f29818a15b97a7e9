package body

import (
	"fmt"
	"strings"
)

// Reason is why something was refused: a stable code for programs and logs, and
// one sentence in each language for people. The zero Reason means no fault.
type Reason struct {
	Code    string
	English string
	Korean  string
}

// Problem is one refused field.
type Problem struct {
	// Field is the path as the client wrote it: "amount", "logis.sent_at",
	// "products[0].name".
	Field  string
	Reason Reason
}

// Problems are all refused fields of one request, in the order in which they
// were asked for. It is never empty when it is returned as an error.
type Problems []Problem

// namedMax is how many fields a message names; the others are counted.
const namedMax = 5

// Error returns the problems in English.
func (p Problems) Error() string { return p.English() }

// English returns one line that names each field with its reason.
func (p Problems) English() string {
	return p.join(func(r Reason) string { return r.English }, "and %d more")
}

// Korean returns one line that names each field with its reason.
func (p Problems) Korean() string {
	return p.join(func(r Reason) string { return r.Korean }, "외 %d건")
}

func (p Problems) join(text func(Reason) string, more string) string {
	parts := make([]string, 0, namedMax+1)
	for i, problem := range p {
		if i == namedMax {
			parts = append(parts, fmt.Sprintf(more, len(p)-namedMax))
			break
		}
		parts = append(parts, problem.Field+": "+text(problem.Reason))
	}
	return strings.Join(parts, ", ")
}

// Reasons for which a body or query cannot be read.
var (
	ReasonTooLarge      = Reason{"too_large", "it is larger than 1 MiB", "요청 본문은 1MiB를 넘을 수 없습니다"}
	ReasonBOM           = Reason{"byte_order_mark", "it begins with a byte order mark", "요청 본문이 BOM으로 시작할 수 없습니다"}
	ReasonNUL           = Reason{"nul", "it contains a NUL character", "NUL 문자는 사용할 수 없습니다"}
	ReasonNotUTF8       = Reason{"not_utf8", "it is not valid UTF-8", "올바른 UTF-8 문자열이 아닙니다"}
	ReasonTooDeep       = Reason{"too_deep", fmt.Sprintf("it is nested deeper than %d levels", DepthMax), fmt.Sprintf("중첩 깊이는 %d단계를 넘을 수 없습니다", DepthMax)}
	ReasonMalformed     = Reason{"malformed", "it is not well-formed JSON", "올바른 JSON 형식이 아닙니다"}
	ReasonTrailing      = Reason{"trailing", "something follows the JSON document", "JSON 문서 뒤에 다른 내용이 있습니다"}
	ReasonNotDocument   = Reason{"not_object", "it must be a JSON object", "JSON 객체여야 합니다"}
	ReasonTooManyFields = Reason{"too_many_fields", fmt.Sprintf("an object has more than %d members", FieldsMax), fmt.Sprintf("객체의 항목은 %d개를 넘을 수 없습니다", FieldsMax)}
	ReasonTooManyItems  = Reason{"too_many_items", fmt.Sprintf("a list has more than %d entries", ItemsMax), fmt.Sprintf("배열의 항목은 %d개를 넘을 수 없습니다", ItemsMax)}
	ReasonNeither       = Reason{"neither", "it is neither a JSON object nor a form", "JSON 객체도 폼 형식도 아닙니다"}
	ReasonMultipart     = Reason{"multipart", "multipart bodies are not taken; send JSON or an application/x-www-form-urlencoded form", "multipart/form-data는 지원하지 않습니다. JSON 또는 application/x-www-form-urlencoded로 보내 주세요"}
	ReasonSemicolon     = Reason{"semicolon", "a form must write ';' as %3B", "폼에서 세미콜론은 %3B로 보내야 합니다"}
	ReasonEscape        = Reason{"escape", "a percent sign is not followed by two hexadecimal digits", "퍼센트 인코딩이 올바르지 않습니다"}
	ReasonMixed         = Reason{"mixed", "one name is used both as a value and as a list or object", "같은 이름을 값과 배열 또는 객체로 섞어 보낼 수 없습니다"}
)

func reasonDuplicate(name string) Reason {
	return Reason{"duplicate", "the key " + shown(name) + " appears twice", "키 " + shown(name) + "이(가) 두 번 나타납니다"}
}

func reasonName(name string) Reason {
	return Reason{"name", "the form name " + shown(name) + " cannot be read", "폼 항목 이름 " + shown(name) + "을(를) 해석할 수 없습니다"}
}

// shownMax is how many characters of a client's own text a message repeats.
const shownMax = 40

func shown(s string) string {
	if runes := []rune(s); len(runes) > shownMax {
		s = string(runes[:shownMax]) + "…"
	}
	return fmt.Sprintf("%q", s)
}

// Reasons for which a field is refused.
var (
	ReasonMissing      = Reason{"missing", "is required", "필수 항목입니다"}
	ReasonNotText      = Reason{"not_text", "must be a single text", "문자열 하나여야 합니다"}
	ReasonControl      = Reason{"control_character", "must not contain line breaks or control characters", "줄바꿈이나 제어 문자는 사용할 수 없습니다"}
	ReasonInvisible    = Reason{"invisible_character", "must not contain invisible characters", "보이지 않는 문자는 사용할 수 없습니다"}
	ReasonOuterBlank   = Reason{"outer_blank", "must not begin or end with a blank", "앞뒤에 공백을 넣을 수 없습니다"}
	ReasonNotNumber    = Reason{"not_number", "must be a number in plain digits", "쉼표나 통화 기호 없이 숫자로 입력해야 합니다"}
	ReasonFraction     = Reason{"fraction", "must be a whole number", "소수점 이하 값은 사용할 수 없습니다"}
	ReasonNegative     = Reason{"negative", "must not be negative", "음수일 수 없습니다"}
	ReasonMilliseconds = Reason{"milliseconds", "must be unix time in seconds, this looks like milliseconds", "초 단위 유닉스 시각이어야 합니다(밀리초 값으로 보입니다)"}
	ReasonNotInstant   = Reason{"not_instant", "must be an instant as RFC 3339 writes it, such as 2026-11-26T10:00:00+09:00", "RFC 3339 형식의 일시여야 합니다(예: 2026-11-26T10:00:00+09:00)"}
	ReasonNotBool      = Reason{"not_bool", "must be true or false", "true 또는 false여야 합니다"}
	ReasonNotObject    = Reason{"not_object", "must be an object", "객체여야 합니다"}
	ReasonUnknown      = Reason{"unknown", "is not a field of this request", "이 요청에서 사용하지 않는 항목입니다"}
	ReasonNotList      = Reason{"not_list", "must be a list", "배열이어야 합니다"}
)

// TooLong refuses text of more than limit characters.
func TooLong(limit int) Reason {
	return Reason{"too_long", fmt.Sprintf("must have at most %d characters", limit), fmt.Sprintf("%d자 이하여야 합니다", limit)}
}

// TooMany refuses a list of more than limit entries.
func TooMany(limit int) Reason {
	return Reason{"too_many", fmt.Sprintf("must have at most %d entries", limit), fmt.Sprintf("최대 %d개까지 보낼 수 있습니다", limit)}
}

// AtMost refuses a number above limit.
func AtMost(limit int64) Reason {
	return Reason{"too_big", fmt.Sprintf("must be at most %d", limit), fmt.Sprintf("%d 이하여야 합니다", limit)}
}

// AtLeast refuses a number below limit.
func AtLeast(limit int64) Reason {
	return Reason{"too_small", fmt.Sprintf("must be at least %d", limit), fmt.Sprintf("%d 이상이어야 합니다", limit)}
}

// NotOneOf refuses a text that is not in a fixed set.
func NotOneOf(allowed ...string) Reason {
	set := strings.Join(allowed, ", ")
	return Reason{"not_one_of", "must be one of " + set, "다음 중 하나여야 합니다(" + set + ")"}
}

// misspelt refuses a key that is an asked one in other letter case.
func misspelt(correct string) Reason {
	return Reason{"misspelt", "is no known field; its name is " + correct, "알 수 없는 항목입니다(올바른 이름: " + correct + ")"}
}
