package target_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/target"
	"holobench/wire"
	"holobench/wire/phoenix"
)

// TestLongPollSamples walks through a session as it was measured on a real server.
func TestLongPollSamples(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.LongPoll}, nil)
		ann := w.longPoll()
		for _, test := range []struct {
			send []string
			want string
		}{
			{[]string{`["1","1","room:1","phx_join",{}]`}, `["1","1","room:1","phx_reply",{"response":{},"status":"ok"}]`},
			{
				[]string{`["1","2","room:1","new_msg",{"payload":"hi"}]`, `[null,"3","phoenix","heartbeat",{}]`},
				`[null,null,"room:1","new_msg",{"payload":"hi"}] ["1","2","room:1","phx_reply",{"response":{},"status":"ok"}] ` +
					`[null,"3","phoenix","phx_reply",{"response":{},"status":"ok"}]`,
			},
			{
				[]string{`[null,"11","room:2","new_msg",{}]`},
				`[null,"11","room:2","phx_reply",{"response":{"reason":"unmatched topic"},"status":"error"}]`,
			},
			{[]string{`["1","4","room:1","crash",{}]`}, `["1","1","room:1","phx_error",{}]`},
			{
				[]string{`["5","5","room:1","phx_join",{}]`, `["5","6","room:1","phx_leave",{}]`},
				`["5","5","room:1","phx_reply",{"response":{},"status":"ok"}] ["5","6","room:1","phx_reply",{"response":{},"status":"ok"}] ` +
					`["5","5","room:1","phx_close",{}]`,
			},
		} {
			ann.post(test.send...)
			status, texts := ann.poll()
			if got := strings.Join(texts, " "); status != http.StatusOK || got != test.want {
				t.Errorf("%q was answered %d\n     %s\nwant %s", test.send, status, got, test.want)
			}
		}
		w.count("commands_received=1 commands_accepted=1 deliveries_expected=1 deliveries_enqueued_poll=1 deliveries_written_poll=1 " +
			"deliveries_written_sse=0 controls_written=8 streams_opened=1 streams_closed=0 heartbeats_written=0")
		if took := time.Since(w.start); took != 0 {
			t.Errorf("it took %v", took)
		}
		w.shutdown()
		w.count("streams_closed=1 cut_shutdown=0")
	})
}

// TestLongPollWindow: a poll waits for 10 s, or for what comes, or for a newer poll; a session lives for 15 s without one.
func TestLongPollWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.LongPoll}, nil)
		ann := w.longPoll()
		ann.post(`["1","1","red","phx_join",{}]`)
		ann.poll()
		status, texts := 0, []string(nil)
		poll := func() { status, texts = ann.poll() }
		if took := elapsed(poll); took != 10*time.Second || status != http.StatusNoContent || texts != nil {
			t.Errorf("a poll for nothing took %v and was answered %d %q", took, status, texts)
		}
		time.AfterFunc(3*time.Second, func() { w.say("", "red", "1") })
		if took := elapsed(poll); took != 3*time.Second || status != http.StatusOK || !slices.Equal(said(texts), []string{"1"}) {
			t.Errorf("a poll for an event took %v and was answered %d %q", took, status, texts)
		}
		older := make(chan int, 1)
		go func() {
			first, _ := ann.poll()
			older <- first
		}()
		synctest.Wait()
		time.Sleep(time.Second)
		time.AfterFunc(time.Second, func() { w.say("", "red", "2") })
		if took := elapsed(poll); took != time.Second || !slices.Equal(said(texts), []string{"2"}) || <-older != http.StatusNoContent {
			t.Errorf("a newer poll took %v and was answered %d %q", took, status, texts)
		}
		time.Sleep(14*time.Second - 1) // a second is over since that poll came
		w.say("", "red", "3")
		w.count("streams_closed=0")
		poll()
		if !slices.Equal(said(texts), []string{"3"}) {
			t.Errorf("after a long while without a poll it was answered %d %q", status, texts)
		}
		time.Sleep(15 * time.Second)
		old := ann.token
		w.count("streams_closed=1 streams_idle=1 deliveries_expected=3 deliveries_written_poll=3")
		if code, body := ann.request(http.MethodPost, "", `[null,"3","phoenix","heartbeat",{}]`); code != 200 || body != `{"status":410}` {
			t.Errorf("a POST to a session that is over was answered %d %s", code, body)
		}
		if poll(); status != http.StatusGone || ann.token == old || ann.token == "" {
			t.Errorf("a poll of a session that is over was answered %d with the token %q, before %q", status, ann.token, old)
		}
		w.shutdown()
	})
}

