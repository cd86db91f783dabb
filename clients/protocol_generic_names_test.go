package clients

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/wire"
)

// Events that are named by an id are told apart from what only looks like one, and know when they were due.
func TestGenericMarkings(t *testing.T) {
	t.Parallel()
	for _, by := range []wire.Marking{wire.MarkUUID, wire.MarkInt53, wire.MarkHex16} {
		synctest.Test(t, func(t *testing.T) {
			b, server := newBench(t), new(foreignServer)
			posted := make(chan string, 1)
			server.serve(t, b, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					body, _ := io.ReadAll(r.Body)
					posted <- string(body)
					return
				}
				eventStreamHead(w)
				say(w, ":\n\n")
				mark := <-posted
				stranger := string(wire.AppendMark(nil, by, wire.Marker{Run: testRun, Event: wire.EventID{Publisher: 5, Seq: 99}}))
				say(w, "data: {\"ids\":[12,\""+stranger+"\","+mark+"]}\n\n")
				<-r.Context().Done()
			})
			b.crowd.Wire = Described
			b.crowd.Own.Generic = &Generic{
				Request: step("GET", "/", ""), Framing: FrameSSE, Message: called("message"), Marker: by,
				Publish: &Publish{Step: step("POST", "/", "${marker}")},
			}
			c := b.crowd.NewClient(ClientOptions{ID: 5, Channels: []string{"room"}})
			ctx, cancel := context.WithCancel(t.Context())
			var halves sync.WaitGroup
			halves.Go(func() { c.HoldStream(ctx, nil) })
			halves.Go(func() { c.PostCommands(ctx, t.Context(), nil) })
			synctest.Wait()
			c.Post(1234, &Message{Channel: "room"})
			synctest.Wait()
			cancel()
			halves.Wait()
			if got := b.of(history.Delivered); got.Event != (wire.EventID{Publisher: 5, Seq: 1}) || got.Due != 1234 {
				t.Errorf("%s: delivered %+v", by, got)
			}
			b.expect(t, []string{"0 delivered c5.1"}, history.Delivered, history.Alien)
		})
	}
}

// A login comes before the stream and the commands of every wire, and its session goes with them.
func TestLoginOnThePlainWire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, server := newBench(t), new(foreignServer)
		server.serve(t, b, func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/login":
				http.SetCookie(w, &http.Cookie{Name: "sid", Value: "s1"})
			case wire.EventsPath:
				eventStreamHead(w)
				say(w, ":\n\n")
				<-r.Context().Done()
			default:
				w.WriteHeader(http.StatusAccepted)
			}
		})
		b.crowd.Own.Login = []Step{step("POST", "/login", "")}
		c := b.crowd.NewClient(ClientOptions{ID: 5, Instance: "c5", Channels: []string{"room"}})
		ctx, cancel := context.WithCancel(t.Context())
		var halves sync.WaitGroup
		halves.Go(func() { c.HoldStream(ctx, nil) })
		halves.Go(func() { c.PostCommands(ctx, t.Context(), nil) })
		synctest.Wait()
		c.Post(0, &Message{Channel: "room", Name: "message"})
		synctest.Wait()
		cancel()
		halves.Wait()
		server.mu.Lock()
		defer server.mu.Unlock()
		if len(server.log) != 3 || server.log[0] != "POST /login" || server.log[1] != "GET /events?channel=room&instance=c5 Cookie=sid=s1" ||
			!strings.HasPrefix(server.log[2], "POST /command Cookie=sid=s1 {") {
			t.Errorf("the server was asked %q", server.log)
		}
	})
}

// Commands may go to another place than the stream; what is for the server alone does not go along.
func TestGenericElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t) // it listens at server:80, and its header is for another
		b.crowd.Addr, b.crowd.Wire = "foreign:80", Described
		b.crowd.Own.Generic = &Generic{Publish: &Publish{Step: step("POST", "http://server:80/publish", "${payload}"), Addr: "server:80"}}
		c := b.crowd.NewClient(ClientOptions{ID: 5})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { c.PostCommands(ctx, t.Context(), nil); close(done) }()
		c.Post(0, &Message{Channel: "room"})
		p := <-b.accept
		if r := p.request; r.Host != "server:80" || r.URL.Path != "/publish" || r.Header.Get("X-Team") != "" {
			t.Errorf("asked for %s at %s with %v", r.URL, r.Host, r.Header)
		}
		io.WriteString(p, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		synctest.Wait()
		cancel()
		<-done
		b.expect(t, []string{"0 sent c5.1", "0 replied c5.1"}, history.Sent, history.Replied, history.Unknown, history.Refused)
	})
}

func TestToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		token := Token{Key: plainText("secret"), Claims: plainText(`{"sub":"${client}"}`), TTL: time.Hour}
		names := func(dst []byte, name string) ([]byte, bool) { return append(dst, '7'), name == "client" }
		signed, ok := token.sign([]byte("Bearer "), names, new(keyring))
		parts := strings.Split(strings.TrimPrefix(string(signed), "Bearer "), ".")
		if !ok || len(parts) != 3 {
			t.Fatalf("signed %q", signed)
		}
		var claims map[string]any
		if err := json.Unmarshal(unbase64(t, parts[1]), &claims); err != nil || claims["sub"] != "7" || claims["exp"] != float64(time.Now().Add(time.Hour).Unix()) {
			t.Errorf("claims %v, %v", claims, err)
		}
		if string(unbase64(t, parts[0])) != `{"alg":"HS256","typ":"JWT"}` || !bytes.Equal(unbase64(t, parts[2]), hmacOf("secret", parts[0]+"."+parts[1])) {
			t.Errorf("signed %q", signed)
		}
		if _, ok := token.sign(nil, func(dst []byte, _ string) ([]byte, bool) { return dst, false }, new(keyring)); ok {
			t.Error("it signs what it does not know")
		}
	})
}

func unbase64(t *testing.T, text string) []byte {
	t.Helper()
	out, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func hmacOf(key, text string) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
