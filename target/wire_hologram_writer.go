package target

import (
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"holobench/wire/hologram"
)

// hologramWriter puts the id of this stream into each event that it writes. Hologram numbers what it writes, by one counter for
// all streams of a node: two clients get one event with two ids, and a gap is no loss. The events themselves are shared, so
// that an id costs a copy, and no allocation.
type hologramWriter struct {
	http1Writer

	ids *atomic.Uint64 // the last one that was given
}

func (w *hologramWriter) write(frames []*frame, timeout time.Duration) (written, error) {
	if err := w.conn.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
		return written{}, err
	}
	scratch := w.scratch.get()
	defer w.scratch.put(scratch)
	id := w.reserve(frames)
	next := id
	for _, f := range frames {
		*scratch = w.spell(*scratch, f, &next)
	}
	n, err := w.conn.Write(*scratch)
	if n < len(*scratch) {
		frames = w.whole(frames, id, n)
	}
	sum := written{bytes: n}
	for _, f := range frames {
		sum.add(f.kind)
	}
	return sum, err
}

func (w *hologramWriter) try(frames []*frame) (tried, error) {
	scratch := w.scratch.get()
	defer w.scratch.put(scratch)
	first := w.reserve(frames)
	next := first
	for _, f := range frames {
		*scratch = w.spell(*scratch, f, &next)
	}
	n, err := w.direct.write(*scratch)
	if n < len(*scratch) {
		return w.split(frames, first, n), err
	}
	sum := tried{written: written{bytes: n}, whole: len(frames)}
	for _, f := range frames {
		sum.add(f.kind)
	}
	return sum, err
}

// split says which of frames lie within the n bytes that were accepted, and what is left of the next one; those behind it get
// other ids when they are written.
func (w *hologramWriter) split(frames []*frame, next uint64, n int) tried {
	sum := tried{written: written{bytes: n}}
	for _, f := range w.whole(frames, next, n) {
		sum.add(f.kind)
	}
	var spelled []byte
	for _, f := range frames {
		spelled = w.spell(spelled[:0], f, &next)
		if n < len(spelled) {
			if n > 0 {
				sum.rest = f.rest(slices.Clone(spelled[n:]), w.visible(f, len(spelled))-n)
			}
			break
		}
		n -= len(spelled)
		sum.whole++
	}
	return sum
}

// visible is frame.visible for f, which is of so many bytes in this spelling.
func (w *hologramWriter) visible(f *frame, spelled int) int {
	switch {
	case f.raw:
		return f.to
	case w.chunked && f.kind != headFrame:
		return spelled - len("\r\n")
	}
	return spelled
}

// reserve takes ids for the events among frames, and returns the first one.
func (w *hologramWriter) reserve(frames []*frame) uint64 {
	events := uint64(0)
	for _, f := range frames {
		if f.kind == eventFrame && !f.raw {
			events++
		}
	}
	return w.ids.Add(events) + 1 - events
}

// spell appends f; an event takes the next id.
func (w *hologramWriter) spell(dst []byte, f *frame, next *uint64) []byte {
	if f.raw {
		return append(dst, f.chunk...)
	}
	start := len(dst)
	switch f.kind {
	case eventFrame:
		dst = hologram.AppendFrame(dst, hologram.Broadcast, *next, f.chunk)
		*next++
	case heartbeatFrame:
		dst = append(dst, hologram.Heartbeat...)
	case headFrame, controlFrame, echoFrame, idFrame: // only heads come here, which are no chunk
		return append(dst, f.bytes(w.chunked)...)
	}
	if !w.chunked {
		return dst
	}
	var digits [16]byte
	size := append(strconv.AppendUint(digits[:0], uint64(len(dst)-start), 16), "\r\n"...)
	return append(slices.Insert(dst, start, size...), "\r\n"...)
}

// whole returns those of frames that lie within the first n bytes of them, but for the line end behind a chunk; see
// frame.visible.
func (w *hologramWriter) whole(frames []*frame, next uint64, n int) []*frame {
	var spelled []byte
	for i, f := range frames {
		start := len(spelled)
		spelled = w.spell(spelled, f, &next)
		if start+w.visible(f, len(spelled)-start) > n {
			return frames[:i]
		}
	}
	return frames
}

// encodeHologram makes the data of m, which hologramWriter makes whole.
func encodeHologram(m *message) *frame {
	e := hologram.Event(m.event)
	data := make([]byte, 0, len(e.Channel)+len(e.Name)+len(e.Payload)+len(e.Key)+256)
	data = hologram.AppendBroadcast(data, e)
	return &frame{chunk: data, to: len(data), kind: eventFrame}
}
