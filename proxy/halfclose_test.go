package proxy_test

import (
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// finish closes one direction.
func finish(t *testing.T, conn net.Conn) {
	t.Helper()
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
}

// ends expects the end of what comes at a time since the rig was made, exactly.
func (r *rig) ends(conn net.Conn, at time.Duration) {
	r.t.Helper()
	n, err := conn.Read(make([]byte, 10))
	if got := time.Since(r.began); n > 0 || !errors.Is(err, io.EOF) || got != at {
		r.t.Errorf("read %d bytes, %v at %v; want the end at %v", n, err, got, at)
	}
}

// TestAClientThatHasFinishedStillHears: its FIN goes up behind what is late, and the answer comes down.
func TestAClientThatHasFinishedStillHears(t *testing.T) {
	t.Parallel()
	for _, request := range []string{"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: a", "no HTTP"} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, "", nil)
			r.add("latency", "both", `{"latency":40}`)
			client, app := r.connect()
			io.WriteString(client, request)
			finish(t, client)
			r.reads(app, request, 40*ms)
			r.ends(app, 40*ms)
			<-time.After(10 * time.Second)
			io.WriteString(app, "answer")
			app.Close()
			r.reads(client, "answer", 10080*ms)
			r.ends(client, 10080*ms)
		})
	}
}

// TestAnAppThatHasFinishedStillHears: what the client says behind the end of the answer arrives, until the app is gone.
func TestAnAppThatHasFinishedStillHears(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil)
		client, app := r.connect()
		io.WriteString(app, "answer")
		finish(t, app)
		r.reads(client, "answer", 0)
		r.ends(client, 0)
		for i := range 3 {
			<-time.After(10 * time.Second)
			io.WriteString(client, "more")
			r.reads(app, "more", time.Duration(i+1)*10*time.Second)
		}
		app.Close()
		for range 3 { // at each of the two ends the first meets a socket that is gone, the second an error
			io.WriteString(client, "too late")
			synctest.Wait()
		}
		if _, err := client.Write([]byte("x")); err == nil {
			t.Error("the client's connection goes on though the app's is gone")
		}
	})
}

// TestBothFinishAtOnce: nothing is left of the connection.
func TestBothFinishAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil)
		client, app := r.connect()
		finish(t, client)
		finish(t, app)
		r.ends(client, 0)
		r.ends(app, 0)
		synctest.Wait()
		said := httptest.NewRecorder()
		r.proxies.Handler().ServeHTTP(said, httptest.NewRequest("GET", "/metrics", nil))
		if !strings.Contains(said.Body.String(), "holobench_proxy_connections{proxy=\"app\"} 0\n") {
			t.Errorf("a connection is open still:\n%s", said.Body)
		}
	})
}
