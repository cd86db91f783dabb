package hologram

import (
	"errors"
	"fmt"
)

// Handshake is the body of a POST to HandshakePath.
type Handshake struct {
	InstanceID string
	Receipts   []string // the tokens of all receipts that the instance holds
}

// AppendHandshake appends h to dst, in version 3 of the serializer.
func AppendHandshake(dst []byte, h Handshake) []byte {
	dst = append(dst, `[3,{"t":"m","d":[["ainstance_id","`...)
	dst = appendHex(dst, h.InstanceID)
	dst = append(dst, `"],["areceipts",`...)
	dst = appendTexts(dst, h.Receipts)
	return append(dst, `]]}]`...)
}

// ParseHandshake reads the body of a POST to HandshakePath: both keys, once each, and no other. See ParseSerialized for the
// versions.
func ParseHandshake(body []byte) (Handshake, error) {
	var h Handshake
	named := false
	err := parseKeys(body, func(key string, value Term) (err error) {
		switch {
		case key == "instance_id" && !named:
			named = true
			h.InstanceID, err = value.Text, is(value, KindBitstring)
		case key == "receipts" && h.Receipts == nil:
			h.Receipts, err = texts(value)
		default:
			err = errors.New("a handshake has the keys instance_id and receipts, once each")
		}
		return err
	})
	if err == nil && (!named || h.Receipts == nil) {
		err = errors.New("it must have the keys instance_id and receipts")
	}
	if err != nil {
		return Handshake{}, fmt.Errorf("reading a handshake: %w", err)
	}
	return h, nil
}

// HandshakeReply is the body that answers a handshake.
type HandshakeReply struct {
	HandshakeID string    // opens one stream, within 60 s
	Receipts    []Receipt // those that the server took, with new tokens
}

// AppendHandshakeReply appends r to dst as one line of JSON.
func AppendHandshakeReply(dst []byte, r HandshakeReply) []byte {
	dst = append(dst, `{"handshakeId":"`...)
	dst = appendJSON(dst, r.HandshakeID)
	dst = append(dst, `","refreshedReceipts":"`...)
	start := len(dst)
	dst = escapeTail(AppendReceipts(dst, r.Receipts), start, jsonEscapes())
	return append(dst, `"}`...)
}

// ParseHandshakeReply reads the body that answers a handshake. Keys that it does not know are left alone.
func ParseHandshakeReply(body []byte) (HandshakeReply, error) {
	var r HandshakeReply
	refreshed, told := "", false
	c := cursor{src: body}
	c.object(func(key []byte) {
		switch string(key) {
		case "handshakeId":
			r.HandshakeID = c.field()
		case "refreshedReceipts":
			refreshed, told = c.field(), true
		default:
			c.skip()
		}
	})
	c.end()
	err := c.err
	switch {
	case err != nil:
	case r.HandshakeID == "" || !told:
		err = errors.New("it must have the keys handshakeId and refreshedReceipts")
	default:
		r.Receipts, err = ParseReceipts([]byte(refreshed))
	}
	if err != nil {
		return HandshakeReply{}, fmt.Errorf("reading the reply to a handshake: %w", err)
	}
	return r, nil
}
