package target

import (
	"strconv"

	"holobench/wire"
)

// publication is what a wire asks of the server: one event, and who sent it.
type publication struct {
	event  wire.Event
	sender string  // the instance whose command it is; "" = nobody's
	key    string  // of what the event is the new value, where events are values; "" = of the sender
	id     string  // idempotency key; "" = none
	base   *uint64 // the version on which it is based; nil = none
	heard  bool    // the sender's stream was found on another node

	// before, when it is not nil, is called when the event has its number and nobody has been told of it: what the sender is
	// told then comes before all that others do because of it. It is not called where the event comes back from a bus first.
	before func(event *wire.Event)
}

// published is what became of a publication; the wire words its reply from it.
type published struct {
	event     wire.Event     // as it was handed out: its number is the reply of a numbering design
	sequence  uint64         // its number in the channel; 0 = events have none
	echo      bool           // the sender is to be told of its event by the reply
	conflict  *wire.Conflict // nil = there is none; else nothing was handed out
	duplicate bool           // it was handed out before, as this number
}

// message is an event on its way to its subscribers. Its frames are made when the first subscriber of that format is reached,
// by whoever hands it out, or sends it again under the lock of its log: nobody else touches them at that time.
type message struct {
	event    wire.Event
	sequence uint64 // its number in the channel; 0 = events have none
	value
	left   string // the instance that is not to be told by its stream, because it knows already; "" = everybody is
	frames [formatCount]*frame
}

// frame returns the bytes of m for subscribers of that format.
func (m *message) frame(s *Server, f format) *frame {
	if m.frames[f] == nil {
		encoded := s.encode(m, f)
		encoded.value = m.value
		m.frames[f] = encoded
	}
	return m.frames[f]
}

// size is about what a log spends on m: its text, its frames in one format, and what is around them.
func (m *message) size() int {
	return 2*(len(m.event.Channel)+len(m.event.Name)+len(m.event.Payload)+len(m.event.Key)) + 256
}

// formatNumber is how a number stands in an id.
func formatNumber(n uint64) string { return strconv.FormatUint(n, 10) }
