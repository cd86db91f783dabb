package clients

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/wire/http1"
)

// plainText is a Text that knows ${name}; package scenarios has more.
func plainText(text string) Text {
	return func(dst []byte, names Names) (out []byte, missing string) {
		for rest := text; ; {
			before, behind, ok := strings.Cut(rest, "${")
			dst = append(dst, before...)
			if !ok {
				return dst, missing
			}
			name, after, _ := strings.Cut(behind, "}")
			if dst, ok = names(dst, name); !ok && missing == "" {
				missing = name
			}
			rest = after
		}
	}
}

func named(pairs ...string) []Named {
	var all []Named
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, Named{Name: pairs[i], Value: plainText(pairs[i+1])})
	}
	return all
}

// found picks by a regular expression with one group.
func found(pattern string) Pick {
	compiled := regexp.MustCompile(pattern)
	return func(text []byte, _ []http1.Field) ([]byte, bool) {
		groups := compiled.FindSubmatch(text)
		if groups == nil {
			return nil, false
		}
		return groups[1], true
	}
}

func success(status int) bool { return status >= 200 && status <= 299 }

func called(names ...string) Rule {
	return func(name string, _ []byte) bool { return slices.Contains(names, name) }
}

// step is a request; body "" = none.
func step(method, url, body string, captures ...Capture) Step {
	s := Step{Where: method + " " + url, Method: method, URL: plainText(url), Takes: success, Captures: captures}
	if body != "" {
		s.Body = plainText(body)
	}
	return s
}

// foreign is a server of somebody's own, and what it was asked.
type foreignServer struct {
	mu  sync.Mutex
	log []string
}

// serve answers at server:80 by that handler, and notes each request.
func (f *foreignServer) serve(t *testing.T, b *bench, handle http.HandlerFunc) {
	t.Helper()
	listener, err := b.network.Listen("foreign:80")
	if err != nil {
		t.Fatal(err)
	}
	b.crowd.Addr, b.crowd.Header = "foreign:80", nil
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		line := r.Method + " " + r.URL.RequestURI()
		for _, name := range []string{"Cookie", "Last-Event-ID", "If-None-Match", "X-Session"} {
			if value := r.Header.Get(name); value != "" {
				line += " " + name + "=" + value
			}
		}
		if len(body) > 0 {
			line += " " + string(body)
		}
		f.mu.Lock()
		f.log = append(f.log, line)
		f.mu.Unlock()
		handle(w, r)
	})}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
}

func (f *foreignServer) expect(t *testing.T, want ...string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Equal(f.log, want) {
		t.Errorf("the server was asked\n  %s\nwant\n  %s", strings.Join(f.log, "\n  "), strings.Join(want, "\n  "))
	}
}

// say writes parts of a stream, each at once.
func say(w http.ResponseWriter, parts ...string) {
	for _, part := range parts {
		io.WriteString(w, part)
		w.(http.Flusher).Flush()
	}
}

func eventStreamHead(w http.ResponseWriter) { w.Header().Set("Content-Type", "text/event-stream") }

// serveStream serves streams that bring what the test puts into stream, and hands the bodies of all other requests to post.
func (f *foreignServer) serveStream(t *testing.T, b *bench, stream <-chan string, post func(w http.ResponseWriter, body string)) {
	t.Helper()
	f.serve(t, b, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			body, _ := io.ReadAll(r.Body)
			post(w, string(body))
			return
		}
		eventStreamHead(w)
		say(w, ":hi\n\n")
		for text := range stream {
			say(w, text)
		}
	})
}

// chatServer is a server with everything in it: a login by form, a stream that wants a POST, a ping that wants an answer.
func chatServer(events string) http.HandlerFunc {
	streams, answered := 0, make(chan bool, 3)
	return func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/login":
			if r.Method == http.MethodGet {
				io.WriteString(w, `<input name="csrf" value="t0ken">`)
				return
			}
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: "s1"})
			http.Redirect(w, r, "/home", http.StatusFound)
		case "/token":
			io.WriteString(w, "once")
		case "/stream":
			streams++
			eventStreamHead(w)
			if streams == 1 {
				say(w, ":hi\n\n", "event: hello\nid: 1\ndata: {\"id\":\"c9\"}\n\n")
				<-answered
				say(w, "event: noise\ndata: x\n\nevent: ping\ndata: 7\n\n")
				<-answered
				say(w, events)
				return
			}
			say(w, "event: hello\ndata: {\"id\":\"c10\"}\n\n")
			<-r.Context().Done()
		case "/join", "/pong/7":
			answered <- true
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}
}

