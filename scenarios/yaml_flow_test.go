package scenarios

import "testing"

// What looks odd and is right stays right.
func TestFlowStyleThatIsRight(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"JSON":               "{\n\"a\":1,\n\"b\":[true,null,\"c\"]\n}",
		"hardly indented":    "a:\n  b: [\n  c,\n  d\n  ]\n",
		"closed below":       "a: {\n  b: c\n}\nd: e\n",
		"commas at the end":  "{a: b, c: [d, e,],}",
		"no value, a colon":  "a: {b: , c: d}",
		"comments":           "a: { # one\n  b: c, # two, with {\n  # three\n  d: e }\n",
		"anchors and merges": "a: &a {b: c}\nd: &d [e, f]\ng: {<<: *a, h: *d, i: &i j}\nk: [*i, *d]\n",
		"colons inside":      "a: {b: c:d, e: http://f:1/g, h: 10:30, i: \"j: k\"}",
		"parentheses":        "a: [p(99)<1s, \"p(99,9)\"]\nb: {c: d(e), f: (g}",
		"brackets in block":  "a: b{c}[d]\ne{f}: g\n",
		"quotes in a text":   "a: b \"c\" d\nb: it's\nc: ['it''s', \"a \\\" b\"]\n",
		"text of many lines": "a: |\n  b: {c\n  \"d\n  “e”\nf: >-\n  g, [h\n",
		"two lines of text":  "a: {b: c, e: \"f\n    g\"}",
		"a sequence of keys": "- a: {b: c}\n- {d: e}\n- [f]\n- g\n",
	} {
		f := new(faults)
		if parseYAML(text, f) == nil || len(f.list) > 0 {
			t.Errorf("%s: %v\n%s", name, f.list, text)
		}
	}
}
