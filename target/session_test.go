package target_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"holobench/wire"
)

// session is a client over all its streams: it comes back as a browser's EventSource does.
type session struct {
	w        *world
	instance string
	channels []string
	streams  []*subscriber
}

func (w *world) newSession(instance string, channels ...string) *session {
	w.t.Helper()
	return &session{w: w, instance: instance, channels: channels, streams: []*subscriber{w.subscribe(instance, channels...)}}
}

// cut breaks the newest stream, without a farewell.
func (s *session) cut() {
	last := s.streams[len(s.streams)-1]
	last.conn.Reset()
	<-last.done
}

// resume opens the next stream behind the last id of the one before.
func (s *session) resume() {
	s.w.t.Helper()
	last := s.streams[len(s.streams)-1]
	last.mu.Lock()
	id := last.lastID
	last.mu.Unlock()
	s.streams = append(s.streams, s.w.resume(id, s.instance, s.channels...))
}

// events are all that it heard, over all streams.
func (s *session) events() (all []wire.Event) {
	synctest.Wait()
	for _, stream := range s.streams {
		stream.mu.Lock()
		all = append(all, stream.events...)
		stream.mu.Unlock()
	}
	return all
}

// controls are the messages that were no event.
func (s *session) controls() (all []string) {
	synctest.Wait()
	for _, stream := range s.streams {
		stream.mu.Lock()
		all = append(all, stream.controls...)
		stream.mu.Unlock()
	}
	return all
}

func payloadsOf(events []wire.Event) []string {
	payloads := make([]string, 0, len(events))
	for _, e := range events {
		payloads = append(payloads, e.Payload)
	}
	return payloads
}

// divergentPairs counts the pairs of payloads that two of the clients saw in different orders, by the definition.
func divergentPairs(seen [][]string) int {
	places := make([]map[string]int, len(seen))
	all := map[string]bool{}
	for i, payloads := range seen {
		places[i] = map[string]int{}
		for at, payload := range payloads {
			places[i][payload] = at
			all[payload] = true
		}
	}
	names := slices.Sorted(maps.Keys(all))
	divergent := 0
	for i, a := range names {
		for _, b := range names[i+1:] {
			orders := map[int]bool{}
			for _, place := range places {
				if x, ok := place[a]; ok {
					if y, ok := place[b]; ok {
						orders[cmp.Compare(x, y)] = true
					}
				}
			}
			if len(orders) > 1 {
				divergent++
			}
		}
	}
	return divergent
}

// publish lets publishers post commands at once, each its own one after the other; between is called after each.
func (w *world) publish(publishers, commands int, post func(publisher, n int)) {
	w.t.Helper()
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			for n := range commands {
				post(p, n)
			}
		})
	}
	wg.Wait()
}

// replica is a client of the design state-sync: it applies what its streams bring, in their order.
type replica struct {
	version uint64
	entries map[string]wire.Entry
}

// replicaOf plays back a stream of a session: OnEvent kept events and controls apart, so a snapshot, which is the first thing
// of its stream, is applied first.
func replicaOf(t *testing.T, s *session) *replica {
	t.Helper()
	synctest.Wait()
	r := &replica{entries: map[string]wire.Entry{}}
	for _, stream := range s.streams {
		stream.mu.Lock()
		for _, control := range stream.controls {
			data, ok := strings.CutPrefix(control, wire.SnapshotMessage+" ")
			var snapshot wire.Snapshot
			if err := json.Unmarshal([]byte(data), &snapshot); !ok || err != nil {
				t.Errorf("%s was sent %q, want a snapshot: %v", s.instance, control, err)
			}
			r.version = snapshot.Version
			clear(r.entries)
			for _, e := range snapshot.Entries {
				r.entries[e.Key] = e
			}
		}
		for _, e := range stream.events {
			if e.Seq <= r.version {
				t.Errorf("%s is at version %d and was sent the patch %d", s.instance, r.version, e.Seq)
			}
			r.version = e.Seq
			r.entries[e.Key] = wire.Entry{Key: e.Key, Name: e.Name, Payload: e.Payload, Seq: e.Seq}
		}
		stream.mu.Unlock()
	}
	return r
}

// digest is the whole state in one text.
func (r *replica) digest() string {
	var b strings.Builder
	fmt.Fprintf(&b, "version %d", r.version)
	for _, key := range slices.Sorted(maps.Keys(r.entries)) {
		fmt.Fprintf(&b, " %s=%s@%d", key, r.entries[key].Payload, r.entries[key].Seq)
	}
	return b.String()
}