// TestLongPollWindowIsAnOption: also one that is longer than all that net/http would allow.
func TestLongPollWindowIsAnOption(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.LongPoll, PollWindow: time.Hour}, nil)
		ann := w.longPoll()
		status := 0
		if took := elapsed(func() { status, _ = ann.poll() }); took != time.Hour || status != http.StatusNoContent {
			t.Errorf("the poll took %v and was answered %d", took, status)
		}
		time.Sleep(30*time.Minute - 1)
		w.count("streams_idle=0")
		time.Sleep(time.Second)
		w.count("streams_idle=1")
		w.shutdown()
	})
}

// TestLongPollIsOneFIFO: four publishers post as fast as they can, one of them in batches, and everybody polls. To each client
// everything comes in one order: those of each publisher in the order in which it sent them, none lost, none twice, and the
// reply to a command behind its event.
func TestLongPollIsOneFIFO(t *testing.T) {
	t.Parallel()
	for _, dispatch := range []target.Dispatch{target.Concurrent, target.Serialized} {
		t.Run(string(dispatch), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				publishers, commands, subscribers := load()
				if !*verify {
					subscribers = 8 // each poll is a request
				}
				w := newWorld(t, target.Options{
					Design: target.LongPoll, Knobs: target.Knobs{Dispatch: dispatch}, OutboxFrames: 1 << 20, OutboxBytes: 1 << 30,
				}, nil)
				all := make([]*pollClient, subscribers)
				for i := range all {
					all[i] = w.longPoll()
					all[i].post(`["1","1","room","phx_join",{}]`)
					all[i].run().await(`["1","1","room","phx_reply",{"response":{},"status":"ok"}]`)
				}
				push := func(p, n int) string {
					return fmt.Sprintf(`["1","%d","room","say",{"payload":"%d.%02d"}]`, n, p, n)
				}
				w.publish(publishers, commands, func(p, n int) {
					switch {
					case p > 0:
						all[p].post(push(p, n))
					case n%5 == 0: // five at once
						var batch []string
						for i := n; i < min(n+5, commands); i++ {
							batch = append(batch, push(p, i))
						}
						all[p].post(batch...)
					}
				})
				var first []string
				for i, c := range all {
					heard := said(c.heardTexts())
					checkFIFO(t, i, heard)
					if len(heard) != publishers*commands {
						t.Errorf("client %d heard %d events, want %d", i, len(heard), publishers*commands)
					}
					if i == 0 {
						first = heard
					} else if dispatch == target.Serialized && !slices.Equal(heard, first) {
						t.Errorf("client %d heard another order than client 0", i)
					}
					checkPollReplies(t, i, c.heardTexts(), i < publishers, commands)
				}
				total := publishers * commands * subscribers
				w.count(fmt.Sprintf("commands_accepted=%d deliveries_expected=%d deliveries_written_poll=%d polls_failed=0",
					publishers*commands, total, total))
				w.shutdown()
				for _, c := range all {
					<-c.done
				}
			})
		})
	}
}

