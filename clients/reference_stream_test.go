package clients_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"holobench/clients"
	"holobench/history"
	"holobench/wire"
)

// storyServer plays one answer after the other to those who ask for a stream, and remembers what they said.
type storyServer struct {
	*httptest.Server
	mu      sync.Mutex
	answers []func(w http.ResponseWriter, r *http.Request)
	ids     []string // Last-Event-ID of each
}

func newStoryServer(t *testing.T, answers ...func(w http.ResponseWriter, r *http.Request)) *storyServer {
	t.Helper()
	s := &storyServer{answers: answers}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		answer := s.answers[0]
		s.answers = s.answers[1:]
		s.ids = append(s.ids, r.Header.Get("Last-Event-ID"))
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// askedBehind is the Last-Event-ID of each request so far.
func (s *storyServer) askedBehind() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ids)
}

// says is an event of the wire json that bears a marker.
func says(seq uint32) string {
	marker := wire.AppendMarker(nil, wire.Marker{Run: 0xabc, Event: wire.EventID{Publisher: 7, Seq: seq}})
	return fmt.Sprintf("id: %d\ndata: %s\n\n", seq, wire.AppendEventJSON(nil, wire.Event{Channel: "room", Payload: string(marker)}))
}

func streams(text string) func(w http.ResponseWriter, r *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		fmt.Fprint(w, text)
		http.NewResponseController(w).Flush()
	}
}

// holdByReference lets a client hold its stream by the reference engine, and returns what it saw until it gave up, or until it had seen
// so many deliveries.
func holdByReference(t *testing.T, server *storyServer, enough int) (seen []history.Observation, said []string, gaveUp error) {
	t.Helper()
	names := new(history.Names)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mu sync.Mutex
	crowd := &clients.Crowd{
		Addr: server.Listener.Addr().String(), Run: 0xabc, Epoch: time.Now().UnixNano(), Names: names, Dial: tcpDial, Retry: time.Millisecond,
		Observe: func(batch []history.Observation) {
			mu.Lock()
			defer mu.Unlock()
			for _, o := range batch {
				line := o.Kind.String()
				if o.Kind == history.Delivered {
					line += fmt.Sprint(" ", o.Event.Seq)
					if enough--; enough == 0 {
						cancel()
					}
				}
				if o.Err != history.NoErr {
					line += ": " + names.Name(uint32(o.Err))
				}
				seen, said = append(seen, o), append(said, line)
			}
		},
	}
	client := crowd.NewClient(clients.ClientOptions{ID: 1, Channels: []string{"room"}, Engine: clients.EngineReference})
	gaveUp = client.HoldStream(ctx, nil)
	return seen, said, gaveUp
}

// A client of the reference engine sees the same as any other, comes back as it does, and does not say when an event came.
func TestReferenceHoldsStreams(t *testing.T) {
	t.Parallel()
	server := newStoryServer(t, streams(says(1)+says(2)), streams(says(3)), func(w http.ResponseWriter, r *http.Request) {
		streams(says(4))(w, r)
		panic(http.ErrAbortHandler)
	}, func(w http.ResponseWriter, r *http.Request) {
		streams(says(5))(w, r)
		<-r.Context().Done()
	})
	seen, said, err := holdByReference(t, server, 5)
	want := []string{
		"opened", "subscribed", "delivered 1", "delivered 2", "ended: end of stream", "opened", "subscribed", "delivered 3", "ended: end of stream",
		"opened", "subscribed", "delivered 4", "ended: cut in mid-message", "opened", "subscribed", "delivered 5", "closed",
	}
	if err != nil || !slices.Equal(said, want) {
		t.Errorf("%v; seen %q, want %q", err, said, want)
	}
	if ids, want := server.askedBehind(), []string{"", "2", "3", "4"}; !slices.Equal(ids, want) {
		t.Errorf("went on behind %q, want %q", ids, want)
	}
	asked := map[uint32]int64{}
	for _, o := range seen {
		if o.Kind == history.Subscribed {
			asked[o.Conn] = o.NotBefore
		}
		if o.Kind == history.Delivered && (o.NotBefore != asked[o.Conn] || o.At != o.Handled || o.At <= o.NotBefore || o.Path != history.SSE) {
			t.Errorf("event %d came by %s in (%d, %d], handled at %d; it was asked for at %d", o.Event.Seq, o.Path, o.NotBefore, o.At, o.Handled, asked[o.Conn])
		}
	}
}

func TestReferenceIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		answer func(w http.ResponseWriter, r *http.Request)
		want   string
		final  bool
	}{
		{func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, "ended: http 503", true},
		{func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }, "ended: not an event stream", true},
		{func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, "ended: redirected", false},
		{func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			streams("x")(w, r)
		}, "ended: the body is encoded, and nobody asked for that", false},
		{func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "ended: end of stream", false},
		{func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				fmt.Fprint(conn, "nothing of HTTP\r\n\r\n")
				conn.Close()
			}
		}, "ended: protocol error", false},
	} {
		server := newStoryServer(t, c.answer, func(w http.ResponseWriter, r *http.Request) {
			streams(says(1))(w, r)
			<-r.Context().Done()
		})
		_, said, err := holdByReference(t, server, 1)
		refused, is := errors.AsType[*clients.RefusedError](err)
		if len(said) < 2 || said[1] != c.want || is != c.final || !c.final && (err != nil || !slices.Contains(said, "delivered 1")) {
			t.Errorf("%v, %v: seen %q, want %q", err, refused, said, c.want)
		}
	}
}
