package target

import (
	"fmt"
	"net/http"
	"strings"

	"holobench/wire"
	"holobench/wire/sse"
)

// Wire names how a server is spoken to. The plain JSON wire (POST /command, GET /events) is there beside any other.
type Wire string

// The wires.
const (
	// JSON is the plain wire of package wire, and the default of every design that has none of its own yet.
	JSON Wire = "json"
	// LongPollWire is long polling as Phoenix does it; see longPollWire.
	LongPollWire Wire = "long-poll"
	// ChannelsWire is Phoenix Channels over WebSocket; see channelsWire.
	ChannelsWire Wire = "channels"
	// HologramWire is that of Hologram v0.9 to v0.11; see hologramWire.
	HologramWire Wire = "hologram"
)

// Wires lists all wires, the plain one first. The scenario language has a list of its own, which a test of the command holds
// against this one.
func Wires() []Wire { return []Wire{JSON, HologramWire, LongPollWire, ChannelsWire} }

// protocol is one wire. It turns requests into publications and hands them to Server.publish, the one path, whose result it
// words as its own reply; and it adds its subscribers by Server.admit and Server.open. A subscriber is a stream, whose
// streamWriter carries frames to the client by whatever it has (an SSE response, a WebSocket, the polls of a session). Its
// channels are given to Server.subscribe, or come and go later by registry.join and registry.leave. What only this client is
// told (a reply on its socket) goes into the same outbox by stream.enqueue, and keeps its place.
//
// A new wire is a file wire_NAME.go with a type that implements protocol, a Wire above and its case in Wire.protocol, a
// format for each spelling of an event that it has, and, where its clients do not hear by SSE, counters of its own. A design
// whose native wire it is names it in its preset.
type protocol interface {
	// routes are the paths that this wire answers.
	routes(s *Server) map[string]http.HandlerFunc
	// path is how history names the way by which subscribers of this wire hear: "sse", "poll", "websocket".
	path() string
	// fifo is how far the order of one publisher is kept: "per publisher", "per client", "per socket".
	fifo() string
}

// protocol returns the wire of that name.
func (w Wire) protocol() (protocol, error) {
	switch w {
	case JSON:
		return plainWire{}, nil
	case LongPollWire:
		return newLongPollWire(), nil
	case ChannelsWire:
		return newChannelsWire(), nil
	case HologramWire:
		return hologramWire{}, nil
	}
	names := make([]string, 0, len(Wires()))
	for _, known := range Wires() {
		names = append(names, string(known))
	}
	return nil, fmt.Errorf("there is no wire %q; the wires are %s", string(w), strings.Join(names, ", "))
}

// plainWire is the JSON wire of package wire.
type plainWire struct{}

func (plainWire) routes(s *Server) map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		wire.CommandPath: s.serveCommand, wire.EventsPath: s.serveEvents, wire.StatePath: s.serveState,
	}
}

func (plainWire) path() string { return "sse" }

func (plainWire) fifo() string { return "per publisher" }

// format is one spelling of an event. Each subscriber has one, and an event is encoded once for each format in which somebody
// hears it, however many they are.
type format uint8

const (
	formatPlain    format = iota // JSON as an SSE message, with the number as its id where events are kept
	formatPlainAny               // ... without an id: for streams of several channels, whose ids are their own
	formatHologram               // JavaScript that makes a term, as the data of an event
	formatPoll                   // a broadcast of Phoenix, as text
	formatSocket                 // ... as a frame of a WebSocket
	formatCount                  // not a format: how many there are
)

// pathCounters are what deliveries of one format are counted into.
type pathCounters struct {
	enqueued, written, bytes Counter
}

// counters of the format.
func (f format) counters() pathCounters {
	switch f {
	case formatPoll:
		return pathCounters{enqueued: DeliveriesEnqueuedPoll, written: DeliveriesWrittenPoll, bytes: BytesWrittenPoll}
	case formatSocket:
		return pathCounters{enqueued: DeliveriesEnqueuedWebSocket, written: DeliveriesWrittenWebSocket, bytes: BytesWrittenWebSocket}
	default:
	}
	return pathCounters{enqueued: DeliveriesEnqueuedSSE, written: DeliveriesWrittenSSE, bytes: BytesWrittenSSE}
}

// steady says whether the format's heartbeats come at every interval, whatever else was written meanwhile.
func (f format) steady() bool { return f == formatHologram }

// beats says whether the server makes heartbeats for streams of that format: with Phoenix it is the client who does.
func (f format) beats() bool { return f != formatPoll && f != formatSocket }

// encode makes the frame of m in one format: two allocations, however many subscribers there are.
func (s *Server) encode(m *message, f format) *frame {
	switch f {
	case formatPlain:
		id := ""
		if s.ids {
			id = formatNumber(m.sequence)
		}
		return s.encodePlain(m, id)
	case formatHologram:
		return encodeHologram(m)
	case formatPoll, formatSocket:
		return s.encodePhoenix(m, f)
	case formatPlainAny, formatCount:
	}
	return s.encodePlain(m, "")
}

func (s *Server) encodePlain(m *message, id string) *frame {
	scratch := s.scratch.get()
	defer s.scratch.put(scratch)
	*scratch = wire.AppendEventJSON((*scratch)[:0], m.event)
	room := make([]byte, chunkRoom, chunkRoom+len("id: \ndata: \n\n\r\n")+len(id)+len(*scratch))
	return newFrame(eventFrame, sse.AppendEvent(room, id, "", *scratch))
}
