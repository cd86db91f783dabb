package har

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// leaf is a value in a JSON text that has no others in it.
type leaf struct {
	path     string // as scenarios spell it: data.items[0].id; "" = no such path leads there
	key      string // the key of the object that it, or the list around it, stands in
	value    string // a string as the text that it stands for, anything else as it is spelled
	from, to int    // where it stands, with its quotes
	text     bool   // it is a string
}

const (
	maxLeaves = 10_000
	maxDepth  = 64
)

// level is an object or a list that the reading is within.
type level struct {
	list  bool
	index int
	key   string // the one that comes next, or whose value is read
	named bool   // a key was read, and its value is next
	path  string
	lost  bool // no path leads here
}

// leaves lists the leaves of an object or a list; of what is neither, none. ok is false when text is no JSON.
func leaves(text string) (all []leaf, ok bool) {
	trimmed := strings.TrimLeft(text, " \t\r\n")
	if trimmed == "" || trimmed[0] != '{' && trimmed[0] != '[' || len(text) > maxText {
		return nil, false
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var within []level
	for {
		before := int(d.InputOffset())
		token, err := d.Token()
		if err != nil || len(within) > maxDepth || len(all) > maxLeaves {
			return all, false
		}
		end := int(d.InputOffset())
		if len(within) > 0 {
			top := &within[len(within)-1]
			if name, is := token.(string); is && !top.list && !top.named {
				top.key, top.named = name, true
				continue
			}
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			within = append(within, enter(within, token == json.Delim('[')))
		case json.Delim('}'), json.Delim(']'):
			within = within[:len(within)-1]
			if len(within) == 0 {
				return all, !d.More()
			}
			within[len(within)-1].next()
		default:
			here := enter(within, false)
			from := before + strings.IndexFunc(text[before:end], func(r rune) bool { return !strings.ContainsRune(" \t\r\n,:", r) })
			l := leaf{key: keyOf(within), from: from, to: end}
			if !here.lost {
				l.path = here.path
			}
			l.value, l.text = spelled(token)
			all = append(all, l)
			within[len(within)-1].next()
		}
	}
}

func (l *level) next() {
	l.named = false
	l.index++
}

// enter is where the value stands that comes next.
func enter(within []level, list bool) level {
	if len(within) == 0 {
		return level{list: list}
	}
	top := &within[len(within)-1]
	here := level{list: list, lost: top.lost}
	switch {
	case top.list:
		here.path = top.path + "[" + strconv.Itoa(top.index) + "]"
	case top.key == "" || strings.ContainsAny(top.key, ".[]"):
		here.lost = true
	case top.path == "":
		here.path = top.key
	default:
		here.path = top.path + "." + top.key
	}
	return here
}

// keyOf is the innermost key on the way to the value that comes next.
func keyOf(within []level) string {
	for _, l := range slices.Backward(within) {
		if !l.list {
			return l.key
		}
	}
	return ""
}

func spelled(token json.Token) (value string, text bool) {
	switch token := token.(type) {
	case string:
		return token, true
	case json.Number:
		return token.String(), false
	case bool:
		return strconv.FormatBool(token), false
	default:
		return "null", false
	}
}
