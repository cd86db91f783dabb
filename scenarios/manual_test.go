package scenarios

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// The manual is held against the forms, and the schema (schema_test.go) takes its descriptions from it: what a key means is
// written once, in docs/scenarios.md.

func manual(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// row is one line of the manual's tables of keys.
type row struct{ key, unit, unset, meaning, example string }

// dialect is a kind of file: its forms, and the manual that explains them.
type dialect struct {
	title  string
	manual string
	root   reflect.Type
	common map[reflect.Type]string // forms that stand in many places and are explained once, under a name in capitals
	places map[string]string       // a place of each of these, for its examples
	ground []string                // files to lay an example over: with the least that the keys around it need
	read   func(text string) error
	file   string // of the committed schema
	kept   []byte // what is in it
}

// scenarioDialect is that of scenario files.
func scenarioDialect() dialect {
	return dialect{
		title: "scenario", manual: "../docs/scenarios.md", root: reflect.TypeFor[fileForm](),
		common: map[reflect.Type]string{reflect.TypeFor[amountForm](): "AMOUNT"},
		places: map[string]string{"AMOUNT": "load.NAME.flow[].think"},
		ground: grounds(), file: "schema.json", kept: Schema(),
		read: func(text string) error {
			_, err := parseAs(text)
			return err
		},
	}
}

// protocolDialect is that of protocol files.
func protocolDialect() dialect {
	const stream = "version: 1\nsubscribe: {request: {get: /sub}}\n"
	return dialect{
		title: "protocol", manual: "../docs/protocols.md", root: reflect.TypeFor[protocolForm](),
		common: map[reflect.Type]string{
			reflect.TypeFor[stepForm](): "REQUEST", reflect.TypeFor[selectorForm](): "CAPTURE", reflect.TypeFor[matchForm](): "MATCH",
		},
		places: map[string]string{"REQUEST": "setup[]", "CAPTURE": "setup[].capture.NAME", "MATCH": "events.ignore[]"},
		ground: []string{
			stream, "version: 1\nwire: hologram\napp: {page: /, module: M}\n", "version: 1\n", stream + "setup: [{get: /x}]\n",
			stream + "publish: {request: {post: /pub, body: \"${payload}\"}}\n",
			stream + "publish: {request: {post: /pub, body: hello}, reply: {capture: {id: whole}}}\nidentity: {reply_id: {reply: id, event: data}}\n",
		},
		read: protocolError, file: "schema_protocol.json", kept: ProtocolSchema(),
	}
}

// rows are the rows of all tables of the manual with the columns key, unit, default, meaning and example.
func (d *dialect) rows(t testing.TB) []row {
	t.Helper()
	text, err := os.ReadFile(d.manual)
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	inside := false
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(line), "| "), " |"), " | ")
		switch {
		case !strings.HasPrefix(line, "|"):
			inside = false
		case slices.Equal(cells, []string{"key", "unit", "default", "meaning", "example"}):
			inside = true
		case inside && strings.HasPrefix(line, "| `") && len(cells) == 5:
			for i, cell := range cells {
				cells[i] = strings.ReplaceAll(cell, `\|`, "|")
			}
			rows = append(rows, row{strings.Trim(cells[0], "`"), cells[1], cells[2], cells[3], strings.Trim(cells[4], "`")})
		case inside && !strings.HasPrefix(line, "|---"):
			t.Errorf("%s: a row of a table of keys has %d columns, not 5: %s", d.manual, len(cells), line)
		}
	}
	return rows
}

// shape is what a form takes, found out by asking it.
type shape struct {
	kind   nodeKind       // scalarNode, listNode or mappingNode
	item   reflect.Type   // of a list, or of a mapping with names of the user's own; nil of other forms
	single bool           // of a list: one item may stand without it
	short  reflect.Type   // of a mapping: the form of the value that may stand in its place; nil = none may
	keys   []string       // of a mapping with keys of the language
	fields []reflect.Type // the forms of these keys
}

func shapeOf(form reflect.Type) shape {
	s := shape{kind: mappingNode}
	empty := reflect.New(form).Interface()
	switch empty := empty.(type) {
	case leaf:
		s.kind = scalarNode
		return s
	case collection:
		s.kind, s.single = empty.takes()
		s.item = reflect.TypeOf(empty.add(&node{})).Elem()
		return s
	case shortened:
		s.short = reflect.TypeOf(empty.short()).Elem()
	}
	for field := range form.Fields() {
		if tag, ok := field.Tag.Lookup("yaml"); ok {
			s.keys, s.fields = append(s.keys, tag), append(s.fields, field.Type)
		}
	}
	return s
}

