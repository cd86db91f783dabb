package http1_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"holobench/wire/http1"
)

func TestReadPlainRequest(t *testing.T) {
	t.Parallel()
	const field = "Host: target:4000\r\n"
	for text, rest := range map[string]string{
		"GET /poll?a=b HTTP/1.1\r\n" + field + "\r\n":                                      "",
		"GET /poll?a=b HTTP/1.1\r\n" + field + "\r\nGET ":                                  "GET ",
		"GET /poll?a=b HTTP/1.1\r\nX-Token:  t \r\n" + field + "\r\n\r\n":                  "\r\n",
		"GET /poll?a=b HTTP/1.1\r\nx-token:t\r\nX-Token: u\r\nHOST: [::1]:80\r\n\r\n":      "",
		"GET /poll?a=b HTTP/1.1\r\nConnection: Keep-Alive\r\nX: \xe4\t\r\nHost: h\r\n\r\n": "",
	} {
		r, n := http1.ReadPlainRequest([]byte(text))
		if n == 0 || text[n:] != rest || string(r.Method) != "GET" || string(r.Target) != "/poll?a=b" {
			t.Errorf("%q: read %q %q of %d bytes", text, r.Method, r.Target, n)
		}
		if want := strings.Contains(strings.ToLower(text), "x-token"); (string(r.Field("x-token")) == "t") != want || (r.Field("x-token") == nil) == want {
			t.Errorf("%q: the field is %q", text, r.Field("x-token"))
		}
	}
}

// TestOtherRequests: everything else is left to a reader of all requests.
func TestOtherRequests(t *testing.T) {
	t.Parallel()
	const line, field = "GET / HTTP/1.1\r\n", "Host: h\r\n"
	whole := line + field + "\r\n"
	for end := range whole {
		if r, n := http1.ReadPlainRequest([]byte(whole[:end])); n != 0 || r.Method != nil {
			t.Errorf("%q was taken for a request", whole[:end])
		}
	}
	for _, text := range []string{
		line + "\r\n", line + field + field + "\r\n", line + "Host:\r\n\r\n", line + "Host: a b\r\n\r\n", line + "Host: a/b\r\n\r\n",
		"GET / HTTP/1.0\r\n" + field + "\r\n", "GET / HTTP/1.1 \r\n" + field + "\r\n", "GET  / HTTP/1.1\r\n" + field + "\r\n",
		"G@T / HTTP/1.1\r\n" + field + "\r\n", " / HTTP/1.1\r\n" + field + "\r\n", "GET http://h/ HTTP/1.1\r\n" + field + "\r\n",
		"GET /\xe4 HTTP/1.1\r\n" + field + "\r\n", "GET /\x01 HTTP/1.1\r\n" + field + "\r\n", "GET / HTTP/1.1\n" + field + "\r\n",
		"\r\n" + whole, "GET /\r\n\r\n", line + field + "\n", line + field + "X: y\n\r\n",
		line + field + "X : y\r\n\r\n", line + field + " X: y\r\n\r\n", line + field + "X\r\n\r\n", line + field + ": y\r\n\r\n",
		line + field + "X: y\rz\r\n\r\n", line + field + "X: y\x00\r\n\r\n", line + field + "X: y\x7f\r\n\r\n",
		line + field + "Content-Length: 0\r\n\r\n", line + field + "transfer-encoding: chunked\r\n\r\n", line + field + "Expect: 100-continue\r\n\r\n",
		line + field + "Upgrade: h2c\r\n\r\n", line + field + "Trailer: X\r\n\r\n", line + field + "Connection: close\r\n\r\n",
		line + field + "Connection: keep-alive, close\r\n\r\n", line + field + "Connection:\r\n\r\n",
	} {
		if _, n := http1.ReadPlainRequest([]byte(text)); n != 0 {
			t.Errorf("%q was taken for a plain request of %d bytes", text, n)
		}
	}
}

// TestPlainRequestCost: it is on the way of each delivery by long polling. It is not parallel, because allocations are counted for the
// whole process.
func TestPlainRequestCost(t *testing.T) {
	text := []byte("GET /poll?a=b HTTP/1.1\r\nHost: target:4000\r\nAccept: */*\r\nX-Token: t\r\n\r\n")
	if allocs := testing.AllocsPerRun(100, func() {
		if r, n := http1.ReadPlainRequest(text); n != len(text) || len(r.Field("x-token")) != 1 {
			t.Error("not read")
		}
	}); allocs != 0 {
		t.Errorf("%v allocations a request", allocs)
	}
}

func BenchmarkReadPlainRequest(b *testing.B) {
	text := []byte("GET /socket/longpoll?vsn=2.0.0&token=ABCDEFGHIJKLMNOPQRSTUVWXYZ HTTP/1.1\r\nHost: target:4000\r\nAccept: */*\r\n\r\n")
	for b.Loop() {
		if _, n := http1.ReadPlainRequest(text); n == 0 {
			b.Fatal("not read")
		}
	}
}

// FuzzPlainRequest checks that what is taken for a plain request is the same one to net/http, and plain to it too.
func FuzzPlainRequest(f *testing.F) {
	for _, seed := range []string{
		"GET /socket/longpoll?vsn=2.0.0&token=T HTTP/1.1\r\nHost: target\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nX-Token: t\r\nConnection: keep-alive\r\n\r\nPOST / HTTP/1.1\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx", "GET //h/%zz?a HTTP/1.1\r\nHost: h\r\nX-Token:\r\n\r\n", "HEAD /a#b HTTP/1.1\r\nHost: [::1]:1\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		r, n := http1.ReadPlainRequest(input)
		if n == 0 {
			return
		}
		reader := bufio.NewReader(bytes.NewReader(input))
		want, err := http.ReadRequest(reader)
		if err != nil {
			if bad := new(url.Error); errors.As(err, &bad) {
				return // a bad escape, or the like: who reads the target will say so
			}
			t.Fatalf("%q: net/http says %v", input[:n], err)
		}
		rest, err := io.ReadAll(reader)
		if err != nil || len(rest) != len(input)-n {
			t.Fatalf("%q: net/http leaves %q, not %q: %v", input, rest, input[n:], err)
		}
		if want.Method != string(r.Method) || want.RequestURI != string(r.Target) || want.ContentLength != 0 || want.Close || !want.ProtoAtLeast(1, 1) ||
			len(want.TransferEncoding) > 0 || want.Header.Get("X-Token") != string(r.Field("x-token")) {
			t.Fatalf("%q: read %q %q %q, net/http %+v", input[:n], r.Method, r.Target, r.Field("x-token"), want)
		}
	})
}
