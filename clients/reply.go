package clients

import (
	"holobench/history"
	"holobench/wire/http1"
)

// answered is the whole answer to a command.
type answered struct {
	conn                   uint32 // that brought it
	notBefore, at, handled int64
	status                 int
	body                   []byte
}

// replied appends what a reply says to rows, which are none: its Replied and, in a design that puts it there, the sender's own view
// of its event (self-echo).
func (c *Client) replied(rows []history.Observation, words phrasing, next *command, r *answered) []history.Observation {
	stamp := func(o history.Observation) history.Observation {
		o.NotBefore, o.At, o.Handled = r.notBefore, r.at, r.handled
		return o
	}
	rows = append(rows, stamp(c.about(history.Replied, r.conn, *next, r.at)))
	if !taken(words, r.status) {
		rows[0].Err = c.crowd.reason(statusText(r.status))
		return rows
	}
	echo := stamp(c.note(history.Delivered, r.conn, r.at))
	echo.Path, echo.Channel = history.Reply, c.crowd.channel(next.message.Channel)
	rows = words.reply(rows, echo, r.body)
	if c.listen != nil {
		c.hears(rows[1:], r.body, nil)
	}
	return rows
}

// taken says whether the status of a reply says that the command was taken.
func taken(words phrasing, status int) bool {
	if j, ok := words.(judging); ok {
		return j.takes(status)
	}
	return status >= 200 && status <= 299
}

// fieldsOf are the header fields of a fetch beside commands of those words.
func (c *Client) fieldsOf(words phrasing) []http1.Field {
	if signed, ok := words.(interface{ fields() []http1.Field }); ok {
		return signed.fields()
	}
	return c.cookies()
}
