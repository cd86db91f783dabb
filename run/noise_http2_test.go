package run_test

import (
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"holobench/internal/memnet"
	"holobench/run"
	"holobench/target"
)

// carriedNoise are the ways in which two messages can come over HTTP/2 and TLS: on two streams of one connection, to two clients, and, over
// HTTP/1.1 in TLS, on two connections.
func carriedNoise() (all []run.NoiseOptions) {
	// A reader in TLS is late for each record, so that one of 20 ms would not be through when the pairs are judged.
	for _, delay := range []time.Duration{0, 5 * time.Millisecond} {
		all = append(all, run.NoiseOptions{Transport: target.TLS, ReaderDelay: delay, Clients: 10, Messages: 2, Seed: 11})
	}
	for _, transport := range []target.Transport{target.H2C, target.TLSH2} {
		for _, across := range []bool{false, true} {
			for _, delay := range []time.Duration{0, 20 * time.Millisecond} {
				all = append(all, run.NoiseOptions{Transport: transport, Across: across, ReaderDelay: delay, Clients: 10, Messages: 2, Seed: 11})
			}
		}
	}
	return all
}

func noiseName(o *run.NoiseOptions) string {
	where := "one connection"
	switch {
	case o.Across:
		where = "two clients"
	case o.Transport == target.TLS:
		where = "two connections"
	}
	return fmt.Sprintf("%s, %s, reader 0-%v", o.Transport, where, o.ReaderDelay)
}

// checkRows checks that what came over one connection stands in the order in which it left, and nothing else was judged so.
func checkRows(t *testing.T, o *run.NoiseOptions, n run.Noise) {
	t.Helper()
	want := run.NoiseCount{Right: n.Pairs}
	if o.Across || o.Transport == target.TLS {
		want = run.NoiseCount{}
	}
	if n.Rows != want {
		t.Errorf("%s: the rows of one connection: %+v, want %+v", noiseName(o), n.Rows, want)
	}
}

func TestCarriedNoiseInABubble(t *testing.T) {
	t.Parallel()
	for _, o := range carriedNoise() {
		t.Run(noiseName(&o), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := memnet.New(nil)
				o.StartPeer, o.Dial, o.Pairs = startNoiseInBubble(network), network.DialContext, 400
				n, err := run.MeasureNoise(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				checkNoise(t, n, 400)
				checkRows(t, &o, n)
				idle := o.ReaderDelay == 0
				if idle && n.Intervals.Right != n.Pairs {
					t.Errorf("a reader that is never late puts all in order: %+v", n)
				}
				// The control: two clients that are late see the same pairs out of order by the stamps that are not to be trusted.
				if !idle && (o.Across || o.Transport == target.TLS) && (n.User.Wrong < 20 || n.Intervals.Tied < n.Kernel.Wrong) {
					t.Errorf("a late reader left no trace: %+v", n)
				}
			})
		})
	}
}

func TestCarriedNoiseOnSockets(t *testing.T) {
	t.Parallel()
	for _, o := range carriedNoise() {
		o.StartPeer, o.Dial, o.Pairs, o.ReaderDelay = startNoiseProcess, new(net.Dialer).DialContext, 200, o.ReaderDelay/4
		n, err := run.MeasureNoise(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		checkNoise(t, n, 200)
		checkRows(t, &o, n)
		logNoise(t, noiseName(&o), n)
	}
}

func TestVerifyNoiseCarried(t *testing.T) {
	if !*verify {
		t.Skip("a long proof: make verify-noise")
	}
	pairs, wrong := 0, 0
	for _, o := range carriedNoise() {
		for _, crowd := range []int{2, 200} {
			o.StartPeer, o.Dial, o.Pairs, o.Clients, o.Busy = startNoiseProcess, new(net.Dialer).DialContext, 2000, crowd, o.ReaderDelay > 0
			n, err := run.MeasureNoise(t.Context(), o)
			if err != nil {
				t.Fatalf("%s: %v", noiseName(&o), err)
			}
			logNoise(t, fmt.Sprintf("%s, clients %d", noiseName(&o), crowd), n)
			checkNoise(t, n, 2000)
			checkRows(t, &o, n)
			pairs, wrong = pairs+n.Pairs, wrong+n.Intervals.Wrong+n.Rows.Wrong
		}
	}
	t.Logf("%d pairs in all, %d in the wrong order by intervals or rows; none was left out", pairs, wrong)
}
