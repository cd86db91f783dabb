package scenarios

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Every kind of value of the language is read here and nowhere else. The types below are what stands in the forms: each
// knows its place in the file, so that what is found out later about its value can still be reported there.

// spot is the place of a part of the file.
type spot struct {
	at     *node  // nil = it does not stand in the file
	path   string // its keys, for messages: "load.talk.rate"
	broken bool   // something in it was reported already
}

func (s *spot) mark(at *node, path string) { s.at, s.path = at, path }

func (s *spot) markBroken() { s.broken = true }

// given tells whether it stands in the file.
func (s *spot) given() bool { return s.at != nil }

// usable tells whether it stands in the file and could be read.
func (s *spot) usable() bool { return s.at != nil && !s.broken }

type (
	text     struct{ stringValue }           // any text
	integer  struct{ value[uint64] }         // 42
	boolean  struct{ value[bool] }           // true, false
	duration struct{ value[time.Duration] }  // 250ms, 10s, 1h30m
	rate     struct{ value[float64] }        // 200/s; a second
	size     struct{ value[int] }            // 200B, 4KiB; in bytes
	interval struct{ value[intervalBounds] } // 5s..35s
	share    struct{ value[float64] }        // 30%; from 0 to 1
	factor   struct{ value[float64] }        // 1.5

	throughput struct{ value[float64] } // 64KiB/s; bytes a second
)

type stringValue = value[string]

// value is a value with its place.
type value[T any] struct {
	spot
	v T
}

// or is the value, or that default when it does not stand in the file.
func (x *value[T]) or(unset T) T {
	if !x.usable() {
		return unset
	}
	return x.v
}

type intervalBounds struct{ from, to time.Duration }

func (t *text) read(s string) error { //nolint:unparam // a leaf can fail, this one cannot
	t.v = s
	return nil
}

func (i *integer) read(s string) (err error) {
	i.v, err = parseInteger(s)
	return err
}

func (b *boolean) read(s string) error {
	if s != "true" && s != "false" {
		return problem(quote(s)+" is neither true nor false", "write true or false")
	}
	b.v = s == "true"
	return nil
}

func (d *duration) read(s string) (err error) {
	d.v, err = parseDuration(s)
	return err
}

func (r *rate) read(s string) (err error) {
	r.v, err = ParseRate(s)
	return err
}

func (b *size) read(s string) (err error) {
	b.v, err = parseSize(s)
	return err
}

func (i *interval) read(s string) (err error) {
	i.v, err = parseInterval(s)
	return err
}

func (n *factor) read(s string) error {
	v, err := parseNumber(s)
	if err != nil {
		return problem(quote(s)+" is no number", "write digits, and a point where it has a fraction: 2, 1.5")
	}
	n.v = v
	return nil
}

func (t *throughput) read(s string) (err error) {
	t.v, err = parseThroughput(s)
	return err
}

func (p *share) read(s string) (err error) {
	p.v, err = parseShare(s)
	return err
}

// parseInteger reads a decimal integer of at least 0.
func parseInteger(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, problem(quote(s)+" is no whole number", "write digits only: 2000, not 2,000 or 2e3")
	}
	return n, nil
}

// parseDuration reads a Go duration of at least 0; a unit is required, also behind a zero.
func parseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || strings.ContainsAny(s, "+-") || !strings.ContainsAny(s, "smh") {
		return 0, problem(quote(s)+" is no duration", "write a number and a unit (us, ms, s, m, h): 250ms, 10s, 1h30m")
	}
	return d, nil
}

// ParseRate reads a number per ms, s, m or h, such as 200/s, and returns it per second.
func ParseRate(s string) (float64, error) {
	number, per, _ := strings.Cut(s, "/")
	n, err := parseNumber(number)
	seconds := 0.0
	switch per {
	case "ms":
		seconds = 1e-3
	case "s":
		seconds = 1
	case "m":
		seconds = 60
	case "h":
		seconds = 3600
	}
	if err != nil || seconds == 0 {
		return 0, problem(quote(s)+" is no rate", "write a number and its unit of time (ms, s, m, h): 200/s, 30/m")
	}
	return n / seconds, nil
}

