package websocket_test

import (
	"bufio"
	"errors"
	"net/http"
	"strings"
	"testing"

	"holobench/wire/websocket"
)

// The key of RFC 6455, section 1.3, and what answers it.
const (
	sampleKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	sampleAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

func TestKeys(t *testing.T) {
	t.Parallel()
	if got := websocket.Key([16]byte([]byte("the sample nonce"))); got != sampleKey {
		t.Errorf("Key: %q, want %q", got, sampleKey)
	}
	if got := websocket.AcceptKey(sampleKey); got != sampleAccept {
		t.Errorf("AcceptKey: %q, want %q", got, sampleAccept)
	}
}

// TestHandshake sends both halves through net/http, as a server and as a client.
func TestHandshake(t *testing.T) {
	t.Parallel()
	request := "GET /socket HTTP/1.1\r\nHost: h\r\n"
	for _, field := range websocket.RequestFields(sampleKey) {
		request += field.Name + ": " + field.Value + "\r\n"
	}
	asked, err := http.ReadRequest(bufio.NewReader(strings.NewReader(request + "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	accept, err := websocket.CheckRequest(asked.Method, asked.Header.Values)
	if err != nil || accept != sampleAccept {
		t.Fatalf("%q, %v", accept, err)
	}
	answer := websocket.AppendSwitch(nil, accept)
	rest := bufio.NewReader(strings.NewReader(string(answer) + hello))
	answered, err := http.ReadResponse(rest, asked)
	if err != nil {
		t.Fatal(err)
	}
	if err := websocket.CheckAnswer(answered.StatusCode, answered.Header.Values, sampleKey); err != nil {
		t.Error(err)
	}
	if frames, _ := rest.Peek(100); string(frames) != hello {
		t.Errorf("behind the head stands %q", frames)
	}
}

// header returns a good one, changed: each change is "Name: value", and one without a value takes the field away.
func header(good map[string]string, changes ...string) http.Header {
	h := make(http.Header)
	for name, value := range good {
		h.Set(name, value)
	}
	for _, change := range changes {
		name, value, _ := strings.Cut(change, ": ")
		h.Del(name)
		for one := range strings.SplitSeq(value, "; ") {
			if one != "" {
				h.Add(name, one)
			}
		}
	}
	return h
}

// judge compares a handshake error with its status and text; status 0 = no error.
func judge(t *testing.T, err error, status int, want string) {
	t.Helper()
	refused, ok := errors.AsType[*websocket.HandshakeError](err)
	switch {
	case status == 0 && err != nil:
		t.Error(err)
	case status != 0 && (!ok || refused.Status != status || err.Error() != "reading a WebSocket handshake: "+want):
		t.Errorf("got %v, want %d %s", err, status, want)
	}
}

func TestCheckRequest(t *testing.T) {
	t.Parallel()
	good := map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": sampleKey}
	const noKey = "it has no Sec-WebSocket-Key, or several, or one that is not 16 bytes in base64"
	const noUpgrade = "the field Connection does not name Upgrade; is there a proxy that does not pass on WebSockets?"
	for _, test := range []struct {
		change string
		status int
		want   string
	}{
		{"Connection: keep-alive, uPGRADE", 0, ""},
		{"Connection: keep-alive; upgrade", 0, ""},
		{"Upgrade: h2c, WebSocket", 0, ""},
		{"Sec-WebSocket-Extensions: permessage-deflate", 0, ""},
		{"Sec-WebSocket-Protocol: phoenix", 0, ""},
		{"Connection: keep-alive", 400, noUpgrade},
		{"Connection", 400, noUpgrade},
		{"Upgrade", 400, "the field Upgrade does not name websocket"},
		{"Upgrade: websocketx", 400, "the field Upgrade does not name websocket"},
		{"Sec-WebSocket-Version: 8", 426, `Sec-WebSocket-Version is "8"; only 13 is spoken here`},
		{"Sec-WebSocket-Version: 13; 8", 426, `Sec-WebSocket-Version is "13, 8"; only 13 is spoken here`},
		{"Sec-WebSocket-Version", 426, `Sec-WebSocket-Version is ""; only 13 is spoken here`},
		{"Sec-WebSocket-Key", 400, noKey},
		{"Sec-WebSocket-Key: " + sampleKey + "; " + sampleKey, 400, noKey},
		{"Sec-WebSocket-Key: c2hvcnQ=", 400, noKey},
		{"Sec-WebSocket-Key: not base64!", 400, noKey},
		{"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==", 400, noKey}, // bits behind the end
	} {
		accept, err := websocket.CheckRequest("GET", header(good, test.change).Values)
		judge(t, err, test.status, test.want)
		if (err == nil) != (accept == sampleAccept) {
			t.Errorf("%s: answers %q", test.change, accept)
		}
	}
	_, err := websocket.CheckRequest("POST", header(good).Values)
	judge(t, err, 405, `the method is "POST"; a WebSocket is opened by GET`)
}

func TestCheckAnswer(t *testing.T) {
	t.Parallel()
	good := map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Accept": sampleAccept}
	const noAnswer = "Sec-WebSocket-Accept does not answer the key that was sent; is there a cache in between?"
	for _, test := range []struct{ change, want string }{
		{"Connection: upgrade, keep-alive", ""},
		{"Upgrade: WebSocket", ""},
		{"Upgrade: h2c", `the server switched to "h2c", not to websocket`},
		{"Upgrade", `the server switched to "", not to websocket`},
		{"Connection", "the field Connection of the answer does not name Upgrade"},
		{"Sec-WebSocket-Accept", noAnswer},
		{"Sec-WebSocket-Accept: " + sampleKey, noAnswer},
		{"Sec-WebSocket-Accept: " + strings.ToLower(sampleAccept), noAnswer},
		{"Sec-WebSocket-Extensions: permessage-deflate", `the server uses the extension "permessage-deflate", though none was offered`},
		{"Sec-WebSocket-Protocol: phoenix", `the server chose the subprotocol "phoenix", though none was offered`},
	} {
		status := 101
		if test.want == "" {
			status = 0
		}
		judge(t, websocket.CheckAnswer(101, header(good, test.change).Values, sampleKey), status, test.want)
	}
	judge(t, websocket.CheckAnswer(403, header(nil).Values, sampleKey), 403, "the server answered with status 403, not with 101 Switching Protocols")
}
