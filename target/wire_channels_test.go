package target_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/target"
	"holobench/wire"
	"holobench/wire/phoenix"
	"holobench/wire/websocket"
)

// TestChannelsSamples sends what was measured on a real server and wants what that answered, byte for byte.
func TestChannelsSamples(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.Channels}, nil)
		s := w.socket()
		const unmatched = `"phx_reply",{"response":{"reason":"unmatched topic"},"status":"error"}]`
		for _, test := range []struct{ send, want string }{
			{`["1","1","room:1","phx_join",{}]`, `["1","1","room:1","phx_reply",{"response":{},"status":"ok"}]`},
			{
				`["1","2","room:1","new_msg",{"payload":"hi"}]`,
				`[null,null,"room:1","new_msg",{"payload":"hi"}]` + "\n" + `["1","2","room:1","phx_reply",{"response":{},"status":"ok"}]`,
			},
			{`[null,"9","phoenix","heartbeat",{}]`, `[null,"9","phoenix","phx_reply",{"response":{},"status":"ok"}]`},
			{`["1","11","room:2","new_msg",{"payload":"hi"}]`, `[null,"11","room:2",` + unmatched},
			{`[null,"12","phoenix","phx_join",{}]`, `[null,"12","phoenix",` + unmatched},
			{`["1","13","room:1","crash",{}]`, `["1","1","room:1","phx_error",{}]`},
			{`["1","14","room:1","new_msg",{"payload":"hi"}]`, `[null,"14","room:1",` + unmatched},
			{`["15","15","room:1","phx_join",{}]`, `["15","15","room:1","phx_reply",{"response":{},"status":"ok"}]`},
			{
				`["16","16","room:1","phx_join",{"a":[1]}]`,
				`["15","15","room:1","phx_close",{}]` + "\n" + `["16","16","room:1","phx_reply",{"response":{},"status":"ok"}]`,
			},
			{
				`["16","17","room:1","phx_leave",{}]`,
				`["16","17","room:1","phx_reply",{"response":{},"status":"ok"}]` + "\n" + `["16","16","room:1","phx_close",{}]`,
			},
			{`["16","18","room:1","phx_leave",{}]`, `["16","18","room:1","phx_reply",{"response":{},"status":"ok"}]`},
		} {
			s.send(test.send)
			if got := strings.Join(s.takeTexts(), "\n"); got != test.want {
				t.Errorf("%s was answered\n     %s\nwant %s", test.send, got, test.want)
			}
		}
		w.count("commands_received=1 commands_accepted=1 deliveries_expected=1 deliveries_enqueued_websocket=1 " +
			"deliveries_written_websocket=1 deliveries_written_sse=0 controls_written=13 streams_opened=1 streams_closed=0")
		w.shutdown()
		if got := s.ending(); got != "1001 the server is shutting down" {
			t.Errorf("the socket ended with %q", got)
		}
		w.count("streams_closed=1 cut_shutdown=0 cut_write_error=0 heartbeats_written=0")
	})
}

// TestChannelsRefusals: what cannot be done is answered, and the socket goes on.
func TestChannelsRefusals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.Channels}, nil)
		s := w.socket()
		s.join("room")
		s.takeTexts()
		long := strings.Repeat("x", 201)
		for _, test := range []struct{ topic, event, payload, reason string }{
			{"room", "e", `{}`, `a push has the form {"payload":"text"}`},
			{"room", "e", `{"payload":1}`, `a push has the form {"payload":"text"}`},
			{"room", "e", `[]`, `a push has the form {"payload":"text"}`},
			{"room", "phx_close", `{"payload":"x"}`, `the event "phx_close" is one of Phoenix itself`},
			{"room", `a\u0007`, `{"payload":"x"}`, `event "a\a" holds a control character`},
			{long, "phx_join", `{}`, "topic has 201 bytes; at most 200 are allowed"},
			{`a\nb`, "phx_join", `{}`, `topic "a\nb" holds a control character`},
		} {
			s.send(fmt.Sprintf(`["1","2","%s","%s",%s]`, test.topic, test.event, test.payload))
			texts := s.takeTexts()
			var m phoenix.Message
			if len(texts) != 1 || m.Parse([]byte(texts[0])) != nil || m.Event != phoenix.EventReply || m.Ref != "2" || m.JoinRef != "1" {
				t.Errorf("%+v was answered %q", test, texts)
				continue
			}
			r, err := phoenix.ParseReply(m.Payload)
			if want := fmt.Sprintf(`{"reason":%s}`, quoted(test.reason)); err != nil || r.Status != "error" || string(r.Response) != want {
				t.Errorf("%+v was answered %s, want %s", test, texts, want)
			}
		}
		for i := range 99 {
			s.join(fmt.Sprintf("t%d", i))
		}
		s.takeTexts()
		s.send(`["1","3","too much","phx_join",{}]`)
		const want = `["1","3","too much","phx_reply",{"response":{"reason":"too many topics: at most 100 can be joined"},"status":"error"}]`
		if got := s.takeTexts(); len(got) != 1 || got[0] != want {
			t.Errorf("the 101st topic was answered %q", got)
		}
		w.count("commands_received=5 commands_rejected=5 events_dispatched=0")
		w.shutdown()
	})
}

