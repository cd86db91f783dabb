package target_test

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holobench/target"
	"holobench/wire"
)

// rule is one raw request and how it must be answered.
type rule struct {
	name, request string
	status        int
	body          string // the whole body, without the last line end
	header        string // "Name: value" that must be there
}

func get(query string) string {
	return "GET /events" + query + " HTTP/1.1\r\nHost: t\r\n\r\n"
}

func postJSON(body string) string {
	return fmt.Sprintf("POST /command HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		len(body), body)
}

func rulesOfEvents() []rule {
	channels := strings.Repeat("&channel=a", 65)
	return []rule{
		{"no instance", get("?channel=a"), 400, "instance is missing", ""},
		{"empty instance", get("?instance=&channel=a"), 400, "instance is missing", ""},
		{"two instances", get("?instance=a&instance=b&channel=a"), 400, "instance is given 2 times", ""},
		{"no channel", get("?instance=a"), 400, "channel is missing", ""},
		{"empty channel", get("?instance=a&channel=b&channel="), 400, "channel is missing", ""},
		{"too many channels", get("?instance=a" + channels), 400, "channel is given 65 times; at most 64 are allowed", ""},
		{
			"long channel", get("?instance=a&channel=" + strings.Repeat("x", 201)), 400,
			"channel has 201 bytes; at most 200 are allowed", "",
		},
		{"line end in a channel", get("?instance=a&channel=b%0Adata"), 400, `channel "b\ndata" holds a control character`, ""},
		{"NUL in an instance", get("?instance=a%00&channel=b"), 400, `instance "a\x00" holds a control character`, ""},
		{"not UTF-8", get("?instance=a&channel=%ff"), 400, `channel "\xff" is not UTF-8`, ""},
		{"broken query", get("?instance=a&channel=%zz"), 400, `reading the query: invalid URL escape "%zz"`, ""},
		{
			"events with a body", "GET /events?instance=a&channel=b HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\n\r\nx", 400,
			"a request for events has no body", "",
		},
		{
			"POST to events", "POST /events HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n", 405,
			"/events takes GET only", "Allow: GET",
		},
		{"GET of command", "GET /command HTTP/1.1\r\nHost: t\r\n\r\n", 405, "/command takes POST only", "Allow: POST"},
		{"DELETE of health", "DELETE /healthz HTTP/1.1\r\nHost: t\r\n\r\n", 405, "/healthz takes GET, HEAD only", "Allow: GET, HEAD"},
		{
			"another path", "GET /../etc/passwd HTTP/1.1\r\nHost: t\r\n\r\n", 404,
			"there are /command, /events and /healthz here", "",
		},
		{
			"health", "GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n", 200, `{"status":"ok","node":3,"design":"hologram"}`,
			"Content-Type: application/json",
		},
	}
}

func rulesOfCommands() []rule {
	const valid = `{"channel":"red"}`
	return []rule{
		{
			"no body", postJSON(""), 400,
			"reading a command: it is empty; send an object with channel, name and payload", "",
		},
		{"not JSON", postJSON("{"), 400, "reading a command: unexpected EOF", ""},
		{
			"two commands", postJSON(valid + valid), 400,
			"reading a command: something follows the object; send one command in one POST", "",
		},
		{
			"no channel to broadcast to", postJSON(`{"payload":"x"}`), 400,
			"reading a command: it has no channel; name the channel to broadcast to", "",
		},
		{
			"control character in a channel", postJSON(`{"channel":"a\u0007"}`), 400,
			`channel "a\a" holds a control character`, "",
		},
		{
			"long instance", postJSON(`{"channel":"a","instance":"` + strings.Repeat("x", 201) + `"}`), 400,
			"instance has 201 bytes; at most 200 are allowed", "",
		},
		{"line end in a name", postJSON(`{"channel":"a","name":"b\r\nc"}`), 400, `name "b\r\nc" holds a control character`, ""},
		{"too large", postJSON(strings.Repeat(" ", 64<<10) + valid), 413, "a command has at most 65536 bytes", "Connection: close"},
		{"too large in chunks", "POST /command HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n" +
			strings.Repeat(" ", 65537) + "\r\n0\r\n\r\n", 413, "a command has at most 65536 bytes", "Connection: close"},
		{
			"as large as may be", postJSON(strings.Repeat(" ", 64<<10-len(valid)) + valid), 200,
			`{"action":{"name":"","status":"ok"},"echo":[]}`, "Cache-Control: no-store",
		},
		{
			"broken chunks", "POST /command HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400,
			"the body ended early or is malformed", "",
		},
		{
			"plain text", "POST /command HTTP/1.1\r\nHost: t\r\nContent-Type: text/plain\r\nContent-Length: 17\r\n\r\n" + valid, 415,
			"a command is JSON: send Content-Type: application/json", "",
		},
		{"JSON of a kind", "POST /command HTTP/1.1\r\nHost: t\r\nContent-Type: application/x+json; charset=utf-8\r\n" +
			"Content-Length: 17\r\n\r\n" + valid, 200, `{"action":{"name":"","status":"ok"},"echo":[]}`, ""},
		{
			"no type", "POST /command HTTP/1.1\r\nHost: t\r\nContent-Length: 17\r\n\r\n" + valid, 200,
			`{"action":{"name":"","status":"ok"},"echo":[]}`, "",
		},
		{
			"a page of another site", "POST /command HTTP/1.1\r\nHost: t\r\nSec-Fetch-Site: cross-site\r\nContent-Length: 17\r\n\r\n" + valid, 403,
			"a page of another site cannot send anything here", "",
		},
		{
			"a page of this node", "POST /command HTTP/1.1\r\nHost: t\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 17\r\n\r\n" + valid, 200,
			`{"action":{"name":"","status":"ok"},"echo":[]}`, "",
		},
		{
			"a head that is too long", "GET /healthz HTTP/1.1\r\nHost: t\r\nX: " + strings.Repeat("x", 80<<10) + "\r\n\r\n", 431,
			"431 Request Header Fields Too Large", "",
		},
	}
}

// TestHardening holds the server to each rule, one connection a rule.
func TestHardening(t *testing.T) {
	t.Parallel()
	for _, rule := range slices.Concat(rulesOfEvents(), rulesOfCommands()) {
		t.Run(rule.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, target.Options{Node: 3}, nil)
				conn := w.dial(rule.request)
				response, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(response.Body)
				if got := strings.TrimSuffix(string(body), "\n"); err != nil || response.StatusCode != rule.status || got != rule.body {
					t.Errorf("answered %d %q, %v; want %d %q", response.StatusCode, got, err, rule.status, rule.body)
				}
				name, value, _ := strings.Cut(rule.header, ": ")
				if got := response.Header.Get(name); rule.header != "" && got != value && (name != "Connection" || !response.Close) {
					t.Errorf("header %s is %q, want %q", name, got, value)
				}
				synctest.Wait()
				figures := w.counters.Snapshot()
				if figures["commands_received"] != figures["commands_accepted"]+figures["commands_rejected"] {
					t.Errorf("received %d commands, accepted %d, rejected %d", figures["commands_received"],
						figures["commands_accepted"], figures["commands_rejected"])
				}
				if rule.status != 200 && figures["commands_accepted"]+figures["streams_opened"] != 0 {
					t.Errorf("it was refused and counted as taken: %v", figures)
				}
				_ = conn.Close()
				w.shutdown()
			})
		})
	}
}

