package target_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/target"
	"holobench/wire"
)

// carried is a world whose clients are those of net/http, over a transport.
type carried struct {
	*world
	base   string
	client *http.Client
	h2     *http.HTTP2Config // of the client
}

// newCarried serves over options.Transport.
func newCarried(t *testing.T, options target.Options, h2 *http.HTTP2Config) *carried {
	t.Helper()
	certificate, trusted, err := target.SelfSigned(time.Now(), "target")
	if err != nil {
		t.Fatal(err)
	}
	options.Certificate = &certificate
	w := &carried{world: newWorld(t, options, nil), h2: h2}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(trusted) {
		t.Fatal("what a client is to trust is no certificate")
	}
	w.base = "http://" + w.addr
	protocols := new(http.Protocols)
	switch options.Transport {
	case target.H2C:
		protocols.SetUnencryptedHTTP2(true)
	case target.TLSH2:
		protocols.SetHTTP2(true)
	default:
		protocols.SetHTTP1(true)
	}
	if options.Transport.Encrypted() {
		w.base = "https://" + w.addr
	}
	transport := &http.Transport{
		DialContext: w.network.DialContext, MaxIdleConnsPerHost: 64, Protocols: protocols, HTTP2: h2,
		TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "target"},
	}
	w.client = &http.Client{Transport: transport}
	t.Cleanup(transport.CloseIdleConnections)
	return w
}

// get opens a stream; ctx cuts it from the client's side. The body is not read.
func (w *carried) get(ctx context.Context, instance string, channels ...string) *http.Response {
	w.t.Helper()
	query := url.Values{"instance": {instance}, "channel": channels}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.base+wire.EventsPath+"?"+query.Encode(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	response, err := w.client.Do(request)
	if err != nil {
		w.t.Fatalf("GET: %v", err)
	}
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" {
		w.t.Fatalf("the head of a stream is %s %v", response.Status, response.Header)
	}
	return response
}

// hear opens a stream and reads it until it ends.
func (w *carried) hear(ctx context.Context, instance string, channels ...string) *subscriber {
	w.t.Helper()
	s := &subscriber{response: w.get(ctx, instance, channels...), start: w.start, done: make(chan struct{})}
	go s.read()
	return s
}

// say posts a message and wants it taken.
func (w *carried) say(instance, channel, payload string) (body string) {
	w.t.Helper()
	command := wire.Command{Instance: instance, Channel: channel, Name: "message", Payload: payload}
	response, err := w.client.Post(w.base+wire.CommandPath, "application/json", strings.NewReader(string(wire.AppendCommandJSON(nil, command))))
	if err != nil {
		w.t.Errorf("POST: %v", err)
		return ""
	}
	defer func() { _ = response.Body.Close() }()
	read, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode/100 != 2 {
		w.t.Errorf("POST answered %s %s, %v", response.Status, read, err)
	}
	return string(read)
}

func (w *carried) end() {
	w.t.Helper()
	w.shutdown()
	w.client.CloseIdleConnections()
}

func overEachTransport(t *testing.T, test func(t *testing.T, transport target.Transport)) {
	t.Helper()
	for _, transport := range target.Transports() {
		t.Run(string(transport), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { test(t, transport) })
		})
	}
}

// Over every transport the two designs that an argument is about keep their promises, with 500 events of 4 publishers.
func TestDesignsKeepTheirPromisesOverEachTransport(t *testing.T) {
	t.Parallel()
	const publishers, each = 4, 125
	for _, design := range []target.Design{target.Hologram, target.SingleChannel} {
		t.Run(string(design), func(t *testing.T) {
			t.Parallel()
			overEachTransport(t, func(t *testing.T, transport target.Transport) {
				w := newCarried(t, target.Options{Design: design, Transport: transport}, nil)
				var heard []*subscriber
				for i := range publishers + 2 { // two only listen
					heard = append(heard, w.hear(t.Context(), "p"+strconv.Itoa(i), "red"))
				}
				echoes := make([]int, publishers)
				var posting sync.WaitGroup
				for p := range publishers {
					posting.Go(func() {
						for i := range each {
							payload := fmt.Sprintf("p%d.%d", p, i)
							echoes[p] += strings.Count(w.say("p"+strconv.Itoa(p), "red", payload), `"payload":"`+payload+`"`)
						}
					})
				}
				posting.Wait()
				checkPromises(t, design, heard, echoes, each)
				w.end()
				for i, s := range heard {
					<-s.done
					if s.ended != nil {
						t.Errorf("stream %d ended with %v, want a clean end", i, s.ended)
					}
				}
				written := publishers * each * len(heard)
				if design == target.Hologram {
					written -= publishers * each
				}
				w.count(fmt.Sprintf("deliveries_written_sse=%d cut_write_error=0 cut_shutdown=0 streams_closed=%d", written, len(heard)))
			})
		})
	}
}

