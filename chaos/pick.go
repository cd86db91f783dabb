package chaos

import (
	"bytes"
	"errors"

	"holobench/internal/draw"
)

// Pick says which messages a fault means: events, which are the messages of a stream that bear a marker, and, where the path is
// not only the stream, replies.
type Pick struct {
	Share float64 // drawn for each: an event is picked at a client or not whatever else comes; 0 = see Nth
	Nth   int64   // each n-th of a connection; 0 = see Share. With neither it is all
}

func (p Pick) check() error {
	switch {
	case !(p.Share >= 0) || p.Share > 1 || p.Nth < 0:
		return errors.New("give a share from 0 to 1, or each n-th from 1")
	case p.Share > 0 && p.Nth > 0:
		return errors.New("a share, and each n-th: give one of both")
	}
	return nil
}

// picker is an effect that picks messages.
type picker interface {
	// picking is how, and what a decision says it did as far as that does not depend on the message.
	picking() (p Pick, amount int64)
}

func (p Pick) picking() (pick Pick, amount int64) { return p, 0 }

// picks judges a message. It notes nothing.
func (s *scope) picks(p Pick, m moment, one *message) bool {
	switch {
	case !m.in || one.event.Seq == 0 && !one.reply:
		return false
	case p.Nth > 0:
		return (one.number+1)%p.Nth == 0
	case p.Share > 0:
		return s.luck(m, one, event) < p.Share*m.strength
	}
	return m.strength == 1 || s.luck(m, one, event) < m.strength
}

// luck draws for a message: by the event that it bears, wherever that is among the others, or else by its number.
func (s *scope) luck(m moment, one *message, purpose uint64) float64 {
	who := uint64(one.event.Publisher)<<32 | uint64(one.event.Seq)
	if one.event.Seq == 0 {
		who = uint64(one.number) //nolint:gosec // from 0
	}
	return draw.Unit(s.chaos.options.Seed, s.fault.key, purpose, uint64(s.socket.Client), uint64(s.socket.Path), uint64(s.socket.Epoch), m.occurrence, who)
}

// judged notes what became of a message.
func (s *scope) judged(p Pick, m moment, one *message, amount int64) {
	d := Decision{
		Fault: s.fault.Name, Client: s.socket.Client, Path: s.socket.Path, Epoch: s.socket.Epoch,
		Event: one.event, Occurrence: m.occurrence, Amount: amount,
	}
	if p.Nth > 0 || one.event.Seq == 0 {
		d.Number = one.number
	}
	s.record(d)
}

// calm is embedded by event rules that hold nothing.
type calm struct{}

func (calm) wake() int64 { return forever }

func (calm) tick(int64, func(message)) {}

// content returns where the bytes are that a corruption may touch without breaking what is around them: the values of the data lines of an
// event, all of a reply.
func content(m *message) [][2]int {
	if m.reply {
		return [][2]int{{0, len(m.bytes)}}
	}
	var spans [][2]int
	for from := 0; from < len(m.bytes); {
		end := from + len(m.bytes[from:])
		if i := bytes.IndexAny(m.bytes[from:], "\r\n"); i >= 0 {
			end = from + i
		}
		if value, ok := bytes.CutPrefix(m.bytes[from:end], []byte("data:")); ok {
			value = bytes.TrimPrefix(value, []byte(" "))
			spans = append(spans, [2]int{end - len(value), end})
		}
		from = end + 1
	}
	return spans
}

// spot chooses a byte of the content by a draw; false = there is none.
func spot(m *message, u float64) (at int, ok bool) {
	spans := content(m)
	var n int
	for _, s := range spans {
		n += s[1] - s[0]
	}
	k := int(u * float64(n))
	for _, s := range spans {
		if k < s[1]-s[0] {
			return s[0] + k, true
		}
		k -= s[1] - s[0]
	}
	return 0, false
}