// formKey is one key of the language.
type formKey struct {
	path string       // its keys, with NAME or METRIC for names of the user's own and [] for items of lists
	form reflect.Type // what stands there
}

// stand puts a place of a common form for its name in capitals.
func (d *dialect) stand(path string) string {
	head, rest, _ := strings.Cut(path, ".")
	if place, ok := d.places[head]; ok {
		return strings.TrimSuffix(place+"."+rest, ".")
	}
	return path
}

// keyWalk lists the keys of forms. A form that stands in several places, or inside of itself as a flow in a step of a flow, is gone into
// where it stands first only; everywhere goes into it again, but for the second.
type keyWalk struct {
	common     map[reflect.Type]string
	everywhere bool
	seen       []reflect.Type
	keys       []formKey
}

func (w *keyWalk) walk(form reflect.Type, path string) {
	s := shapeOf(form)
	if s.item != nil {
		w.walk(s.item, path+itemSuffix(s, path))
		return
	}
	if slices.Contains(w.seen, form) || s.kind == scalarNode {
		return
	}
	if common, ok := w.common[form]; ok {
		path = common
	}
	before := len(w.seen)
	w.seen = append(w.seen, form)
	if s.short != nil {
		w.walk(s.short, path)
	}
	for i, key := range s.keys {
		sub := strings.TrimPrefix(path+"."+key, ".")
		w.keys = append(w.keys, formKey{sub, s.fields[i]})
		w.walk(s.fields[i], sub)
	}
	if w.everywhere {
		w.seen = w.seen[:before]
	}
}

func itemSuffix(s shape, path string) string {
	switch {
	case s.kind == listNode:
		return "[]"
	case path == "budgets":
		return ".METRIC"
	default:
		return ".NAME"
	}
}

// keysToExplain are the keys that the manual must explain.
func (d *dialect) keysToExplain() []formKey {
	w := &keyWalk{common: d.common}
	w.walk(d.root, "")
	return w.keys
}

// allKeys are all keys that there are, also those that are explained elsewhere.
func (d *dialect) allKeys() []formKey {
	w := &keyWalk{common: d.common, everywhere: true}
	w.walk(d.root, "")
	return w.keys
}

// placed puts what the example of a row says where its key stands: "rate: 5/s" of load.NAME.rate into load: {talk: {}}.
func (d *dialect) placed(t *testing.T, r row) *node {
	t.Helper()
	f := new(faults)
	example := parseYAML(r.example, f)
	if example == nil || len(f.list) > 0 || example.kind != mappingNode {
		t.Fatalf("the example of %s is no YAML with a key: %s: %v", r.key, r.example, f.list)
	}
	steps := d.steps(r.key)
	first := example.entries[0].key.text
	at := -1
	for i, step := range steps {
		about := slices.ContainsFunc(example.entries, func(e entry) bool { return e.key.text == step })
		if about || at < 0 && step == strings.ToUpper(step) && step != "[]" {
			at = i
		}
	}
	if at < 0 {
		t.Fatalf("the example of %s is about %s: begin it with a key of its path", r.key, first)
	}
	for _, step := range slices.Backward(steps[:at]) {
		switch step {
		case "[]":
			example = &node{kind: listNode, items: []*node{example}}
		case "NAME":
			example = mapping("talk", example)
		default:
			example = mapping(step, example)
		}
	}
	return example
}

// steps are the parts of a path.
func (d *dialect) steps(path string) []string {
	return strings.Split(strings.ReplaceAll(d.stand(path), "[]", ".[]"), ".")
}

func mapping(key string, value *node) *node {
	return &node{kind: mappingNode, entries: []entry{{&node{kind: scalarNode, text: key, origin: key}, value}}}
}

// over lays one document over another: what both have as a mapping, or as a list of one, is joined, all else is the upper one's.
func over(lower, upper *node) *node {
	if len(lower.items) == 1 && len(upper.items) == 1 {
		return &node{kind: listNode, items: []*node{over(lower.items[0], upper.items[0])}}
	}
	if lower.kind != mappingNode || upper.kind != mappingNode {
		return upper
	}
	joined := &node{kind: mappingNode, entries: slices.Clone(lower.entries)}
	for _, e := range upper.entries {
		at := slices.IndexFunc(joined.entries, func(o entry) bool { return o.key.text == e.key.text })
		if at < 0 {
			joined.entries = append(joined.entries, e)
		} else {
			joined.entries[at].value = over(joined.entries[at].value, e.value)
		}
	}
	return joined
}

