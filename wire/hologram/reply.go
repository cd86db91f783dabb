package hologram

import (
	"bytes"
	"errors"
	"fmt"
)

// Reply is the body that answers a command. Its four texts are expressions, and stay unread until somebody asks: an app may
// put a term into an action that is not read here, and the rest of the reply is worth no less for it.
type Reply struct {
	Action          string // the next action, Type.atom("nil") = none; with Status 0 the text of an error
	SelfEchoes      string // the actions by which the sender learns of its own broadcasts
	Status          int    // 1, or 0 when the action could not be encoded
	SubReceiptAdds  string // receipts for new subscriptions
	SubReceiptDrops string // the subscriptions that ended: a list of channel and component
}

const (
	nilExpression  = `Type.atom("nil")`
	noneExpression = `Type.list([])`
)

// EmptyReply is the answer to a command that did nothing.
func EmptyReply() Reply {
	return Reply{Action: nilExpression, SelfEchoes: noneExpression, Status: 1, SubReceiptAdds: noneExpression, SubReceiptDrops: noneExpression}
}

// AppendReply appends r to dst as one line of JSON. What is no UTF-8 in it becomes U+FFFD.
func AppendReply(dst []byte, r Reply) []byte {
	dst = append(dst, `{"action":"`...)
	dst = appendJSON(dst, r.Action)
	dst = append(dst, `","selfEchoes":"`...)
	dst = appendJSON(dst, r.SelfEchoes)
	return appendReplyEnd(dst, r.Status, r.SubReceiptAdds, r.SubReceiptDrops)
}

// appendReplyEnd appends what stands behind the text of the echoes.
func appendReplyEnd(dst []byte, status int, adds, drops string) []byte {
	dst = append(dst, `","status":`...)
	dst = append(dst, '0'+byte(min(max(status, 0), 1)))
	dst = append(dst, `,"subReceiptAdds":"`...)
	dst = appendJSON(dst, adds)
	dst = append(dst, `","subReceiptDrops":"`...)
	dst = appendJSON(dst, drops)
	return append(dst, `"}`...)
}

// ParseReply reads the body that answers a command: five keys, which must all be there. Keys that it does not know are
// left alone, because a later version may have more to say.
func ParseReply(body []byte) (Reply, error) {
	var r Reply
	c := cursor{src: body}
	const must = 1<<5 - 1
	seen := 0
	c.object(func(key []byte) {
		switch string(key) {
		case "action":
			r.Action = c.field()
			seen |= 1 << 0
		case "selfEchoes":
			r.SelfEchoes = c.field()
			seen |= 1 << 1
		case "status":
			r.Status = c.status()
			seen |= 1 << 2
		case "subReceiptAdds":
			r.SubReceiptAdds = c.field()
			seen |= 1 << 3
		case "subReceiptDrops":
			r.SubReceiptDrops = c.field()
			seen |= 1 << 4
		default:
			c.skip()
		}
	})
	c.end()
	if c.err == nil && seen != must {
		c.err = errors.New("it must have the keys action, selfEchoes, status, subReceiptAdds and subReceiptDrops")
	}
	if c.err != nil {
		return Reply{}, fmt.Errorf("reading a reply: %w", c.err)
	}
	return r, nil
}

// status reads a 0 or a 1.
func (c *cursor) status() int {
	c.space()
	at := c.at
	c.word()
	switch string(c.src[at:c.at]) {
	case "0":
		return 0
	case "1":
		return 1
	}
	c.fail(at, "the status is neither 1 nor 0")
	return 0
}

// ReplyEchoes returns the self-echoes in the body of a reply, to find markers in. They are still escaped as JSON, which
// changes no marker. A body with the keys in Hologram's order costs nothing: what stands behind the echoes is not looked at,
// and they alias body. Others are decoded. ok is false when the body is no reply.
func ReplyEchoes(body []byte) (echoes []byte, ok bool) {
	if rest, found := bytes.CutPrefix(body, []byte(`{"action":"`)); found {
		rest = rest[stringEnd(rest):]
		if rest, found = bytes.CutPrefix(rest, []byte(`","selfEchoes":"`)); found {
			if end := stringEnd(rest); end < len(rest) {
				return rest[:end], true
			}
		}
	}
	r, err := ParseReply(body)
	return []byte(r.SelfEchoes), err == nil
}

// stringEnd is where a string ends whose beginning was cut from text: at a quote that is not escaped, or at the end of text.
func stringEnd(text []byte) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return len(text)
}
