package proxy_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"holobench/proxy"
)

// TestTLSAtBothEnds has faults on messages read what is encrypted on both sides of the proxy.
func TestTLSAtBothEnds(t *testing.T) {
	t.Parallel()
	app := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		io.WriteString(w, "data: "+r.Host+"\n\ndata: two\n\ndata: three\n\n")
	}))
	defer app.Close()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: app.Certificate().Raw})
	trust, err := proxy.Trusting(authority, false)
	if err != nil {
		t.Fatal(err)
	}
	proxies, err := proxy.New(proxy.Options{
		Seed: 1, Listen: net.Listen, Dial: new(net.Dialer).DialContext, Certificate: &app.TLS.Certificates[0], Upstream: trust,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer proxies.Close()
	host := app.Listener.Addr().String()
	one, err := proxies.Create(proxy.Settings{Name: "app", Upstream: "https://" + host, Enabled: true, TLS: true})
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(app.Certificate())
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: time.Minute}
	get := func() (int, string) {
		t.Helper()
		r, err := client.Get(one.URL())
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, string(text)
	}
	if status, text := get(); status != 200 || text != "data: "+host+"\n\ndata: two\n\ndata: three\n\n" {
		t.Errorf("%d, %q", status, text)
	}
	for _, c := range []struct {
		kind, attributes string
		status           int
		text             string
	}{
		{"drop", `{"nth":2}`, 200, "data: " + host + "\n\ndata: three\n\n"},
		{"http_abort", `{"status":503}`, 503, ""},
	} {
		if _, err := one.Add(proxy.Toxic{Name: "it", Type: c.kind, Toxicity: 1, Attributes: []byte(c.attributes)}); err != nil {
			t.Fatal(err)
		}
		if status, text := get(); status != c.status || text != c.text {
			t.Errorf("%s: %d, %q", c.kind, status, text)
		}
		if err := one.Remove("it"); err != nil {
			t.Fatal(err)
		}
	}
}

// TestACutOverTLSWaitsForNobody: the upstream reads nothing, so that its socket is full, and yet it is cut at once, and the API is free.
func TestACutOverTLSWaitsForNobody(t *testing.T) {
	t.Parallel()
	known := httptest.NewTLSServer(nil)
	known.Close()
	for _, kind := range []string{"reset", "close", "disable"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, "https://behind:80", func(o *proxy.Options) { o.Upstream, _ = proxy.Trusting(nil, true) })
				client, conn := r.connect()
				app := tls.Server(conn, known.TLS)
				if err := app.Handshake(); err != nil {
					t.Fatal(err)
				}
				var writing sync.WaitGroup
				defer writing.Wait()
				defer client.Close()
				writing.Go(func() { client.Write(make([]byte, 3<<20)) }) // more than fits into all sockets
				<-time.After(time.Second)
				began := time.Now()
				if kind == "disable" {
					s := r.proxy.Settings()
					s.Enabled = false
					if err := r.proxy.Update(s); err != nil {
						t.Error(err)
					}
				} else {
					r.add(kind, "", "{}")
				}
				if got := time.Since(began); got != 0 {
					t.Errorf("it took %v", got)
				}
				if _, err := io.Copy(io.Discard, conn); (kind == "reset") != errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("the upstream read to its end with %v", err)
				}
			})
		})
	}
}

func TestTrusting(t *testing.T) {
	t.Parallel()
	if _, err := proxy.Trusting([]byte("no certificate"), false); err == nil {
		t.Error("a file without a certificate is trusted")
	}
	if c, err := proxy.Trusting(nil, true); err != nil || !c.InsecureSkipVerify || c.RootCAs != nil {
		t.Errorf("%+v, %v", c, err)
	}
}