// chat is how one speaks to a chatServer.
func chat() *Generic {
	return &Generic{
		Before:     []Step{step("POST", "/token", "", Capture{"ticket", found("(.*)")})},
		Request:    step("GET", "/stream?t=${ticket}&c=${channel}", ""),
		Framing:    FrameSSE,
		Ready:      &Awaited{called("hello"), []Capture{{"connection", found(`"id":"(.*?)"`)}}},
		After:      []Step{step("POST", "/join", "${connection}")},
		Resume:     named("Last-Event-ID", "${last_id}"),
		Pause:      Pause{Least: 100 * time.Millisecond, Most: time.Second, Factor: 2},
		Ignore:     []Rule{called("noise")},
		React:      []Reaction{{Awaited{called("ping"), []Capture{{"beat", found("(.*)")}}}, step("POST", "/pong/${beat}", "")}},
		Disconnect: []Rule{called("bye")},
		Message:    called("message", "chat"),
		Payload:    found(`"body":"(.*?)"`),
		Publish:    &Publish{Step: step("POST", "/say", `{"to":"${channel}","text":"${payload}"}`)},
	}
}

func TestGenericBrowser(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, server := newBench(t), new(foreignServer)
		server.serve(t, b, chatServer("event: chat\nid: 5\ndata: {\"body\":\""+markerOf(7, 1)+"\"}\n\n"+
			"event: strange\ndata: x\n\n"+
			"event: chat\ndata: {\"no\":\""+markerOf(7, 2)+"\"}\n\n"+
			"event: bye\ndata: x\n\n"))
		b.crowd.Wire = Described
		b.crowd.Own = Own{
			Login: []Step{
				step("GET", "/login", "", Capture{"csrf", found(`value="(.*?)"`)}),
				{Where: "login[2]", Method: "POST", URL: plainText("/login"), Form: named("csrf", "${csrf}", "user", "user-${client}"), Takes: success},
			},
			Teardown: []Step{step("DELETE", "/session", "")},
			Know:     func(dst []byte, _ uint32, name string) ([]byte, bool) { return append(dst, '3'), name == "client" },
			Generic:  chat(),
		}
		c := b.crowd.NewClient(ClientOptions{ID: 2, Channels: []string{"room"}})
		ctx, cancel := context.WithCancel(t.Context())
		ready, ended := make(chan bool, 9), make(chan error, 1)
		go func() { ended <- c.HoldStream(ctx, func() { ready <- true }) }()
		for range 2 { // the server ends the first stream
			select {
			case <-ready:
			case err := <-ended:
				t.Fatalf("HoldStream says %v", err)
			}
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := c.Leave(t.Context()); err != nil {
			t.Error(err)
		}
		server.expect(t,
			"GET /login", "POST /login csrf=t0ken&user=user-3", "GET /home Cookie=sid=s1",
			"POST /token Cookie=sid=s1", "GET /stream?t=once&c=room Cookie=sid=s1", "POST /join Cookie=sid=s1 c9", "POST /pong/7 Cookie=sid=s1",
			"POST /token Cookie=sid=s1", "GET /stream?t=once&c=room Cookie=sid=s1 Last-Event-ID=5", "POST /join Cookie=sid=s1 c10",
			"DELETE /session Cookie=sid=s1",
		)
		b.expect(t, []string{
			"0 heartbeat", "0 heartbeat", "0 subscribed", "0 heartbeat", "0 heartbeat", "0 delivered c7.1",
			`0 alien: unknown event "strange"`, "0 alien: no marker", "0 heartbeat",
			"0 ended: an event said that the stream is over", "100 heartbeat", "100 subscribed",
		}, history.Subscribed, history.Delivered, history.Alien, history.Heartbeat, history.Ended)
	})
}

// A login that fails is why there is no stream; the error names the request, and no part of the answer.
func TestGenericLoginFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			status int
			step   Step
			want   string
		}{
			{403, step("POST", "/login", "hunter2"), "POST /login: the server answered with status 403"},
			{200, step("POST", "/login", "", Capture{"token", found("(nowhere)")}), `POST /login: the answer (status 200) has nothing for the name "token"`},
			{200, step("POST", "/login/${user}", ""), `POST /login/${user}: nothing is known under the name "user" yet`},
		} {
			b, server := newBench(t), new(foreignServer)
			server.serve(t, b, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(test.status); io.WriteString(w, "secret") })
			b.crowd.Own.Login = []Step{test.step} // on whatever wire
			err := b.crowd.NewClient(ClientOptions{Channels: []string{"room"}}).HoldStream(t.Context(), nil)
			if refused, ok := errors.AsType[*RefusedError](err); !ok || refused.Error() != test.want {
				t.Errorf("HoldStream says %v, want %s", err, test.want)
			}
		}
	})
}

func TestGenericLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, server := newBench(t), new(foreignServer)
		server.serve(t, b, func(w http.ResponseWriter, r *http.Request) {
			say(w, "{\"m\":\""+markerOf(7, 1)+"\"}\n\r\n{\"m\":\"hb1", markerOf(7, 2)[3:]+"\"}\n")
			<-r.Context().Done()
		})
		b.crowd.Wire, b.crowd.Own.Generic = Described, &Generic{Request: step("GET", "/lines", ""), Framing: FrameNDJSON, Message: called("message")}
		ctx, cancel := context.WithCancel(t.Context())
		ended := b.hold(ctx)
		synctest.Wait()
		cancel()
		<-ended
		b.expect(t, []string{"0 subscribed", "0 delivered c7.1", "0 heartbeat", "0 delivered c7.2"},
			history.Subscribed, history.Delivered, history.Alien, history.Heartbeat)
	})
}

func TestGenericLongPoll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, server := newBench(t), new(foreignServer)
		polls := 0
		server.serve(t, b, func(w http.ResponseWriter, r *http.Request) {
			polls++
			w.Header().Set("Etag", fmt.Sprint(polls))
			switch {
			case polls == 2:
				w.WriteHeader(http.StatusNotModified)
			case polls < 4:
				io.WriteString(w, markerOf(7, uint32(polls)))
			default:
				<-r.Context().Done()
			}
		})
		b.crowd.Wire = Described
		b.crowd.Own.Generic = &Generic{
			Request: step("GET", "/poll", ""), Framing: FrameLongPoll, Resume: named("If-None-Match", "${header.etag}"), Message: called("message"),
		}
		b.crowd.Own.Generic.Request.Takes = func(status int) bool { return status == 200 }
		ctx, cancel := context.WithCancel(t.Context())
		ended := b.hold(ctx)
		synctest.Wait()
		cancel()
		<-ended
		server.expect(t, "GET /poll", "GET /poll If-None-Match=1", "GET /poll If-None-Match=2", "GET /poll If-None-Match=3")
		b.expect(t, []string{"0 subscribed", "0 delivered c7.1", "0 delivered c7.3"}, history.Subscribed, history.Delivered, history.Alien, history.Ended)
	})
}

// An answer that has no other end than its connection's is one all the same.
func TestGenericLongPollUntilTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, server := newBench(t), new(foreignServer)
		polls := 0
		server.serve(t, b, func(w http.ResponseWriter, r *http.Request) {
			if polls++; polls > 2 {
				<-r.Context().Done()
			}
			w.Header().Set("Transfer-Encoding", "identity") // which net/http takes for "until the connection ends"
			io.WriteString(w, markerOf(7, uint32(polls)))
		})
		b.crowd.Wire = Described
		b.crowd.Own.Generic = &Generic{Request: step("GET", "/poll", ""), Framing: FrameLongPoll, Message: called("message")}
		ctx, cancel := context.WithCancel(t.Context())
		ended := b.hold(ctx)
		synctest.Wait() // it comes back each time
		cancel()
		<-ended
		b.expect(t, []string{"0 subscribed", "0 delivered c7.1", "0 ended: end of stream", "0 subscribed", "0 delivered c7.2", "0 ended: end of stream", "0 subscribed"},
			history.Subscribed, history.Delivered, history.Alien, history.Ended)
	})
}

// An answer in parts is delivered part by part, and the command is over behind the one that ends it.
func TestGenericParts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, server := newBench(t), new(foreignServer)
		server.serve(t, b, func(w http.ResponseWriter, r *http.Request) {
			eventStreamHead(w)
			for _, part := range []string{"data: a\n\n", "data: b\n\n", "event: done\ndata: c\n\n"} {
				say(w, part)
				select {
				case <-time.After(10 * time.Millisecond):
				case <-r.Context().Done():
				}
			}
			<-r.Context().Done() // it never says that it has ended
		})
		b.crowd.Wire = Described
		b.crowd.Own.Generic = &Generic{Publish: &Publish{Step: step("POST", "/prompt", "${payload}"), Parts: true, End: called("done")}}
		c := b.crowd.NewClient(ClientOptions{ID: 4})
		posting, hang := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { c.PostCommands(posting, t.Context(), nil); close(done) }()
		c.Post(0, &Message{Channel: "room", Name: "prompt"})
		time.Sleep(time.Second)
		hang()
		<-done
		b.expect(t, []string{"0 delivered c4.1", "10 delivered c4.1", "20 delivered c4.1", "20 replied c4.1"}, history.Delivered, history.Replied, history.Unknown)
		b.mu.Lock()
		defer b.mu.Unlock()
		part := uint32(0)
		for _, o := range b.seen {
			if o.Kind == history.Delivered {
				if part++; o.Part != part || o.Path != history.Reply {
					t.Errorf("part %d is %+v", part, o)
				}
			}
		}
	})
}
