package clients

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/hologram"
)

// answer sends a whole response, and returns the next request of the connection when more is asked for.
func (p *peer) answer(t *testing.T, status int, fields, body string) {
	t.Helper()
	fmt.Fprintf(p, "HTTP/1.1 %d %s\r\n%sContent-Length: %d\r\n\r\n%s", status, http.StatusText(status), fields, len(body), body)
}

// next reads the next request of the connection, with its body.
func (p *peer) next(t *testing.T) (body []byte) {
	t.Helper()
	var err error
	if p.request, err = http.ReadRequest(p.in); err != nil {
		t.Errorf("the next request: %v", err)
		p.request = new(http.Request)
		return nil
	}
	body, err = io.ReadAll(p.request.Body)
	if err != nil {
		t.Errorf("the body of the next request: %v", err)
	}
	return body
}

// asks fails unless the request at hand is this one.
func (p *peer) asks(t *testing.T, method, path string) {
	t.Helper()
	if p.request.Method != method || p.request.URL.Path != path {
		t.Errorf("asked for %s %s, want %s %s", p.request.Method, p.request.URL.Path, method, path)
	}
}

func testPage(instance string) string {
	return "<head>" + string(hologram.AppendPage(nil, hologram.Page{
		CSRFToken: "token of " + instance, InstanceID: instance,
		Receipts: []hologram.Receipt{{Channel: hologram.Text("room"), CID: "page", Token: "receipt of " + instance}},
	})) + "</head>"
}

// servePage answers the request for a page.
func (p *peer) servePage(t *testing.T, instance string) {
	t.Helper()
	p.asks(t, "GET", "/hologram/room")
	if got := p.request.URL.Query()["channel"]; len(got) != 1 || got[0] != "room" {
		t.Errorf("the page was asked for with the channels %v", got)
	}
	p.answer(t, 200, "Content-Type: text/html\r\nSet-Cookie: key="+instance+"; HttpOnly\r\nSet-Cookie: b=2\r\n", testPage(instance))
}

// serveHandshake answers the request for a handshake, with the receipts that it brought or none.
func (p *peer) serveHandshake(t *testing.T, instance, receipt, id string, take bool) {
	t.Helper()
	body := p.next(t)
	p.handshake(t, body, instance, receipt, id, take)
}

func (p *peer) handshake(t *testing.T, body []byte, instance, receipt, id string, take bool) {
	t.Helper()
	p.asks(t, "POST", hologram.HandshakePath)
	h, err := hologram.ParseHandshake(body)
	if err != nil || h.InstanceID != instance || len(h.Receipts) != 1 || h.Receipts[0] != receipt {
		t.Errorf("handshake %+v, %v", h, err)
	}
	if got := p.request.Header.Get("Cookie"); got != "key="+instance+"; b=2" {
		t.Errorf("handshake with the cookie %q", got)
	}
	reply := hologram.HandshakeReply{HandshakeID: id}
	if take {
		reply.Receipts = []hologram.Receipt{{Channel: hologram.Text("room"), CID: "page", Token: "refreshed " + id}}
	}
	p.answer(t, 200, "", string(hologram.AppendHandshakeReply(nil, reply)))
}

// serveStream answers the request for the stream.
func (p *peer) serveStream(t *testing.T, instance, id string) {
	t.Helper()
	p.next(t)
	p.asks(t, "GET", hologram.EventsPath)
	query := p.request.URL.Query()
	if query.Get("instance_id") != instance || query.Get("handshake_id") != id {
		t.Errorf("stream asked for with %v", query)
	}
	io.WriteString(p, streamHead)
}

func hologramFrame(id uint64, event wire.Event) string {
	return chunk(string(hologram.AppendFrame(nil, hologram.Broadcast, id, hologram.AppendBroadcast(nil, hologram.Event(event)))))
}

// markerOf is the payload of an event of a publisher.
func markerOf(publisher, seq uint32) string {
	return string(wire.AppendMarker(nil, wire.Marker{Run: testRun, Event: wire.EventID{Publisher: publisher, Seq: seq}}))
}

func TestHologramGetsReadyInThreeSteps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.crowd.Wire = Hologram
		ctx, cancel := context.WithCancel(t.Context())
		ended := b.hold(ctx)
		p := <-b.accept
		p.servePage(t, "one")
		p.serveHandshake(t, "one", "receipt of one", "h1", true)
		p.serveStream(t, "one", "h1")
		synctest.Wait()
		<-time.After(time.Second)
		io.WriteString(p, hologramFrame(900, wire.Event{Channel: "room", Name: "message", Payload: markerOf(7, 1)})+
			hologramFrame(901, wire.Event{Channel: "room", Name: "message", Payload: markerOf(8, 1), Seq: 5}))
		synctest.Wait()
		io.WriteString(p, chunk(hologram.Heartbeat))
		synctest.Wait()
		p.Close() // and the receipts, refreshed, are good for another handshake
		p = <-b.accept
		body, _ := io.ReadAll(p.request.Body)
		p.handshake(t, body, "one", "refreshed h1", "h2", false)
		p.Close() // nobody took them: the page is loaded anew
		p = <-b.accept
		p.servePage(t, "two")
		p.serveHandshake(t, "two", "receipt of two", "h3", true)
		p.serveStream(t, "two", "h3")
		synctest.Wait()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("HoldStream returned %v", err)
		}
		story := strings.Join(b.kinds(), ", ")
		if want := "opened, subscribed, delivered c7.1, delivered c8.1, heartbeat, ended: cut in mid-message, " +
			"opened, ended: the session was lost, opened, subscribed, closed"; story != want {
			t.Errorf("seen: %s\nwant: %s", story, want)
		}
		second := b.find(t, history.Delivered, 1)
		if first := b.delivered(8); first.Sequence != 5 || first.NotBefore != first.At || first.At != int64(time.Second) {
			t.Errorf("the last of a read: %+v; want number 5, exactly at 1 s", first)
		}
		if second.Sequence != 0 || second.NotBefore != 0 {
			t.Errorf("the first of a read: %+v; want no number and an interval from 0", second)
		}
		pauses := b.between(history.Ended, history.Opened)
		for i, limit := range []time.Duration{250 * time.Millisecond, 500 * time.Millisecond} {
			if pauses[i] < limit*3/4 || pauses[i] > limit*5/4 {
				t.Errorf("pause %d was %v, want %v, a quarter more or less", i, pauses[i], limit)
			}
		}
	})
}

