package websocket_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"holobench/wire/websocket"
)

// count is a handler that does next to nothing.
type count struct{ messages, bytes int }

func (c *count) OnText(b []byte) error   { c.messages++; c.bytes += len(b); return nil }
func (c *count) OnBinary(b []byte) error { c.messages++; return nil }
func (c *count) OnPing([]byte) error     { c.messages++; return nil }
func (c *count) OnPong([]byte) error     { c.messages++; return nil }

func (c *count) OnClose(websocket.Code, []byte) error { return nil }

// text200 is a text of 200 bytes as it goes to the given side.
func text200(to websocket.Role) []byte {
	f := websocket.Frame{Opcode: websocket.Text, Payload: []byte(strings.Repeat("x", 200)), Key: [4]byte{1, 2, 3, 4}}
	f.Masked = to == websocket.Server
	return websocket.AppendFrame(nil, f)
}

// TestParserCost holds the promise of the Parser's comment. It is not parallel, because allocations are counted for the
// whole process.
func TestParserCost(t *testing.T) {
	text := string(text200(websocket.Client))
	for _, test := range []struct {
		name   string
		role   websocket.Role
		pieces []string
		want   float64
	}{
		{"a text in one Feed", websocket.Client, []string{text}, 0},
		{"a masked text in one Feed", websocket.Server, []string{string(text200(websocket.Server))}, 0},
		{"a hundred in one Feed", websocket.Client, []string{strings.Repeat(text, 100)}, 0},
		{"a ping", websocket.Client, []string{pingHello}, 0},
		{"a cut head", websocket.Client, []string{text[:3], text[3:]}, 0},
		{"a cut text", websocket.Client, []string{text[:100], text[100:]}, 1},
		{"a cut ping", websocket.Client, []string{pingHello[:4], pingHello[4:]}, 1},
		{"fragments", websocket.Client, []string{strings.Repeat(helloInTwo, 100)}, 2},
	} {
		p := websocket.Parser{Role: test.role}
		var c count
		pieces := make([][]byte, len(test.pieces))
		got := testing.AllocsPerRun(100, func() {
			for i, piece := range test.pieces {
				pieces[i] = append(pieces[i][:0], piece...) // the mask is taken off in place
				if err := p.Feed(pieces[i], &c); err != nil {
					t.Fatal(err)
				}
			}
		})
		if got > test.want {
			t.Errorf("%s: %v allocations, want at most %v", test.name, got, test.want)
		}
		if c.messages < 100 {
			t.Errorf("%s: %d messages were seen", test.name, c.messages)
		}
	}
	if size := unsafe.Sizeof(websocket.Parser{}); size > 128 {
		t.Errorf("a Parser is %d bytes: each connection has one, keep it at 128", size)
	}
}

// TestAppendFrameCost is not parallel, as TestParserCost.
func TestAppendFrameCost(t *testing.T) {
	payload, buf := bytes.Repeat([]byte("x"), 200), make([]byte, 0, 512)
	for _, masked := range []bool{false, true} {
		f := websocket.Frame{Opcode: websocket.Text, Payload: payload, Masked: masked}
		if got := testing.AllocsPerRun(100, func() { buf = websocket.AppendFrame(buf[:0], f) }); got != 0 {
			t.Errorf("masked %v: %v allocations", masked, got)
		}
	}
}

func BenchmarkParser(b *testing.B) {
	for name, role := range map[string]websocket.Role{"plain": websocket.Client, "masked": websocket.Server} {
		for _, batch := range []int{1, 64} {
			b.Run(name+"/batch="+strconv.Itoa(batch), func(b *testing.B) {
				// A mask that is taken off in place leaves other bytes behind; so it is one of zeros, which costs the same.
				input := bytes.Repeat(text200(websocket.Client), batch)
				if role == websocket.Server {
					f := websocket.Frame{Opcode: websocket.Text, Payload: bytes.Repeat([]byte("x"), 200), Masked: true}
					input = bytes.Repeat(websocket.AppendFrame(nil, f), batch)
				}
				p := websocket.Parser{Role: role}
				var c count
				b.ReportAllocs()
				b.SetBytes(int64(len(input)))
				for b.Loop() {
					if err := p.Feed(input, &c); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/message")
			})
		}
	}
}

func BenchmarkAppendFrame(b *testing.B) {
	payload, buf := bytes.Repeat([]byte("x"), 200), make([]byte, 0, 512)
	for name, masked := range map[string]bool{"plain": false, "masked": true} {
		b.Run(name, func(b *testing.B) {
			f := websocket.Frame{Opcode: websocket.Text, Payload: payload, Masked: masked, Key: [4]byte{1, 2, 3, 4}}
			b.ReportAllocs()
			for b.Loop() {
				buf = websocket.AppendFrame(buf[:0], f)
			}
		})
	}
}
