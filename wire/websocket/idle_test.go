package websocket

import (
	"strings"
	"testing"
)

// deaf is a handler that listens to nothing.
type deaf struct{}

func (deaf) OnText([]byte) error        { return nil }
func (deaf) OnBinary([]byte) error      { return nil }
func (deaf) OnPing([]byte) error        { return nil }
func (deaf) OnPong([]byte) error        { return nil }
func (deaf) OnClose(Code, []byte) error { return nil }

// TestAnIdleParserHoldsNoBuffer looks into the parser: thousands of connections idle at a time.
func TestAnIdleParserHoldsNoBuffer(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5000)
	frame := string(AppendFrame(nil, Frame{Opcode: Text, Payload: []byte(long)}))
	first := string(AppendFrame(nil, Frame{Opcode: Text, More: true, Payload: []byte(long)}))
	const rest, ping, bye, bad = "\x80\x01x", "\x89\x02hi", "\x88\x00", "\x83\x00"
	for _, pieces := range [][]string{
		{frame[:100], frame[100:]},
		{frame[:100], frame[100:] + frame + "\x81"},
		{first, rest},
		{first + rest + ping},
		{first, ping[:3], ping[3:] + rest},
		{ping[:3], ping[3:]},
		{first, bye},
		{bye[:1], bye[1:] + frame},
	} {
		var p Parser
		for _, piece := range pieces {
			if err := p.Feed([]byte(piece), deaf{}); err != nil {
				t.Fatal(err)
			}
		}
		if p.buf != nil {
			t.Errorf("%.20q: holds %d bytes", pieces, cap(p.buf))
		}
	}
	var p Parser
	if err := p.Feed([]byte(first+bad), deaf{}); err == nil || p.buf != nil {
		t.Errorf("dead by %v, and holds %d bytes", err, cap(p.buf))
	}
}

// TestAnAnnouncementTakesNoMemory checks that memory grows with what came, not with what was promised.
func TestAnAnnouncementTakesNoMemory(t *testing.T) {
	t.Parallel()
	var p Parser
	if err := p.Feed([]byte("\x82\x7f\x00\x00\x00\x00\x00\x10\x00\x00x"), deaf{}); err != nil || !p.Pending() {
		t.Fatal(err)
	}
	if got := cap(p.buf); got > keptAhead {
		t.Errorf("a byte of a message of 1 MiB holds %d bytes", got)
	}
}
