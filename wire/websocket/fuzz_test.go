package websocket_test

import (
	"slices"
	"testing"
	"unicode/utf8"

	"holobench/wire/websocket"
)

// FuzzFrames holds the parser against the definition for both roles, whole, byte by byte, and cut at the places that cuts
// names.
func FuzzFrames(f *testing.F) {
	f.Add([]byte(hello+pingHello), []byte{3, 8}, uint16(0))
	f.Add([]byte(helloInTwo+"\x82\x00"), []byte{2, 5, 6}, uint16(5))
	f.Add([]byte(helloMasked+pongMasked), []byte{1, 7}, uint16(100))
	f.Add([]byte("\x01\x03Hel"+pingHello+"\x00\x00\x80\x02lo\x88\x05\x03\xe8bye"), []byte{4, 6, 12, 15}, uint16(9))
	f.Add([]byte("\x81"+noMask+"\x88\x82\x00\x00\x00\x00\x03\xe9"), []byte{5}, uint16(1))
	f.Add([]byte("\x82\x7e\x00\x80"), []byte{}, uint16(128))
	f.Add([]byte("\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"), []byte{2}, uint16(0))
	f.Fuzz(func(t *testing.T, input, cuts []byte, limit uint16) {
		places := make([]int, len(cuts))
		for i, cut := range cuts {
			places[i] = int(cut)
		}
		slices.Sort(places)
		longest := int(limit)
		if longest == 0 {
			longest = websocket.MaxMessage
		}
		for _, role := range []websocket.Role{websocket.Client, websocket.Server} {
			want := define(role, longest, input)
			for _, cuts := range [][]int{nil, places, everywhere(input)} {
				p := websocket.Parser{Role: role, Limit: int(limit)}
				if got := feed(&p, input, cuts); !got.equal(want) {
					t.Fatalf("role %d, limit %d, %q cut at %v\n got %+v\nwant %+v", role, limit, input, cuts, got, want)
				}
			}
		}
	})
}

// FuzzAppendFrame checks that whatever is written is read back as one message, in fragments or whole.
func FuzzAppendFrame(f *testing.F) {
	f.Add([]byte("Hello"), uint32(0x37fa213d), uint16(3), true)
	f.Add([]byte(""), uint32(0), uint16(0), false)
	f.Add([]byte("\xff\xfe"), uint32(1), uint16(1), true)
	f.Fuzz(func(t *testing.T, body []byte, key uint32, cut uint16, masked bool) {
		var role websocket.Role
		if masked {
			role = websocket.Server
		}
		at := min(int(cut), len(body))
		send := websocket.Frame{Masked: masked, Key: [4]byte{byte(key), byte(key >> 8), byte(key >> 16), byte(key >> 24)}}
		frame := func(dst []byte, opcode websocket.Opcode, more bool, payload []byte) []byte {
			send.Opcode, send.More, send.Payload = opcode, more, payload
			return websocket.AppendFrame(dst, send)
		}
		stream := frame(nil, websocket.Binary, false, body)
		stream = frame(stream, websocket.Binary, true, body[:at])
		stream = frame(stream, websocket.Continuation, false, body[at:])
		want := said{lines: []string{"binary " + string(body), "binary " + string(body)}}
		if utf8.Valid(body) {
			stream = frame(stream, websocket.Text, false, body)
			want.lines = append(want.lines, "text "+string(body))
		}
		stream = frame(stream, websocket.Close, false, websocket.AppendClosePayload(nil, websocket.Normal, "é"+string([]rune(string(body)))))
		p := websocket.Parser{Role: role}
		got := feed(&p, stream, []int{at, len(stream) / 2})
		if len(got.lines) != len(want.lines)+1 || !slices.Equal(got.lines[:len(want.lines)], want.lines) || !got.closed {
			t.Fatalf("wrote %q, got %+v", stream, got)
		}
	})
}
