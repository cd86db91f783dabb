package target_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"holobench/target"
	"holobench/wire"
)

// TestHeartbeat: a comment exactly 15 s after the last write, whatever that was.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{}, nil)
		ann := w.subscribe("ann", "red")
		time.Sleep(40 * time.Second)
		w.say("bob", "red", "1")
		time.Sleep(20 * time.Second)
		synctest.Wait()
		want := []time.Duration{15 * time.Second, 30 * time.Second, 55 * time.Second}
		ann.mu.Lock()
		if !slices.Equal(ann.comments, want) {
			t.Errorf("heartbeats at %v, want %v", ann.comments, want)
		}
		ann.mu.Unlock()
		w.count("heartbeats_written=3 deliveries_written_sse=1")
		w.shutdown()
		time.Sleep(time.Hour)
		w.count("heartbeats_written=3")
	})
}

// TestSlowSubscriberIsCut: one client reads nothing. The others hear every event at the moment of its dispatch; the slow
// one is cut when its outbox is full.
func TestSlowSubscriberIsCut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{OutboxFrames: 16, WriteTimeout: time.Hour}, nil)
		slow := w.dial(request("slow", "red"))
		synctest.Wait()
		fast := w.subscribe("fast", "red")
		payload := strings.Repeat("x", 16<<10)
		const commands = 100 // 1.6 MB: far beyond the connection's 256 KiB and the outbox
		var sent []time.Duration
		for range commands {
			sent = append(sent, time.Since(w.start))
			w.say("bob", "red", payload)
			time.Sleep(time.Second)
		}
		synctest.Wait()
		fast.mu.Lock()
		if len(fast.times) != commands || !slices.Equal(fast.times, sent) {
			t.Errorf("%d events heard at %v, want %d at %v", len(fast.times), fast.times, commands, sent)
		}
		fast.mu.Unlock()
		w.count("cut_outbox_full=1 cut_write_timeout=0 cut_write_error=0 streams_closed=1")

		// The slow one finds all that was counted for it as written, and then a cut, not an end.
		body, err := readStream(slow)
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("the slow stream ended with %v, want %v", err, io.ErrUnexpectedEOF)
		}
		written := int(w.counters.Get(target.DeliveriesWrittenSSE)) - commands
		if whole := strings.Count(body, "\n\n"); whole != written || whole == 0 {
			t.Errorf("the slow client has %d whole events, %d are counted as written", whole, written)
		}
		w.shutdown()
	})
}

// readStream reads a stream from its head to its end.
func readStream(conn io.Reader) (body string, err error) {
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return "", err
	}
	read, err := io.ReadAll(response.Body)
	return string(read), err
}

// TestWriteTimeout: a client whose connection takes nothing for WriteTimeout is cut then, also when its outbox has room.
func TestWriteTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{}, nil)
		slow := w.dial(request("slow", "red"))
		synctest.Wait()
		payload := strings.Repeat("x", 60<<10)
		for range 8 { // 480 KiB into 256
			w.say("bob", "red", payload)
		}
		time.Sleep(10*time.Second - 1)
		w.count("cut_write_timeout=0 streams_closed=0")
		time.Sleep(time.Nanosecond)
		w.count("cut_write_timeout=1 cut_outbox_full=0 streams_closed=1 deliveries_expected=8 deliveries_enqueued_sse=8")
		body, err := readStream(slow)
		if whole := strings.Count(body, "\n\n"); uint64(whole) != w.counters.Get(target.DeliveriesWrittenSSE) || err == nil {
			t.Errorf("the slow client has %d whole events and %v, %d are counted as written",
				whole, err, w.counters.Get(target.DeliveriesWrittenSSE))
		}
		w.shutdown()
	})
}

