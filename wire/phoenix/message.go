// Package phoenix reads and writes what Phoenix Channels send over WebSocket and by long polling, without any I/O.
//
// It is the JSON of version 2 of the serializer, which a client asks for by vsn=2.0.0. A message is one text frame,
//
//	[join_ref, ref, topic, event, payload]
//
// The client numbers its messages by ref, and those by which it joins a topic by join_ref too; both are strings. A reply
// repeats them. A broadcast has neither:
//
//	-> ["1","1","room-3","phx_join",{}]
//	<- ["1","1","room-3","phx_reply",{"response":{},"status":"ok"}]
//	-> ["1","2","room-3","message",{"payload":"hb1.…"}]
//	<- [null,null,"room-3","message",{"payload":"hb1.…"}]
//	<- ["1","2","room-3","phx_reply",{"response":{},"status":"ok"}]
//	-> [null,"3","phoenix","heartbeat",{}]
//	<- [null,"3","phoenix","phx_reply",{"response":{},"status":"ok"}]
//
// An event of holobench travels as this example says: its channel is the topic, its name the event, and its payload, which
// is a text, the only field of the payload.
//
// By long polling the same messages go up in the body of a POST, alone or one a line (ParseBatch), and come down as strings
// within the body of a GET (Poll). The status that counts stands in that body; the status of the response is always 200.
//
// JSON is read strictly, as RFC 8259 has it, in valid UTF-8, and within bounds: MaxMessage, MaxDepth, MaxBatch, MaxBody
// and MaxPoll. The binary messages of the serializer are not read.
package phoenix

import (
	"bytes"
	"errors"
	"fmt"
)

// Bounds of what is read. They are ours: Phoenix leaves them to the server in front of it.
const (
	MaxMessage = 1 << 20 // the longest message, in bytes
	MaxDepth   = 64      // how deep the objects and lists of a payload may lie within each other
)

// What both sides have to agree on before they speak: where the server listens, and the version that the query
// parameter vsn asks for.
const (
	WebSocketPath = "/socket/websocket"
	LongPollPath  = "/socket/longpoll"
	Version       = "2.0.0"
)

// The events that Phoenix itself sends or answers.
const (
	EventJoin      = "phx_join"
	EventLeave     = "phx_leave" // is answered by a reply, then a close
	EventReply     = "phx_reply"
	EventClose     = "phx_close" // the channel ended as it was meant to
	EventError     = "phx_error" // the channel crashed; the client joins again
	EventHeartbeat = "heartbeat"
)

// TopicPhoenix is the topic of heartbeats, which nobody joins.
const TopicPhoenix = "phoenix"

// Message is one message, in either direction.
type Message struct {
	JoinRef string // ref of the join that it belongs to; "" = null
	Ref     string // its number, or that of the message which it answers; "" = null
	Topic   string
	Event   string
	Payload []byte // JSON; nil is written as {}
}

// Parse reads one message. Payload aliases data. A string that is the same as m has it already is kept, so that of the
// broadcasts of one topic only the first costs an allocation. After an error m is as it was before.
func (m *Message) Parse(data []byte) error {
	if err := m.parse(data); err != nil {
		return fmt.Errorf("reading a Phoenix message: %w", err)
	}
	return nil
}

// parse is Parse without the beginning of its errors.
func (m *Message) parse(data []byte) error {
	if len(data) > MaxMessage {
		return fmt.Errorf("it is longer than %d bytes", MaxMessage)
	}
	s := scanner{data: data}
	if err := s.take('['); err != nil {
		return err
	}
	var head [4]text
	for i, name := range [...]string{"join_ref", "ref", "topic", "event"} {
		var err error
		if head[i], err = s.element(name, i < 2); err != nil {
			return err
		}
	}
	payload, err := s.value(MaxDepth)
	if err != nil {
		return err
	}
	if err := s.take(']'); err != nil {
		return err
	}
	if err := s.end(); err != nil {
		return err
	}
	m.JoinRef, m.Ref = head[0].keep(m.JoinRef), head[1].keep(m.Ref)
	m.Topic, m.Event = head[2].keep(m.Topic), head[3].keepEvent(m.Event)
	m.Payload = payload
	return nil
}