func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// TestChannelsEcho turns the knob: broadcast, broadcast_from with the event in the reply, and nothing for the sender.
func TestChannelsEcho(t *testing.T) {
	t.Parallel()
	const broadcast, ok = `[null,null,"red","say",{"payload":"1"}]`, `["1","2","red","phx_reply",{"response":{},"status":"ok"}]`
	for echo, want := range map[target.Echo][]string{
		target.EchoStream: {broadcast, ok},
		target.EchoReply:  {`["1","2","red","phx_reply",{"response":{"payload":"1"},"status":"ok"}]`},
		target.EchoNone:   {ok},
	} {
		t.Run(string(echo), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, target.Options{Design: target.Channels, Knobs: target.Knobs{Echo: echo}}, nil)
				ann, bob := w.socket(), w.socket()
				ann.join("red")
				bob.join("red")
				cat := w.subscribe("cat", "red") // the plain wire is there too
				ann.takeTexts()
				bob.takeTexts()
				ann.send(`["1","2","red","say",{"payload":"1"}]`)
				if got := ann.takeTexts(); !slices.Equal(got, want) {
					t.Errorf("the sender was told %q, want %q", got, want)
				}
				if got := bob.takeTexts(); !slices.Equal(got, []string{broadcast}) {
					t.Errorf("bob was told %q", got)
				}
				w.heard("cat", cat, "1")
				stream, reply := 1, 0
				switch echo {
				case target.EchoStream:
					stream = 2
				case target.EchoReply:
					reply = 1
				case target.EchoNone:
				}
				w.count(fmt.Sprintf("deliveries_expected=%d deliveries_written_websocket=%d deliveries_written_reply=%d deliveries_written_sse=1",
					1+stream+reply, stream, reply))
				w.shutdown()
			})
		})
	}
}

// TestChannelsNumbers: what the knob stamp puts into events, and an event without a name, on this wire.
func TestChannelsNumbers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{
			Design: target.Ephemeral, Wire: target.ChannelsWire, Knobs: target.Knobs{Stamp: target.StampSequence},
		}, nil)
		ann := w.socket()
		ann.join("red")
		ann.takeTexts()
		w.post(wire.Command{Channel: "red", Payload: "1", Key: `a"<`})
		w.post(wire.Command{Channel: "red", Name: "move", Payload: "2"})
		want := []string{
			`[null,null,"red","message",{"payload":"1","seq":1,"key":"a\"\u003c"}]`, `[null,null,"red","move",{"payload":"2","seq":2}]`,
		}
		if got := ann.takeTexts(); !slices.Equal(got, want) {
			t.Errorf("ann was told\n     %q\nwant %q", got, want)
		}
		w.shutdown()
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.Sequenced, Wire: target.ChannelsWire, Knobs: target.Knobs{Replay: -1}}, nil)
		ann := w.socket()
		ann.join("red")
		ann.takeTexts()
		ann.send(`["1","2","red","say",{"payload":"1"}]`)
		want := []string{`[null,null,"red","say",{"payload":"1","seq":1}]`, `["1","2","red","phx_reply",{"response":{"seq":1},"status":"ok"}]`}
		if got := ann.takeTexts(); !slices.Equal(got, want) {
			t.Errorf("ann was told\n     %q\nwant %q", got, want)
		}
		w.shutdown()
	})
}

