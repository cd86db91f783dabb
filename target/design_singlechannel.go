package target

import (
	"net/http"

	"holobench/wire"
)

// singleChannel keeps one order for each channel: its lock is held while an event is put into every outbox, that of the
// sender included, so that all subscribers get all events in the order of the lock. The reply says only that the command
// was taken.
type singleChannel struct{}

func (singleChannel) promises() map[string]string {
	return map[string]string{"fifo": "per publisher", "total": "per channel", "self_echo": "sse"}
}

func (singleChannel) dispatch(s *Server, cmd wire.Command) answer {
	event := eventOf(cmd)
	f := s.encode(event) // before the lock: only what makes the order belongs under it
	c := s.registry.channel(event.Channel)
	if c != nil {
		c.order.Lock()
		defer c.order.Unlock()
	}
	s.journal.record(event.Payload)
	s.fanOut(c, f, "")
	return answer{status: http.StatusAccepted}
}
