package clients

import (
	"context"
	"net/url"
	"time"

	"holobench/wire"
	"holobench/wire/http1"
)

// Generic is a server of somebody's own, as its protocol file describes it: which requests a client makes, and what it finds
// in the answers. One client is one browser: it has its own cookies and its own names. It is plain data and functions; who
// reads the file (see package scenarios) fills it in.
type Generic struct {
	Setup   []Step // once a client, behind the login
	Before  []Step // at each connect, before the stream is asked for
	Request Step   // of the stream
	After   []Step // when the stream is ready
	Framing Framing
	Ready   *Awaited // the event by which the stream is ready; nil = the head of the answer
	Resume  []Named  // header fields of Request on a connection after the first; one that has nothing to say is left out
	Lost    *LostIf  // nil = the stream cannot tell
	Pause   Pause
	Silence time.Duration // a stream without a byte for so long is dead; 0 = it may be silent

	Ignore     []Rule
	React      []Reaction
	Disconnect []Rule
	Message    Rule
	Payload    Pick // the part of an event in which the marker stands; nil = all of it

	Publish  *Publish     // nil = nobody can send
	Marker   wire.Marking // of events, and of ${marker}
	Sequence Pick         // the server's own number of an event; nil = it has none
	Numbered bool         // ... no, the id of the SSE event is it

	Succession Succession // of those numbers
	PerStream  bool       // they begin anew with each connection
	Foreign    NameOf     // names the events that bear no marker; nil = they are not told apart
	Replies    *Replies   // joins events and commands by what the replies say; nil = the marker does
	Node       Text       // names the node that a client talks to; nil = nobody knows
}

// Own is what a crowd has to know of a server of the user's own, whatever its wire.
type Own struct {
	Prefix    string // of the path of each request, without a slash at its end
	Login     []Step // once a client, before anything else
	Teardown  []Step // once a client, behind everything else
	NoCookies bool   // those that come are thrown away
	Tokens    []Token
	Know      func(dst []byte, client uint32, name string) (out []byte, ok bool) // what the run knows of a client; nil = nothing
	Generic   *Generic                                                           // of the wire of that name, and nil on the others
	App       *HologramApp                                                       // on the wire of Hologram; nil = the bundled one
}

// visits says whether a client has requests of its own to make, or cookies to keep.
func (o *Own) visits() bool {
	return len(o.Login) > 0 || len(o.Teardown) > 0 || o.Generic != nil || o.App != nil
}

// Names appends to dst what a name stands for, and returns the extended slice; not ok when there is nothing yet.
type Names = func(dst []byte, name string) (out []byte, ok bool)

// Text makes a text of what a client knows. Missing is the first name that stands for nothing, "" when there is none.
type Text func(dst []byte, names Names) (out []byte, missing string)

// Named is a text under a name.
type Named struct {
	Name  string
	Value Text
}

// Pick finds a part of a text, or of the fields of the head before it.
type Pick func(text []byte, fields []http1.Field) (part []byte, ok bool)

// Rule says whether an event is meant: by its name ("message" when it has none) and its data.
type Rule func(name string, data []byte) bool

// Framing is how a stream is cut into events.
type Framing string

// The framings.
const (
	FrameSSE      Framing = "sse"
	FrameNDJSON   Framing = "ndjson"    // one event a line
	FrameLongPoll Framing = "long-poll" // one event an answer
	FrameRaw      Framing = "raw"       // bytes, in which markers of the form text stand; what else is there nobody knows
)

// Step is one request, and what is expected of its answer.
type Step struct {
	Where    string // names it in errors: "login[2]"
	Method   string
	URL      Text // a path at the server, or a whole address
	Fields   []Named
	Body     Text    // nil = none
	Form     []Named // a body, url-encoded; nil = Body says it
	Takes    func(status int) bool
	Captures []Capture
	Stay     bool // a redirect is an answer
}

// Capture keeps a part of an answer or an event under a name.
type Capture struct {
	Name string
	Find Pick
}

// Awaited is an event that is waited for, and what is kept of it.
type Awaited struct {
	Rule     Rule
	Captures []Capture
}

// Reaction is what an event has to be answered by.
type Reaction struct {
	Awaited
	Step Step
}

// LostIf is a header field of the stream's answer that says, on a connection after the first, that it could not go on where it
// was: when its value is another than Other.
type LostIf struct {
	Field string
	Other Text
}

// Pause is how long to wait before a reconnect.
type Pause struct {
	Least, Most time.Duration
	Factor      float64
	Jitter      float64 // from 0 to 1
	Retry       bool    // what the server asks for goes before
	Stop        bool    // a stream that ended cleanly stays ended
}

// Publish is how a command is sent.
type Publish struct {
	Step     Step
	Addr     string    // host:port that commands go to; "" = the server
	OK       Rule      // what its answer must say, beside its status; nil = nothing
	Echo     bool      // events in the answer are the sender's own view of its command
	Parts    bool      // the answer is events, each a part of what the command makes
	End      Rule      // the part behind which the command is over; nil = the end of the answer is
	Captures []Capture // from the answer
	Answer   *Answered // the event of the stream that answers; nil = the answer to the request does
}

// Answered is the event of a client's stream that answers a command: what Find picks of it is Is, which the command made known.
type Answered struct {
	Find Pick
	Is   Text
}

// genericProtocol is a wire that a Generic describes.
type genericProtocol struct{ client *Client }

// receiver implements protocol.
func (p genericProtocol) receiver(s *stream) receiver { return newGenericReceiver(s) }

// sender implements protocol.
func (p genericProtocol) sender(giveUp context.Context) sender {
	return newPoster(giveUp, p.client, &genericPhrasing{client: p.client})
}

// joins implements protocol.
func (p genericProtocol) joins() bool { return false }

// origin is where the server of the crowd is, and the path before all others.
func (c *Crowd) origin() *url.URL {
	u := &url.URL{Scheme: "http", Host: c.host(), Path: c.Own.Prefix}
	if c.TLS != nil {
		u.Scheme = "https"
	}
	return u
}
