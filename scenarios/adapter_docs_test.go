package scenarios

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// protocolKeys lists the keys of a protocol file. Requests, captures and matches stand in many places, and are listed once.
func protocolKeys() []string {
	parts := map[reflect.Type]string{
		reflect.TypeFor[stepForm](): "REQUEST", reflect.TypeFor[matchForm](): "MATCH", reflect.TypeFor[selectorForm](): "CAPTURE",
	}
	var all []string
	var walk func(form reflect.Type, path string)
	walk = func(form reflect.Type, path string) {
		s := shapeOf(form)
		if s.item != nil {
			suffix := ".NAME"
			if s.kind == listNode {
				suffix = "[]"
			}
			if parts[s.item] == "" {
				walk(s.item, path+suffix)
			}
			return
		}
		for i, key := range s.keys {
			sub := strings.TrimPrefix(path+"."+key, ".")
			inner := shapeOf(s.fields[i])
			if parts[s.fields[i]] != "" || len(inner.keys) == 0 && (inner.item == nil || len(shapeOf(inner.item).keys) == 0 || parts[inner.item] != "") {
				all = append(all, sub)
				continue
			}
			walk(s.fields[i], sub)
		}
	}
	walk(reflect.TypeFor[protocolForm](), "")
	for _, form := range []reflect.Type{reflect.TypeFor[stepForm](), reflect.TypeFor[matchForm](), reflect.TypeFor[selectorForm]()} {
		walk(form, parts[form])
	}
	return all
}

// protocolRows are the rows of docs/protocols.md with five columns: key and example.
func protocolRows(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../docs/protocols.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSuffix(strings.TrimSpace(line), " |"), " | ")
		if len(cells) == 5 && strings.HasPrefix(cells[0], "| `") {
			key := strings.Trim(cells[0], "| `")
			if _, twice := rows[key]; twice {
				t.Errorf("docs/protocols.md explains `%s` twice", key)
			}
			rows[key] = strings.ReplaceAll(strings.Trim(cells[4], "`"), `\|`, "|")
		}
	}
	return rows
}

// Every key of a protocol file is in its manual, and no other.
func TestProtocolManualExplainsEveryKey(t *testing.T) {
	t.Parallel()
	rows, known := protocolRows(t), protocolKeys()
	for _, key := range known {
		_, ok := rows[key]
		whole := slices.ContainsFunc([]string{"promises", "jwt", "app", "app.params"}, func(in string) bool { return key == in })
		if !ok && !whole {
			t.Errorf("docs/protocols.md has no row for `%s`", key)
		}
	}
	for key := range rows {
		if !slices.Contains(known, key) && key != "json" && key != "app.params" && !strings.HasPrefix(key, "hologram") {
			t.Errorf("docs/protocols.md explains `%s`, which is no key", key)
		}
	}
	if len(known) < 60 {
		t.Errorf("%d keys found", len(known))
	}
	for _, key := range known {
		if isReserved(lastKey(key)) {
			t.Errorf("the key %s reads as something else in YAML 1.1", key)
		}
	}
}

// Every example of the manual is read as a part of a protocol file, and so is every block.
func TestProtocolManualsExamples(t *testing.T) {
	t.Parallel()
	for key, example := range protocolRows(t) {
		body := strings.TrimSpace(example)
		switch {
		case !strings.Contains(body, ": "):
			continue
		case strings.HasPrefix(key, "REQUEST.") && strings.Contains(body, "payload"):
			body = "publish: {request: " + body + "}"
		case strings.HasPrefix(key, "REQUEST."):
			body = "setup: [" + body + "]"
		case strings.HasPrefix(key, "CAPTURE."):
			body = "setup: [{get: /x, capture: " + body + "}]"
		case strings.HasPrefix(key, "MATCH."):
			body = "events: {ignore: [" + body + "]}"
		}
		if strings.HasPrefix(key, "app.") {
			body += "\nwire: hologram"
		} else if !strings.HasPrefix(body, "subscribe:") && !strings.HasPrefix(body, "wire:") {
			body += "\nsubscribe: {request: {get: /sub}}"
		}
		if strings.HasPrefix(key, "identity.reply_id") {
			body += "\npublish: {request: {post: /pub, body: hello}, reply: {capture: {id: whole}}}"
		}
		if key != "version" {
			body += "\nversion: 1"
		}
		if err := protocolError(body); err != nil {
			t.Errorf("the example of %s: %v\n%s", key, err, body)
		}
	}
	text, err := os.ReadFile("../docs/protocols.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(string(text), "```yaml\n")[1:] {
		body, _, _ := strings.Cut(block, "```")
		if err := protocolError(body); err != nil {
			t.Error(err)
		}
	}
}

// protocolError reads a protocol file; each variable of the environment is set.
func protocolError(body string) error {
	a := &adapter{resolver: &resolver{faults: new(faults), env: func(string) (string, bool) { return "x", true }}}
	a.parseProtocol(body)
	return a.errors("protocol.yaml", body)
}

// Every protocol file of the library is one.
func TestLibrarysProtocols(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir("library/protocols")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile("library/protocols/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		if err := protocolError(string(text)); err != nil {
			t.Error(err)
		}
	}
}
