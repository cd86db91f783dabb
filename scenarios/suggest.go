package scenarios

import (
	"regexp"
	"strings"
)

// suggest returns `, did you mean "x"?` with the word that is nearest to the one that was written, or "" when none is
// near enough to be meant.
func suggest(written string, words []string) string {
	best, nearest := "", max(1, len(written)/3)+1
	if len(written) > 2*longestWord {
		return ""
	}
	for _, word := range words {
		if d := distance(strings.ToLower(written), strings.ToLower(word)); d < nearest {
			best, nearest = word, d
		}
	}
	if best == "" {
		return ""
	}
	return ", did you mean " + quote(best) + "?"
}

// longestWord bounds the work of suggest: no word of the language is longer.
const longestWord = 64

// distance counts the letters to insert, drop, replace, or swap with their neighbour to get from a to b.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// Suggest returns `, did you mean "x"?` with the word that is nearest to the one that was written, or "" when none is near enough to
// be meant.
func Suggest(written string, words []string) string { return suggest(written, words) }

var percentileSlip = regexp.MustCompile(`^[pP]\(?([0-9]+(\.[0-9]+)?)\)?$`)

// suggestAggregation is suggest for the left side of a threshold, which other tools write as p99 or mean.
func suggestAggregation(written string, metric MetricInfo) string {
	meant := map[string]string{"median": "med", "mean": "avg", "average": "avg", "minimum": "min", "maximum": "max", "total": "count", "sum": "count"}[strings.ToLower(written)]
	if found := percentileSlip.FindStringSubmatch(written); found != nil {
		meant = "p(" + found[1] + ")"
	}
	if meant != "" && metric.allows(meant) {
		return ", did you mean " + quote(meant) + "?"
	}
	return suggest(written, metric.Type.Aggregations())
}