// parseSize reads a number of bytes with its unit.
func parseSize(s string) (int, error) {
	number := strings.TrimRight(s, "BKikM")
	n, err := parseNumber(number)
	unit := 0.0
	switch s[len(number):] {
	case "B":
		unit = 1
	case "kB":
		unit = 1000
	case "KiB":
		unit = 1 << 10
	case "MiB":
		unit = 1 << 20
	}
	n *= unit
	if err != nil || unit == 0 || n != math.Trunc(n) || n > 1<<40 {
		return 0, problem(quote(s)+" is no size", "write a number and its unit (B, kB, KiB, MiB): 200B, 4KiB")
	}
	return int(n), nil
}

// parseThroughput reads a size per second, and returns bytes a second.
func parseThroughput(s string) (float64, error) {
	number, perSecond := strings.CutSuffix(s, "/s")
	n, err := parseSize(number)
	if err != nil || !perSecond {
		return 0, problem(quote(s)+" is no throughput", "write a size and /s: 64KiB/s, 500B/s")
	}
	return float64(n), nil
}

// parseShare reads a number of percent from 0 to 100.
func parseShare(s string) (float64, error) {
	number, percent := strings.CutSuffix(s, "%")
	n, err := parseNumber(number)
	if err != nil || !percent || n > 100 {
		return 0, problem(quote(s)+" is no share", "write a number of percent, from 0% to 100%: 30%, 0.5%")
	}
	return n / 100, nil
}

// parseInterval reads two durations with two dots between them.
func parseInterval(s string) (intervalBounds, error) {
	from, to, ok := strings.Cut(s, "..")
	a, errA := parseDuration(from)
	b, errB := parseDuration(to)
	if !ok || errA != nil || errB != nil {
		return intervalBounds{}, problem(quote(s)+" is no interval", "write its two ends, with a unit each: 5s..35s")
	}
	if a == b {
		return intervalBounds{}, problem("the interval "+quote(s)+" is empty", "let it end after it begins: 5s..35s")
	}
	if a > b {
		return intervalBounds{}, problem("the interval "+quote(s)+" ends before it has begun", "write the earlier end first: "+to+".."+from)
	}
	return intervalBounds{a, b}, nil
}

// checkName holds the names that a scenario gives to its parts to letters, digits, "-" and "_": they stand in selectors,
// in keys, and in file names.
func checkName(name string) error {
	ok := name != "" && len(name) <= maxName && isLetter(rune(name[0]))
	for _, r := range name {
		ok = ok && (isLetter(r) || r >= '0' && r <= '9' || r == '-' || r == '_')
	}
	if !ok {
		return problem(quote(name)+" is no name", "begin with a letter, go on with letters, digits, - and _, at most "+strconv.Itoa(maxName))
	}
	if isReserved(name) {
		return problem("the name "+quote(name)+" means something else in YAML", "take another name")
	}
	return nil
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

// isReserved tells whether some version of YAML reads the word as true, false or nothing.
func isReserved(word string) bool {
	switch strings.ToLower(word) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null", "":
		return true
	}
	return false
}

// checkLabel is checkPlainLabel for a name in which nothing is filled in.
func checkLabel(label string) error {
	if err := checkPlainLabel(label); err != nil {
		return err
	}
	return checkLiteral(label)
}

// checkPlainLabel holds the names of channels and commands to printable text of a length that the target takes.
func checkPlainLabel(label string) error {
	switch {
	case label == "":
		return problem("the name is empty", "")
	case len(label) > maxChannel:
		return problem("the name has "+strconv.Itoa(len(label))+" bytes, the limit is "+strconv.Itoa(maxChannel), "")
	case !utf8.ValidString(label) || strings.ContainsFunc(label, func(r rune) bool { return !unicode.IsPrint(r) }):
		return problem("the name "+quote(label)+" has characters that cannot be printed", "")
	}
	return nil
}

// checkLiteral refuses "${" where it would stand for itself: whoever writes it expects something else.
func checkLiteral(s string) error {
	if at := strings.Index(s, "${"); at >= 0 {
		name, _, _ := strings.Cut(s[at:], "}")
		return problem("nothing is filled in for "+quote(name+"}")+" here",
			"write it out; texts, channels and headers are filled in: docs/scenarios.md says with what")
	}
	return nil
}
