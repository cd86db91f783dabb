package scenarios

import "time"

// Protocol says how a server of the user's own is spoken to.
type Protocol struct {
	Wire     string            // JSONWire, HologramWire, LongPollWire, ChannelsWire or GenericWire
	File     string            // the file that it stands in; "" = the scenario says it
	Text     string            // of that file, as it may be shown
	SelfEcho string            // by which way a sender hears of its own event: EchoReply, EchoStream, EchoNone; "" = nobody has said
	Promises map[string]string // what the app says of order, in its own words, by the name of the guarantee
	App      *App              // of HologramWire; nil = the page and the commands of the bundled target
	Generic  *Generic          // of GenericWire, and of no other
}

// GenericWire is a wire that a protocol file describes.
const GenericWire = "generic"

// App is what a client has to know of an app on Hologram.
type App struct {
	Page     Template // the path of the page that a client loads; it subscribes to what the page does
	Module   string   // that takes the commands: "Elixir.Chat.RoomPage"
	Command  Template // its name; empty = that of the load
	Target   string   // the cid of the component that the command is for: "page"
	Params   []Param  // of a command, in the order of the file
	Receipts bool     // the command bears sub_receipts, as the releases after v0.11 demand
}

// Param is one parameter of a command on Hologram.
type Param struct {
	Name  string
	Type  string // one of ParamText, ParamAtom, ParamInteger, ParamFloat
	Value Template
}

// The types of a Param.
const (
	ParamText    = "text"
	ParamAtom    = "atom"
	ParamInteger = "integer"
	ParamFloat   = "float"
)

// Generic describes a server that holobench has never heard of: which requests a client makes, and what it finds in the
// answers. Names that a request captures are known to all later templates of the same client.
type Generic struct {
	Tokens  []Token // known as jwt.NAME
	Cookies bool    // each client keeps those that it gets, and sends them back
	Setup   []Request

	Subscribe Subscription
	Events    EventRules
	Publish   *Publication // nil = nobody can send
	Identity  Identity
}

// Token is a JSON Web Token that a client signs for itself.
type Token struct {
	Name   string
	Alg    string // HS256, RS256 or ES256
	Key    Template
	Header Template      // a JSON object that is added to alg and typ; may be empty
	Claims Template      // a JSON object
	TTL    time.Duration // exp is so much later than the signing; 0 = the claims say it, or nobody
}

// Request is one HTTP request of a client, and what is expected of its answer.
type Request struct {
	Place
	Method   string
	URL      Template // a path at the server, or the whole address of another
	Headers  []Field
	Body     Template   // empty = none
	Form     []Field    // a body of the type application/x-www-form-urlencoded; nil = Body says it
	Statuses []string   // that are taken: "204", "2xx"; never empty
	Captures []Captured // from the answer
	Stay     bool       // a redirect is an answer like any other, and is not followed
}

// Captured is a part of an answer or an event that is kept under a name.
type Captured struct {
	Name string
	By   Selector // empty = all of it
}

// Subscription is how a client comes to its down stream, at every connect.
type Subscription struct {
	Before  []Request // each time, before the stream is asked for
	Request Request   // of the stream
	Framing string    // FrameSSE, FrameNDJSON, FrameLongPoll or FrameRaw
	Ready   *Awaited  // the event that makes it a subscription; nil = the head of the answer does
	After   []Request // when it is ready; the client is subscribed when they are answered

	Resume    []Field  // header fields of Request, on a connection after the first, that hold something
	LostIf    *LostIf  // nil = the stream cannot tell
	Node      Template // names the node that the client talks to; empty = nobody knows
	Reconnect Backoff
	Silence   time.Duration // a stream that brings nothing for so long is dead; 0 = it may be silent
}

// The framings of a stream.
const (
	FrameSSE      = "sse"       // text/event-stream
	FrameNDJSON   = "ndjson"    // one JSON text a line
	FrameRaw      = "raw"       // any bytes, in which markers stand
	FrameLongPoll = "long-poll" // one event an answer, and the next request asks for the next
)

// Awaited is an event that is waited for, and what is kept of it.
type Awaited struct {
	Match    EventMatch
	Captures []Captured
}

