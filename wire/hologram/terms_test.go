package hologram_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"holobench/wire/hologram"
)

// hardTexts returns texts that an encoder can get wrong, all of them UTF-8.
func hardTexts() []string {
	return []string{
		"", "room-3", "hb1.00c0ffee.c17.s3.t2500000000.", `"quoted"`, `back\slash`, `\`, `\"`, "two\nlines\r\n", "\a\b\f\t\v\x00\x01\x1b\x1f\x7f",
		"</script><img src=x onerror=alert(1)>", "<!--", "a&b", "line\u2028separator", "paragraph\u2029separator", "é ü 全息图 🙂", "\ufffd is a character",
		"\u0080\u0085\u009f\u00a0\ud7ff\ue000\ufdd0\ufffe\uffff\U00010000\U0010ffff", `\u0041`, `\u{41}`, "Type.atom(\"a\")", "])", `"}`, "data: forged\n\n",
		strings.Repeat("long ", 2000),
	}
}

// randomTerm builds a term whose texts are valid UTF-8.
func randomTerm(random *rand.Rand, depth int) hologram.Term {
	texts := hardTexts()
	text := func() string { return texts[random.IntN(len(texts)-1)] + texts[random.IntN(len(texts)-1)] }
	kinds := 7
	if depth == 0 {
		kinds = 4
	}
	switch random.IntN(kinds) {
	case 0:
		return hologram.Atom(text())
	case 1:
		return hologram.Text(text())
	case 2:
		if random.IntN(4) == 0 {
			return hologram.Term{Kind: hologram.KindInteger, Text: "-1" + strings.Repeat("0", random.IntN(60))}
		}
		return hologram.Int(int64(random.Uint64()) >> random.IntN(64))
	case 3:
		return hologram.Float(randomFloat(random))
	case 4:
		return hologram.List(randomItems(random, depth, random.IntN(6))...)
	case 5:
		return hologram.Tuple(randomItems(random, depth, random.IntN(6))...)
	default:
		return hologram.Map(randomItems(random, depth, 2*random.IntN(4))...)
	}
}

// randomItems is nil for none, as a parser returns it.
func randomItems(random *rand.Rand, depth, n int) (items []hologram.Term) {
	for range n {
		items = append(items, randomTerm(random, depth-1))
	}
	return items
}

func randomFloat(random *rand.Rand) float64 {
	hard := []float64{0, math.Copysign(0, -1), 1, -1.5, 1e17, 1e-5, 1e21, 1e-7, 1e100, math.MaxFloat64, math.SmallestNonzeroFloat64, 123456789, 1 << 53}
	if i := random.IntN(2 * len(hard)); i < len(hard) {
		return hard[i]
	}
	for {
		if f := math.Float64frombits(random.Uint64()); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f
		}
	}
}

// problem is the text of an error, "" for none.
func problem(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// nested is a term as deep as that, in either spelling.
func nested(open, middle, end string, depth int) string {
	return strings.Repeat(open, depth) + middle + strings.Repeat(end, depth)
}

// many is a list of n terms, itself not counted in.
func many(term string, n int) string {
	return strings.TrimSuffix(strings.Repeat(term+",", n), ",")
}

// itoa is strconv.Itoa, for the many limits in the tables.
func itoa(n int) string { return strconv.Itoa(n) }
