package target_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holobench/target"
	"holobench/wire"
)

// TestSlowSubscriberHoldsUpNobody: one client never reads, and is cut or coalesced. Looked at after every step of every
// fan-out, no other client ever has more than the one event waiting that it is being told.
func TestSlowSubscriberHoldsUpNobody(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		design  target.Design
		counted string
	}{
		{target.SingleChannel, "cut_outbox_full=1 cut_write_timeout=0 streams_closed=1 outbox_coalesced=0"},
		{target.Ephemeral, "cut_outbox_full=0 cut_write_timeout=0 streams_closed=0"},
	} {
		t.Run(string(test.design), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const healthy, events = 12, 80
				var depths []func() int
				deepest, looks := 0, 0
				w := newWorld(t, target.Options{
					Design: test.design, OutboxFrames: 16, WriteTimeout: time.Hour,
					Pause: func(*wire.Event) {
						for _, depth := range depths {
							deepest = max(deepest, depth())
							looks++
						}
					},
				}, nil)
				slow := w.dial(request("slow", "room"))
				synctest.Wait()
				for i := range healthy {
					name := fmt.Sprint("c", i)
					w.subscribe(name, "room")
					synctest.Wait() // it has read its head
					depths = append(depths, w.server.Outbox(name))
				}
				payload := strings.Repeat("x", 16<<10) // 1.3 MB in all: far beyond the connection's 256 KiB and the outbox
				for n := range events {
					w.post(wire.Command{Instance: "bob", Channel: "room", Key: fmt.Sprint(n % 4), Payload: payload})
					time.Sleep(time.Second)
				}
				synctest.Wait()
				if deepest != 1 || looks < healthy*healthy*events {
					t.Errorf("%d events wait for one that reads, want 1 (in %d looks)", deepest, looks)
				}
				w.count(test.counted)
				if coalesced := w.counters.Get(target.OutboxCoalesced); test.design == target.Ephemeral && coalesced == 0 {
					t.Error("nothing was coalesced for the slow one")
				}
				_ = slow.Close()
				w.shutdown()
			})
		})
	}
}
