package target_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holobench/target"
	"holobench/wire"
	"holobench/wire/phoenix"
)

// pollSocket is one connection by which a client of long polling sends everything.
type pollSocket struct {
	t      *testing.T
	conn   net.Conn
	reader *bufio.Reader
	token  string
}

func newPollSocket(t *testing.T, conn net.Conn) *pollSocket {
	t.Helper()
	c := &pollSocket{t: t, conn: conn, reader: bufio.NewReader(conn)}
	c.send(c.get(""))
	if p := c.answer(); p.Status != http.StatusGone || p.Token == "" {
		t.Fatalf("a session was opened with %d and the token %q", p.Status, p.Token)
	} else {
		c.token = "&token=" + p.Token
	}
	return c
}

// get and post are the texts of requests; fields are lines.
func (c *pollSocket) get(fields string) string {
	return "GET " + pollPath + c.token + " HTTP/1.1\r\nHost: t\r\n" + fields + "\r\n"
}

func (c *pollSocket) post(message string) string {
	return fmt.Sprintf("POST %s%s HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n%s", pollPath, c.token, len(message), message)
}

func (c *pollSocket) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, text); err != nil {
		c.t.Fatal(err)
	}
}

// answer reads the answer to one request.
func (c *pollSocket) answer() (p phoenix.Poll) {
	c.t.Helper()
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || response.ContentLength != int64(len(body)) {
		c.t.Fatalf("answered %d %q: %v", response.StatusCode, body, err)
	}
	if date, err := http.ParseTime(response.Header.Get("Date")); err != nil || time.Since(date) > time.Minute ||
		response.Header.Get("Content-Type") != "application/json" || response.Header.Get("Cache-Control") != "no-store" {
		c.t.Errorf("answered with the head %v", response.Header)
	}
	if err := p.Parse(body); err != nil {
		c.t.Fatal(err)
	}
	return p
}

// told is what an answer says: its status and what it brings.
func (c *pollSocket) told() string {
	c.t.Helper()
	p := c.answer()
	words := []string{strconv.Itoa(p.Status)}
	for _, text := range p.Messages {
		var m phoenix.Message
		if err := m.Parse(text); err != nil {
			c.t.Fatal(err)
		}
		if m.Event == phoenix.EventReply {
			words = append(words, m.Ref)
			continue
		}
		words = append(words, said([]string{string(text)})...)
	}
	return strings.Join(words, " ")
}

const (
	joinRed   = `["1","1","red","phx_join",{}]`
	sayRed    = `["1","2","red","say",{"payload":"one"}]`
	heartbeat = `[null,"3","phoenix","heartbeat",{}]`
)

// TestPollsOnOneConnection: polls, messages and more come by one connection, one after the other and all at once, whole and in
// pieces: each is answered, in its order.
func TestPollsOnOneConnection(t *testing.T) {
	t.Parallel()
	for _, transport := range []target.Transport{target.HTTP1, target.H2C} {
		t.Run(string(transport), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, target.Options{Design: target.LongPoll, Transport: transport}, nil)
				c := newPollSocket(t, w.dial(""))
				get := c.get("X-More: a\r\n")
				for i, test := range []struct {
					send []string // with a second between them
					want []string
				}{
					{[]string{c.post(joinRed)}, []string{"200"}},
					{[]string{get}, []string{"200 1"}},
					{[]string{c.post(sayRed)}, []string{"200"}},
					{[]string{get}, []string{"200 one 2"}},
					{[]string{get, c.post(heartbeat), get}, []string{"204", "200", "200 3"}}, // who pipelines has to wait
					{[]string{get + c.post(heartbeat) + get + get}, []string{"204", "200", "200 3", "204"}},
					{[]string{get[:20], get[20:] + c.post(heartbeat)[:70], c.post(heartbeat)[70:] + get}, []string{"204", "200", "200 3"}},
					{[]string{c.post(heartbeat) + strings.Replace(get, "vsn", "a=%62&vsn", 1)}, []string{"200", "200 3"}},
					{[]string{c.post(heartbeat), strings.Replace(get, c.token, "", 1) + get}, []string{"200", "410", "200 3"}},
					{[]string{get, strings.Replace(c.get("X-Phoenix-Longpoll-Token: "+c.token[len("&token="):]+"\r\n"), c.token, "", 1)}, []string{"204", "204"}},
					{[]string{c.post(heartbeat), c.get("Connection: close\r\n")}, []string{"200", "200 3"}},
				} {
					for n, text := range test.send {
						if n > 0 {
							time.Sleep(time.Second)
						}
						c.send(text)
						synctest.Wait()
					}
					for n, want := range test.want {
						if got := c.told(); got != want {
							t.Errorf("%d: answer %d is %q, want %q", i, n, got, want)
						}
					}
				}
				if n, err := c.reader.Read(make([]byte, 1)); n > 0 || err != io.EOF {
					t.Errorf("after its last answer the connection brought %d bytes, %v", n, err)
				}
				w.count("polls_failed=0 replies_failed=0 commands_accepted=1 deliveries_written_poll=1")
				w.shutdown()
			})
		})
	}
}

