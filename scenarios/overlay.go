package scenarios

import (
	"reflect"
	"slices"
	"strings"
)

// overlay lays one mapping over another and returns what comes of it; both stay as they are. Mappings become one, key by key;
// everything else takes the place of what was there. A key without a value takes away what was there. Form is the form that the
// result is for: where it can be written as a single value, that is put under its key first, so that `by: {only: 4}` over
// `by: members` is `by: {clients: members, only: 4}`.
func (r *resolver) overlay(base, over *node, form any, path string) *node {
	base = lift(form, base)
	merged := *base
	merged.entries = slices.Clone(base.entries)
	for _, e := range over.entries {
		at := slices.IndexFunc(merged.entries, func(b entry) bool { return b.key.text == e.key.text })
		sub := strings.TrimPrefix(path+"."+e.key.text, ".")
		inner := formOf(form, e.key)
		switch {
		case e.value.kind == emptyNode && at < 0:
			r.add(e.key, sub+" has no value, which takes away what stands there, and nothing does", "write a value, or leave the key out")
		case e.value.kind == emptyNode:
			merged.entries = slices.Delete(merged.entries, at, at+1)
		case at < 0:
			merged.entries = append(merged.entries, e)
		case e.value.kind == mappingNode && lift(inner, merged.entries[at].value).kind == mappingNode:
			merged.entries[at].value = r.overlay(merged.entries[at].value, e.value, inner, sub)
		default:
			merged.entries[at] = e
		}
	}
	return &merged
}

// lift puts a single value under the key that it is the short form of; n itself when there is none.
func lift(form any, n *node) *node {
	short, ok := form.(shortened)
	if !ok || n.kind != scalarNode && n.kind != listNode {
		return n
	}
	value := reflect.ValueOf(form).Elem()
	for i := range value.NumField() {
		tag, tagged := value.Type().Field(i).Tag.Lookup("yaml")
		if tagged && value.Field(i).Addr().Interface() == short.short() {
			key := &node{kind: scalarNode, text: tag, line: n.line, column: n.column, source: n.source}
			return &node{kind: mappingNode, line: n.line, column: n.column, source: n.source, entries: []entry{{key, n}}}
		}
	}
	return n
}

// formOf is the form of what stands under a key, empty; nil when nothing belongs there.
func formOf(form any, key *node) any {
	if form == nil {
		return nil
	}
	if all, ok := form.(collection); ok {
		return all.add(key)
	}
	value := reflect.ValueOf(form).Elem()
	if value.Kind() != reflect.Struct {
		return nil
	}
	inner, _ := fieldOf(value, key.text)
	return inner
}
