package clients

import (
	"net/http"
	"slices"
	"time"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/phoenix"
)

// phoenixStream is what the receivers of the two wires of Phoenix have in common: topics that are joined, and messages that
// are replies or events. A channel is a topic of the same name.
//
// Phoenix lets nobody speak in a topic that was not joined, and who has joined one hears it. So a client that posts to a channel
// which is not its own is subscribed to that, too, from before its first command there, and what it hears is in the history:
// else the server would have written what nobody has seen.
//
// A channel that crashes ends the connection here, and all is joined anew; Phoenix's own client keeps the socket and joins
// that channel again. What the client misses meanwhile is the same, and one way back is enough to get right.
type phoenixStream struct {
	*stream
	path      history.Path
	incoming  phoenix.Message // keeps its texts, so that a broadcast costs no allocation
	joined    []bool          // which channels are: the server said so
	confirmed []string        // topics whose joins were answered in the read at hand
	failed    int             // connections in a row that were no stream, and the one that is over
	topics    *joinings
}

// told notes what one message says, but for replies, which are not its matter.
func (r *phoenixStream) told() error {
	slot := -1
	for i, channel := range r.names {
		if channel == r.incoming.Topic {
			slot = i
			break
		}
	}
	switch r.incoming.Event {
	case phoenix.EventError, phoenix.EventClose:
		if r.topics.left(r.incoming.Topic, r.incoming.JoinRef) {
			r.part(slot)
		} else if slot >= 0 {
			return errChannelCrashed
		}
	default:
		if slot >= 0 { // else it was never joined
			sequence, _ := plainSequence(r.incoming.Payload)
			r.delivered(r.path, slot, sequence, r.incoming.Payload)
		}
	}
	return nil
}

// answered notes what the reply to a join says; ref is that of the last join of its topic.
func (r *phoenixStream) answered(ref string, reply *phoenix.Reply) error {
	topic := r.incoming.Topic
	slot := r.slot([]byte(topic))
	switch {
	case r.incoming.Ref != ref || slot >= 0 && r.joined[slot]:
		return nil // of a join that is long over
	case reply.Status == phoenix.StatusOK:
		if slot < 0 {
			slot = len(r.names)
			r.hear(topic)
			r.joined = append(r.joined, false)
		}
		r.joined[slot] = true
		r.asked = r.topics.askedAt(topic)
		r.subscribe(slot)
	case slot >= 0:
		return &RefusedError{Status: http.StatusForbidden}
	default: // a command that goes there all the same is refused by the server
	}
	r.confirmed = append(r.confirmed, topic)
	return nil
}

// part takes a channel out of those that are heard, if it is one.
func (r *phoenixStream) part(slot int) {
	if slot < 0 {
		return
	}
	r.forget(slot)
	if r.joined[slot] {
		r.subscribed--
	}
	r.joined = slices.Delete(r.joined, slot, slot+1)
}

// rejoin makes it ready for new joins: what was being left is not joined again.
func (r *phoenixStream) rejoin() {
	for _, topic := range r.topics.gone() {
		if slot := r.slot([]byte(topic)); slot >= 0 {
			r.forget(slot)
		}
	}
	r.joined = make([]bool, len(r.channels))
}

// echoed notes the events that the reply to a command of the client's own brings.
func (r *phoenixStream) echoed(channel string, reply *phoenix.Reply) {
	if _, _, ok := wire.FindMarker(reply.Response); !ok || reply.Status != phoenix.StatusOK {
		return
	}
	o := r.note(history.Delivered)
	o.Path, o.Channel = history.Reply, r.crowd.channel(channel)
	o.Sequence, _ = plainSequence(reply.Response)
	from := len(r.batch)
	r.batch = r.crowd.name(r.batch, &o, reply.Response)
	if r.client.listen != nil {
		r.client.hears(r.batch[from:], reply.Response, nil)
	}
}

// event is the name of the broadcast at hand.
func (r *phoenixStream) event([]byte) []byte { return []byte(r.incoming.Event) }

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
