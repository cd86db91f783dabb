package run_test

import (
	"fmt"
	"net"
	"testing"
	"time"

	"holobench/clients"
	"holobench/run"
)

// noiseOverEpoll are the ways in which two messages can come while loops hold the streams. A reader that is late holds up all streams of
// its loop, which is why many clients have a reader that is late by less.
func noiseOverEpoll() (all []run.NoiseOptions) {
	for _, across := range []bool{false, true} {
		for _, o := range []run.NoiseOptions{{Clients: 2}, {Clients: 2, ReaderDelay: 20 * time.Millisecond}, {Clients: 200}, {Clients: 200, ReaderDelay: 2 * time.Millisecond}} {
			o.Across, o.Engine, o.Messages, o.Seed = across, clients.EngineEpoll, 2, 13
			o.StartPeer, o.Dial = startNoiseProcess, new(net.Dialer).DialContext
			all = append(all, o)
		}
	}
	return all
}

func epollName(o *run.NoiseOptions) string {
	where := "one client"
	if o.Across {
		where = "two clients"
	}
	return fmt.Sprintf("epoll, %s, reader 0-%v, clients %d", where, o.ReaderDelay, o.Clients)
}

// TestNoiseOverEpoll holds that loops report no two messages in another order than that in which they left.
func TestNoiseOverEpoll(t *testing.T) {
	t.Parallel()
	for _, o := range noiseOverEpoll() {
		o.Pairs, o.ReaderDelay = 100, o.ReaderDelay/4
		n, err := run.MeasureNoise(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		checkNoise(t, n, 100)
		logNoise(t, epollName(&o), n)
	}
}

func TestVerifyNoiseOverEpoll(t *testing.T) {
	if !*verify {
		t.Skip("a long proof: make verify-noise")
	}
	pairs, wrong := 0, 0
	for _, o := range noiseOverEpoll() {
		o.Pairs, o.Busy = 2000, o.ReaderDelay > 0
		n, err := run.MeasureNoise(t.Context(), o)
		if err != nil {
			t.Fatalf("%s: %v", epollName(&o), err)
		}
		logNoise(t, epollName(&o), n)
		checkNoise(t, n, 2000)
		pairs, wrong = pairs+n.Pairs, wrong+n.Intervals.Wrong
	}
	t.Logf("%d pairs in all, %d in the wrong order by intervals; none was left out", pairs, wrong)
}
