package target

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"holobench/wire"
	"holobench/wire/hologram"
)

// partialConn takes so many bytes.
type partialConn struct {
	net.Conn

	room int
	got  bytes.Buffer
}

func (c *partialConn) SetWriteDeadline(time.Time) error { return nil }

func (c *partialConn) Write(p []byte) (int, error) {
	if n := c.room - c.got.Len(); n < len(p) {
		c.got.Write(p[:n])
		return n, net.ErrClosed
	}
	return c.got.Write(p)
}

// TestHologramWriterCounts cuts a write behind each of its bytes: what is counted is what stands there whole.
func TestHologramWriterCounts(t *testing.T) {
	t.Parallel()
	event := func(payload string) *frame {
		return encodeHologram(&message{event: wire.Event{Channel: "red", Name: "message", Payload: payload}})
	}
	for _, chunked := range []bool{true, false} {
		head := http1Head(chunked, time.Unix(0, 0))
		frames := []*frame{head, event("a"), newHeartbeat(), event(strings.Repeat("b", 300)), event("c")}
		size := 1 << 20
		for room := 0; room <= size; room++ {
			conn := &partialConn{room: room}
			var ids atomic.Uint64
			ids.Store(8) // the next ids are 9, 10 and 11
			w := &hologramWriter{http1Writer: http1Writer{conn: conn, chunked: chunked, scratch: &scratch{}}, ids: &ids}
			got, err := w.write(frames, time.Second)
			if err == nil {
				size = room
			}
			_, body, _ := strings.Cut(conn.got.String(), "\r\n\r\n")
			want := written{
				bytes: conn.got.Len(), events: strings.Count(body, "])])\n\n"), heartbeats: strings.Count(body, ":\n\n"),
			}
			if got != want || ids.Load() != 11 {
				t.Fatalf("%d bytes were taken (%v) and counted as %+v, want %+v: %s", room, err, got, want, body)
			}
		}
		if size < 800 || size > 2000 {
			t.Errorf("all was taken in %d bytes", size)
		}
	}
}

// TestHologramDeliveryCost: a delivery costs no allocation. It is not parallel, because allocations are counted for the whole
// process.
func TestHologramDeliveryCost(t *testing.T) {
	s, err := New(Options{Wire: HologramWire})
	if err != nil {
		t.Fatal(err)
	}
	m := &message{event: wire.Event{Channel: "red", Name: "message", Payload: strings.Repeat("x", 200)}}
	frames := []*frame{m.frame(s, formatHologram)}
	conn := &partialConn{room: 1 << 30}
	conn.got.Grow(1 << 20)
	w := &hologramWriter{http1Writer: http1Writer{conn: conn, chunked: true, scratch: &s.scratch}, ids: &atomic.Uint64{}}
	if got := testing.AllocsPerRun(100, func() {
		if _, err := w.write(frames, time.Second); err != nil {
			t.Fatal(err)
		}
	}); got != 0 {
		t.Errorf("a delivery costs %v allocations", got)
	}
}

// nowhere is a connection that takes everything.
type nowhere struct{ net.Conn }

func (nowhere) SetWriteDeadline(time.Time) error { return nil }
func (nowhere) Write(p []byte) (int, error)      { return len(p), nil }