// element takes a string of a message, or null where that may be, and the comma behind it.
func (s *scanner) element(name string, mayBeNull bool) (t text, err error) {
	if mayBeNull && s.next() == 'n' {
		err = s.literal("null")
	} else if t, err = s.text(); err == nil && len(t.raw) == 0 {
		err = s.fail("the %s is empty", name)
	}
	if err != nil {
		return text{}, err
	}
	return t, s.take(',')
}

// keepEvent is keep for an event, whose usual names are constants.
func (t text) keepEvent(old string) string {
	switch string(t.raw) {
	case EventReply:
		return EventReply
	case EventHeartbeat:
		return EventHeartbeat
	case EventJoin:
		return EventJoin
	}
	return t.keep(old)
}

// AppendMessage appends m to dst, in one line. Its payload must be JSON.
func AppendMessage(dst []byte, m Message) []byte {
	dst = appendHead(dst, m)
	dst = appendJSON(dst, m.Payload)
	return append(dst, ']')
}

// appendJSON appends foreign JSON in one line; nil is an empty object.
func appendJSON(dst, value []byte) []byte {
	switch {
	case value == nil:
		return append(dst, "{}"...)
	case bytes.IndexByte(value, '\n') < 0 && bytes.IndexByte(value, '\r') < 0:
		return append(dst, value...)
	}
	for _, c := range value {
		if c == '\n' || c == '\r' {
			c = ' ' // in JSON a line end stands between two tokens only, but in a batch it would end the message
		}
		dst = append(dst, c)
	}
	return dst
}

// appendHead appends a message up to its payload.
func appendHead(dst []byte, m Message) []byte {
	dst = append(dst, '[')
	dst = appendRef(dst, m.JoinRef)
	dst = append(dst, ',')
	dst = appendRef(dst, m.Ref)
	dst = append(dst, ',')
	dst = appendQuoted(dst, m.Topic)
	dst = append(dst, ',')
	dst = appendQuoted(dst, m.Event)
	return append(dst, ',')
}

func appendRef(dst []byte, ref string) []byte {
	if ref == "" {
		return append(dst, "null"...)
	}
	return appendQuoted(dst, ref)
}

// AppendPush appends m as a command goes up: its payload is the text, whatever m.Payload is.
func AppendPush(dst []byte, m Message, payload string) []byte {
	dst = appendHead(dst, m)
	dst = append(dst, payloadFirst...)
	dst = appendEscaped(dst, payload)
	return append(dst, `"}]`...)
}

// AppendBroadcast appends an event as it comes down to every subscriber of its channel: the same bytes for all of them.
func AppendBroadcast(dst []byte, channel, name, payload string) []byte {
	return AppendPush(dst, Message{Topic: channel, Event: name}, payload)
}

// payloadFirst is how each payload begins that holobench writes.
const payloadFirst = `{"payload":"`

// PayloadText returns the text within the payload of a push or a broadcast, as Message.Parse left it. What AppendPush wrote costs nothing: the text
// aliases payload, unless an escape in it has to be undone, and what follows it is not looked at. ok is false when payload
// is no object whose field "payload" is a string.
func PayloadText(payload []byte) (found []byte, ok bool) {
	if rest, ours := bytes.CutPrefix(payload, []byte(payloadFirst)); ours {
		if end := bytes.IndexByte(rest, '"'); end >= 0 && bytes.IndexByte(rest[:end], '\\') < 0 {
			return rest[:end], true
		}
	}
	s := scanner{data: payload}
	err := s.object(MaxDepth, func(key text) error {
		if !key.is("payload") {
			_, err := s.value(MaxDepth - 1)
			return err
		}
		if ok {
			return errors.New("two fields of one name")
		}
		t, err := s.text()
		found, ok = t.appendTo(nil), true
		return err
	})
	if err != nil || s.end() != nil {
		return nil, false
	}
	return found, ok
}
