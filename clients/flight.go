package clients

import (
	"context"
	"sync"
)

// turn lets the lanes of a client take commands out of its queue one after the other. Who has the token is at it.
type turn chan struct{}

// over hands the turn on.
func (t turn) over() { t <- struct{}{} }

// work carries out what is in the queue until ctx ends. As many commands are in flight at once as the client may have: each
// by a lane of its own, which is a connection of its own where commands go over HTTP, as browsers do it. The queue is first
// in, first out whatever lane comes next; of two commands on two connections nobody knows which the server reads first. Where
// the commands share a socket they also leave in that order.
func (c *Client) work(ctx, giveUp context.Context, queue <-chan command, ready func()) {
	next := make(turn, 1)
	var connecting, lanes sync.WaitGroup
	for range max(1, c.inFlight) {
		s := c.protocol.sender(giveUp)
		connecting.Add(1)
		lanes.Go(func() {
			defer s.close()
			if err := s.connect(ctx); err != nil && ctx.Err() == nil {
				s.close() // the first command tries again and notes the failure
			}
			connecting.Done()
			c.lane(ctx, s, queue, next)
		})
	}
	connecting.Wait()
	if ready != nil {
		ready()
	}
	next.over()
	lanes.Wait()
}

// lane carries out one command after the other.
func (c *Client) lane(ctx context.Context, s sender, queue <-chan command, turn turn) {
	for {
		select {
		case <-turn:
		case <-ctx.Done():
			return
		}
		select {
		case <-ctx.Done():
			turn.over()
			return
		case next := <-queue:
			if ctx.Err() != nil {
				c.dropped(next, whyNotSent(ctx))
				turn.over()
				return
			}
			c.carryOut(s, next, turn)
		}
	}
}
