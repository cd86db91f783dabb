package run

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"holobench/wire"
	"holobench/wire/sse"
)

const (
	noiseChannel     = "noise"
	noiseReportPath  = "/written"
	maxNoiseMessages = 16
	maxNoiseRequest  = 64 << 10
	maxHeld          = 5 * time.Second        // that TCP may hold bytes back: no reader of the probe is as late
	heldPoll         = 100 * time.Microsecond // between two looks at what it holds
)

// NoiseWrite is one message of the peer on its way out, in nanoseconds of CLOCK_REALTIME since 1970. A write(2) that
// returned has handed its bytes to TCP, no more: when a whole congestion window (at first 10 segments, however small) waits
// for the acknowledgement of a reader that comes late, TCP keeps what is written next, for milliseconds. So a write is over
// when the machine has sent all of it, and not before. (Where the system does not tell, when write(2) has returned.)
type NoiseWrite struct {
	Begin  int64 `json:"begin"`  // just before write(2)
	End    int64 `json:"end"`    // just after the connection was seen to have nothing unsent
	Waited int64 `json:"waited"` // of which TCP held bytes back, after write(2) had returned; 0 = it did not
}

// noiseCommand is what the peer wrote for one command.
type noiseCommand struct {
	Event  wire.EventID `json:"event"`
	Reply  NoiseWrite   `json:"reply"`
	Stream []NoiseWrite `json:"stream"`
}

// NoisePeer is the server of the noise probe. It speaks the plain JSON wire, over every transport that a client begins with, but it
// does what each command tells it: it writes the reply and some messages on the sender's stream, or on that of the client next to it, one
// after the other, from one goroutine, and each has left the machine before the write of the next one begins. So their order is known by
// construction. Use it once.
type NoisePeer struct {
	Pause func(time.Duration) // between two writes, precise or not: what counts is measured; nil = a timer

	mu      sync.Mutex // guards what follows
	conns   map[net.Conn]bool
	streams map[string]noisePlace // by instance, over HTTP/2 by connection
	keys    []string              // of streams, as they came
	written []noiseCommand
	working int        // commands that are being carried out
	idle    *sync.Cond // there are none
	failed  error      // why an order could not be made known, if one could not
	closed  bool
}

// Serve answers on listener until ctx ends, then ends every connection and returns once their goroutines are over: nil, or
// why the order of some writes could not be made known. It closes the listener.
func (p *NoisePeer) Serve(ctx context.Context, listener net.Listener) error {
	err := p.accept(ctx, listener)
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(err, p.failed)
}

// accept is Serve without its verdict.
func (p *NoisePeer) accept(ctx context.Context, listener net.Listener) error {
	p.conns, p.streams, p.idle = make(map[net.Conn]bool), make(map[string]noisePlace), sync.NewCond(&p.mu)
	var serving sync.WaitGroup
	defer serving.Wait()
	defer p.close()
	stop := context.AfterFunc(ctx, func() { listener.Close() }) //nolint:errcheck // it ends Accept, whatever it says
	defer stop()
	defer listener.Close()
	for {
		conn, err := listener.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accept a connection of the noise probe: %w", err)
		}
		if !p.admit(conn) {
			return nil
		}
		serving.Go(func() {
			p.serve(conn)
			p.dismiss(conn)
		})
	}
}

func (p *NoisePeer) admit(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		conn.Close() //nolint:errcheck // nothing was said on it
		return false
	}
	p.conns[conn] = true
	return true
}

func (p *NoisePeer) dismiss(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	conn.Close() //nolint:errcheck // the client is gone, or told so by this
	delete(p.conns, conn)
}

func (p *NoisePeer) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for conn := range p.conns {
		conn.Close() //nolint:errcheck // it ends the connection's goroutine, whatever it says
	}
}

// serve answers the requests of one connection until it ends. Requests that the probe does not make end it as well.
func (p *NoisePeer) serve(socket net.Conn) {
	ahead, err := p.decrypted(socket)
	if err != nil {
		return
	}
	if head, err := ahead.in.Peek(len(noisePreface)); err == nil && string(head) == noisePreface {
		p.serveHTTP2(ahead) //nolint:errcheck // the client is gone, or the probe misses what it did not answer
		return
	}
	conn := ahead.Conn
	for {
		request, err := http.ReadRequest(ahead.in)
		if err != nil {
			return
		}
		body, err := io.ReadAll(io.LimitReader(request.Body, maxNoiseRequest))
		if err != nil {
			return
		}
		switch request.URL.Path {
		case wire.EventsPath:
			err = p.open(conn, request.URL.Query().Get("instance"))
		case wire.CommandPath:
			err = p.obey(noisePlace{conn: conn}, "", body)
		case noiseReportPath:
			err = p.report(conn)
		default:
			err = errors.New("no such path")
		}
		if err != nil {
			return
		}
	}
}

// open makes conn the stream of instance. It is registered before the head is written: a client posts once it has that.
func (p *NoisePeer) open(conn net.Conn, instance string) error {
	p.register(instance, noisePlace{conn: conn})
	_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
	return err
}

// register makes place the stream of that key.
func (p *NoisePeer) register(key string, place noisePlace) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.streams[key] = place
	p.keys = append(p.keys, key)
}