// TestShutdown: what waits in the outboxes is still written, every stream gets its terminating chunk, a request in flight
// is answered, a connection on which nothing was asked does not hold it up, and nobody new is let in.
func TestShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{}, nil)
		ann := w.subscribe("ann", "red")
		late := w.dial(request("late", "red")) // reads only after the end of the server
		unused := w.dial("")
		body := string(wire.AppendCommandJSON(nil, wire.Command{Channel: "red", Payload: "last"}))
		slowPost := w.dial("POST /command HTTP/1.1\r\nHost: t\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n")
		synctest.Wait()
		w.stop()
		synctest.Wait()
		_, err := w.network.DialContext(t.Context(), "tcp", w.addr)
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dialling while it shuts down: %v, want a refusal", err)
		}
		if _, err = slowPost.Write([]byte(body)); err != nil {
			t.Error(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(slowPost), nil)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Errorf("the request in flight was answered %v, %v", response, err)
		}
		if err = <-w.served; err != nil {
			t.Errorf("Serve = %v", err)
		}
		if took := time.Since(w.start); took >= time.Second {
			t.Errorf("shutting down took %v", took)
		}
		<-ann.done
		if ann.ended != nil {
			t.Errorf("ann's stream ended with %v, want a terminating chunk", ann.ended)
		}
		w.heard("ann", ann, "last")
		if body, err := readStream(late); err != nil || strings.Count(body, `"last"`) != 1 {
			t.Errorf("the late reader got %q, %v", body, err)
		}
		if n, err := unused.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("the unused connection was not closed: %d, %v", n, err)
		}
		w.count("streams_opened=2 streams_closed=2 cut_shutdown=0 deliveries_written_sse=2 commands_accepted=1")
	})
}

// TestShutdownIsBounded: a client that reads nothing is given up after DrainTimeout.
func TestShutdownIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{WriteTimeout: time.Hour, DrainTimeout: 3 * time.Second}, nil)
		slow := w.dial(request("slow", "red"))
		synctest.Wait()
		for range 8 {
			w.say("bob", "red", strings.Repeat("x", 60<<10))
		}
		w.client.CloseIdleConnections()
		synctest.Wait()
		begin := time.Now()
		w.shutdown()
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("shutting down took %v, want 3s", took)
		}
		w.count("cut_shutdown=1 streams_closed=1")
		if _, err := readStream(slow); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("the stream ended with %v, want a cut", err)
		}
	})
}

// TestHTTP10: a stream for HTTP/1.0 has no chunks and ends with its connection.
func TestHTTP10(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{}, nil)
		conn := w.dial("GET /events?instance=ann&channel=red HTTP/1.0\r\n\r\n")
		synctest.Wait()
		w.say("bob", "red", "1")
		w.say("bob", "red", "2")
		time.Sleep(15 * time.Second)
		synctest.Wait()
		w.shutdown()
		raw, err := io.ReadAll(conn)
		head, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
		want := `data: {"channel":"red","name":"message","payload":"1"}` + "\n\n" +
			`data: {"channel":"red","name":"message","payload":"2"}` + "\n\n: heartbeat\n\n"
		if err != nil || !bytes.HasPrefix(head, []byte("HTTP/1.0 200 OK\r\n")) || string(body) != want {
			t.Errorf("read %q, %v", raw, err)
		}
		w.count("deliveries_written_sse=2 heartbeats_written=1")
	})
}

// TestSlowloris: a head that never ends, and a body that never ends, hold a connection for a stated time only.
func TestSlowloris(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, request, answer string
		after                 time.Duration
	}{
		{"nothing at all", "", "", 5 * time.Second},
		{
			"half a head", "GET /events?instance=a&channel=b HTTP/1.1\r\nHost: t\r\nX-", "HTTP/1.1 400 Bad Request",
			5 * time.Second,
		},
		{
			"half a body", "POST /command HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\n{", "HTTP/1.1 408 Request Timeout",
			10 * time.Second,
		},
		{"an idle connection", "GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n", "HTTP/1.1 200 OK", 2 * time.Minute},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, target.Options{}, nil)
				conn := w.dial(test.request)
				raw, err := io.ReadAll(conn)
				line, _, _ := strings.Cut(string(raw), "\r\n")
				if err != nil || line != test.answer {
					t.Errorf("answered %q, %v; want %q", raw, err, test.answer)
				}
				// net/http lingers half a second for the sake of unread bytes when it closes after an answer.
				if took := time.Since(w.start); took < test.after || took > test.after+500*time.Millisecond {
					t.Errorf("the connection was held for %v, want %v", took, test.after)
				}
				w.shutdown()
			})
		})
	}
}
