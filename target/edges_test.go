package target_test

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"holobench/internal/memnet"
	"holobench/target"
	"holobench/wire"
)

// fromListener has connections come from addresses of its own, in turn.
type fromListener struct {
	net.Listener

	from     []string
	accepted int
}

// Accept is called by one goroutine, that of http.Server.Serve.
func (l *fromListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.accepted++
	return &fromConn{Conn: conn, from: memnet.Addr(l.from[(l.accepted-1)%len(l.from)])}, nil
}

type fromConn struct {
	net.Conn

	from net.Addr
}

func (c *fromConn) RemoteAddr() net.Addr { return c.from }

// TestLimitOfStreamsPerAddress: the third stream of one address is refused while another address is let in, on each wire that
// holds something open, and a place is free again when a stream has ended.
func TestLimitOfStreamsPerAddress(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, request string
		options       target.Options
	}{
		{"events", get("?instance=&channel=red"), target.Options{}},
		{"a socket", socketRequest, target.Options{Design: target.Channels}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				test.options.MaxStreamsPerAddress = 2
				w := newWorld(t, test.options, func(l net.Listener) net.Listener {
					const same, other = "[2001:db8:1:2::%d]:1", "192.0.2.7:1"
					return &fromListener{Listener: l, from: []string{
						strings.Replace(same, "%d", "1", 1), strings.Replace(same, "%d", "2", 1), strings.Replace(same, "%d", "3", 1), other,
						strings.Replace(same, "%d", "4", 1),
					}}
				})
				ask := func(number string) (*memnet.Conn, *http.Response) {
					conn := w.dial(strings.Replace(test.request, "instance=&", "instance="+number+"&", 1))
					response, err := http.ReadResponse(bufio.NewReader(conn), nil)
					if err != nil {
						t.Fatal(err)
					}
					return conn, response
				}
				first, _ := ask("1")
				second, _ := ask("2")
				third, refused := ask("3")
				body, _ := io.ReadAll(refused.Body)
				const want = "2001:db8:1:2::/64 holds 2 streams, as many as one address may\n"
				if refused.StatusCode != http.StatusTooManyRequests || refused.Header.Get("Retry-After") != "1" || string(body) != want {
					t.Errorf("the third stream was answered %s %v %q", refused.Status, refused.Header, body)
				}
				fourth, elsewhere := ask("4")
				if elsewhere.StatusCode >= http.StatusBadRequest {
					t.Errorf("another address was answered %s", elsewhere.Status)
				}
				w.count("streams_opened=3 streams_refused=1")
				_ = first.Close()
				synctest.Wait()
				fifth, _ := ask("5")
				w.count("streams_opened=4 streams_refused=1")
				for _, conn := range []*memnet.Conn{second, third, fourth, fifth} {
					_ = conn.Close()
				}
				w.shutdown()
			})
		})
	}
}

// TestDribble: a head that comes byte by byte, each in good time, is held no longer than one that does not come at all.
func TestDribble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{}, nil)
		conn := w.dial("GET /events?instance=a&channel=b HTTP/1.1\r\nHost: t\r\nX-A: ")
		ended := make(chan time.Duration, 1)
		go func() {
			_, _ = io.Copy(io.Discard, conn) // an answer, or a reset because more was written behind it
			ended <- time.Since(w.start)
		}()
		for sent := range 100 {
			if _, err := conn.Write([]byte("x")); err != nil {
				break
			}
			if sent == 99 {
				t.Error("100 s of a head were taken")
			}
			time.Sleep(time.Second)
		}
		if took := <-ended; took < 5*time.Second || took > 6*time.Second {
			t.Errorf("the connection was held for %v, want 5 s", took)
		}
		w.count("streams_opened=0")
		w.shutdown()
	})
}

