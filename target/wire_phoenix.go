package target

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"holobench/wire"
	"holobench/wire/phoenix"
	"holobench/wire/websocket"
)

// CrashEvent is the event by which a client of Phoenix Channels makes one of its channels crash, as a bug of the application
// would: it is answered by phx_error, and the client has to join again.
const CrashEvent = "crash"

// phoenixTopics is how many topics one client may have joined, as many as Phoenix lets it.
const phoenixTopics = 100

// phoenixClient is one client of Phoenix Channels, over whichever transport: what its messages do, and what they are answered.
// All that it is told goes into the outbox of its stream, answers and broadcasts alike, so that there is one order of them. Its
// messages are handled one at a time.
//
//	phx_join      subscribes to the topic, whose name is that of the channel, and then says ok. A broadcast may come before
//	              that answer, as in Phoenix; none is missed after it. Who joins again closes what it had (phx_close).
//	phx_leave     ends that: ok, then phx_close. To leave what was not joined is ok.
//	heartbeat     on the topic "phoenix": ok.
//	crash         phx_error, and the topic is left.
//	others        {"payload":"..."} is a command: its event goes to the topic, to the sender too where the echo comes by the
//	              stream (Phoenix's broadcast); then it is answered ok. Where the echo comes by the reply
//	              (broadcast_from), the sender is left out, and the event is in the response. Events that begin with "phx_" are Phoenix's own and refused.
//
// What cannot be done is answered with the status "error" and a reason, on a topic that was not joined "unmatched topic".
type phoenixClient struct {
	server *Server
	stream *stream
	topics []phoenixTopic
}

// phoenixTopic is a topic that was joined, by the message of that ref.
type phoenixTopic struct{ name, joinRef string }

// handle does what m asks for. It keeps nothing of m.Payload.
func (c *phoenixClient) handle(ctx context.Context, m phoenix.Message) {
	at := slices.IndexFunc(c.topics, func(t phoenixTopic) bool { return t.name == m.Topic })
	switch {
	case m.Topic == phoenix.TopicPhoenix && m.Event == phoenix.EventHeartbeat:
		c.reply(m, controlFrame, phoenix.Reply{Status: phoenix.StatusOK})
	case m.Topic == phoenix.TopicPhoenix:
		c.unmatched(m)
	case m.Event == phoenix.EventJoin:
		c.join(m, at)
	case m.Event == phoenix.EventLeave:
		c.reply(m, controlFrame, phoenix.Reply{Status: phoenix.StatusOK})
		if at >= 0 {
			c.leave(at, phoenix.EventClose)
		}
	case at < 0:
		c.unmatched(m)
	case m.Event == CrashEvent:
		c.leave(at, phoenix.EventError)
	default:
		m.JoinRef = c.topics[at].joinRef
		c.push(ctx, m)
	}
}

// unmatched answers what was sent to a topic that was not joined; a real server leaves the join_ref out.
func (c *phoenixClient) unmatched(m phoenix.Message) {
	m.JoinRef = ""
	c.reply(m, controlFrame, phoenix.Reply{Status: phoenix.StatusError, Response: []byte(phoenix.ReasonUnmatchedTopic)})
}

// join subscribes to a topic, which was joined already at that place of topics (negative = it was not).
func (c *phoenixClient) join(m phoenix.Message, at int) {
	if at >= 0 {
		c.tell(phoenix.EventClose, c.topics[at])
		c.topics[at].joinRef = m.JoinRef
		c.reply(m, controlFrame, phoenix.Reply{Status: phoenix.StatusOK})
		return
	}
	if refused := c.admit(m.Topic); refused != nil {
		c.refuse(m, refused)
		return
	}
	c.server.registry.join(c.stream, m.Topic)
	c.topics = append(c.topics, phoenixTopic{name: m.Topic, joinRef: m.JoinRef})
	c.reply(m, controlFrame, phoenix.Reply{Status: phoenix.StatusOK})
}

// admit says whether one more topic may be joined.
func (c *phoenixClient) admit(topic string) *refusal {
	if len(c.topics) >= phoenixTopics {
		return refuse(http.StatusBadRequest, "too many topics: at most %d can be joined", phoenixTopics)
	}
	if refused := c.server.checkName("topic", topic); refused != nil {
		return refused
	}
	kept, refused := c.server.keep([]string{topic})
	c.server.letGo(kept)
	return refused
}

// leave takes the client out of the topic at that place, and tells it by event.
func (c *phoenixClient) leave(at int, event string) {
	left := c.topics[at]
	c.topics = slices.Delete(c.topics, at, at+1)
	c.server.registry.leave(c.stream, left.name)
	c.tell(event, left)
}

// tell sends phx_close or phx_error of a topic.
func (c *phoenixClient) tell(event string, t phoenixTopic) {
	c.send(controlFrame, func(dst []byte) []byte {
		return phoenix.AppendMessage(dst, phoenix.Message{JoinRef: t.joinRef, Ref: t.joinRef, Topic: t.name, Event: event})
	})
}

// push carries out a command.
func (c *phoenixClient) push(ctx context.Context, m phoenix.Message) {
	counters := c.server.counters
	counters.Add(CommandsReceived, 1)
	text, ok := phoenix.PayloadText(m.Payload)
	refused := c.server.checkName("event", m.Event)
	switch {
	case refused != nil:
	case strings.HasPrefix(m.Event, "phx_"):
		refused = refuse(http.StatusBadRequest, "the event %q is one of Phoenix itself", m.Event)
	case !ok:
		refused = refuse(http.StatusBadRequest, `a push has the form {"payload":"text"}`)
	}
	if refused == nil {
		refused = c.publish(ctx, m, string(text))
	}
	if refused != nil {
		counters.Add(CommandsRejected, 1)
		c.refuse(m, refused)
		return
	}
	counters.Add(CommandsAccepted, 1)
}

