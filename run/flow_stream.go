package run

import (
	"context"
	"time"

	"holobench/scenarios"
	"holobench/wire"
)

// subscribeWithin is how long the server may take to let a client hear another channel, or one less.
const subscribeWithin = 30 * time.Second

// subscribe adds a channel to those that the client hears.
func (w *walk) subscribe(s *scenarios.Subscribe) error {
	return w.hearing(s.Place, &s.Channel, w.client.Subscribe)
}

// unsubscribe takes one away.
func (w *walk) unsubscribe(s *scenarios.Unsubscribe) error {
	return w.hearing(s.Place, &s.Channel, w.client.Unsubscribe)
}

// hearing changes what the client hears.
func (w *walk) hearing(p scenarios.Place, channel *scenarios.Template, change func(context.Context, string) error) error {
	name := w.fill(p, channel)
	if name == "" {
		w.failed(p, "the channel has no name")
		return nil
	}
	ctx, cancel := w.within(subscribeWithin)
	defer cancel()
	began := w.x.now()
	switch err := change(ctx, name); {
	case err == nil:
	case ctx.Err() != nil:
		return w.unmet(p, began, subscribeWithin)
	default:
		w.failed(p, err.Error())
	}
	return nil
}

// disconnect takes the client's stream away.
func (w *walk) disconnect() error {
	if err := w.client.Disconnect(w.ctx); err != nil && w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	return nil
}

// reconnect gives it back, and notes how long that took.
func (w *walk) reconnect(s *scenarios.Reconnect) error {
	began := w.x.now()
	ctx, cancel := w.within(s.Within)
	defer cancel()
	switch err := w.client.Reconnect(ctx); {
	case err == nil:
		w.expected(s.Place, began, w.x.now(), wire.EventID{}, "")
	case ctx.Err() != nil:
		return w.unmet(s.Place, began, s.Within)
	default:
		w.expected(s.Place, began, w.x.now(), wire.EventID{}, err.Error())
	}
	return nil
}
