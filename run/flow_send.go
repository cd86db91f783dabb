package run

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"holobench/clients"
	"holobench/history"
	"holobench/scenarios"
	"holobench/wire/http1"
)

// reply is what a command or a fetch was answered.
type reply struct {
	status int    // 0 = no whole reply came, or none that could be read
	why    string // ... why
	body   []byte
	fields []http1.Field
}

// header finds a field of the reply.
func (r *reply) header(name string) string {
	for _, field := range r.fields {
		if strings.EqualFold(field.Name, name) {
			return field.Value
		}
	}
	return ""
}

// send posts a command, waits for its reply, and goes through what is to follow that; a resend comes back here.
func (w *walk) send(s *scenarios.Send) error {
	w.resends = append(w.resends, nil)
	defer func() { w.resends = w.resends[:len(w.resends)-1] }()
	for {
		if err := w.post(s); err != nil {
			return err
		}
		if err := w.answered(s.OnReply); !errors.Is(err, errAgain) {
			return err
		}
	}
}

// resend takes the walk back to the send around it, unless it has done so often enough.
func (w *walk) resend(s *scenarios.Resend) error {
	counts := &w.resends[len(w.resends)-1]
	if *counts == nil {
		*counts = make(map[*scenarios.Resend]int)
	}
	if (*counts)[s] >= s.Times {
		return nil
	}
	(*counts)[s]++
	return errAgain
}

// post posts a command to each channel that a send names, mostly one, and waits for all replies; the last counts.
func (w *walk) post(s *scenarios.Send) error {
	if w.ear != nil {
		w.ear.mark()
	}
	channels := w.channels(s)
	replies := make(chan reply, len(channels))
	next := w.act
	if w.sent {
		next.due = w.x.now()
	}
	w.sent = true
	for i, channel := range channels {
		m := w.message(s, channel, uint64(i)) //nolint:gosec // it is not negative
		w.own = w.x.post(next, m, func(o *clients.Outcome) { replies <- w.flow.replyOf(o) })
	}
	for range channels {
		select {
		case w.reply = <-replies:
		case <-w.ctx.Done():
			return context.Cause(w.ctx)
		}
	}
	return nil
}

// message is what a send says to one channel.
func (w *walk) message(s *scenarios.Send, channel string, index uint64) *clients.Message {
	text := w.fill(s.Place, &s.Payload.Text)
	m := &clients.Message{
		Channel: channel, Name: s.Name, Text: text, Size: s.Payload.Bytes(w.uniform(s.Place, 1, index), len(text)),
		Load: uint16(w.load + 1), Fields: w.flow.fields, //nolint:gosec // check bounds it
	}
	for i := range s.With {
		value, _ := s.With[i].Value.Append(nil, func(dst []byte, name string) ([]byte, bool) {
			if name == "payload" {
				return append(dst, text...), true
			}
			return w.word(dst, name)
		})
		m.With = append(m.With, http1.Field{Name: s.With[i].Name, Value: string(value)})
	}
	return m
}

// channels are where a send goes: where it says itself, or its load, or the client's own.
func (w *walk) channels(s *scenarios.Send) []string {
	planned := w.act.planned()
	switch {
	case s.To != nil:
		return w.x.plan.channelsTo(s.To, planned.index, w.uniform(s.Place, 2))
	case !s.Channel.Empty():
		return []string{w.fill(s.Place, &s.Channel)}
	}
	return w.x.plan.channels(w.load, planned)
}

// answered goes through what is to follow the latest reply.
func (w *walk) answered(all []scenarios.OnReply) error {
	for i := range all {
		if all[i].Matches(w.reply.status) {
			return w.through(all[i].Flow)
		}
	}
	return nil
}

// get fetches a path. An answer that is no success, and of which nobody takes care, is a failure of the step.
func (w *walk) get(s *scenarios.Get) error {
	answer := make(chan reply, 1)
	w.client.Fetch(w.fill(s.Place, &s.Path), func(f *clients.Fetched) {
		answer <- reply{status: f.Status, why: f.Why, body: f.Body, fields: f.Fields}
	})
	select {
	case w.reply = <-answer:
	case <-w.ctx.Done():
		return context.Cause(w.ctx)
	}
	for i := range s.OnReply {
		if s.OnReply[i].Matches(w.reply.status) {
			return w.through(s.OnReply[i].Flow)
		}
	}
	switch {
	case w.reply.status == 0:
		w.failed(s.Place, w.reply.why)
	case w.reply.status < 200 || w.reply.status > 299:
		w.failed(s.Place, "http "+strconv.Itoa(w.reply.status))
	}
	return nil
}

// replyOf keeps of an outcome what the flow may look at.
func (f *flowPlan) replyOf(o *clients.Outcome) reply {
	r := reply{status: o.Status, why: o.Why}
	switch {
	case o.Kind != history.Replied:
		r.status = 0
	case !o.OK && o.Status >= 200 && o.Status <= 299:
		r.status, r.why = 0, "the reply cannot be read" // or the server says below HTTP that it will not
	}
	if f.replies {
		r.body = append([]byte(nil), o.Body...)
	}
	if f.fields {
		r.fields = o.Fields
	}
	return r
}
