package run_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holobench/clients"
	"holobench/history"
	"holobench/target"
	"holobench/wire/hologram"
	"holobench/wire/phoenix"
)

// streamFate is what becomes of a request for a stream, and what a client must make of that.
type streamFate struct {
	name    string
	play    func(b *blow)
	times   int           // that it is played; 0 = once
	why     string        // what the history must say; "" = all goes well, only later
	after   time.Duration // from the request until that is known
	slow    time.Duration // ... and how much later it may be
	refusal bool          // the server said that it does not want to

	// What the other wires make of it, when that is something else, and those that have to read a whole answer before there is a stream;
	// a reason that begins with "!" is a refusal, "-" says that it is not for that wire.
	poll, channels, http2, whole string
}

const (
	notAStream = "not an event stream"
	badBytes   = "protocol error"
	cutShort   = "cut in mid-message"
	streamEnd  = "end of stream"
	resetByH2  = "the server reset the stream"
)

// begins begins an event stream.
func (b *blow) begins(text string) {
	b.w.Header().Set("Content-Type", "text/event-stream")
	b.w.Write([]byte(text))
	b.w.(http.Flusher).Flush()
}

// raw writes bytes past the server, and closes the connection.
func (b *blow) raw(text string) {
	b.conn.Write([]byte(text))
	b.conn.CloseWrite()
	<-time.After(time.Millisecond) // the client has read it: else the close might be a reset
	panic(http.ErrAbortHandler)
}

// flood writes text again and again, until the client has enough. It must have that long before 100 MB.
func (b *blow) flood(write func([]byte) (int, error)) {
	block := []byte(strings.Repeat("abcdefgh", 8<<10))
	for sent := 0; sent < 100<<20; sent += len(block) {
		if _, err := write(block); err != nil {
			panic(http.ErrAbortHandler)
		}
		if sent > 16<<20 {
			panic("the client has taken 16 MiB of one thing, and wants more")
		}
	}
}

// hang answers nothing until the test is over.
func (b *blow) hang() {
	<-b.server.over
	panic(http.ErrAbortHandler)
}

// later is the answer of the target, some time later.
func (b *blow) later(d time.Duration) {
	<-time.After(d)
	b.server.next.ServeHTTP(b.w, b.r)
}

// stammer is the answer of the target, a byte a millisecond.
func (b *blow) stammer() {
	b.conn.pause(time.Millisecond)
	time.AfterFunc(time.Second, func() { b.conn.pause(0) })
	b.later(0)
}

// trickle writes a head that never ends, a byte a second.
func (b *blow) trickle() {
	for text := "HTTP/1.1 200 OK\r\nX-Long: "; ; text = "a" {
		if _, err := b.conn.Write([]byte(text)); err != nil {
			panic(http.ErrAbortHandler)
		}
		select {
		case <-time.After(time.Second):
		case <-b.server.over:
			panic(http.ErrAbortHandler)
		}
	}
}