// publish makes an event of m, and answers. An answer that brings the event takes its place in the outbox before anybody else
// is told, so that nothing that others do because of it can come first. (In Phoenix it is sent behind the broadcast, by
// another process than the one that a reaction has to pass through, and so nearly always before that.)
func (c *phoenixClient) publish(ctx context.Context, m phoenix.Message, payload string) *refusal {
	answered := false
	echo := func(e *wire.Event) {
		answered = true
		c.reply(m, echoFrame, phoenix.Reply{Status: phoenix.StatusOK, Response: appendPhoenixPayload(nil, e)})
	}
	p := publication{event: wire.Event{Channel: m.Topic, Name: m.Event, Payload: payload}, sender: c.stream.instance}
	if c.server.knobs.Echo == EchoReply {
		p.before = echo
	}
	result, refused := c.server.publish(ctx, p)
	switch {
	case refused != nil || answered:
		return refused
	case result.echo:
		echo(&result.event)
		return nil
	}
	r := phoenix.Reply{Status: phoenix.StatusOK}
	if c.server.answer == answerSequence {
		r.Response = append(strconv.AppendUint([]byte(`{"seq":`), result.sequence, 10), '}')
	}
	c.reply(m, controlFrame, r)
	return nil
}

// refuse answers m with a reason.
func (c *phoenixClient) refuse(m phoenix.Message, refused *refusal) {
	reason, err := json.Marshal(map[string]string{"reason": refused.text})
	if err != nil {
		return // never: a text can be encoded
	}
	c.reply(m, controlFrame, phoenix.Reply{Status: phoenix.StatusError, Response: reason})
}

// reply answers m.
func (c *phoenixClient) reply(m phoenix.Message, kind frameKind, r phoenix.Reply) {
	c.send(kind, func(dst []byte) []byte { return phoenix.AppendReply(dst, m, r) })
}

// send puts one message to this client alone into its outbox.
func (c *phoenixClient) send(kind frameKind, message func(dst []byte) []byte) {
	c.stream.enqueue(c.server.phoenixFrame(kind, c.stream.format, message))
}

// phoenixFrame makes the frame of one message: two allocations.
func (s *Server) phoenixFrame(kind frameKind, spelling format, message func(dst []byte) []byte) *frame {
	scratch := s.scratch.get()
	defer s.scratch.put(scratch)
	*scratch = message(*scratch)
	var chunk []byte
	if spelling == formatSocket {
		const longestHead = 10
		chunk = websocket.AppendFrame(make([]byte, 0, longestHead+len(*scratch)), websocket.Frame{Opcode: websocket.Text, Payload: *scratch})
	} else {
		chunk = phoenix.AppendPollMessage(make([]byte, 0, len(*scratch)+len(*scratch)/8+2), *scratch)
	}
	return &frame{chunk: chunk, to: len(chunk), kind: kind}
}

// encodePhoenix makes the frame of m: a broadcast.
func (s *Server) encodePhoenix(m *message, spelling format) *frame {
	return s.phoenixFrame(eventFrame, spelling, func(dst []byte) []byte { return appendPhoenixBroadcast(dst, &m.event) })
}

// appendPhoenixBroadcast appends e as Phoenix broadcasts it. An event must have a name there: one that came without, by the
// plain wire, is called "message".
func appendPhoenixBroadcast(dst []byte, e *wire.Event) []byte {
	name := e.Name
	if name == "" {
		name = "message"
	}
	dst = phoenix.AppendBroadcast(dst, e.Channel, name, e.Payload)
	if e.Seq == 0 && e.Key == "" {
		return dst
	}
	return append(appendPhoenixExtras(dst[:len(dst)-len("}]")], e), "}]"...)
}

// appendPhoenixPayload appends the payload of that broadcast alone.
func appendPhoenixPayload(dst []byte, e *wire.Event) []byte {
	whole := appendPhoenixBroadcast(nil, &wire.Event{Channel: "c", Name: "n", Payload: e.Payload, Seq: e.Seq, Key: e.Key})
	return append(dst, whole[len(`[null,null,"c","n",`):len(whole)-len("]")]...)
}

// appendPhoenixExtras appends the number and the key that an event may bear, as the plain wire names them.
func appendPhoenixExtras(dst []byte, e *wire.Event) []byte {
	if e.Seq != 0 {
		dst = strconv.AppendUint(append(dst, `,"seq":`...), e.Seq, 10)
	}
	if e.Key != "" {
		key, err := json.Marshal(e.Key)
		if err != nil {
			return dst // never: a text can be encoded
		}
		dst = append(append(dst, `,"key":`...), key...)
	}
	return dst
}

// phoenixNames gives each client of one node an instance of its own, which nobody supersedes. The number of the node is in it:
// over the bus a name stands for the same client on all nodes.
type phoenixNames struct{ last atomic.Uint64 }

func (n *phoenixNames) next(kind string, node int) string {
	return kind + " " + strconv.Itoa(node) + "." + strconv.FormatUint(n.last.Add(1), 10)
}

// checkPhoenixVersion judges the version that a request asks for, and returns the rest of its query. Phoenix takes a request
// without a version for one of version 1, which is not spoken here.
func checkPhoenixVersion(r *http.Request) (url.Values, *refusal) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "reading the query: %v", err)
	}
	if vsn := query["vsn"]; len(vsn) != 1 || vsn[0] != phoenix.Version {
		return nil, refuse(http.StatusBadRequest, "vsn is %.60q; only vsn=%s is spoken here", strings.Join(vsn, ", "), phoenix.Version)
	}
	return query, nil
}
