package clients

import (
	"strconv"
	"time"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/phoenix"
)

// phoenixStream is what the receivers of the two wires of Phoenix have in common: topics that are joined, and messages that
// are replies or events. A channel is a topic of the same name.
//
// A channel that crashes ends the connection here, and all is joined anew; Phoenix's own client keeps the socket and joins
// that channel again. What the client misses meanwhile is the same, and one way back is enough to get right.
type phoenixStream struct {
	*stream
	path     history.Path
	incoming phoenix.Message // keeps its texts, so that a broadcast costs no allocation
	failed   int             // connections in a row that were no stream, and the one that is over
}

// told notes what one message says, but for replies, which are not its matter.
func (r *phoenixStream) told() error {
	slot := -1
	for i, channel := range r.client.channels {
		if channel == r.incoming.Topic {
			slot = i
			break
		}
	}
	switch r.incoming.Event {
	case phoenix.EventError, phoenix.EventClose:
		if slot >= 0 || len(r.channels) == 0 {
			return errChannelCrashed
		}
	default:
		if slot >= 0 { // else it is of a channel that was joined to speak there
			sequence, _ := plainSequence(r.incoming.Payload)
			r.delivered(r.path, slot, sequence, r.incoming.Payload)
		}
	}
	return nil
}

// echoed notes the events that the reply to a command of the client's own brings.
func (r *phoenixStream) echoed(channel string, reply *phoenix.Reply) {
	if _, _, ok := wire.FindMarker(reply.Response); !ok || reply.Status != phoenix.StatusOK {
		return
	}
	o := r.note(history.Delivered)
	o.Path, o.Channel = history.Reply, r.client.crowd.channel(channel)
	o.Sequence, _ = plainSequence(reply.Response)
	r.batch = r.client.crowd.name(r.batch, o, reply.Response)
}

// pause implements receiver: the steps of Phoenix's client.
func (r *phoenixStream) pause() time.Duration {
	steps := [...]int{10, 50, 100, 150, 200, 250, 500, 1000, 2000}
	if n := max(0, r.failed-1); n < len(steps) {
		return time.Duration(steps[n]) * time.Millisecond
	}
	return 5 * time.Second
}

// count counts the connections that failed.
func (r *phoenixStream) count() {
	if r.announced {
		r.failed = 0
	}
	r.failed++
}

// topics are the topics that a session or a socket has joined, and the numbers of what was sent there. Its user locks.
type topics struct {
	refs   int
	joined map[string]string // the ref of the join, by topic
}

// next is the number of the next message.
func (t *topics) next() string {
	t.refs++
	return strconv.Itoa(t.refs)
}

// join returns the message that joins a topic.
func (t *topics) join(topic string) phoenix.Message {
	if t.joined == nil {
		t.joined = make(map[string]string)
	}
	ref := t.next()
	t.joined[topic] = ref
	return phoenix.Message{JoinRef: ref, Ref: ref, Topic: topic, Event: phoenix.EventJoin}
}

// push returns the message that carries a command, without its payload.
func (t *topics) push(m *Message) phoenix.Message {
	return phoenix.Message{JoinRef: t.joined[m.Channel], Ref: t.next(), Topic: m.Channel, Event: m.Name}
}

// reset forgets what was joined. Numbers go on, so that a late reply answers nothing.
func (t *topics) reset() { clear(t.joined) }
