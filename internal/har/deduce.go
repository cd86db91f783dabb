package har

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Names are what the files call each other.
type Names struct {
	Recording string // in a comment
	Protocol  string // where the protocol file will be, from where the scenario is: ./NAME.protocol.yaml
}

// Files are what a recording became.
type Files struct {
	Scenario string
	Protocol string   // "" = the scenario names a protocol that is built in
	Found    []string // what was found, a line each, for the person who asked
	Checks   int      // how many lines begin with "# CHECK:"
}

// ErrNoStream is what Deduce says when events came by no way that a client of holobench can listen to.
var ErrNoStream = errors.New("the recording has no stream of events")

// ErrNoCommand is what Deduce says when no request looks as if it had made an event.
var ErrNoCommand = errors.New("the recording has no request that made an event")

// remedyRecord tells how a recording is made of which much can be seen.
const remedyRecord = "open the developer tools first, then load the page; send two texts of your own that stand nowhere else (good morning 17, good evening 18); wait until you see them; " +
	"save all as HAR with content; in Chrome with sensitive data, else the cookies are missing"

// Deduce finds out how the server of a recording is spoken to. The errors are ErrNoStream and ErrNoCommand, with a remedy.
func Deduce(r *Recording, names Names) (Files, error) {
	d := &deduction{recording: r, names: names, refs: make(map[string]reference), missing: make(map[string]bool)}
	if x := lastCommandOfHologram(r); x != nil {
		return d.hologram(x)
	}
	streams := streamsOf(r)
	found := d.findCommand(streams)
	if !found {
		if files, ok, err := d.phoenix(); ok || err != nil {
			return files, err
		}
		if d.findPolls() {
			return d.generic(), nil
		}
	}
	switch {
	case len(streams) == 0:
		return Files{}, d.noStream()
	case !found && !d.guessCommand(streams[0]):
		return Files{}, fmt.Errorf("%w behind the beginning of the stream %s: %s", ErrNoCommand, streams[0].url.Path, remedyRecord)
	}
	return d.generic(), nil
}

// deduction is what is known of a recording so far.
type deduction struct {
	recording *Recording
	names     Names

	stream  *exchange   // whose answer is the stream; of polls the first
	polls   []*exchange // when events come by polls, all of them
	command *exchange   // the first that made an event
	samples []*exchange // all that are like it
	payload slot        // of the command
	guessed bool        // nothing of the command was seen in an event

	inStream, inReply bool // where its text was seen again
	messages          []event
	others            []event

	channel string // "" = there is none
	refs    map[string]reference
	taken   []string // names of captures
	needed  []*need
	ready   *awaited
	missing map[string]bool // cookies that nothing in the recording has set
	looked  int             // bytes that were searched, a bound on the work
}

// need is a request that has to be made because of what its answer gives, or because it may have changed something.
type need struct {
	x        *exchange
	captures []capture
	cookies  bool // one of its cookies is sent later
	linked   bool // something of its answer is used, or it uses something of a stream
	direct   bool // the request of the stream itself uses what it captures
}

// awaited is the event that brings what has to be captured.
type awaited struct {
	event    event
	captures []capture
}

// streamsOf lists the exchanges whose answers are streams of events, those asked for by GET first: the answer to a command can be
// one, too.
func streamsOf(r *Recording) []*exchange {
	var all []*exchange
	for _, x := range r.exchanges {
		asked := strings.HasPrefix(first(x.header, "Accept"), "text/event-stream")
		if x.answerType == "text/event-stream" || x.byLines() || x.kind == "eventsource" || len(x.events) > 0 || asked && x.method == "GET" && x.answerType == "" {
			all = append(all, x)
		}
	}
	slices.SortStableFunc(all, func(a, b *exchange) int {
		if (a.method == "GET") != (b.method == "GET") {
			if a.method == "GET" {
				return -1
			}
			return 1
		}
		return len(b.events) - len(a.events)
	})
	return all
}

// noStream says what there is in place of a stream.
func (d *deduction) noStream() error {
	for _, x := range d.recording.exchanges {
		if x.kind == "websocket" || x.url.Scheme == "ws" || x.url.Scheme == "wss" || x.status == 101 {
			return fmt.Errorf("%w: there is a WebSocket at %s, and of those holobench speaks Phoenix Channels only, at /socket/websocket with vsn=2.0.0: "+
				"if the app can do with SSE or long polling, switch it to that and record again", ErrNoStream, x.url.Path)
		}
	}
	if len(d.recording.exchanges) == 0 {
		return fmt.Errorf("%w, nor any request: %s", ErrNoStream, remedyRecord)
	}
	return fmt.Errorf("%w: no answer has the type text/event-stream, and no text that was sent came back by a request that was made again and again: %s", ErrNoStream, remedyRecord)
}

// maxLooked bounds how many bytes are searched for one recording.
const maxLooked = 16 << 30

// holds says whether a text that may be long has a value in it.
func (d *deduction) holds(text, value string) bool {
	if d.looked += len(text); d.looked > maxLooked {
		return false
	}
	return within(text, value)
}

// asks says whether a value stands in the request of x.
func (d *deduction) asks(x *exchange, value string) bool {
	for _, s := range x.slots() {
		if d.holds(s.value, value) {
			return true
		}
	}
	return false
}
