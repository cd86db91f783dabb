package scenarios

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// set carries out one --set, such as "clients.members.count=50" or "load.ramp.stages[2].rate=80/s": the value, which is YAML, takes
// the place of what stands there. A key that does not stand there yet is added, and the value null takes the key away.
func (r *resolver) set(root *node, text string) *node {
	path, written, ok := strings.Cut(text, "=")
	path = strings.TrimSpace(path)
	at := &node{source: "--set " + path}
	if !ok || path == "" {
		r.add(&node{source: "--set " + quote(path)}, "it must be KEY.KEY=VALUE", "for example --set clients.members.count=50")
		return root
	}
	value := r.setValue(written, at)
	if value == nil {
		return root
	}
	changed, err := put(root, new(fileForm), splitPath(path), value)
	if err != nil {
		r.addError(at, path, err)
		return root
	}
	return changed
}

// setValue reads the value of a --set; nil after a fault.
func (r *resolver) setValue(written string, at *node) *node {
	wrong := new(faults)
	var value *node
	if strings.TrimSpace(written) == "" {
		wrong.add(at, "there is no value", "write one behind the =; null takes the key away")
	} else if checkText(written, wrong) {
		value = parseYAML(written, wrong)
	}
	for _, e := range wrong.list {
		r.add(at, e.Message, e.Remedy)
	}
	if value == nil || len(wrong.list) > 0 {
		return nil
	}
	value.comeFrom(at.source)
	return value
}

// comeFrom notes of a value, and of all in it, that it stands outside of the file.
func (n *node) comeFrom(source string) {
	n.source, n.line, n.column = source, 0, 0
	for _, e := range n.entries {
		e.key.comeFrom(source)
		e.value.comeFrom(source)
	}
	for _, item := range n.items {
		item.comeFrom(source)
	}
}

// splitPath splits "load.ramp.stages[2].rate" at its dots, and in front of each bracket. A dot in braces is part of a selector.
func splitPath(path string) []string {
	var all []string
	from, braces := 0, 0
	for i, c := range path {
		switch {
		case c == '{':
			braces++
		case c == '}':
			braces--
		case braces == 0 && c == '.':
			all, from = append(all, path[from:i]), i+1
		case braces == 0 && c == '[' && i > from:
			all, from = append(all, path[from:i]), i
		}
	}
	return append(all, path[from:])
}

// put returns base with the value in its place. Form is the form that it is for.
func put(base *node, form any, path []string, value *node) (*node, error) {
	if len(path) == 0 {
		return value, nil
	}
	if strings.HasPrefix(path[0], "[") {
		return placeInList(base, form, path, value)
	}
	if base = lift(form, base); base.kind != mappingNode {
		return nil, problem("there stands "+base.kind.String()+", which has no key "+quote(path[0]), "set it as a whole")
	}
	key := &node{kind: scalarNode, text: path[0], source: value.source}
	inner := formOf(form, key)
	changed := *base
	changed.entries = slices.Clone(base.entries)
	at := slices.IndexFunc(changed.entries, func(e entry) bool { return e.key.text == path[0] })
	switch {
	case len(path) == 1 && value.kind == emptyNode && at < 0:
		return nil, problem("null takes a key away, and there is none", "")
	case len(path) == 1 && value.kind == emptyNode:
		changed.entries = slices.Delete(changed.entries, at, at+1)
		return &changed, nil
	case at < 0:
		at = len(changed.entries)
		changed.entries = append(changed.entries, entry{key, &node{kind: mappingNode, source: value.source}})
	}
	placed, err := put(changed.entries[at].value, inner, path[1:], value)
	if err != nil {
		return nil, err
	}
	changed.entries[at] = entry{key, placed}
	if len(path) > 1 && changed.entries[at].key.source != "" && at < len(base.entries) {
		changed.entries[at].key = base.entries[at].key // it stands where it stood; only something in it is new
	}
	return &changed, nil
}

// placeInList is put for an item of a list, numbered from 1.
func placeInList(base *node, form any, path []string, value *node) (*node, error) {
	number, err := strconv.Atoi(strings.Trim(path[0], "[]"))
	switch {
	case err != nil || !strings.HasSuffix(path[0], "]"):
		return nil, problem(quote(path[0])+" is no number of an item", "items count from 1: stages[2]")
	case base.kind != listNode:
		return nil, problem("there stands "+base.kind.String()+" where a list would have items", "set it as a whole")
	case number < 1 || number > len(base.items):
		return nil, problem(fmt.Sprintf("there is no item %d, the list has %d", number, len(base.items)), "set it as a whole")
	}
	changed := *base
	changed.items = slices.Clone(base.items)
	item := formOf(form, value)
	if changed.items[number-1], err = put(base.items[number-1], item, path[1:], value); err != nil {
		return nil, err
	}
	return &changed, nil
}
