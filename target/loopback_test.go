package target_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holobench/target"
	"holobench/wire"
)

// TestLoopback is the one test over real sockets: the same server, with its counters in a file.
func TestLoopback(t *testing.T) {
	t.Parallel()
	for _, design := range target.Designs() {
		t.Run(string(design), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "counters")
			counters, err := target.OpenCounters(path, true)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = counters.Close() }()
			server, err := target.New(target.Options{Design: design, Counters: counters})
			if err != nil {
				t.Fatal(err)
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			served := make(chan error, 1)
			go func() { served <- server.Serve(ctx, l) }()

			base := "http://" + l.Addr().String()
			asked, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/events?instance=ann&channel=red", nil)
			if err != nil {
				t.Fatal(err)
			}
			stream, err := http.DefaultTransport.RoundTrip(asked)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = stream.Body.Close() }()
			reply, err := http.Post(base+wire.CommandPath, "application/json", strings.NewReader(`{"instance":"bob","channel":"red","payload":"1"}`))
			if err != nil {
				t.Fatal(err)
			}
			_ = reply.Body.Close()
			lines := bufio.NewScanner(stream.Body)
			for lines.Scan() && !strings.Contains(lines.Text(), "payload") { // what comes first is not an event
			}
			if want := `data: {"channel":"red","name":"","payload":"1"`; !strings.HasPrefix(lines.Text(), want) {
				t.Errorf("heard %q, %v; want %q", lines.Text(), lines.Err(), want)
			}
			cancel()
			if err = <-served; err != nil {
				t.Errorf("Serve = %v", err)
			}
			if _, err = io.Copy(io.Discard, stream.Body); err != nil {
				t.Errorf("the stream ended with %v, want a clean end", err)
			}
			if err = server.Serve(t.Context(), l); err == nil {
				t.Error("it served twice")
			}

			again, err := target.OpenCounters(path, false)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = again.Close() }()
			figures := again.Snapshot()
			if figures["deliveries_written_sse"] != 1 || figures["streams_closed"] != 1 || figures["commands_accepted"] != 1 {
				text, _ := json.Marshal(figures)
				t.Errorf("another reader of the file sees %s", text)
			}
		})
	}
}
