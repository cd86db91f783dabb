package clients

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"net/url"
	"strconv"
	"time"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/http1"
	"holobench/wire/sse"
)

// plainProtocol is the JSON wire of package wire.
type plainProtocol struct{ client *Client }

// receiver implements protocol.
func (p plainProtocol) receiver(s *stream) receiver {
	r := &plainReceiver{eventStream: eventStream{stream: s}}
	r.of, r.follows, r.naming = r, true, plainName
	return r
}

// sender implements protocol.
func (p plainProtocol) sender(giveUp context.Context) sender {
	return newPoster(giveUp, p.client, p.words())
}

// words implements overHTTP2.
func (p plainProtocol) words() phrasing {
	return &plainPhrasing{client: p.client, key: "c" + strconv.FormatUint(uint64(p.client.id), 10)}
}

// joins implements protocol.
func (p plainProtocol) joins() bool { return false }

// plainReceiver holds GET /events.
type plainReceiver struct {
	eventStream
	documents map[int]*replica // of each channel that has sent a snapshot, by its place in the stream's list
}

// begin implements receiver.
func (r *plainReceiver) begin(_ context.Context, conn wire.StampedConn) error {
	request := r.request()
	r.reset()
	return r.askFor(conn, request)
}

// request is what asks for the stream.
func (r *plainReceiver) request() http1.Request {
	c := r.client
	to := r.where()
	header := []http1.Field{{Name: "Accept", Value: "text/event-stream"}, {Name: "Cache-Control", Value: "no-cache"}}
	if id := r.lastEventID(); id != "" {
		header = append(header, http1.Field{Name: "Last-Event-ID", Value: id})
	}
	return http1.Request{Method: "GET", Target: to.RequestURI(), Host: to.Host, Header: c.header(header, to)}
}

// where is the URL of the stream, or that to which the server moved it.
func (r *plainReceiver) where() *url.URL {
	c := r.client
	if r.moved != nil {
		return r.moved
	}
	query := url.Values{"instance": {c.instance}, "channel": r.names}
	return &url.URL{Scheme: c.crowd.scheme(), Host: c.crowd.host(), Path: wire.EventsPath, RawQuery: query.Encode()}
}

// pause implements receiver: what the server asked for, and else what the user or Chrome thinks right.
func (r *plainReceiver) pause() time.Duration {
	return or(r.retry, or(r.crowd.Retry, 3*time.Second))
}

// event notes one event. A snapshot delivers none: it says what became of events, and most of them are older than the
// subscription. So does the message that says that some are lost.
func (r *plainReceiver) event(e *sse.Event) {
	switch string(e.Name) {
	case wire.SnapshotMessage:
		r.snapshot(e.Data)
		return
	case wire.GapMessage:
		var gap wire.Gap
		if json.Unmarshal(e.Data, &gap) != nil {
			r.heartbeat(0, errProtocol)
			return
		}
		r.heartbeat(gap.First, errGap)
		r.ofChannel(gap.Channel)
		return
	}
	slot := r.slotOf(e.Data)
	sequence, ok := plainSequence(e.Data)
	if !ok {
		sequence = r.numbered(e.ID, slot)
	}
	r.delivered(history.SSE, slot, sequence, e.Data)
	if kept := r.documents[slot]; kept != nil {
		kept.patch(e.Data)
	}
}

// snapshot begins the replica of a document anew.
func (r *plainReceiver) snapshot(data []byte) {
	var whole wire.Snapshot
	if json.Unmarshal(data, &whole) != nil {
		r.heartbeat(0, errProtocol)
		return
	}
	r.heartbeat(whole.Version, "")
	slot := r.ofChannel(whole.Channel)
	if slot < 0 {
		return
	}
	kept := r.documents[slot]
	if kept == nil {
		if r.documents == nil {
			r.documents = make(map[int]*replica)
		}
		kept = r.client.newReplica(whole.Channel)
		r.documents[slot] = kept
	}
	kept.begin(&whole)
}

