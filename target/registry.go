package target

import (
	"errors"
	"sync"
)

// registry knows who hears what. Locks are taken in this order: registry, channel, stream.
type registry struct {
	mu        sync.RWMutex
	channels  map[string]*channel // those with at least one member
	instances map[string]*stream  // the newest stream of each instance
	streams   map[*stream]struct{}
	reserved  int  // streams that are admitted, registered or not
	draining  bool // admits no more
	ended     bool // streams that register now are too late and are to be ended
}

// channel holds the subscribers of one name.
type channel struct {
	name  string
	order sync.Mutex // for the designs that serialise: held while one event is handed out

	mu      sync.RWMutex // a fan-out reads under it; it puts no two fan-outs into an order
	members []member
}

// member and membership point at each other, so that a leave costs the same in a channel of any size.
type member struct {
	stream *stream
	slot   int // in stream.joined
}

type membership struct {
	channel *channel
	index   int // in channel.members; guarded by channel.mu
}

var (
	errDraining = errors.New("this node is shutting down")
	errFull     = errors.New("this node holds as many streams as it may")
)

func newRegistry() *registry {
	return &registry{
		channels:  make(map[string]*channel),
		instances: make(map[string]*stream),
		streams:   make(map[*stream]struct{}),
	}
}

// channel returns the channel of that name, nil when nobody hears it.
func (r *registry) channel(name string) *channel {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.channels[name]
}

// reserve admits one more stream, for which admitted is called; the caller adds it or releases its place.
func (r *registry) reserve(limit int, admitted func()) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.draining:
		return errDraining
	case r.reserved >= limit:
		return errFull
	}
	r.reserved++
	admitted()
	return nil
}

// release gives back a reserved place that was not used.
func (r *registry) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reserved--
}

// add subscribes st, on a reserved place, to the channels (no name twice), and takes over its instance. The stream that
// it supersedes, if any, is set to end before the new one hears anything, so that no event goes to both. tooLate says
// that all streams were told to end meanwhile.
func (r *registry) add(st *stream, names []string) (superseded *stream, tooLate bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if superseded = r.instances[st.instance]; superseded != nil {
		superseded.end()
	}
	r.instances[st.instance] = st
	r.streams[st] = struct{}{}
	st.joined = make([]membership, len(names))
	for slot, name := range names {
		c := r.channels[name]
		if c == nil {
			c = &channel{name: name}
			r.channels[name] = c
		}
		c.mu.Lock()
		st.joined[slot] = membership{channel: c, index: len(c.members)}
		c.members = append(c.members, member{stream: st, slot: slot})
		c.mu.Unlock()
	}
	return superseded, r.ended
}

// remove takes a stream that was added out of everything, and frees its place.
func (r *registry) remove(st *stream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for slot := range st.joined {
		if c := st.joined[slot].channel; c.leave(&st.joined[slot]) {
			delete(r.channels, c.name)
		}
	}
	if r.instances[st.instance] == st {
		delete(r.instances, st.instance)
	}
	delete(r.streams, st)
	r.reserved--
}

// leave removes one member and puts the last one into its place; it says whether the channel is empty now.
func (c *channel) leave(m *membership) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := len(c.members) - 1
	moved := c.members[last]
	c.members[m.index] = moved
	moved.stream.joined[moved.slot].index = m.index
	c.members[last] = member{}
	c.members = c.members[:last]
	return last == 0
}

// drain admits no more streams.
func (r *registry) drain() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.draining = true
}

// all returns every stream that is not removed yet; ended says that those which come later are too late.
func (r *registry) all() []*stream {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	streams := make([]*stream, 0, len(r.streams))
	for st := range r.streams {
		streams = append(streams, st)
	}
	return streams
}
