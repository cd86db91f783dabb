package proxy_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"holobench/proxy"
)

func TestNothingIsChanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil)
		client, app := r.connect()
		io.WriteString(client, "hello, no HTTP at all")
		r.reads(app, "hello, no HTTP at all", 0)
		io.WriteString(app, "nor here\x00\xff")
		r.reads(client, "nor here\x00\xff", 0)
		app.Close()
		if n, err := client.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("read %d, %v; want the end", n, err)
		}
	})
}

func TestLatencyIsSetAndClearedOnAnOpenStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil)
		client, app := r.subscribe()
		io.WriteString(app, event("a"))
		r.reads(client, event("a"), 0)
		r.add("latency", "downstream", `{"latency":250}`)
		io.WriteString(app, event("b"))
		r.reads(client, event("b"), 250*ms)
		io.WriteString(app, event("c"))
		<-time.After(100 * ms)
		r.remove("latency") // what is held comes out
		r.reads(client, event("c"), 350*ms)
		io.WriteString(app, event("d"))
		r.reads(client, event("d"), 350*ms)
	})
}

// TestASlowClientHoldsUpNoOther: one that reads nothing has a full socket; what is late for another comes at its time.
func TestASlowClientHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", func(o *proxy.Options) { o.Apart = true })
		r.add("latency", "downstream", `{"latency":250}`)
		full, flood := r.connect()
		client, app := r.connect()
		const size = 3 << 20
		go flood.Write(bytes.Repeat([]byte("x"), size))
		<-time.After(time.Second) // what fits into the socket is there
		for i := range 100 {
			io.WriteString(app, event("a"))
			r.reads(client, event("a"), time.Second+time.Duration(i+1)*250*ms)
		}
		if n, err := io.Copy(io.Discard, io.LimitReader(full, size)); n != size || err != nil {
			t.Errorf("the slow client read %d bytes, %v; want %d", n, err, size)
		}
	})
}

func TestLatencyUpstream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil)
		r.add("latency", "upstream", `{"latency":40}`)
		client, app := r.connect()
		io.WriteString(client, "GET / HTTP/1.1\r\n\r\n")
		r.reads(app, "GET / HTTP/1.1\r\n\r\n", 40*ms)
		io.WriteString(client, "GET / HTTP/1.1\r\n\r\n")
		<-time.After(10 * ms)
		r.remove("latency")
		r.reads(app, "GET / HTTP/1.1\r\n\r\n", 50*ms)
	})
}

func TestOneFaultLessLeavesTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil)
		client, app := r.subscribe()
		r.add("stall", "downstream", `{}`)
		r.add("latency", "downstream", `{"latency":30}`)
		io.WriteString(app, event("a"))
		r.silent(client, 100*ms)
		r.remove("stall")
		r.reads(client, event("a"), 100*ms)
		io.WriteString(app, event("b"))
		r.reads(client, event("b"), 130*ms)
	})
}

func TestMessagesOfAnOpenStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil)
		client, app := r.subscribe()
		send := func(all string) {
			for _, c := range all {
				io.WriteString(app, event(string(c)))
			}
		}
		reads := func(all string) {
			t.Helper()
			var text strings.Builder
			for _, c := range all {
				text.WriteString(event(string(c)))
			}
			r.reads(client, text.String(), 0)
		}
		send("a")
		reads("a")
		r.add("drop", "", `{"nth":2}`)
		send("bcde")
		reads("bd")
		r.remove("drop")
		r.add("reorder", "", `{"nth":2,"distance":2}`)
		send("fghij")
		reads("fhjg") // i waits for one more to pass
		r.remove("reorder")
		reads("i")
		send("k")
		reads("k")
	})
}

func TestAbort(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "http://behind:80", nil)
		client, app := r.connect()
		ask := func() { io.WriteString(client, "GET /events HTTP/1.1\r\nHost: proxy:80\r\nX: y\r\n\r\n") }
		const asked = "GET /events HTTP/1.1\r\nHost: behind:80\r\nX: y\r\n\r\n"
		ask()
		r.reads(app, asked, 0)
		io.WriteString(app, "HTTP/1.1 204 No Content\r\n\r\n")
		r.reads(client, "HTTP/1.1 204 No Content\r\n\r\n", 0)
		r.add("http_abort", "", `{"status":503}`)
		ask()
		r.reads(client, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", 0)
		r.silent(app, ms)
		r.remove("http_abort")
		ask()
		r.reads(app, asked, ms)
	})
}

func TestConnectionsEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind, attributes string
		at               time.Duration
		want             error
	}{
		{"reset_peer", `{"timeout":70}`, 70 * ms, syscall.ECONNRESET},
		{"timeout", `{"timeout":90}`, 90 * ms, io.EOF},
		{"limit_data", `{"bytes":1}`, 0, io.EOF},
		{"reset", `{}`, 0, syscall.ECONNRESET},
		{"close", `{}`, 0, io.EOF},
		{"slow_close", `{"delay":60}`, 60 * ms, io.EOF},
	} {
		t.Run(c.kind, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, "", nil)
				client, app := r.connect()
				r.add(c.kind, "", c.attributes)
				io.WriteString(app, "x")
				if c.kind == "slow_close" || c.kind == "limit_data" {
					r.reads(client, "x", 0)
					app.(interface{ CloseWrite() error }).CloseWrite()
				}
				n, err := client.Read(make([]byte, 9))
				if got := time.Since(r.began); !errors.Is(err, c.want) || got != c.at {
					t.Errorf("read %d, %v at %v; want %v at %v", n, err, got, c.want, c.at)
				}
			})
		})
	}
}

