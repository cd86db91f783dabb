package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// AppendEventJSON appends e to dst as one line of JSON, channel first: the data of an SSE message. The bytes are those
// of encoding/json: line ends and what HTML could take for a tag are escaped, invalid UTF-8 becomes U+FFFD. It costs no
// allocation, beyond the growth of dst, as long as no character has to be escaped.
func AppendEventJSON(dst []byte, e Event) []byte {
	dst = append(dst, channelFirst...)
	dst = appendEscaped(dst, e.Channel)
	dst = append(dst, `","name":`...)
	dst = appendString(dst, e.Name)
	dst = append(dst, `,"payload":`...)
	dst = appendString(dst, e.Payload)
	if e.Seq != 0 {
		dst = strconv.AppendUint(append(dst, `,"seq":`...), e.Seq, 10)
	}
	dst = appendOptional(dst, `,"key":`, e.Key)
	return append(dst, '}')
}

// AppendCommandJSON appends c to dst as one line of JSON: the body of a POST. See AppendEventJSON for how it is escaped.
func AppendCommandJSON(dst []byte, c Command) []byte {
	dst = append(dst, `{"instance":`...)
	dst = appendString(dst, c.Instance)
	dst = append(dst, `,"channel":`...)
	dst = appendString(dst, c.Channel)
	dst = append(dst, `,"name":`...)
	dst = appendString(dst, c.Name)
	dst = append(dst, `,"payload":`...)
	dst = appendString(dst, c.Payload)
	dst = appendOptional(dst, `,"key":`, c.Key)
	dst = appendOptional(dst, `,"id":`, c.ID)
	if c.Base != nil {
		dst = strconv.AppendUint(append(dst, `,"base":`...), *c.Base, 10)
	}
	return append(dst, '}')
}

// AppendReplyJSON appends r to dst as one line of JSON: the body that answers a POST. No echo is an empty list. See
// AppendEventJSON for how it is escaped.
func AppendReplyJSON(dst []byte, r Reply) []byte {
	dst = append(dst, `{"action":{"name":`...)
	dst = appendString(dst, r.Action.Name)
	dst = append(dst, `,"status":`...)
	dst = appendString(dst, r.Action.Status)
	dst = append(dst, `},"echo":[`...)
	for i, e := range r.Echo {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendEventJSON(dst, e)
	}
	return append(dst, `]}`...)
}

// AppendReceiptJSON appends r to dst as one line of JSON: the body that answers a POST in a design that numbers. It is
// small and there is one a command, so encoding/json may write it.
func AppendReceiptJSON(dst []byte, r Receipt) []byte { return appendMarshalled(dst, r) }

// AppendSnapshotJSON appends s to dst as one line of JSON: the data of an SSE message.
func AppendSnapshotJSON(dst []byte, s Snapshot) []byte { return appendMarshalled(dst, s) }

// AppendGapJSON appends g to dst as one line of JSON: the data of an SSE message.
func AppendGapJSON(dst []byte, g Gap) []byte { return appendMarshalled(dst, g) }

// appendMarshalled appends what encoding/json makes of value.
func appendMarshalled(dst []byte, value any) []byte {
	line, err := json.Marshal(value)
	if err != nil {
		return dst // never: strings, numbers and lists of them can be encoded
	}
	return append(dst, line...)
}

// ParseCommand reads the body of a POST. It is strict, so that a client which misspells a field is told: unknown fields,
// anything behind the object, and a missing or empty channel are errors. The other fields may be left out.
func ParseCommand(body []byte) (Command, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	var c Command
	if err := decoder.Decode(&c); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("it is empty; send an object with channel, name and payload")
		}
		return Command{}, fmt.Errorf("reading a command: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Command{}, errors.New("reading a command: something follows the object; send one command in one POST")
	}
	if c.Channel == "" {
		return Command{}, errors.New("reading a command: it has no channel; name the channel to broadcast to")
	}
	return c, nil
}

// EventChannel returns the channel of an encoded event, without decoding the rest of it. An event that was written by
// AppendEventJSON costs nothing: the channel aliases data, unless an escape in it has to be undone. Other spellings of
// the object (white space, another order) are decoded by encoding/json. ok is false when data is no object with a
// channel; what follows the channel of an event that begins as ours do is not looked at.
func EventChannel(data []byte) (channel []byte, ok bool) {
	if rest, found := bytes.CutPrefix(data, []byte(channelFirst)); found {
		if end := bytes.IndexByte(rest, '"'); end >= 0 && bytes.IndexByte(rest[:end], '\\') < 0 {
			return rest[:end], true
		}
	}
	var event struct {
		Channel *string `json:"channel"`
	}
	if err := json.Unmarshal(data, &event); err != nil || event.Channel == nil {
		return nil, false
	}
	return []byte(*event.Channel), true
}

// channelFirst is how each event begins that holobench writes.
const channelFirst = `{"channel":"`

// appendString appends text as a JSON string.
func appendString(dst []byte, text string) []byte {
	dst = append(dst, '"')
	dst = appendEscaped(dst, text)
	return append(dst, '"')
}

// appendOptional appends a field, unless it is empty.
func appendOptional(dst []byte, field, text string) []byte {
	if text == "" {
		return dst
	}
	return appendString(append(dst, field...), text)
}

// appendEscaped appends text as it stands within a JSON string. What needs an escape goes through encoding/json, so that
// there is one definition of escaping and no second table of it.
func appendEscaped(dst []byte, text string) []byte {
	if plain(text) {
		return append(dst, text...)
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		return dst // never: any string can be encoded
	}
	return append(dst, quoted[1:len(quoted)-1]...)
}

// plain reports whether encoding/json would leave text as it is.
func plain(text string) bool {
	ascii := true
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ', c == '"', c == '\\', c == '<', c == '>', c == '&':
			return false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return ascii || plainRunes(text)
}

// plainRunes is plain for what is not ASCII: valid UTF-8 without the two line separators that JavaScript stumbles over.
func plainRunes(text string) bool {
	for i, r := range text {
		if r == '\u2028' || r == '\u2029' {
			return false
		}
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return false
			}
		}
	}
	return true
}
