package phoenix_test

import (
	"strings"
	"testing"

	"holobench/wire/phoenix"
)

// broadcast200 is a broadcast of 200 bytes.
func broadcast200() []byte {
	text := phoenix.AppendBroadcast(nil, "room-3", "message", "hb1.00c0ffee.c17.s3.t2500000000.")
	return phoenix.AppendBroadcast(nil, "room-3", "message", "hb1.00c0ffee.c17.s3.t2500000000."+strings.Repeat("x", 200-len(text)))
}

// TestCost holds what the comments promise. It is not parallel, because allocations are counted for the whole process.
func TestCost(t *testing.T) {
	broadcast := broadcast200()
	reply := []byte(`["1","2","room-3","phx_reply",{"response":{},"status":"ok"}]`)
	poll := phoenix.AppendPoll(nil, 200, "SFMyNTY.token", broadcast, broadcast, broadcast)
	payload := strings.Repeat("x", 120)
	var m, r phoenix.Message
	var p phoenix.Poll
	buf := make([]byte, 0, 1024)
	for name, do := range map[string]func() bool{
		"reading broadcasts of one topic": func() bool {
			err := m.Parse(broadcast)
			text, ok := phoenix.PayloadText(m.Payload)
			return err == nil && ok && len(text) > 100
		},
		"reading a reply to the same command": func() bool {
			err := r.Parse(reply)
			read, err2 := phoenix.ParseReply(r.Payload)
			return err == nil && err2 == nil && read.Status == phoenix.StatusOK
		},
		"reading polls of one session": func() bool { return p.Parse(poll) == nil && len(p.Messages) == 3 },
		"writing a broadcast": func() bool {
			buf = phoenix.AppendBroadcast(buf[:0], "room-3", "message", payload)
			return len(buf) > 120
		},
		"writing a poll": func() bool {
			buf = phoenix.AppendPoll(buf[:0], 200, "T", broadcast, broadcast)
			return len(buf) > 400
		},
	} {
		if got := testing.AllocsPerRun(100, func() {
			if !do() {
				t.Fatal(name)
			}
		}); got != 0 {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}

func BenchmarkParseBroadcast(b *testing.B) {
	broadcast := broadcast200()
	var m phoenix.Message
	b.ReportAllocs()
	b.SetBytes(int64(len(broadcast)))
	for b.Loop() {
		if err := m.Parse(broadcast); err != nil {
			b.Fatal(err)
		}
		if _, ok := phoenix.PayloadText(m.Payload); !ok {
			b.Fatal("no text")
		}
	}
}

func BenchmarkParseReply(b *testing.B) {
	reply := []byte(`["1","2","room-3","phx_reply",{"response":{},"status":"ok"}]`)
	var m phoenix.Message
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Parse(reply); err != nil {
			b.Fatal(err)
		}
		if _, err := phoenix.ParseReply(m.Payload); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParsePoll(b *testing.B) {
	const messages = 50
	batch := make([][]byte, messages)
	for i := range batch {
		batch[i] = broadcast200()
	}
	body := phoenix.AppendPoll(nil, 200, "T", batch...)
	var p phoenix.Poll
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if err := p.Parse(body); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*messages), "ns/message")
}

func BenchmarkAppendBroadcast(b *testing.B) {
	payload, buf := strings.Repeat("x", 150), make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		buf = phoenix.AppendBroadcast(buf[:0], "room-3", "message", payload)
	}
}

func BenchmarkAppendPoll(b *testing.B) {
	broadcast, buf := broadcast200(), make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		buf = phoenix.AppendPoll(buf[:0], 200, "T", broadcast)
	}
}