// ofChannel says of which channel the message is that was just noted, and returns its place; -1 = the stream does not hear it.
func (r *plainReceiver) ofChannel(name string) (slot int) {
	slot = r.slot([]byte(name))
	if slot >= 0 {
		r.batch[len(r.batch)-1].Channel = r.channels[slot]
	}
	return slot
}

// slotOf finds the channel of an event: it needs to look only when the client has more than one.
func (r *plainReceiver) slotOf(data []byte) int {
	if len(r.channels) == 1 {
		return 0
	}
	name, ok := wire.EventChannel(data)
	if !ok {
		return -1
	}
	return r.slot(name)
}

// numbered is the number that the id of a message gives an event of that channel: an id has one for each channel of the
// stream, in their order. 0 = it is no such id.
func (r *plainReceiver) numbered(id []byte, slot int) uint64 {
	if slot < 0 || len(id) == 0 || bytes.Count(id, []byte(",")) != len(r.channels)-1 {
		return 0
	}
	for range slot {
		_, id, _ = bytes.Cut(id, []byte(","))
	}
	id, _, _ = bytes.Cut(id, []byte(","))
	number, ok := leadingNumber(id)
	if !ok {
		return 0
	}
	return number
}

// plainSequence finds the number of an encoded event. No text within the event can be taken for it: there every quote
// stands behind a backslash.
func plainSequence(data []byte) (number uint64, ok bool) {
	const key = `,"seq":`
	const q = len(`,"se`) // this letter is rare, so that most of the text is passed over at once
	for from := 0; ; {
		at := bytes.IndexByte(data[from:], key[q])
		if at < 0 {
			return 0, false
		}
		from += at + 1
		if begin := from - 1 - q; begin >= 0 && len(data)-begin >= len(key) && string(data[begin:begin+len(key)]) == key {
			return leadingNumber(data[begin+len(key):])
		}
	}
}

// leadingNumber reads the digits with which text begins.
func leadingNumber(text []byte) (number uint64, ok bool) {
	end := 0
	for ; end < len(text) && text[end] >= '0' && text[end] <= '9'; end++ {
		digit := uint64(text[end] - '0')
		if number > (math.MaxUint64-digit)/10 {
			return 0, false
		}
		number = number*10 + digit
	}
	return number, end > 0
}

// plainPhrasing words commands as POST /command.
type plainPhrasing struct {
	client *Client
	key    string // of a client that has no instance
	json   []byte
	head   []http1.Field
}

// prepare implements phrasing.
func (p *plainPhrasing) prepare(context.Context, wire.StampedConn, string) error { return nil }

// request implements phrasing.
func (p *plainPhrasing) request(m *Message, payload []byte) http1.Request {
	c := p.client
	next := wire.Command{Instance: c.instance, Channel: m.Channel, Name: m.Name, Payload: string(payload)}
	if c.instance == "" { // where events are values, one is of its sender's instance or of a key
		next.Key = p.key
	}
	parts := setParts(m.With, &next.Key, &next.ID, &next.Base)
	p.json = wire.AppendCommandJSON(p.json[:0], next)
	p.json = appendParts(p.json, parts)
	if p.head == nil {
		p.head = c.header([]http1.Field{{Name: "Content-Type", Value: "application/json"}}, c.crowd.origin())
	}
	return http1.Request{
		Method: "POST", Target: wire.CommandPath, Host: c.crowd.host(), Header: p.head, Body: p.json,
	}
}

// reply implements phrasing: a design answers with the sender's own view of its event (self-echo), with the number that the
// event got, with both or with nothing.
func (p *plainPhrasing) reply(rows []history.Observation, echo history.Observation, body []byte) []history.Observation {
	var receipt wire.Receipt
	if len(body) > 0 && json.Unmarshal(body, &receipt) != nil {
		rows[0].Err = p.client.crowd.reason(errProtocol) // whatever it brought the sender, nobody can read it
		return rows
	}
	rows[0].Sequence = max(receipt.Seq, receipt.Version)
	for _, event := range receipt.Echo {
		echo.Channel, echo.Sequence = p.client.crowd.channel(event.Channel), event.Seq
		rows = p.client.crowd.name(rows, &echo, []byte(event.Payload))
	}
	return rows
}