// checkPromises: all is heard once, each publisher's in its order, by the way that the design says; and in single-channel in one
// order by all.
func checkPromises(t *testing.T, design target.Design, heard []*subscriber, echoes []int, each int) {
	t.Helper()
	first := heard[0].payloads()
	for i, s := range heard {
		payloads := s.payloads()
		if design == target.SingleChannel && !slices.Equal(payloads, first) {
			t.Errorf("stream %d has another order than stream 0", i)
		}
		next := make(map[string]int)
		for _, payload := range payloads {
			publisher, number, _ := strings.Cut(payload, ".")
			if number != strconv.Itoa(next[publisher]) {
				t.Fatalf("stream %d: %s comes after %d events of its publisher", i, payload, next[publisher])
			}
			next[publisher]++
		}
		for p, echo := range echoes {
			want, own := each, i == p && design == target.Hologram
			if own {
				want = 0
			}
			if next["p"+strconv.Itoa(p)] != want {
				t.Errorf("stream %d heard %d events of publisher %d, want %d", i, next["p"+strconv.Itoa(p)], p, want)
			}
			if own && echo != each {
				t.Errorf("publisher %d has %d echoes in its replies, want %d", p, echo, each)
			}
		}
	}
}

// A silent stream has its heartbeats, lives longer than any request may, and is closed when its client goes.
func TestSilentStreamOverEachTransport(t *testing.T) {
	t.Parallel()
	overEachTransport(t, func(t *testing.T, transport target.Transport) {
		w := newCarried(t, target.Options{Transport: transport}, nil)
		ctx, leave := context.WithCancel(t.Context())
		s := w.hear(ctx, "ann", "red")
		<-time.After(61 * time.Second)
		synctest.Wait()
		s.mu.Lock()
		if want := []time.Duration{15 * time.Second, 30 * time.Second, 45 * time.Second, time.Minute}; !slices.Equal(s.comments, want) {
			t.Errorf("heartbeats at %v, want %v", s.comments, want)
		}
		s.mu.Unlock()
		w.count("heartbeats_written=4 streams_closed=0")
		leave()
		<-s.done
		w.count("streams_closed=1 cut_write_error=0 cut_write_timeout=0")
		w.end()
	})
}

// A new stream of the same instance ends the old one cleanly, and leaves everything else on its connection alone.
func TestSupersededStreamOverEachTransport(t *testing.T) {
	t.Parallel()
	overEachTransport(t, func(t *testing.T, transport target.Transport) {
		w := newCarried(t, target.Options{Transport: transport}, nil)
		old, bob := w.hear(t.Context(), "ann", "red"), w.hear(t.Context(), "bob", "red")
		renewed := w.hear(t.Context(), "ann", "red")
		<-old.done
		if old.ended != nil {
			t.Errorf("the superseded stream ended with %v", old.ended)
		}
		w.say("", "red", "1")
		w.heard("bob", bob, "1")
		w.heard("ann", renewed, "1")
		w.count("streams_opened=3 streams_superseded=1 streams_closed=1")
		w.end()
	})
}

