package http2

import (
	"fmt"
	"slices"
	"strconv"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// frameHead is the length of the head of a frame, in bytes.
const frameHead = 9

// Feed reads the next bytes of the connection and calls h for all that they complete; where they were cut does not matter, but
// for how a body is cut into calls of OnData. It keeps no reference to b. After an error the Conn is dead, and every Feed returns
// it again.
func (c *Conn) Feed(b []byte, h Handler) error {
	for len(b) > 0 && c.err == nil {
		if c.inData {
			b = c.feedData(b, h)
			continue
		}
		b = c.feedFrame(b, h)
	}
	return c.err
}

// Pending says whether a frame, a header block or the payload of a DATA frame is unfinished.
func (c *Conn) Pending() bool { return len(c.raw) > 0 || c.inData || c.headOf != 0 }

// Silent says that the last frame, or what has been fed of it, was none of which a Handler is told: what it was told before ended
// earlier than what was fed.
func (c *Conn) Silent() bool { return c.silent }

// fail ends the connection.
func (c *Conn) fail(format string, values ...any) {
	c.err = fmt.Errorf("reading HTTP/2: %w: %s", ErrBroken, fmt.Sprintf(format, values...))
}

// feedFrame takes the head of a frame, and the whole of one that is not DATA, and returns what follows.
func (c *Conn) feedFrame(b []byte, h Handler) (rest []byte) {
	if len(c.raw) < frameHead {
		need := min(frameHead-len(c.raw), len(b))
		c.raw = append(c.raw, b[:need]...)
		b = b[need:]
		if len(c.raw) < frameHead {
			return b
		}
		c.reader.Reset(c.raw)
		c.frame, _ = http2.ReadFrameHeader(&c.reader) // nine bytes are always one
		if c.beginFrame(h); c.err != nil || c.frame.Type == http2.FrameData {
			return b
		}
	}
	need := min(frameHead+int(c.frame.Length)-len(c.raw), len(b))
	c.raw = append(c.raw, b[:need]...)
	if len(c.raw) == frameHead+int(c.frame.Length) {
		c.reader.Reset(c.raw)
		c.whole(h)
		c.raw = c.raw[:0]
		if cap(c.raw) > 512 {
			c.raw = nil // an idle connection holds none
		}
	}
	return b[need:]
}

// beginFrame looks at the head of a frame.
func (c *Conn) beginFrame(h Handler) {
	f := &c.frame
	c.silent = true
	switch {
	case f.Length > maxFrame:
		c.fail("a frame of %d bytes is longer than what we allow", f.Length)
	case !c.greeted && f.Type != http2.FrameSettings:
		c.fail("it begins with %v, not with SETTINGS", f.Type)
	case c.headOf != 0 && (f.Type != http2.FrameContinuation || f.StreamID != c.headOf):
		c.fail("%v stands within the fields of stream %d", f.Type, c.headOf)
	case f.Type == http2.FrameData:
		c.beginData(h)
	}
}

// beginData begins the payload of a DATA frame.
func (c *Conn) beginData(h Handler) {
	f := &c.frame
	s := c.streams[f.StreamID]
	switch {
	case f.StreamID == 0 || c.idle(f.StreamID):
		c.fail("DATA on stream %d, which nobody opened", f.StreamID)
		return
	case s != nil && !s.answered:
		c.fail("DATA on stream %d before its head", f.StreamID)
		return
	}
	c.raw = c.raw[:0]
	c.inData, c.payload, c.padding = true, f.Length, 0
	c.padded = f.Flags.Has(http2.FlagDataPadded)
	c.unread += f.Length
	if s != nil {
		s.unread += f.Length
	}
	switch {
	case f.Length > 0:
	case c.padded:
		c.fail("a padded DATA frame without a payload")
	default:
		c.endData(h)
	}
}

// idle says whether a number is of a stream that was never opened.
func (c *Conn) idle(id uint32) bool { return id%2 == 0 || id > c.lastID }

// feedData passes on what b holds of a DATA frame.
func (c *Conn) feedData(b []byte, h Handler) (rest []byte) {
	if c.padded {
		c.padding, c.padded = uint32(b[0]), false
		c.payload--
		b = b[1:]
		if c.padding > c.payload {
			c.fail("a DATA frame with more padding than payload")
			return nil
		}
	}
	data := b[:min(len(b), int(c.payload))]
	rest = b[len(data):]
	visible := data[:min(len(data), int(max(0, int64(c.payload)-int64(c.padding))))]
	c.payload -= uint32(len(data)) //nolint:gosec // at most payload
	if s := c.streams[c.frame.StreamID]; s != nil && len(visible) > 0 {
		c.silent = false
		if c.err = h.OnData(c.frame.StreamID, visible); c.err != nil {
			return nil
		}
	}
	if c.payload == 0 {
		c.endData(h)
	}
	return rest
}

// endData ends a DATA frame, and gives back what it used of the windows.
func (c *Conn) endData(h Handler) {
	c.inData = false
	id := c.frame.StreamID
	s := c.streams[id]
	if c.unread > window/2 {
		c.framer.WriteWindowUpdate(0, c.unread) //nolint:errcheck // into a buffer
		c.unread = 0
	}
	if s == nil {
		return
	}
	if c.frame.Flags.Has(http2.FlagDataEndStream) {
		c.end(id, s, h)
		return
	}
	if s.unread > window/2 {
		c.framer.WriteWindowUpdate(id, s.unread) //nolint:errcheck // into a buffer
		s.unread = 0
	}
}

// end reports the end of an answer. A body that the peer did not want to wait for is given up.
func (c *Conn) end(id uint32, s *stream, h Handler) {
	if len(s.waiting) > 0 {
		c.framer.WriteRSTStream(id, http2.ErrCodeNo) //nolint:errcheck // into a buffer
	}
	c.forget(id, s)
	c.silent = false
	c.err = h.OnEnd(id)
}

// whole reads a frame that is not DATA and lies in raw.
func (c *Conn) whole(h Handler) {
	f, err := c.framer.ReadFrame()
	if err != nil {
		c.fail("%v", err)
		return
	}
	switch f := f.(type) {
	case *http2.HeadersFrame:
		c.beginHead(f.StreamID, f.HeaderBlockFragment(), f.StreamEnded(), f.HeadersEnded(), h)
	case *http2.ContinuationFrame:
		c.addHead(f.HeaderBlockFragment(), f.HeadersEnded(), h)
	case *http2.SettingsFrame:
		c.settings(f)
	case *http2.PingFrame:
		if !f.IsAck() {
			c.framer.WritePing(true, f.Data) //nolint:errcheck // into a buffer
		}
	case *http2.WindowUpdateFrame:
		c.allow(f.StreamID, int64(f.Increment))
	case *http2.RSTStreamFrame:
		c.reset(f.StreamID, Code(f.ErrCode), h)
	case *http2.GoAwayFrame:
		c.leave(f.LastStreamID, h)
	case *http2.PushPromiseFrame:
		c.fail("it pushes, which we have switched off")
	default: // priorities and what is not known are ignored, as the standard wants
	}
}

// settings takes the peer's settings and acknowledges them.
func (c *Conn) settings(f *http2.SettingsFrame) {
	if f.IsAck() {
		return
	}
	c.greeted = true
	err := f.ForeachSetting(func(s http2.Setting) error {
		if err := s.Valid(); err != nil {
			return err
		}
		switch s.ID {
		case http2.SettingMaxConcurrentStreams:
			c.maxStreams = s.Val
		case http2.SettingInitialWindowSize:
			for _, open := range c.streams {
				open.allowed += int64(s.Val) - c.initial
			}
			c.initial = int64(s.Val)
		case http2.SettingMaxFrameSize:
			c.largest = min(s.Val, maxFrame)
		case http2.SettingHeaderTableSize:
			c.encoder.SetMaxDynamicTableSizeLimit(min(s.Val, 4096))
		default:
		}
		return nil
	})
	if err != nil {
		c.fail("its settings: %v", err)
		return
	}
	c.framer.WriteSettingsAck() //nolint:errcheck // into a buffer
	c.sendAll()
}

// allow takes a WINDOW_UPDATE.
func (c *Conn) allow(id uint32, n int64) {
	if id == 0 {
		if c.allowed += n; c.allowed > 1<<31-1 {
			c.fail("the window of the connection is beyond its limit")
			return
		}
		c.sendAll()
		return
	}
	s := c.streams[id]
	if s == nil {
		if c.idle(id) {
			c.fail("WINDOW_UPDATE on stream %d, which nobody opened", id)
		}
		return
	}
	if s.allowed += n; s.allowed > 1<<31-1 {
		c.fail("the window of stream %d is beyond its limit", id)
		return
	}
	c.send(id, s)
}

// sendAll writes what the windows allow of all bodies, the oldest first.
func (c *Conn) sendAll() {
	if c.held == 0 {
		return
	}
	for _, id := range c.ids() {
		c.send(id, c.streams[id])
	}
}

// ids lists the open streams in the order of their numbers: what goes out must not depend on the order of a map.
func (c *Conn) ids() []uint32 {
	ids := make([]uint32, 0, len(c.streams))
	for id := range c.streams {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// reset takes a RST_STREAM.
func (c *Conn) reset(id uint32, code Code, h Handler) {
	if c.idle(id) {
		c.fail("RST_STREAM of stream %d, which nobody opened", id)
		return
	}
	if s := c.streams[id]; s != nil {
		c.forget(id, s)
		c.silent = false
		c.err = h.OnReset(id, code)
	}
}

// leave takes a GOAWAY: streams beyond the last were not looked at.
func (c *Conn) leave(last uint32, h Handler) {
	c.leaving = true
	for _, id := range c.ids() {
		if id <= last || c.err != nil {
			continue
		}
		c.forget(id, c.streams[id])
		c.err = h.OnReset(id, Refused)
	}
}

// beginHead begins the fields of a stream.
func (c *Conn) beginHead(id uint32, block []byte, ends, whole bool, h Handler) {
	if c.idle(id) {
		c.fail("HEADERS on stream %d, which nobody opened", id)
		return
	}
	c.headOf, c.headEnd = id, ends
	c.block = c.block[:0]
	c.addHead(block, whole, h)
}

// addHead adds a part of a header block, and reads it when it is whole. The fields of a stream that was given up are read all the
// same: the compression of all that follow depends on them.
func (c *Conn) addHead(block []byte, whole bool, h Handler) {
	if c.headOf == 0 {
		c.fail("CONTINUATION without HEADERS")
		return
	}
	if len(c.block)+len(block) > MaxHead {
		c.fail("a head of more than %d bytes", MaxHead)
		return
	}
	c.block = append(c.block, block...)
	if !whole {
		return
	}
	id := c.headOf
	c.headOf, c.size = 0, 0
	c.head.Status, c.head.Fields = 0, c.head.Fields[:0]
	_, err := c.decoder.Write(c.block)
	if err == nil {
		err = c.decoder.Close()
	}
	c.block = nil
	if err != nil {
		c.fail("%v", err)
		return
	}
	if c.size > MaxHead {
		c.fail("a head of more than %d bytes", MaxHead)
		return
	}
	if s := c.streams[id]; s != nil {
		c.endHead(id, s, h)
	}
}

// field takes one field of the head at hand.
func (c *Conn) field(f hpack.HeaderField) {
	if c.size += f.Size(); c.size > MaxHead {
		return
	}
	if f.Name == ":status" {
		if status, err := strconv.Atoi(f.Value); err == nil && len(f.Value) == 3 && status >= 100 {
			c.head.Status = status
		}
		return
	}
	c.head.Fields = append(c.head.Fields, Field{f.Name, f.Value})
}

// endHead reports a head. One without a status is that of trailers when an answer is under way.
func (c *Conn) endHead(id uint32, s *stream, h Handler) {
	switch status := c.head.Status; {
	case s.answered && c.headEnd:
		c.end(id, s, h)
		return
	case s.answered:
		c.fail("trailers of stream %d do not end it", id)
		return
	case status == 0:
		c.fail("the head of stream %d has no status", id)
		return
	case status < 200 && c.headEnd:
		c.fail("stream %d ends with an interim answer", id)
		return
	case status < 200:
		return
	}
	s.answered, c.silent = true, false
	if c.err = h.OnHead(id, &c.head); c.err == nil && c.headEnd {
		c.end(id, s, h)
	}
}
