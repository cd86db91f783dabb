package phoenix

import (
	"errors"
	"fmt"
)

// The statuses of a reply.
const (
	StatusOK    = "ok"
	StatusError = "error"
)

// ReasonUnmatchedTopic is the response, with StatusError, to a message on a topic that was not joined.
const ReasonUnmatchedTopic = `{"reason":"unmatched topic"}`

// Reply is the payload of a message whose event is EventReply.
type Reply struct {
	Status   string // StatusOK, StatusError, or what the application invented
	Response []byte // JSON; nil is written as {}
}

// AppendReply appends the message that answers to.
func AppendReply(dst []byte, to Message, r Reply) []byte {
	to.Event = EventReply
	dst = appendHead(dst, to)
	dst = append(dst, `{"response":`...)
	dst = appendJSON(dst, r.Response)
	dst = append(dst, `,"status":`...)
	dst = appendQuoted(dst, r.Status)
	return append(dst, "}]"...)
}

// ParseReply reads the payload of a reply. Both fields must be there, and no other. Response aliases payload.
func ParseReply(payload []byte) (Reply, error) {
	var r Reply
	s := scanner{data: payload}
	var seen fields
	err := s.object(MaxDepth, func(key text) (err error) {
		switch {
		case key.is("response") && seen.first(1):
			r.Response, err = s.value(MaxDepth - 1)
		case key.is("status") && seen.first(2):
			r.Status, err = s.status()
		default:
			err = s.fail("the field %.40q is unknown, or comes twice", key.raw)
		}
		return err
	})
	if err == nil {
		err = s.end()
	}
	if err == nil && seen != 1|2 {
		err = errors.New("it lacks its status or its response")
	}
	if err != nil {
		return Reply{}, fmt.Errorf("reading a Phoenix reply: %w", err)
	}
	return r, nil
}

// status takes the status of a reply.
func (s *scanner) status() (string, error) {
	t, err := s.text()
	if t.is(StatusOK) {
		return StatusOK, err // costs no allocation
	}
	return t.keep(StatusError), err
}

// fields is the set of the fields of an object that have been read.
type fields uint8

// first adds a field, and reports whether it was not there.
func (f *fields) first(field fields) bool {
	was := *f
	*f |= field
	return was&field == 0
}