func TestLimitOfStreams(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{MaxStreams: 2}, nil)
		first := w.subscribe("a", "red")
		w.subscribe("b", "red")
		refused := w.dial(request("c", "red"))
		response, err := http.ReadResponse(bufio.NewReader(refused), nil)
		if err != nil || response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") != "1" {
			t.Errorf("the third stream was answered %v, %v; want 503", response, err)
		}
		w.count("streams_opened=2 streams_refused=1")
		_ = first.conn.Close()
		synctest.Wait()
		w.subscribe("c", "red") // a place is free again
		_ = refused.Close()
		w.shutdown()
		w.count("streams_opened=3 streams_closed=3")
	})
}

// TestClientThatTalksOnItsStream is cut off after a few bytes: nobody reads requests from there.
func TestClientThatTalksOnItsStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{}, nil)
		ann := w.subscribe("ann", "red")
		if _, err := ann.conn.Write([]byte("\r\n")); err != nil {
			t.Error(err)
		}
		w.say("bob", "red", "1")
		w.heard("ann", ann, "1")
		if _, err := ann.conn.Write([]byte(strings.Repeat("x", 1000))); err != nil {
			t.Error(err)
		}
		w.count("streams_closed=1")
		<-ann.done
		w.shutdown()
	})
}

// TestHostileNames: what a client puts into names and payload stays data for everybody else.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const hostile = "</script><img src=x onerror=alert(1)>\u2028&\"'"
		w := newWorld(t, target.Options{}, nil)
		ann := w.subscribe("ann", hostile)
		event := wire.Event{Channel: hostile, Name: hostile, Payload: "\r\ndata: forged\r\n\r\n\x00" + hostile}
		if status, body := w.post(wire.Command{Channel: event.Channel, Name: event.Name, Payload: event.Payload}); status != 200 {
			t.Errorf("answered %d %s", status, body)
		}
		synctest.Wait()
		ann.mu.Lock()
		if len(ann.events) != 1 || ann.events[0] != event {
			t.Errorf("heard %+v, want %+v", ann.events, event)
		}
		ann.mu.Unlock()
		w.shutdown()
	})
}

