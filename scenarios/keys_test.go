package scenarios

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every key that the forms have is explained in the manual, with its unit, its default and an example that parses, and the
// manual explains no other.
func TestManualExplainsEveryKey(t *testing.T) {
	t.Parallel()
	d := scenarioDialect()
	rows := map[string]row{}
	for _, r := range d.rows(t) {
		if _, twice := rows[r.key]; twice {
			t.Errorf("docs/scenarios.md explains `%s` twice", r.key)
		}
		rows[r.key] = r
	}
	var known []string
	for _, key := range d.allKeys() {
		known = append(known, key.path)
	}
	for _, key := range d.keysToExplain() {
		r, ok := rows[key.path]
		if !ok {
			t.Errorf("docs/scenarios.md has no row for `%s`: add one with its unit, default, meaning and an example", key.path)
			continue
		}
		if unit := unitOf(key.form); unit != "" && !strings.HasPrefix(r.unit, unit) {
			t.Errorf("docs/scenarios.md says that the unit of `%s` is %q, it is %q", key.path, r.unit, unit)
		}
		if r.unit == "" || r.unset == "" || r.meaning == "" {
			t.Errorf("docs/scenarios.md: the row of `%s` has an empty column: %q", key.path, r)
		}
	}
	for _, some := range []string{"load.NAME.by.only", "load.NAME.stages[].rate", "budgets.METRIC[].threshold", "clients.NAME.channel.pattern"} {
		if !slices.Contains(known, some) {
			t.Errorf("the walk over the forms does not find %s", some)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(rows)) {
		if !slices.Contains(known, path) && !strings.HasSuffix(path, ".METRIC") && !strings.HasSuffix(path, ".NAME") {
			t.Errorf("docs/scenarios.md explains `%s`, which is no key", path)
		}
	}
}

// unitOf is the word of the manual for what a form of a single value takes; "" when there are several.
func unitOf(form reflect.Type) string {
	switch form {
	case reflect.TypeFor[integer]():
		return "count"
	case reflect.TypeFor[boolean]():
		return "true, false"
	case reflect.TypeFor[duration]():
		return "duration"
	case reflect.TypeFor[rate]():
		return "rate"
	case reflect.TypeFor[size]():
		return "size"
	case reflect.TypeFor[interval]():
		return "interval"
	case reflect.TypeFor[share]():
		return "share"
	}
	return ""
}

// Each example of the manual parses where its key stands, and means the same in block and in flow style.
func TestExamplesReadTheSameInBothStyles(t *testing.T) {
	t.Parallel()
	d := scenarioDialect()
	for _, r := range d.rows(t) {
		t.Run(r.key, func(t *testing.T) {
			t.Parallel()
			whole := d.documentOf(t, r)
			block, flow := render(whole, false), render(whole, true)
			want, err := parseAs(block)
			if err != nil {
				t.Fatal(err)
			}
			got, err := parseAs(flow)
			if err != nil {
				t.Fatalf("in flow style: %v", err)
			}
			if a, b := spread(t, want), spread(t, got); a != b {
				t.Errorf("block style:\n%s\nreads as\n%s\nflow style:\n%s\nreads as\n%s", block, a, flow, b)
			}
		})
	}
}

var linesOfSteps = regexp.MustCompile(`"Line":\d+`)

// spread writes a scenario out, without the text that it came from and the lines in it.
func spread(t *testing.T, f *File) string {
	t.Helper()
	f.Text = ""
	out, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return linesOfSteps.ReplaceAllString(string(out), `"Line":0`)
}

// No key is a word that some YAML reads as a boolean or as nothing, and none needs quotes in flow style.
func TestKeysAreNoBooleans(t *testing.T) {
	t.Parallel()
	plain := regexp.MustCompile(`^[a-z][a-z0-9_]*$|^abortOnFail$|^delayAbortEval$`) // the two are words of k6
	d := scenarioDialect()
	for _, key := range d.allKeys() {
		word := key.path[strings.LastIndex(key.path, ".")+1:]
		if isReserved(word) {
			t.Errorf("the key %s reads as something else in YAML 1.1", key.path)
		}
		if !plain.MatchString(word) {
			t.Errorf("the key %s is not of small letters, digits and _", key.path)
		}
	}
}

// No word that stands for a value of the language is read as a boolean by some YAML, and none needs quotes in flow style.
func TestWordsNeedNoQuotes(t *testing.T) {
	t.Parallel()
	found := 0
	d := scenarioDialect()
	for path, words := range d.words(t) {
		for _, word := range words {
			found++
			if isReserved(word) || strings.ContainsAny(word, ",(){}[]:#&*!|>'\"%@` ") {
				t.Errorf("%s: the word %q needs quotes", path, word)
			}
		}
	}
	if found < 30 {
		t.Errorf("%d words found", found)
	}
}

// words are the words that keys take which take nothing else. They are asked of the reader itself, by a word that it
// does not know in the place of each text of the manual's examples.
func (d *dialect) words(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	forms := map[string]reflect.Type{}
	for _, key := range d.allKeys() {
		forms[key.path] = key.form
	}
	for _, r := range d.rows(t) {
		form, ok := forms[r.key]
		if !ok || !takesText(form) {
			continue
		}
		err := d.read(render(withValue(d.documentOf(t, r), d.steps(r.key), "nonsense"), false))
		all, _ := errors.AsType[Errors](err)
		for _, e := range all {
			_, listed, ok := strings.Cut(e.Remedy, "write one of ")
			if strings.HasSuffix(e.Message, `unknown word "nonsense"`) && ok {
				found[r.key] = strings.Split(listed, ", ")
			} else if strings.HasSuffix(e.Message, `unknown word "nonsense"`) {
				word, _, _ := strings.Cut(strings.TrimPrefix(e.Remedy, "write "), ",")
				found[r.key] = strings.Split(word, " or ")
			}
		}
	}
	return found
}

// takesText tells whether a form is a text, or can be written as one.
func takesText(form reflect.Type) bool {
	if s := shapeOf(form); s.short != nil {
		form = s.short
	}
	return form == reflect.TypeFor[text]()
}

// withValue returns the document with another value at the key that steps lead to.
func withValue(n *node, steps []string, value string) *node {
	if len(steps) == 0 {
		return &node{kind: scalarNode, text: value, origin: value}
	}
	changed := *n
	switch n.kind { //nolint:exhaustive // nothing is inside of the others
	case listNode:
		changed.items = slices.Clone(n.items)
		for i, item := range changed.items {
			changed.items[i] = withValue(item, steps[1:], value)
		}
	case mappingNode:
		changed.entries = slices.Clone(n.entries)
		for i, e := range changed.entries {
			if e.key.text == steps[0] || steps[0] == strings.ToUpper(steps[0]) {
				changed.entries[i].value = withValue(e.value, steps[1:], value)
			}
		}
	}
	return &changed
}
