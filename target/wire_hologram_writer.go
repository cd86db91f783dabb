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

// reserve takes ids for the events among frames, and returns the first one.
func (w *hologramWriter) reserve(frames []*frame) uint64 {
	events := uint64(0)
	for _, f := range frames {
		if f.kind == eventFrame {
			events++
		}
	}
	return w.ids.Add(events) + 1 - events
}

// spell appends f; an event takes the next id.
func (w *hologramWriter) spell(dst []byte, f *frame, next *uint64) []byte {
	start := len(dst)
	switch f.kind {
	case eventFrame:
		dst = hologram.AppendFrame(dst, hologram.Broadcast, *next, f.chunk)
		*next++
	case heartbeatFrame:
		dst = append(dst, hologram.Heartbeat...)
	case headFrame, controlFrame, idFrame: // only heads come here, which are no chunk
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
		spelled = w.spell(spelled, f, &next)
		end := len(spelled)
		if w.chunked && f.kind != headFrame {
			end -= len("\r\n")
		}
		if end > n {
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
	return &frame{chunk: data, to: len(data), kind: eventFrame, slot: m.slot}
}
