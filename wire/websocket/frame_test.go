package websocket_test

import (
	"bytes"
	"strings"
	"testing"

	"holobench/wire/websocket"
)

func TestAppendFrame(t *testing.T) {
	t.Parallel()
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	long, longer := strings.Repeat("x", 1<<16-1), strings.Repeat("x", 1<<16)
	for _, test := range []struct {
		frame websocket.Frame
		want  string
	}{
		{websocket.Frame{Opcode: websocket.Text, Payload: []byte("Hello")}, hello},
		{websocket.Frame{Opcode: websocket.Text, Payload: []byte("Hello"), Masked: true, Key: key}, helloMasked},
		{websocket.Frame{Opcode: websocket.Text, Payload: []byte("Hel"), More: true}, helloInTwo[:5]},
		{websocket.Frame{Opcode: websocket.Continuation, Payload: []byte("lo")}, helloInTwo[5:]},
		{websocket.Frame{Opcode: websocket.Ping, Payload: []byte("Hello")}, pingHello},
		{websocket.Frame{Opcode: websocket.Pong, Payload: []byte("Hello"), Masked: true, Key: key}, pongMasked},
		{websocket.Frame{Opcode: websocket.Close}, "\x88\x00"},
		{websocket.Frame{Opcode: websocket.Close, Masked: true}, "\x88\x80\x00\x00\x00\x00"},
		{websocket.Frame{Opcode: websocket.Binary, Payload: make([]byte, 125)}, "\x82\x7d" + strings.Repeat("\x00", 125)},
		{websocket.Frame{Opcode: websocket.Binary, Payload: make([]byte, 126)}, "\x82\x7e\x00\x7e" + strings.Repeat("\x00", 126)},
		{websocket.Frame{Opcode: websocket.Binary, Payload: make([]byte, 256)}, binary256 + strings.Repeat("\x00", 256)},
		{websocket.Frame{Opcode: websocket.Text, Payload: []byte(long)}, "\x81\x7e\xff\xff" + long},
		{websocket.Frame{Opcode: websocket.Binary, Payload: []byte(longer)}, binary64k + longer},
		{websocket.Frame{Opcode: websocket.Binary, Payload: []byte(longer), Masked: true}, "\x82\xff" + binary64k[2:] + maskOfZeroes + longer},
	} {
		before := bytes.Clone(test.frame.Payload)
		got := websocket.AppendFrame([]byte("> "), test.frame)
		if string(got) != "> "+test.want {
			t.Errorf("got %.60q, want %.60q", got, "> "+test.want)
		}
		if !bytes.Equal(test.frame.Payload, before) {
			t.Error("the payload was masked in place")
		}
	}
}

func TestAppendClosePayload(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		code         websocket.Code
		reason, want string
	}{
		{websocket.NoStatus, "dropped", ""},
		{websocket.Normal, "", "\x03\xe8"},
		{websocket.GoingAway, "bye", "\x03\xe9bye"},
		{websocket.TooBig, strings.Repeat("x", 123), "\x03\xf1" + strings.Repeat("x", 123)},
		{websocket.TooBig, strings.Repeat("x", 124), "\x03\xf1" + strings.Repeat("x", 123)},
		{websocket.TooBig, strings.Repeat("x", 122) + "é", "\x03\xf1" + strings.Repeat("x", 122)},
		{websocket.TooBig, strings.Repeat("\xbf", 200), "\x03\xf1"},
	} {
		if got := websocket.AppendClosePayload([]byte("> "), test.code, test.reason); string(got) != "> "+test.want {
			t.Errorf("%d %q: got %q, want %q", test.code, test.reason, got, test.want)
		}
	}
}
