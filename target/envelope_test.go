package target

import (
	"reflect"
	"testing"

	"holobench/wire"
)

func envelopes() []envelope {
	base := uint64(1 << 40)
	return []envelope{
		{kind: eventEnvelope, node: 1, publication: publication{event: wire.Event{Channel: "room", Name: "n", Payload: "p"}}},
		{kind: eventEnvelope, node: 65535, sent: 1 << 60, token: 1 << 63, publication: publication{
			event: wire.Event{Channel: "room", Name: "", Payload: "\x00\xff"}, sender: "ann", key: "k", id: "i", base: &base,
		}},
		{kind: questionEnvelope, node: 2, token: 7, publication: publication{sender: "ann", event: wire.Event{Channel: "room"}}},
		{kind: answerEnvelope, node: 3, token: 7, to: 2, yes: true},
		{kind: answerEnvelope, node: 3, token: 7, to: 2},
	}
}

func TestEnvelope(t *testing.T) {
	t.Parallel()
	for _, e := range envelopes() {
		data := encodeEnvelope(&e)
		got, err := parseEnvelope("room", data)
		if err != nil || !reflect.DeepEqual(got, e) {
			t.Errorf("wrote %+v, read %+v, %v", e, got, err)
		}
		for cut := range data {
			if got, err := parseEnvelope("room", data[:cut]); err == nil {
				t.Errorf("%d of %d bytes of %+v were read as %+v", cut, len(data), e, got)
			}
		}
		if _, err := parseEnvelope("room", append(data, 0)); err == nil {
			t.Errorf("%+v was read with a byte behind it", e)
		}
	}
}

// FuzzEnvelope reads any message of a bus: what is read is written as something that reads the same.
func FuzzEnvelope(f *testing.F) {
	for _, e := range envelopes() {
		f.Add("room", encodeEnvelope(&e))
	}
	f.Add("", []byte{1})
	f.Add("room", []byte{1, 1, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	f.Fuzz(func(t *testing.T, channel string, data []byte) {
		e, err := parseEnvelope(channel, data)
		if err != nil {
			return
		}
		again, err := parseEnvelope(channel, encodeEnvelope(&e))
		if err != nil || !reflect.DeepEqual(again, e) {
			t.Errorf("read %+v, and again %+v, %v", e, again, err)
		}
	})
}