// TestPollConnectionsEnd: those that say nothing, those that say nonsense or not all of it, and those that take nothing.
func TestPollConnectionsEnd(t *testing.T) {
	t.Parallel()
	options := target.Options{Design: target.LongPoll, IdleTimeout: 30 * time.Second, ReadTimeout: 8 * time.Second, WriteTimeout: 3 * time.Second}
	for name, test := range map[string]struct {
		send  string
		after time.Duration // the last answer
		says  string        // the connection, before it ends
	}{
		"silence":         {"", 30 * time.Second, ""},
		"a part":          {"GET /sock", 4 * time.Second, "HTTP/1.1 400 Bad Request"}, // as net/http does it, for a head
		"nonsense":        {"what?\r\n\r\n", 0, "HTTP/1.1 400 Bad Request"},
		"another version": {"GET /socket/longpoll?vsn=1.0.0 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n", 0, "HTTP/1.1 400 Bad Request"},
		"a poll with a body": {
			"GET " + pollPath + " HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", 0, "HTTP/1.1 400 Bad Request",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, options, nil)
				c := newPollSocket(t, w.dial(""))
				c.send(c.get("") + c.get(""))
				if got := c.told() + " " + c.told(); got != "204 204" {
					t.Errorf("answered %s", got)
				}
				began := time.Now()
				c.send(test.send)
				got, err := io.ReadAll(c.reader)
				if took := time.Since(began); took != test.after || err != nil || !strings.HasPrefix(string(got), test.says) || (test.says == "") != (len(got) == 0) {
					t.Errorf("after %v it ended with %q, %v; want %v and %q", took, got, err, test.after, test.says)
				}
				w.shutdown()
			})
		})
	}
}

// TestPollThatIsNotRead: an answer that its client does not take is lost after a while, and counted; the session goes on.
func TestPollThatIsNotRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.LongPoll, WriteTimeout: 3 * time.Second}, nil)
		w.network.BufferBytes = 4 << 10
		c := newPollSocket(t, w.dial(""))
		c.send(c.post(joinRed) + c.get(""))
		if got := c.told() + " " + c.told(); got != "200 200 1" {
			t.Errorf("answered %s", got)
		}
		c.send(c.get(""))
		w.say("", "red", strings.Repeat("x", 10<<10))
		time.Sleep(time.Second)
		w.say("", "red", "two")
		w.count("polls_failed=0 deliveries_written_poll=0")
		time.Sleep(2 * time.Second)
		w.count("polls_failed=1 deliveries_written_poll=0")
		other := *c
		other.conn = w.dial(c.get(""))
		other.reader = bufio.NewReader(other.conn)
		if got := other.told(); got != "200 two" {
			t.Errorf("the next poll was answered %s", got)
		}
		if _, err := io.ReadAll(c.reader); err != nil {
			t.Errorf("what was not read ended with %v", err)
		}
		w.shutdown()
	})
}

