package target_test

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"holobench/target"
	"holobench/wire"
)

// TestJournalIsTheOrder: in the design single-channel the journal of the server lists the events of a channel in the
// order in which every subscriber heard them.
func TestJournalIsTheOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		w := newWorld(t, target.Options{Design: target.SingleChannel, Journal: &out, Node: 4}, nil)
		ann, bob := w.subscribe("ann", "red"), w.subscribe("bob", "red")
		var wg sync.WaitGroup
		for publisher := range uint32(6) {
			wg.Go(func() {
				for seq := range uint32(30) {
					id := wire.EventID{Publisher: publisher, Seq: seq + 1}
					w.say("", "red", string(wire.AppendMarker(nil, wire.Marker{Run: 9, Event: id})))
				}
			})
		}
		wg.Wait()
		w.shutdown()
		var journal []string
		for rest := out.Bytes(); len(rest) > 0; {
			d, behind, ok := wire.ParseDispatch(rest)
			if !ok || d.Node != 4 || d.Sequence != uint64(len(journal)+1) || d.Run != 9 {
				t.Fatalf("record %d is %+v, %v", len(journal)+1, d, ok)
			}
			journal = append(journal, string(wire.AppendMarker(nil, wire.Marker{Run: d.Run, Event: d.Event})))
			rest = behind
		}
		if len(journal) != 180 || !slices.Equal(ann.payloads(), journal) || !slices.Equal(bob.payloads(), journal) {
			t.Errorf("journal, ann and bob do not agree: %d, %d and %d events", len(journal), len(ann.events), len(bob.events))
		}
		w.count(fmt.Sprintf("journal_written=%d journal_dropped=0", len(journal)))
	})
}

// TestSupersedeUnderLoad reopens one instance again and again while others publish: each of its streams ends cleanly, and
// together they hear no event twice.
func TestSupersedeUnderLoad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{}, nil)
		var wg sync.WaitGroup
		for publisher := range 4 {
			wg.Go(func() {
				for n := range 50 {
					w.say("", "red", fmt.Sprintf("%d.%d", publisher, n))
				}
			})
		}
		var streams []*subscriber
		for range 20 {
			streams = append(streams, w.subscribe("ann", "red"))
		}
		wg.Wait()
		w.shutdown()
		heard := map[string]bool{}
		for i, s := range streams {
			<-s.done
			if s.ended != nil {
				t.Errorf("stream %d ended with %v, want a clean end", i, s.ended)
			}
			for _, payload := range s.payloads() {
				if heard[payload] {
					t.Errorf("%s was heard twice", payload)
				}
				heard[payload] = true
			}
		}
		w.count(fmt.Sprintf("streams_opened=20 streams_superseded=19 streams_closed=20 deliveries_expected=%d "+
			"deliveries_written_sse=%d", len(heard), len(heard)))
	})
}
