package http1_test

import (
	"bufio"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"holobench/wire/http1"
)

// FuzzParser checks that it does not matter where foreign bytes are cut, and that what is accepted reads as net/http
// reads it, as far as that accepts it too.
func FuzzParser(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200", []byte{17, 38})
	f.Add("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nhi\r\n0\r\nA: b\r\n\r\n", []byte{70, 74, 76})
	f.Add("HTTP/1.0 200 OK\nConnection: keep-alive\n\nrest", []byte{1})
	f.Add("HTTP/1.1 204\r\n\r\n", []byte{})
	f.Fuzz(func(t *testing.T, input string, cuts []byte) {
		places := make([]int, len(cuts))
		for i, cut := range cuts {
			places[i] = int(cut)
		}
		slices.Sort(places)
		want := feed(input, nil)
		for _, places := range [][]int{places, everywhere(input)} {
			if got := feed(input, places); got != want {
				t.Fatalf("%q cut at %v\n got %+v\nwant %+v", input, places, got, want)
			}
		}
		if want.closed != "" || want.ends != 1 || strings.HasPrefix(input, "HTTP/1.0") || strings.HasPrefix(input, "HTTP/1.1 1") {
			return
		}
		response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(input)), &http.Request{Method: http.MethodGet})
		if err != nil {
			return // it is stricter in places that do not matter here, such as the names of trailers
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err == nil && (response.StatusCode != want.head.Status || string(body) != want.body) {
			t.Fatalf("%q: read %d %q, net/http %d %q", input, want.head.Status, want.body, response.StatusCode, body)
		}
	})
}

// FuzzCheckField checks that a field which passes is one field to a server, and the same.
func FuzzCheckField(f *testing.F) {
	f.Add("Accept", "text/event-stream")
	f.Add("A\r\nB", "c")
	f.Add("A", "b\r\nC: d")
	f.Fuzz(func(t *testing.T, name, value string) {
		r := http1.Request{Method: "GET", Target: "/", Host: "h", Header: []http1.Field{{name, value}}}
		if r.Check() != nil {
			return
		}
		got, err := http.ReadRequest(bufio.NewReader(strings.NewReader(string(http1.AppendRequest(nil, r)))))
		if err != nil {
			return // refused, as for a "Connection" that names nonsense: not another request, at least
		}
		if n := len(got.Header); n > 1 || n == 1 && got.Header.Get(name) != strings.Trim(value, " \t") {
			t.Fatalf("%q: %q became %+v", name, value, got.Header)
		}
	})
}
