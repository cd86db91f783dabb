package target_test

import (
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holobench/target"
	"holobench/wire/websocket"
)

// TestChannelsIdle: a socket is closed when its client has said nothing for 60 s, and not before; hearing events is not saying
// something, a heartbeat and a Ping are.
func TestChannelsIdle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.Channels}, nil)
		beating, silent, pinging, mute := w.socket(), w.socket(), w.socket(), w.socketWith(socketRequest, true)
		for _, s := range []*socket{beating, silent} {
			s.join("red")
		}
		for range 5 {
			time.Sleep(30 * time.Second)
			beating.send(`[null,"9","phoenix","heartbeat",{}]`)
			pinging.frame(websocket.Ping, []byte("are you there?"))
			w.say("", "red", "1")
			synctest.Wait()
		}
		for _, s := range []*socket{silent, mute} {
			want := time.Minute
			if s == mute {
				want += time.Second // it did not answer the Close
			}
			if got := s.ending(); got != "1000 nothing was heard for 1m0s" || s.endedAt != want {
				t.Errorf("the silent socket ended at %v with %q", s.endedAt, got)
			}
		}
		if got := said(silent.takeTexts()); len(got) < 1 || len(got) > 2 { // the second event comes with the end
			t.Errorf("until then it heard %q", got)
		}
		if got := said(beating.takeTexts()); len(got) != 5 {
			t.Errorf("who beats heard %q", got)
		}
		pinging.takeTexts()
		if len(pinging.pongs) != 5 || pinging.pongs[0] != "are you there?" {
			t.Errorf("the pongs are %q", pinging.pongs)
		}
		w.count("streams_idle=2 streams_closed=2 cut_write_timeout=0 heartbeats_written=0")
		w.shutdown()
	})
}

// TestChannelsSlowloris: a message has 10 s from its first byte to its last, however it is cut and whatever stands between.
func TestChannelsSlowloris(t *testing.T) {
	t.Parallel()
	masked := func(f websocket.Frame) []byte {
		f.Masked = true
		return websocket.AppendFrame(nil, f)
	}
	whole := masked(websocket.Frame{Opcode: websocket.Text, Payload: []byte(`[null,"9","phoenix","heartbeat",{}]`)})
	for name, pieces := range map[string][][]byte{
		"one byte":            {whole[:1]},
		"half a head":         {whole[:3]},
		"byte by byte":        {whole[:1], whole[1:2], whole[2:3], whole[3:4], whole[4:5], whole[5:6], whole[6:7]},
		"half a message":      {whole[:20]},
		"behind a whole one":  {append(slices.Clone(whole), whole[:9]...)},
		"fragments and pings": {masked(websocket.Frame{Opcode: websocket.Text, More: true}), masked(websocket.Frame{Opcode: websocket.Ping})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, target.Options{Design: target.Channels}, nil)
				s := w.socketWith(socketRequest, true)
				for _, piece := range pieces {
					s.conn.Write(slices.Clone(piece))
					time.Sleep(time.Second)
				}
				if got, want := s.ending(), "1008 a message did not arrive within 10s"; got != want {
					t.Errorf("it ended with %q, want %q", got, want)
				}
				if s.endedAt != 11*time.Second { // it does not answer the Close either
					t.Errorf("it ended at %v", s.endedAt)
				}
				w.count("streams_closed=1 streams_idle=0")
				w.shutdown()
			})
		})
	}
}

// TestChannelsBusyClientIsNotSlow: one whose messages never end where a read ends has time for each of them.
func TestChannelsBusyClientIsNotSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.Channels}, nil)
		s := w.socket()
		whole := websocket.AppendFrame(nil, websocket.Frame{
			Opcode: websocket.Text, Masked: true, Payload: []byte(`[null,"9","phoenix","heartbeat",{}]`),
		})
		s.conn.Write(slices.Clone(whole[:7]))
		for range 30 {
			time.Sleep(time.Second)
			s.conn.Write(append(slices.Clone(whole[7:]), whole[:7]...))
		}
		if got := s.takeTexts(); len(got) != 30 {
			t.Errorf("%d heartbeats were answered", len(got))
		}
		w.count("streams_closed=0")
		w.shutdown()
	})
}

// TestChannelsEarlyBird: what a client sends before it was let in, and in fragments, is heard all the same.
func TestChannelsEarlyBird(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.Channels}, nil)
		var early []byte
		for _, f := range []websocket.Frame{
			{Opcode: websocket.Text, More: true, Payload: []byte(`["1","1","red",`)},
			{Opcode: websocket.Ping, Payload: []byte("in between")},
			{Opcode: websocket.Continuation, Payload: []byte(`"phx_join",{}]`)},
		} {
			f.Masked = true
			early = websocket.AppendFrame(early, f)
		}
		s := w.socketWith(socketRequest+string(early), false)
		if got := s.takeTexts(); !slices.Equal(got, []string{`["1","1","red","phx_reply",{"response":{},"status":"ok"}]`}) ||
			!slices.Equal(s.pongs, []string{"in between"}) {
			t.Errorf("it was answered %q, and %q to its Ping", got, s.pongs)
		}
		w.shutdown()
	})
}