// checkPollReplies wants one reply to each command of a publisher, in their order, each behind its event.
func checkPollReplies(t *testing.T, i int, texts []string, publishes bool, commands int) {
	t.Helper()
	heard, replies := map[string]bool{}, -1 // the first reply is that to the join
	for _, text := range texts {
		var m phoenix.Message
		if err := m.Parse([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if m.Event != phoenix.EventReply {
			heard[strings.Join(said([]string{text}), "")] = true
			continue
		}
		if replies >= 0 && (m.Ref != strconv.Itoa(replies) || !heard[fmt.Sprintf("%d.%02d", i, replies)]) {
			t.Errorf("client %d: reply %d has the ref %s, or comes before its event", i, replies, m.Ref)
		}
		replies++
	}
	if publishes && replies != commands || !publishes && replies != 0 {
		t.Errorf("client %d got %d replies", i, replies)
	}
}

// TestLongPollRefusals: what is wrong with a request is said by the status of HTTP.
func TestLongPollRefusals(t *testing.T) {
	t.Parallel()
	post := func(path, header, body string) string {
		return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: t\r\n%sContent-Length: %d\r\n\r\n%s", path, header, len(body), body)
	}
	const heartbeat, ndjson = `[null,"3","phoenix","heartbeat",{}]`, "Content-Type: application/x-ndjson\r\n"
	for _, test := range []rule{
		{"no vsn", "GET /socket/longpoll HTTP/1.1\r\nHost: t\r\n\r\n", 400, `vsn is ""; only vsn=2.0.0 is spoken here`, ""},
		{"version 1", post("/socket/longpoll?vsn=1.0.0", "", heartbeat), 400, `vsn is "1.0.0"; only vsn=2.0.0 is spoken here`, ""},
		{"bad query", post("/socket/longpoll?vsn=%zz", "", heartbeat), 400, `reading the query: invalid URL escape "%zz"`, ""},
		{"DELETE", "DELETE " + pollPath + " HTTP/1.1\r\nHost: t\r\n\r\n", 405, "/socket/longpoll takes GET, POST only", "Allow: GET, POST"},
		{"a poll with a body", "GET " + pollPath + " HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\n\r\nx", 400, "a poll has no body", ""},
		{"no session", post(pollPath, "", heartbeat), 200, `{"status":410}`, "Content-Type: application/json"},
		{"unknown token", post(pollPath+"&token=x", "", heartbeat), 200, `{"status":410}`, "Cache-Control: no-store"},
		{
			"no message", post(pollPath, "", "{}"), 400,
			"reading a Phoenix message: at byte 0: '{' where '[' was expected", "",
		},
		{"an empty batch", post(pollPath, ndjson, ""), 400, "reading a Phoenix batch: it is empty; send one message a line", ""},
		{
			"a batch that is too big", post(pollPath, ndjson, strings.Repeat(heartbeat+"\n", 101)), 400,
			"reading a Phoenix batch: it has 101 lines; send at most 100 messages in one POST", "",
		},
		{"a batch as big as may be", post(pollPath, ndjson, strings.Repeat(heartbeat+"\n", 100)), 200, `{"status":410}`, ""},
		{
			"a long payload", post(pollPath, "", `["1","2","t","say",{"payload":"`+strings.Repeat("x", 64<<10)+`"}]`), 413,
			"a payload has at most 65536 bytes", "",
		},
		{
			"a long body", post(pollPath, "", strings.Repeat(" ", 1<<20+1)), 413,
			"the messages of one POST have at most 1048576 bytes", "Connection: close",
		},
		{"broken chunks", "POST " + pollPath + " HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "the body ended early or is malformed", ""},
		{
			"a body that never ends", "POST " + pollPath + " HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\n[", 408,
			"the messages did not arrive within 10s", "",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, target.Options{Design: target.LongPoll}, nil)
				conn := w.dial("")
				go func() { _, _ = conn.Write([]byte(test.request)) }() // a long one does not go into the connection at once
				response, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(response.Body)
				name, value, _ := strings.Cut(test.header, ": ")
				got := response.Header.Get(name)
				if name == "Connection" && response.Close {
					got = "close"
				}
				if text := strings.TrimSpace(string(body)); err != nil || response.StatusCode != test.status || text != test.body || got != value {
					t.Errorf("answered %d %q %v, %v; want %d %q", response.StatusCode, text, response.Header, err, test.status, test.body)
				}
				_ = conn.Close()
				w.count("streams_opened=0 commands_received=0")
				w.shutdown()
			})
		})
	}
}

// TestLongPollTokenInTheHeader: as Phoenix 1.8 has it.
func TestLongPollTokenInTheHeader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.LongPoll}, nil)
		ann := w.longPoll()
		body := `[null,"3","phoenix","heartbeat",{}]`
		conn := w.dial("POST " + pollPath + " HTTP/1.1\r\nHost: t\r\nConnection: close\r\nX-Phoenix-Longpoll-Token: " + ann.token +
			"\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body)
		if answer, err := io.ReadAll(conn); err != nil || !strings.HasSuffix(string(answer), `{"status":200}`) {
			t.Errorf("answered %q, %v", answer, err)
		}
		if _, texts := ann.poll(); len(texts) != 1 {
			t.Errorf("the session was brought %q", texts)
		}
		w.shutdown()
	})
}

// TestLongPollSlowClient: a session whose client does not come is full one day; then it is cut, or loses the oldest, or has the
// newest value of each key, as the knob says, and nobody else hears less.
func TestLongPollSlowClient(t *testing.T) {
	t.Parallel()
	for whenFull, want := range map[target.WhenFull]string{
		target.CutStream: "", target.DropOldest: "12 13 14 15 16 17 18 19", target.Coalesce: "18 19",
	} {
		t.Run(string(whenFull), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, target.Options{
					Design: target.LongPoll, Knobs: target.Knobs{WhenFull: whenFull}, OutboxFrames: 8,
				}, nil)
				slow, fast := w.longPoll(), w.longPoll()
				for _, c := range []*pollClient{slow, fast} {
					c.post(`["1","1","red","phx_join",{}]`)
					c.poll()
				}
				fast.run()
				var sent []string
				for n := range 20 {
					payload := strconv.Itoa(n)
					sent = append(sent, payload)
					w.post(wire.Command{Channel: "red", Name: "say", Payload: payload, Key: strconv.Itoa(n % 2)})
					synctest.Wait()
				}
				if got := said(fast.heardTexts()); !slices.Equal(got, sent) {
					t.Errorf("the fast client heard %q", got)
				}
				status, texts := slow.poll()
				if got := strings.Join(said(texts), " "); got != want || (want == "") != (status == http.StatusGone) {
					t.Errorf("the slow client was answered %d and heard %q, want %q", status, got, want)
				}
				figures := map[target.WhenFull]string{
					target.CutStream: "cut_outbox_full=1", target.DropOldest: "outbox_dropped=12", target.Coalesce: "outbox_coalesced=18",
				}
				w.count(figures[whenFull])
				w.shutdown()
			})
		})
	}
}

