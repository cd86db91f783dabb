package target

import (
	"encoding/binary"
	"errors"
	"time"

	"holobench/wire"
)

// envelope is what one node tells the others over the bus.
type envelope struct {
	kind  envelopeKind
	node  int
	sent  int64  // of an event: when, in ns since 1970
	token uint64 // names the publication or the question at its node, so that what comes back finds who waits for it

	publication      // of an event; its channel is the bus message's. Of a question: the sender, and the channel
	to          int  // of an answer: the node that asked
	yes         bool // of an answer
}

type envelopeKind byte

const (
	eventEnvelope envelopeKind = 1 + iota
	questionEnvelope
	answerEnvelope
)

var errEnvelope = errors.New("a message of the bus is no envelope of a node")

// encodeEnvelope makes the bytes of e: the kind, numbers as uvarints, and texts with their lengths in front.
func encodeEnvelope(e *envelope) []byte {
	dst := append(make([]byte, 0, 64+len(e.event.Payload)), byte(e.kind))
	dst = binary.AppendUvarint(dst, uint64(e.node))
	dst = binary.AppendUvarint(dst, e.token)
	switch e.kind {
	case eventEnvelope:
		dst = binary.AppendUvarint(dst, uint64(e.sent))
		for _, text := range []string{e.sender, e.key, e.id, e.event.Name, e.event.Payload} {
			dst = appendText(dst, text)
		}
		if e.base != nil {
			dst = binary.AppendUvarint(append(dst, 1), *e.base)
		} else {
			dst = append(dst, 0)
		}
	case questionEnvelope:
		dst = appendText(appendText(dst, e.sender), e.event.Channel)
	case answerEnvelope:
		dst = binary.AppendUvarint(dst, uint64(e.to))
		if e.yes {
			dst = append(dst, 1)
		} else {
			dst = append(dst, 0)
		}
	}
	return dst
}

func appendText(dst []byte, text string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// parseEnvelope reads what encodeEnvelope made, and shares no memory with data.
func parseEnvelope(channel string, data []byte) (e envelope, err error) {
	r := envelopeReader{rest: data}
	e.kind = envelopeKind(r.byte())
	e.node = r.node()
	e.token = r.number()
	switch e.kind {
	case eventEnvelope:
		e.event.Channel = channel
		e.sent = int64(r.number())
		for _, text := range []*string{&e.sender, &e.key, &e.id, &e.event.Name, &e.event.Payload} {
			*text = r.text()
		}
		if r.bool() {
			base := r.number()
			e.base = &base
		}
	case questionEnvelope:
		e.sender = r.text()
		e.event.Channel = r.text()
	case answerEnvelope:
		e.to = r.node()
		e.yes = r.bool()
	default:
		r.broken = true
	}
	if r.broken || len(r.rest) > 0 || e.kind == eventEnvelope && channel == "" {
		return envelope{}, errEnvelope
	}
	return e, nil
}

// envelopeReader reads field by field; after the first that is broken all are empty.
type envelopeReader struct {
	rest   []byte
	broken bool
}

func (r *envelopeReader) byte() byte {
	if len(r.rest) == 0 {
		r.broken = true
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *envelopeReader) bool() bool {
	b := r.byte()
	r.broken = r.broken || b > 1
	return b == 1
}

func (r *envelopeReader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.broken, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// node reads the number of a node, which is as small as Options.Node.
func (r *envelopeReader) node() int {
	n := r.number()
	if n > 1<<16-1 {
		r.broken = true
		return 0
	}
	return int(n)
}

func (r *envelopeReader) text() string {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.broken, r.rest = true, nil
		return ""
	}
	text := string(r.rest[:n])
	r.rest = r.rest[n:]
	return text
}

// eventOnBus is the envelope of a publication that is sent at that time.
func eventOnBus(at time.Time, node int, token uint64, p *publication) []byte {
	return encodeEnvelope(&envelope{kind: eventEnvelope, node: node, sent: at.UnixNano(), token: token, publication: *p})
}

// questionOnBus asks whether the instance hears the channel at any other node.
func questionOnBus(node int, token uint64, instance, channel string) []byte {
	return encodeEnvelope(&envelope{
		kind: questionEnvelope, node: node, token: token,
		publication: publication{sender: instance, event: wire.Event{Channel: channel}},
	})
}
