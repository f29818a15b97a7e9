package bizday

import "time"

// lunarDates are the solar dates, in Korea, of three days of the lunar calendar in
// one year, each as month*100 + day.
type lunarDates struct{ seollal, buddha, chuseok int }

const (
	lunarFirstYear = 2018
	lunarLastYear  = 2050
)

// lunarTable holds the lunar 1/1 (Seollal), 4/8 (Buddha's Birthday) and 8/15
// (Chuseok) of the years from lunarFirstYear on. The Korean lunar calendar follows
// new moons by Korean time: a table made for China differs in 2027 and 2028, where
// the moon of Seollal is new less than an hour after midnight KST.
var lunarTable = [lunarLastYear - lunarFirstYear + 1]lunarDates{
	{216, 522, 924},  // 2018
	{205, 512, 913},  // 2019
	{125, 430, 1001}, // 2020
	{212, 519, 921},  // 2021
	{201, 508, 910},  // 2022
	{122, 527, 929},  // 2023
	{210, 515, 917},  // 2024
	{129, 505, 1006}, // 2025
	{217, 524, 925},  // 2026
	{207, 513, 915},  // 2027
	{127, 502, 1003}, // 2028
	{213, 520, 922},  // 2029
	{203, 509, 912},  // 2030
	{123, 528, 1001}, // 2031
	{211, 516, 919},  // 2032
	{131, 506, 908},  // 2033
	{219, 525, 927},  // 2034
	{208, 515, 916},  // 2035
	{128, 503, 1004}, // 2036
	{215, 522, 924},  // 2037
	{204, 511, 913},  // 2038
	{124, 430, 1002}, // 2039
	{212, 518, 921},  // 2040
	{201, 507, 910},  // 2041
	{122, 526, 928},  // 2042
	{210, 516, 917},  // 2043
	{130, 505, 1005}, // 2044
	{217, 524, 925},  // 2045
	{206, 513, 915},  // 2046
	{126, 502, 1004}, // 2047
	{214, 520, 922},  // 2048
	{202, 509, 911},  // 2049
	{123, 528, 930},  // 2050
}

// dateIn returns the date of a month*100 + day in a year.
func dateIn(year, monthDay int) Date {
	return dateOfUnix(time.Date(year, time.Month(monthDay/100), monthDay%100, 0, 0, 0, 0, time.UTC).Unix())
}