// TestLongPollShutdown: a poll that waits is told at once, what waits for a poll is lost and counted, and it takes no window.
func TestLongPollShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.LongPoll}, nil)
		polling, pausing, empty := w.longPoll(), w.longPoll(), w.longPoll()
		for _, c := range []*pollClient{polling, pausing} {
			c.post(`["1","1","red","phx_join",{}]`)
			c.poll()
		}
		polling.run()
		w.say("", "red", "1")
		synctest.Wait()
		w.shutdown()
		<-polling.done
		if got := said(polling.heardTexts()); !slices.Equal(got, []string{"1"}) || polling.ended != http.StatusGone || polling.token != "" {
			t.Errorf("who polled heard %q and was told %d", got, polling.ended)
		}
		if status, _ := empty.poll(); status != 0 {
			t.Errorf("a poll after the end was answered %d", status)
		}
		w.count("streams_opened=3 streams_closed=3 cut_shutdown=1 deliveries_expected=2 deliveries_written_poll=1")
		if took := time.Since(w.start); took >= time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// TestLongPollSessionsAreBounded: as any stream.
func TestLongPollSessionsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.LongPoll, MaxStreams: 2}, nil)
		w.longPoll()
		time.Sleep(time.Second)
		w.longPoll()
		late := &pollClient{w: w}
		if code, body := late.request(http.MethodGet, "", ""); code != http.StatusServiceUnavailable ||
			strings.TrimSpace(body) != "this node holds as many streams as it may" {
			t.Errorf("the third session was answered %d %s", code, body)
		}
		time.Sleep(14 * time.Second) // the first one ends
		synctest.Wait()
		w.longPoll()
		w.count("streams_opened=3 streams_refused=1 streams_idle=1")
		w.shutdown()
	})
}

// TestLongPollBusySession: a POST waits for the one before it, but not for ever.
func TestLongPollBusySession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{
			Design: target.LongPoll, WriteTimeout: time.Minute, Pause: func(*wire.Event) { time.Sleep(12 * time.Second) },
		}, nil)
		ann := w.longPoll()
		ann.post(`["1","1","red","phx_join",{}]`)
		ann.run()
		var wg sync.WaitGroup
		wg.Go(func() { ann.post(`["1","2","red","say",{"payload":"1"}]`) })
		wg.Go(func() {
			time.Sleep(time.Second)
			if code, body := ann.request(http.MethodPost, "", `["1","3","red","say",{"payload":"2"}]`); code != 200 || body != `{"status":408}` {
				t.Errorf("it was answered %d %s", code, body)
			}
		})
		wg.Go(func() {
			time.Sleep(3 * time.Second)
			ann.post(`["1","4","red","say",{"payload":"3"}]`)
		})
		wg.Wait()
		if got := said(ann.heardTexts()); !slices.Equal(got, []string{"1", "3"}) {
			t.Errorf("heard %q", got)
		}
		w.shutdown()
	})
}

// TestLongPollClientThatGoes: a poll whose client has gone takes nothing with it; the next one brings what came meanwhile.
func TestLongPollClientThatGoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.LongPoll}, nil)
		ann := w.longPoll()
		ann.post(`["1","1","red","phx_join",{}]`)
		ann.poll()
		conn := w.dial("GET " + pollPath + "&token=" + ann.token + " HTTP/1.1\r\nHost: t\r\n\r\n")
		time.Sleep(time.Second)
		_ = conn.Close()
		synctest.Wait()
		w.say("", "red", "1")
		if status, texts := ann.poll(); status != http.StatusOK || !slices.Equal(said(texts), []string{"1"}) {
			t.Errorf("the next poll was answered %d %q", status, texts)
		}
		w.count("polls_failed=0 streams_closed=0")
		w.shutdown()
	})
}
