package target

import (
	"context"
	"errors"

	"holobench/wire"
)

// Publish hands out one event, as a command does, without the request around it: what a fan-out costs is measured apart from
// what a command costs. It is the new value of key, where events are values.
func (s *Server) Publish(ctx context.Context, event wire.Event, key string) error {
	if _, refused := s.publish(ctx, publication{event: event, key: key}); refused != nil {
		return errors.New(refused.text)
	}
	return nil
}

// DeepestOutbox returns how many frames wait in the fullest outbox, and how many bytes in the heaviest one.
func (s *Server) DeepestOutbox() (frames, bytes int) {
	s.registry.mu.RLock()
	defer s.registry.mu.RUnlock()
	for st := range s.registry.streams {
		st.mu.Lock()
		frames, bytes = max(frames, len(st.box.frames)), max(bytes, st.box.bytes)
		st.mu.Unlock()
	}
	return frames, bytes
}

// Outbox returns a function that says how many frames wait for an instance, for good of the stream that it has now. It takes
// no lock but that stream's, so that Options.Pause may call it.
func (s *Server) Outbox(instance string) (depth func() int) {
	s.registry.mu.RLock()
	defer s.registry.mu.RUnlock()
	st := s.registry.instances[instance]
	return func() int {
		st.mu.Lock()
		defer st.mu.Unlock()
		return len(st.box.frames)
	}
}
