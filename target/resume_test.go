package target_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"holobench/target"
)

// stream asks for events with a query of its own and checks what came: controls first, then "payload/id".
func (w *world) checkStream(query, lastEventID, wantControls, want string) {
	w.t.Helper()
	header := ""
	if lastEventID != "" {
		header = "Last-Event-ID: " + lastEventID + "\r\n"
	}
	s := w.open("GET /events?" + query + " HTTP/1.1\r\nHost: t\r\n" + header + "\r\n")
	payloads := s.payloads()
	for i := range payloads {
		payloads[i] += "/" + s.ids[i]
	}
	if got := strings.Join(payloads, " "); got != want {
		w.t.Errorf("%s after %q: heard %q, want %q", query, lastEventID, got, want)
	}
	if got := strings.Join(s.controls, " "); got != wantControls {
		w.t.Errorf("%s after %q: told %q, want %q", query, lastEventID, got, wantControls)
	}
	s.conn.Reset()
	<-s.done
	synctest.Wait() // until the server knows
}

// TestResume asks one log from everywhere.
func TestResume(t *testing.T) {
	t.Parallel()
	for _, design := range []target.Design{target.SingleChannel, target.Sequenced} {
		t.Run(string(design), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, target.Options{Design: design, Knobs: target.Knobs{Replay: 4}}, nil)
				w.checkStream("instance=a&channel=red", "", "", "")
				w.checkStream("instance=a&channel=red", "0", "", "")
				for n := range 6 { // of which 3 to 6 are kept
					w.say("", "red", fmt.Sprint("e", n+1))
				}
				const all = "e3/3 e4/4 e5/5 e6/6"
				for _, test := range []struct{ query, lastEventID, controls, want string }{
					{"", "", "", ""},
					{"", "6", "", ""},
					{"", "5", "", "e6/6"},
					{"", "2", "", all},
					{"", "1", `gap {"channel":"red","from":2,"first":3}`, all},
					{"", "0", `gap {"channel":"red","from":1,"first":3}`, all},
					{"", "7", `gap {"channel":"red","from":8,"first":3}`, all}, // of another life of this channel
					{"", "9223372036854775807", `gap {"channel":"red","from":9223372036854775808,"first":3}`, all},
					{"&from=5", "", "", "e5/5 e6/6"},
					{"&from=7", "", "", ""},
					{"&from=0", "", `gap {"channel":"red","from":1,"first":3}`, all},
					{"&from=3", "5", "", "e6/6"}, // who comes back has the newer knowledge
				} {
					w.checkStream("instance=a&channel=red"+test.query, test.lastEventID, test.controls, test.want)
				}
				w.count("gaps_found=5 controls_written=5 deliveries_replayed=28 deliveries_expected=0 streams_superseded=0 " +
					"deliveries_enqueued_sse=28 deliveries_written_sse=28")
				w.shutdown()
			})
		})
	}
}

// TestResumeOfSeveralChannels: one id names a place in each of them, also when only one of them moves.
func TestResumeOfSeveralChannels(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.SingleChannel}, nil)
		w.say("", "blue", "b1")
		w.say("", "red", "r1")
		ann := w.newSession("ann", "red", "blue", "red")
		if ann.cut(); ann.streams[0].lastID != "1,1" {
			t.Errorf("before its first event the stream is at %q, want 1,1", ann.streams[0].lastID)
		}
		w.say("", "blue", "b2")
		ann.resume()
		w.say("", "blue", "b3")
		w.say("", "red", "r2")
		synctest.Wait()
		ann.cut()
		w.say("", "red", "r3")
		w.say("", "blue", "b4")
		w.say("", "red", "r4")
		ann.resume()
		got := payloadsOf(ann.events())
		if want := []string{"b2", "b3", "r2", "r3", "r4", "b4"}; !slices.Equal(got, want) {
			t.Errorf("heard %v, want %v", got, want)
		}
		if last := ann.streams[2]; !slices.Equal(last.ids, []string{"3,3", "4,3", "4,4"}) {
			t.Errorf("the last stream has the ids %v", last.ids)
		}
		w.checkStream("instance=bob&channel=blue&channel=red&from=4&from=3", "", "", "b4/4,2 r3/4,3 r4/4,4")
		w.shutdown()
	})
}

