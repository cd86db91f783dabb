package scenarios

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestJSONPaths(t *testing.T) {
	t.Parallel()
	const document = ` {"a": 1, "b" : {"c": [10, {"d": "x\ny"}, null, [true, -1.5e3]], "e\u0041": {}}, "": "n", "t": "\ud83d\ude00\ud83d", "a": 2} `
	tests := []struct{ path, want string }{
		{"a", "1"},
		{"b.c[0]", "10"},
		{"b.c[1].d", "x\ny"},
		{"b.c[2]", "null"},
		{"b.c[3][0]", "true"},
		{"b.c[3][1]", "-1.5e3"},
		{"b.c[3]", "[true, -1.5e3]"},
		{"b.c[4]", "-"},
		{"b.eA", "{}"},
		{"b.eA.x", "-"},
		{"b.x", "-"},
		{"a.x", "-"},
		{"a[0]", "-"},
		{"[0]", "-"},
		{"t", "\U0001f600\ufffd"},
	}
	for _, test := range tests {
		path, err := parseJSONPath(test.path)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := path.find([]byte("<"), []byte(document))
		if !ok {
			got = append(got, '-')
		}
		if string(got) != "<"+test.want {
			t.Errorf("%s: got %q, want %q", test.path, got, "<"+test.want)
		}
	}
	for _, text := range []string{".", "a.", ".a", "a..b", "[", "[]", "[-1]", "[1", "a]b[", "[99999999999]", "a[0]b", strings.Repeat("a.", 64) + "a"} {
		if _, err := parseJSONPath(text); err == nil {
			t.Errorf("%q is a path", text)
		}
	}
}

// Foreign text that is no JSON has no parts, or some, and never a panic.
func TestJSONPathsOfBrokenText(t *testing.T) {
	t.Parallel()
	path, err := parseJSONPath("a[1].b")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "{", "{\"a", "{\"a\":", "{\"a\":[", "{\"a\":[1,", "{\"a\":[1,{\"b\"", "{\"a\":[1,{\"b\":\"", "{\"a\":[1,{\"b\":\"\\", "[]", "\"", "}", "{\"a\":}", "{\"a\":[,]}"} {
		if got, ok := path.find(nil, []byte(text)); ok {
			t.Errorf("%q has %q", text, got)
		}
	}
}

// reference finds a part by encoding/json, which builds everything; the first of two equal keys counts.
func reference(text []byte, path jsonPath) (part string, ok bool) {
	for _, step := range path {
		d := json.NewDecoder(bytes.NewReader(text))
		open, err := d.Token()
		if err != nil || step.index < 0 && open != json.Delim('{') || step.index >= 0 && open != json.Delim('[') {
			return "", false
		}
		found := false
		for i := 0; d.More() && !found; i++ {
			key := json.Token(nil)
			if step.index < 0 {
				if key, err = d.Token(); err != nil {
					return "", false
				}
			}
			var value json.RawMessage
			if err := d.Decode(&value); err != nil {
				return "", false
			}
			if step.index < 0 && key == step.key || step.index >= 0 && i == step.index {
				text, found = value, true
			}
		}
		if !found {
			return "", false
		}
	}
	text = bytes.TrimSpace(text)
	if text[0] != '"' {
		return string(text), true
	}
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return "", false
	}
	return s, true
}

// The walker agrees with encoding/json on all that is JSON, and stays inside of all that is not.
func FuzzJSONPath(f *testing.F) {
	f.Add([]byte(`{"a": [1, {"b": "x\u00e9\n"}], "a": 2}`), "a[1].b")
	f.Add([]byte(`[[], {}, "\ud83d\ude00", -1e3]`), "[2]")
	f.Add([]byte(`{"a\u0062": {"": null}}`), "ab")
	f.Add([]byte(`{"a":[}`), "a[0]")
	f.Add([]byte("\"\\"), "a")
	f.Fuzz(func(t *testing.T, text []byte, spelled string) {
		path, err := parseJSONPath(spelled)
		if err != nil {
			return
		}
		before := slices.Clone(text)
		got, ok := path.find([]byte("<"), text)
		if !bytes.Equal(before, text) || got[0] != '<' {
			t.Fatalf("%q was changed", before)
		}
		if !json.Valid(text) {
			return
		}
		want, known := reference(text, path)
		if ok != known || ok && string(got[1:]) != want {
			t.Errorf("%s of %q: got %q %v, want %q %v", spelled, text, got[1:], ok, want, known)
		}
	})
}
