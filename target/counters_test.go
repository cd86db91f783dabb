package target

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPlacesOfCounters pins each counter to its place in the file: append here, change nothing.
func TestPlacesOfCounters(t *testing.T) {
	t.Parallel()
	places := strings.Fields(`commands_received commands_accepted commands_rejected events_dispatched deliveries_expected
		deliveries_enqueued_sse deliveries_written_sse deliveries_written_reply streams_opened streams_closed
		streams_superseded streams_refused cut_outbox_full cut_write_timeout cut_write_error cut_shutdown heartbeats_written
		bytes_written_sse replies_failed journal_written journal_dropped
		outbox_coalesced outbox_dropped deliveries_replayed controls_written gaps_found mutations_conflicted commands_repeated
		events_triggered bus_sent bus_received bus_failed
		deliveries_enqueued_poll deliveries_written_poll bytes_written_poll deliveries_enqueued_websocket
		deliveries_written_websocket bytes_written_websocket streams_idle polls_failed
		bus_fault_lost bus_fault_held bus_fault_delayed bus_fault_doubled`)
	if len(places) != int(counterCount) || counterCount > slotCount {
		t.Fatalf("%d counters are pinned, there are %d, and %d slots", len(places), counterCount, slotCount)
	}
	for i, name := range places {
		if got := Counter(i).String(); got != name {
			t.Errorf("counter %d is %s, want %s", i, got, name)
		}
	}
}

func TestCountersFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "counters")
	writer, err := OpenCounters(path, true)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := OpenCounters(path, false)
	if err != nil {
		t.Fatal(err)
	}
	writer.Add(StreamsOpened, 2)
	writer.Add(JournalDropped, 3)
	writer.Add(StreamsOpened, 40)
	// A reader sees each count at once, without a flush, and a slot that only another version knows too.
	copy(writer.file.slots[slotCount-1].name[:], "of_tomorrow")
	writer.file.slots[slotCount-1].value.Add(7)
	got := reader.Snapshot()
	if got["streams_opened"] != 42 || got["journal_dropped"] != 3 || got["of_tomorrow"] != 7 || got["commands_received"] != 0 {
		t.Errorf("the reader sees %v", got)
	}
	if len(got) != int(counterCount)+1 {
		t.Errorf("it sees %d counters, want %d", len(got), counterCount+1)
	}
	for _, c := range []*Counters{writer, reader} {
		if err = c.Close(); err != nil {
			t.Error(err)
		}
		if !maps.Equal(c.Snapshot(), got) {
			t.Errorf("after Close: %v, want %v", c.Snapshot(), got)
		}
		c.Add(StreamsOpened, 1) // too late for the file, and no crash
		if err = c.Close(); err != nil {
			t.Error(err)
		}
	}
	again, err := OpenCounters(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Close() }()
	if again.Get(StreamsOpened) != 42 {
		t.Errorf("opened again, it counts %d, want 42", again.Get(StreamsOpened))
	}
}

func TestCountersFileErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	old := slices.Concat([]byte(countersMagic), []byte{9}, make([]byte, countersBytes-9))
	tests := []struct {
		path   string
		create bool
		want   string
	}{
		{filepath.Join(dir, "none"), false, "no such file"},
		{write("there", nil), true, "remove it, or open it without create"},
		{write("short", []byte("hbcount")), false, "it has 7 bytes, not 4096"},
		{write("other", make([]byte, countersBytes)), false, "it is no counters file of version 1"},
		{write("old", old), false, "it is no counters file of version 1"},
		{filepath.Join(dir, "none", "counters"), true, "no such file"},
	}
	for _, test := range tests {
		c, err := OpenCounters(test.path, test.create)
		if c != nil || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("OpenCounters(%s, %v) = %v, want %q", filepath.Base(test.path), test.create, err, test.want)
		}
	}
}
