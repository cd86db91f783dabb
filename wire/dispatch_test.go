package wire_test

import (
	"bytes"
	"testing"

	"holobench/wire"
)

func TestDispatch(t *testing.T) {
	t.Parallel()
	first := wire.Dispatch{Run: 0xc0ffee, Event: wire.EventID{Publisher: 1, Seq: 2}, Node: 3, Sequence: 1 << 40, At: 1753000000123456789}
	second := wire.Dispatch{At: -1}
	journal := wire.AppendDispatch(nil, first)
	if len(journal) != wire.DispatchSize {
		t.Fatalf("a record has %d bytes, want %d", len(journal), wire.DispatchSize)
	}
	journal = wire.AppendDispatch(journal, second)
	journal = append(journal, journal[:wire.DispatchSize-1]...) // a killed node's last record

	for i, want := range []wire.Dispatch{first, second} {
		got, rest, ok := wire.ParseDispatch(journal)
		if !ok || got != want {
			t.Fatalf("record %d: %+v, %v; want %+v", i, got, ok, want)
		}
		journal = rest
	}
	got, rest, ok := wire.ParseDispatch(journal)
	if ok || got != (wire.Dispatch{}) || len(rest) != wire.DispatchSize-1 {
		t.Errorf("the cut record: %+v, %d bytes left, %v", got, len(rest), ok)
	}
}

// TestDispatchLayout holds the bytes themselves: a journal may be read by another build than the one that wrote it.
func TestDispatchLayout(t *testing.T) {
	t.Parallel()
	got := wire.AppendDispatch(nil, wire.Dispatch{
		Run: 0x04030201, Event: wire.EventID{Publisher: 0x08070605, Seq: 0x0c0b0a09}, Node: 0x100f0e0d,
		Sequence: 0x1817161514131211, At: 0x201f1e1d1c1b1a19,
	})
	want := make([]byte, wire.DispatchSize)
	for i := range want {
		want[i] = byte(i + 1)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}
