package bizday

import (
	_ "embed" // for factsFile
	"fmt"
	"slices"
	"strings"
)

// factsVersion names the state of facts.tsv and of the rules. Change it with every
// change of either that can move a date.
const factsVersion = "kr-2026-11-22"

// The years that facts.tsv covers; from the next year on, the rules speak.
const (
	factsFirstYear = 2018
	factsLastYear  = 2028
)

//go:embed facts.tsv
var factsFile string

// holiday is one name of one date, before overrides and weekends.
type holiday struct {
	date  Date
	cause Cause
}

// parseFacts reads the format described at the head of facts.tsv.
func parseFacts(text string) ([]holiday, error) {
	var holidays []holiday
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		h, err := parseFact(line)
		if err != nil {
			return nil, fmt.Errorf("facts line %d: %w", number, err)
		}
		if n := len(holidays); n > 0 && h.date.Before(holidays[n-1].date) {
			return nil, fmt.Errorf("facts line %d: %v is out of order", number, h.date)
		}
		holidays = append(holidays, h)
	}
	return holidays, nil
}

func parseFact(line string) (holiday, error) {
	fields := strings.Split(line, "\t")
	if len(fields) != 6 {
		return holiday{}, fmt.Errorf("%d columns, want 6", len(fields))
	}
	date, err := ParseDate(fields[0])
	if err != nil {
		return holiday{}, err
	}
	if y := date.Year(); y < factsFirstYear || y > factsLastYear {
		return holiday{}, fmt.Errorf("%v is outside the years %d to %d", date, factsFirstYear, factsLastYear)
	}
	kind := slices.Index(kindNames[:], fields[1])
	if kind < int(Statutory) || kind > int(BankHoliday) {
		return holiday{}, fmt.Errorf("kind %q", fields[1])
	}
	if fields[2] != "gazetted" && fields[2] != "computed" {
		return holiday{}, fmt.Errorf("status %q", fields[2])
	}
	var standsFor Date
	if fields[3] != "-" {
		if standsFor, err = ParseDate(fields[3]); err != nil {
			return holiday{}, err
		}
	}
	return holiday{date, Cause{
		Kind: Kind(kind), Korean: fields[4], English: fields[5], For: standsFor, Gazetted: fields[2] == "gazetted",
	}}, nil
}
