package clients

import (
	"bytes"
	"encoding/json"

	"holobench/history"
	"holobench/wire"
)

// Heard is an event as its client hears it. It is valid during the call that hands it over only.
type Heard struct {
	Event   wire.EventID // zero = it bears no marker
	Part    uint32       // of what the command makes; 0 = the whole
	Channel uint32       // number of its name in the history; NoChannel when that is not known
	Path    history.Path
	Due     int64  // of its command
	At      int64  // when it arrived
	Data    []byte // as it came; of an event in a reply: of the whole reply

	name func(data []byte) []byte // nil = nobody knows
}

// Name is the name of the command that caused the event; "" when the way by which it came does not tell.
func (h *Heard) Name() string {
	if h.name == nil {
		return ""
	}
	return string(h.name(h.Data))
}

// hears hands what one message brought, which was just noted in rows, to who listens. Events of other runs are none of its business.
func (c *Client) hears(rows []history.Observation, data []byte, name func([]byte) []byte) {
	for i := range rows {
		o := &rows[i]
		ours := o.Kind == history.Delivered || o.Kind == history.Foreign
		if !ours && (o.Kind != history.Alien || o.Err != c.crowd.reason(errNoMarker)) {
			continue
		}
		event := o.Event
		if event.Foreign() {
			event = wire.EventID{}
		}
		c.listen(&Heard{Event: event, Part: o.Part, Channel: o.Channel, Path: o.Path, Due: o.Due, At: o.At, Data: data, name: name})
	}
}

// plainName finds the name of an encoded event. No text within the event can be taken for it: there every quote stands behind
// a backslash.
func plainName(data []byte) []byte {
	_, rest, found := bytes.Cut(data, []byte(`","name":"`))
	if found {
		if end := bytes.IndexByte(rest, '"'); end >= 0 && bytes.IndexByte(rest[:end], '\\') < 0 {
			return rest[:end]
		}
	}
	var event wire.Event
	if json.Unmarshal(data, &event) != nil {
		return nil
	}
	return []byte(event.Name)
}

// hologramName finds the name of a broadcast: the atom with which its tuple begins.
func hologramName(data []byte) []byte {
	_, rest, found := bytes.Cut(data, []byte(`[Type.atom("`))
	if !found {
		return nil
	}
	end := bytes.IndexByte(rest, '"')
	if end < 0 || bytes.IndexByte(rest[:end], '\\') >= 0 {
		return nil // a name that has to be escaped is none of ours
	}
	return rest[:end]
}
