package phoenix

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// Bounds of the body that answers a poll.
const (
	MaxPoll         = 8 << 20 // its length, in bytes
	MaxPollMessages = 1 << 16 // how many messages it may hold
)

// Poll is the body that answers a request of long polling: of a GET, with its messages, or of a POST, with the status only.
// The zero value is ready. It is not safe for concurrent use.
type Poll struct {
	// Status is the one that counts: 200, to a GET with messages, to a POST when its messages were handed to the session;
	// 204 when there was no message within the time of the poll; 410 for a new session, with its token; 403, 408, ... for
	// failures.
	Status   int
	Token    string   // names the session in the requests that follow; "" when there is none
	Messages [][]byte // each the text of one message, valid until the next Parse

	texts []byte // holds Messages
}

// Parse reads a body. It must have a status and nothing unknown; token and messages may be missing. The Poll keeps its
// buffers, so that one which is used again costs no allocation for bodies that are no longer than the ones before. After
// an error it is empty.
func (p *Poll) Parse(body []byte) error {
	err := p.parse(body)
	if err != nil {
		*p = Poll{Messages: p.Messages[:0], texts: p.texts[:0]}
		return fmt.Errorf("reading the answer to a Phoenix poll: %w", err)
	}
	return nil
}

// parse is Parse without the beginning of its errors.
func (p *Poll) parse(body []byte) error {
	if len(body) > MaxPoll {
		return fmt.Errorf("it is longer than %d bytes", MaxPoll)
	}
	old := p.Token
	p.Status, p.Token, p.Messages = 0, "", p.Messages[:0]
	// Without its escapes a text is no longer than with them: the buffer never grows below, and Messages stay where they are.
	p.texts = slices.Grow(p.texts[:0], len(body))
	s := scanner{data: body}
	var seen fields
	err := s.object(MaxDepth, func(key text) (err error) {
		switch {
		case key.is("status") && seen.first(1):
			p.Status, err = s.code()
		case key.is("token") && seen.first(2):
			p.Token, err = s.token(old)
		case key.is("messages") && seen.first(4):
			err = s.list(MaxDepth, func() error { return p.add(&s) })
		default:
			err = s.fail("the field %.40q is unknown, or comes twice", key.raw)
		}
		return err
	})
	if err != nil {
		return err
	}
	if p.Status == 0 {
		return errors.New("it lacks its status")
	}
	return s.end()
}

// add takes the text of one message.
func (p *Poll) add(s *scanner) error {
	if len(p.Messages) == MaxPollMessages {
		return s.fail("more than %d messages", MaxPollMessages)
	}
	t, err := s.text()
	if err != nil {
		return err
	}
	start := len(p.texts)
	p.texts = t.appendTo(p.texts)
	p.Messages = append(p.Messages, p.texts[start:len(p.texts):len(p.texts)])
	return nil
}

// code takes a status of three digits.
func (s *scanner) code() (int, error) {
	s.next()
	start := s.at
	if s.digits() != 3 || s.data[start] == '0' {
		s.at = start
		return 0, s.fail("the status is no number of three digits")
	}
	code := 0
	for _, digit := range s.data[start:s.at] {
		code = code*10 + int(digit-'0')
	}
	return code, nil
}

// token takes a token, or null.
func (s *scanner) token(old string) (string, error) {
	if s.next() == 'n' {
		return "", s.literal("null")
	}
	t, err := s.text()
	return t.keep(old), err
}

// AppendPoll appends the body that answers a GET. Each message is the text of one, as AppendMessage and its like write it.
func AppendPoll(dst []byte, status int, token string, messages ...[]byte) []byte {
	dst = AppendPollHead(dst, status, token)
	for i, message := range messages {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendPollMessage(dst, message)
	}
	return append(dst, PollEnd...)
}

// PollEnd is the end of the body that answers a GET.
const PollEnd = "]}"

// AppendPollHead appends what AppendPoll does up to the first message. It is for who sends one message to many, and so wants it
// encoded once, by AppendPollMessage: commas go between messages, and PollEnd behind the last one.
func AppendPollHead(dst []byte, status int, token string) []byte {
	dst = append(dst, `{"status":`...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, `,"token":`...)
	dst = appendQuoted(dst, token)
	return append(dst, `,"messages":[`...)
}

// AppendPollMessage appends one message, as it stands in the body that answers a GET.
func AppendPollMessage(dst, message []byte) []byte { return appendQuoted(dst, message) }

// AppendStatus appends the body that answers a POST.
func AppendStatus(dst []byte, status int) []byte {
	dst = append(dst, `{"status":`...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	return append(dst, '}')
}
