package wirev1

// Bounds of a paged list.
const (
	// PageLimitDefault is how many entries a page has if the client does not say.
	PageLimitDefault = 20
	// PageLimitMax is the most entries of one page.
	PageLimitMax = 1000
	// MultiGetMax is how many payments one call may ask for by id.
	MultiGetMax = 100
)

// Page is one page of a list. Previous and Next are page numbers counted from 1;
// 0 ends the list in that direction, which is what clients stop at.
type Page[T any] struct {
	Total    int `json:"total"`
	Previous int `json:"previous"`
	Next     int `json:"next"`
	List     []T `json:"list"`
}

// NewPage builds page number (from 1) of a list of total entries with limit
// entries on each page.
func NewPage[T any](list []T, number, limit, total int) Page[T] {
	if list == nil {
		list = []T{}
	}
	p := Page[T]{Total: total, List: list, Previous: number - 1}
	if number*limit < total {
		p.Next = number + 1
	}
	return p
}

// PageExists reports whether a list of total entries has a page of this number.
// The first page exists even if the list is empty.
func PageExists(number, limit, total int) bool {
	return number == 1 || (number > 1 && (number-1)*limit < total)
}