// TestResumeRefused: what makes no sense is refused, and not taken for something else.
func TestResumeRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ design, query, lastEventID, want string }{
		{"single-channel", "channel=a", "x", `Last-Event-ID "x" is no number of an event`},
		{"single-channel", "channel=a", "-1", `Last-Event-ID "-1" is no number of an event`},
		{"single-channel", "channel=a", "9223372036854775808", `Last-Event-ID "9223372036854775808" is no number of an event`},
		{"single-channel", "channel=a", "1,2", "Last-Event-ID has 2 numbers for 1 channels"},
		{"single-channel", "channel=a&channel=b", "1", "Last-Event-ID has 1 numbers for 2 channels"},
		{"sequenced", "channel=a&from=", "", `from "" is no number of an event`},
		{"sequenced", "channel=a&channel=a&from=1&from=2", "", "from has 2 numbers for 1 channels"},
		{"hologram", "channel=a&from=1", "", `this node keeps no events: it cannot begin at number "1"`},
	} {
		t.Run(test.want, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, target.Options{Design: target.Design(test.design)}, nil)
				conn := w.dial("GET /events?instance=i&" + test.query + " HTTP/1.1\r\nHost: t\r\nLast-Event-ID: " + test.lastEventID + "\r\n\r\n")
				response, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(response.Body)
				if got := strings.TrimSpace(string(body)); err != nil || response.StatusCode != 400 || got != test.want {
					t.Errorf("answered %d %q, %v; want 400 %q", response.StatusCode, got, err, test.want)
				}
				w.count("streams_refused=1 streams_opened=0")
				_ = conn.Close()
				w.shutdown()
			})
		})
	}
}

// TestReplayCuresA8 turns one knob of the design hologram: what is sent while a client reconnects is lost without it, and so is
// its own event (A6). What its reply told it is not told again.
func TestReplayCuresA8(t *testing.T) {
	t.Parallel()
	for replay, want := range map[int]string{0: "1 3", 100: "1 2 sent without a stream 3"} {
		t.Run(fmt.Sprint("replay ", replay), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, target.Options{Wire: target.JSON, Knobs: target.Knobs{Replay: replay}}, nil)
				ann := w.newSession("ann", "red")
				w.say("bob", "red", "1")
				synctest.Wait()
				w.say("ann", "red", "known from the reply")
				ann.cut()
				synctest.Wait()
				w.say("bob", "red", "2")
				w.say("ann", "red", "sent without a stream") // A6
				ann.resume()
				w.say("bob", "red", "3")
				if got := strings.Join(payloadsOf(ann.events()), " "); got != want {
					t.Errorf("heard %q, want %q", got, want)
				}
				w.shutdown()
			})
		})
	}
}

// TestLogsAreBounded: the channel that nobody heard or used for longest goes, its numbers never come again, and who hears a
// channel keeps it.
func TestLogsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.Sequenced, MaxLogs: 2}, nil)
		post := func(channel string) (int, string) {
			response, err := w.client.Post("http://"+w.addr+"/command", "", strings.NewReader(`{"channel":"`+channel+`","payload":"p"}`))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Error(err)
			}
			return response.StatusCode, strings.TrimSpace(string(body))
		}
		ann := w.newSession("ann", "heard")
		for _, test := range []struct {
			channel string
			status  int
			body    string
		}{
			{"a", 200, `{"seq":1}`},
			{"a", 200, `{"seq":2}`},
			{"heard", 200, `{"seq":1}`},
			{"b", 200, `{"seq":3}`},
			{"a", 200, `{"seq":4}`}, // b had number 3: what is begun now cannot be taken for what a was
		} {
			if status, body := post(test.channel); status != test.status || body != test.body {
				t.Errorf("%s was answered %d %s, want %d %s", test.channel, status, body, test.status, test.body)
			}
		}
		w.checkStream("instance=x&channel=a", "2", `gap {"channel":"a","from":3,"first":4}`, "p/4")
		bob := w.newSession("bob", "a")
		const full = "this node keeps the events of as many channels as it may"
		if status, body := post("c"); status != 503 || body != full {
			t.Errorf("a third channel was answered %d %s, want 503 %s", status, body, full)
		}
		refused := w.dial("GET /events?" + url.Values{"instance": {"x"}, "channel": {"a", "c"}}.Encode() + " HTTP/1.1\r\nHost: t\r\n\r\n")
		response, err := http.ReadResponse(bufio.NewReader(refused), nil)
		if err != nil || response.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("a stream of a third channel was answered %v, %v; want 503", response, err)
		}
		_ = refused.Close()
		bob.cut()
		synctest.Wait()
		if status, body := post("c"); status != 200 || body != `{"seq":5}` {
			t.Errorf("when there is room again it was answered %d %s", status, body)
		}
		if got := payloadsOf(ann.events()); !slices.Equal(got, []string{"p"}) {
			t.Errorf("ann heard %v", got)
		}
		w.count("commands_rejected=1 streams_refused=1")
		w.shutdown()
	})
}
