package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"holobench/target"
)

// TestDebugListener: figures, health and profiles on a listener of their own, gone when the node is.
func TestDebugListener(t *testing.T) {
	t.Parallel()
	server, err := target.New(target.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	stop, err := (&debugFlags{addr: "127.0.0.1:0"}).start(t.Context(), server, &said)
	if err != nil {
		t.Fatal(err)
	}
	_, base, _ := strings.Cut(strings.TrimSpace(said.String()), " on ")
	for path, want := range map[string]string{
		"/metrics":                     "holobench_build_info{",
		"/healthz":                     `"status":"ok"`,
		"/debug/pprof/heap?debug=1":    "heap profile",
		"/debug/pprof/trace?seconds=0": "go 1.",
	} {
		response, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("GET %s: %s, %v, %.200q; want %q", path, response.Status, err, body, want)
		}
		response.Body.Close()
	}
	stop()
	if _, err := http.Get(base + "/healthz"); err == nil {
		t.Error("it answers after its end")
	}
}

func TestDebugListenerThatCannotBe(t *testing.T) {
	t.Parallel()
	server, err := target.New(target.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if stop, err := (&debugFlags{}).start(context.Background(), server, io.Discard); err != nil {
		t.Error(err)
	} else {
		stop()
	}
	_, err = (&debugFlags{addr: "127.0.0.1:x"}).start(t.Context(), server, io.Discard)
	if err == nil || !strings.HasPrefix(err.Error(), "listen on 127.0.0.1:x: ") || !strings.HasSuffix(err.Error(), "(--debug-addr 127.0.0.1:0 takes a free port)") {
		t.Errorf("got %v", err)
	}
}