// Over HTTP/2 a client that does not read one of its streams loses that one, by a reset, after the timeout of a write; its other
// stream, on the same connection, and everybody else have every event at once.
func TestSlowStreamOfHTTP2(t *testing.T) {
	t.Parallel()
	for _, transport := range []target.Transport{target.H2C, target.TLSH2} {
		t.Run(string(transport), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newCarried(t, target.Options{Design: target.SingleChannel, Transport: transport}, &http.HTTP2Config{
					MaxReceiveBufferPerStream: 64 << 10, MaxReceiveBufferPerConnection: 1 << 20,
				})
				slow, good := w.get(t.Context(), "slow", "red"), w.hear(t.Context(), "good", "red")
				const events = 100
				for range events { // 400 KB, of which the window of a stream takes 64
					w.say("", "red", strings.Repeat("x", 4000))
				}
				if heard := len(good.payloads()); heard != events || time.Since(w.start) != 0 {
					t.Errorf("the other stream has %d events after %v, want %d at once", heard, time.Since(w.start), events)
				}
				time.Sleep(10*time.Second - time.Nanosecond)
				w.count("cut_write_timeout=0 streams_closed=0")
				time.Sleep(time.Nanosecond)
				w.count("cut_write_timeout=1 streams_closed=1")
				if n, err := io.Copy(io.Discard, slow.Body); err == nil || n > 64<<10 {
					t.Errorf("the slow stream gave %d bytes and then %v, want an error", n, err)
				}
				_ = slow.Body.Close()
				w.say("", "red", "last")
				if heard := len(good.payloads()); heard != events+1 {
					t.Errorf("the other stream has %d events, want %d", heard, events+1)
				}
				w.end()
			})
		})
	}
}

// A stream whose outbox is full is cut at once, also in the middle of a write; with coalesce it goes on.
func TestFullOutboxOverTransports(t *testing.T) {
	t.Parallel()
	for _, transport := range []target.Transport{target.H2C, target.TLSH2, target.TLS} {
		for _, whenFull := range []target.WhenFull{target.CutStream, target.Coalesce} {
			t.Run(string(transport)+" "+string(whenFull), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { fillOutbox(t, transport, whenFull) })
			})
		}
	}
}

func fillOutbox(t *testing.T, transport target.Transport, whenFull target.WhenFull) {
	t.Helper()
	w := newCarried(t, target.Options{
		Design: target.Ephemeral, Transport: transport, OutboxFrames: 8, Knobs: target.Knobs{WhenFull: whenFull},
	}, &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10, MaxReceiveBufferPerConnection: 1 << 20})
	slow := w.get(t.Context(), "slow", "red")
	for range 250 {
		w.say("ann", "red", strings.Repeat("x", 4000))
	}
	w.say("ann", "red", "last")
	if time.Since(w.start) != 0 {
		t.Errorf("the sender was held up for %v", time.Since(w.start))
	}
	cut := whenFull == target.CutStream
	if cut {
		w.count("cut_outbox_full=1 streams_closed=1")
	} else {
		w.count("cut_outbox_full=0 streams_closed=0")
	}
	var text strings.Builder
	reading := make(chan error, 1)
	go func() {
		_, err := io.Copy(&text, slow.Body)
		reading <- err
	}()
	synctest.Wait()
	w.end()
	if err := <-reading; (err != nil) != cut {
		t.Errorf("the stream ended with %v", err)
	}
	if strings.Contains(text.String(), `"last"`) == cut {
		t.Errorf("the last value was heard, or not: %d bytes", text.Len())
	}
}

// A shutdown waits for a stream that is not read as long as for any other, also when its socket takes nothing, and then cuts it.
func TestShutdownCutsStreamsOfHTTP2(t *testing.T) {
	t.Parallel()
	for _, stuck := range []bool{false, true} {
		t.Run(fmt.Sprint("stuck ", stuck), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newCarried(t, target.Options{Design: target.SingleChannel, Transport: target.H2C}, &http.HTTP2Config{
					MaxReceiveBufferPerStream: 64 << 10, MaxReceiveBufferPerConnection: 1 << 20,
				})
				good := w.hear(t.Context(), "good", "red")
				if stuck {
					w.dial(http2Request(w.addr, wire.EventsPath+"?instance=slow&channel=red"))
				} else {
					defer w.get(t.Context(), "slow", "red").Body.Close()
				}
				synctest.Wait()
				for range 20 {
					w.say("", "red", strings.Repeat("x", 40_000))
				}
				w.shutdown()
				if took := time.Since(w.start); took < 5*time.Second || took > 6*time.Second { // net/http looks every half second
					t.Errorf("the shutdown took %v, want 5s", took)
				}
				w.count("cut_shutdown=1 streams_closed=2")
				<-good.done
				if good.ended != nil || good.endedAt != 0 || len(good.payloads()) != 20 {
					t.Errorf("the other stream ended with %v after %v and %d events", good.ended, good.endedAt, len(good.payloads()))
				}
				w.client.CloseIdleConnections()
			})
		})
	}
}

