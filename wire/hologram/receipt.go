package hologram

import (
	"errors"
	"fmt"
)

// Receipt is the server's word that an instance is subscribed to a channel for a component. The client holds it and shows it
// at each handshake; the server keeps none.
type Receipt struct {
	Channel Term   // an atom, or a tuple such as {:room, 42}
	CID     string // the component that gets the actions of the channel
	Token   string // opaque, and a secret
}

// receiptTerm is r as it travels.
func receiptTerm(r Receipt) Term {
	return Tuple(r.Channel, Text(r.CID), Text(r.Token))
}

// AppendReceipts appends all to dst as the expression of a list, as it stands in a reply, in a page and on the stream.
func AppendReceipts(dst []byte, all []Receipt) []byte {
	dst = append(dst, "Type.list(["...)
	for i, r := range all {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = AppendExpression(dst, receiptTerm(r))
	}
	return append(dst, "])"...)
}

// ParseReceipts reads what AppendReceipts writes.
func ParseReceipts(expression []byte) ([]Receipt, error) {
	t, err := ParseExpression(expression)
	if err != nil {
		return nil, fmt.Errorf("reading receipts: %w", err)
	}
	return receipts(t)
}

// receipts reads the list of a page or of a reply.
func receipts(t Term) ([]Receipt, error) {
	if t.Kind != KindList {
		return nil, fmt.Errorf("reading receipts: %w", is(t, KindList))
	}
	all := make([]Receipt, len(t.Items))
	for i, item := range t.Items {
		if item.Kind != KindTuple || len(item.Items) != 3 || item.Items[1].Kind != KindBitstring || item.Items[2].Kind != KindBitstring {
			return nil, errors.New("reading receipts: one is not a tuple of a channel, a component and a token")
		}
		all[i] = Receipt{Channel: item.Items[0], CID: item.Items[1].Text, Token: item.Items[2].Text}
	}
	return all, nil
}
