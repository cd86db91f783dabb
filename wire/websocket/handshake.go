package websocket

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"strings"
)

// Version is the only version of the protocol, as Sec-WebSocket-Version names it.
const Version = "13"

// HandshakeError says why a handshake failed.
type HandshakeError struct {
	// Status is what a server answers with: 400, 405, or 426, which carries Sec-WebSocket-Version: 13. A client finds
	// the status there that the server answered with.
	Status int
	What   string
}

// Error implements error.
func (e *HandshakeError) Error() string { return "reading a WebSocket handshake: " + e.What }

// Field is one header field; it converts to the Field of wire/http1.
type Field struct{ Name, Value string }

// Key makes the Sec-WebSocket-Key of a request. The standard asks for a nonce that is drawn anew for each connection.
func Key(nonce [16]byte) string { return base64.StdEncoding.EncodeToString(nonce[:]) }

// AcceptKey is the Sec-WebSocket-Accept that answers a Sec-WebSocket-Key.
func AcceptKey(key string) string {
	const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" // the same for everybody, from the standard
	sum := sha1.Sum([]byte(key + guid))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// RequestFields are the header fields by which a GET asks for a WebSocket, beside Host.
func RequestFields(key string) []Field {
	return []Field{
		{"Connection", "Upgrade"},
		{"Upgrade", "websocket"},
		{"Sec-WebSocket-Version", Version},
		{"Sec-WebSocket-Key", key},
	}
}

// AppendSwitch appends the head of the answer that accepts a WebSocket; frames follow it.
func AppendSwitch(dst []byte, accept string) []byte {
	dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: "...)
	dst = append(dst, accept...)
	return append(dst, "\r\n\r\n"...)
}

// CheckRequest judges a request for a WebSocket, of which values returns all fields of a name, as http.Header.Values does.
// It returns the Sec-WebSocket-Accept to answer with, or a *HandshakeError. Extensions and subprotocols that the client
// offers are left aside, which tells it that none is in use. Whether its Origin is welcome is the caller's to judge.
func CheckRequest(method string, values func(name string) []string) (accept string, err error) {
	refuse := func(status int, format string, args ...any) (string, error) {
		return "", &HandshakeError{status, fmt.Sprintf(format, args...)}
	}
	switch keys := values("Sec-WebSocket-Key"); {
	case method != "GET":
		return refuse(405, "the method is %.20q; a WebSocket is opened by GET", method)
	case !lists(values("Connection"), "upgrade"):
		return refuse(400, "the field Connection does not name Upgrade; is there a proxy that does not pass on WebSockets?")
	case !lists(values("Upgrade"), "websocket"):
		return refuse(400, "the field Upgrade does not name websocket")
	case !only(values("Sec-WebSocket-Version"), Version):
		return refuse(426, "Sec-WebSocket-Version is %.60q; only %s is spoken here", joined(values("Sec-WebSocket-Version")), Version)
	case len(keys) != 1 || !validKey(keys[0]):
		return refuse(400, "it has no Sec-WebSocket-Key, or several, or one that is not 16 bytes in base64")
	default:
		return AcceptKey(keys[0]), nil
	}
}

// CheckAnswer judges the answer to a request that was made of RequestFields(key), of which values returns all fields of a
// name, in any case of its letters. It returns nil when frames follow, else a *HandshakeError.
func CheckAnswer(status int, values func(name string) []string, key string) error {
	refuse := func(format string, args ...any) error {
		return &HandshakeError{status, fmt.Sprintf(format, args...)}
	}
	switch {
	case status != 101:
		return refuse("the server answered with status %d, not with 101 Switching Protocols", status)
	case !only(values("Upgrade"), "websocket"):
		return refuse("the server switched to %.60q, not to websocket", joined(values("Upgrade")))
	case !lists(values("Connection"), "upgrade"):
		return refuse("the field Connection of the answer does not name Upgrade")
	case !exactly(values("Sec-WebSocket-Accept"), AcceptKey(key)):
		return refuse("Sec-WebSocket-Accept does not answer the key that was sent; is there a cache in between?")
	case len(values("Sec-WebSocket-Extensions")) > 0:
		return refuse("the server uses the extension %.60q, though none was offered", joined(values("Sec-WebSocket-Extensions")))
	case len(values("Sec-WebSocket-Protocol")) > 0:
		return refuse("the server chose the subprotocol %.60q, though none was offered", joined(values("Sec-WebSocket-Protocol")))
	}
	return nil
}

// joined is foreign values as an error shows them.
func joined(values []string) string { return strings.Join(values, ", ") }

// validKey reports whether a Sec-WebSocket-Key is the base64 of 16 bytes.
func validKey(key string) bool {
	nonce, err := base64.StdEncoding.Strict().DecodeString(key)
	return err == nil && len(nonce) == 16
}

// lists reports whether one of the values, which are lists with commas, names token; the case of letters does not matter.
func lists(values []string, token string) bool {
	for _, value := range values {
		for one := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.Trim(one, " \t"), token) {
				return true
			}
		}
	}
	return false
}

// only reports whether there is one value, and it is want; the case of letters does not matter.
func only(values []string, want string) bool {
	return len(values) == 1 && strings.EqualFold(values[0], want)
}

// exactly reports whether there is one value, and it is want to the letter.
func exactly(values []string, want string) bool { return len(values) == 1 && values[0] == want }
