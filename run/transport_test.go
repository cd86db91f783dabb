package run_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/internal/memnet"
	"holobench/run"
	"holobench/scenarios"
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

// TestEveryWireOverHTTP2: who is told of what is the same as over HTTP/1.1, at the same times, and all of a client comes over one
// connection.
func TestEveryWireOverHTTP2(t *testing.T) {
	t.Parallel()
	for _, transport := range []target.Transport{target.H2C, target.TLSH2} {
		for _, c := range wireCases() {
			if c.others != history.SSE {
				continue
			}
			t.Run(string(transport)+" "+c.name(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					plan := rooms(string(c.design), 10, 20, 2*time.Second)
					plan.Wire, plan.Knobs, plan.Transport = string(c.wire), c.knobs, transport
					network := memnet.New(nil)
					all, _ := carryOut(t.Context(), t, plan, spoken(network, carriedBy(transport)), network.DialContext)
					synctest.Wait()
					checkOneConnection(t, all, c, 10)
				})
			})
		}
	}
}

// carriedBy lets a node speak over that transport.
func carriedBy(transport target.Transport) func(target.Options) target.Options {
	return func(o target.Options) target.Options {
		o.Transport = transport
		return o
	}
}

// TestWhoOnlySpeaksOverHTTP2: clients without a stream hold a connection for their commands alone.
func TestWhoOnlySpeaksOverHTTP2(t *testing.T) {
	t.Parallel()
	for _, wire := range []target.Wire{target.JSON, target.HologramWire} {
		synctest.Test(t, func(t *testing.T) {
			plan := rooms("hologram", 10, 20, 2*time.Second)
			plan.Wire, plan.Transport = string(wire), target.H2C
			plan.Groups = append(plan.Groups, run.Group{Name: "voices", Count: 3, NoStream: true})
			load := &plan.Loads[0]
			load.Group, load.Only, load.Message.Channel = 1, 3, "room-1"
			network := memnet.New(nil)
			all, _ := carryOut(t.Context(), t, plan, spoken(network, carriedBy(target.H2C)), network.DialContext)
			for kind, want := range map[history.Kind]int{history.Opened: 13, history.Sent: 40, history.Replied: 40, history.Delivered: 40 * 5, history.Ended: 0} {
				if got := count(all, kind); got != want {
					t.Errorf("%s: %d observations are %s, want %d", wire, got, kind, want)
				}
			}
		})
	}
}

// checkOneConnection checks 40 commands to rooms of five members, over one connection a client.
func checkOneConnection(t *testing.T, all []history.Observation, c wireCase, clients int) {
	t.Helper()
	for kind, want := range map[history.Kind]int{history.Opened: clients, history.Sent: 40, history.Replied: 40, history.Unknown: 0, history.Ended: 0} {
		if got := count(all, kind); got != want {
			t.Errorf("%d observations are %s, want %d", got, kind, want)
		}
	}
	told := 0
	for _, o := range all {
		way := c.others
		if o.Client == o.Event.Publisher {
			way = c.author
		}
		switch {
		case o.Conn > 1:
			t.Fatalf("%s of client %d over its connection %d", o.Kind, o.Client, o.Conn)
		case o.Kind == history.Replied && o.Err != history.NoErr:
			t.Fatalf("client %d: a reply with error %d", o.Client, o.Err)
		case o.Kind == history.Delivered && (o.At != o.Due || o.NotBefore > o.At || o.Path != way):
			t.Fatalf("%v came by %s in (%d, %d], due %d", o.Event, o.Path, o.NotBefore, o.At, o.Due)
		case o.Kind == history.Delivered:
			told++
		}
	}
	want := 40 * 5
	if c.author == history.NoPath {
		want -= 40
	}
	if told != want {
		t.Errorf("%d deliveries, want %d", told, want)
	}
}

func TestTransportThatClientsDoNotSpeak(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		design, wire, spread string
		transport            target.Transport
		want                 string
	}{
		{"channels", "", "", target.H2C, "do not speak the wire channels over the transport h2c: take http1 or tls"},
		{"hologram", "long-poll", "", target.TLSH2, "do not speak the wire long-poll over the transport tls-h2: take http1 or tls"},
		{"hologram", "", "random", target.H2C, "sends commands elsewhere than the stream, and over the transport h2c they share its connection"},
	} {
		plan := rooms(c.design, 10, 20, time.Second)
		plan.Wire, plan.Transport, plan.Spread = c.wire, c.transport, c.spread
		_, err := run.Run(t.Context(), plan, run.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	plan := rooms("hologram", 10, 20, time.Second)
	plan.Transport = target.TLSH2
	plan.Faults = []scenarios.Fault{{Name: "late", Where: scenarios.Where{Path: scenarios.PathCommand}, Effect: scenarios.LinkFault{Kind: "delay"}}}
	_, err := run.Run(t.Context(), plan, run.Options{})
	if err == nil || !strings.Contains(err.Error(), `the fault "late" is about the connections of commands, and the clients "members" have one for all`) {
		t.Errorf("got %v", err)
	}
	plan.Faults[0] = scenarios.Fault{Name: "holes", For: time.Second, Where: scenarios.Where{Path: scenarios.PathStream}, Effect: scenarios.LinkFault{Kind: "drop", Nth: 3}}
	_, err = run.Run(t.Context(), plan, run.Options{Names: new(history.Names), Record: &memoryRecord{closed: make(chan struct{})}})
	if err == nil || !strings.Contains(err.Error(), "what is said cannot be read") {
		t.Errorf("got %v", err)
	}
}
