package clients

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/http1"
	"holobench/wire/sse"
)

// genericPhrasing words commands as Generic.Publish says.
type genericPhrasing struct {
	client *Client

	// Of the command at hand.
	message *Message
	payload []byte
	marker  wire.Marker
	mark    []byte

	is   string            // what the event has that answers it
	came chan *answerEvent // nil = the answer to the request does

	events sse.Parser // of an answer in parts
	parts  uint32
	over   bool
}

// prepare implements phrasing: nothing that a command names may be missing.
func (p *genericPhrasing) prepare(_ context.Context, _ wire.StampedConn, channel string) error {
	publish := p.client.crowd.Own.Generic.Publish
	if publish == nil && channel == "" {
		return nil // who only looks on needs none
	}
	if publish == nil {
		return &StepError{Where: "publish", Missed: "publish"}
	}
	if channel == "" {
		return nil
	}
	p.message, p.payload, p.mark = &Message{Channel: channel}, nil, nil
	_, _, err := p.client.browser.request(&publish.Step, func(dst []byte, name string) ([]byte, bool) {
		if strings.HasPrefix(name, "with.") {
			return dst, true
		}
		return p.name(dst, name)
	})
	return err
}

// addr is where commands go, when that is not where the stream is.
func (p *genericPhrasing) addr() string {
	if publish := p.client.crowd.Own.Generic.Publish; publish != nil {
		return publish.Addr
	}
	return ""
}

// name is the Names of a command.
func (p *genericPhrasing) name(dst []byte, name string) (out []byte, ok bool) {
	switch name {
	case "channel":
		return append(dst, p.message.Channel...), true
	case "name":
		return append(dst, p.message.Name...), true
	case "payload":
		return append(dst, p.payload...), true
	case "marker":
		return append(dst, p.mark...), true
	case "seq":
		return strconv.AppendUint(dst, uint64(p.marker.Event.Seq), 10), true
	}
	if part, is := strings.CutPrefix(name, "with."); is {
		for _, f := range p.message.With {
			if f.Name == part {
				return append(dst, f.Value...), true
			}
		}
		return dst, false
	}
	return p.client.browser.name(dst, name)
}

// request implements phrasing.
func (p *genericPhrasing) request(m *Message, payload []byte) http1.Request {
	crowd := p.client.crowd
	g := crowd.Own.Generic
	p.about(m, payload)
	p.parts, p.over = 0, false
	p.events.Reset()
	request, to, _ := p.client.browser.request(&g.Publish.Step, p.name)
	if to == nil {
		to = crowd.origin() // prepare had nothing against it: what the command itself puts into it is to blame, and the server will say so
	}
	request.Target, request.Host, request.Header = to.RequestURI(), to.Host, p.client.header(request.Header, to)
	p.expectAnswer()
	return request
}

// about takes up a command, whose names are then known.
func (p *genericPhrasing) about(m *Message, payload []byte) {
	by := wire.MarkText
	if g := p.client.crowd.Own.Generic; g != nil {
		by = g.Marker
	}
	p.message, p.payload = m, payload
	p.marker, _, _ = wire.FindMarker(payload)
	p.mark = wire.AppendMark(p.mark[:0], by, p.marker)
}

// reply implements phrasing.
func (p *genericPhrasing) reply(rows []history.Observation, echo history.Observation, body []byte) []history.Observation {
	publish := p.client.crowd.Own.Generic.Publish
	if publish.OK != nil && !publish.OK("message", body) {
		rows[0].Err = p.client.crowd.reason(errRefusedInBody)
		return rows
	}
	p.client.browser.keep(publish.Captures, body, nil)
	replies := p.client.crowd.Own.Generic.Replies
	replies.named(p.message.Channel, body, nil, p.marker)
	if publish.Echo && !publish.Parts && replies != nil { // its good answer is how the sender hears of it
		echo.Event, echo.Due = p.marker.Event, p.marker.Due
		return append(rows, echo)
	}
	if !publish.Echo || publish.Parts {
		return rows
	}
	before := len(rows)
	rows = p.client.heard(rows, echo, body)
	if rows[before].Kind == history.Alien {
		return rows[:before] // an answer need not tell of the command
	}
	return rows
}

// takes implements judging: the protocol file says which answers are good.
func (p *genericPhrasing) takes(status int) bool {
	return p.client.crowd.Own.Generic.Publish.Step.Takes(status)
}

// inParts implements streamed: what comes, comes part by part.
func (p *genericPhrasing) inParts() bool { return p.client.crowd.Own.Generic.Publish.Parts }

// take implements streamed. Each event of the answer is a part of what the command makes; all of them have its name, whatever
// they say.
func (p *genericPhrasing) take(o history.Observation, b []byte) (over bool, err error) {
	sink := &partSink{phrasing: p, part: o}
	err = p.events.Feed(b, sink)
	if len(sink.batch) > 0 {
		p.client.crowd.Observe(sink.batch)
	}
	return p.over, err
}

// partSink takes the events of an answer.
type partSink struct {
	phrasing *genericPhrasing
	part     history.Observation
	batch    []history.Observation
}

// OnEvent implements sse.Handler.
func (s *partSink) OnEvent(e *sse.Event) {
	p := s.phrasing
	name := string(e.Name)
	if name == "" {
		name = "message"
	}
	if p.over {
		return
	}
	if end := p.client.crowd.Own.Generic.Publish.End; end != nil && end(name, e.Data) {
		p.over = true
	}
	p.parts++
	o := s.part
	o.Event, o.Due, o.Part = p.marker.Event, p.marker.Due, p.parts
	s.batch = append(s.batch, o)
	if p.client.listen != nil {
		p.client.hears(s.batch[len(s.batch)-1:], e.Data, func([]byte) []byte { return []byte(name) })
	}
}

// OnComment implements sse.Handler.
func (s *partSink) OnComment([]byte) {}

// OnRetry implements sse.Handler.
func (s *partSink) OnRetry(time.Duration) {}

// sentTable remembers when commands were due, for markers that do not say it.
type sentTable struct {
	mu  sync.RWMutex
	due map[uint32][]int64 // by publisher; the first of each is that of its command 1
}

// remembersDue says whether markers do not say when their commands were due, so that somebody must remember it.
func (c *Crowd) remembersDue() bool {
	g := c.Own.Generic
	return g != nil && g.Marker != "" && g.Marker != wire.MarkText
}

func (t *sentTable) add(id wire.EventID, due int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.due == nil {
		t.due = make(map[uint32][]int64)
	}
	for uint32(len(t.due[id.Publisher])) < id.Seq { //nolint:gosec // as many as there are commands, which are counted in 32 bits
		t.due[id.Publisher] = append(t.due[id.Publisher], due)
	}
	t.due[id.Publisher][id.Seq-1] = due
}

func (t *sentTable) get(id wire.EventID) (due int64, ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	all := t.due[id.Publisher]
	if id.Seq == 0 || uint64(id.Seq) > uint64(len(all)) {
		return 0, false
	}
	return all[id.Seq-1], true
}
