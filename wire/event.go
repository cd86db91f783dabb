// Package wire defines what travels between a client and a realtime server: commands, replies, events, their marker, and
// the codecs.
//
// It is pure: bytes in, values out, no I/O and no clock. What one side of holobench writes (the bundled target) the other
// side (the simulated clients) reads through the same codec, so that a disagreement between the two can never be a
// disagreement about bytes.
//
// # The plain JSON wire
//
// A client opens its stream with
//
//	GET /events?instance=c17&channel=room-3        Accept: text/event-stream
//
// and is subscribed from the moment at which the head of the answer (200, text/event-stream) was written. It sends a command with
//
//	POST /command    {"instance":"c17","channel":"room-3","name":"message","payload":"hb1.…"}
//
// and is answered, in the design hologram, by the command's action and by the broadcasts that it is itself subscribed to
// (self-echo); in the design single-channel by 202 without a body:
//
//	200    {"action":{"name":"message","status":"ok"},"echo":[{"channel":"room-3","name":"message","payload":"hb1.…"}]}
//
// Everybody else gets the event on the stream, as one SSE message:
//
//	data: {"channel":"room-3","name":"message","payload":"hb1.…"}
package wire

// EventID names one event of one run: the n-th command of one publisher. Publisher counts the clients of the run from 0,
// Seq counts the commands of that publisher from 1; Seq 0 is no event.
type EventID struct {
	Publisher uint32
	Seq       uint32
}

// Event is one broadcast: what a subscriber of Channel is told. Payload is opaque to the target.
type Event struct {
	Channel string `json:"channel"`
	Name    string `json:"name"`
	Payload string `json:"payload"`
}

// Command is what a client posts. Instance names the client's own down stream ("" = it has none).
type Command struct {
	Instance string `json:"instance"`
	Channel  string `json:"channel"`
	Name     string `json:"name"`
	Payload  string `json:"payload"`
}

// Action is the outcome of a command as the design hologram puts it into the reply.
type Action struct {
	Name   string `json:"name"`
	Status string `json:"status"`
}

// Reply is the body that answers a command in the design hologram. Echo holds the broadcasts of this command to which the
// sender is itself subscribed.
type Reply struct {
	Action Action  `json:"action"`
	Echo   []Event `json:"echo"`
}

// Paths of the plain JSON wire, shared by the bundled target and the clients.
const (
	CommandPath = "/command"
	EventsPath  = "/events"
	HealthPath  = "/healthz"
)
