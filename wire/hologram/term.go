package hologram

import (
	"math"
	"strconv"
)

// Kind says which of its fields a Term uses.
type Kind uint8

// The kinds of terms. Elixir's nil, true and false are atoms, and its strings are bitstrings.
const (
	KindAtom      Kind = iota // Text is its name
	KindBitstring             // Text is its bytes
	KindInteger               // Text is its decimal digits, of any number, as Int or a parser wrote them
	KindFloat                 // Float is its value, which is finite
	KindList                  // Items are its elements
	KindTuple                 // Items are its elements
	KindMap                   // Items are its keys and values in turns
)

// Term is one value of Elixir. The zero value is the atom without a name. Build one by the functions below: the encoders
// write the digits of an integer as they find them.
type Term struct {
	Kind  Kind
	Text  string
	Float float64
	Items []Term
}

// Atom is the atom of that name. Elixir knows at most 255 characters in one.
func Atom(name string) Term { return Term{Kind: KindAtom, Text: name} }

// Text is the bitstring that holds s.
func Text(s string) Term { return Term{Kind: KindBitstring, Text: s} }

// Int is an integer.
func Int(n int64) Term { return Term{Kind: KindInteger, Text: strconv.FormatInt(n, 10)} }

// Float is a float; what is not finite, which Elixir does not have, becomes 0.
func Float(f float64) Term {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		f = 0
	}
	return Term{Kind: KindFloat, Float: f}
}

// List is the list of items.
func List(items ...Term) Term { return Term{Kind: KindList, Items: items} }

// Tuple is the tuple of items.
func Tuple(items ...Term) Term { return Term{Kind: KindTuple, Items: items} }

// Map is the map of the keys and values that are given in turns. They travel in this order, so that who wants the bytes
// of Hologram sorts the keys; a key without a value is left out.
func Map(keysAndValues ...Term) Term {
	return Term{Kind: KindMap, Items: keysAndValues[:len(keysAndValues)&^1]}
}

// Get returns the value of the atom key in a map. Of a key that stands in it twice the last one counts, as for Elixir.
func (t Term) Get(key string) (Term, bool) {
	if t.Kind != KindMap {
		return Term{}, false
	}
	for i := len(t.Items) - 2; i >= 0; i -= 2 {
		if k := t.Items[i]; k.Kind == KindAtom && k.Text == key {
			return t.Items[i+1], true
		}
	}
	return Term{}, false
}

// text returns the value of the atom key in a map when it is a bitstring, and else "".
func (t Term) text(key string) (string, bool) {
	value, ok := t.Get(key)
	if !ok || value.Kind != KindBitstring {
		return "", false
	}
	return value.Text, true
}

// String says what the kind is called in an error.
func (k Kind) String() string {
	switch k {
	case KindAtom:
		return "atom"
	case KindBitstring:
		return "bitstring"
	case KindInteger:
		return "integer"
	case KindFloat:
		return "float"
	case KindList:
		return "list"
	case KindTuple:
		return "tuple"
	case KindMap:
		return "map"
	}
	return "nothing"
}
