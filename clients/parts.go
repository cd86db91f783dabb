package clients

import (
	"encoding/json"
	"strconv"

	"holobench/wire/http1"
)

// setParts takes the parts of a message that a command of the bundled target has: key, id and base. It returns the others.
func setParts(parts []http1.Field, key, id *string, base **uint64) (others []http1.Field) {
	for _, part := range parts {
		switch part.Name {
		case "key":
			*key = part.Value
		case "id":
			*id = part.Value
		case "base":
			number, err := strconv.ParseUint(part.Value, 10, 64)
			if err != nil {
				others = append(others, part) // the server shall say what it thinks of it
				continue
			}
			*base = &number
		default:
			others = append(others, part)
		}
	}
	return others
}

// appendParts puts parts into an encoded object, behind all that is in it.
func appendParts(object []byte, parts []http1.Field) []byte {
	for _, part := range parts {
		name, err := json.Marshal(part.Name)
		if err != nil {
			continue // never: a text can be encoded
		}
		value, err := json.Marshal(part.Value)
		if err != nil {
			continue // as above
		}
		object = append(append(object[:len(object)-1], ','), name...)
		object = append(append(append(object, ':'), value...), '}')
	}
	return object
}
