package scenarios

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
)

// Comparison says how one text must stand to another.
type Comparison string

// The comparisons. Those of numbers hold only where both texts are decimal numbers.
const (
	Is        Comparison = "is"
	IsNot     Comparison = "is_not"
	IsBelow   Comparison = "below"
	IsAbove   Comparison = "above"
	IsAtMost  Comparison = "at_most"
	IsAtLeast Comparison = "at_least"
	Contains  Comparison = "contains"
	Matches   Comparison = "matches" // the operand is a regular expression
)

// comparisons lists them, in the order in which errors name them.
func comparisons() []Comparison {
	return []Comparison{Is, IsNot, IsBelow, IsAbove, IsAtMost, IsAtLeast, Contains, Matches}
}

// Holds tells whether value stands to operand as c says. Both may be anything that a server sent: an operand that is no regular
// expression matches nothing. Matches compiles its operand each time.
func (c Comparison) Holds(value, operand string) bool {
	switch c {
	case Is:
		return value == operand
	case IsNot:
		return value != operand
	case Contains:
		return strings.Contains(value, operand)
	case Matches:
		pattern, err := regexp.Compile(operand)
		return err == nil && pattern.MatchString(value)
	case IsBelow, IsAbove, IsAtMost, IsAtLeast:
		return c.holdsOfNumbers(value, operand)
	}
	return false
}

// holdsOfNumbers is Holds for the comparisons of numbers.
func (c Comparison) holdsOfNumbers(value, operand string) bool {
	order, ok := compareNumbers(value, operand)
	switch {
	case !ok:
		return false
	case c == IsBelow:
		return order < 0
	case c == IsAbove:
		return order > 0
	case c == IsAtMost:
		return order <= 0
	default:
		return order >= 0
	}
}

// compareNumbers is -1, 0 or 1. Whole numbers are compared as such: ids of 19 digits differ where floats do not.
func compareNumbers(a, b string) (order int, ok bool) {
	wholeA, errA := strconv.ParseInt(a, 10, 64)
	wholeB, errB := strconv.ParseInt(b, 10, 64)
	if errA == nil && errB == nil {
		return cmp.Compare(wholeA, wholeB), true
	}
	floatA, okA := parseDecimal(a)
	floatB, okB := parseDecimal(b)
	return cmp.Compare(floatA, floatB), okA && okB
}

// parseDecimal reads a number as JSON spells it, without the names and prefixes that Go reads too.
func parseDecimal(text string) (float64, bool) {
	if text == "" || strings.Trim(text, "0123456789.eE+-") != "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil
}
