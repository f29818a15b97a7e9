// Package bizday counts Korean bank business days (영업일).
//
// # What a business day is
//
// A business day is a day on which Korean banks are open: not a Saturday, not a
// Sunday, not a public holiday (statutory, substitute, ad-hoc or election day),
// and not 1 May, on which banks were shut even before it became a public holiday
// in 2026. 31 December is open; only the exchange rests then.
//
// # Where the days come from
//
// The years 2018 to 2028 are facts (facts.tsv): the official almanac (월력요항)
// through 2027, and the rules of the decree on public holidays applied to 2028.
// Later years, through 2050, are computed by the same rules, from a table of the
// Korean lunar calendar and the election act. Ad-hoc holidays cannot be computed:
// an operator adds them with [Calendar.With], and every calendar so made carries
// its own [Calendar.Version], to be stored beside each deadline it produced.
//
// # What is always true
//
// A [Calendar] never changes, so goroutines share it freely. It answers for the
// days [First] through [Last] and for no others: a question that touches any other
// day fails with [ErrOutOfRange], because a deadline that is silently wrong is
// worse than none. Dates are civil dates in Korea; the host's time zone plays no
// part. The package reads no clock and does no I/O.
package bizday