// grounds are scenarios to lay an example over: with the least that the keys around it need.
func grounds() []string {
	const who = "version: 1\nwindows: {steady: 5s..35s}\n" +
		"clients: {members: {count: 100, channel: {pattern: \"room-${n}\", count: 20}}, users: {count: 40, channel: lobby}, talk: {count: 10, channel: lobby}}\n"
	return []string{
		who + "load: {talk: {by: members, rate: 50/s, for: 60s}}\n",
		who + "load: {first: {by: members, rate: 50/s, for: 60s}, talk: {by: members, rate: 50/s, for: 60s}}\n",
		who + "load: {first: {by: members, rate: 50/s, for: 60s}, talk: {by: members}}\n",
		who + "load: {first: {by: members, rate: 50/s, for: 60s}, talk: {by: members, for: 60s}}\n",
		who + "load: {press: {flood: true, rate: 50/s, for: 60s, channel: lobby}, talk: {flood: true, rate: 50/s, for: 60s, channel: lobby}}\n",
		who + "load: {talk: {by: members, stages: [{rate: 50/s, for: 60s}]}}\n",
		who + "server: {url: https://staging.example.org}\nload: {talk: {by: members, rate: 50/s, for: 60s}}\n",
		who + "server: {bundled: {nodes: 3}}\nload: {talk: {by: members, rate: 50/s, for: 60s}}\n",
	}
}

// documentOf is a whole file with the example of a row in it, which its reader takes.
func (d *dialect) documentOf(t *testing.T, r row) *node {
	t.Helper()
	example := d.placed(t, r)
	least := ""
	for _, text := range d.ground {
		whole := over(parseYAML(text, new(faults)), example)
		err := d.read(render(whole, false))
		if err == nil {
			return whole
		}
		if least == "" || len(err.Error()) < len(least) {
			least = err.Error()
		}
	}
	t.Fatalf("the example of %s does not parse: %s\n%s", r.key, r.example, least)
	return nil
}

// parseAs parses an example; each variable of the environment is set.
func parseAs(text string) (*File, error) {
	return Parse("example.yaml", []byte(text), func(string) (string, bool) { return "x", true })
}

// render writes a document as YAML, in block or in flow style.
func render(n *node, flow bool) string {
	if flow {
		return flowStyle(n) + "\n"
	}
	return strings.Join(blockStyle(n), "\n") + "\n"
}

func flowStyle(n *node) string {
	var parts []string
	switch n.kind {
	case mappingNode:
		for _, e := range n.entries {
			parts = append(parts, spelled(e.key)+": "+flowStyle(e.value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case listNode:
		for _, item := range n.items {
			parts = append(parts, flowStyle(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	default:
		return spelled(n)
	}
}

// blockStyle returns lines without an indent.
func blockStyle(n *node) []string {
	var lines []string
	switch {
	case n.kind == mappingNode && len(n.entries) > 0:
		for _, e := range n.entries {
			if len(e.value.entries)+len(e.value.items) == 0 {
				lines = append(lines, spelled(e.key)+": "+flowStyle(e.value))
				continue
			}
			lines = append(lines, spelled(e.key)+":")
			for _, line := range blockStyle(e.value) {
				lines = append(lines, "  "+line)
			}
		}
	case n.kind == listNode && len(n.items) > 0:
		for _, item := range n.items {
			for i, line := range blockStyle(item) {
				if i == 0 {
					lines = append(lines, "- "+line)
				} else {
					lines = append(lines, "  "+line)
				}
			}
		}
	default:
		lines = append(lines, flowStyle(n))
	}
	return lines
}

// spelled writes a single value as it stood in the file, or in quotes where flow style needs them.
func spelled(n *node) string {
	switch {
	case n.kind != scalarNode:
		return "null"
	case strings.HasPrefix(n.origin, `"`), strings.HasPrefix(n.origin, "'"):
		return n.origin
	case strings.ContainsAny(n.text, ",{}[]\n\"") || n.text == "":
		// What stands in double quotes is escaped as in Go.
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(n.text) + `"`
	default:
		return n.text
	}
}
