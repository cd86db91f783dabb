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
// (self-echo); in a design that echoes on the stream, or not at all, by 202 without a body:
//
//	200    {"action":{"name":"message","status":"ok"},"echo":[{"channel":"room-3","name":"message","payload":"hb1.…"}]}
//
// Everybody else gets the event on the stream, as one SSE message:
//
//	data: {"channel":"room-3","name":"message","payload":"hb1.…"}
//
// # Numbered events
//
// Where a server numbers the events of a channel, an event may bear its number as "seq", and the reply says it:
//
//	200    {"seq":17}                                           the design sequenced
//	200    {"version":17}                                       the design state-sync, whose versions are those numbers
//	409    {"conflict":{"key":"k","version":16,"payload":"v"}}  ... when the key changed since the command's "base"
//
// Where it also keeps events, each message has its number as the SSE id. A stream goes on behind the number in its
// Last-Event-ID, or starts at from=N, the first number that it wants. A stream of several channels has one number for each,
// in the order of its request: an id is then "17,4", and from is given once for each channel. What cannot be had any more is
// said by a message of the kind "gap", and a document begins with one of the kind "snapshot":
//
//	event: gap          data: {"channel":"room-3","from":3,"first":9}
//	event: snapshot     data: {"channel":"room-3","version":16,"entries":[{"key":"k","name":"set","payload":"v","seq":16}]}
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
	Seq     uint64 `json:"seq,omitempty"` // its number in the channel, from 1; 0 = this server numbers none
	Key     string `json:"key,omitempty"` // of what this is the new value, where events are values; "" = nothing in particular
}

// Command is what a client posts. Instance names the client's own down stream ("" = it has none).
type Command struct {
	Instance string `json:"instance"`
	Channel  string `json:"channel"`
	Name     string `json:"name"`
	Payload  string `json:"payload"`

	Key  string  `json:"key,omitempty"`  // what the payload is the new value of, where events are values; "" = the instance
	ID   string  `json:"id,omitempty"`   // idempotency key: a command that is sent again with it is carried out once
	Base *uint64 `json:"base,omitempty"` // the version of the document that the sender had seen; nil = it does not care
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

// Receipt is the body that answers a command in the designs that number their events.
type Receipt struct {
	Seq      uint64    `json:"seq,omitempty"`      // the number of the command's event in its channel
	Version  uint64    `json:"version,omitempty"`  // ... where the numbers are versions of a document
	Conflict *Conflict `json:"conflict,omitempty"` // why there is no event
	Echo     []Event   `json:"echo,omitempty"`     // as in Reply
}

// Conflict says that a key has changed since the version on which a command was based, and what it holds now.
type Conflict struct {
	Key     string `json:"key"`
	Version uint64 `json:"version"` // of the change
	Payload string `json:"payload"`
}

// Snapshot is a whole document: the first message of a stream that cannot go on from where it was.
type Snapshot struct {
	Channel string  `json:"channel"`
	Version uint64  `json:"version"` // the number of the last event that is in it
	Entries []Entry `json:"entries"` // by key
}

// Entry is one key of a document, and the event that set it.
type Entry struct {
	Key     string `json:"key"`
	Name    string `json:"name"`
	Payload string `json:"payload"`
	Seq     uint64 `json:"seq"`
}

// Gap says that a stream asked for the events of a channel from number From on, and gets those from First on: what lies
// between is not kept any more. Where First is not greater than From, the server's numbers have begun anew, and whatever
// the stream has seen of the channel tells nothing about what comes.
type Gap struct {
	Channel string `json:"channel"`
	From    uint64 `json:"from"`
	First   uint64 `json:"first"`
}

// The kinds of SSE messages ("event" field) that are no event.
const (
	GapMessage      = "gap"
	SnapshotMessage = "snapshot"
)

// Paths of the plain JSON wire, shared by the bundled target and the clients.
const (
	CommandPath = "/command"
	EventsPath  = "/events"
	HealthPath  = "/healthz"
	StatePath   = "/state" // the document of a channel, where there are documents
)
