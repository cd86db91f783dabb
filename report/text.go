package report

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// thousands prints a count with a comma after every three digits.
func thousands(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// formatValue prints a value in its unit: a time with three significant digits in µs, ms or s; a share exactly enough
// that only 1 prints as 1.
func formatValue(v float64, unit string) string {
	switch unit {
	case "ms":
		return formatMS(v)
	case "ratio":
		return formatShare(v)
	}
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return thousands(int64(v))
	}
	return significant(v)
}

// Number prints a count or a rate as every report does: a comma after every three digits, three significant digits of what is no whole number.
func Number(v float64) string { return formatValue(v, "") }

func formatMS(v float64) string {
	switch magnitude := math.Abs(v); {
	case v == 0:
		return "0 ms"
	case magnitude < 0.9995:
		return significant(v*1e3) + " µs"
	case magnitude < 999.5:
		return significant(v) + " ms"
	default:
		return significant(v/1e3) + " s"
	}
}

// formatShare prints a share with four decimals, more where these would hide that it is not 0 or 1.
func formatShare(v float64) string {
	for digits := 4; digits < 10; digits++ {
		s := strconv.FormatFloat(v, 'f', digits, 64)
		if back, err := strconv.ParseFloat(s, 64); err == nil && (back == 0) == (v == 0) && (back == 1) == (v == 1) {
			return strings.TrimRight(strings.TrimRight(s, "0"), ".")
		}
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// significant prints three significant digits, and all of those before the point.
func significant(v float64) string {
	decimals := 2
	switch magnitude := math.Abs(v); {
	case magnitude >= 1e6:
		return thousands(int64(math.Round(v)))
	case magnitude >= 99.95:
		decimals = 0
		if magnitude >= 999.5 {
			return thousands(int64(math.Round(v)))
		}
	case magnitude >= 9.995:
		decimals = 1
	}
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// formatDuration prints how long something lasted.
func formatDuration(d time.Duration) string { return formatMS(float64(d) / 1e6) }

// clean makes foreign text safe to print on one line of a terminal: a control byte could move the cursor, colour what
// follows or retitle the window, and a mark of direction could reverse the line. Each becomes a space; so does a line break.
func clean(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, s))
}

// plural is "1 event" or "3 events".
func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		return thousands(n) + " " + stem + "ies"
	}
	return thousands(n) + " " + noun + "s"
}