// TestLongPollTransports: a session over each transport: what comes, the window, and a poll that waits at the end.
func TestLongPollTransports(t *testing.T) {
	t.Parallel()
	for _, transport := range target.Transports() {
		t.Run(string(transport), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newCarried(t, target.Options{Design: target.LongPoll, Transport: transport}, nil)
				token := ""
				ask := func(body string) (p phoenix.Poll) {
					method := http.MethodGet
					if body != "" {
						method = http.MethodPost
					}
					request, err := http.NewRequestWithContext(t.Context(), method, w.base+pollPath+token, strings.NewReader(body))
					if err != nil {
						t.Fatal(err)
					}
					response, err := w.client.Do(request)
					if err != nil {
						t.Error(err)
						return p
					}
					defer func() { _ = response.Body.Close() }()
					read, err := io.ReadAll(response.Body)
					if err = errors.Join(err, p.Parse(read)); err != nil {
						t.Errorf("%q: %v", read, err)
					}
					return p
				}
				token = "&token=" + ask("").Token
				for range 3 { // one connection, that changes hands
					ask(joinRed)
					ask("")
				}
				took := elapsed(func() {
					if got := ask("").Status; got != http.StatusNoContent {
						t.Errorf("a poll for nothing was answered %d", got)
					}
				})
				if took != 10*time.Second {
					t.Errorf("a poll for nothing took %v", took)
				}
				time.AfterFunc(time.Second, func() { ask(sayRed) })
				heard := 0
				for heard < 2 { // the event, and the reply to its command, which may come with it
					p := ask("")
					if p.Status != http.StatusOK || heard == 0 && !slices.Equal(said([]string{string(p.Messages[0])}), []string{"one"}) {
						t.Fatalf("a poll was answered %d %q", p.Status, p.Messages)
					}
					heard += len(p.Messages)
				}
				last := make(chan int, 1)
				go func() { last <- ask("").Status }()
				synctest.Wait()
				w.shutdown()
				if got := <-last; got != http.StatusGone {
					t.Errorf("the poll that waited at the end was answered %d", got)
				}
				w.count("streams_opened=1 streams_closed=1 cut_shutdown=0 polls_failed=0 deliveries_written_poll=1")
			})
		})
	}
}

// TestPollsOnFullSockets sends bursts that overflow the sockets, on a real network, so that answers are taken in part: each client
// has every event whole and in order.
func TestPollsOnFullSockets(t *testing.T) {
	t.Parallel()
	const sessions, bursts, each, size = 3, 6, 40, 6 << 10
	server, err := target.New(target.Options{Design: target.LongPoll, OutboxFrames: 1 << 16, OutboxBytes: 1 << 28})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, narrowListener{l}) }()
	clients := make([]*pollSocket, sessions)
	for i := range clients {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		clients[i] = newPollSocket(t, conn)
		clients[i].send(clients[i].post(`["1","1","room","phx_join",{}]`) + clients[i].get(""))
		if got := clients[i].told() + " " + clients[i].told(); got != "200 200 1" {
			t.Fatalf("joining was answered %s", got)
		}
	}
	for burst := range bursts {
		for n := range each {
			payload := fmt.Sprint(burst*each+n, strings.Repeat(" x", size/2))
			if err := server.Publish(t.Context(), wire.Event{Channel: "room", Name: "say", Payload: payload}, ""); err != nil {
				t.Fatal(err)
			}
		}
		for i, c := range clients {
			for next := burst * each; next < (burst+1)*each; {
				c.send(c.get(""))
				for _, text := range c.answer().Messages {
					payload := strings.Join(said([]string{string(text)}), "")
					if number, _, _ := strings.Cut(payload, " "); number != strconv.Itoa(next) || len(payload) < size {
						t.Fatalf("client %d heard %.20q of %d bytes, want %d", i, payload, len(payload), next)
					}
					next++
				}
			}
		}
	}
	for _, c := range clients {
		c.send(c.get(""))
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	for _, c := range clients {
		if rest, err := io.ReadAll(c.reader); err != nil && len(rest) > 0 {
			t.Errorf("at the end the connection brought %q, %v", rest, err)
		}
	}
	if got := server.Counters().Get(target.DeliveriesWrittenPoll); got != sessions*bursts*each {
		t.Errorf("%d deliveries are counted as written, want %d", got, sessions*bursts*each)
	}
}
