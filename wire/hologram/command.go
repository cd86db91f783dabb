package hologram

import (
	"errors"
	"fmt"
)

// Command is the body of a POST to CommandPath.
type Command struct {
	InstanceID string   // of the page, and so of the stream, from which it comes
	Module     string   // that handles it, such as "Elixir.App.RoomPage"
	Name       string   // what it is to do
	Params     Term     // a map
	Target     string   // the component that gets the action of the reply; "page" = the page itself
	Receipts   []string // nil = the key sub_receipts is left out; later versions demand it, v0.9 answers it with 500
}

// AppendCommand appends c to dst, in version 3 of the serializer.
func AppendCommand(dst []byte, c Command) []byte {
	dst = appendCommandStart(dst, c.InstanceID, c.Module, c.Name)
	dst = appendSerialized(dst, c.Params)
	if c.Receipts != nil {
		dst = append(dst, `],["asub_receipts",`...)
		dst = appendTexts(dst, c.Receipts)
	}
	return appendCommandEnd(dst, c.Target)
}

// appendCommandStart appends what stands before the params.
func appendCommandStart(dst []byte, instance, module, name string) []byte {
	dst = append(dst, `[3,{"t":"m","d":[["ainstance_id","`...)
	dst = appendHex(dst, instance)
	dst = append(dst, `"],["amodule",`...)
	dst = appendAtom(dst, module)
	dst = append(dst, `],["aname",`...)
	dst = appendAtom(dst, name)
	return append(dst, `],["aparams",`...)
}

// appendCommandEnd appends what stands behind the params.
func appendCommandEnd(dst []byte, target string) []byte {
	dst = append(dst, `],["atarget","`...)
	dst = appendHex(dst, target)
	return append(dst, `"]]}]`...)
}

// appendTexts appends a list of bitstrings.
func appendTexts(dst []byte, texts []string) []byte {
	dst = append(dst, `{"t":"l","d":[`...)
	for i, text := range texts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = appendHex(dst, text)
		dst = append(dst, '"')
	}
	return append(dst, `]}`...)
}

// ParseCommand reads the body of a POST to CommandPath, strictly: each key of Command must stand in it once, with a value
// of its kind, and no other key. Only sub_receipts may be left out. See ParseSerialized for the versions.
func ParseCommand(body []byte) (Command, error) {
	var c Command
	const must = 1<<5 - 1
	seen := 0
	err := parseKeys(body, func(key string, value Term) (err error) {
		bit := 0
		switch key {
		case "instance_id":
			bit, c.InstanceID, err = 1<<0, value.Text, is(value, KindBitstring)
		case "module":
			bit, c.Module, err = 1<<1, value.Text, is(value, KindAtom)
		case "name":
			bit, c.Name, err = 1<<2, value.Text, is(value, KindAtom)
		case "params":
			bit, c.Params, err = 1<<3, value, is(value, KindMap)
		case "target":
			bit, c.Target, err = 1<<4, value.Text, is(value, KindBitstring)
		case "sub_receipts":
			bit = 1 << 5
			c.Receipts, err = texts(value)
		default:
			return errors.New("a command has no such key")
		}
		if seen&bit != 0 {
			return errors.New("the key stands in it twice")
		}
		seen |= bit
		return err
	})
	if err == nil && seen&must != must {
		err = errors.New("it must have the keys instance_id, module, name, params and target")
	}
	if err != nil {
		return Command{}, fmt.Errorf("reading a command: %w", err)
	}
	return c, nil
}

// parseKeys reads a body that is one map with atoms as keys, and calls set for each of its pairs.
func parseKeys(body []byte, set func(key string, value Term) error) error {
	c := cursor{src: body}
	spelled := c.version()
	c.space()
	at := c.at
	if c.open(spelled) != KindMap {
		c.fail(at, "a map must stand here")
	}
	for first := true; c.next(first); first = false {
		c.expect('[')
		c.space()
		at := c.at
		key := c.serialized(spelled)
		c.expect(',')
		value := c.serialized(spelled)
		c.expect(']')
		if c.err != nil {
			break
		}
		if err := is(key, KindAtom); err != nil {
			c.fail(at, "a key: %v", err)
		} else if err := set(key.Text, value); err != nil {
			c.fail(at, "the key %.32q: %v", key.Text, err)
		}
	}
	c.close()
	c.expect(']')
	c.end()
	return c.err
}

// is refuses a term of another kind.
func is(t Term, kind Kind) error {
	if t.Kind != kind {
		return fmt.Errorf("found a term of kind %s where one of kind %s must stand", t.Kind, kind)
	}
	return nil
}

// texts reads a list of bitstrings; it is never nil.
func texts(t Term) ([]string, error) {
	if err := is(t, KindList); err != nil {
		return nil, err
	}
	all := make([]string, len(t.Items))
	for i, item := range t.Items {
		if err := is(item, KindBitstring); err != nil {
			return nil, err
		}
		all[i] = item.Text
	}
	return all, nil
}