// TestNothingForeignInTheLog: whatever a client writes into path, header, names and body, a line of the log is a line of ours,
// and holds no character that a terminal obeys.
func TestNothingForeignInTheLog(t *testing.T) {
	t.Parallel()
	const hostile = "\x1b]0;owned\x07\x1b[2J\u202e\u0085level=ERROR msg=forged"
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&lockedWriter{w: &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
		w := newWorld(t, target.Options{Logger: logger, OutboxFrames: 1, WriteTimeout: time.Second}, nil)
		escaped := strings.NewReplacer("\x1b", "%1b", "\x07", "%07", " ", "%20").Replace(hostile)
		for _, request := range []string{
			"GET /" + escaped + " HTTP/1.1\r\nHost: t\r\n\r\n",
			"GET /" + hostile + " HTTP/1.1\r\nHost: t\r\n\r\n",
			"GET /healthz HTTP/1.1\r\nHost: " + hostile + "\r\n\r\n",
			"GET /healthz HTTP/1.1\r\nHost: t\r\nX-" + hostile + ": a\r\n\r\n",
			"GET /healthz HTTP/1.1\r\nHost: t\r\nX: " + hostile + "\r\nLast-Event-ID: " + hostile + "\r\n\r\n",
			hostile + " / HTTP/1.1\r\nHost: t\r\n\r\n",
			"GET /events?instance=" + escaped + "&channel=" + escaped + " HTTP/1.1\r\nHost: t\r\n\r\n",
			"POST /command HTTP/1.1\r\nHost: t\r\nContent-Type: " + hostile + "\r\nContent-Length: 2\r\n\r\n{}",
			"POST /command HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: " + hostile + "\r\n\r\n",
			postJSON(`{"channel":"` + hostile + `"}`), postJSON(hostile),
		} {
			conn := w.dial(request)
			time.Sleep(20 * time.Second)
			_ = conn.Close()
		}
		// What may stand in a name (a line end may not) is logged when a stream is cut.
		const allowed = "a\u202eb\u2028c\"d level=ERROR"
		slow := w.dial(request(allowed, "red"))
		synctest.Wait()
		for range 8 {
			w.say("bob", "red", strings.Repeat("x", 60<<10))
		}
		time.Sleep(time.Minute)
		_ = slow.Close()
		w.shutdown()
		text := log.String()
		if !strings.Contains(text, `instance="a\u202eb\u2028c\"d level=ERROR"`) {
			t.Errorf("the cut is not logged, or its instance not quoted:\n%s", text)
		}
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			if !strings.HasPrefix(line, "time=") || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("the log has the line %q", line)
			}
			if unquoted := outsideQuotes(line); strings.Count(unquoted, "level=") != 1 {
				t.Errorf("somebody else's words stand as ours in %q", line)
			}
		}
	})
}

// outsideQuotes is what stands outside of quoted values.
func outsideQuotes(line string) string {
	var out strings.Builder
	quoted := false
	for i := 0; i < len(line); i++ {
		switch {
		case quoted && line[i] == '\\':
			i++
		case line[i] == '"':
			quoted = !quoted
		case !quoted:
			out.WriteByte(line[i])
		}
	}
	return out.String()
}

// TestRequestsWhileItDrains: a node that stops refuses what is new in a way that tells clients to come back, while it ends the
// streams that it has; the idle ones at once, and the one that takes nothing after DrainTimeout.
func TestRequestsWhileItDrains(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{DrainTimeout: 3 * time.Second, WriteTimeout: time.Hour}, nil)
		slow := w.dial(request("slow", "red"))
		synctest.Wait()
		for range 8 {
			w.say("bob", "red", strings.Repeat("x", 60<<10))
		}
		ann := w.subscribe("ann", "blue")
		w.client.CloseIdleConnections()
		synctest.Wait()
		w.stop()
		time.Sleep(time.Second)
		<-ann.done
		if ann.ended != nil {
			t.Errorf("ann's stream ended with %v, want a clean end", ann.ended)
		}
		for _, path := range []string{wire.EventsPath + "?instance=late&channel=red", wire.HealthPath, "/"} {
			answer := httptest.NewRecorder()
			w.server.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
			if answer.Code != http.StatusServiceUnavailable || answer.Header().Get("Retry-After") != "1" {
				t.Errorf("GET %s while it drains: %d %v", path, answer.Code, answer.Header())
			}
		}
		if err := <-w.served; err != nil {
			t.Errorf("Serve = %v", err)
		}
		w.count("streams_opened=2 streams_closed=2 cut_shutdown=1")
		_ = slow.Close()
	})
}
