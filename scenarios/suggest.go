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

// suggestWhole is suggest for words that are often written by a part of them only: latency for own_latency. Words that end in it come
// before those that merely contain it.
func suggestWhole(written string, words []string) string {
	const shortest, most = 3, 3 // a shorter part, or a longer list, helps nobody
	if near := suggest(written, words); near != "" || len(written) < shortest {
		return near
	}
	var ending, containing []string
	for _, word := range words {
		switch part := strings.ToLower(written); {
		case strings.HasSuffix(word, "_"+part):
			ending = append(ending, quote(word))
		case strings.Contains(word, part):
			containing = append(containing, quote(word))
		}
	}
	found := append(ending, containing...)
	found = found[:min(len(found), most)]
	switch n := len(found); n {
	case 0:
		return ""
	case 1:
		return ", did you mean " + found[0] + "?"
	default:
		return ", did you mean " + strings.Join(found[:n-1], ", ") + " or " + found[n-1] + "?"
	}
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
