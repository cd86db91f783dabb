package scenarios

import (
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

func manual(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// keys lists the paths of all keys of a form: names of the user's own as NAME (METRIC for budgets), items of lists as [].
func keys(form reflect.Type, path string) []string {
	var all []string
	for _, wrapper := range []struct{ field, suffix string }{{"list", ".NAME"}, {"items", "[]"}} {
		field, ok := form.FieldByName(wrapper.field)
		if !ok || field.Type.Kind() != reflect.Slice {
			continue
		}
		item := field.Type.Elem().Elem()
		if inner, named := item.FieldByName("form"); named {
			item = inner.Type
		}
		suffix := wrapper.suffix
		if path == "budgets" {
			suffix = ".METRIC"
		}
		return append(all, keys(item, path+suffix)...)
	}
	for field := range form.Fields() {
		tag, ok := field.Tag.Lookup("yaml")
		if !ok {
			continue
		}
		sub := strings.TrimPrefix(path+"."+tag, ".")
		all = append(append(all, sub), keys(field.Type, sub)...)
	}
	return all
}

// Every key that the forms have is explained in the manual.
func TestManualExplainsEveryKey(t *testing.T) {
	t.Parallel()
	text := manual(t)
	all := keys(reflect.TypeFor[fileForm](), "")
	for _, key := range all {
		if !strings.Contains(text, "\n| `"+key+"` | ") {
			t.Errorf("docs/scenarios.md has no row for `%s`: add one with its unit, default, meaning and an example", key)
		}
	}
	for _, some := range []string{"load.NAME.by.only", "load.NAME.stages[].rate", "budgets.METRIC[].threshold", "clients.NAME.channel.pattern"} {
		if !strings.Contains(strings.Join(all, "\n"), some) {
			t.Errorf("the walk over the forms does not find %s", some)
		}
	}
	for line := range strings.Lines(text) {
		key, _, ok := strings.Cut(strings.TrimPrefix(line, "| `"), "` | ")
		if _, _, section := strings.Cut(key, "."); strings.HasPrefix(line, "| `") && ok && section {
			if !strings.Contains("\n"+strings.Join(all, "\n")+"\n", "\n"+key+"\n") && key != "budgets.METRIC" {
				t.Errorf("docs/scenarios.md explains `%s`, which is no key", key)
			}
		}
	}
}

// The manual's table of designs says what a design sets its knobs to.
func TestManualSaysWhatADesignIs(t *testing.T) {
	t.Parallel()
	text := manual(t)
	for _, design := range designs() {
		k := ownKnobs(design)
		row := "\n| " + strings.Join([]string{design, k.Dispatch, k.Stamp, k.Echo, k.WhenFull, strconv.Itoa(k.Replay)}, " | ") + " |\n"
		if !strings.Contains(text, row) {
			t.Errorf("docs/scenarios.md has no row %s", row)
		}
	}
}

// No key is a word that some YAML reads as a boolean.
func TestKeysAreNoBooleans(t *testing.T) {
	t.Parallel()
	for _, key := range keys(reflect.TypeFor[fileForm](), "") {
		if word := key[strings.LastIndex(key, ".")+1:]; isReserved(word) {
			t.Errorf("the key %s reads as something else in YAML 1.1", key)
		}
	}
}

// The manual's table of metrics is that of the code.
func TestManualListsEveryMetric(t *testing.T) {
	t.Parallel()
	text := manual(t)
	for _, m := range Metrics() {
		tags := strings.Join(m.Tags, ", ")
		if tags == "" {
			tags = "-"
		}
		row := "\n| `" + m.Name + "` | " + string(m.Type) + " | " + string(m.Unit) + " | " + tags + " | " + m.Meaning + " |\n"
		if !strings.Contains(text, row) {
			t.Errorf("docs/scenarios.md has no row %s", row)
		}
	}
}

// Every whole scenario of the manual is one.
func TestManualsExamplesParse(t *testing.T) {
	t.Parallel()
	found := 0
	for i, block := range strings.Split(manual(t), "```yaml\n") {
		body, _, closed := strings.Cut(block, "\n```")
		if i == 0 || !closed || !strings.HasPrefix(body, "version:") {
			continue
		}
		found++
		if f, err := Parse("docs.yaml", []byte(body), nil); err != nil {
			t.Error(err)
		} else if warnings := f.Warnings(Machine{}); warnings != nil {
			t.Errorf("example %d: %v", found, warnings)
		}
	}
	if found < 2 {
		t.Errorf("%d examples found", found)
	}
}

// Each example in a table of keys is YAML that the form of its section takes.
func TestManualsExamplesOfKeys(t *testing.T) {
	t.Parallel()
	found := 0
	for line := range strings.Lines(manual(t)) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if len(cells) != 5 || !strings.HasPrefix(cells[0], "| `") {
			continue
		}
		example := strings.Trim(strings.TrimSuffix(cells[4], " |"), "`")
		key := strings.Trim(strings.TrimPrefix(cells[0], "| "), "`")
		word, _, _ := strings.Cut(strings.TrimSuffix(key[strings.LastIndex(key, ".")+1:], "[]"), "[")
		if _, metric := Metric(key); metric || example == "see below" || !strings.Contains(example, ": ") {
			continue
		}
		found++
		f := new(faults)
		root := parseYAML(example, f)
		if root == nil || len(f.list) > 0 || root.kind != mappingNode {
			t.Errorf("the example of %s is no YAML: %s: %v", key, example, f.list)
			continue
		}
		if first := root.entries[0].key.text; word != "METRIC" && word != "threshold" && !strings.Contains(key, first) {
			t.Errorf("the example of %s is about %s", key, first)
		}
	}
	if found < 20 {
		t.Errorf("%d examples found", found)
	}
}

// The error that the manual shows is the one that is printed.
func TestManualShowsARealError(t *testing.T) {
	t.Parallel()
	const wrong = "version: 1\nserver: {bundled: {design: hologram}}\nclients: {members: {count: 10, channel: lobby}}\nload:\n talk:\n" +
		"  ratee: 10/s\n  by: members\n  for: 2s\n"
	_, err := Parse("wrong.yaml", []byte(wrong), nil)
	if err == nil || !strings.Contains(manual(t), "  "+strings.ReplaceAll(err.Error(), "\n", "\n  ")+"\n  ```") {
		t.Errorf("docs/scenarios.md does not show\n%v", err)
	}
}
