package phoenix

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// BatchType is the content type of a POST that holds several messages, one a line. A POST of any other type holds one.
const BatchType = "application/x-ndjson"

// Bounds of the body of a POST.
const (
	MaxBatch = 100     // how many messages it may hold, which is as many as the client of Phoenix sends
	MaxBody  = 8 << 20 // its length, in bytes
)

// AppendBatch appends the body of a POST of BatchType.
func AppendBatch(dst []byte, messages ...Message) []byte {
	for i, m := range messages {
		if i > 0 {
			dst = append(dst, '\n')
		}
		dst = AppendMessage(dst, m)
	}
	return dst
}

// ParseBatch reads the body of a POST, by its content type. Its messages are returned in their order, all or, with an
// error, none, so that a client which sends a bad one knows what was done. Their payloads alias body.
func ParseBatch(contentType string, body []byte) ([]Message, error) {
	if len(body) > MaxBody {
		return nil, fmt.Errorf("reading a Phoenix POST: it is longer than %d bytes", MaxBody)
	}
	kind, _, _ := strings.Cut(contentType, ";")
	if !strings.EqualFold(strings.TrimSpace(kind), BatchType) {
		messages := make([]Message, 1)
		if err := messages[0].Parse(body); err != nil {
			return nil, err
		}
		return messages, nil
	}
	body = bytes.TrimSuffix(body, []byte("\n"))
	if len(body) == 0 {
		return nil, errors.New("reading a Phoenix batch: it is empty; send one message a line")
	}
	count := bytes.Count(body, []byte("\n")) + 1
	if count > MaxBatch {
		return nil, fmt.Errorf("reading a Phoenix batch: it has %d lines; send at most %d messages in one POST", count, MaxBatch)
	}
	messages := make([]Message, 0, count)
	for line := range bytes.SplitSeq(body, []byte("\n")) {
		var m Message
		if err := m.parse(line); err != nil {
			return nil, fmt.Errorf("reading a Phoenix batch: line %d: %w", len(messages)+1, err)
		}
		messages = append(messages, m)
	}
	return messages, nil
}
