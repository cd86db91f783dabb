package clients

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
)

// A command that an event of its client's stream answers is over when that event is there, before or behind the answer to its
// POST; one that nothing answers is over in time.
func TestGenericAnswerOnStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, stream := newBench(t), make(chan string, 9)
		new(foreignServer).serveStream(t, b, stream, func(w http.ResponseWriter, body string) {
			answer := "data: {\"id\":\"q" + body + "\",\"ok\":true}\n\n"
			switch body {
			case "1": // the event comes 20 ms behind the answer
				time.AfterFunc(20*time.Millisecond, func() { stream <- answer })
			case "2": // ... and before it
				stream <- answer
				time.Sleep(30 * time.Millisecond)
			case "3":
				stream <- strings.Replace(answer, "true", "false", 1)
			case "4": // the server does not take it
				w.WriteHeader(http.StatusConflict)
				return
			}
			w.WriteHeader(http.StatusAccepted)
		})
		b.crowd.ReplyTimeout = time.Second
		b.crowd.Wire, b.crowd.Own.Generic = Described, &Generic{
			Request: step("GET", "/sub", ""), Framing: FrameSSE, Message: called("message"), Pause: Pause{Least: time.Hour},
			Publish: &Publish{
				Step: step("POST", "/say", "${seq}"), Answer: &Answered{found(`"id":"(.*?)"`), plainText("q${seq}")},
				OK: func(_ string, data []byte) bool { return bytes.Contains(data, []byte("true")) },
			},
		}
		c, end := b.postAndHear(t, stream, ClientOptions{ID: 4, Channels: []string{"room"}})
		for range 5 {
			c.Post(0, &Message{Channel: "room", Name: "say"})
		}
		time.Sleep(10 * time.Second)
		end()
		b.expect(t, []string{
			"20 replied c4.1", "50 replied c4.2", "50 replied c4.3: refused in the body of the answer", "50 replied c4.4: http 409", "1050 unknown c4.5: timeout",
		}, history.Replied, history.Unknown, history.Delivered, history.Alien)
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, o := range b.seen {
			if o.Kind == history.Replied && o.At != o.Handled {
				t.Errorf("%+v was handled at another time", o)
			}
		}
	})
}

// postAndHear lets a client hold its stream, and then send commands. What it returns ends the commands, the server's stream, and then the
// client's.
func (b *bench) postAndHear(t *testing.T, stream chan<- string, o ClientOptions) (c *Client, end func()) {
	t.Helper()
	c = b.crowd.NewClient(o)
	hearing, leave := context.WithCancel(t.Context())
	posting, hang := context.WithCancel(t.Context())
	var halves sync.WaitGroup
	halves.Go(func() { c.HoldStream(hearing, nil) })
	synctest.Wait()
	halves.Go(func() { c.PostCommands(posting, t.Context(), nil) })
	return c, func() {
		hang()
		close(stream)
		synctest.Wait()
		leave()
		halves.Wait()
	}
}

// Which of two commands an event answers that both wait for, nobody can say: both are unknown when their requests are answered, and why. One that waits alone
// is answered.
func TestGenericSameAnswerOnStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, stream := newBench(t), make(chan string, 9)
		new(foreignServer).serveStream(t, b, stream, func(_ http.ResponseWriter, body string) {
			if body == "1" {
				time.Sleep(20 * time.Millisecond)
			}
			time.AfterFunc(50*time.Millisecond, func() { stream <- "data: {\"id\":\"mine\"}\n\n" })
		})
		b.crowd.ReplyTimeout = time.Second
		b.crowd.Wire, b.crowd.Own.Generic = Described, &Generic{
			Request: step("GET", "/sub", ""), Framing: FrameSSE, Message: called("message"), Pause: Pause{Least: time.Hour},
			Publish: &Publish{Step: step("POST", "/say", "${seq}"), Answer: &Answered{found(`"id":"(.*?)"`), plainText("mine")}},
		}
		c, end := b.postAndHear(t, stream, ClientOptions{ID: 4, Channels: []string{"room"}, InFlight: 2})
		c.Post(0, &Message{Channel: "room", Name: "say"})
		time.Sleep(10 * time.Millisecond)
		c.Post(0, &Message{Channel: "room", Name: "say"})
		time.Sleep(2 * time.Second)
		c.Post(0, &Message{Channel: "room", Name: "say"})
		time.Sleep(2 * time.Second)
		end()
		b.expect(t, []string{
			"10 unknown c4.2: two commands waited for the same answer", "20 unknown c4.1: two commands waited for the same answer", "2060 replied c4.3",
		}, history.Replied, history.Unknown)
	})
}