// TestChannelsOneOrderOnASocket: four publishers race, and one more answers each of their events as soon as it hears it. On no
// socket a reply comes before the event that it is about, nor an answer to an event before the reply that brings that event;
// every publisher's events come in their order, and to everybody.
func TestChannelsOneOrderOnASocket(t *testing.T) {
	t.Parallel()
	for _, echo := range []target.Echo{target.EchoStream, target.EchoReply} {
		t.Run(string(echo), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				publishers, commands, subscribers := load()
				if !*verify {
					subscribers = 8 // each of them hears twice as much as was said
				}
				w := newWorld(t, target.Options{
					Design: target.Channels, Knobs: target.Knobs{Echo: echo}, OutboxFrames: 1 << 20, OutboxBytes: 1 << 30,
					Pause: func(*wire.Event) { runtime.Gosched() },
				}, nil)
				all := make([]*socket, subscribers)
				for i := range all {
					all[i] = w.socket()
					all[i].join("room")
					all[i].takeTexts()
				}
				answering := w.socket()
				answering.join("room")
				var wg sync.WaitGroup
				wg.Go(func() { answering.answerAll(publishers * commands) })
				w.publish(publishers, commands, func(p, n int) {
					payload := fmt.Sprintf("%d.%02d", p, n)
					all[p].send(fmt.Sprintf(`["1","%d","room","say",{"payload":"%s"}]`, n, payload))
					response := "{}"
					if echo == target.EchoReply {
						response = fmt.Sprintf(`{"payload":"%s"}`, payload)
					}
					all[p].await(fmt.Sprintf(`["1","%d","room","phx_reply",{"response":%s,"status":"ok"}]`, n, response))
				})
				wg.Wait()
				for i, s := range all {
					checkSocketOrder(t, i, s.takeTexts(), echo, publishers, commands)
				}
				w.shutdown()
			})
		})
	}
}

// TestChannelsReplyComesBeforeAnswers: somebody answers an event while it is still handed out to others. The sender has it by its
// reply all the same before it hears the answer.
func TestChannelsReplyComesBeforeAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{
			Design: target.Channels, Knobs: target.Knobs{Echo: target.EchoReply}, Pause: func(*wire.Event) { time.Sleep(time.Millisecond) },
		}, nil)
		var answering, sender *socket
		for _, s := range []**socket{&answering, &sender} {
			*s = w.socket()
			(*s).join("room")
			(*s).takeTexts()
		}
		for range 10 {
			w.socket().join("room") // more to hand it out to
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			answering.answerAll(1)
		}()
		sender.send(`["1","2","room","say",{"payload":"1"}]`)
		<-done
		time.Sleep(time.Second)
		want := []string{
			`["1","2","room","phx_reply",{"response":{"payload":"1"},"status":"ok"}]`, `[null,null,"room","say",{"payload":"re 1"}]`,
		}
		if got := sender.takeTexts(); !slices.Equal(got, want) {
			t.Errorf("the sender heard\n     %q\nwant %q", got, want)
		}
		w.shutdown()
	})
}

// answerAll says "re PAYLOAD" to so many events, each at once.
func (s *socket) answerAll(events int) {
	for at := 0; events > 0; at++ {
		s.mu.Lock()
		for at == len(s.texts) {
			s.arrived.Wait()
		}
		text := s.texts[at]
		s.mu.Unlock()
		for _, payload := range said([]string{text}) {
			if !strings.HasPrefix(payload, "re ") {
				s.send(fmt.Sprintf(`["1","9","room","say",{"payload":"re %s"}]`, payload))
				events--
			}
		}
	}
}

// checkSocketOrder counts what came too early on the socket of a client that may be a publisher.
func checkSocketOrder(t *testing.T, i int, texts []string, echo target.Echo, publishers, commands int) {
	t.Helper()
	heard, inversions := map[string]bool{}, 0
	var fifo []string
	replies := 0
	for _, text := range texts {
		var m phoenix.Message
		if err := m.Parse([]byte(text)); err != nil {
			t.Fatal(err)
		}
		payload := strings.Join(said([]string{text}), "")
		if m.Event == phoenix.EventReply {
			about := fmt.Sprintf("%d.%02d", i, replies)
			replies++
			if echo == target.EchoReply {
				heard[about] = true
				continue
			}
			if !heard[about] {
				inversions++
			}
			continue
		}
		heard[payload] = true
		if about, isAnswer := strings.CutPrefix(payload, "re "); !isAnswer {
			fifo = append(fifo, payload)
		} else if echo == target.EchoReply && strings.HasPrefix(about, fmt.Sprintf("%d.", i)) && !heard[about] {
			inversions++
		}
	}
	if inversions > 0 {
		t.Errorf("socket %d: %d inversions of replies and events", i, inversions)
	}
	checkFIFO(t, i, fifo)
	want, own := publishers*commands, 0
	if i < publishers {
		own = commands
	}
	if echo == target.EchoReply {
		want -= own
	}
	if len(fifo) != want || replies != own || len(heard) != 2*publishers*commands {
		t.Errorf("socket %d heard %d events by broadcast, want %d, %d replies, want %d, and %d things in all",
			i, len(fifo), want, replies, own, len(heard))
	}
}

