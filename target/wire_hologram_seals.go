package target

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"
)

// hologramSeals make what a client of the wire hologram keeps for the server, and know it again: with an HMAC under one key,
// which all nodes of a target share. Nothing in it is hidden from the client. It binds, as Hologram does, a command to the
// client that got the page; it protects nothing, because the plain wire beside it asks nobody who he is.
type hologramSeals struct {
	key [sha256.Size]byte
}

func newHologramSeals(secret string) hologramSeals {
	return hologramSeals{key: sha256.Sum256([]byte(secret))}
}

// sealKind is what a seal is for, so that none passes for another.
type sealKind byte

const (
	sessionSeal sealKind = iota
	csrfSeal
	instanceSeal
	receiptSeal
	handshakeSeal
)

// sealBytes is the length of a seal: half of an HMAC with SHA-256.
const sealBytes = sha256.Size / 2

// hologramSession names a session.
type hologramSession [16]byte

// mac is the seal of content.
func (h hologramSeals) mac(kind sealKind, content []byte) []byte {
	mac := hmac.New(sha256.New, h.key[:])
	mac.Write([]byte{byte(kind)})
	mac.Write(content)
	return mac.Sum(nil)[:sealBytes]
}

// seal returns content and its seal as text for a header or a URL.
func (h hologramSeals) seal(kind sealKind, content []byte) string {
	return base64.RawURLEncoding.EncodeToString(append(h.mac(kind, content), content...))
}

// open returns the content of what seal returned.
func (h hologramSeals) open(kind sealKind, text string) (content []byte, ok bool) {
	sealed, ok := decodeSeal(text)
	if !ok || len(sealed) < sealBytes {
		return nil, false
	}
	content = sealed[sealBytes:]
	return content, hmac.Equal(sealed[:sealBytes], h.mac(kind, content))
}

// decodeSeal undoes the base64 of a seal, of which there is one spelling: the decoder itself would pass over line ends.
func decodeSeal(text string) (sealed []byte, ok bool) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, false
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return sealed, err == nil
}

func (hologramSeals) newSession() (s hologramSession) {
	_, _ = rand.Read(s[:]) // it never fails
	return s
}

// sessionToken is the cookie of a session.
func (h hologramSeals) sessionToken(s hologramSession) string { return h.seal(sessionSeal, s[:]) }

func (h hologramSeals) openSession(token string) (s hologramSession, ok bool) {
	content, ok := h.open(sessionSeal, token)
	return s, ok && copy(s[:], content) == len(s) && len(content) == len(s)
}

// csrfToken is the session's token against forgery behind a mask, another text on each page: compression of a page does not
// betray it.
func (h hologramSeals) csrfToken(s hologramSession) string {
	masked := make([]byte, 2*sealBytes)
	_, _ = rand.Read(masked[:sealBytes]) // it never fails
	subtle.XORBytes(masked[sealBytes:], masked[:sealBytes], h.mac(csrfSeal, s[:]))
	return base64.RawURLEncoding.EncodeToString(masked)
}

func (h hologramSeals) checkCSRF(s hologramSession, token string) bool {
	masked, ok := decodeSeal(token)
	if !ok || len(masked) != 2*sealBytes {
		return false
	}
	subtle.XORBytes(masked[sealBytes:], masked[:sealBytes], masked[sealBytes:])
	return hmac.Equal(masked[sealBytes:], h.mac(csrfSeal, s[:]))
}

// newInstance names a page of a session. It looks like a UUID of version 4, but its second half is sealed, so that any node
// knows whose it is: 60 bits keep it from being another's by chance, and 62 from being guessed.
func (h hologramSeals) newInstance(s hologramSession) string {
	var drawn [8]byte
	_, _ = rand.Read(drawn[:])      // it never fails
	drawn[6] = drawn[6]&0x0f | 0x40 // the version of a UUID
	return h.instance(s, drawn)
}

func (h hologramSeals) instance(s hologramSession, drawn [8]byte) string {
	sealed := h.mac(instanceSeal, append(s[:], drawn[:]...))[:8]
	sealed[0] = sealed[0]&0x3f | 0x80 // the variant of a UUID
	var text [36]byte
	hex.Encode(text[0:], drawn[0:4])
	hex.Encode(text[9:], drawn[4:6])
	hex.Encode(text[14:], drawn[6:8])
	hex.Encode(text[19:], sealed[0:2])
	hex.Encode(text[24:], sealed[2:8])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// owns says whether newInstance named an instance for this session.
func (h hologramSeals) owns(s hologramSession, instance string) bool {
	if len(instance) != 36 {
		return false
	}
	var drawn [8]byte
	if _, err := hex.Decode(drawn[:], []byte(instance[0:8]+instance[9:13]+instance[14:18])); err != nil {
		return false
	}
	return hmac.Equal([]byte(instance), []byte(h.instance(s, drawn)))
}

// receiptToken is the server's word that an instance hears a channel.
func (h hologramSeals) receiptToken(instance, channel string, now time.Time) string {
	content := appendText(appendTime(nil, now), instance)
	return h.seal(receiptSeal, appendText(content, channel))
}

// openReceipt returns the channel of a receipt that was given to the instance later than since.
func (h hologramSeals) openReceipt(token, instance string, since time.Time) (channel string, ok bool) {
	content, ok := h.open(receiptSeal, token)
	if !ok {
		return "", false
	}
	r := envelopeReader{rest: content}
	given, to, channel := r.number(), r.text(), r.text()
	return channel, !r.broken && to == instance && later(given, since)
}

// hologramHandshake is what a handshake id stands for.
type hologramHandshake struct {
	session  hologramSession
	instance string
	channels []string
}

// handshakeToken is the id of a handshake.
func (h hologramSeals) handshakeToken(s hologramSession, instance string, channels []string, now time.Time) string {
	content := appendText(append(appendTime(nil, now), s[:]...), instance)
	for _, name := range channels {
		content = appendText(content, name)
	}
	return h.seal(handshakeSeal, content)
}

// openHandshake returns what an id stands for that was given later than since.
func (h hologramSeals) openHandshake(token string, since time.Time) (shake hologramHandshake, ok bool) {
	content, ok := h.open(handshakeSeal, token)
	if !ok {
		return hologramHandshake{}, false
	}
	r := envelopeReader{rest: content}
	given := r.number()
	r.rest = r.rest[copy(shake.session[:], r.rest):]
	for shake.instance = r.text(); len(r.rest) > 0 && !r.broken; {
		shake.channels = append(shake.channels, r.text())
	}
	return shake, !r.broken && later(given, since)
}

func appendTime(dst []byte, t time.Time) []byte {
	return binary.AppendUvarint(dst, uint64(t.UnixNano())) //nolint:gosec // it comes back as it was
}

// later says whether what appendTime wrote is later than since.
func later(written uint64, since time.Time) bool {
	return int64(written) > since.UnixNano() //nolint:gosec // it was an int64
}
