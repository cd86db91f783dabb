// Package har turns a recording of one browser tab into a scenario and a protocol file, by looking at where each value was
// first seen.
//
// A recording is a HAR file, as the developer tools of browsers save it. Read takes it in, Deduce looks for these things in
// it, and Files is what comes out:
//
//   - the stream: the answer of the type text/event-stream by which the events came;
//   - the command: the request with a text in it that is in none before it, and in an event behind it, or in its own answer;
//   - tokens: what stands in a request and stood before that in an answer, or in an event, is captured there. So a request is
//     needed when something of it is needed later, by value or as a cookie;
//   - what the browser made up: what is random to the eye and was in no answer is made anew by each client;
//   - the channel: what stands both where the stream is asked for and in the command, and is not random.
//
// Everything else is a constant. For example, of
//
//	GET  /login                       <input name="_csrf" value="x81kd02hza">
//	POST /login                       _csrf=x81kd02hza&user=ann&password=secret
//	GET  /events?room=lobby           data: {"text": "good morning"}
//	POST /say                         {"room": "lobby", "text": "good morning"}
//
// the first is needed for the second, whose password becomes ${env.PASSWORD}; "lobby" is the channel, and "good morning" the payload.
//
// It is a guess. Where something else could be true as well, a comment that begins with "# CHECK:" says what was seen, and what to
// write instead. A recording is full of secrets: cookies are left out, and what is sent as a password, a key or a token that no answer
// gave stands in the files as a variable of the environment.
package har

import (
	"net/url"
	"time"
)

// Limits on what is read.
const (
	MaxFile     = 256 << 20 // bytes of a recording
	MaxRequests = 20_000    // in a recording
	maxText     = 4 << 20   // bytes that are kept of one answer; the rest is not looked at
	maxEvents   = 20_000    // that are kept of one stream
)

// Recording is what a browser tab sent and got, in the order in which it sent it. It is not safe for concurrent use.
type Recording struct {
	exchanges []*exchange
}

// exchange is a request and what came of it.
type exchange struct {
	number int // its place in the recording, from 1
	start  time.Time
	end    time.Time // zero = the recording does not say when the answer was there
	method string
	url    *url.URL
	kind   string // what the browser calls it, in small letters: document, fetch, eventsource, websocket; "" = not said

	header   []field
	body     string
	bodyType string // a media type without parameters

	status       int // 0 = there was no answer
	answerHeader []field
	answer       string
	answerType   string

	events []event // of a stream
	frames []frame // of a WebSocket

	parts []slot // what slots found, when it was asked
}

type field struct{ name, value string }

// event is one event of a stream.
type event struct {
	at             time.Time // zero = not said
	name, id, data string
}

// frame is one message on a WebSocket.
type frame struct {
	sent bool
	text string
}

// before says whether x was answered when y was sent, as far as one can know.
func (x *exchange) before(y *exchange) bool {
	if x.number >= y.number || x.answerType == "text/event-stream" || x.byLines() {
		return false // a stream has no end; its events have times of their own
	}
	return x.end.IsZero() || !x.end.After(y.start.Add(rounding))
}

// rounding is how far the clocks of a recording can be wrong: the start of a request stands in it in milliseconds.
const rounding = 5 * time.Millisecond

// changes says whether a request can have changed something at the server.
func (x *exchange) changes() bool {
	return x.method == "POST" || x.method == "PUT" || x.method == "PATCH" || x.method == "DELETE"
}

// byLines says whether an answer is a stream of which each line is an event.
func (x *exchange) byLines() bool {
	switch x.answerType {
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines", "application/stream+json":
		return true
	}
	return false
}

// document says whether it is a page that a person opened. Firefox does not say so.
func (x *exchange) document() bool {
	return x.kind == "document" || x.kind == "" && x.method == "GET" && x.answerType == "text/html"
}

// good says whether it was answered well, or led elsewhere.
func (x *exchange) good() bool { return x.status >= 200 && x.status < 400 }
