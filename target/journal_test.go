package target

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holobench/wire"
)

// payloadOf is a payload that bears the marker of an event.
func payloadOf(publisher, seq uint32) string {
	id := wire.EventID{Publisher: publisher, Seq: seq}
	return "x " + string(wire.AppendMarker(nil, wire.Marker{Run: 7, Event: id, Due: 5})) + " y"
}

func records(t *testing.T, data []byte) (all []wire.Dispatch) {
	t.Helper()
	for len(data) > 0 {
		d, rest, ok := wire.ParseDispatch(data)
		if !ok {
			t.Errorf("%d bytes are left over", len(data))
			return all
		}
		all, data = append(all, d), rest
	}
	return all
}

// journalWorld runs a journal until stop is called.
func journalWorld(w writerFunc, limit int) (j *journal, stop func()) {
	options, _ := Options{Journal: w, JournalBytes: limit, Node: 2}.withDefaults()
	j = newJournal(options)
	stopping, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		j.run(stopping)
	}()
	return j, func() {
		close(stopping)
		<-stopped
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestJournal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		var writes []time.Duration
		start := time.Now()
		j, stop := journalWorld(func(p []byte) (int, error) {
			writes = append(writes, time.Since(start))
			return out.Write(p)
		}, 0)
		j.record(payloadOf(1, 1))
		j.record("no marker")
		time.Sleep(30 * time.Millisecond)
		j.record(payloadOf(2, 1))
		time.Sleep(time.Second)
		j.record(payloadOf(1, 2))
		stop()
		record := func(publisher, seq uint32, sequence uint64, after time.Duration) wire.Dispatch {
			return wire.Dispatch{
				Run: 7, Event: wire.EventID{Publisher: publisher, Seq: seq}, Node: 2, Sequence: sequence,
				At: start.Add(after).UnixNano(),
			}
		}
		want := []wire.Dispatch{
			record(1, 1, 1, 0), record(2, 1, 2, 30*time.Millisecond), record(1, 2, 3, 1030*time.Millisecond),
		}
		if got := records(t, out.Bytes()); !slices.Equal(got, want) {
			t.Errorf("journal\n%+v, want\n%+v", got, want)
		}
		if want := []time.Duration{100 * time.Millisecond, 1030 * time.Millisecond}; !slices.Equal(writes, want) {
			t.Errorf("written at %v, want %v", writes, want)
		}
		if n := j.counters.Get(JournalWritten); n != 3 {
			t.Errorf("journal_written = %d, want 3", n)
		}
	})
}

// TestJournalNeverBlocks: a writer that hangs costs records, each counted and visible as a gap, and no time.
func TestJournalNeverBlocks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		release := make(chan struct{})
		start := time.Now()
		j, stop := journalWorld(func(p []byte) (int, error) {
			<-release
			return out.Write(p)
		}, 3*wire.DispatchSize+5)
		j.record(payloadOf(0, 1))
		time.Sleep(200 * time.Millisecond) // the first record hangs in the writer
		for seq := range uint32(6) {
			j.record(payloadOf(0, 2+seq))
		}
		if took := time.Since(start); took != 200*time.Millisecond {
			t.Errorf("recording took %v", took-200*time.Millisecond)
		}
		close(release)
		time.Sleep(200 * time.Millisecond)
		j.record(payloadOf(0, 8))
		stop()
		var sequences []uint64
		for _, d := range records(t, out.Bytes()) {
			sequences = append(sequences, d.Sequence)
		}
		if want := []uint64{1, 2, 3, 4, 8}; !slices.Equal(sequences, want) {
			t.Errorf("sequences %v, want %v", sequences, want)
		}
		if written, dropped := j.counters.Get(JournalWritten), j.counters.Get(JournalDropped); written != 5 || dropped != 3 {
			t.Errorf("written %d, dropped %d; want 5 and 3", written, dropped)
		}
	})
}

// TestJournalEndsAtAnError: behind a record that stands there in part nothing could be read.
func TestJournalEndsAtAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		j, stop := journalWorld(func([]byte) (int, error) {
			calls++
			return wire.DispatchSize + 3, errors.New("disk full")
		}, 0)
		for seq := range uint32(3) {
			j.record(payloadOf(0, 1+seq))
		}
		time.Sleep(time.Second)
		j.record(payloadOf(0, 4))
		time.Sleep(time.Second)
		stop()
		written, dropped := j.counters.Get(JournalWritten), j.counters.Get(JournalDropped)
		if calls != 1 || written != 1 || dropped != 3 {
			t.Errorf("%d writes, %d written, %d dropped; want 1, 1, 3", calls, written, dropped)
		}
	})
}

func TestNoJournal(t *testing.T) {
	t.Parallel()
	var none *journal
	none.record(payloadOf(1, 1))
	none.run(nil)
	if s, err := New(Options{}); err != nil || s.journal != nil {
		t.Errorf("a server without a journal: %v, %v", s, err)
	}
	if strings.Count(payloadOf(1, 1), "hb1.") != 1 {
		t.Error("the tests above have no marker")
	}
}
