package http1

import (
	"bytes"
	"errors"
	"strings"
)

var errSwitch = errors.New("reading an HTTP response: 101 Switching Protocols, though no other protocol was asked for")

// Switch is what a caller sets as Parser.Switch when its request asked for another protocol, such as WebSocket. A
// 101 Switching Protocols is then a response like another, without a body: Done is true behind its head, and what Feed
// left belongs to the new protocol. The server may also refuse, by any other status.
type Switch struct {
	// Fields are all fields of the head of the 101, in their order; none when the server refused.
	Fields []Field
}

// Values returns the values of all fields with this name, in any case of its letters.
func (s *Switch) Values(name string) []string {
	var values []string
	for _, field := range s.Fields {
		if strings.EqualFold(field.Name, name) {
			values = append(values, field.Value)
		}
	}
	return values
}

// keep takes up one line of the head of a 101, which was read as a field already.
func (s *Switch) keep(line []byte) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	s.Fields = append(s.Fields, Field{string(name), string(bytes.Trim(value, " \t"))})
}

// forget drops the fields of an earlier response.
func (s *Switch) forget() {
	if s != nil {
		s.Fields = nil
	}
}
