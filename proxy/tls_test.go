package proxy_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
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

func TestTrusting(t *testing.T) {
	t.Parallel()
	if _, err := proxy.Trusting([]byte("no certificate"), false); err == nil {
		t.Error("a file without a certificate is trusted")
	}
	if c, err := proxy.Trusting(nil, true); err != nil || !c.InsecureSkipVerify || c.RootCAs != nil {
		t.Errorf("%+v, %v", c, err)
	}
}
