package chaos

import (
	"bytes"
	"strings"
	"testing"
)

// split feeds text cut at each multiple of size.
func split(a *asking, text string, size int) string {
	var out bytes.Buffer
	for len(text) > 0 {
		part := []byte(text[:min(size, len(text))])
		text = text[len(part):]
		for len(part) > 0 {
			n, some := a.next(part)
			out.Write(some)
			part = part[n:]
		}
	}
	return out.String() + string(a.head)
}

func TestAskingNamesAnotherHost(t *testing.T) {
	t.Parallel()
	const post = "POST /command HTTP/1.1\r\nhost: a\r\nContent-Length: 7\r\n\r\nHost: b"
	const get = "GET /events HTTP/1.1\r\nX: y\r\nHost: a\r\n\r\n"
	const upgrade = "GET /socket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n"
	for text, want := range map[string]string{
		post + get + post:              strings.NewReplacer("host: a", "Host: up:1", "Host: a", "Host: up:1").Replace(post + get + post),
		upgrade + "Host: a\r\n\r\n":    strings.Replace(upgrade, "Host: a", "Host: up:1", 1) + "Host: a\r\n\r\n",
		"\x16\x03\x01 Host: a\r\n\r\n": "\x16\x03\x01 Host: a\r\n\r\n",
		"PASS secret\r\nHost: a":       "PASS secret\r\nHost: a",
	} {
		for size := 1; size <= len(text); size++ {
			if got := split(&asking{host: "up:1"}, text, size); got != want {
				t.Errorf("%q in parts of %d bytes: %q, want %q", text, size, got, want)
			}
		}
	}
}

func FuzzAsking(f *testing.F) {
	f.Add("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.0\r\n\r\n", uint8(3))
	f.Add("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", uint8(7))
	f.Add("HELO x\r\n", uint8(1))
	f.Fuzz(func(t *testing.T, text string, size uint8) {
		if got := split(new(asking), text, 1+int(size)); got != text {
			t.Errorf("%q became %q", text, got)
		}
		whole, parts := &asking{host: "h"}, &asking{host: "h"}
		if a, b := split(whole, text, len(text)+1), split(parts, text, 1+int(size)); a != b || whole.number != parts.number {
			t.Errorf("%q became %q as a whole and %q in parts, %d and %d requests", text, a, b, whole.number, parts.number)
		}
	})
}
