package run

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"time"

	"holobench/clients"
	"holobench/history"
	"holobench/wire"
)

const (
	noiseJoin  = 30 * time.Second // until all clients are ready
	noiseWait  = 10 * time.Second // for all that one command causes
	noiseDrain = 3 * time.Second  // for the messages that are on their way when the last command is over
)

// noiseProbe is the client side of the noise probe: a crowd of real clients.
type noiseProbe struct {
	o     NoiseOptions
	crowd *clients.Crowd
	until time.Time    // no command is sent later; zero = no limit
	over  []chan error // of each client: how its command in flight ended

	written []noiseCommand // what the peer wrote; valid after run

	mu       sync.Mutex // guards what follows
	rng      *rand.Rand
	seen     []history.Observation // the deliveries
	streamed int                   // of them on streams
	awaited  []int                 // of each client: what it has yet to see before its next command
	left     int                   // commands to be sent
	sent     int                   // commands that were
	cut      error                 // why a stream ended, if one did
}

func newNoiseProbe(o NoiseOptions, addr string) *noiseProbe {
	p := &noiseProbe{
		o: o, rng: rand.New(rand.NewPCG(o.Seed, 0x6e6f697365)), over: make([]chan error, o.Clients),
		awaited: make([]int, o.Clients), left: (o.Pairs + o.Messages - 1) / o.Messages,
	}
	for i := range p.over {
		p.over[i] = make(chan error, 1)
	}
	p.crowd = &clients.Crowd{
		Addr: addr, Run: wire.RunID(p.rng.Uint32()), Epoch: time.Now().UnixNano(), Names: new(history.Names), Dial: o.Dial,
		Observe: p.observe,
	}
	carried := Plan{Transport: o.Transport}
	p.crowd.HTTP2, p.crowd.TLS = carried.clientHTTP2(), carried.clientTLS()
	return p
}

