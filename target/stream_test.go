package target

import (
	"testing"
	"time"
)

// endingWriter is a client that goes while it is written to, and takes what is written all the same.
type endingWriter struct {
	discardWriter

	stream *stream
}

func (w *endingWriter) write(frames []*frame, timeout time.Duration) (written, error) {
	w.stream.giveUp(notCut)
	return w.discardWriter.write(frames, timeout)
}

// TestStreamThatEndsWhileItIsWritten: a write that succeeds although the stream has ended meanwhile is the last.
func TestStreamThatEndsWhileItIsWritten(t *testing.T) {
	t.Parallel()
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.registry.reserve(1, func() { s.streams.Add(2) }); err != nil {
		t.Fatal(err)
	}
	w := &endingWriter{discardWriter: discardWriter{gone: make(chan struct{}), http1Writer: http1Writer{chunked: true}}}
	w.stream = newStream(s, "ann", formatPlain, w, http1Head(true, time.Unix(0, 0)))
	s.open(w.stream, func() {})
	s.streams.Wait()
	if got := s.counters.Get(StreamsClosed); got != 1 {
		t.Errorf("%d streams were closed", got)
	}
}
