package clients

import (
	"context"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/wire/phoenix"
)

// serveSession opens a session for the request at hand and answers its joins.
func (p *peer) serveSession(t *testing.T, token string) {
	t.Helper()
	p.asks(t, "GET", phoenix.LongPollPath)
	if query := p.request.URL.Query(); query.Get("vsn") != "2.0.0" || query.Get("token") != "" {
		t.Errorf("a session was asked for with %v", query)
	}
	p.answer(t, 200, "", string(phoenix.AppendPoll(nil, 410, token)))
	body := p.next(t)
	p.asks(t, "POST", phoenix.LongPollPath)
	messages, err := phoenix.ParseBatch(p.request.Header.Get("Content-Type"), body)
	if err != nil || len(messages) != 1 || messages[0].Event != phoenix.EventJoin || messages[0].Topic != "room" {
		t.Errorf("joins: %+v, %v", messages, err)
	}
	p.answer(t, 200, "", string(phoenix.AppendStatus(nil, 200)))
}

// servePoll waits for a poll of the session and answers it.
func (p *peer) servePoll(t *testing.T, token string, status int, messages ...[]byte) {
	t.Helper()
	p.next(t)
	p.poll(t, token, status, messages...)
}

// poll answers the poll at hand.
func (p *peer) poll(t *testing.T, token string, status int, messages ...[]byte) {
	t.Helper()
	p.asks(t, "GET", phoenix.LongPollPath)
	if got := p.request.URL.Query().Get("token"); got != token {
		t.Errorf("polled with the token %q, want %q", got, token)
	}
	p.answer(t, 200, "", string(phoenix.AppendPoll(nil, status, token, messages...)))
}

func joinReply(ref string) []byte {
	return phoenix.AppendReply(nil, phoenix.Message{JoinRef: ref, Ref: ref, Topic: "room"}, phoenix.Reply{Status: phoenix.StatusOK})
}

// joinSession holds a client by the session T1, which is joined: the next poll of the connection is there to be answered.
func (b *bench) joinSession(ctx context.Context, t *testing.T) (p *peer, ended <-chan error) {
	t.Helper()
	b.crowd.Wire = LongPoll
	ended = b.hold(ctx)
	p = <-b.accept
	p.serveSession(t, "T1")
	p.servePoll(t, "T1", 200, joinReply("1"))
	p.next(t)
	return p, ended
}

func phoenixEvent(publisher, seq uint32) []byte {
	return phoenix.AppendBroadcast(nil, "room", "message", markerOf(publisher, seq))
}

// intervals are the deliveries, each with its event and its interval in ms.
func (b *bench) intervals() (all []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range b.seen {
		if o.Kind == history.Delivered {
			all = append(all, fmt.Sprintf("c%d.%d %s (%d,%d]", o.Event.Publisher, o.Event.Seq, o.Path, o.NotBefore/1e6, o.At/1e6))
		}
	}
	return all
}

func TestLongPollArrivesByWholeAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.crowd.Wire = LongPoll
		ctx, cancel := context.WithCancel(t.Context())
		ended := b.hold(ctx)
		p := <-b.accept
		p.serveSession(t, "T1")
		<-time.After(100 * time.Millisecond)
		p.servePoll(t, "T1", 200, joinReply("1"), phoenixEvent(7, 1)) // joined, and an event behind it
		<-time.After(time.Second)
		p.servePoll(t, "T1", 200, phoenixEvent(7, 2), phoenixEvent(8, 1), phoenixEvent(7, 3)) // all arrive with the last byte
		p.servePoll(t, "T1", 204)
		p.next(t)
		whole := string(phoenix.AppendPoll(nil, 200, "T1", phoenixEvent(7, 4), phoenixEvent(7, 5)))
		fmt.Fprintf(p, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(whole), whole[:60]) // cut in the middle:
		synctest.Wait()
		<-time.After(time.Second)
		io.WriteString(p, whole[60:]) // nothing of it is there before the rest is
		p.servePoll(t, "T1", 200, phoenix.AppendBroadcast(nil, "elsewhere", "message", markerOf(9, 1)))
		p.next(t)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("HoldStream returned %v", err)
		}
		b.expect(t, []string{"100 subscribed"}, history.Subscribed, history.Alien, history.Ended)
		want := []string{
			"c7.1 poll (100,100]", "c7.2 poll (1100,1100]", "c8.1 poll (1100,1100]", "c7.3 poll (1100,1100]",
			"c7.4 poll (2100,2100]", "c7.5 poll (2100,2100]",
		}
		if got := b.intervals(); !slices.Equal(got, want) {
			t.Errorf("deliveries %v, want %v", got, want)
		}
		if joined := b.of(history.Subscribed); joined.NotBefore != 0 || joined.At != int64(100*time.Millisecond) {
			t.Errorf("subscribed in (%d,%d], want from the join to its reply", joined.NotBefore, joined.At)
		}
	})
}

