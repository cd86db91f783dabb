package scenarios

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// The forms (form.go) are filled by reflection, so that a key is declared in one place: its tag names it, its type reads
// it, and docs/scenarios.md is checked against it.

// leaf is a form for a single value.
type leaf interface {
	spotted
	read(text string) error
}

// spotted is anything that knows its place.
type spotted interface {
	mark(at *node, path string)
	markBroken()
}

// collection is a form for a mapping from names of the user's own, or for a list: add makes room for one more and returns
// a pointer to its form.
type collection interface {
	spotted
	add(name *node) any
	takes() (kind nodeKind, single bool) // single: one value may stand without its list
}

// shortened is a form that can be written as a single value too: short returns a pointer to the form of that value.
type shortened interface {
	short() any
}

// kept is a form for a mapping that is read later.
type kept interface {
	spotted
	keep(n *node)
}

// named is a mapping from names of the user's own, in the order of the file.
type named[T any] struct {
	spot
	list []*namedEntry[T]
}

type namedEntry[T any] struct {
	name string
	key  *node
	form T
}

func (m *named[T]) add(name *node) any {
	e := &namedEntry[T]{name: name.text, key: name}
	m.list = append(m.list, e)
	return &e.form
}

func (m *named[T]) takes() (nodeKind, bool) { return mappingNode, false }

// find returns the entry of that name, nil when there is none.
func (m *named[T]) find(name string) *namedEntry[T] {
	at := slices.IndexFunc(m.list, func(e *namedEntry[T]) bool { return e.name == name })
	if at < 0 {
		return nil
	}
	return m.list[at]
}

// names lists the names in the order of the file.
func (m *named[T]) names() []string {
	names := make([]string, len(m.list))
	for i, e := range m.list {
		names[i] = e.name
	}
	return names
}

// list is a list.
type list[T any] struct {
	spot
	items []*T
}

func (l *list[T]) add(*node) any {
	item := new(T)
	l.items = append(l.items, item)
	return item
}

func (l *list[T]) takes() (nodeKind, bool) { return listNode, false }

// oneOrMore is a list that may be written as its only item.
type oneOrMore[T any] struct{ list[T] }

func (l *oneOrMore[T]) takes() (nodeKind, bool) { return listNode, true }

// decoder fills forms.
type decoder struct{ *faults }

// decode fills the form that to points at. At is where to point when something is wrong with it as a whole.
func (d *decoder) decode(n, at *node, to any, path string) {
	into, ok := to.(spotted)
	if !ok {
		return
	}
	into.mark(at, path)
	if n.kind == badNode {
		into.markBroken()
		return
	}
	if n.kind == emptyNode {
		d.add(at, orFile(path)+" has no value", "write one, or leave the key out")
		into.markBroken()
		return
	}
	if form, ok := to.(shortened); ok && n.kind != mappingNode {
		d.decode(n, n, form.short(), path)
		return
	}
	switch form := to.(type) {
	case kept:
		d.keepMapping(n, form, path)
	case leaf:
		d.decodeLeaf(n, form, path)
	case collection:
		d.decodeCollection(n, form, path)
	default:
		d.decodeMapping(n, to, into, path)
	}
}

// keepMapping leaves a mapping to be read later.
func (d *decoder) keepMapping(n *node, form kept, path string) {
	if n.kind != mappingNode {
		d.add(n, path+" is "+n.kind.String()+" where a mapping belongs", "write in it what shall be different from the rest of the file")
		form.markBroken()
		return
	}
	form.keep(n)
}

// decodeLeaf reads a single value.
func (d *decoder) decodeLeaf(n *node, form leaf, path string) {
	form.mark(n, path)
	if n.kind != scalarNode {
		d.add(n, path+" is "+n.kind.String()+" where a single value belongs", "write one value, without brackets, dashes or keys")
		form.markBroken()
		return
	}
	if err := form.read(n.text); err != nil {
		d.addError(n, path, err)
		form.markBroken()
	}
}

// decodeCollection reads the entries of a mapping or the items of a list.
func (d *decoder) decodeCollection(n *node, form collection, path string) {
	kind, single := form.takes()
	switch {
	case n.kind != kind && single:
		d.decode(n, n, form.add(n), path)
	case n.kind != kind:
		d.add(n, path+" is "+n.kind.String()+" where "+kind.String()+" belongs", howTo(kind))
		form.markBroken()
	case len(n.entries)+len(n.items) > maxEntries:
		d.add(n, path+" has more than "+strconv.Itoa(maxEntries)+" entries", "leave some of them out")
		form.markBroken()
	}
	if n.kind != kind {
		return
	}
	for _, e := range n.entries[:min(len(n.entries), maxEntries)] {
		d.decode(e.value, e.key, form.add(e.key), path+"."+e.key.text)
	}
	for i, item := range n.items[:min(len(n.items), maxEntries)] {
		d.decode(item, item, form.add(item), path+"["+strconv.Itoa(i+1)+"]")
	}
}

// howTo says how a list or a mapping is written.
func howTo(kind nodeKind) string {
	if kind == listNode {
		return "write a list: [one, another], or lines that begin with a dash"
	}
	return "write names with what they stand for: {name: ..., another: ...}, or a line for each"
}

// decodeMapping fills the fields of a struct by their tags. Keys that it does not have are reported with the one that may
// have been meant; what is missing is then no news.
func (d *decoder) decodeMapping(n *node, to any, into spotted, path string) {
	if n.kind != mappingNode {
		d.add(n, orFile(path)+" is "+n.kind.String()+" where a mapping belongs", "its keys are "+strings.Join(keysOf(reflect.TypeOf(to).Elem()), ", "))
		into.markBroken()
		return
	}
	form := reflect.ValueOf(to).Elem()
	for _, e := range n.entries {
		field, ok := fieldOf(form, e.key.text)
		if !ok {
			keys := keysOf(form.Type())
			where := ""
			if path != "" {
				where = " in " + path
			}
			remedy := "the keys here are " + strings.Join(keys, ", ")
			if meant := glued(e.key.text, keys); meant != "" {
				remedy = "write a colon and a space behind " + meant
			}
			d.add(e.key, "unknown key "+quote(e.key.text)+where+suggest(e.key.text, keys), remedy)
			into.markBroken()
			continue
		}
		d.decode(e.value, e.key, field, strings.TrimPrefix(path+"."+e.key.text, "."))
	}
}

// glued finds the key that stands at the beginning of text, when what follows it is not a colon and a space: YAML reads "windows:{a" and
// "windows {a" as one word.
func glued(text string, keys []string) string {
	at := strings.IndexAny(text, ":{[ ")
	if at < 0 || !slices.Contains(keys, text[:at]) {
		return ""
	}
	return text[:at]
}

// orFile names the root, which has no path.
func orFile(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}

// fieldOf returns a pointer to the field whose tag is key.
func fieldOf(form reflect.Value, key string) (field any, ok bool) {
	for i := range form.NumField() {
		if tag, tagged := form.Type().Field(i).Tag.Lookup("yaml"); tagged && tag == key {
			return form.Field(i).Addr().Interface(), true
		}
	}
	return nil, false
}

// keysOf lists the keys of a form in the order of its fields.
func keysOf(form reflect.Type) []string {
	var keys []string
	for field := range form.Fields() {
		if tag, tagged := field.Tag.Lookup("yaml"); tagged {
			keys = append(keys, tag)
		}
	}
	return keys
}
