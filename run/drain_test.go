package run_test

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"holobench/clients"
	"holobench/history"
	"holobench/run"
)

// slowReader reads 2,000 bytes in 200 ms.
type slowReader struct{ net.Conn }

func (c slowReader) Read(p []byte) (int, error) {
	<-time.After(200 * time.Millisecond)
	return c.Conn.Read(p[:min(len(p), 2000)])
}

// TestDrainOfWhatWasLeftOut: a target that leaves values out for newer ones delivers less than was expected, and the drain does not wait for
// the rest.
func TestDrainOfWhatWasLeftOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := rooms("ephemeral", 4, 100, 10*time.Second)
		p.Groups = append(p.Groups, run.Group{Name: "backend", Count: 1, Channel: func(int) string { return "room-0" }, NoStream: true})
		p.Loads[0].Group, p.Loads[0].Only, p.Loads[0].InFlight = 1, 1, 64
		p.Loads[0].Message.Size = 4000
		p.Drain = time.Hour
		all, result := inMemory(t.Context(), t, p, func(dial clients.DialFunc) clients.DialFunc {
			return func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := dial(ctx, network, addr)
				return slowReader{conn}, err
			}
		})
		expected := 2 * int(result.Nodes[0].Counters["commands_accepted"]) // two of the four are in that room
		left := int(result.Nodes[0].Counters["outbox_coalesced"])
		if got := count(all, history.Delivered); left == 0 || got+left != expected {
			t.Errorf("%d deliveries and %d left out, want %d together, and some left out", got, left, expected)
		}
		last := int64(0)
		for _, o := range all {
			if o.Kind == history.Delivered {
				last = max(last, o.At)
			}
		}
		if waited := time.Duration(result.End - last); waited > time.Second {
			t.Errorf("the drain went on for %v after the last delivery, of at most an hour", waited)
		}
	})
}
