package run_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/internal/memnet"
	"holobench/run"
	"holobench/target"
)

// TestEveryWireOverTLS: who is told of what is the same as without it, and at the same times where encrypting takes none.
func TestEveryWireOverTLS(t *testing.T) {
	t.Parallel()
	for _, c := range wireCases() {
		t.Run(c.name(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				plan := rooms(string(c.design), 10, 20, 2*time.Second)
				plan.Wire, plan.Knobs, plan.Transport = string(c.wire), c.knobs, target.TLS
				network := memnet.New(nil)
				all, _ := carryOut(t.Context(), t, plan, spoken(network, func(o target.Options) target.Options {
					o.Transport = target.TLS
					return o
				}), network.DialContext)
				synctest.Wait()
				events, told := 0, 0
				for _, o := range all {
					if o.Kind == history.Sent {
						events++
					}
					if o.Kind == history.Delivered {
						told++
						if o.At != o.Due || o.NotBefore > o.At {
							t.Errorf("%v came in (%d, %d], due %d", o.Event, o.NotBefore, o.At, o.Due)
						}
					}
				}
				want := events * 5 // each room has five clients
				if c.author == history.NoPath {
					want -= events
				}
				if events != 40 || told != want {
					t.Errorf("%d events, %d deliveries, want 40 and %d", events, told, want)
				}
			})
		})
	}
}

func TestTransportThatClientsDoNotSpeak(t *testing.T) {
	t.Parallel()
	plan := rooms("hologram", 10, 20, time.Second)
	plan.Transport = target.H2C
	_, err := run.Run(t.Context(), plan, run.Options{})
	if err == nil || !strings.Contains(err.Error(), "do not speak the transport h2c: take http1 or tls") {
		t.Errorf("got %v", err)
	}
}
