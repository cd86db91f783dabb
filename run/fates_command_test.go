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
)

// commandFate is what becomes of a command, and what the history must say of it.
type commandFate struct {
	name  string
	play  func(b *blow)
	kind  history.Kind
	why   string        // "" = it went well
	after time.Duration // from when it was sent
	slow  time.Duration // ... and how much later it may be

	// What is said on other wires: "ok" is that it went well, "-" that it is not for that wire.
	hologram, poll, generic, http2 string
}

func commandFates() []commandFate {
	const yes, no = history.Replied, history.Unknown
	return []commandFate{
		{name: "a reset", play: func(b *blow) { b.conn.Reset(); panic(http.ErrAbortHandler) }, kind: no, why: "connection reset"},
		{name: "an end at once", play: func(*blow) { panic(http.ErrAbortHandler) }, kind: no, why: streamEnd, http2: resetByH2},
		{name: "no answer", play: (*blow).hang, kind: no, why: "timeout", after: 30 * time.Second},
		{name: "a head that never ends", play: (*blow).trickle, kind: no, why: "timeout", after: 30 * time.Second, http2: "-"},
		{name: "a late answer", play: func(b *blow) { b.later(15 * time.Second) }, kind: yes, after: 15 * time.Second},
		{name: "a byte a millisecond", play: (*blow).stammer, kind: yes, slow: time.Second, http2: "-"},
		{name: "interim answers first", play: func(b *blow) {
			b.w.WriteHeader(http.StatusProcessing)
			b.w.WriteHeader(http.StatusEarlyHints)
			b.later(0)
		}, kind: yes},
		{name: "a 503", play: func(b *blow) { b.w.WriteHeader(http.StatusServiceUnavailable) }, kind: yes, why: "http 503"},
		{name: "a redirect to itself", play: func(b *blow) { http.Redirect(b.w, b.r, b.r.URL.RequestURI(), http.StatusFound) }, kind: yes, why: "http 302"},
		{name: "an encoded body", play: func(b *blow) {
			b.w.Header().Set("Content-Encoding", "gzip")
			b.w.Write([]byte("\x1f\x8b\x08\x00"))
		}, kind: yes, why: badBytes, generic: "ok"},
		{name: "a page in its place", play: func(b *blow) {
			b.w.Header().Set("Content-Type", "text/html")
			b.w.Write([]byte("<html>"))
		}, kind: yes, why: badBytes, generic: "ok"},
		{name: "a cut in its body", play: func(b *blow) {
			b.w.Header().Set("Content-Length", "100")
			b.w.Write([]byte("{"))
			b.w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, kind: no, why: cutShort, http2: resetByH2},
		{name: "a body without end", play: func(b *blow) { b.flood(b.w.Write) }, kind: no, why: badBytes},
		{name: "a head without end", play: func(b *blow) {
			b.conn.Write([]byte("HTTP/1.1 200 OK\r\nX-Long: "))
			b.flood(b.conn.Write)
		}, kind: no, why: badBytes, http2: "-"},
		{name: "a long head", play: func(b *blow) {
			b.w.Header().Set("X-Long", strings.Repeat("a", 100<<10))
			b.w.WriteHeader(http.StatusOK)
		}, kind: no, why: badBytes},
		{name: "no HTTP", play: func(b *blow) { b.raw("\xff\xff\xff\xff\xff\xff\xff\xff\xff\r\n\r\n") }, kind: no, why: badBytes},
		{name: "an alert of TLS", play: func(b *blow) { b.raw("\x15\x03\x01\x00\x02\x02\x28") }, kind: no, why: cutShort},
		{name: "nonsense for a chunk", play: func(b *blow) {
			b.raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
		}, kind: no, why: badBytes},
		{name: "more than its length", play: func(b *blow) {
			b.raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}{}{}")
		}, kind: yes, hologram: badBytes, poll: badBytes, http2: "-"},
	}
}

// on is what the fate comes to on a wire; not ok when it is not for that.
func (f commandFate) on(w spokenWire) (of commandFate, ok bool) {
	var others []string
	if w.wire == target.HologramWire {
		others = append(others, f.hologram)
	}
	if w.wire == target.LongPollWire {
		others = append(others, f.poll)
	}
	if w.generic {
		others = append(others, f.generic)
	}
	if w.transport == target.H2C {
		others = append(others, f.http2)
	}
	for _, other := range others {
		switch other {
		case "":
		case "-":
			return f, false
		case "ok":
			f.why = ""
		default:
			f.why = other
		}
	}
	return f, w.command != nil
}

// TestNothingHangsACommand lets a command come to every bad end that there is, on every wire that posts. The history must name
// each, at the nanosecond at which it can be known, and the next command must go out as if nothing had been.
func TestNothingHangsACommand(t *testing.T) {
	t.Parallel()
	for _, w := range spokenWires() {
		for _, fate := range commandFates() {
			if f, ok := fate.on(w); ok {
				t.Run(w.name+": "+f.name, func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { try(t, w, func(x *trial) { x.sufferCommand(f) }) })
				})
			}
		}
	}
}

// say posts a command, and gives it some time.
func (x *trial) say(then time.Duration) {
	x.author.Post(int64(time.Since(x.began)), &clients.Message{Channel: "room", Name: "say"})
	<-time.After(then)
}

// sufferCommand lets the fate come, and checks what the client makes of it.
func (x *trial) sufferCommand(f commandFate) {
	x.hold()
	<-time.After(time.Second)
	x.say(time.Second)
	x.server.strike(x.wire.command, 1, f.play)
	x.say(50 * time.Second)
	x.say(time.Second)
	if x.server.struck().IsZero() {
		x.Fatal("the fate did not come")
	}
	x.checkCommand(2, f)
	for _, seq := range []uint32{1, 3} {
		x.checkCommand(seq, commandFate{kind: history.Replied})
		if x.heard(seq) != 1 {
			x.Errorf("the other client heard of command %d %d times", seq, x.heard(seq))
		}
	}
}

// checkCommand checks that a command was sent when it was due, and how it ended.
func (x *trial) checkCommand(seq uint32, f commandFate) {
	x.mu.Lock()
	defer x.mu.Unlock()
	sent, ended, kind, why := time.Duration(-1), time.Duration(-1), history.Kind(0), ""
	for _, o := range x.seen {
		switch {
		case o.Event.Publisher != 1 || o.Event.Seq != seq:
		case o.Kind == history.Sent && o.At == o.Due:
			sent = time.Duration(o.At)
		case o.Kind == history.Replied || o.Kind == history.Unknown || o.Kind == history.Refused || o.Kind == history.Dropped:
			ended, kind = time.Duration(o.At), o.Kind
			if o.Err != history.NoErr {
				why = x.crowd.Names.Name(uint32(o.Err))
			}
		}
	}
	took := ended - sent
	if f.kind == history.Refused {
		sent, took = 0, 0 // it never was
	}
	if sent < 0 || kind != f.kind || why != f.why || took < f.after || took > f.after+f.slow {
		x.Errorf("command %d was sent at %v and %s at %v (%s); want it %s %v later (%s)", seq, sent, kind, ended, why, f.kind, f.after, f.why)
	}
}

// heard is how often the other client was told of a command.
func (x *trial) heard(seq uint32) (times int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, o := range x.seen {
		if o.Kind == history.Delivered && o.Client == 0 && o.Event.Publisher == 1 && o.Event.Seq == seq {
			times++
		}
	}
	return times
}
