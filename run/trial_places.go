package run

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"
)

// places says where in a text the marker stands: by paths into JSON as a protocol file writes them, else "its text".
func (t *trial) places(data []byte) []string {
	if t.find == nil || !t.find(data) {
		return nil
	}
	whole, ok := readJSON(data)
	if !ok {
		return []string{"its text"}
	}
	found := t.within(nil, "", whole)
	slices.Sort(found)
	if found = slices.Compact(found); len(found) == 0 {
		return []string{"its text"} // in a key, or over several parts
	}
	return found
}

// readJSON reads a text that is one JSON value.
func readJSON(data []byte) (value any, ok bool) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if d.Decode(&value) != nil {
		return nil, false
	}
	_, err := d.Token()
	return value, err == io.EOF
}

// within appends the paths to all parts of a value that the marker stands in.
func (t *trial) within(found []string, path string, value any) []string {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v { // the order is made behind it
			found = t.within(found, strings.TrimPrefix(path+"."+key, "."), inner)
		}
	case []any:
		for i, inner := range v {
			found = t.within(found, path+"["+strconv.Itoa(i)+"]", inner)
		}
	case string:
		if t.find([]byte(v)) {
			return append(found, cmp.Or(path, "its text"))
		}
	case json.Number:
		if t.find([]byte(v)) {
			return append(found, cmp.Or(path, "its text"))
		}
	}
	return found
}
