package clients

import (
	"context"
	"errors"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/http1"
)

// Message is what a command says, apart from its marker.
type Message struct {
	Channel string
	Name    string
	Text    string // stands behind the marker
	Size    int    // the payload is filled up to it, in bytes; a marker and a text that are longer are not cut
	Load    uint16 // which entry of history.Run.Loads asks for it, from 1; 0 = none
	Fields  bool   // Outcome.Fields are wanted

	With []http1.Field // named parts beside the payload: see each wire for what it makes of them
}

// command is one that is due and waits for its turn.
type command struct {
	due     int64
	seq     uint32
	message *Message
	settled func(*Outcome) // nil = nobody wants to know
	fetch   *fetching      // not nil: it is no command but this

	asked int64 // when its turn came: it was due, and fewer than may be in flight were under way
	free  int64 // when there was a connection for it too
	held  int64 // until when it, or who had the turn before it, kept the turn because there was none; 0 = nobody did
}

// waited says that a command had to wait until now for its connection.
func (next *command) waited(now int64) { next.free, next.held = max(next.free, now), now }

// Post asks for one command that is due at that time of the run. It does not wait for the server: the command waits in the
// client's own queue, first in first out, while an earlier one is in flight. When the queue is full the command is noted as dropped.
// It returns the event that the command will cause.
func (c *Client) Post(due int64, m *Message) wire.EventID { return c.PostThen(due, m, nil) }

// PostThen is Post for who wants to know how the command ended: settled is called once, when that stands in the history. The
// client's connection for commands stands still meanwhile. It may be called before PostThen returns.
func (c *Client) PostThen(due int64, m *Message, settled func(*Outcome)) wire.EventID {
	next, taken := c.ask(command{due: due, message: m, settled: settled})
	if !taken {
		c.dropped(next, errQueueFull)
	}
	return wire.EventID{Publisher: c.id, Seq: next.seq}
}

// ask numbers a command and puts it into the queue, if there is room.
func (c *Client) ask(next command) (numbered command, taken bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq++
	next.seq = c.seq
	if c.crowd.remembersDue() {
		c.crowd.own.sent.add(wire.EventID{Publisher: c.id, Seq: next.seq}, next.due)
	}
	select {
	case c.waiting() <- next:
		return next, true
	default:
		return next, false
	}
}

// Asked is how many commands the client was asked for so far: the Seq of the last one.
func (c *Client) Asked() uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seq
}

// waiting is the client's queue; the caller holds mu.
func (c *Client) waiting() chan command {
	if c.queue == nil {
		limit := c.crowd.QueueLimit
		if limit <= 0 {
			limit = 1024
		}
		c.queue = make(chan command, limit)
	}
	return c.queue
}

// PostCommands makes the connections for commands, calls ready, and carries out what Post asks for until ctx ends. What is
// in the queue then is noted as dropped, as interrupted or, when ErrOverdue is the cause of the end, as still waiting; a
// command in flight is finished first, unless giveUp ends too: then it is noted as unknown. Where commands go through what
// HoldStream holds, it has to be held meanwhile; a client without channels holds it here, and is deaf to what it hears.
func (c *Client) PostCommands(ctx, giveUp context.Context, ready func()) error {
	c.mu.Lock()
	queue := c.waiting()
	c.mu.Unlock()
	if c.protocol.joins() && len(c.Channels()) == 0 {
		letGo := c.holdToSend(giveUp)
		defer letGo()
	}
	c.work(ctx, giveUp, queue, ready)
	for {
		select {
		case left := <-queue:
			c.dropped(left, whyNotSent(ctx))
		default:
			return nil
		}
	}
}

// holdToSend holds what a client that only sends needs for it, until the function that it returns is called.
func (c *Client) holdToSend(giveUp context.Context) (letGo func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(giveUp)) // the command in flight ends first
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.HoldStream(ctx, nil) //nolint:errcheck // the protocol knows that it was refused, and each command notes it
	}()
	return func() {
		cancel()
		<-done
	}
}

func whyNotSent(ctx context.Context) string { return whyDropped(context.Cause(ctx)) }

func whyDropped(cause error) string {
	switch {
	case cause == nil:
		return errQueueFull
	case errors.Is(cause, ErrOverdue):
		return errOverdue
	}
	return errInterrupted
}

// Drop notes a command that is due and will never be sent, because what it is a part of cannot begin: too much else waits there
// (cause is nil), or the run ended first, as PostCommands has it.
func (c *Client) Drop(due int64, m *Message, cause error) {
	c.mu.Lock()
	c.seq++
	next := command{due: due, seq: c.seq, message: m}
	c.mu.Unlock()
	c.dropped(next, whyDropped(cause))
}

// dropped notes a command that will never be sent.
func (c *Client) dropped(next command, why string) {
	if next.fetch != nil {
		next.fetch.done(&Fetched{At: c.crowd.now(), Why: why})
		return
	}
	o := c.about(history.Dropped, 0, next, c.crowd.now())
	o.Err = c.crowd.reason(why)
	c.observe(o)
	next.ended(Outcome{Kind: o.Kind, At: o.At, Why: why})
}

// about starts an Observation about one command.
func (c *Client) about(kind history.Kind, conn uint32, next command, at int64) history.Observation {
	o := c.note(kind, conn, at)
	o.Due, o.Event, o.Channel = next.due, wire.EventID{Publisher: c.id, Seq: next.seq}, c.crowd.channel(next.message.Channel)
	o.Load = next.message.Load
	return o
}

// leaves starts the Sent of a command that is about to be written.
func (c *Client) leaves(conn uint32, next command) history.Observation {
	o := c.about(history.Sent, conn, next, c.crowd.now())
	o.NotBefore, o.Sequence = next.free, uint64(max(0, next.free-next.asked)) //nolint:gosec // not negative
	return o
}

// AppendPayload appends the payload of a command: its marker, the text of m, and filler up to the size of m.
func AppendPayload(dst []byte, marker wire.Marker, m *Message) []byte {
	return wire.AppendPayload(dst, marker, m.Text, m.Size)
}

// appendPayload appends the payload of one of the client's own commands.
func (c *Client) appendPayload(dst []byte, next command) []byte {
	return AppendPayload(dst, wire.Marker{
		Run: c.crowd.Run, Event: wire.EventID{Publisher: c.id, Seq: next.seq}, Due: next.due,
	}, next.message)
}
