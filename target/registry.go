package target

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
)

// registry knows who hears what on this node. Locks are taken in this order: log, registry, channel, stream.
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
	name    string
	fanouts atomic.Uint64 // how many there were; see shuffle

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

// add registers st, on a reserved place, and takes over its instance. The stream that it supersedes, if any, is set to end
// before the new one hears anything, so that no event goes to both. tooLate says that all streams were told to end meanwhile.
func (r *registry) add(st *stream) (superseded *stream, tooLate bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if superseded = r.instances[st.instance]; superseded != nil {
		superseded.end()
	}
	r.instances[st.instance] = st
	r.streams[st] = struct{}{}
	return superseded, r.ended
}

// join subscribes st, which was added, to one more channel. It does nothing when st has gone, or hears the channel already.
func (r *registry) join(st *stream, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, there := r.streams[st]; !there || st.slotOf(name) >= 0 {
		return
	}
	c := r.channels[name]
	if c == nil {
		c = &channel{name: name}
		r.channels[name] = c
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	st.joined = append(st.joined, membership{channel: c, index: len(c.members)})
	c.members = append(c.members, member{stream: st, slot: len(st.joined) - 1})
}

// leave takes st out of one channel; it says whether it was in there.
func (r *registry) leave(st *stream, name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	slot := st.slotOf(name)
	if slot < 0 {
		return false
	}
	r.part(st, slot)
	last := len(st.joined) - 1
	if slot < last {
		moved := st.joined[last]
		moved.channel.mu.Lock()
		moved.channel.members[moved.index].slot = slot
		moved.channel.mu.Unlock()
		st.joined[slot] = moved
	}
	st.joined = st.joined[:last]
	return true
}

// part takes st out of its channel at slot. The caller holds r.mu.
func (r *registry) part(st *stream, slot int) {
	if c := st.joined[slot].channel; c.leave(&st.joined[slot]) {
		delete(r.channels, c.name)
	}
}

// remove takes a stream that was added out of everything, and frees its place.
func (r *registry) remove(st *stream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for slot := range st.joined {
		r.part(st, slot)
	}
	st.joined = nil
	if r.instances[st.instance] == st {
		delete(r.instances, st.instance)
	}
	delete(r.streams, st)
	r.reserved--
}

// slotOf returns the slot of a channel in joined, -1 = it does not hear it. The caller holds the registry's lock.
func (st *stream) slotOf(name string) int {
	for slot := range st.joined {
		if st.joined[slot].channel.name == name {
			return slot
		}
	}
	return -1
}

// hears says whether the newest stream of an instance hears a channel.
func (r *registry) hears(instance, name string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	st := r.instances[instance]
	return st != nil && st.slotOf(name) >= 0 && st.open()
}

// heard says whether anybody hears a channel.
func (r *registry) heard(name string) bool { return r.channel(name) != nil }

// names are the channels that somebody hears.
func (r *registry) names() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	names := make([]string, 0, len(r.channels))
	for name := range r.channels {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
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
