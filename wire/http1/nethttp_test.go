package http1_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"holobench/wire/http1"
)

// writeResponse draws a valid response, in any of the spellings that the standard allows.
func writeResponse(random *rand.Rand) string {
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	var b strings.Builder
	for range max(0, random.IntN(4)-2) {
		b.WriteString("HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n")
	}
	b.WriteString(pick("HTTP/1.1 200 OK\r\n", "HTTP/1.1 404 Not Found\r\n", "HTTP/1.1 503 \r\n", "HTTP/1.1 204 No Content\r\n", "HTTP/1.1 304 Not Modified\r\n", "HTTP/1.0 200 OK\r\n"))
	old := strings.Contains(b.String(), "HTTP/1.0")
	fields := []string{
		pick("", "Content-Type: text/event-stream\r\n", "content-type:application/json\r\n", "CONTENT-TYPE: \t text/plain; charset=utf-8 \r\n"),
		pick("", "Connection: close\r\n", "connection: keep-alive\r\n", "Connection: keep-alive, Close\r\n"),
		pick("", "Retry-After: 5\r\n", "X-Accel-Buffering: no\r\n"),
	}
	body := strings.Repeat("data: x\n\n", random.IntN(40))
	switch kind := random.IntN(3); {
	case kind == 0 && !old:
		fields = append(fields, pick("Transfer-Encoding: chunked\r\n", "transfer-encoding:CHUNKED\r\n"))
		var chunks strings.Builder
		for len(body) > 0 {
			n := 1 + random.IntN(len(body))
			fmt.Fprintf(&chunks, pick("%x", "%X", "0%x")+pick("", ";ext", `; a="b"`, " ")+"\r\n%s\r\n", n, body[:n])
			body = body[n:]
		}
		body = chunks.String() + pick("0", "000") + "\r\n" + pick("", "Trailer: x\r\n") + "\r\n"
	case kind == 1:
		fields = append(fields, fmt.Sprintf("Content-Length: %d\r\n", len(body)))
	}
	random.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	return b.String() + strings.Join(fields, "") + "\r\n" + body
}

// readResponse reads input with net/http, which skips no interim responses here.
func readResponse(t *testing.T, input string) (*http.Response, string) {
	t.Helper()
	reader := bufio.NewReader(strings.NewReader(input))
	for {
		response, err := http.ReadResponse(reader, &http.Request{Method: http.MethodGet})
		if err != nil {
			t.Fatalf("net/http refuses %q: %v", input, err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatalf("net/http refuses the body of %q: %v", input, err)
		}
		_ = response.Body.Close()
		if response.StatusCode >= 200 {
			return response, string(body)
		}
	}
}

func TestParserAgreesWithNetHTTP(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 3))
	for round := range 5000 {
		input := writeResponse(random)
		want, wantBody := readResponse(t, input)
		_ = want.Body.Close()
		cuts := make([]int, random.IntN(6))
		for i := range cuts {
			cuts[i] = random.IntN(len(input) + 1)
		}
		slices.Sort(cuts)
		got := feed(input, cuts)
		head := got.head
		if got.heads != 1 || got.ends != 1 || got.closed != "" || got.body != wantBody || head.Status != want.StatusCode ||
			head.ContentType != want.Header.Get("Content-Type") || head.RetryAfter != want.Header.Get("Retry-After") ||
			head.Chunked != slices.Equal(want.TransferEncoding, []string{"chunked"}) && !bodiless(head.Status) {
			t.Fatalf("seed %d, round %d: %q cut at %v\n got %+v\nwant %+v, body %q", seed, round, input, cuts, got, want, wantBody)
		}
		if !bodiless(head.Status) && head.ContentLength != want.ContentLength {
			t.Fatalf("seed %d, round %d: %q: length %d, want %d", seed, round, input, head.ContentLength, want.ContentLength)
		}
		delimited := head.Chunked || head.ContentLength >= 0
		if head.KeepAlive != (delimited && !want.Close) {
			t.Fatalf("seed %d, round %d: %q: keep-alive %v, want %v", seed, round, input, head.KeepAlive, delimited && !want.Close)
		}
	}
}

func bodiless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusNotModified
}

