package clients

import "slices"

// hearing is what a stream hears: the names of its channels, and their numbers in the history. It is never changed, so that
// streams which hear the same may share it: what an event needs of it is in the processor's cache then, whose event it is.
type hearing struct {
	names    []string
	channels []uint32
}

// hearing is that of these names.
func (c *Crowd) hearing(names []string) *hearing {
	if last := c.heard.Load(); last != nil && slices.Equal(last.names, names) { // those of a group are made one after the other
		return last
	}
	h := &hearing{names: names}
	for _, name := range names {
		h.channels = append(h.channels, c.channel(name))
	}
	c.heard.Store(h)
	return h
}

// hear adds channels to those of the stream.
func (s *stream) hear(names ...string) {
	s.hearing = s.crowd.hearing(append(slices.Clip(s.names), names...))
}

// forget takes a channel away from those of the stream.
func (s *stream) forget(slot int) {
	s.hearing = s.crowd.hearing(slices.Delete(slices.Clone(s.names), slot, slot+1))
}

// slot finds a channel of the stream's by its name; -1 = it has none of that name.
func (s *stream) slot(name []byte) int {
	for i, channel := range s.names {
		if channel == string(name) {
			return i
		}
	}
	return -1
}
