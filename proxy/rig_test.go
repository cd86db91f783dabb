package proxy_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"holobench/internal/memnet"
	"holobench/proxy"
)

const ms = time.Millisecond

// rig is a proxy over a network in memory, and what is behind it.
type rig struct {
	t       *testing.T
	network *memnet.Network
	proxies *proxy.Proxies
	proxy   *proxy.Proxy
	behind  net.Listener
	began   time.Time
}

// newRig makes one, in a bubble. upstream is what the proxy is told; "" = the address behind it.
func newRig(t *testing.T, upstream string, change func(o *proxy.Options)) *rig {
	t.Helper()
	network := memnet.New(nil)
	behind, err := network.Listen("behind:80")
	if err != nil {
		t.Fatal(err)
	}
	o := proxy.Options{
		Seed: 1, Dial: network.DialContext,
		Listen: func(_, addr string) (net.Listener, error) { return network.Listen(addr) },
	}
	if change != nil {
		change(&o)
	}
	proxies, err := proxy.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if upstream == "" {
		upstream = "behind:80"
	}
	one, err := proxies.Create(proxy.Settings{Name: "app", Listen: "proxy:80", Upstream: upstream, Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, network: network, proxies: proxies, proxy: one, behind: behind, began: time.Now()}
	t.Cleanup(func() {
		behind.Close()
		proxies.Close()
	})
	return r
}

// connect returns the end of a client, and that of the app behind the proxy.
func (r *rig) connect() (client, app net.Conn) {
	r.t.Helper()
	client, err := r.network.DialContext(context.Background(), "tcp", "proxy:80")
	if err != nil {
		r.t.Fatal(err)
	}
	app, err = r.behind.Accept()
	if err != nil {
		r.t.Fatal(err)
	}
	synctest.Wait() // until the proxy has linked both: a fault that cuts what is open must find it
	r.t.Cleanup(func() { client.Close(); app.Close() })
	return client, app
}

// add sets a toxic.
func (r *rig) add(kind, stream, attributes string) {
	r.t.Helper()
	if _, err := r.proxy.Add(proxy.Toxic{Name: kind, Type: kind, Stream: stream, Toxicity: 1, Attributes: []byte(attributes)}); err != nil {
		r.t.Fatal(err)
	}
}

// remove clears it.
func (r *rig) remove(kind string) {
	r.t.Helper()
	if err := r.proxy.Remove(kind); err != nil {
		r.t.Fatal(err)
	}
}

// reads expects a text at a time since the rig was made, exactly.
func (r *rig) reads(conn net.Conn, text string, at time.Duration) {
	r.t.Helper()
	buf := make([]byte, len(text))
	n, err := io.ReadFull(conn, buf)
	if got := time.Since(r.began); string(buf[:n]) != text || err != nil || got != at {
		r.t.Errorf("read %q, %v at %v; want %q at %v", buf[:n], err, got, text, at)
	}
}

// silent expects nothing for so long.
func (r *rig) silent(conn net.Conn, long time.Duration) {
	r.t.Helper()
	conn.SetReadDeadline(time.Now().Add(long))
	var buf [100]byte
	if n, err := conn.Read(buf[:]); n > 0 || err == nil || !isTimeout(err) {
		r.t.Errorf("read %q, %v; want silence", buf[:n], err)
	}
	conn.SetReadDeadline(time.Time{})
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

// subscribe asks for a stream, and answers it as an app does.
func (r *rig) subscribe() (client, app net.Conn) {
	r.t.Helper()
	client, app = r.connect()
	io.WriteString(client, "GET /events HTTP/1.1\r\nHost: proxy\r\n\r\n")
	if _, err := http.ReadRequest(bufio.NewReader(app)); err != nil {
		r.t.Fatal(err)
	}
	const head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
	io.WriteString(app, head)
	r.reads(client, head, time.Since(r.began))
	return client, app
}

// event is one in a chunk of its own.
func event(data string) string {
	text := "data: " + data + "\n\n"
	return string("0123456789abcdef"[len(text)]) + "\r\n" + text + "\r\n"
}
