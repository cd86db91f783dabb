package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The servers of tools/servers/fetch-more.sh: make verify-servers.

const (
	moreClients = "{members: {count: 50, channel: lobby}}"
	moreLoad    = "{talk: {by: {clients: members, only: 8}, rate: 50/s, for: 4s}}"
	moreEvents  = 50 * 200
)

// TestMoreServersNchanLongPoll is the server of TestServersNchan by another way.
func TestMoreServersNchanLongPoll(t *testing.T) {
	r := runAgainst(t, startNchan(t), "nchan-long-poll", moreClients, moreLoad, moreEvents)
	if o := r.Order.Overall; o.All.Divergent != 0 || o.FIFO.Violations != 0 || o.All.AtRisk < 1000 {
		t.Errorf("one order is what Nchan keeps: %+v", o)
	}
}

// TestMoreServersMercure: a hub that checks the tokens that clients sign, by each algorithm. It is a hub that promises no order.
func TestMoreServersMercure(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("MERCURE_PUBLISHER_KEY", "a secret of at least 256 bits, so that HS256 likes it")
	t.Run("HS256", func(t *testing.T) { // by the file of the library
		addr := startMercure(t, "HS256", os.Getenv("MERCURE_PUBLISHER_KEY"))
		sawAll(t, runAgainst(t, addr, "mercure", moreClients, moreLoad, moreEvents).Order.Overall.All.AtRisk)
	})
	for alg, key := range map[string]any{"RS256": rsaKey, "ES256": ecKey} {
		t.Run(alg, func(t *testing.T) {
			private, public := keyPair(t, key)
			addr := startMercure(t, alg, public)
			t.Setenv("HOLOBENCH_TEST_KEY", private)
			text, err := os.ReadFile(filepath.Join(library, "protocols/mercure.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			changed := strings.Replace(string(text), `{key: "${env.MERCURE_PUBLISHER_KEY|default:unset}"`, `{alg: `+alg+`, key: "${env.HOLOBENCH_TEST_KEY}"`, 1)
			file := filepath.Join(t.TempDir(), "mercure.yaml")
			if err := os.WriteFile(file, []byte(changed), 0o600); err != nil || changed == string(text) {
				t.Fatal("the library signs in another way now", err)
			}
			sawAll(t, runByFile(t, addr, file, moreClients, moreLoad, moreEvents).Order.Overall.All.AtRisk)
		})
	}
}

func sawAll(t *testing.T, atRisk int) {
	t.Helper()
	if atRisk < 1000 {
		t.Errorf("only %d pairs were at risk", atRisk)
	}
}

// keyPair is a private key in PEM, and its public one.
func keyPair(t *testing.T, key any) (private, public string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	var public509 []byte
	switch key := key.(type) {
	case *rsa.PrivateKey:
		public509, err = x509.MarshalPKIXPublicKey(&key.PublicKey)
	case *ecdsa.PrivateKey:
		public509, err = x509.MarshalPKIXPublicKey(&key.PublicKey)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public509}))
}

// startMercure starts a hub whose publishers sign by that key.
func startMercure(t *testing.T, alg, key string) (addr string) {
	t.Helper()
	addr = freeAddr(t)
	t.Setenv("ADDR", addr)
	t.Setenv("TRANSPORT_URL", "local://local")
	t.Setenv("ALLOW_ANONYMOUS", "1")
	t.Setenv("PUBLISHER_JWT_KEY", key)
	t.Setenv("PUBLISHER_JWT_ALGORITHM", alg)
	t.Setenv("SUBSCRIBER_JWT_KEY", key)
	t.Setenv("SUBSCRIBER_JWT_ALGORITHM", alg)
	startForeign(t, addr, filepath.Join(serversDir(t), "mercure/mercure"))
	return addr
}