// BenchmarkHologramDelivery writes one event to one subscriber, beside the same on the plain wire, whose bytes are all shared:
// the difference is what an id of each stream's own costs.
func BenchmarkHologramDelivery(b *testing.B) {
	s, err := New(Options{Wire: HologramWire})
	if err != nil {
		b.Fatal(err)
	}
	m := &message{event: wire.Event{Channel: "room", Name: "message", Payload: strings.Repeat("x", 200)}}
	plain := http1Writer{conn: nowhere{}, chunked: true, scratch: &s.scratch}
	for _, test := range []struct {
		name     string
		spelling format
		writer   streamWriter
	}{
		{"plain", formatPlain, &plain},
		{"hologram", formatHologram, &hologramWriter{http1Writer: plain, ids: &atomic.Uint64{}}},
	} {
		b.Run(test.name, func(b *testing.B) {
			frames := []*frame{m.frame(s, test.spelling)}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := test.writer.write(frames, time.Second); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// FuzzHologramSeals opens any text as anything: only what was sealed, in the same letters, opens.
func FuzzHologramSeals(f *testing.F) {
	seals := newHologramSeals("key")
	session := hologramSession{1, 2, 3}
	instance := seals.instance(session, [8]byte{1, 2, 3, 4, 5, 6, 0x47, 8})
	now := time.Unix(1e9, 0)
	good := []string{
		seals.sessionToken(session), seals.receiptToken(instance, "red", now), instance,
		seals.handshakeToken(session, instance, []string{"red", "blue"}, now),
	}
	for _, seed := range slices.Concat(good, []string{seals.csrfToken(session), good[0][:9] + "\r" + good[0][9:], "", "A", strings.Repeat("A", 22), strings.Repeat("-", 36)}) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if s, ok := seals.openSession(text); ok && (s != session || text != good[0]) {
			t.Errorf("%q is the session %x", text, s)
		}
		if channel, ok := seals.openReceipt(text, instance, time.Unix(0, 0)); ok && (channel != "red" || text != good[1]) {
			t.Errorf("%q is a receipt for %q", text, channel)
		}
		if seals.owns(session, text) && text != good[2] {
			t.Errorf("%q is an instance", text)
		}
		if shake, ok := seals.openHandshake(text, time.Unix(0, 0)); ok &&
			(text != good[3] || shake.session != session || shake.instance != instance || !slices.Equal(shake.channels, []string{"red", "blue"})) {
			t.Errorf("%q is the handshake %+v", text, shake)
		}
		if other := (hologramSession{9}); seals.owns(other, text) || seals.checkCSRF(other, text) {
			t.Errorf("%q is of a session that never was", text)
		}
	})
}

// FuzzHologramWire posts any body with a good cookie and token, and asks for any page: everything is answered by a status that the
// wire knows, and what is taken is counted.
func FuzzHologramWire(f *testing.F) {
	seals := newHologramSeals("")
	session := hologramSession{1}
	instance := seals.instance(session, [8]byte{0, 0, 0, 0, 0, 0, 0x40})
	good := hologram.AppendEventCommand(nil, hologram.EventCommand{Instance: instance, Channel: "red", Name: "message", Payload: "1"})
	f.Add(good, "channel=red")
	f.Add(hologram.AppendHandshake(nil, hologram.Handshake{InstanceID: instance, Receipts: []string{seals.receiptToken(instance, "red", time.Unix(1, 0))}}), "channel=%00")
	f.Add([]byte("[3,"), "channel=%3Cscript%3E&channel=%zz")
	f.Add([]byte{}, "instance_id=a&handshake_id=b")
	f.Fuzz(func(t *testing.T, body []byte, query string) {
		s, err := New(Options{Wire: HologramWire, MaxBody: 1 << 12, HandshakeWait: 1})
		if err != nil {
			t.Fatal(err)
		}
		ask := func(method, path string, statuses ...int) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, path, bytes.NewReader(body))
			r.URL.RawQuery = query
			r.AddCookie(&http.Cookie{Name: hologramCookie, Value: seals.sessionToken(session)})
			r.Header.Set(hologram.CSRFHeader, seals.csrfToken(session))
			recorder := httptest.NewRecorder()
			s.ServeHTTP(recorder, r)
			if !slices.Contains(statuses, recorder.Code) {
				t.Errorf("%s %s?%q of %q was answered %d %s", method, path, query, body, recorder.Code, recorder.Body)
			}
			return recorder
		}
		command := ask(http.MethodPost, hologram.CommandPath, 200, 400, 403, 413, 500)
		if _, err := hologram.ParseReply(command.Body.Bytes()); (command.Code == http.StatusOK) != (err == nil) ||
			(s.counters.Get(CommandsAccepted) == 1) != (err == nil) {
			t.Errorf("%q was answered %d %s", body, command.Code, command.Body)
		}
		ask(http.MethodPost, hologram.HandshakePath, 200, 400, 403, 413, 500)
		ask(http.MethodGet, hologram.EventsPath, 400)
		page := ask(http.MethodGet, HologramPagePath, 200, 400)
		values, _ := url.ParseQuery(query)
		if read, err := hologram.ParsePage(page.Body.Bytes()); page.Code == http.StatusOK &&
			(err != nil || len(read.Receipts) == 0 || len(read.Receipts) > len(values["channel"]) || strings.Count(page.Body.String(), "<") != 16) {
			t.Errorf("%q gave the page %s, %v: %s", query, fmt.Sprint(read), err, page.Body)
		}
	})
}
