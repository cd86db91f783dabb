package run

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"holobench/target"
	"holobench/wire"
)

// noisePlace is where a message of the peer goes: a connection, or a stream of HTTP/2 on it.
type noisePlace struct {
	conn   net.Conn
	stream uint32 // 0 = the connection speaks HTTP/1.1
}

// reply is the bytes of the reply to a command.
func (w noisePlace) reply(event wire.Event) []byte {
	if w.stream == 0 {
		return noiseReply(event)
	}
	head := noiseFrame(noiseHeaders, noiseEndHeaders, w.stream, noiseStatusOK)
	return append(head, noiseFrame(noiseData, noiseEndStream, w.stream, noiseReplyBody(event))...)
}

// message is the bytes of a message on a stream of events.
func (w noisePlace) message(event wire.Event) []byte {
	if w.stream == 0 {
		return noiseMessage(event)
	}
	return noiseFrame(noiseData, 0, w.stream, noiseEvent(event))
}

// What the peer says and reads of HTTP/2, see RFC 9113. It answers the requests of our own clients alone: one without a body is for the
// stream of events, one with a body is a command. So it need not read a single field.
const (
	noisePreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

	noiseData     = 0x0
	noiseHeaders  = 0x1
	noiseSettings = 0x4
	noisePing     = 0x6

	noiseAck        = 0x1
	noiseEndStream  = 0x1
	noiseEndHeaders = 0x4

	noiseStatusOK = "\x88"                      // :status 200
	noiseEvents   = "\x5f\x11text/event-stream" // content-type
)

// noiseFrame is a frame of HTTP/2.
func noiseFrame[P string | []byte](kind, flags byte, stream uint32, payload P) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind)) //nolint:gosec // a message is small
	b = append(b, flags)
	return append(binary.BigEndian.AppendUint32(b, stream), payload...)
}

// readAhead is a connection of which the first bytes have been looked at.
type readAhead struct {
	net.Conn

	in *bufio.Reader
}

// Read implements net.Conn.
func (c *readAhead) Read(p []byte) (int, error) { return c.in.Read(p) }

// socketOf is the socket below a connection.
func socketOf(conn net.Conn) net.Conn {
	for {
		switch c := conn.(type) {
		case *tls.Conn:
			conn = c.NetConn()
		case *readAhead:
			conn = c.Conn
		default:
			return conn
		}
	}
}

// decrypted is the connection without TLS, if a client began with that.
func (p *NoisePeer) decrypted(conn net.Conn) (*readAhead, error) {
	plain := &readAhead{conn, bufio.NewReader(conn)}
	const handshake = 0x16
	if first, err := plain.in.Peek(1); err != nil || first[0] != handshake {
		return plain, err
	}
	certificate, _, err := target.SelfSigned(time.Now())
	if err != nil {
		return nil, err
	}
	encrypted := tls.Server(plain, &tls.Config{
		Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"}, DynamicRecordSizingDisabled: true,
	})
	return &readAhead{encrypted, bufio.NewReader(encrypted)}, nil
}

// serveHTTP2 answers the requests of one connection of HTTP/2 until it ends.
func (p *NoisePeer) serveHTTP2(conn *readAhead) error {
	preface := make([]byte, len(noisePreface))
	if _, err := io.ReadFull(conn, preface); err != nil || string(preface) != noisePreface {
		return fmt.Errorf("reading the preface %q: %w", preface, err)
	}
	if _, err := conn.Write(noiseFrame(noiseSettings, 0, 0, "")); err != nil {
		return err
	}
	body := make(map[uint32][]byte)
	for {
		head := make([]byte, 9)
		if _, err := io.ReadFull(conn, head); err != nil {
			return err
		}
		size, flags, stream := binary.BigEndian.Uint32(head)>>8, head[4], binary.BigEndian.Uint32(head[5:])
		if size > maxNoiseRequest {
			return fmt.Errorf("a frame of %d bytes", size)
		}
		payload := make([]byte, size)
		if _, err := io.ReadFull(conn, payload); err != nil {
			return err
		}
		body[stream] = append(body[stream], payload...)
		if err := p.frame(noisePlace{conn.Conn, stream}, head[3], flags, body[stream]); err != nil {
			return err
		}
		if kind := head[3]; kind != noiseData || flags&noiseEndStream != 0 {
			delete(body, stream)
		}
	}
}

// frame answers one frame; body is that of its stream so far.
func (p *NoisePeer) frame(from noisePlace, kind, flags byte, body []byte) error {
	key := fmt.Sprint(from.conn.RemoteAddr())
	var answer []byte
	switch {
	case kind == noiseHeaders && flags&noiseEndStream != 0:
		p.register(key, from)
		answer = noiseFrame(noiseHeaders, noiseEndHeaders, from.stream, noiseStatusOK+noiseEvents)
	case kind == noiseData && flags&noiseEndStream != 0:
		return p.obey(from, key, body)
	case kind == noiseSettings && flags&noiseAck == 0:
		answer = noiseFrame(noiseSettings, noiseAck, 0, "")
	case kind == noisePing && flags&noiseAck == 0:
		answer = noiseFrame(noisePing, noiseAck, 0, body)
	default:
		return nil
	}
	_, err := from.conn.Write(answer)
	return err
}

// cutAcross takes the sign off the text of an order by which its messages go to the next client than the sender.
func cutAcross(text string) (order string, across bool) { return strings.CutPrefix(text, acrossSign) }

// acrossSign is that sign.
const acrossSign = "next "
