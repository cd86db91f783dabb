package proxy_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"

	"holobench/proxy"
)

// onSockets is a proxy on real sockets before an app that says what it is told, with Toxiproxy's own client at the API.
func onSockets(t *testing.T) (api *toxiproxy.Client, one *toxiproxy.Proxy, behind net.Listener) {
	t.Helper()
	behind, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	proxies, err := proxy.New(proxy.Options{Seed: 1, Listen: net.Listen, Dial: new(net.Dialer).DialContext, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(proxies.Handler())
	t.Cleanup(func() {
		behind.Close()
		proxies.Close()
		server.Close()
	})
	api = toxiproxy.NewClient(server.URL)
	one, err = api.CreateProxy("app", "127.0.0.1:0", behind.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return api, one, behind
}

// through connects through a proxy.
func through(t *testing.T, one *toxiproxy.Proxy, behind net.Listener) (client, app net.Conn) {
	t.Helper()
	client, err := net.Dial("tcp", one.Listen)
	if err != nil {
		t.Fatal(err)
	}
	app, err = behind.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); app.Close() })
	client.SetDeadline(time.Now().Add(time.Minute))
	return client, app
}

func TestToxiproxysClientDrivesTheAPI(t *testing.T) {
	t.Parallel()
	api, one, behind := onSockets(t)
	version, err := api.Version()
	if err != nil || strings.TrimSpace(string(version)) != `{"version":"test"}` {
		t.Errorf("version %q, %v", version, err)
	}
	client, app := through(t, one, behind)
	toxic, err := one.AddToxic("", "latency", "", -1, toxiproxy.Attributes{"latency": 100})
	if err != nil {
		t.Fatal(err)
	}
	want := toxiproxy.Toxic{
		Name: "latency_downstream", Type: "latency", Stream: "downstream", Toxicity: 1,
		Attributes: toxiproxy.Attributes{"latency": 100.0, "jitter": 0.0},
	}
	if !reflect.DeepEqual(*toxic, want) {
		t.Errorf("the toxic is %+v, want %+v", *toxic, want)
	}
	late := func() time.Duration {
		began := time.Now()
		io.WriteString(app, "x")
		if _, err := client.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		return time.Since(began)
	}
	if got := late(); got < 100*ms {
		t.Errorf("a byte came after %v, though all are 100 ms late", got)
	}
	if toxic, err = one.UpdateToxic("latency_downstream", -1, toxiproxy.Attributes{"jitter": 20}); err != nil {
		t.Fatal(err)
	}
	if toxic.Attributes["latency"] != 100.0 || toxic.Attributes["jitter"] != 20.0 || toxic.Toxicity != 1 {
		t.Errorf("the changed toxic is %+v", *toxic)
	}
	if got := late(); got < 80*ms {
		t.Errorf("a byte came after %v, though all are 80 to 120 ms late", got)
	}
	if all, err := one.Toxics(); err != nil || len(all) != 1 || all[0].Name != "latency_downstream" {
		t.Errorf("the toxics are %+v, %v", all, err)
	}
	if _, err := one.UpdateToxic("latency_downstream", -1, toxiproxy.Attributes{"latency": time.Hour.Milliseconds()}); err != nil {
		t.Fatal(err)
	}
	if err := one.RemoveToxic("latency_downstream"); err != nil {
		t.Fatal(err)
	}
	client.SetReadDeadline(time.Now().Add(time.Minute))
	late() // within the minute, so it is not late any more
	if err := one.Disable(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Read(make([]byte, 1)); err == nil {
		t.Error("a connection goes on though its proxy is disabled")
	}
	if conn, err := net.Dial("tcp", one.Listen); err == nil {
		conn.Close()
		t.Error("a disabled proxy listens")
	}
	if err := api.ResetState(); err != nil {
		t.Fatal(err)
	}
	through(t, one, behind)
	if err := one.Delete(); err != nil {
		t.Fatal(err)
	}
	if all, err := api.Proxies(); err != nil || len(all) != 0 {
		t.Errorf("the proxies are %v, %v", all, err)
	}
}

func TestPopulate(t *testing.T) {
	t.Parallel()
	api, _, behind := onSockets(t)
	all, err := api.Populate([]toxiproxy.Proxy{
		{Name: "app", Listen: "127.0.0.1:0", Upstream: behind.Addr().String(), Enabled: true},
		{Name: "two", Listen: "127.0.0.1:0", Upstream: behind.Addr().String(), Enabled: true},
	})
	if err != nil || len(all) != 2 || all[1].Name != "two" || !all[1].Enabled {
		t.Fatalf("%+v, %v", all, err)
	}
	client, app := through(t, all[1], behind)
	io.WriteString(client, "x")
	if _, err := app.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
}

func TestTheAPIRefuses(t *testing.T) {
	t.Parallel()
	api, one, behind := onSockets(t)
	for _, c := range []struct {
		what   string
		do     func() error
		status int
		text   string
	}{
		{"a name that is taken", func() error { _, err := api.CreateProxy("app", "", "a:1"); return err }, 409, "there is one of that name already"},
		{"no upstream", func() error { _, err := api.CreateProxy("x", "", ""); return err }, 400, "it has no upstream"},
		{"an unknown proxy", func() error { _, err := api.Proxy("x"); return err }, 404, "there is none of that name"},
		{"an unknown type", func() error { _, err := one.AddToxic("", "x", "", 1, nil); return err }, 400, "unknown type"},
		{"an unknown toxic", func() error { return one.RemoveToxic("x") }, 404, "there is none of that name"},
		{"a listener that is taken", func() error { _, err := api.CreateProxy("x", behind.Addr().String(), "a:1"); return err }, 400, "port 0 takes a free one"},
	} {
		err := c.do()
		e, ok := errors.AsType[*toxiproxy.ApiError](err)
		if !ok || e.Status != c.status || !strings.Contains(e.Message, c.text) {
			t.Errorf("%s: %v; want a %d that says %q", c.what, err, c.status, c.text)
		}
	}
}

func TestTheAPIIsNotForBrowsers(t *testing.T) {
	t.Parallel()
	proxies, err := proxy.New(proxy.Options{Listen: net.Listen, Dial: new(net.Dialer).DialContext})
	if err != nil {
		t.Fatal(err)
	}
	defer proxies.Close()
	for name, value := range map[string]string{"User-Agent": "Mozilla/5.0", "Origin": "http://evil.test", "Sec-Fetch-Site": "cross-site"} {
		r := httptest.NewRequest(http.MethodPost, "/reset", nil)
		r.Header.Set(name, value)
		w := httptest.NewRecorder()
		proxies.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusForbidden {
			t.Errorf("%s: %s is answered with %d", name, value, w.Code)
		}
	}
}
