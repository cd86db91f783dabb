package chaos_test

import (
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/chaos"
)

// TestTheSocketsOfAClientShareTheBandwidth: what comes on one waits for what came on another, and no other client does.
func TestTheSocketsOfAClientShareTheBandwidth(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		apart bool
		want  map[string]time.Duration // when the last byte of what each says is there
	}{
		{false, map[string]time.Duration{"stream": 2000 * ms, "command": 2200 * ms, "other": 1800 * ms, "up": 1800 * ms}},
		{true, map[string]time.Duration{"stream": 2000 * ms, "command": 1800 * ms, "other": 1800 * ms, "up": 1800 * ms}},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, 1, chaos.Fault{
				Name: "it", Window: window(), Where: chaos.Where{Direction: chaos.Both}, Effect: chaos.Bandwidth{Rate: 100, Apart: c.apart},
			})
			stream, streamFar := r.connect(2, chaos.Stream)
			command, commandFar := r.connect(2, chaos.Command)
			other, otherFar := r.connect(3, chaos.Stream)
			var reading sync.WaitGroup
			var mu sync.Mutex
			got := make(map[string]time.Duration)
			says := func(name string, at time.Duration, from, to net.Conn, bytes int) {
				reading.Go(func() {
					r.until(at)
					io.WriteString(from, strings.Repeat("x", bytes))
					if _, err := io.ReadFull(to, make([]byte, bytes)); err != nil {
						t.Error(err)
					}
					mu.Lock()
					defer mu.Unlock()
					got[name] = time.Since(r.began)
				})
			}
			says("stream", 1500*ms, streamFar, stream, 50)
			says("command", 1600*ms, commandFar, command, 20)
			says("other", 1600*ms, otherFar, other, 20)
			says("up", 1600*ms, command, commandFar, 20)
			reading.Wait()
			says("again", max(2100*ms, got["command"]), streamFar, stream, 10)
			reading.Wait()
			c.want["again"] = max(2100*ms, got["command"]) + 100*ms
			for name, at := range c.want {
				if got[name] != at {
					t.Errorf("apart: %v: what %s says is there at %v, want %v", c.apart, name, got[name], at)
				}
			}
		})
	}
}

// TestManySocketsShareEvenly: all that ten sockets are told at one moment is through after as long as it takes altogether.
func TestManySocketsShareEvenly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, chaos.Fault{Name: "it", Window: chaos.Window{Always: true}, Effect: chaos.Bandwidth{Rate: 1000}})
		var reading sync.WaitGroup
		var mu sync.Mutex
		var ends []time.Duration
		for range 10 {
			near, far := r.connect(2, chaos.Stream)
			io.WriteString(far, strings.Repeat("x", 100))
			reading.Go(func() {
				if _, err := io.ReadFull(near, make([]byte, 100)); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				ends = append(ends, time.Since(r.began))
			})
		}
		reading.Wait()
		slices.Sort(ends)
		for i, at := range ends {
			if want := time.Duration(i+1) * 100 * ms; at != want {
				t.Errorf("the %d. socket has all at %v, want %v", i+1, at, want)
			}
		}
	})
}
