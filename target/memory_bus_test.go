package target

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestMemoryBusLinksAreFIFO: a link whose delay falls lets nothing overtake, and each link has its own delay.
func TestMemoryBusLinksAreFIFO(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		delays := []time.Duration{10 * time.Millisecond, time.Millisecond, 3 * time.Millisecond}
		asked := 0
		bus := NewMemoryBus(MemoryBusOptions{Delay: func(from, to int) time.Duration {
			if from != 1 || to != 2 {
				return time.Second
			}
			asked++
			return delays[asked-1]
		}})
		var got []string
		stop, err := bus.Node(2).Subscribe(func(m BusMessage) {
			got = append(got, fmt.Sprintf("%s/%d at %v", m.Data, m.Sequence, time.Since(start)))
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = bus.Node(2).Subscribe(func(BusMessage) {}); err == nil {
			t.Error("a node subscribed twice")
		}
		for _, name := range []string{"a", "b"} {
			_ = bus.Node(1).Publish("room", []byte(name))
		}
		_ = bus.Node(3).Publish("room", []byte("far"))
		_ = bus.Node(2).Publish("room", []byte("own"))
		time.Sleep(20 * time.Millisecond)
		_ = bus.Node(1).Publish("room", []byte("c"))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		want := []string{"a/0 at 10ms", "b/0 at 10ms", "c/0 at 23ms", "far/0 at 1s"}
		if !slices.Equal(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
		stop()
		_ = bus.Node(3).Publish("room", []byte("too late"))
		bus.Close()
		if err := bus.Node(3).Publish("room", nil); err == nil {
			t.Error("a closed bus took a message")
		}
	})
}

// TestMemoryBusOrder: every node gets every message of a channel, its own too, in one order with numbers from 1.
func TestMemoryBusOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus := NewMemoryBus(MemoryBusOptions{Ordered: true, Delay: func(from, to int) time.Duration {
			return time.Duration(from+2*to) * time.Millisecond
		}})
		got := make([][]string, 3)
		for n := range got {
			if _, err := bus.Node(n + 1).Subscribe(func(m BusMessage) {
				if m.Channel != "" {
					got[n] = append(got[n], fmt.Sprintf("%s%d=%s", m.Channel, m.Sequence, m.Data))
				}
			}); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		for n := range got {
			wg.Go(func() {
				for i := range 30 {
					_ = bus.Node(n+1).Publish([]string{"a", "b", ""}[i%3], fmt.Append(nil, n, ".", i))
				}
			})
		}
		wg.Wait()
		time.Sleep(time.Second)
		synctest.Wait()
		for n := range got {
			if len(got[n]) != 60 || !slices.Equal(got[n], got[0]) {
				t.Errorf("node %d got %d messages, %v", n+1, len(got[n]), got[n])
			}
		}
		next := map[byte]int{}
		for _, text := range got[0] {
			next[text[0]]++
			if want := fmt.Sprintf("%c%d=", text[0], next[text[0]]); !strings.HasPrefix(text, want) {
				t.Errorf("%s came, want %s", text, want)
			}
		}
		bus.Close()
	})
}
