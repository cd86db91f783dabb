package hologram_test

import (
	"bytes"
	"strings"
	"testing"

	"holobench/wire/hologram"
)

// path is everything that one event needs on its way.
func path() []step {
	const marker = "hb1.00c0ffee.c17.s3.t2500000000."
	payload := marker + strings.Repeat("x", 200-len(marker))
	event := hologram.Event{Channel: "room-3", Name: "message", Payload: payload, Seq: 17}
	command := hologram.EventCommand{Instance: "0d4c6f0e-6a0b-4d6e-9a0a-2b6d0f5c7e11", Channel: event.Channel, Name: event.Name, Payload: payload}
	body := hologram.AppendEventCommand(nil, command)
	data := hologram.AppendBroadcast(nil, event)
	reply := hologram.AppendEventReply(nil, event, true)
	echoes := []byte(`Type.list([` + string(hologram.AppendExpression(nil, hologram.ActionTerm(event))) + `])`)
	buffer := make([]byte, 0, 4096)
	return []step{
		{"AppendEventCommand", len(body), 0, func() bool { buffer = hologram.AppendEventCommand(buffer[:0], command); return len(buffer) > 0 }},
		{"ParseEventCommand", len(body), 2, func() bool { _, err := hologram.ParseEventCommand(body); return err == nil }},
		{"AppendBroadcast", len(data), 0, func() bool { buffer = hologram.AppendBroadcast(buffer[:0], event); return len(buffer) > 0 }},
		{"AppendFrame", len(data), 0, func() bool {
			buffer = hologram.AppendFrame(buffer[:0], hologram.Broadcast, 3, data)
			return len(buffer) > 0
		}},
		{"find the marker", len(data), 0, func() bool { return bytes.Contains(data, []byte(marker)) }},
		{"BroadcastChannel", len(data), 0, func() bool { _, ok := hologram.BroadcastChannel(data); return ok }},
		{"ParseBroadcast", len(data), 5, func() bool { _, err := hologram.ParseBroadcast(data); return err == nil }},
		{"AppendEventReply", len(reply), 0, func() bool { buffer = hologram.AppendEventReply(buffer[:0], event, true); return len(buffer) > 0 }},
		{"ReplyEchoes", len(reply), 0, func() bool { _, ok := hologram.ReplyEchoes(reply); return ok }},
		{"ParseReply", len(reply), 2, func() bool { _, err := hologram.ParseReply(reply); return err == nil }},
		{"ParseSelfEchoes", len(echoes), 9, func() bool { _, err := hologram.ParseSelfEchoes(echoes); return err == nil }},
	}
}

type step struct {
	name   string
	bytes  int
	allocs float64
	run    func() bool
}

// TestCost holds what the comments promise. It is not parallel, because allocations are counted for the whole process.
func TestCost(t *testing.T) {
	for _, step := range path() {
		if got := testing.AllocsPerRun(100, func() {
			if !step.run() {
				t.Errorf("%s failed", step.name)
			}
		}); got > step.allocs {
			t.Errorf("%s: %v allocations, want at most %v", step.name, got, step.allocs)
		}
	}
}

// TestWorkIsBounded feeds what would make a careless parser read its input again and again. The test of it is that it ends.
func TestWorkIsBounded(t *testing.T) {
	t.Parallel()
	const length = 1 << 17
	for _, part := range []string{
		`[3,{"t":"l","d":[`, `{"t":"l","d":[`, `[`, `"`, `\`, `[3,"a`, `Type.list([`, `Type.atom("`, `Type.atom("\`, `Type.map([[`,
		`{"action":"`, `","selfEchoes":"`, `globalThis.Hologram.csrfToken = "`, `globalThis.Hologram.pageMountData"`, `subReceiptAdds:`, `subReceiptAdds: Type.list([`,
	} {
		head := "globalThis.Hologram.csrfToken = \"a\" globalThis.Hologram.instanceId = \"b\" globalThis.Hologram.pageMountData "
		for _, input := range []string{strings.Repeat(part, length/len(part)), head + strings.Repeat(part, length/len(part))} {
			_, _ = hologram.ParseSerialized([]byte(input))
			_, _ = hologram.ParseEventCommand([]byte(input))
			_, _ = hologram.ParseExpression([]byte(input))
			_, _ = hologram.ParseReply([]byte(input))
			_, _ = hologram.ReplyEchoes([]byte(input))
			_, _ = hologram.BroadcastChannel([]byte(input))
			_, _ = hologram.ParsePage([]byte(input))
		}
	}
}

func BenchmarkEvent(b *testing.B) {
	for _, step := range path() {
		b.Run(step.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(step.bytes))
			for b.Loop() {
				if !step.run() {
					b.Fatal("failed")
				}
			}
		})
	}
}
