package clients

import (
	"context"
	"errors"
	"syscall"
)

// owner is who a connection is made for.
type owner struct {
	client  uint32
	purpose Purpose
	http2   bool
}

// ownerKey finds the owner of a connection in the context of its dial, controlKey what has to be done to its socket first.
type (
	ownerKey   struct{}
	controlKey struct{}
)

// dialing is the context in which a connection of the client is made.
func (c *Client) dialing(ctx context.Context, p Purpose) context.Context {
	return context.WithValue(ctx, ownerKey{}, owner{c.id, p, c.http2})
}

// multiplexed says whether the connection that is dialled in ctx is to be one of HTTP/2.
func multiplexed(ctx context.Context) bool {
	o, _ := ctx.Value(ownerKey{}).(owner)
	return o.http2
}

// Dialing says for whom the connection is made that is dialled in ctx, and what for. A wire that has one connection for all makes it
// for the stream. ok is false for what belongs to no client, such as a flood.
func Dialing(ctx context.Context) (client uint32, p Purpose, ok bool) {
	o, ok := ctx.Value(ownerKey{}).(owner)
	return o.client, o.purpose, ok
}

// ControlFunc is the shape of net.Dialer.ControlContext.
type ControlFunc = func(ctx context.Context, network, address string, conn syscall.RawConn) error

// WithControl lets ControlDial call control too, before a connection that is dialled in the context is made.
func WithControl(ctx context.Context, control ControlFunc) context.Context {
	return context.WithValue(ctx, controlKey{}, control)
}

// ControlDial is the ControlContext of a net.Dialer that makes the connections of clients: it gives those of slow readers a small
// receive buffer, and does what WithControl asks for.
func ControlDial(ctx context.Context, network, address string, conn syscall.RawConn) error {
	err := shrinkBuffer(ctx, conn)
	if control, ok := ctx.Value(controlKey{}).(ControlFunc); ok {
		err = errors.Join(err, control(ctx, network, address, conn))
	}
	return err
}