// A client that takes nothing from its socket holds up nobody, and loses the connection after the timeout of a write, which begins
// anew for what the socket did take of it.
func TestStuckConnectionOfHTTP2(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newCarried(t, target.Options{Design: target.SingleChannel, Transport: target.H2C}, nil)
		good := w.hear(t.Context(), "good", "red")
		stuck := w.dial(http2Request(w.addr, wire.EventsPath+"?instance=stuck&channel=red"))
		synctest.Wait()
		const events = 200
		for range events {
			w.say("", "red", strings.Repeat("x", 4000))
		}
		if heard := len(good.payloads()); heard != events || time.Since(w.start) != 0 {
			t.Errorf("the other client has %d events after %v", heard, time.Since(w.start))
		}
		time.Sleep(20*time.Second - time.Nanosecond)
		w.count("streams_opened=2 streams_closed=0")
		time.Sleep(time.Nanosecond)
		w.count("streams_closed=1 cut_write_timeout=1 cut_write_error=0")
		_ = stuck.Close()
		w.end()
	})
}

// http2Request is what a client of HTTP/2 says that asks for a path, with endless windows, and then nothing any more.
func http2Request(host, path string) string {
	literal := func(name byte, value string) string { // a header of the static table with a value of its own, RFC 7541 6.2.2
		return string([]byte{name, byte(len(value))}) + value
	}
	block := "\x82\x86" + literal(4, path) + literal(1, host) // GET, http
	frame := func(kind, flags byte, stream byte, payload string) string {
		return string([]byte{0, byte(len(payload) >> 8), byte(len(payload)), kind, flags, 0, 0, 0, stream}) + payload
	}
	return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" +
		frame(4, 0, 0, "\x00\x04\x7f\xff\xff\xff") + frame(8, 0, 0, "\x7f\xff\x00\x00") + frame(1, 0x5, 1, block)
}

// More requests at once than a connection may have wait for a place, and nothing else does.
func TestStreamsOfOneConnectionAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newCarried(t, target.Options{Transport: target.H2C, MaxStreamsPerConn: 2}, &http.HTTP2Config{StrictMaxConcurrentRequests: true})
		w.say("", "red", "0") // so that the client knows the limit
		ctx, leave := context.WithCancel(t.Context())
		first := w.hear(ctx, "a", "red")
		w.hear(t.Context(), "b", "red")
		said := make(chan struct{})
		go func() {
			defer close(said)
			w.say("", "red", "1")
		}()
		synctest.Wait()
		w.count("commands_received=1")
		leave()
		<-first.done
		<-said
		w.count("commands_received=2")
		w.end()
	})
}

// Who speaks HTTP/1.1 is answered over the transports with HTTP/2 as well, side by side with those who do not.
func TestHTTP1BesideHTTP2(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newCarried(t, target.Options{Transport: target.H2C}, nil)
		one, two := w.subscribe("one", "red"), w.hear(t.Context(), "two", "red")
		w.world.say("", "red", "1")
		w.say("", "red", "2")
		w.heard("the stream of HTTP/1.1", one, "1 2")
		w.heard("the stream of HTTP/2", two, "1 2")
		if one.response.ProtoMajor != 1 || two.response.ProtoMajor != 2 {
			t.Errorf("the protocols are %s and %s", one.response.Proto, two.response.Proto)
		}
		w.end()
		<-one.done
		<-two.done
		if one.ended != nil || two.ended != nil {
			t.Errorf("they ended with %v and %v", one.ended, two.ended)
		}
	})
}

func TestTransportThatDoesNotExist(t *testing.T) {
	t.Parallel()
	_, err := target.New(target.Options{Transport: "h3"})
	const want = `making the target: transport cannot be "h3"; it is one of http1, h2c, tls, tls-h2`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A client that does not trust the certificate gets nowhere; one without TLS is told so.
func TestStrangersToTLS(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newCarried(t, target.Options{Transport: target.TLS}, nil)
		stranger := &http.Client{Transport: &http.Transport{DialContext: w.network.DialContext, TLSClientConfig: &tls.Config{ServerName: "target"}}}
		if response, err := stranger.Get(w.base + wire.HealthPath); err == nil {
			_ = response.Body.Close()
			t.Error("a client trusts whom it does not know")
		}
		response, err := w.world.client.Get("http://" + w.addr + wire.HealthPath)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("a client without TLS got %s", response.Status)
		}
		w.end()
	})
}
