package scenarios

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// object is a JSON object whose members stay in their order: that of the language.
type object []member

type member struct {
	name  string
	value any
}

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, part := range []any{m.name, m.value} {
			if j > 0 {
				b.WriteByte(':')
			}
			text, err := plainJSON(part)
			if err != nil {
				return nil, err
			}
			b.Write(text)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// plainJSON is json.Marshal that leaves < and > as they are: thresholds are full of them.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// The patterns of single values. A test holds them against the readers in units.go.
const (
	durationPattern = `([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)`
	numberPattern   = `([0-9]+(\.[0-9]*)?|\.[0-9]+)`
	namePattern     = `^[A-Za-z][A-Za-z0-9_-]{0,63}$`
)

func patternOf(example, pattern string) object {
	return object{{"type", "string"}, {"pattern", "^(" + pattern + ")$"}, {"examples", []string{example}}}
}

// valueSchemas are the schemas of the forms of single values, by the names under which they stand in the schema.
func valueSchemas() map[reflect.Type]member {
	return map[reflect.Type]member{
		reflect.TypeFor[text]():       {"text", object{{"type", []string{"string", "number", "boolean"}}}},
		reflect.TypeFor[integer]():    {"count", object{{"type", "integer"}, {"minimum", 0}}},
		reflect.TypeFor[boolean]():    {"boolean", object{{"type", "boolean"}}},
		reflect.TypeFor[duration]():   {"duration", patternOf("250ms", "("+durationPattern+")+")},
		reflect.TypeFor[rate]():       {"rate", patternOf("200/s", numberPattern+"/(ms|s|m|h)")},
		reflect.TypeFor[size]():       {"size", patternOf("4KiB", numberPattern+"(B|kB|KiB|MiB)")},
		reflect.TypeFor[share]():      {"share", patternOf("30%", numberPattern+"%")},
		reflect.TypeFor[factor]():     {"factor", object{{"type", "number"}, {"minimum", 0}}},
		reflect.TypeFor[throughput](): {"throughput", patternOf("64KiB/s", numberPattern+"(B|kB|KiB|MiB)/s")},
		reflect.TypeFor[interval]():   {"interval", patternOf("5s..35s", "("+durationPattern+`)+\.\.(`+durationPattern+")+")},
	}
}

// schemaMaker writes forms as schemas.
type schemaMaker struct {
	*dialect
	t     *testing.T
	row   map[string]row
	taken map[string][]string // the words of a key
	defs  object
}

// schema is that of all files of the dialect.
func (d *dialect) schema(t *testing.T) []byte {
	t.Helper()
	m := &schemaMaker{dialect: d, t: t, row: map[string]row{}, taken: d.words(t)}
	for _, r := range d.rows(t) {
		m.row[r.key] = r
	}
	root := m.of(d.root, "")
	slices.SortFunc(m.defs, func(a, b member) int { return strings.Compare(a.name, b.name) })
	whole := append(object{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"$id", "urn:holobench:" + d.title + ":1"},
		{"title", "holobench " + d.title},
	}, root...)
	whole = append(whole, member{"$defs", m.defs})
	text, err := plainJSON(whole)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		t.Fatal(err)
	}
	return append(b.Bytes(), '\n')
}

// of is the schema of a form at path.
func (m *schemaMaker) of(form reflect.Type, path string) object {
	s := shapeOf(form)
	switch {
	case form == reflect.TypeFor[overlayForm](): // a part of a scenario, in which nothing is required
		return object{{"type", "object"}}
	case s.kind == scalarNode:
		return m.value(form, path)
	case s.kind == listNode:
		item := m.of(s.item, path+itemSuffix(s, path))
		list := object{{"type", "array"}, {"items", item}}
		if s.single {
			return object{{"anyOf", []object{item, list}}}
		}
		return list
	case s.item != nil:
		return m.names(s, path)
	}
	whole := m.define(form, s, path)
	if s.short != nil {
		return object{{"anyOf", []object{m.of(s.short, path), whole}}}
	}
	return whole
}

// value is the schema of a single value: one of the words that the key takes, or whatever its form reads.
func (m *schemaMaker) value(form reflect.Type, path string) object {
	if words := m.taken[path]; words != nil {
		return object{{"enum", words}}
	}
	known, ok := valueSchemas()[form]
	if !ok {
		m.t.Errorf("%s: the form %v has no schema: add its pattern to valueSchemas", path, form)
		return nil
	}
	return m.ref(known.name, func() object { return known.value.(object) })
}

// ref refers to a definition, which is made when it is first asked for.
func (m *schemaMaker) ref(name string, define func() object) object {
	if !slices.ContainsFunc(m.defs, func(d member) bool { return d.name == name }) {
		m.defs = append(m.defs, member{name, nil})
		made := define() // may refer to itself
		at := slices.IndexFunc(m.defs, func(d member) bool { return d.name == name })
		m.defs[at].value = made
	}
	return object{{"$ref", "#/$defs/" + name}}
}

// define is the schema of a mapping with keys of the language.
func (m *schemaMaker) define(form reflect.Type, s shape, path string) object {
	if common, ok := m.common[form]; ok {
		path = common
	}
	return m.ref(strings.TrimSuffix(form.Name(), "Form"), func() object {
		var properties object
		var required []string
		for i, key := range s.keys {
			sub := strings.TrimPrefix(path+"."+key, ".")
			r := m.row[sub]
			properties = append(properties, member{key, append(object{{"description", describe(r)}}, m.of(s.fields[i], sub)...)})
			if r.unset == "required" {
				required = append(required, key)
			}
		}
		whole := object{{"type", "object"}, {"properties", properties}, {"additionalProperties", false}}
		if required != nil {
			whole = append(whole, member{"required", required})
		}
		return whole
	})
}

// names is the schema of a mapping with names of the user's own, or of metrics.
func (m *schemaMaker) names(s shape, path string) object {
	item := m.of(s.item, path+itemSuffix(s, path))
	switch path {
	case "budgets":
		var properties object
		for _, metric := range Metrics() {
			properties = append(properties, member{metric.Name, append(object{{"description", metric.Meaning}}, item...)})
		}
		tagged := object{{"^(" + strings.Join(metricNames(), "|") + `)\{.+\}$`, item}}
		return object{{"type", "object"}, {"properties", properties}, {"patternProperties", tagged}, {"additionalProperties", false}}
	}
	if strings.HasSuffix(path, ".headers") || strings.HasSuffix(path, ".form") { // these names are the server's
		return object{{"type", "object"}, {"additionalProperties", item}}
	}
	switch path[strings.LastIndex(path, ".")+1:] {
	case "with", "json": // values by their paths
		return object{{"type", "object"}, {"additionalProperties", item}}
	case "on_reply":
		return object{{"type", "object"}, {"propertyNames", object{{"pattern", `^([1-5]([0-9][0-9]|xx)|ok|failed)$`}}}, {"additionalProperties", item}}
	}
	return object{{"type", "object"}, {"propertyNames", object{{"pattern", namePattern}}}, {"additionalProperties", item}}
}

// describe is what an editor shows of a key.
func describe(r row) string {
	var more []string
	if r.unit != "-" {
		more = append(more, r.unit)
	}
	if r.unset != "none" && r.unset != "" {
		more = append(more, strings.Replace("default: "+r.unset, "default: required", "required", 1))
	}
	if more == nil {
		return r.meaning
	}
	return r.meaning + " (" + strings.Join(more, "; ") + ")"
}