func TestTimeoutWithoutATimeEndsWhenItIsCleared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil)
		client, app := r.connect()
		r.add("timeout", "", `{"timeout":0}`)
		io.WriteString(app, "lost")
		r.silent(client, time.Hour)
		r.remove("timeout")
		if n, err := client.Read(make([]byte, 9)); n > 0 || !errors.Is(err, io.EOF) {
			t.Errorf("read %d, %v; want the end", n, err)
		}
	})
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil)
		r.add("refuse", "", `{}`)
		client, err := r.network.DialContext(t.Context(), "tcp", "proxy:80")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("read %v; want a reset", err)
		}
		r.remove("refuse")
		client, app := r.connect()
		io.WriteString(app, "x")
		r.reads(client, "x", 0)
	})
}

func TestToxicityIsAShareOfConnections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hit := func(seed uint64) (all string) {
			r := newRig(t, "", func(o *proxy.Options) { o.Seed = seed })
			if _, err := r.proxy.Add(proxy.Toxic{Type: "timeout", Toxicity: 0.5}); err != nil {
				t.Fatal(err)
			}
			for range 40 {
				client, app := r.connect()
				io.WriteString(app, "x")
				client.SetReadDeadline(time.Now().Add(ms))
				if _, err := client.Read(make([]byte, 1)); err != nil {
					all += "1"
				} else {
					all += "0"
				}
			}
			return all
		}
		first, again, other := hit(1), hit(1), hit(2)
		if n := strings.Count(first, "1"); n < 10 || n > 30 {
			t.Errorf("%d of 40 connections were hit by a toxicity of 0.5", n)
		}
		if first != again || first == other {
			t.Errorf("seed 1 hit %s and %s, seed 2 %s", first, again, other)
		}
	})
}

func TestWhatCannotBe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil)
		for _, c := range []struct{ kind, stream, attributes, want string }{
			{"lag", "", "", "the type \"lag\": unknown type: give one of [accept_delay "},
			{"latency", "sideways", "", "the stream \"sideways\": unknown stream: give downstream (to the client), upstream or both"},
			{"latency", "", `{"delay":3}`, `the attributes of the toxic "latency_downstream" (latency): json: unknown field "delay"`},
			{"latency", "", `{"latency":-3}`, `the attributes of the toxic "latency_downstream" (latency): a time of -3 ms: give one from 0 to 3.6e+06`},
			{"latency", "", ``, `fault "latency_downstream" (delay): a delay of nothing: give a law, or a jitter`},
			{"drop", "upstream", ``, `fault "drop_upstream" (drop): it works on what comes down only: leave the direction out`},
			{"latency", "", `{"latency":"300ms"}`, `the attributes of the toxic "latency_downstream" (latency): latency is a string: give a number, without quotes and without a unit`},
			{"delay", "", `{"by":{"p50":3}}`, `the attributes of the toxic "delay_downstream" (delay): a time that is drawn: give `},
			{"slicer", "", `{"average_size":3,"size_variation":3}`, `the attributes of the toxic "slicer_downstream" (slicer): a size_variation of 3`},
		} {
			_, err := r.proxy.Add(proxy.Toxic{Type: c.kind, Stream: c.stream, Toxicity: 1, Attributes: []byte(c.attributes)})
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("%s: %v\nwant %s", c.kind, err, c.want)
			}
		}
		for upstream, want := range map[string]string{
			"behind":            "give host:port, http://host:port or https://host:port",
			"ftp://behind":      "is no address of a web server",
			"behind:80/app":     "has a path, but paths go through as they are: leave it out",
			"http://behind/app": "has a path, but paths go through as they are: leave it out",
		} {
			_, err := r.proxies.Create(proxy.Settings{Name: "x", Upstream: upstream})
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v\nwant %s", upstream, err, want)
			}
		}
	})
}

func TestDisable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil)
		client, app := r.connect()
		s := r.proxy.Settings()
		s.Enabled = false
		if err := r.proxy.Update(s); err != nil {
			t.Fatal(err)
		}
		for _, conn := range []net.Conn{client, app} {
			if _, err := conn.Read(make([]byte, 1)); err == nil {
				t.Error("a connection goes on though its proxy is disabled")
			}
		}
		if _, err := r.network.DialContext(t.Context(), "tcp", "proxy:80"); err == nil {
			t.Error("a disabled proxy listens")
		}
		if err := r.proxies.Reset(); err != nil {
			t.Fatal(err)
		}
		r.connect()
	})
}