// obey carries out one command that came from there: every byte is made before the first write, so that nothing but the gap lies
// between two. The key of the sender's stream is its instance, unless one is given.
func (p *NoisePeer) obey(from noisePlace, key string, body []byte) error {
	command, err := wire.ParseCommand(body)
	if err != nil {
		return err
	}
	marker, rest, ok := wire.FindMarker([]byte(command.Payload))
	if !ok {
		return errors.New("a command without a marker")
	}
	text, across := cutAcross(string(rest))
	order, err := parseNoiseOrder(text)
	if err != nil {
		return err
	}
	to := p.begin(cmp.Or(key, command.Instance), across)
	defer p.end()
	if to.conn == nil {
		return errors.New("a command before its stream")
	}
	event := wire.Event{Channel: command.Channel, Name: command.Name, Payload: command.Payload}
	reply, message := from.reply(event), to.message(event)
	done := noiseCommand{Event: marker.Event}
	for i := range len(order.gaps) + 1 {
		if i > 0 {
			p.pause(order.gaps[i-1])
		}
		if i == order.place {
			done.Reply, err = p.write(from.conn, reply)
		} else {
			var w NoiseWrite
			w, err = p.write(to.conn, message)
			done.Stream = append(done.Stream, w)
		}
		if err != nil {
			return err
		}
	}
	p.mu.Lock()
	p.written = append(p.written, done)
	p.mu.Unlock()
	return nil
}

// begin counts a command as being carried out and returns the stream of its sender, or of the client whose stream came next; none = it
// has none.
func (p *NoisePeer) begin(key string, across bool) noisePlace {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.working++
	if across {
		key = p.keys[(slices.Index(p.keys, key)+1)%len(p.keys)]
	}
	return p.streams[key]
}

func (p *NoisePeer) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.working--
	if p.working == 0 {
		p.idle.Broadcast()
	}
}

func (p *NoisePeer) pause(d time.Duration) {
	if p.Pause != nil {
		p.Pause(d)
		return
	}
	<-time.After(d)
}

// write writes b and waits until all of it has left the machine.
func (p *NoisePeer) write(conn net.Conn, b []byte) (NoiseWrite, error) {
	w := NoiseWrite{Begin: time.Now().UnixNano()}
	if _, err := conn.Write(b); err != nil {
		return w, err
	}
	written, held := time.Now(), false
	for {
		rest, err := unsent(socketOf(conn))
		if err == nil && time.Since(written) > maxHeld && rest > 0 {
			err = fmt.Errorf("after %v %d bytes to %s had not been sent", maxHeld, rest, conn.RemoteAddr())
		}
		if err != nil {
			return w, p.fail(err)
		}
		if rest == 0 {
			break
		}
		held = true
		p.pause(heldPoll)
	}
	over := time.Now()
	w.End = over.UnixNano()
	if held {
		w.Waited = int64(max(1, over.Sub(written)))
	}
	return w, nil
}

// fail notes, for the end of Serve, that the order of some writes is not known; it returns err.
func (p *NoisePeer) fail(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed == nil {
		p.failed = err
	}
	return err
}

func noiseReply(event wire.Event) []byte {
	body := noiseReplyBody(event)
	return append(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(body)), body...)
}

func noiseReplyBody(event wire.Event) []byte {
	return wire.AppendReplyJSON(nil, wire.Reply{Action: wire.Action{Name: event.Name, Status: "ok"}, Echo: []wire.Event{event}})
}

func noiseMessage(event wire.Event) []byte {
	message := noiseEvent(event)
	return fmt.Appendf(nil, "%x\r\n%s\r\n", len(message), message)
}

func noiseEvent(event wire.Event) []byte {
	return sse.AppendEvent(nil, "", "", wire.AppendEventJSON(nil, event))
}

// report tells, as JSON, what was written. It waits for the commands that are being carried out: a client sees the last
// byte of one before its write has returned here.
func (p *NoisePeer) report(conn net.Conn) error {
	p.mu.Lock()
	for p.working > 0 {
		p.idle.Wait()
	}
	body, err := json.Marshal(p.written)
	p.mu.Unlock()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	return err
}

// noiseOrder is what a command tells the peer: how many messages go before the reply, and the pauses between the writes,
// of which there is one more than pauses.
type noiseOrder struct {
	place int
	gaps  []time.Duration
}

// text is the order as it stands behind the marker.
func (o noiseOrder) text() string {
	b := strconv.AppendInt(nil, int64(o.place), 10)
	for _, gap := range o.gaps {
		b = strconv.AppendInt(append(b, ' '), gap.Nanoseconds(), 10)
	}
	return string(b)
}

func parseNoiseOrder(text string) (noiseOrder, error) {
	fields := strings.Fields(text)
	if len(fields) < 2 || len(fields) > 1+maxNoiseMessages {
		return noiseOrder{}, fmt.Errorf("reading an order of the noise probe: %d numbers", len(fields))
	}
	place, err := strconv.Atoi(fields[0])
	if err != nil || place < 0 || place >= len(fields) {
		return noiseOrder{}, fmt.Errorf("reading an order of the noise probe: the reply cannot have place %q", fields[0])
	}
	o := noiseOrder{place: place}
	for _, field := range fields[1:] {
		ns, err := strconv.ParseInt(field, 10, 64)
		if err != nil || ns < 0 || ns > int64(time.Second) {
			return noiseOrder{}, fmt.Errorf("reading an order of the noise probe: a pause of %q ns", field)
		}
		o.gaps = append(o.gaps, time.Duration(ns))
	}
	return o, nil
}

// fetchNoise asks the peer at addr what it wrote.
func fetchNoise(ctx context.Context, dial func(ctx context.Context, network, addr string) (net.Conn, error), addr string) (written []noiseCommand, err error) {
	transport := &http.Transport{DialContext: dial, DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+noiseReportPath, nil)
	if err != nil {
		return nil, err
	}
	response, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	err = json.NewDecoder(response.Body).Decode(&written)
	return written, err
}