// kinds is the story without times.
func (b *bench) kinds() []string {
	told := b.story()
	for i := range told {
		_, told[i], _ = strings.Cut(told[i], " ")
	}
	return told
}

// delivered is the first delivery of an event of that publisher.
func (b *bench) delivered(publisher uint32) history.Observation {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range b.seen {
		if o.Kind == history.Delivered && o.Event.Publisher == publisher {
			return o
		}
	}
	return history.Observation{}
}

// between is the time from each Observation of one kind to the next of another.
func (b *bench) between(from, to history.Kind) (all []time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	began := int64(-1)
	for _, o := range b.seen {
		switch {
		case o.Kind == from:
			began = o.At
		case o.Kind == to && began >= 0:
			all = append(all, time.Duration(o.At-began))
			began = -1
		}
	}
	return all
}

func TestHologramCommandsShareThePage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.crowd.Wire = Hologram
		ctx, cancel := context.WithCancel(t.Context())
		c := b.crowd.NewClient(ClientOptions{ID: 7, Channels: []string{"room"}})
		done := make(chan error, 2)
		go func() { done <- c.PostCommands(ctx, t.Context(), nil) }()
		p := <-b.accept // it comes first, and loads the page
		p.servePage(t, "one")
		synctest.Wait()
		go func() { done <- c.HoldStream(ctx, nil) }()
		down := <-b.accept
		body, _ := io.ReadAll(down.request.Body)
		down.handshake(t, body, "one", "receipt of one", "h1", true)
		down.serveStream(t, "one", "h1")

		c.Post(0, &Message{Channel: "room", Name: "message", Size: 80})
		body = p.next(t)
		p.asks(t, "POST", hologram.CommandPath)
		if p.request.Header.Get("X-Csrf-Token") != "token of one" || p.request.Header.Get("Cookie") != "key=one; b=2" {
			t.Errorf("the fields of a command: %v", p.request.Header)
		}
		command, err := hologram.ParseCommand(body)
		if err != nil {
			t.Fatal(err)
		}
		payload, _ := command.Params.Get("payload")
		if command.InstanceID != "one" || command.Name != "message" || len(payload.Text) != 80 {
			t.Errorf("command %+v", command)
		}
		<-time.After(time.Second)
		p.answer(t, 200, "", string(hologram.AppendEventReply(nil, hologram.Event{Channel: "room", Name: "message", Payload: payload.Text, Seq: 9}, true)))
		synctest.Wait()
		c.Post(b.now(), &Message{Channel: "room", Name: "message"})
		p.next(t)
		p.answer(t, 200, "", string(hologram.AppendEventReply(nil, hologram.Event{}, false))) // no echo is no fault
		c.Post(b.now(), &Message{Channel: "room", Name: "message"})
		p.next(t)
		p.answer(t, 403, "", "Forbidden")
		synctest.Wait()
		cancel()
		<-done
		<-done
		b.expect(t, []string{
			"0 sent c7.1", "1000 replied c7.1", "1000 delivered c7.1", "1000 sent c7.2", "1000 replied c7.2",
			"1000 sent c7.3", "1000 replied c7.3: http 403",
		}, history.Sent, history.Replied, history.Delivered, history.Unknown, history.Refused, history.Alien)
		if echo := b.delivered(7); echo.Sequence != 9 || echo.Path != history.Reply || echo.NotBefore != echo.At {
			t.Errorf("the echo: %+v", echo)
		}
	})
}

func TestHologramIsRefusedForGoodOnlyAtFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.crowd.Wire = Hologram
		ended := b.hold(t.Context())
		p := <-b.accept
		p.answer(t, 404, "", "there is no page")
		if err := <-ended; err == nil || err.Error() != "the server refused the stream with status 404" {
			t.Errorf("HoldStream returned %v", err)
		}
		b.expect(t, []string{"0 opened", "0 ended: http 404"})
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.crowd.Wire = Hologram
		ctx, cancel := context.WithCancel(t.Context())
		ended := b.hold(ctx)
		p := <-b.accept
		p.servePage(t, "one")
		p.serveHandshake(t, "one", "receipt of one", "h1", true)
		p.serveStream(t, "one", "h1")
		synctest.Wait()
		p.Close()
		p = <-b.accept
		p.answer(t, 401, "", "Unauthorized") // the session is gone, and with it the page
		p = <-b.accept
		p.servePage(t, "two")
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("HoldStream returned %v", err)
		}
	})
}
