package scenarios

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The committed schemas are those that the forms and the manuals make.
func TestSchemasAreCurrent(t *testing.T) {
	t.Parallel()
	for _, d := range []dialect{scenarioDialect(), protocolDialect()} {
		made := d.schema(t)
		if *update {
			if err := os.WriteFile(d.file, made, 0o644); err != nil {
				t.Fatal(err)
			}
		} else if !bytes.Equal(made, d.kept) {
			t.Errorf("scenarios/%s is not what the forms and %s make: write it anew by make golden", d.file, d.manual)
		}
	}
}

// current is the schema to look at: the committed one, which is held to be current, or that which is just being written.
func (d *dialect) current(t *testing.T) []byte {
	t.Helper()
	if *update {
		return d.schema(t)
	}
	return d.kept
}

// Each key of the forms stands in the schema, where the forms have it.
func TestSchemaHasEveryKey(t *testing.T) {
	t.Parallel()
	for _, d := range []dialect{scenarioDialect(), protocolDialect()} {
		var root map[string]any
		if err := json.Unmarshal(d.current(t), &root); err != nil {
			t.Fatal(err)
		}
		described := map[string]bool{}
		for _, r := range d.rows(t) {
			described[r.key] = true
		}
		for _, key := range d.allKeys() {
			if found := schemasAt(root, []map[string]any{root}, d.steps(key.path)); len(found) == 0 {
				t.Errorf("the schema of a %s has no %s: write it anew by make golden", d.title, key.path)
			} else if text, _ := found[0]["description"].(string); text == "" && described[key.path] {
				t.Errorf("the schema of a %s does not describe %s", d.title, key.path)
			}
		}
	}
}

// schemasAt follows the steps of a path through a schema.
func schemasAt(root map[string]any, at []map[string]any, steps []string) []map[string]any {
	for _, step := range steps {
		var next []map[string]any
		for _, s := range unfold(root, at) {
			for keyword, inner := range s {
				switch inner, _ := inner.(map[string]any); {
				case keyword == "properties" && inner[step] != nil:
					next = append(next, inner[step].(map[string]any))
				case keyword == "additionalProperties" && step == "NAME" && inner != nil, keyword == "items" && step == "[]":
					next = append(next, inner)
				case keyword == "patternProperties" && step == "METRIC":
					for _, item := range inner {
						next = append(next, item.(map[string]any))
					}
				}
			}
		}
		at = next
	}
	return at
}

// unfold adds what schemas refer to.
func unfold(root map[string]any, at []map[string]any) []map[string]any {
	all := slices.Clone(at)
	for i := 0; i < len(all); i++ {
		if ref, ok := all[i]["$ref"].(string); ok {
			all = append(all, root["$defs"].(map[string]any)[filepath.Base(ref)].(map[string]any))
		}
		either, _ := all[i]["anyOf"].([]any)
		for _, one := range either {
			all = append(all, one.(map[string]any))
		}
	}
	return all
}

// compiled is the schema as a validator.
func (d *dialect) compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	read, err := jsonschema.UnmarshalJSON(bytes.NewReader(d.current(t)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("scenario.json", read); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("scenario.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// plain is what a JSON Schema sees of a YAML document.
func plain(n *node) any {
	switch n.kind {
	case mappingNode:
		all := map[string]any{}
		for _, e := range n.entries {
			all[e.key.text] = plain(e.value)
		}
		return all
	case listNode:
		all := make([]any, 0)
		for _, item := range n.items {
			all = append(all, plain(item))
		}
		return all
	case scalarNode:
		return plainScalar(n)
	default:
		return nil
	}
}

var number = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

func plainScalar(n *node) any {
	switch {
	case n.origin == "" || strings.ContainsAny(n.origin[:1], "\"'\n"):
		return n.text
	case n.text == "true" || n.text == "false":
		return n.text == "true"
	case number.MatchString(n.text):
		return json.Number(n.text)
	}
	return n.text
}

// scenarioFiles are all scenarios of the repository, and those of the documents.
func scenarioFiles(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"../scenarios.yaml", "demo.yaml", "soak.yaml", "library/*.yaml", "starters/*.yaml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all[path] = string(text)
		}
	}
	for i, block := range strings.Split(manual(t), "```yaml\n")[1:] {
		body, _, _ := strings.Cut(block, "```")
		if strings.HasPrefix(body, "version:") {
			all["docs/scenarios.md, block "+string(rune('a'+i))] = body
		}
	}
	if len(all) < 10 {
		t.Fatalf("%d scenarios found", len(all))
	}
	return all
}

// The schema takes every scenario that there is.
func TestSchemaTakesEveryScenario(t *testing.T) {
	t.Parallel()
	d := scenarioDialect()
	s := d.compiled(t)
	for path, text := range scenarioFiles(t) {
		f := new(faults)
		root := parseYAML(text, f)
		if root == nil {
			t.Errorf("%s is no YAML: %v", path, f.list)
			continue
		}
		if err := s.Validate(plain(root)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// The schemas take what the manuals show of each key.
func TestSchemasTakeEveryExample(t *testing.T) {
	t.Parallel()
	for _, d := range []dialect{scenarioDialect(), protocolDialect()} {
		s := d.compiled(t)
		for _, r := range d.rows(t) {
			t.Run(d.title+" "+r.key, func(t *testing.T) {
				t.Parallel()
				if err := s.Validate(plain(d.documentOf(t, r))); err != nil {
					t.Errorf("%s: %v", r.example, err)
				}
			})
		}
	}
}

// The schema of protocol files takes those of the library.
func TestSchemaTakesEveryProtocol(t *testing.T) {
	t.Parallel()
	d := protocolDialect()
	s := d.compiled(t)
	paths, err := filepath.Glob("library/protocols/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(plain(parseYAML(string(text), new(faults)))); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// The patterns of the schema take what the readers of units.go take.
func TestSchemaReadsValuesAsTheReaderDoes(t *testing.T) {
	t.Parallel()
	for form, known := range valueSchemas() {
		var pattern string
		for _, m := range known.value.(object) {
			if m.name == "pattern" {
				pattern = m.value.(string)
			}
		}
		if pattern == "" {
			continue
		}
		matches := regexp.MustCompile(pattern).MatchString
		for _, value := range []string{
			"", "0", "10", "10s", "0s", "1h30m", "1.5s", ".5s", "1.s", "-1s", "+1s", "10 s", "1e3s", "10us", "10µs", "1d", "s", "5/s", "30/m", "1.5/ms", "5/d", "/s", "5", "-5/s", "5rps",
			"200B", "4KiB", "64KiB/s", "500B/s", "64KiB/m", "1kB", "2MiB", "4K", "4KB", ".5KiB", "-4B", "5s..35s", "0s..1m", "5..35s", "5s..", "..5s", "5s..6s..7s",
		} {
			if read := reflect.New(form).Interface().(leaf).read(value) == nil; read != matches(value) {
				t.Errorf("%s: the reader takes %q: %v, the schema: %v", known.name, value, read, matches(value))
			}
		}
	}
}