// run subscribes the clients, posts the commands, waits for what is on its way, and asks the peer what it wrote, before any
// client leaves: the peer looks at a connection after what it wrote there was seen. All goroutines are over when it returns.
func (p *noiseProbe) run(ctx context.Context) error {
	if p.o.Engine == clients.EngineEpoll {
		loops, err := clients.StartLoops(runtime.GOMAXPROCS(0))
		if err != nil {
			return err
		}
		defer loops.Close()
		p.crowd.Loops = loops // closed when all streams are over
	}
	ctx, end := context.WithCancel(ctx)
	var working sync.WaitGroup
	defer working.Wait()
	defer end()
	crowd, waiting, gone := make([]*clients.Client, p.o.Clients), newBarrier(), make(chan error, 1)
	for i := range crowd {
		c := p.crowd.NewClient(clients.ClientOptions{ID: uint32(i), Instance: strconv.Itoa(i), Channels: []string{noiseChannel}})
		crowd[i] = c
		streaming, posting := waiting.expect(), waiting.expect()
		working.Add(1)
		c.Hold(ctx, streaming, func(err error) {
			if err != nil {
				select {
				case gone <- err:
				default: // one is told
				}
			}
			working.Done()
		})
		working.Go(func() { c.PostCommands(ctx, ctx, posting) }) //nolint:errcheck // its only end is the end of ctx
	}
	timeout := time.NewTimer(noiseJoin)
	defer timeout.Stop()
	select {
	case <-waiting.reached():
	case err := <-gone:
		return err
	case <-timeout.C:
		return fmt.Errorf("after %v not all of %d clients were subscribed", noiseJoin, p.o.Clients)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if p.o.Busy {
		working.Go(func() {
			for ctx.Err() == nil { // to keep a core busy is all that it is for
				continue
			}
		})
	}
	if err := p.post(ctx, crowd); err != nil {
		return err
	}
	if err := p.drain(ctx); err != nil {
		return err
	}
	if loops := p.crowd.Loops; loops != nil && loops.Held() != len(crowd) {
		return fmt.Errorf("loops held only %d of %d streams", loops.Held(), len(crowd))
	}
	var err error
	if p.written, err = fetchNoise(ctx, p.o.Dial, p.crowd.Addr); err != nil {
		return fmt.Errorf("ask the peer what it wrote: %w", err)
	}
	return nil
}

// post lets AtOnce drivers, each with clients of its own, send all commands, one after the other is over (see next).
func (p *noiseProbe) post(ctx context.Context, crowd []*clients.Client) error {
	errs := make([]error, p.o.AtOnce)
	var driving sync.WaitGroup
	for d := range p.o.AtOnce {
		driving.Go(func() {
			mine := (len(crowd) - d + p.o.AtOnce - 1) / p.o.AtOnce // clients d, d + AtOnce, ...
			for errs[d] == nil && p.inTime() {
				id, message := p.next(d, mine)
				if message == nil {
					return
				}
				crowd[id].Post(time.Now().UnixNano()-p.crowd.Epoch, message)
				errs[d] = p.await(ctx, id)
			}
		})
	}
	driving.Wait()
	if p.sent == 0 && !p.inTime() {
		return fmt.Errorf("when its clients were ready, the %v were over in which it may send", p.o.Limit)
	}
	return errors.Join(errs...)
}

func (p *noiseProbe) inTime() bool { return p.until.IsZero() || time.Now().Before(p.until) }

// await waits until the command of a client is over.
func (p *noiseProbe) await(ctx context.Context, id int) error {
	timeout := time.NewTimer(noiseWait)
	defer timeout.Stop()
	select {
	case err := <-p.over[id]:
		return err
	case <-timeout.C:
		return fmt.Errorf("after %v client %d had not seen all that its command caused", noiseWait, id)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// next draws which of the clients of a driver sends, and what; nil when all is sent. While readers are idle a command is
// over when all of it was seen: else the peer would write its last message and the first of the next one back to back,
// and no reader is quick enough to tell the arrivals of those apart. While readers are late the reply alone ends it, so
// that the messages of several commands pile up on a stream, as they do in a run.
func (p *noiseProbe) next(driver, choice int) (id int, m *clients.Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left == 0 {
		return 0, nil
	}
	id = driver + p.rng.IntN(choice)*p.o.AtOnce
	p.awaited[id] = 1
	if p.o.ReaderDelay == 0 {
		p.awaited[id] += p.o.Messages
	}
	p.left--
	p.sent++
	order := noiseOrder{place: p.rng.IntN(p.o.Messages + 1)}
	for range p.o.Messages {
		order.gaps = append(order.gaps, time.Duration(p.rng.Int64N(int64(p.o.MaxGap)+1)))
	}
	text := order.text()
	if p.o.Across {
		text = acrossSign + text
	}
	return id, &clients.Message{Channel: noiseChannel, Name: "noise", Text: text}
}

// drain waits until every message of every command was seen. What does not come is counted as missing by the judge.
func (p *noiseProbe) drain(ctx context.Context) error {
	timeout := time.NewTimer(noiseDrain + p.o.ReaderDelay)
	defer timeout.Stop()
	poll := time.NewTicker(2 * time.Millisecond)
	defer poll.Stop()
	for {
		p.mu.Lock()
		cut, complete := p.cut, p.streamed >= p.sent*p.o.Messages
		p.mu.Unlock()
		if cut != nil || complete {
			return cut
		}
		select {
		case <-poll.C:
		case <-timeout.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// observe takes what one goroutine of a client saw. As it runs between two reads of that goroutine, a pause here is a
// reader that comes late to its next read, with nothing of the receive path replaced.
func (p *noiseProbe) observe(batch []history.Observation) {
	reads := false // whether a read of a message follows
	p.mu.Lock()
	for i := range batch {
		o := &batch[i]
		switch o.Kind {
		case history.Delivered:
			p.seen = append(p.seen, *o)
			if o.Path == history.SSE {
				p.streamed++
				reads = true
				p.saw(o.Event.Publisher, p.o.ReaderDelay == 0)
			}
		case history.Sent, history.Subscribed:
			reads = true
		case history.Replied:
			if o.Err != history.NoErr {
				p.tell(o.Client, p.failure("the reply to", o))
			}
			p.saw(o.Client, true)
		case history.Unknown, history.Refused, history.Dropped:
			p.tell(o.Client, p.failure("the outcome of", o))
		case history.Ended:
			p.cut = p.failure("the stream of", o)
			p.tell(o.Client, p.cut)
		default:
		}
	}
	var pause time.Duration
	if reads && p.o.ReaderDelay > 0 {
		pause = time.Duration(p.rng.Int64N(int64(p.o.ReaderDelay) + 1))
	}
	p.mu.Unlock()
	if pause > 0 {
		<-time.After(pause)
	}
}

// saw counts a message that the command of a client waited for. The caller holds mu.
func (p *noiseProbe) saw(client uint32, awaited bool) {
	if !awaited {
		return
	}
	p.awaited[client]--
	if p.awaited[client] == 0 {
		p.tell(client, nil)
	}
}

// tell ends the wait for a command.
func (p *noiseProbe) tell(client uint32, err error) {
	select {
	case p.over[client] <- err:
	default: // it has ended already
	}
}

func (p *noiseProbe) failure(what string, o *history.Observation) error {
	return fmt.Errorf("%s client %d: %s: %s", what, o.Client, o.Kind, p.crowd.Names.Name(uint32(o.Err)))
}

// delivered is what was seen, of each socket in the order of its bytes.
func (p *noiseProbe) delivered() []history.Observation {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}
