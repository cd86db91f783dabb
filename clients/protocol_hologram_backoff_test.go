package clients

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
)

// TestHologramBacksOff holds the pauses between the reconnects of Hologram's own client, to the nanosecond: 250 ms, twice as long each
// time up to 5 s, a quarter more or less as the seed of the run has it, and 250 ms again behind a stream that came about.
func TestHologramBacksOff(t *testing.T) {
	t.Parallel()
	var pauses [][]time.Duration
	for _, id := range []uint32{7, 7, 8} {
		synctest.Test(t, func(t *testing.T) { pauses = append(pauses, backsOff(t, id)) })
	}
	if !slices.Equal(pauses[0], pauses[1]) {
		t.Errorf("the same client pauses %v, and then %v", pauses[0], pauses[1])
	}
	if slices.Equal(pauses[0], pauses[2]) {
		t.Errorf("two clients pause alike: %v", pauses[0])
	}
}

// backsOff cuts a stream, refuses nine connections, lets the tenth come about and cuts that too; it returns the pauses.
func backsOff(t *testing.T, id uint32) []time.Duration {
	b := newBench(t)
	b.crowd.Wire = Hologram
	var reachable atomic.Bool
	dial := b.crowd.Dial
	b.crowd.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if !reachable.Load() {
			return nil, errors.New("nobody is there")
		}
		return dial(ctx, network, addr)
	}
	reachable.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	c := b.crowd.NewClient(ClientOptions{ID: id, Channels: []string{"room"}})
	ended := make(chan error, 1)
	go func() { ended <- c.HoldStream(ctx, nil) }()
	p := <-b.accept
	p.servePage(t, "one")
	p.serveHandshake(t, "one", "receipt of one", "h1", true)
	p.serveStream(t, "one", "h1")
	synctest.Wait()
	jitter := rand.New(rand.NewPCG(uint64(testRun), uint64(id)))
	var want []time.Duration
	expect := func(base time.Duration) {
		pause := time.Duration(float64(base) * (0.75 + jitter.Float64()/2))
		if pause < base*3/4 || pause > base*5/4 {
			t.Errorf("a pause of %v is not %v, a quarter more or less", pause, base)
		}
		want = append(want, pause)
	}
	reachable.Store(false)
	p.Close()
	for _, base := range []int{250, 500, 1000, 2000, 4000, 5000, 5000, 5000, 5000, 5000} {
		expect(time.Duration(base) * time.Millisecond)
		if len(want) == 10 {
			reachable.Store(true) // for the connection behind this pause
		}
		<-time.After(want[len(want)-1])
		synctest.Wait()
	}
	p = <-b.accept // a handshake with the receipts of the page, which is not loaded again
	body, _ := io.ReadAll(p.request.Body)
	p.handshake(t, body, "one", "refreshed h1", "h2", true)
	p.serveStream(t, "one", "h2")
	synctest.Wait()
	p.Close()
	expect(250 * time.Millisecond)
	<-time.After(want[len(want)-1])
	synctest.Wait()
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("HoldStream returned %v", err)
	}
	if got := b.pauses(); !slices.Equal(got, want) {
		t.Errorf("pauses %v, want %v", got, want)
	}
	return want
}

// pauses are the times from each end of a connection, or of the attempt to make one, to the next.
func (b *bench) pauses() (all []time.Duration) {
	last := int64(-1)
	for _, o := range b.seen {
		if o.Kind != history.Ended && o.Kind != history.Opened {
			continue
		}
		if last >= 0 {
			all = append(all, time.Duration(o.At-last))
		}
		last = -1
		if o.Kind == history.Ended {
			last = o.At
		}
	}
	return all
}
