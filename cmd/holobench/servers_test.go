package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"holobench/report"
)

var servers = flag.String("servers", "", "where tools/servers/fetch.sh has put servers that are not ours (make test-servers)")

// TestServersNchan is a negative control: a server that is not ours, and that keeps one order, is found to keep it.
func TestServersNchan(t *testing.T) {
	r := runAgainst(t, startNchan(t), "nchan", "{members: {count: 200, channel: lobby}}", "{talk: {by: {clients: members, only: 16}, rate: 160/s, for: 10s}}", 200*1600)
	if o := r.Order.Overall; o.All.Divergent != 0 || o.FIFO.Violations != 0 || o.All.AtRisk < 10_000 {
		t.Errorf("one order is what Nchan keeps: %+v", o)
	}
}

// startNchan starts an nginx with Nchan.
func startNchan(t *testing.T) (addr string) {
	t.Helper()
	dir := serversDir(t)
	addr = freeAddr(t)
	prefix := t.TempDir()
	if err := os.Mkdir(filepath.Join(prefix, "run"), 0o755); err != nil {
		t.Fatal(err)
	}
	conf := fmt.Sprintf(`load_module %s/nginx/usr/lib/nginx/modules/ngx_nchan_module.so;
daemon off; master_process off; pid run/nginx.pid; error_log stderr error; worker_rlimit_nofile 4096;
events { worker_connections 2048; }
http {
  access_log off; keepalive_requests 1000000; nchan_shared_memory_size 128M;
  client_body_temp_path run/1; proxy_temp_path run/2; fastcgi_temp_path run/3; uwsgi_temp_path run/4; scgi_temp_path run/5;
  server {
    listen %s;
    location ~ ^/pub/(.+)$ { nchan_publisher; nchan_channel_id $1; nchan_message_buffer_length 10000; nchan_message_timeout 5m; }
    location ~ ^/sub/(.+)$ { nchan_subscriber; nchan_channel_id $1; nchan_subscriber_first_message newest; }
  }
}
`, dir, addr)
	if err := os.WriteFile(filepath.Join(prefix, "nginx.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	startForeign(t, addr, filepath.Join(dir, "nginx/usr/sbin/nginx"), "-p", prefix, "-c", "nginx.conf")
	return addr
}

// TestServersPocketBase is a positive control: a server that is not ours, and that lets messages overtake each other, is caught at
// it, with one publisher that awaits each reply, and with several.
func TestServersPocketBase(t *testing.T) {
	addr := startPocketBase(t, `""`)
	const who = "{members: {count: 50, channel: messages}, backend: {count: 1, channel: messages, stream: none}}"
	violations, divergent := 0, 0
	defer keepBusy(t)()
	for range 5 { // it is a matter of chance in a run of 200 messages, and seldom one on an idle machine
		r := runAgainst(t, addr, "pocketbase", who, "{talk: {by: backend, rate: 2000/s, for: 100ms}}", 50*200) // as fast as the replies come
		violations += int(r.Order.Overall.FIFO.Violations)                                                     //nolint:gosec // some thousands at most
		r = runAgainst(t, addr, "pocketbase", who, "{talk: {by: {clients: members, only: 8}, rate: 2000/s, for: 100ms}}", 50*200)
		divergent += int(r.Order.Overall.All.Divergent) //nolint:gosec // as above
		if violations > 0 && divergent > 0 {
			t.Logf("%d FIFO violations of one publisher, %d divergent pairs of eight", violations, divergent)
			return
		}
	}
	t.Errorf("in five runs each: %d FIFO violations of one publisher, %d divergent pairs of eight; PocketBase is known for both", violations, divergent)
}

// startPocketBase starts PocketBase with a collection messages, whose records those may create and see whom the rule lets, and a user
// ann@example.org.
func startPocketBase(t *testing.T, rule string) (addr string) {
	t.Helper()
	addr = freeAddr(t)
	data, program := t.TempDir(), filepath.Join(serversDir(t), "pocketbase/base")
	if out, err := exec.Command(program, "superuser", "upsert", "admin@example.org", "hunter2hunter2", "--dir", data).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	startForeign(t, addr, program, "serve", "--http", addr, "--dir", data)
	var token struct{ Token string }
	ask(t, "http://"+addr+"/api/collections/_superusers/auth-with-password", "", `{"identity":"admin@example.org","password":"hunter2hunter2"}`, &token)
	ask(t, "http://"+addr+"/api/collections", token.Token, `{"name":"messages","type":"base","listRule":`+rule+`,"viewRule":`+rule+`,"createRule":`+rule+`,`+
		`"fields":[{"name":"sender","type":"text"},{"name":"body","type":"text","max":40000}]}`, nil)
	ask(t, "http://"+addr+"/api/collections/users/records", token.Token, `{"email":"ann@example.org","password":"open sesame 12","passwordConfirm":"open sesame 12"}`, nil)
	return addr
}

// keepBusy gives the scheduler something else to do on every core, until the function that it returns is called.
func keepBusy(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	for range runtime.NumCPU() {
		go func() {
			for ctx.Err() == nil {
				sha256.Sum256(make([]byte, 1<<12))
			}
		}()
	}
	return cancel
}

// TestServersGraphQL is a server whose streams are the answers to POSTs.
func TestServersGraphQL(t *testing.T) {
	dir := serversDir(t)
	addr := freeAddr(t)
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	startForeign(t, addr, "node", filepath.Join(dir, "graphql/graphql.mjs"), host, port)
	for _, protocol := range []string{"graphql-sse", "graphql-sse-single"} { // each stream is the answer to a POST, or carries the answers to POSTs
		r := runAgainst(t, addr, protocol, `{members: {count: 50, channel: {pattern: "room-${n}", count: 2}}}`,
			"{talk: {by: {clients: members, only: 8}, rate: 50/s, for: 4s}}", 25*200)
		if o := r.Order.Overall; o.All.AtRisk < 1000 || o.FIFO.Violations != 0 {
			t.Errorf("%s: one process that hands out one message after the other: %+v", protocol, o)
		}
	}
}

func serversDir(t *testing.T) string {
	t.Helper()
	if *servers == "" {
		t.Skip("it needs servers that are not ours: make test-servers")
	}
	return *servers
}

// runAgainst measures a server by a protocol file of the library. It holds that everybody gets everything, once.
func runAgainst(t *testing.T, addr, protocol, clients, load string, deliveries int) *report.Report {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(library, "protocols", protocol+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return runByFile(t, addr, path, clients, load, deliveries)
}

// anyNumber of deliveries will do, as far as none is lost.
const anyNumber = -1

// runByFile is runAgainst by any protocol file.
func runByFile(t *testing.T, addr, path, clients, load string, deliveries int) *report.Report {
	t.Helper()
	file := filepath.Join(t.TempDir(), "scenario.yaml")
	text := fmt.Sprintf("version: 1\nserver: {url: \"http://%s\", protocol: %q}\nclients: %s\nload: %s\n"+
		"budgets: {reach: value==1, events_lost: count==0, events_duplicated: count==0}\n", addr, path, clients, load)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, r := holobenchRun(t, file)
	if deliveries != anyNumber && r.Deliveries != int64(deliveries) {
		t.Errorf("%d deliveries, want %d; went wrong: %+v", r.Deliveries, deliveries, r.Troubles)
	}
	return r
}

// startForeign starts a server that is not ours, waits until it listens, and ends it with the test.
func startForeign(t *testing.T, addr, program string, args ...string) {
	t.Helper()
	listens(t, addr, program, startQuietly(t, program, args...))
}

// process is one that a test has started.
type process struct {
	said  *bytes.Buffer
	ended chan error // gets one value
}

// startQuietly starts a program, and ends it and all that it starts with the test.
func startQuietly(t *testing.T, program string, args ...string) *process {
	t.Helper()
	said := new(bytes.Buffer)
	c := exec.Command(program, args...)
	c.Stdout, c.Stderr, c.SysProcAttr = said, said, &syscall.SysProcAttr{Setpgid: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{said: said, ended: make(chan error, 1)}
	go func() { p.ended <- c.Wait() }()
	t.Cleanup(func() {
		c.Process.Signal(syscall.SIGTERM) // it may have ended; one that has children ends them now
		select {
		case <-p.ended:
		case <-time.After(5 * time.Second):
			c.Process.Kill()
			<-p.ended
		}
	})
	return p
}

// listens waits until somebody listens at addr, which the process is to bring about.
func listens(t *testing.T, addr, program string, p *process) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return
		}
		select {
		case err := <-p.ended:
			p.ended <- err
			t.Fatalf("%s: %v: %s", program, err, p.said)
		case <-deadline.C:
			t.Fatalf("%s does not listen at %s", program, addr)
		case <-poll.C:
		}
	}
}

// freeAddr is an address at which nothing listens: these servers cannot say which port they took.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// ask posts JSON and reads the answer.
func ask(t *testing.T, url, token, body string, into any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d: %s", answer.StatusCode, text)
	}
	if into != nil {
		err = errors.Join(err, json.Unmarshal(text, into))
	}
	if err != nil {
		t.Fatal(err)
	}
}