// LostIf says how a stream tells that it could not go on where it was.
type LostIf struct {
	Header string   // of the answer
	Other  Template // than which its value is another one
}

// Backoff is how long a client waits before it connects again: Least, longer by Factor each time it fails, Most at most,
// more or less by Jitter.
type Backoff struct {
	Least, Most time.Duration
	Factor      float64
	Jitter      float64 // from 0 to 1
	Retry       bool    // what the server asks for by "retry" goes before
	Stop        bool    // a stream that ends cleanly stays ended
}

// EventMatch is what an event must be, all of it. The zero EventMatch is every event.
type EventMatch struct {
	Event string  // its name; "" = any
	Empty bool    // it has no data
	All   []Match // of its data
}

// Matches says whether an event is meant. Its name is "message" when it has none.
func (m *EventMatch) Matches(name string, data []byte) bool {
	if m.Event != "" && m.Event != name || m.Empty && len(data) > 0 {
		return false
	}
	for i := range m.All {
		if !m.All[i].Met(data) {
			return false
		}
	}
	return true
}

// EventRules say what an event is; the first that matches does, in this order.
type EventRules struct {
	Ignore     []EventMatch
	React      []EventReaction
	Disconnect []EventMatch
	Message    EventMatch // the rest of these is an event that somebody has sent
	Payload    Selector   // where in it the marker stands; empty = anywhere
}

// EventReaction is what a client has to answer, or is cut off.
type EventReaction struct {
	Match    EventMatch
	Captures []Captured
	Request  Request
}

// Publication is how a command is sent.
type Publication struct {
	Request Request    // Statuses are those of a command that was taken
	OK      EventMatch // what its answer must be beside that; its Event has no meaning
	Reply   Reply
}

// Reply is what the answer to a command brings its sender.
type Reply struct {
	Framing string      // "" = one body; FrameSSE: events, each a part of what the command made; FrameNone: nothing, whatever is in it
	End     *EventMatch // the event that ends it; nil = the end of the answer
	Capture []Captured  // for Identity.Reply
	Stream  *Answer     // the event of the client's stream that answers; nil = the answer to the request does
}

// Answer is the event that answers a command: at By it has the text Is.
type Answer struct {
	By Selector
	Is Template
}

// FrameNone says that nothing in an answer is read.
const FrameNone = "none"

// Identity is how a client knows which command an event comes from.
type Identity struct {
	Form string // MarkerText, MarkerUUID, MarkerInt53 or MarkerHex16

	Reply   *Selector  // what the reply to a command calls its event; nil = the marker says which command an event comes from
	Event   *EventName // ... and what the event is called then
	Foreign *EventName // what tells events apart that no command is known to have caused; nil = nothing

	Sequence   Selector // the server's own number of an event; empty = it has none
	SequenceID bool     // ... no, the id of the SSE event is it
	Check      string   // what those numbers keep to: CheckNone, CheckIncreasing, CheckGapless
	PerStream  bool     // they begin anew with each connection
}

// EventName is where an event has a name of the server's.
type EventName struct {
	ID   bool     // the id of its SSE message is it
	Data bool     // all of its data are
	By   Selector // else: a part of its data
}

// Of reads the name of an event; ok is false when it has none.
func (n *EventName) Of(id string, data []byte) (name []byte, ok bool) {
	switch {
	case n.ID:
		return []byte(id), id != ""
	case n.Data:
		return data, true
	}
	part, ok := n.By.Find(data, nil)
	return []byte(part), ok && part != ""
}

// What the numbers of a server keep to.
const (
	CheckNone       = "none"
	CheckIncreasing = "increasing" // each is higher than the one before
	CheckGapless    = "gapless"    // each is the next
)

// The forms of a marker.
const (
	MarkerText  = "text"  // "hb1.00c0ffee.c17.s3.t2500000000.", where any text may stand
	MarkerUUID  = "uuid"  // where an id must be a UUID
	MarkerInt53 = "int53" // where it must be an integer that JavaScript holds exactly
	MarkerHex16 = "hex16" // where it must be short: 16 hexadecimal digits
)
