package clients

import (
	"context"
	"errors"
	"os"
	"time"
)

// expecting are the commands of a client that an event of its stream answers, by what stands in that event. What comes is nil when two
// commands wait for the same: nobody can say which of them an event answers.
type expecting map[string]chan *answerEvent

// errAnswerShared says that.
var errAnswerShared = errors.New("another command of the client waits for the same answer")

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
	if other := b.expecting[is]; other != nil {
		came <- nil
		if len(other) == 0 {
			other <- nil
		}
	}
	b.expecting[is] = came
	return came
}

// forget says that the command which waited for it there does not any more.
func (b *browser) forget(is string, came chan *answerEvent) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.expecting[is] == came {
		delete(b.expecting, is)
	}
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
	if len(came) > 0 { // it is told already that it is not alone
		return true
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
		p.client.browser.forget(p.is, p.came) // the command before did not come so far
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
		p.client.browser.forget(p.is, p.came)
		return nil
	}
	timer := time.NewTimer(or(p.client.crowd.ReplyTimeout, 30*time.Second))
	defer timer.Stop()
	select {
	case e := <-p.came:
		if e == nil {
			p.client.browser.forget(p.is, p.came)
			return errAnswerShared
		}
		reply.body = append(reply.body[:0], e.data...)
		if e.at > reply.at {
			reply.notBefore, reply.at, reply.handled = e.notBefore, e.at, e.handled
		}
		return nil
	case <-timer.C:
		p.client.browser.forget(p.is, p.came)
		return os.ErrDeadlineExceeded
	case <-ctx.Done():
		p.client.browser.forget(p.is, p.came)
		return context.Cause(ctx)
	}
}