// Markers are found in bytes that nothing tells apart, wherever they are cut.
func TestGenericRaw(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, server := newBench(t), new(foreignServer)
		server.serve(t, b, func(w http.ResponseWriter, r *http.Request) {
			text := "--x\r\n\r\n" + markerOf(7, 1) + "hb1." + markerOf(7, 2) + strings.Repeat("hb1.hb", 3)
			for i := range len(text) {
				say(w, text[i:i+1])
				time.Sleep(time.Millisecond)
			}
			<-r.Context().Done()
		})
		b.crowd.Wire, b.crowd.Own.Generic = Described, &Generic{Request: step("GET", "/raw", ""), Framing: FrameRaw}
		ctx, cancel := context.WithCancel(t.Context())
		ended := b.hold(ctx)
		time.Sleep(time.Second)
		cancel()
		<-ended
		first := 7 + len(markerOf(7, 1)) - 1 // the stream begins with 7 bytes, and each takes 1 ms
		second := first + 4 + len(markerOf(7, 2))
		b.expect(t, []string{"0 subscribed", fmt.Sprintf("%d delivered c7.1", first), fmt.Sprintf("%d delivered c7.2", second)},
			history.Subscribed, history.Delivered, history.Alien, history.Ended)
	})
}

// Tokens that are signed by a private key are what its public key says they are.
func TestTokensByPrivateKey(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	written := func(kind string, der []byte, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	rsaDER, err := x509.MarshalPKCS8PrivateKey(rsaKey)
	rsaText := written("PRIVATE KEY", rsaDER, err)
	ecDER, err := x509.MarshalECPrivateKey(ecKey)
	ecText := written("EC PRIVATE KEY", ecDER, err)
	names := func(dst []byte, _ string) ([]byte, bool) { return dst, false }
	keys := new(keyring)
	for _, test := range []struct {
		alg, key string
		verify   func(digest, signature []byte) bool
	}{
		{"RS256", rsaText, func(digest, signature []byte) bool {
			return rsa.VerifyPKCS1v15(&rsaKey.PublicKey, crypto.SHA256, digest, signature) == nil
		}},
		{"RS256", written("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey), nil), func(digest, signature []byte) bool {
			return rsa.VerifyPKCS1v15(&rsaKey.PublicKey, crypto.SHA256, digest, signature) == nil
		}},
		{"ES256", ecText, func(digest, signature []byte) bool {
			r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
			return len(signature) == 64 && ecdsa.Verify(&ecKey.PublicKey, digest, r, s)
		}},
	} {
		token := Token{Alg: test.alg, Key: plainText(test.key), Claims: plainText("{}")}
		for range 2 {
			signed, ok := token.sign(nil, names, keys)
			parts := strings.Split(string(signed), ".")
			if !ok || len(parts) != 3 || string(unbase64(t, parts[0])) != `{"alg":"`+test.alg+`","typ":"JWT"}` {
				t.Fatalf("%s: signed %q", test.alg, signed)
			}
			digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
			if !test.verify(digest[:], unbase64(t, parts[2])) {
				t.Errorf("%s: the signature is wrong", test.alg)
			}
		}
	}
	for _, wrong := range []Token{
		{Alg: "ES256", Key: plainText(rsaText)},
		{Alg: "RS256", Key: plainText(ecText)},
		{Alg: "RS256", Key: plainText("secret")},
		{Alg: "RS256", Key: plainText("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")},
	} {
		if signed, ok := wrong.sign(nil, names, keys); ok {
			t.Errorf("%s by a key of another kind is %q", wrong.Alg, signed)
		}
	}
}