// TestMoreServersPushpin: a proxy that holds streams for an origin, which says so in its answers, and is told what to send by a port of its own.
func TestMoreServersPushpin(t *testing.T) {
	dir := filepath.Join(serversDir(t), "pushpin")
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Grip-Hold", "stream")
		w.Header().Set("Grip-Channel", strings.TrimPrefix(r.URL.Path, "/"))
	}))
	t.Cleanup(origin.Close)
	run, addr, control := t.TempDir(), freeAddr(t), freeAddr(t)
	_, port, err := net.SplitHostPort(control)
	if err != nil {
		t.Fatal(err)
	}
	zurl := fmt.Sprintf("[General]\nin_spec=ipc://%[1]s/zurl-in\nin_stream_spec=ipc://%[1]s/zurl-in-stream\nout_spec=ipc://%[1]s/zurl-out\nin_req_spec=\n"+
		"defpolicy=allow\nmax_open_requests=2000\nbuffer_size=200000\ntimeout=600\n", run)
	for name, text := range map[string]string{
		"zurl.conf": zurl, "routes": "* " + origin.Listener.Addr().String() + "\n", "pushpin.conf": pushpinConf(dir, run, addr, port),
	} {
		if err := os.WriteFile(filepath.Join(run, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("LD_LIBRARY_PATH", filepath.Join(dir, "usr/lib/x86_64-linux-gnu"))
	t.Setenv("PATH", filepath.Join(dir, "usr/bin")+":"+os.Getenv("PATH"))
	t.Setenv("PUSHPIN_CONTROL", "http://"+control)
	startQuietly(t, filepath.Join(dir, "usr/bin/zurl"), "--config="+filepath.Join(run, "zurl.conf"))
	pushpin := startQuietly(t, filepath.Join(dir, "usr/bin/pushpin"), "--config="+filepath.Join(run, "pushpin.conf"))
	listens(t, addr, "pushpin", pushpin)
	listens(t, control, "pushpin", pushpin)
	r := runAgainst(t, addr, "pushpin", moreClients, moreLoad, anyNumber)
	sawAll(t, r.Order.Overall.All.AtRisk)
	if r.Deliveries < moreEvents*8/10 { // on a busy machine it cuts a stream now and then, whose client comes back after 3 s
		t.Errorf("%d deliveries; went wrong: %+v", r.Deliveries, r.Troubles)
	}
	t.Logf("%d of %d deliveries; %+v", r.Deliveries, moreEvents, r.Troubles)
}

// pushpinConf is the configuration of a Pushpin that listens at addr, and for what to send at a port of its own.
func pushpinConf(dir, run, addr, port string) string {
	return fmt.Sprintf(`[global]
include=%[1]s/usr/lib/pushpin/internal.conf
rundir=%[2]s
ipc_prefix=pushpin-
port_offset=0
stats_connection_ttl=120
[runner]
services=condure,pushpin-proxy,pushpin-handler
http_port=%[3]s
logdir=%[2]s
log_level=2
client_buffer_size=8192
client_maxconn=2000
condure_bin=%[1]s/usr/bin/condure
[proxy]
routesfile=%[2]s/routes
zurl_out_specs=ipc://%[2]s/zurl-in
zurl_out_stream_specs=ipc://%[2]s/zurl-in-stream
zurl_in_specs=ipc://%[2]s/zurl-out
sig_key=changeme
updates_check=off
[handler]
push_in_spec=ipc://%[2]s/push-in
push_in_sub_specs=ipc://%[2]s/push-in-sub
push_in_http_addr=127.0.0.1
push_in_http_port=%[4]s
push_in_http_max_headers_size=10000
push_in_http_max_body_size=1000000
command_spec=ipc://%[2]s/command
message_rate=100000
message_hwm=100000
message_wait=5000
id_cache_ttl=60
connection_subscription_max=20
subscription_linger=60
stats_subscription_ttl=60
stats_report_interval=10
stats_format=tnetstring
`, dir, run, addr, port)
}

// TestMoreServersMCP: an MCP server by both of its transports; by the older one the answers to commands come on the stream.
func TestMoreServersMCP(t *testing.T) {
	addr := freeAddr(t)
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	startForeign(t, addr, "node", filepath.Join(serversDir(t), "mcp/mcp.mjs"), host, port)
	for _, protocol := range []string{"mcp-rooms", "mcp-sse"} {
		t.Run(protocol, func(t *testing.T) {
			r := runAgainst(t, addr, protocol, moreClients, moreLoad, moreEvents)
			if o := r.Order.Overall; o.All.AtRisk < 1000 || o.FIFO.Violations != 0 {
				t.Errorf("one process that tells one session after the other: %+v", o)
			}
		})
	}
	t.Run("mcp", func(t *testing.T) { // each prompt is answered by two words of progress and a result: three parts
		runAgainst(t, addr, "mcp", "{members: {count: 20, channel: {pattern: \"user-${n}\", count: 20}}}", "{ask: {by: members, rate: 50/s, for: 4s}}", 3*200)
	})
}
