package target

import (
	"context"
	"strconv"
	"time"

	"holobench/wire"
)

// ServerEvent is the name of the events that a node makes by itself (Knobs.ServerTriggered), and the key of them where events
// are values.
const ServerEvent = "server"

// trigger makes events that no client caused, until ctx ends: at the rate of Knobs.ServerTriggered one in each channel
// that has subscribers on this node, all channels at the same moment, in the order of their names. A node that takes longer
// than the pause between two skips what it is late for.
func (s *Server) trigger(ctx context.Context) {
	rate := s.knobs.ServerTriggered
	if rate == 0 {
		return
	}
	ticker := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer ticker.Stop()
	for n := uint64(1); ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		payload := "node " + strconv.Itoa(s.options.Node) + ", event " + strconv.FormatUint(n, 10)
		for _, name := range s.registry.names() {
			event := wire.Event{Channel: name, Name: ServerEvent, Payload: payload}
			if _, refused := s.publish(ctx, publication{event: event, key: ServerEvent}); refused == nil {
				s.counters.Add(EventsTriggered, 1)
			}
		}
	}
}