func streamFates() []streamFate {
	return []streamFate{
		{name: "a reset", play: func(b *blow) { b.conn.Reset(); panic(http.ErrAbortHandler) }, why: "connection reset"},
		{name: "an end at once", play: func(*blow) { panic(http.ErrAbortHandler) }, why: streamEnd, http2: resetByH2},
		{name: "no answer", play: (*blow).hang, why: "timeout", after: 30 * time.Second},
		{name: "a head that never ends", play: (*blow).trickle, why: "timeout", after: 30 * time.Second, http2: "-"},
		{name: "a late head", play: func(b *blow) { b.later(15 * time.Second) }, after: 15 * time.Second, poll: "-"}, // a session is over by then
		{name: "a byte a millisecond", play: (*blow).stammer, slow: 2 * time.Second, http2: "-"},
		{name: "interim answers first", play: func(b *blow) {
			b.w.WriteHeader(http.StatusProcessing)
			b.w.WriteHeader(http.StatusEarlyHints)
			b.later(0)
		}},
		{name: "a 503", play: func(b *blow) { b.w.WriteHeader(http.StatusServiceUnavailable) }, why: "http 503", refusal: true},
		{name: "a circle of redirects", times: 100, play: func(b *blow) {
			http.Redirect(b.w, b.r, b.r.URL.RequestURI(), http.StatusFound)
		}, why: "http 302", refusal: true},
		{name: "a redirect to nowhere", play: func(b *blow) {
			b.w.Header().Set("Location", "http://[::1/")
			b.w.WriteHeader(http.StatusMovedPermanently)
		}, why: "http 301", refusal: true},
		{name: "an encoded body", play: func(b *blow) {
			b.w.Header().Set("Content-Encoding", "gzip")
			b.begins("\x1f\x8b\x08\x00")
		}, why: "the body is encoded, and nobody asked for that", poll: badBytes, whole: badBytes, channels: "!" + notAStream},
		{name: "a page in its place", play: func(b *blow) {
			b.w.Header().Set("Content-Type", "text/html")
			b.w.Write([]byte("<html>"))
		}, why: notAStream, refusal: true, poll: badBytes, whole: badBytes},
		{name: "a clean end in mid-event", play: func(b *blow) { b.begins("data: hal") }, why: streamEnd, poll: badBytes, whole: badBytes, channels: "!" + notAStream},
		{name: "a cut in mid-event", play: func(b *blow) {
			b.begins("data: hal")
			panic(http.ErrAbortHandler)
		}, why: cutShort, channels: "!" + notAStream, http2: resetByH2},
		{name: "an event without end", play: func(b *blow) {
			b.begins("data: ")
			b.flood(b.w.Write)
		}, why: badBytes, channels: "!" + notAStream},
		{name: "a head without end", play: func(b *blow) {
			b.conn.Write([]byte("HTTP/1.1 200 OK\r\nX-Long: "))
			b.flood(b.conn.Write)
		}, why: badBytes, http2: "-"},
		{name: "a long head", play: func(b *blow) {
			b.w.Header().Set("X-Long", strings.Repeat("a", 100<<10))
			b.begins("")
		}, why: badBytes},
		{name: "no HTTP", play: func(b *blow) { b.raw("\xff\xff\xff\xff\xff\xff\xff\xff\xff\r\n\r\n") }, why: badBytes},
		{name: "an alert of TLS", play: func(b *blow) { b.raw("\x15\x03\x01\x00\x02\x02\x28") }, why: cutShort},
		{name: "nonsense for a chunk", play: func(b *blow) {
			b.raw("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
		}, why: badBytes, channels: "!" + notAStream},
		{name: "more than its length", play: func(b *blow) {
			b.raw("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 5\r\n\r\n: ab\n: ab\n")
		}, why: streamEnd, poll: badBytes, whole: badBytes, channels: "!" + notAStream, http2: "-"},
	}
}

// beforeStreams are the requests that come before that of a stream. Some are made once a client.
func beforeStreams() []spokenWire {
	holo := spokenWire{design: target.Hologram, wire: target.HologramWire, transport: target.HTTP1, before: true}
	page, handshake := holo, holo
	page.name, page.once, page.stream = "the page of hologram", true, asksFor("GET", "/hologram/room")
	handshake.name, handshake.stream = "the handshake of hologram", asksFor("POST", hologram.HandshakePath)
	return []spokenWire{page, handshake, {
		name: "the session of long-poll", design: target.LongPoll, wire: target.LongPollWire, transport: target.HTTP1, before: true, once: true,
		stream: func(r *http.Request) bool {
			return r.Method == "GET" && r.URL.Path == phoenix.LongPollPath && r.URL.Query().Get("token") == ""
		},
	}}
}

// on is what the fate comes to on a wire; not ok when it is not for that.
func (f streamFate) on(w spokenWire) (of streamFate, ok bool) {
	other := ""
	switch {
	case w.before:
		other = f.whole
	case w.wire == target.LongPollWire:
		other = f.poll
	case w.wire == target.ChannelsWire:
		other = f.channels
	case w.transport == target.H2C:
		other = f.http2
	}
	if other == "-" {
		return f, false
	}
	if why, refusal := strings.CutPrefix(other, "!"); other != "" {
		f.why, f.refusal = why, refusal
	}
	return f, true
}

// TestNothingHangsAStream lets the request for a stream come to every bad end that there is, on every wire, when the client comes for
// the first time and when it was there before. The history must name each, at the nanosecond at which it can be known; and the client
// must go on as its wire has it: come again after its pause, and hear what is said from then on, or be gone for good.
func TestNothingHangsAStream(t *testing.T) {
	t.Parallel()
	for _, w := range append(spokenWires(), beforeStreams()...) {
		for _, fate := range streamFates() {
			f, ok := fate.on(w)
			if !ok {
				continue
			}
			for _, before := range []string{"", ", once it was subscribed"} {
				if before != "" && w.once {
					continue
				}
				t.Run(w.name+": "+f.name+before, func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { try(t, w, func(x *trial) { x.sufferStream(f, before != "") }) })
				})
			}
		}
	}
}

