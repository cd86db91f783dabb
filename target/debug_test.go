package target_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holobench/target"
	"holobench/wire"
)

// askDebug asks a handler for a path, and returns the body of an answer that is no error.
func askDebug(t *testing.T, handler http.Handler, path string) string {
	t.Helper()
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	if answer.Code != http.StatusOK {
		t.Errorf("GET %s: %d %s", path, answer.Code, answer.Body)
	}
	return answer.Body.String()
}

// wantLines checks that each line stands in a scrape.
func wantLines(t *testing.T, scrape string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+scrape, "\n"+line+"\n") {
			name, _, _ := strings.Cut(line, " ")
			about := ""
			for got := range strings.Lines(scrape) {
				if strings.HasPrefix(got, name) {
					about += got
				}
			}
			t.Errorf("the line %q is missing; there is\n%s", line, about)
		}
	}
}

// figure is one figure of a scrape.
func figure(t *testing.T, scrape, name string) float64 {
	t.Helper()
	for line := range strings.Lines(scrape) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			number, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Fatal(err)
			}
			return number
		}
	}
	t.Fatalf("there is no %s in\n%s", name, scrape)
	return 0
}

// TestMetrics: what a scrape says agrees with what happened, the fullest outbox and a write of 7 s included.
func TestMetrics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.SingleChannel, Node: 3, WriteTimeout: time.Hour}, nil)
		debug, err := w.server.DebugHandler("v9")
		if err != nil {
			t.Fatal(err)
		}
		ann := w.subscribe("ann", "red")
		slow := w.dial(request("slow", "red"))
		synctest.Wait()
		for range 8 { // 480 KiB, of which the connection takes 256
			w.say("bob", "red", strings.Repeat("x", 60<<10))
		}
		synctest.Wait()
		wantLines(
			t, askDebug(t, debug, target.MetricsPath),
			`holobench_subscribers 2`,
			`holobench_channels 1`,
			`holobench_events_dispatched_total 8`,
			`holobench_commands_total{outcome="accepted"} 8`,
			`holobench_deliveries_expected_total 16`,
			`holobench_deliveries_enqueued_total{path="sse"} 16`,
			`holobench_deliveries_written_total{path="reply"} 0`,
			`holobench_streams_cut_total{reason="outbox_full"} 0`,
			`holobench_streams_opened_total 2`,
			`holobench_bus_messages_total{kind="sent"} 0`,
			`holobench_build_info{design="single-channel",goversion="`+runtime.Version()+`",node="3",version="v9",wire="json"} 1`,
			`# TYPE holobench_write_seconds histogram`,
			`# TYPE holobench_outbox_frames gauge`,
		)
		scrape := askDebug(t, debug, target.MetricsPath)
		if frames := figure(t, scrape, "holobench_outbox_frames"); frames < 2 || frames != figure(t, scrape, "holobench_outbox_frames_max") {
			t.Errorf("%v frames wait, all at the slow client", frames)
		}
		if bytes := figure(t, scrape, "holobench_outbox_bytes"); bytes < 100<<10 || bytes != figure(t, scrape, "holobench_outbox_bytes_max") {
			t.Errorf("%v bytes wait, all at the slow client", bytes)
		}
		before := figure(t, scrape, `holobench_write_seconds_bucket{le="8.589934592"}`)
		time.Sleep(7 * time.Second)
		if _, err = io.CopyN(io.Discard, slow, 480<<10); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		scrape = askDebug(t, debug, target.MetricsPath)
		wantLines(t, scrape, `holobench_deliveries_written_total{path="sse"} 16`, `holobench_outbox_frames 0`, `holobench_outbox_bytes_max 0`,
			`holobench_write_seconds_sum 7`)
		if after := figure(t, scrape, `holobench_write_seconds_bucket{le="8.589934592"}`); after <= before {
			t.Errorf("%v writes took at most 8.6 s, before the long one %v", after, before)
		}
		_ = slow.Close()
		w.shutdown()
		<-ann.done
		refused := httptest.NewRecorder()
		debug.ServeHTTP(refused, httptest.NewRequestWithContext(t.Context(), http.MethodGet, target.MetricsPath, nil))
		if refused.Code != http.StatusServiceUnavailable {
			t.Errorf("a scrape after the end is answered %d", refused.Code)
		}
	})
}

// TestBusLag: what a link of 5 ms delays is measured as 5 ms exactly, once an event at each other node.
func TestBusLag(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus := farNodes(false)
		nodes := newCluster(t, 2, bus, target.Options{})
		for range 3 {
			nodes[0].say("bob", "red", "1")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		for node, want := range [][]string{
			{`holobench_bus_lag_seconds_count 0`, `holobench_bus_messages_total{kind="sent"} 3`},
			{`holobench_bus_lag_seconds_count 3`, `holobench_bus_lag_seconds_sum 0.015`, `holobench_bus_messages_total{kind="received"} 3`},
		} {
			debug, err := nodes[node].server.DebugHandler("")
			if err != nil {
				t.Fatal(err)
			}
			wantLines(t, askDebug(t, debug, target.MetricsPath), want...)
		}
		shutdown(bus, nodes)
	})
}

// TestDebugHandler: the profiles and the health are there, and nothing of it is on the listener of the clients.
func TestDebugHandler(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{}, nil)
		for _, path := range []string{target.MetricsPath, "/debug/pprof/", "/debug/pprof/heap"} {
			if response, _ := w.fetch(http.MethodGet, path); response.StatusCode != http.StatusNotFound {
				t.Errorf("a client gets %s: %s", path, response.Status)
			}
		}
		w.shutdown()
	})
	server, err := target.New(target.Options{})
	if err != nil {
		t.Fatal(err)
	}
	debug, err := server.DebugHandler("")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		wire.HealthPath:                  `"status":"ok"`,
		"/debug/pprof/":                  "goroutine",
		"/debug/pprof/goroutine?debug=1": "goroutine profile",
		"/debug/pprof/cmdline":           "target.test",
		target.MetricsPath:               "go_goroutines",
	} {
		if body := askDebug(t, debug, path); !strings.Contains(body, want) {
			t.Errorf("GET %s says %.200q, want %q", path, body, want)
		}
	}
	lost := httptest.NewRecorder()
	debug.ServeHTTP(lost, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/x", nil))
	if want := "there are /metrics, /healthz and /debug/pprof/ here\n"; lost.Code != http.StatusNotFound || lost.Body.String() != want {
		t.Errorf("GET /x: %d %q", lost.Code, lost.Body)
	}
}