// TestChannelsHandshake: what is no WebSocket of this version is refused before anything is switched.
func TestChannelsHandshake(t *testing.T) {
	t.Parallel()
	without := func(field string) string {
		var kept []string
		for line := range strings.SplitSeq(socketRequest, "\r\n") {
			if !strings.HasPrefix(line, field) {
				kept = append(kept, line)
			}
		}
		return strings.Join(kept, "\r\n")
	}
	for _, test := range []struct {
		name, request string
		status        int
		body, header  string
	}{
		{
			"no vsn", strings.Replace(socketRequest, "?vsn=2.0.0", "", 1), 400, `vsn is ""; only vsn=2.0.0 is spoken here`, "",
		},
		{"version 1", strings.Replace(socketRequest, "2.0.0", "1.0.0", 1), 400, `vsn is "1.0.0"; only vsn=2.0.0 is spoken here`, ""},
		{
			"plain GET", "GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nHost: t\r\n\r\n", 400,
			"reading a WebSocket handshake: the field Connection does not name Upgrade; is there a proxy that does not pass on WebSockets?", "",
		},
		{
			"no key", without("Sec-WebSocket-Key"), 400,
			"reading a WebSocket handshake: it has no Sec-WebSocket-Key, or several, or one that is not 16 bytes in base64", "",
		},
		{
			"WebSocket 8", strings.Replace(socketRequest, "Version: 13", "Version: 8", 1), 426,
			`reading a WebSocket handshake: Sec-WebSocket-Version is "8"; only 13 is spoken here`, "Sec-Websocket-Version: 13",
		},
		{
			"POST", strings.Replace(socketRequest, "GET", "POST", 1), 405,
			`reading a WebSocket handshake: the method is "POST"; a WebSocket is opened by GET`, "Allow: GET",
		},
		{"HTTP/1.0", strings.Replace(socketRequest, "HTTP/1.1", "HTTP/1.0", 1), 400, "a WebSocket is opened by a request of HTTP/1.1 without a body", ""},
		{
			"a body", strings.TrimSuffix(socketRequest, "\r\n") + "Content-Length: 1\r\n\r\nx", 400,
			"a WebSocket is opened by a request of HTTP/1.1 without a body", "",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, target.Options{Design: target.Channels}, nil)
				conn := w.dial(test.request)
				response, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(response.Body)
				name, value, _ := strings.Cut(test.header, ": ")
				if got := strings.TrimSpace(string(body)); err != nil || response.StatusCode != test.status || got != test.body ||
					response.Header.Get(name) != value {
					t.Errorf("answered %d %q %v, %v; want %d %q", response.StatusCode, got, response.Header, err, test.status, test.body)
				}
				w.count("streams_refused=1 streams_opened=0")
				_ = conn.Close()
				w.shutdown()
			})
		})
	}
}

// TestChannelsClose: each fault of a client has its code, what waits is written first, and the connection is closed in order.
func TestChannelsClose(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		do    func(s *socket)
		want  string
		fault bool
	}{
		{"the client says goodbye", func(s *socket) {
			s.frame(websocket.Close, websocket.AppendClosePayload(nil, 4001, "bye"))
		}, "4001 bye", false},
		{"without a code", func(s *socket) { s.frame(websocket.Close, nil) }, "1005", false},
		{"no message", func(s *socket) { s.send(`{"topic":"room"}`) }, "1008 reading a Phoenix message: ", false},
		{"a binary message", func(s *socket) { s.frame(websocket.Binary, []byte("x")) }, "1003 binary messages are not read here", false},
		{"no mask", func(s *socket) {
			s.conn.Write(websocket.AppendFrame(nil, websocket.Frame{Opcode: websocket.Text, Payload: []byte("{}")}))
		}, "1002 a frame from a client is not masked", true},
		{"not UTF-8", func(s *socket) { s.send("\xff") }, "1007 a text message is not UTF-8", true},
		{
			"too long", func(s *socket) { s.send(`["1","2","room","say",{"payload":"` + strings.Repeat("x", 64<<10) + `"}]`) },
			"1009 a message is longer than 65536 bytes", true,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, target.Options{Design: target.Channels}, nil)
				s := w.socket()
				s.join("room")
				s.takeTexts()
				s.send(`["1","2","room","say",{"payload":"before"}]`)
				test.do(s)
				if got := s.ending(); !strings.HasPrefix(got, test.want) {
					t.Errorf("the socket ended with %q, want %q", got, test.want)
				}
				if got := said(s.takeTexts()); !slices.Equal(got, []string{"before"}) {
					t.Errorf("before the end came %q", got)
				}
				w.count("streams_closed=1 cut_write_error=0 cut_outbox_full=0 streams_idle=0")
				// Behind a fault nothing is read as frames any more, not even the Close of the client: it has its second.
				after := time.Duration(0)
				if test.fault {
					after = time.Second
				}
				if took := time.Since(w.start); took != after {
					t.Errorf("it took %v, want %v", took, after)
				}
				w.shutdown()
			})
		})
	}
}
