package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"holobench/history"
	"holobench/run"
)

// What a trial met is said a line each, and what is wrong has a remedy; a secret and control characters are not shown.
func TestPrintTrial(t *testing.T) {
	t.Parallel()
	const s, ms = time.Second, time.Millisecond
	stream := run.Exchange{
		ForStream: true, Streams: true, Method: "GET", Path: "/rooms/s3cr3t", Asked: ms, Head: 5 * ms, Body: 2 * s, Status: 200, Version: "HTTP/1.1", Chunked: true,
		ContentType: "text/event-stream",
	}
	refused := func(status int, kind string) run.Exchange {
		return run.Exchange{ForStream: true, Method: "GET", Path: "/x", Asked: ms, Head: 3 * ms, Status: status, Version: "HTTP/1.1", ContentType: kind}
	}
	sent := run.Exchange{Marked: true, Method: "POST", Path: "/say", Asked: 2 * s, Head: 2*s + 4*ms, Status: 200, Version: "HTTP/1.1"}
	tests := []struct {
		name  string
		trial run.Trial
		good  bool
		want  []string
	}{
		{"a stream, and nothing else", run.Trial{Exchanges: []run.Exchange{stream}, Ready: 6 * ms, Lasted: 31 * s, Beats: []time.Duration{10 * s, 20 * s, 30 * s}}, true, []string{
			`stream       open after 5 ms: GET "/rooms/***": 200 after 4 ms, "text/event-stream"`, "http         HTTP/1.1, in chunks", "compression  none; holobench asks for none",
			"buffering    none seen: the head came 1.995 s before anything else did", "heartbeat    every 10 s (3 seen)", "end          still open after 31 s",
		}},
		{"an end", run.Trial{Exchanges: []run.Exchange{stream}, Ready: 6 * ms, Lasted: 90 * s, Ends: []run.TrialEnd{{At: 60 * s, After: 60 * s, Why: "end of stream"}}}, true, []string{
			"heartbeat    none in 90 s", "end          after 60 s, not by the client: end of stream (1 end in all)",
		}},
		{"by reply and stream", run.Trial{
			Exchanges: []run.Exchange{stream, sent}, Ready: 6 * ms, Lasted: 3 * s, Sends: true, Sent: 2 * s, Settled: 2*s + 4*ms,
			Events: []run.TrialEvent{{Name: "said\x1b", Began: 2*s + 5*ms, At: 2*s + 5*ms, Found: []string{"body"}}},
			Heard:  []run.TrialHeard{{Path: history.Reply, First: 2*s + 4*ms, Times: 1}, {Path: history.SSE, First: 2*s + 5*ms, Times: 2}},
		}, true, []string{
			`command      POST "/say": 200 after 4 ms`, `marker       by the stream, in the event "said\x1b", at body`,
			"self-echo    by the reply, once, 4 ms after it was sent; by the stream (sse), 2 times, 5 ms after it was sent",
		}},
		{"no marker", run.Trial{
			Exchanges: []run.Exchange{stream, sent}, Ready: 6 * ms, Lasted: 3 * s, Sends: true, Sent: 2 * s, Settled: 2*s + 4*ms,
			Events: []run.TrialEvent{{At: 2 * s}}, Unknown: []run.Counted{{What: `unknown event "joined"`, Times: 3}},
		}, false, []string{`marker       NOT FOUND, in 1 event: "message"`, "remedy: does the app pass on what ${payload} stands in?", `unknown      unknown event "joined": 3 times`}},
		{"nothing came", run.Trial{Exchanges: []run.Exchange{stream, sent}, Ready: 6 * ms, Lasted: 3 * s, Sends: true, Sent: 2 * s, Settled: 2*s + 4*ms}, false, []string{
			"marker       NOT FOUND: nothing came by the stream", "remedy: does the client listen where it sends to?",
		}},
		{"in the wrong place", run.Trial{
			Exchanges: []run.Exchange{stream, sent}, Ready: 6 * ms, Lasted: 3 * s, Sends: true, Sent: 2 * s, Settled: 2*s + 4*ms, Events: []run.TrialEvent{{Name: "other", At: 2 * s, Found: []string{"a.b"}}},
		}, false, []string{`marker       by the stream, in the event "other", at a.b`, "remedy: the marker came, but not where the protocol file looks for it"}},
		{"no reply", run.Trial{Exchanges: []run.Exchange{stream}, Ready: 6 * ms, Lasted: 3 * s, Sends: true, Sent: 2 * s}, false, []string{"command      NO REPLY: sent", "remedy: it had no reply within 1 s"}},
		{"compressed", run.Trial{Exchanges: []run.Exchange{{ForStream: true, Streams: true, Method: "GET", Path: "/", Asked: ms, Head: ms, Status: 200, Version: "HTTP/1.1", Encoding: "gzip"}}}, false, []string{
			`compression  "gzip", though nobody asked for it`, "remedy: turn it off for this path",
		}},
		{"unauthorised", run.Trial{Exchanges: []run.Exchange{refused(401, "")}}, false, []string{`stream  NOT OPEN: GET "/x": 401 after 2 ms`, "remedy: it wants to know who asks: server.login"}},
		{"elsewhere", run.Trial{Exchanges: []run.Exchange{refused(302, "")}}, false, []string{"remedy: the server sends the client elsewhere"}},
		{"a page", run.Trial{Exchanges: []run.Exchange{refused(200, "text/html")}}, false, []string{"remedy: that is a page and no stream"}},
		{"a server that fails", run.Trial{Exchanges: []run.Exchange{refused(503, "")}}, false, []string{"remedy: the server itself fails"}},
		{"never ready", run.Trial{Exchanges: []run.Exchange{stream}, Events: []run.TrialEvent{{Name: "hello"}}}, false, []string{`remedy: the stream came, with the events "hello", but none by which it is ready: see subscribe.ready`}},
		{"a command is refused", run.Trial{
			Exchanges: []run.Exchange{stream, {Marked: true, Method: "POST", Path: "/say", Asked: 2 * s, Head: 2*s + ms, Status: 400, Said: "{\"error\":\"no room \x1b s3cr3t\", \"csrf_token\": \"abc\"}"}},
			Ready:     6 * ms, Lasted: 3 * s, Sends: true, Sent: 2 * s, Settled: 2*s + ms, Outcome: "http 400",
		}, false, []string{`command      FAILED: POST "/say": 400 after 1 ms: http 400`, `it says: {"error":"no room ***", "csrf_token": *** remedy: compare publish.request`}},
		{"a long refusal", run.Trial{Exchanges: []run.Exchange{{ForStream: true, Method: "GET", Path: "/x", Asked: ms, Head: 3 * ms, Status: 403, Said: strings.Repeat("é", 98) + "s3cr3t is what you sent"}}}, false, []string{
			"it says: " + strings.Repeat("é", 98) + "*** ... remedy: it wants", // 200 bytes, and no part of the secret
		}},
		{"login fails", run.Trial{Exchanges: []run.Exchange{{Method: "POST", Path: "/login", Asked: ms, Head: 2 * ms, Status: 422, Said: "who are you?"}}, Refused: errors.New("login[1]: the answer has status 422")}, false, []string{
			`request  POST "/login": 422 after 1 ms`, "it says: who are you?", "stream   NOT OPEN: it was never asked for", "remedy: login[1]: the answer has status 422",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			good, err := printTrial(&out, &test.trial, []string{"s3cr3t"})
			if err != nil || good != test.good {
				t.Errorf("good = %v, %v", good, err)
			}
			words := strings.Join(strings.Fields(out.String()), " ")
			for _, want := range test.want {
				if !strings.Contains(words, strings.Join(strings.Fields(want), " ")) {
					t.Errorf("no %q in\n%s", want, out.String())
				}
			}
			if strings.Contains(out.String(), "s3cr3t") || strings.Contains(out.String(), "\x1b") {
				t.Errorf("a secret or a control character in\n%s", out.String())
			}
		})
	}
}
