package target

import (
	"net/http"

	"holobench/wire"
)

// hologram hands each event out in the goroutine of its own request. Nothing puts two dispatches into an order: each
// walks over the subscribers by itself, and where two overlap, one subscriber may get A before B and the next one B
// before A. The sender's own stream is left out; it learns of its event from the reply (self-echo), which is written
// after the fan-out, so that its next command can never overtake this one at any subscriber.
type hologram struct{}

func (hologram) promises() map[string]string {
	return map[string]string{"fifo": "per publisher", "self_echo": "reply"}
}

func (hologram) dispatch(s *Server, cmd wire.Command) answer {
	event := eventOf(cmd)
	f := s.encode(event)
	s.journal.record(event.Payload)
	told := s.fanOut(s.registry.channel(event.Channel), f, cmd.Instance)
	reply := &wire.Reply{Action: wire.Action{Name: cmd.Name, Status: "ok"}}
	if told.sender {
		reply.Echo = []wire.Event{event}
	}
	return answer{status: http.StatusOK, reply: reply}
}