// TestChannelsSlowClient: one that does not read is cut, when its outbox is full or a write takes too long, also when it was its own
// Pings that filled it; the others hear everything at once.
func TestChannelsSlowClient(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		options target.Options
		fill    func(w *world, slow io.Writer)
		want    string
	}{
		{"events", target.Options{OutboxFrames: 16, WriteTimeout: time.Hour}, func(w *world, _ io.Writer) {
			for range 100 {
				w.say("", "red", strings.Repeat("x", 16<<10))
				synctest.Wait()
			}
		}, "cut_outbox_full=1 cut_write_timeout=0"},
		{"a write", target.Options{}, func(w *world, _ io.Writer) {
			for range 8 {
				w.say("", "red", strings.Repeat("x", 60<<10))
			}
		}, "cut_outbox_full=0 cut_write_timeout=1"},
		{"pings", target.Options{OutboxFrames: 16, WriteTimeout: time.Hour}, func(_ *world, slow io.Writer) {
			ping := websocket.AppendFrame(nil, websocket.Frame{Opcode: websocket.Ping, Masked: true, Payload: make([]byte, 125)})
			for range 10000 {
				if _, err := slow.Write(slices.Clone(ping)); err != nil {
					return
				}
			}
		}, "cut_outbox_full=1 cut_write_timeout=0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				options := test.options
				options.Design = target.Channels
				w := newWorld(t, options, nil)
				fast := w.socket()
				fast.join("red")
				join := websocket.Frame{Opcode: websocket.Text, Masked: true, Payload: []byte(`["1","1","red","phx_join",{}]`)}
				slow := w.dial(socketRequest + string(websocket.AppendFrame(nil, join)))
				synctest.Wait()
				test.fill(w, slow)
				time.Sleep(11 * time.Second) // a write has ten
				w.count(test.want + " streams_opened=2 streams_closed=1 cut_write_error=0")
				if heard := len(said(fast.takeTexts())); uint64(heard) != w.counters.Get(target.EventsDispatched) {
					t.Errorf("the fast client heard %d events of %d", heard, w.counters.Get(target.EventsDispatched))
				}
				w.shutdown()
			})
		})
	}
}

// TestChannelsLeaving: a client that goes without a word, or in the middle of one, is noticed at once.
func TestChannelsLeaving(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.Channels}, nil)
		fin, rst, half := w.socket(), w.socket(), w.socket()
		for _, s := range []*socket{fin, rst, half} {
			s.join("red")
		}
		half.conn.Write([]byte{0x81})
		synctest.Wait()
		fin.conn.Close()
		rst.conn.Reset()
		half.conn.Close()
		synctest.Wait()
		w.say("", "red", "1")
		w.count("streams_closed=3 deliveries_expected=0 cut_write_error=0")
		w.shutdown()
	})
}

// TestChannelsShutdown: what waits is written, everybody is told 1001, and who does not answer that holds it up for a second.
func TestChannelsShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.Channels}, nil)
		ann, mute := w.socket(), w.socketWith(socketRequest, true)
		for _, s := range []*socket{ann, mute} {
			s.join("red")
		}
		ann.takeTexts()
		ann.send(`["1","2","red","say",{"payload":"1"}]`)
		synctest.Wait()
		w.client.CloseIdleConnections()
		begin := time.Now()
		w.shutdown()
		if took := time.Since(begin); took < time.Second || took > time.Second+100*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		for _, s := range []*socket{ann, mute} {
			if got := s.ending(); got != "1001 the server is shutting down" || !slices.Contains(said(s.takeTexts()), "1") {
				t.Errorf("a socket ended with %q", got)
			}
		}
		w.count("streams_closed=2 cut_shutdown=0")
	})
}

// TestChannelsSocketsAreBounded: as any stream.
func TestChannelsSocketsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.Channels, MaxStreams: 1}, nil)
		first := w.socket()
		refused := w.dial(strings.Replace(socketRequest, "keep-alive, Upgrade", "close, Upgrade", 1))
		if answer, err := io.ReadAll(refused); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 503 Service Unavailable\r\n") {
			t.Errorf("the second socket was answered %q, %v", answer, err)
		}
		first.conn.Close()
		synctest.Wait()
		w.socket()
		w.count("streams_opened=2 streams_refused=1")
		w.shutdown()
	})
}

// TestChannelsAcrossNodes: over a bus whose order is that of its numbers the sender has its event in the reply too, and is left
// out on its own node and no other.
func TestChannelsAcrossNodes(t *testing.T) {
	t.Parallel()
	for _, ordered := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			bus := target.NewMemoryBus(target.MemoryBusOptions{Ordered: ordered})
			var all []*socket
			var nodes []*world
			for node := 1; node <= 2; node++ {
				w := newWorld(t, target.Options{
					Design: target.Channels, Knobs: target.Knobs{Echo: target.EchoReply}, Bus: bus.Node(node), Node: node, Nodes: 2,
				}, nil)
				nodes = append(nodes, w)
				s := w.socket()
				s.join("red")
				s.takeTexts()
				all = append(all, s)
			}
			all[0].send(`["1","2","red","say",{"payload":"1"}]`)
			want := []string{`["1","2","red","phx_reply",{"response":{"payload":"1"},"status":"ok"}]`}
			if got := all[0].takeTexts(); !slices.Equal(got, want) {
				t.Errorf("ordered %v: the sender was told %q, want %q", ordered, got, want)
			}
			if got := all[1].takeTexts(); !slices.Equal(got, []string{`[null,null,"red","say",{"payload":"1"}]`}) {
				t.Errorf("ordered %v: the other node's client was told %q", ordered, got)
			}
			for _, w := range nodes {
				w.shutdown()
			}
		})
	}
}