// An answer that has no other end than its connection's is one all the same.
func TestLongPollUntilTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		p, ended := b.joinSession(ctx, t)
		io.WriteString(p, "HTTP/1.1 200 OK\r\n\r\n"+string(phoenix.AppendPoll(nil, 200, "T1", phoenixEvent(7, 1))))
		synctest.Wait()
		<-time.After(time.Second)
		p.Close()
		synctest.Wait()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("HoldStream returned %v", err)
		}
		if got, want := b.intervals(), []string{"c7.1 poll (0,1000]"}; !slices.Equal(got, want) {
			t.Errorf("deliveries %v, want %v", got, want)
		}
	})
}

// of is the first Observation of that kind.
func (b *bench) of(kind history.Kind) history.Observation {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range b.seen {
		if o.Kind == kind {
			return o
		}
	}
	return history.Observation{}
}

func TestLongPollComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		p, ended := b.joinSession(ctx, t)
		p.Close()
		p = <-b.accept // the session is still there: it is polled on
		p.poll(t, "T1", 200, phoenixEvent(7, 1))
		p.next(t)
		p.answer(t, 200, "", string(phoenix.AppendPoll(nil, 410, "T9"))) // and now it is not
		p = <-b.accept
		p.serveSession(t, "T2")
		p.servePoll(t, "T2", 200, joinReply("2"))
		p.next(t)
		p.poll(t, "T2", 200, phoenix.AppendMessage(nil, phoenix.Message{JoinRef: "2", Ref: "2", Topic: "room", Event: phoenix.EventError}))
		p = <-b.accept // the channel crashed: all is joined anew
		p.serveSession(t, "T3")
		p.servePoll(t, "T3", 200, joinReply("3"))
		p.next(t)
		cancel()
		<-ended
		b.expect(t, []string{
			"0 opened", "0 subscribed", "0 ended: end of stream",
			"10 opened", "10 subscribed", "10 delivered c7.1", "10 ended: the session was lost",
			"20 opened", "20 subscribed", "20 ended: the channel crashed",
			"30 opened", "30 subscribed", "30 closed",
		})
	})
}

func TestLongPollCommandsGoToTheSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.crowd.Wire = LongPoll
		ctx, cancel := context.WithCancel(t.Context())
		c := b.crowd.NewClient(ClientOptions{ID: 7, Channels: []string{"room"}})
		done := make(chan error, 2)
		go func() { done <- c.HoldStream(ctx, nil) }()
		down := <-b.accept
		go func() { done <- c.PostCommands(ctx, t.Context(), nil) }()
		c.Post(0, &Message{Channel: "room", Name: "message", Size: 80})
		<-time.After(time.Second) // the command waits for the session
		down.serveSession(t, "T1")
		down.servePoll(t, "T1", 200, joinReply("1"))
		up := <-b.accept
		body, _ := io.ReadAll(up.request.Body)
		up.command(t, body, "room", "1")
		<-time.After(time.Second)
		up.answer(t, 200, "", `{"status":200}`)
		c.Post(b.now(), &Message{Channel: "aside", Name: "message"}) // where it only speaks
		if body := up.next(t); string(body) != `["3","3","aside","phx_join",{}]` {
			t.Errorf("the client said %s", body)
		}
		up.answer(t, 200, "", `{"status":200}`)
		synctest.Wait()
		down.servePoll(t, "T1", 200, phoenix.AppendReply(nil, phoenix.Message{JoinRef: "3", Ref: "3", Topic: "aside"}, phoenix.Reply{Status: phoenix.StatusOK}))
		up.command(t, up.next(t), "aside", "3")
		up.answer(t, 200, "", `{"status":410}`)
		synctest.Wait()
		down.servePoll(t, "T1", 200, phoenixEvent(7, 1), phoenix.AppendReply(nil, phoenix.Message{
			JoinRef: "1", Ref: "2", Topic: "room",
		}, phoenix.Reply{Status: phoenix.StatusError}))
		down.next(t)
		cancel()
		<-done
		<-done
		b.expect(t, []string{
			"1000 subscribed", "1000 sent c7.1", "2000 replied c7.1", "2000 subscribed", "2000 sent c7.2", "2000 replied c7.2: http 410",
			"2000 delivered c7.1", "2000 heartbeat: the channel refused the command",
		}, history.Sent, history.Replied, history.Delivered, history.Refused, history.Unknown, history.Heartbeat, history.Subscribed)
	})
}