func TestAppendRequestIsReadByNetHTTP(t *testing.T) {
	t.Parallel()
	for _, request := range []http1.Request{
		{Method: "GET", Target: "/events?instance=c17&channel=room%203", Host: "127.0.0.1:4000"},
		{Method: "GET", Target: "/", Host: "example.org", Header: []http1.Field{{"Accept", "text/event-stream"}, {"X-Twice", "a"}, {"X-Twice", "b\tc"}}},
		{Method: "POST", Target: "/command", Host: "[::1]:80", Body: []byte(`{"channel":"r"}`)},
		{Method: "POST", Target: "/command", Host: "h"},
		{Method: "DELETE", Target: "/x", Host: "h", Body: []byte("why")},
	} {
		if err := request.Check(); err != nil {
			t.Errorf("%+v: %v", request, err)
		}
		sent := http1.AppendRequest([]byte("GET /before HTTP/1.1\r\nHost: x\r\n\r\n"), request)
		reader := bufio.NewReader(bytes.NewReader(sent))
		if _, err := http.ReadRequest(reader); err != nil {
			t.Fatal(err)
		}
		got, err := http.ReadRequest(reader)
		if err != nil {
			t.Fatalf("%q: %v", sent, err)
		}
		body, err := io.ReadAll(got.Body)
		if err != nil || string(body) != string(request.Body) {
			t.Errorf("%q: body %q, %v", sent, body, err)
		}
		var header []http1.Field
		for _, field := range request.Header {
			for _, value := range got.Header.Values(field.Name) {
				if value == field.Value {
					header = append(header, field)
				}
			}
		}
		if got.Method != request.Method || got.RequestURI != request.Target || got.Host != request.Host || !slices.Equal(header, request.Header) {
			t.Errorf("%q was read as %+v", sent, got)
		}
		if wantLength := len(request.Body) > 0 || request.Method == "POST"; bytes.Contains(sent, []byte("Content-Length")) != wantLength {
			t.Errorf("%q: has a length %v, want %v", sent, !wantLength, wantLength)
		}
	}
}

func TestRequestCheckRefuses(t *testing.T) {
	t.Parallel()
	good := http1.Request{Method: "GET", Target: "/", Host: "h"}
	with := func(change func(*http1.Request)) http1.Request {
		r := good
		change(&r)
		return r
	}
	field := func(name, value string) http1.Request {
		return with(func(r *http1.Request) { r.Header = []http1.Field{{name, value}} })
	}
	for _, test := range []struct {
		request http1.Request
		want    string
	}{
		{with(func(r *http1.Request) { r.Method = "GET /x" }), `checking a request: the method "GET /x" is not a word`},
		{with(func(r *http1.Request) { r.Method = "" }), `checking a request: the method "" is not a word`},
		{with(func(r *http1.Request) { r.Target = "/a b" }), `checking a request: the target "/a b" is empty or holds a space or a control character; encode it as %20`},
		{with(func(r *http1.Request) { r.Target = "" }), `checking a request: the target "" is empty or holds a space or a control character; encode it as %20`},
		{with(func(r *http1.Request) { r.Host = "h\r\nX: y" }), `checking a request: the host "h\r\nX: y" is empty or holds a space or a control character`},
		{field("", "x"), "checking a header field: its name is empty"},
		{field("A b", "x"), `checking a header field: the name "A b" must consist of letters, digits and -`},
		{field("A:", "x"), `checking a header field: the name "A:" must consist of letters, digits and -`},
		{field("Äh", "x"), `checking a header field: the name "Äh" must consist of letters, digits and -`},
		{field("Cookie", "secret\r\nX: y"), "checking a header field: the value of Cookie holds a line end or another control character"},
		{field("Cookie", "secret\n"), "checking a header field: the value of Cookie holds a line end or another control character"},
		{field("Cookie", "secret\x00"), "checking a header field: the value of Cookie holds a line end or another control character"},
		{field("HOST", "x"), "checking a request: the header field HOST is written by holobench itself; leave it out"},
		{field("Content-Length", "1"), "checking a request: the header field Content-Length is written by holobench itself; leave it out"},
	} {
		if err := test.request.Check(); err == nil || err.Error() != test.want {
			t.Errorf("%+v: error %v, want %q", test.request, err, test.want)
		}
	}
}
