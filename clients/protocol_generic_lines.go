package clients

import (
	"bytes"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/sse"
)

// lines takes each line for an event. An empty one is a heartbeat.
func (r *genericReceiver) lines(b []byte) error {
	for len(b) > 0 {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			if len(r.line)+len(b) > sse.MaxEvent {
				return errEventLine
			}
			r.line = append(r.line, b...)
			return nil
		}
		line := b[:end]
		if len(r.line) > 0 {
			r.line = append(r.line, line...)
			line = r.line
		}
		line = bytes.TrimSuffix(line, []byte("\r"))
		r.message()
		if len(line) == 0 {
			r.heartbeat(0, "")
		} else {
			r.event("", "", line)
		}
		r.line, b = r.line[:0], b[end+1:]
	}
	return r.out()
}

// raw notes the markers in bytes of which nobody knows where a message ends. Each is a message of its own. What may be the beginning
// of a marker waits for the rest of it.
func (r *genericReceiver) raw(b []byte) {
	text := append(r.line, b...)
	for {
		m, rest, ok := wire.FindMarker(text)
		if !ok {
			break
		}
		r.message()
		o := r.note(history.Delivered)
		o.Path, o.Event, o.Due = r.path(), m.Event, m.Due
		if len(r.channels) > 0 {
			o.Channel = r.channels[0]
		}
		if m.Run != r.crowd.Run {
			o.Kind, o.Err = history.Alien, r.crowd.reason(errOtherRun)
		}
		r.batch = append(r.batch, o)
		if r.client.listen != nil {
			r.client.hears(r.batch[len(r.batch)-1:], text[:len(text)-len(rest)], nil)
		}
		text = rest
	}
	r.line = append(r.line[:0], unfinished(text)...)
}

// unfinished is the end of a text that may become a marker: from the last place at which one can begin.
func unfinished(text []byte) []byte {
	const start = "hb1."
	if at := bytes.LastIndex(text, []byte(start)); at >= 0 && len(text)-at < wire.MarkerMaxLen && len(bytes.Trim(text[at:], markerBytes)) == 0 {
		return text[at:]
	}
	for n := len(start) - 1; n > 0; n-- {
		if bytes.HasSuffix(text, []byte(start[:n])) {
			return text[len(text)-n:]
		}
	}
	return nil
}

// markerBytes are what a marker consists of.
const markerBytes = "abcdefghijklmnopqrstuvwxyz0123456789."