// command fails unless body is a push to that topic, by its join.
func (p *peer) command(t *testing.T, body []byte, topic, joinRef string) {
	t.Helper()
	p.asks(t, "POST", phoenix.LongPollPath)
	messages, err := phoenix.ParseBatch(p.request.Header.Get("Content-Type"), body)
	if err != nil || len(messages) == 0 {
		t.Fatalf("command %s: %v", body, err)
	}
	push := messages[len(messages)-1]
	if push.Topic != topic || push.JoinRef != joinRef || push.Event != "message" {
		t.Errorf("pushed %+v, want one to %s joined by %s", push, topic, joinRef)
	}
}

func TestLongPollSenderWithoutChannels(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.crowd.Wire = LongPoll
		ctx, cancel := context.WithCancel(t.Context())
		c := b.crowd.NewClient(ClientOptions{ID: 7})
		done := make(chan error, 1)
		go func() { done <- c.PostCommands(ctx, t.Context(), nil) }()
		first := <-b.accept
		first.answer(t, 200, "", string(phoenix.AppendPoll(nil, 410, "T1"))) // no joins: the poll follows
		c.Post(0, &Message{Channel: "room", Name: "message"})
		second := <-b.accept
		if body, _ := io.ReadAll(second.request.Body); string(body) != `["1","1","room","phx_join",{}]` {
			t.Errorf("the client said %s", body)
		}
		second.answer(t, 200, "", `{"status":200}`)
		synctest.Wait()
		first.servePoll(t, "T1", 200, joinReply("1"))
		second.command(t, second.next(t), "room", "1")
		second.answer(t, 200, "", `{"status":200}`)
		synctest.Wait()
		first.servePoll(t, "T1", 200, phoenixEvent(7, 1)) // who speaks there hears
		first.next(t)
		first.answer(t, 200, "", `{"status":410}`)
		(<-b.accept).serveSession(t, "T2") // and is subscribed again by a new session
		cancel()
		<-done
		b.expect(t, []string{"0 subscribed", "0 sent c7.1", "0 replied c7.1", "0 delivered c7.1", "0 ended: the session was lost"},
			history.Sent, history.Replied, history.Delivered, history.Subscribed, history.Ended, history.Alien)
	})
}

func TestLongPollIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.crowd.Wire = LongPoll
		c := b.crowd.NewClient(ClientOptions{ID: 7, Channels: []string{"room"}})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- c.PostCommands(ctx, t.Context(), nil) }()
		held := make(chan error, 1)
		go func() { held <- c.HoldStream(ctx, nil) }()
		p := <-b.accept
		p.answer(t, 200, "", `{"status":403}`)
		if err := <-held; err == nil || err.Error() != "the server refused the stream with status 403" {
			t.Errorf("HoldStream returned %v", err)
		}
		c.Post(b.now(), &Message{Channel: "room"})
		synctest.Wait()
		cancel()
		<-done
		b.expect(t, []string{"0 refused c7.1: http 403"}, history.Refused)
	})
}
