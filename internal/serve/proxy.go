package serve

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// behind names the caller of a request that came through proxies in front: the
// rightmost address of X-Forwarded-For that is none of theirs. Limits per
// address and the evidence of a decision then speak of the person and not of
// the proxy. What anybody else sends in the header is not believed.
func behind(proxies []netip.Prefix, next http.Handler) http.Handler {
	if len(proxies) == 0 {
		return next
	}
	trusted := func(a netip.Addr) bool {
		return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil && trusted(peer.Addr().Unmap()) {
			if from := forwarded(r.Header.Values("X-Forwarded-For"), trusted); from.IsValid() {
				r.RemoteAddr = netip.AddrPortFrom(from, 0).String()
			}
		}
		next.ServeHTTP(w, r)
	})
}

// forwarded is the rightmost address that is not trusted or, if all are, the
// leftmost. It is not valid where the proxies name none: what stands left of a
// text that is no address was written by nobody who is trusted.
func forwarded(headers []string, trusted func(netip.Addr) bool) (from netip.Addr) {
	for _, text := range slices.Backward(strings.Split(strings.Join(headers, ","), ",")) {
		text = strings.TrimSpace(text)
		if host, _, err := net.SplitHostPort(text); err == nil {
			text = host
		}
		a, err := netip.ParseAddr(strings.Trim(text, "[]"))
		if err != nil {
			return from
		}
		if from = a.Unmap().WithZone(""); !trusted(from) {
			return from
		}
	}
	return from
}
