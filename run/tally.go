package run

import (
	"slices"
	"sync"
	"sync/atomic"

	"holobench/history"
	"holobench/wire"
)

// tally counts, as Observations pass by, what the run itself must know: when everybody is subscribed, and whether all
// that is expected has arrived. It judges nothing: the report counts again, from the history and by the full rule.
type tally struct {
	next func([]history.Observation)
	deaf bool // authors are not told of their own events; set before the first batch

	subscribed atomic.Int64 // streams that are ready now
	left       atomic.Bool  // a stream that was ready ended: whoever comes back may hear what it was not expected to
	delivered  atomic.Int64
	posted     atomic.Int64 // commands that a client was asked for
	settled    atomic.Int64 // commands of which no more will come: replied, unknown, refused or dropped

	mu       sync.Mutex
	ready    map[uint32]int       // subscriptions of a channel
	streams  map[stream][]uint32  // the channels of a ready stream
	heard    map[subscription]int // ready streams, one at a time but around a reconnect
	inFlight map[wire.EventID]int // subscriptions of the channel when the command was sent
	expected int64                // deliveries of the commands that the server took
}

type (
	stream       struct{ client, conn uint32 }
	subscription struct{ client, channel uint32 }
)

// observe counts a batch and hands it on.
func (t *tally) observe(batch []history.Observation) {
	delivered := int64(0)
	for i := range batch {
		switch o := &batch[i]; o.Kind {
		case history.Delivered:
			delivered++
		case history.Subscribed, history.Unsubscribed, history.Ended, history.Closed:
			t.stream(o)
		case history.Sent, history.Replied, history.Unknown, history.Refused, history.Dropped:
			t.command(o)
		default:
		}
	}
	if delivered > 0 {
		t.delivered.Add(delivered)
	}
	t.next(batch)
}

// stream keeps count of who is subscribed to what.
func (t *tally) stream(o *history.Observation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ready == nil {
		t.ready, t.streams, t.heard = make(map[uint32]int), make(map[stream][]uint32), make(map[subscription]int)
	}
	key := stream{o.Client, o.Conn}
	if o.Kind == history.Subscribed {
		if _, known := t.streams[key]; !known {
			t.subscribed.Add(1)
		}
		t.ready[o.Channel]++
		t.heard[subscription{o.Client, o.Channel}]++
		t.streams[key] = append(t.streams[key], o.Channel)
		return
	}
	if o.Kind == history.Unsubscribed {
		if at := slices.Index(t.streams[key], o.Channel); at >= 0 {
			t.ready[o.Channel]--
			t.heard[subscription{o.Client, o.Channel}]--
			t.streams[key] = slices.Delete(t.streams[key], at, at+1)
		}
		return // the stream goes on, also when it hears nothing
	}
	if channels, ok := t.streams[key]; ok {
		t.left.Store(true)
		t.subscribed.Add(-1)
		for _, channel := range channels {
			t.ready[channel]--
			t.heard[subscription{o.Client, channel}]--
		}
		delete(t.streams, key)
	}
}

// command keeps count of the deliveries that are to come.
func (t *tally) command(o *history.Observation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.inFlight == nil {
		t.inFlight = make(map[wire.EventID]int)
	}
	if o.Kind == history.Sent {
		t.inFlight[o.Event] = t.ready[o.Channel]
		if t.deaf && t.hears(o.Client, o.Channel) {
			t.inFlight[o.Event]--
		}
		return
	}
	if o.Kind == history.Replied && o.Err == history.NoErr {
		t.expected += int64(t.inFlight[o.Event])
	}
	delete(t.inFlight, o.Event)
	t.settled.Add(1)
}

// hears says whether a client is subscribed to a channel; the caller holds mu.
func (t *tally) hears(client, channel uint32) bool {
	return t.heard[subscription{client, channel}] > 0
}

// unsettled is how many commands and acts were asked for of which it is not known how they ended.
func (t *tally) unsettled() int64 { return t.posted.Load() - t.settled.Load() }

// complete says whether every command is settled and as much has arrived as was expected.
func (t *tally) complete() bool {
	return t.unsettled() <= 0 && t.missing() <= 0
}

// missing is how many deliveries of the commands so far are still to come; a duplicate hides one, which is why a report
// never uses it.
func (t *tally) missing() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.expected - t.delivered.Load()
}
