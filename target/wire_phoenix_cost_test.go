package target

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"holobench/wire"
	"holobench/wire/phoenix"
)

// heldConn is a connection whose client says what is put into say, and takes everything.
type heldConn struct {
	net.Conn

	say chan []byte
	end sync.Once
}

func newHeldConn(said []byte) *heldConn {
	c := &heldConn{say: make(chan []byte, 1)}
	if said != nil {
		c.say <- said
	}
	return c
}

func (c *heldConn) Read(p []byte) (int, error) {
	said, open := <-c.say
	if !open {
		return 0, net.ErrClosed
	}
	n := copy(p, said)
	if n < len(said) {
		c.say <- said[n:]
	}
	return n, nil
}

func (c *heldConn) Write(p []byte) (int, error) { return len(p), nil }

func (c *heldConn) Close() error {
	c.end.Do(func() { close(c.say) })
	return nil
}

func (c *heldConn) SetReadDeadline(time.Time) error  { return nil }
func (c *heldConn) SetWriteDeadline(time.Time) error { return nil }

// idleBytes is how much memory a server spends on each of so many idle subscribers of one channel, apart from the stack of its
// goroutine, which is 2 to 8 KiB, by what it has done before.
func idleBytes(tb testing.TB, design Design, subscribers int, open func(s *Server, i int)) int {
	tb.Helper()
	s, err := New(Options{Design: design})
	if err != nil {
		tb.Fatal(err)
	}
	used := func() int {
		runtime.GC()
		runtime.GC() // what the pools held is gone with the second
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	before := used()
	for i := range subscribers {
		open(s, i)
	}
	for !s.settled("room", subscribers) {
		runtime.Gosched()
	}
	after := used()
	for _, st := range s.registry.all() {
		st.cut(CutShutdown)
	}
	s.streams.Wait()
	return (after - before) / subscribers
}

// settled says whether so many hear a channel, and nothing waits for any of them.
func (s *Server) settled(name string, subscribers int) bool {
	c := s.registry.channel(name)
	if c == nil {
		return false
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	if len(c.members) < subscribers {
		return false
	}
	for _, m := range c.members {
		if m.stream.waiting() {
			return false
		}
	}
	return true
}

// TestIdleSocketsAreCheap: an idle socket that has joined a channel holds no buffer, and not much more than an idle stream of
// events. It is not parallel, because memory is counted for the whole process.
func TestIdleSocketsAreCheap(t *testing.T) {
	const subscribers = 500
	join := masked(`["1","1","room","phx_join",{}]`)
	stream := idleBytes(t, SingleChannel, subscribers, func(s *Server, i int) {
		w := &taken{ResponseRecorder: httptest.NewRecorder(), conn: newHeldConn(nil)}
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, fmt.Sprintf("%s?instance=c%d&channel=room", wire.EventsPath, i), http.NoBody))
	})
	socket := idleBytes(t, Channels, subscribers, func(s *Server, _ int) { openSocket(t, s, newHeldConn(append([]byte(nil), join...))) })
	t.Logf("an idle stream costs %d bytes, an idle socket %d", stream, socket)
	if socket > stream+socketBuffer/2 {
		t.Errorf("an idle socket costs %d bytes, an idle stream %d", socket, stream)
	}
}

// BenchmarkPush lets one client push one command at a time on its socket, without the connection: to itself and 99 others.
func BenchmarkPush(b *testing.B) {
	const subscribers = 100
	s, err := New(Options{Design: Channels})
	if err != nil {
		b.Fatal(err)
	}
	join := masked(`["1","1","room","phx_join",{}]`)
	var sender *heldConn
	for range subscribers {
		sender = newHeldConn(append([]byte(nil), join...))
		openSocket(b, s, sender)
	}
	for !s.settled("room", subscribers) {
		runtime.Gosched()
	}
	push := masked(`["1","2","room","say",{"payload":"` + strings.Repeat("x", 200) + `"}]`)
	b.ReportAllocs()
	sent := uint64(0)
	for b.Loop() {
		sender.say <- append([]byte(nil), push...)
		sent++
		for s.counters.Get(DeliveriesWrittenWebSocket) < sent*subscribers {
			runtime.Gosched()
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(sent*subscribers), "ns/delivery")
	for _, st := range s.registry.all() {
		st.cut(CutShutdown)
	}
	s.streams.Wait()
}

// BenchmarkPoll posts one command at a time to a session and polls for its event and its reply, without the connection.
func BenchmarkPoll(b *testing.B) {
	s, err := New(Options{Design: LongPoll})
	if err != nil {
		b.Fatal(err)
	}
	ask := func(method, query, body string) string {
		recorder := httptest.NewRecorder()
		r := httptest.NewRequest(method, phoenix.LongPollPath+"?vsn=2.0.0"+query, strings.NewReader(body))
		if body == "" {
			r.Body, r.ContentLength = http.NoBody, 0
		}
		s.ServeHTTP(recorder, r)
		return recorder.Body.String()
	}
	var p phoenix.Poll
	if err := p.Parse([]byte(ask(http.MethodGet, "", ""))); err != nil {
		b.Fatal(err)
	}
	query := "&token=" + p.Token
	ask(http.MethodPost, query, `["1","1","room","phx_join",{}]`)
	ask(http.MethodGet, query, "")
	push := `["1","2","room","say",{"payload":"` + strings.Repeat("x", 200) + `"}]`
	b.ReportAllocs()
	for b.Loop() {
		ask(http.MethodPost, query, push)
		ask(http.MethodGet, query, "")
	}
	for _, st := range s.registry.all() {
		st.cut(CutShutdown)
	}
	s.streams.Wait()
}
