package clients

import (
	"context"
	"sync"
)

// turn lets the lanes of a client take commands out of its queue one after the other. Who has the token is at it. The token is the
// time until which one of its holders, the last that did, waited for a connection, and so kept those behind it waiting; 0 = none did.
type turn chan int64

// over hands the turn on.
func (t turn) over(held int64) { t <- held }

// BrowserConnections is how many connections of HTTP/1.1 a browser has to one origin at most, its streams included: Chrome, Firefox
// and Safari alike. Its tabs share them; a client has them for itself.
const BrowserConnections = 6

// lanes is how many commands a client carries out at once: as many as it may have in flight, but over connections of its own no more
// than it may have beside its stream. What else is in flight waits in the client for a connection, as it does in a browser.
func (c *Client) lanes(s sender) int {
	lanes := max(1, c.inFlight)
	p, ok := s.(*poster)
	if !ok || c.connections <= 0 {
		return lanes
	}
	left := c.connections
	if elsewhere, ok := p.words.(interface{ addr() string }); c.listens && (!ok || elsewhere.addr() == "") {
		left-- // the stream goes to the same server
	}
	return max(1, min(lanes, left))
}

// work carries out what is in the queue until ctx ends. As many commands are in flight at once as the client may have: each
// by a lane of its own, which is a connection of its own where commands go over HTTP, as browsers do it. The queue is first
// in, first out whatever lane comes next; of two commands on two connections nobody knows which the server reads first. Where
// the commands share a socket they also leave in that order.
func (c *Client) work(ctx, giveUp context.Context, queue <-chan command, ready func()) {
	next := make(turn, 1)
	flying := underway{ended: make([]int64, max(1, c.inFlight))}
	var connecting, lanes sync.WaitGroup
	first := c.protocol.sender(giveUp)
	for i := range c.lanes(first) {
		s := first
		if i > 0 {
			s = c.protocol.sender(giveUp)
		}
		connecting.Add(1)
		lanes.Go(func() {
			defer s.close()
			if err := s.connect(ctx); err != nil && ctx.Err() == nil {
				s.close() // the first command tries again and notes the failure
			}
			connecting.Done()
			c.lane(ctx, s, &flying, queue, next)
		})
	}
	connecting.Wait()
	if ready != nil {
		ready()
	}
	next.over(0)
	lanes.Wait()
}

// lane carries out one command after the other.
func (c *Client) lane(ctx context.Context, s sender, flying *underway, queue <-chan command, turn turn) {
	free := int64(0) // since when it is
	for {
		var held int64
		select {
		case held = <-turn:
		case <-ctx.Done():
			return
		}
		select {
		case <-ctx.Done():
			turn.over(held)
			return
		case next := <-queue:
			if ctx.Err() != nil {
				c.dropped(next, whyNotSent(ctx))
				turn.over(held)
				return
			}
			next.asked = flying.begin(next.due)
			next.free, next.held = max(next.asked, free, held), held
			c.carryOut(s, next, turn)
			free = flying.end(c.crowd)
		}
	}
}

// underway says when the turn of a command comes, where there may be fewer connections than commands in flight: when it is due and
// fewer than len(ended) of those before it have not ended.
type underway struct {
	mu    sync.Mutex
	began int     // commands so far
	over  int     // of them
	ended []int64 // when the last of those that are over did, by turns
}

// begin is called by who takes the next command, in the order of the queue.
func (u *underway) begin(due int64) (asked int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	before := u.began - len(u.ended)
	u.began++
	if before < 0 {
		return due
	}
	return max(due, u.ended[before%len(u.ended)]) // it is over: there are no more lanes than that
}

// end is called when a command is over, and returns when that is.
func (u *underway) end(c *Crowd) int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := c.now()
	u.ended[u.over%len(u.ended)] = now
	u.over++
	return now
}