func TestNewChecksItsOptions(t *testing.T) {
	t.Parallel()
	for want, options := range map[string]target.Options{
		`making the target: node -1 is not in 1..65535`:                                     {Node: -1},
		`making the target: heartbeat -1s is negative; leave it at 0 for the default, 15s`:  {Heartbeat: -time.Second},
		`making the target: max channels -1 is negative; leave it at 0 for the default, 64`: {MaxChannels: -1},
		`making the target: reading the design: there is no design "x"; the designs are hologram, single-channel, ` +
			`long-poll, channels, sequenced, state-sync, ephemeral`: {Design: "x"},
		`making the target: there is no wire "x"; the wires are json, hologram, long-poll, channels`: {Wire: "x"},
		`making the target: -1 nodes make no target`:                                                 {Nodes: -1},
		`making the target: dispatch cannot be "x"; it is one of concurrent, serialized`: {
			Knobs: target.Knobs{Dispatch: "x"},
		},
		`making the target: when-full cannot be "x"; it is one of cut, drop-oldest, coalesce`: {
			Knobs: target.Knobs{WhenFull: "x"},
		},
		`making the target: replay of 1048577 events is too much; at most 1048576 are kept`: {
			Knobs: target.Knobs{Replay: 1<<20 + 1},
		},
		`making the target: server-triggered rate NaN/s is not in 0..10000`: {
			Knobs: target.Knobs{ServerTriggered: math.NaN()},
		},
		`making the target: the design state-sync needs a replay: without one its versions have no ids`: {
			Design: target.StateSync, Knobs: target.Knobs{Replay: -1},
		},
		`making the target: the design sequenced needs a bus with an order: numbers that each node gives by itself name different events`: {
			Design: target.Sequenced, Bus: target.NewMemoryBus(target.MemoryBusOptions{}).Node(1),
		},
	} {
		if _, err := target.New(options); err == nil || err.Error() != want {
			t.Errorf("New(%+v)\n got %v\nwant %s", options, err, want)
		}
	}
}
