package scenarios

import (
	"regexp"
	"strings"
	"testing"
)

func TestSelectors(t *testing.T) {
	t.Parallel()
	header := func(name string) string { return map[string]string{"etag": `W/"12"`}[name] }
	tests := []struct {
		selector Selector
		body     string
		want     string // "-" = there is no such part
	}{
		{Selector{}, "all of it", "all of it"},
		{Selector{}, "", ""},
		{Selector{JSON: "a.b"}, `{"a": {"b": "x"}}`, "x"},
		{Selector{JSON: "a.b"}, `{"a": {"b": ""}}`, ""},
		{Selector{JSON: "a.c"}, `{"a": {"b": "x"}}`, "-"},
		{Selector{JSON: "a"}, "<html>", "-"},
		{Selector{Regex: `value="([^"]+)"`}, `<input value="x1">`, "x1"},
		{Selector{Regex: `x\d`}, `<input value="x1">`, "x1"},
		{Selector{Regex: `(a)|b`}, "b", "-"},
		{Selector{Regex: `y`}, "x", "-"},
		{Selector{Regex: `(\d+)`}, "\xff\xfe12\x00", "12"},
		{Selector{Header: "etag"}, "body", `W/"12"`},
		{Selector{Header: "etag", Regex: `"(\d+)"`}, "body", "12"},
		{Selector{Header: "location"}, "body", "-"},
		{Selector{JSON: "a["}, `{"a": 1}`, "-"},
		{Selector{Regex: "("}, "(", "-"},
	}
	for _, test := range tests {
		compiled, err := test.selector.Compile()
		if broken := test.selector.JSON == "a[" || test.selector.Regex == "("; broken != (err != nil) {
			t.Errorf("%+v: %v", test.selector, err)
		}
		for _, s := range []Selector{test.selector, compiled} {
			got, ok := s.Find([]byte(test.body), header)
			if !ok {
				got = "-"
			}
			if got != test.want {
				t.Errorf("%+v in %q: got %q, want %q", s, test.body, got, test.want)
			}
		}
	}
	if got, ok := (&Selector{Header: "etag"}).Find(nil, nil); ok {
		t.Errorf("without header fields there is %q", got)
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	tests := []struct {
		match Match
		text  string
		want  bool
	}{
		{Match{By: Selector{JSON: "done"}, Is: "true"}, `{"done": true}`, true},
		{Match{By: Selector{JSON: "done"}, Is: "true"}, `{"done": false}`, false},
		{Match{By: Selector{JSON: "done"}}, `{"done": false}`, true},
		{Match{By: Selector{JSON: "done"}}, `{}`, false},
		{Match{By: Selector{Regex: "END"}}, "the END.", true},
	}
	for _, test := range tests {
		if got := test.match.Met([]byte(test.text)); got != test.want {
			t.Errorf("%+v of %s: %v", test.match, test.text, got)
		}
	}
}

func TestComparisons(t *testing.T) {
	t.Parallel()
	tests := []struct {
		value   string
		is      Comparison
		operand string
		want    bool
	}{
		{"409", Is, "409", true},
		{"409", Is, "0409", false},
		{"", Is, "", true},
		{"a", IsNot, "b", true},
		{"a", IsNot, "a", false},
		{"9", IsBelow, "10", true},
		{"10", IsBelow, "10", false},
		{"10", IsAtMost, "10.0", true},
		{"1e2", IsAbove, "99.5", true},
		{"-1", IsAtLeast, "-1.5", true},
		{"9007199254740993", IsAbove, "9007199254740992", true},
		{"12 items", IsAbove, "1", false},
		{"12 items", IsAtMost, "1", false},
		{"", IsBelow, "1", false},
		{"NaN", IsBelow, "1", false},
		{"Inf", IsAbove, "1", false},
		{"0x10", IsAbove, "1", false},
		{"1e999", IsAbove, "1", false},
		{"hello", Contains, "ell", true},
		{"hello", Contains, "", true},
		{"hello", Contains, "x", false},
		{"id=12", Matches, `^id=\d+$`, true},
		{"id=x", Matches, `^id=\d+$`, false},
		{"(", Matches, "(", false},
		{"a", "else", "a", false},
	}
	for _, test := range tests {
		if got := test.is.Holds(test.value, test.operand); got != test.want {
			t.Errorf("%q %s %q: %v", test.value, test.is, test.operand, got)
		}
	}
}

// Foreign texts compare without a panic, and each comparison of numbers with its opposite is right at most once.
func FuzzComparisons(f *testing.F) {
	f.Add("409", "409.0")
	f.Add("\xff", "(?i)[a")
	f.Add("9223372036854775808", "9223372036854775807")
	f.Add("1e400", "-0")
	f.Fuzz(func(t *testing.T, value, operand string) {
		holds := func(c Comparison) bool { return c.Holds(value, operand) }
		if holds(Is) == holds(IsNot) {
			t.Error("it is and is not")
		}
		if holds(IsBelow) && (holds(IsAtLeast) || holds(IsAbove) || !holds(IsAtMost)) || holds(IsAbove) && (holds(IsAtMost) || !holds(IsAtLeast)) {
			t.Error("it is below and above")
		}
		if holds(IsBelow) && !IsAbove.Holds(operand, value) {
			t.Error("it is below what is not above it")
		}
		if holds(Is) && (!holds(Contains) || holds(IsBelow) || holds(IsAbove)) {
			t.Error("it is not what it is")
		}
		if pattern, err := regexp.Compile(operand); holds(Matches) != (err == nil && pattern.MatchString(value)) {
			t.Error("it matches")
		}
	})
}

// A selector finds in foreign bytes what is there, or nothing.
func FuzzSelector(f *testing.F) {
	f.Add([]byte(`{"a": [{"b": "x"}]}`), "a[0].b", "x")
	f.Add([]byte("id=12\xff"), "a", `id=(\d+)`)
	f.Fuzz(func(t *testing.T, body []byte, path, pattern string) {
		if len(pattern) > 100 || strings.Count(pattern, "{") > 1 {
			return // an expression of the user's own, and these can be slow by themselves
		}
		for _, s := range []Selector{{JSON: path}, {Regex: pattern}} {
			compiled, err := s.Compile()
			got, ok := s.Find(body, nil)
			again, okAgain := compiled.Find(body, nil)
			if got != again || ok != okAgain || err != nil && ok {
				t.Errorf("%+v: got %q %v, compiled %q %v (%v)", s, got, ok, again, okAgain, err)
			}
			if s.Regex != "" && ok && !strings.Contains(string(body), got) {
				t.Errorf("%+v finds %q, which is not there", s, got)
			}
		}
	})
}
