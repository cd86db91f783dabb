package clients

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/wire/phoenix"
	"holobench/wire/websocket"
)

// socketPeer is the server's end of a WebSocket.
type socketPeer struct {
	*peer
	frames  websocket.Parser
	said    []string // what the client has said and nobody has read
	closing websocket.Code
	pongs   []string
}

func (p *socketPeer) OnText(text []byte) error { p.said = append(p.said, string(text)); return nil }
func (p *socketPeer) OnBinary([]byte) error    { return nil }
func (p *socketPeer) OnPing([]byte) error      { return nil }
func (p *socketPeer) OnPong(b []byte) error    { p.pongs = append(p.pongs, string(b)); return nil }
func (p *socketPeer) OnClose(code websocket.Code, _ []byte) error {
	p.closing = code
	return nil
}

// accept answers the request for a WebSocket.
func (p *peer) upgrade(t *testing.T) *socketPeer {
	t.Helper()
	p.asks(t, "GET", phoenix.WebSocketPath)
	accept, err := websocket.CheckRequest(p.request.Method, p.request.Header.Values)
	if err != nil || p.request.URL.Query().Get("vsn") != "2.0.0" {
		t.Errorf("asked for %s: %v", p.request.URL, err)
	}
	p.Write(websocket.AppendSwitch(nil, accept))
	return &socketPeer{peer: p, frames: websocket.Parser{Role: websocket.Server}}
}

// hear waits for the next message of the client; "" = the socket ended.
func (p *socketPeer) hear(t *testing.T) string {
	t.Helper()
	buf := make([]byte, 4096)
	for len(p.said) == 0 {
		n, err := p.in.Read(buf)
		if err != nil {
			return ""
		}
		if err := p.frames.Feed(buf[:n], p); err != nil {
			t.Fatalf("the client sent: %v", err)
		}
	}
	first := p.said[0]
	p.said = p.said[1:]
	return first
}

// say sends messages in one write.
func (p *socketPeer) say(messages ...[]byte) {
	var frames []byte
	for _, m := range messages {
		frames = websocket.AppendFrame(frames, websocket.Frame{Opcode: websocket.Text, Payload: m})
	}
	p.Write(frames)
}

// join answers the handshake and the join.
func (p *peer) join(t *testing.T, ref string) *socketPeer {
	t.Helper()
	s := p.upgrade(t)
	if got, want := s.hear(t), `["`+ref+`","`+ref+`","room","phx_join",{}]`; got != want {
		t.Errorf("the client said %s, want %s", got, want)
	}
	s.say(joinReply(ref))
	return s
}

func reply(joinRef, ref, response string) []byte {
	return phoenix.AppendReply(nil, phoenix.Message{JoinRef: joinRef, Ref: ref, Topic: "room"}, phoenix.Reply{
		Status: phoenix.StatusOK, Response: []byte(response),
	})
}

func TestChannelsShareOneSocket(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.crowd.Wire = Channels
		ctx, cancel := context.WithCancel(t.Context())
		c := b.crowd.NewClient(ClientOptions{ID: 7, Channels: []string{"room"}})
		done := make(chan error, 2)
		go func() { done <- c.HoldStream(ctx, nil) }()
		go func() { done <- c.PostCommands(ctx, t.Context(), nil) }()
		p := (<-b.accept).join(t, "1")
		<-time.After(time.Second)
		c.Post(b.now(), &Message{Channel: "room", Name: "message"})
		c.Post(b.now(), &Message{Channel: "room", Name: "message"}) // waits for the reply to the first
		said := p.hear(t)
		if want := `["1","2","room","message",{"payload":"hb1.`; !strings.HasPrefix(said, want) {
			t.Errorf("the client said %s, want %s...", said, want)
		}
		<-time.After(time.Second)
		// In one read: an event, the reply with the client's own event, another event.
		echo := `{"payload":"` + markerOf(7, 1) + `","seq":12}`
		p.say(phoenixEvent(8, 1), reply("1", "2", echo), phoenixEvent(8, 2))
		if said = p.hear(t); !strings.HasPrefix(said, `["1","3","room","message"`) {
			t.Errorf("the client said %s", said)
		}
		<-time.After(time.Second)
		p.say(reply("1", "3", echo[:0]+`{"payload":"`+markerOf(7, 2)+`"}`))
		synctest.Wait()
		cancel()
		<-done
		<-done
		b.expect(t, []string{
			"0 opened", "0 subscribed", "1000 sent c7.1", "2000 delivered c8.1", "2000 replied c7.1", "2000 delivered c7.1",
			"2000 delivered c8.2", "2000 sent c7.2", "3000 replied c7.2", "3000 delivered c7.2", "3000 closed",
		})
		want := []string{"c8.1 websocket (0,2000]", "c7.1 reply (0,2000]", "c8.2 websocket (2000,2000]", "c7.2 reply (3000,3000]"}
		if got := b.intervals(); !slices.Equal(got, want) {
			t.Errorf("deliveries %v, want %v", got, want)
		}
		for _, o := range b.seen {
			if o.Conn != 1 {
				t.Errorf("%s is of socket %d: there is one only", o.Kind, o.Conn)
			}
		}
		if own := b.delivered(7); own.Sequence != 12 {
			t.Errorf("the number of the own event is %d, want 12", own.Sequence)
		}
		if p.hear(t); p.closing != websocket.GoingAway {
			t.Errorf("the client closed with %d, want going away", p.closing)
		}
	})
}

func TestChannelsHeartbeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.crowd.Wire = Channels
		ctx, cancel := context.WithCancel(t.Context())
		ended := b.hold(ctx)
		p := (<-b.accept).join(t, "1")
		p.Write(websocket.AppendFrame(nil, websocket.Frame{Opcode: websocket.Ping, Payload: []byte("there?")}))
		for range 2 {
			said := p.hear(t)
			ref := strings.Split(said, `"`)[1]
			if said != `[null,"`+ref+`","phoenix","heartbeat",{}]` {
				t.Errorf("the client said %s", said)
			}
			if ref == "2" { // the second is not answered
				p.say(phoenix.AppendReply(nil, phoenix.Message{Ref: ref, Topic: "phoenix"}, phoenix.Reply{Status: "ok"}))
			}
		}
		if got := p.hear(t); got != "" || len(p.pongs) != 1 || p.pongs[0] != "there?" {
			t.Errorf("the client said %q, and the pongs %q", got, p.pongs)
		}
		q := (<-b.accept).join(t, "4")
		synctest.Wait()
		cancel()
		<-ended
		q.Close()
		b.expect(t, []string{
			"0 opened", "0 subscribed", "0 heartbeat", "30000 heartbeat", "90000 ended: timeout",
			"90010 opened", "90010 subscribed", "90010 closed",
		})
	})
}

func TestChannelsComeBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.crowd.Wire = Channels
		ctx, cancel := context.WithCancel(t.Context())
		c := b.crowd.NewClient(ClientOptions{ID: 7, Channels: []string{"room"}})
		done := make(chan error, 2)
		go func() { done <- c.HoldStream(ctx, nil) }()
		go func() { done <- c.PostCommands(ctx, t.Context(), nil) }()
		p := (<-b.accept).join(t, "1")
		c.Post(b.now(), &Message{Channel: "room", Name: "message"})
		p.hear(t)
		p.Close() // the reply never comes
		synctest.Wait()
		c.Post(b.now(), &Message{Channel: "room", Name: "message"}) // waits for the next socket
		q := (<-b.accept).join(t, "3")
		if said := q.hear(t); !strings.HasPrefix(said, `["3","4","room"`) {
			t.Errorf("the client said %s", said)
		}
		q.say(reply("1", "2", `{}`)) // too late for anybody
		q.say(phoenix.AppendReply(nil, phoenix.Message{JoinRef: "3", Ref: "4", Topic: "room"}, phoenix.Reply{Status: "error"}))
		synctest.Wait()
		q.say(phoenix.AppendMessage(nil, phoenix.Message{JoinRef: "3", Topic: "room", Event: phoenix.EventClose}))
		r := (<-b.accept).join(t, "5")
		r.Write(websocket.AppendFrame(nil, websocket.Frame{Opcode: websocket.Close, Payload: websocket.AppendClosePayload(nil, websocket.GoingAway, "")}))
		s := (<-b.accept).join(t, "6")
		s.Write([]byte{0x81, 0x05, '['}) // cut within a frame
		synctest.Wait()
		s.Close()
		<-b.accept
		cancel()
		<-done
		<-done
		b.expect(t, []string{
			"0 subscribed", "0 sent c7.1", "0 ended: end of stream",
			"10 subscribed", "10 sent c7.2", "10 replied c7.2: the channel refused the command", "10 ended: the channel crashed",
			"20 subscribed", "20 ended: end of stream", "30 subscribed", "30 ended: cut in mid-message",
		}, history.Subscribed, history.Sent, history.Replied, history.Ended)
		b.expect(t, []string{"0 unknown c7.1: end of stream"}, history.Unknown) // by the other half, which has no place among these
	})
}

func TestChannelsReplyTimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.crowd.Wire = Channels
		b.crowd.ReplyTimeout = 5 * time.Second
		ctx, cancel := context.WithCancel(t.Context())
		giveUp, letGo := context.WithCancel(t.Context())
		c := b.crowd.NewClient(ClientOptions{ID: 7})
		done := make(chan error, 1)
		go func() { done <- c.PostCommands(ctx, giveUp, nil) }()
		p := (<-b.accept).upgrade(t)
		c.Post(0, &Message{Channel: "room", Name: "message"})
		if said := p.hear(t); said != `["1","1","room","phx_join",{}]` {
			t.Errorf("the client said %s", said)
		}
		p.say(joinReply("1"))
		p.hear(t)
		<-time.After(6 * time.Second)
		p.say(reply("1", "2", `{}`), phoenixEvent(7, 1)) // too late; but who speaks there hears
		synctest.Wait()
		c.Post(b.now(), &Message{Channel: "room", Name: "message"})
		p.hear(t)
		cancel()
		synctest.Wait()
		letGo()
		<-done
		b.expect(t, []string{
			"0 opened", "0 subscribed", "0 sent c7.1", "5000 unknown c7.1: timeout", "6000 delivered c7.1", "6000 sent c7.2",
			"6000 unknown c7.2: interrupted", "6000 closed",
		})
	})
}

func TestChannelsAreRefused(t *testing.T) {
	t.Parallel()
	for want, serve := range map[string]func(t *testing.T, p *peer){
		"http 403": func(t *testing.T, p *peer) { p.answer(t, 403, "", "no") },
		"http 426": func(t *testing.T, p *peer) { p.answer(t, 426, "", "") },
		"protocol error": func(_ *testing.T, p *peer) {
			io.WriteString(p, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n")
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			b.crowd.Wire = Channels
			ctx, cancel := context.WithCancel(t.Context())
			ended := b.hold(ctx)
			serve(t, <-b.accept)
			synctest.Wait()
			cancel()
			if err := <-ended; (err != nil) != strings.HasPrefix(want, "http") {
				t.Errorf("%s: HoldStream returned %v", want, err)
			}
			b.expect(t, []string{"0 opened", "0 ended: " + want})
		})
	}
}