// sufferStream lets the fate come, and checks what the client makes of it.
func (x *trial) sufferStream(f streamFate, known bool) {
	if known {
		x.hold()
		<-time.After(time.Second)
		x.holder.GoAway()
		<-time.After(time.Second)
	}
	if !x.wire.final() {
		f.times = 1 // it does not follow
	}
	x.server.strike(x.ofHolder(x.wire.stream), max(1, f.times), f.play)
	if known {
		x.holder.ComeBack()
	} else {
		x.hold()
	}
	<-time.After(50 * time.Second)
	hit := x.server.struck().Sub(x.began)
	x.author.Post(int64(time.Since(x.began)), &clients.Message{Channel: "room", Name: "say"})
	<-time.After(time.Second)
	x.mu.Lock()
	defer x.mu.Unlock()
	end, back, heard := time.Duration(-1), time.Duration(-1), false
	why := ""
	for _, o := range x.seen {
		at := time.Duration(o.At)
		switch {
		case o.Client != 0 || at < hit:
		case o.Kind == history.Ended && (end < 0 || f.times > 1 && at == end):
			end, why = at, x.crowd.Names.Name(uint32(o.Err))
		case o.Kind == history.Subscribed && back < 0 && (end >= 0 || f.why == ""): // not what ended so badly
			back = at
		case o.Kind == history.Delivered:
			heard = true
		}
	}
	gone := f.refusal && (!known || x.wire.final())
	switch {
	case f.why == "":
		if end >= 0 || back < hit+f.after || back > hit+f.after+f.slow+x.wire.window() || !heard {
			x.Errorf("asked at %v, the stream ended at %v (%s), was ready at %v, heard %v; want that at %v", hit, end, why, back, heard, hit+f.after)
		}
	case why != f.why || end != hit+f.after:
		x.Errorf("asked at %v, the stream ended at %v (%s), want %v (%s)", hit, end, why, hit+f.after, f.why)
	case gone != (back < 0) || gone == heard:
		x.Errorf("the stream ended at %v (%s) and was ready at %v, heard %v; gone for good: %v", end, why, back, heard, gone)
	case !gone && !x.wire.pauses(back-end):
		x.Errorf("the stream ended at %v and was ready again %v later, which is not the pause of its wire", end, back-end)
	}
}

// ofHolder says of a request whether it is meant, and comes from the client that is under trial.
func (x *trial) ofHolder(meant func(*http.Request) bool) func(*http.Request) bool {
	return func(r *http.Request) bool {
		x.mu.Lock()
		defer x.mu.Unlock()
		owner, known := x.owners[r.RemoteAddr]
		return known && owner == 0 && meant(r)
	}
}

// final says whether a refusal is the end also for one who was subscribed before, as it is for a browser's EventSource.
func (w *spokenWire) final() bool { return w.wire == target.JSON && !w.generic }

// pauses says whether a client of the wire may come back after so long.
func (w *spokenWire) pauses(d time.Duration) bool {
	switch {
	case w.generic:
		return d == time.Second
	case w.wire == target.JSON:
		return d == 3*time.Second
	case w.wire == target.HologramWire: // a quarter more or less than 250 ms, or than 500 ms behind another failure
		return d >= 187*time.Millisecond && d <= 625*time.Millisecond
	}
	return d >= 10*time.Millisecond && d <= 150*time.Millisecond+w.window() // as phoenix.js has it
}

// window is for how long a server may say nothing to a session that goes on, when there is nothing to say.
func (w *spokenWire) window() time.Duration {
	if w.wire == target.LongPollWire {
		return 10 * time.Second
	}
	return 0
}
