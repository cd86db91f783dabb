package clients

import (
	"context"
	"os"
	"time"
)

// expecting are the commands of a client that an event of its stream answers, by what stands in that event.
type expecting map[string]chan *answerEvent

// answerEvent is the event that answers a command.
type answerEvent struct {
	notBefore, at, handled int64
	data                   []byte
}

// expect says that a command waits for an event.
func (b *browser) expect(is string) chan *answerEvent {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.expecting == nil {
		b.expecting = make(expecting)
	}
	came := make(chan *answerEvent, 1)
	b.expecting[is] = came
	return came
}

// forget says that nobody waits for it any more.
func (b *browser) forget(is string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.expecting, is)
}

// answered hands an event to the command that waits for it; false = none does. What follows in the same read may narrow when the
// event came, which is not waited for.
func (r *genericReceiver) answered(data []byte) bool {
	publish := r.server.Publish
	if publish == nil || publish.Answer == nil {
		return false
	}
	is, ok := publish.Answer.Find(data, nil)
	if !ok {
		return false
	}
	b := r.browser
	b.mu.Lock()
	defer b.mu.Unlock()
	came := b.expecting[string(is)]
	if came == nil {
		return false
	}
	delete(b.expecting, string(is))
	came <- &answerEvent{r.notBefore, r.at, r.handled, append([]byte(nil), data...)} // it has room for the only one
	return true
}

// awaited is a phrasing whose commands may be answered by something else than the answer to their request.
type awaited interface {
	// await waits for it, and says of the poster's reply when it came and what it is.
	await(ctx context.Context, p *poster) error
}

// expectAnswer notes what will answer the command at hand.
func (p *genericPhrasing) expectAnswer() {
	if p.came != nil {
		p.client.browser.forget(p.is) // the command before did not come so far
	}
	p.came = nil
	answer := p.client.crowd.Own.Generic.Publish.Answer
	if answer == nil {
		return
	}
	is, _ := answer.Is(nil, p.name)
	p.is = string(is)
	p.came = p.client.browser.expect(p.is)
}

// await implements awaited. The command is over when both are there: the answer to its request, and the event.
func (p *genericPhrasing) await(ctx context.Context, reply *poster) error {
	if p.came == nil {
		return nil
	}
	if !reply.took() { // then nothing will come
		p.client.browser.forget(p.is)
		return nil
	}
	timer := time.NewTimer(or(p.client.crowd.ReplyTimeout, 30*time.Second))
	defer timer.Stop()
	select {
	case e := <-p.came:
		reply.body = append(reply.body[:0], e.data...)
		if e.at > reply.at {
			reply.notBefore, reply.at, reply.handled = e.notBefore, e.at, e.handled
		}
		return nil
	case <-timer.C:
		p.client.browser.forget(p.is)
		return os.ErrDeadlineExceeded
	case <-ctx.Done():
		p.client.browser.forget(p.is)
		return context.Cause(ctx)
	}
}
