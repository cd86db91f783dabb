package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"holobench/clients"
	"holobench/history"
	"holobench/target"
)

// NoiseOptions say how to look for orders that the harness itself invents.
type NoiseOptions struct {
	StartPeer StartNoisePeer
	Dial      clients.DialFunc
	Seed      uint64

	Pairs       int              // comparisons to make, rounded up to whole commands; 0 = 1,000
	Transport   target.Transport // that carries the wire: over HTTP/2 each client has one connection; "" = HTTP/1.1
	Engine      clients.Engine   // that holds the streams; "" = EngineGoroutine, which works in a bubble, too
	Across      bool             // the messages of a command go to the stream of another client, one command after the other
	Clients     int              // each with a stream and a connection for commands; 0 = 1, and one more when it is Across
	AtOnce      int              // commands in flight, at most one a client; 0 = 16
	Messages    int              // on the stream, beside the one reply, a command: so many pairs it makes; 0 = 1
	MaxGap      time.Duration    // between one write of the peer and the next, drawn uniformly from 0 up to it; 0 = 1 ms
	ReaderDelay time.Duration    // the longest pause before a read, drawn uniformly from 0 up to it; 0 = none
	Busy        bool             // a goroutine of this process computes all the while
	TieBelow    time.Duration    // intervals that are less than this apart are ties, as the analysis of a run may have it; 0 = those that touch
	Limit       time.Duration    // no command is sent later than this after the measurement began; 0 = none
}

// StartNoisePeer starts a process that runs NoisePeer.Serve and returns when it listens: its address (host:port), and a
// function that ends it and waits for its end. A peer in the process of the probe would share its scheduler, and so would
// write while the probe's readers cannot run: it is for tests in a bubble only.
type StartNoisePeer func(ctx context.Context) (addr string, stop func() error, err error)

// Noise says how often clients saw two messages in another order than that in which they left. A pair is one message on the
// stream and the reply to the command that caused it: they come to one client on two sockets, and the peer that wrote them
// knows that the one had left before the write of the other began (see NoiseWrite). Every pair is judged of which the
// client saw both.
type Noise struct {
	Pairs       int // that were judged
	Overlapping int // whose writes overlap, so that there is no order to know: only a peer whose clock was set back makes any
	Missing     int // of which the client did not see both

	Waited      int           // writes, of all, that TCP held back at first, so that the peer waited; nothing is left out for it
	LongestWait time.Duration // of these

	Intervals NoiseCount  // by the intervals from NotBefore to At, as every figure of a report is
	Kernel    NoiseCount  // by the lone At: with kernel stamps, the kernel's own
	Rows      NoiseCount  // of those pairs that came over one connection: by the order of its rows, as every figure of a report is, too
	User      NoiseCount  // by the moment Handled at which the client's own code ran
	Wrong     []WrongPair // the first few that are in the wrong order by intervals, to find out why
}

// NoiseCount is the outcome of all pairs by one way of telling their order.
type NoiseCount struct {
	Right        int
	Wrong        int
	Tied         int           // no order is told: the intervals overlap or are too close, or the stamps are equal
	LargestWrong time.Duration // the largest margin by which a pair was reported in the wrong order
}

// WrongPair is one pair in the wrong order: when its writes began and ended, and what the client made of them. Its times
// are in nanoseconds since 1970, those of the Observations since the epoch of the probe.
type WrongPair struct {
	First, Second         NoiseWrite
	FirstSeen, SecondSeen history.Observation
	Epoch                 int64
}

// String tells the pair on one line, in microseconds since the first write began.
func (w WrongPair) String() string {
	us := func(at int64) float64 { return float64(at-w.First.Begin) / 1e3 }
	seen := func(o history.Observation) string {
		return fmt.Sprintf("on %s in (%.1f, %.1f], handled %.1f", o.Path, us(o.NotBefore+w.Epoch), us(o.At+w.Epoch), us(o.Handled+w.Epoch))
	}
	return fmt.Sprintf("client %d, command %d: written 0 to %.1f us, seen %s; written %.1f to %.1f us, seen %s",
		w.FirstSeen.Client, w.FirstSeen.Event.Seq, us(w.First.End), seen(w.FirstSeen), us(w.Second.Begin), us(w.Second.End), seen(w.SecondSeen))
}

// Floor is the largest margin, from the At of the one to the NotBefore of the other, by which a pair was reported in the
// wrong order; 0 says that none was. Two events that a client saw in some order with a margin of no more than Floor may
// have come in the other one.
func (n Noise) Floor() time.Duration { return n.Intervals.LargestWrong }

// TieShare is the share of the pairs that have no order by intervals; 0 when there are no pairs.
func (n Noise) TieShare() float64 { return n.share(n.Intervals.Tied) }

// WrongShares are the shares of the pairs that are in the wrong order by intervals, by the lone kernel stamp, and by the
// user stamp; 0 when there are no pairs.
func (n Noise) WrongShares() (intervals, kernel, user float64) {
	return n.share(n.Intervals.Wrong), n.share(n.Kernel.Wrong), n.share(n.User.Wrong)
}

func (n Noise) share(part int) float64 {
	if n.Pairs == 0 {
		return 0
	}
	return float64(part) / float64(n.Pairs)
}

// BriefNoise is the self-test at the start of a run: two messages beside each reply, 20 clients, a few tenths of a second
// and never more than 1.2 s for sending. StartPeer, Dial, Seed and TieBelow are left to the caller.
func BriefNoise() NoiseOptions {
	return NoiseOptions{Pairs: 2000, Clients: 20, Messages: 2, Limit: 1200 * time.Millisecond}
}

// MeasureNoise starts a peer that writes to the two sockets of real clients in a known order, and compares that order with
// the one in which their whole receive path reports the messages: stamps, parsers, interval rule. An error says that the
// probe could not be carried out; a wrong order is no error, it is what was asked for. When ctx ends, it is an error.
func MeasureNoise(ctx context.Context, o NoiseOptions) (noise Noise, err error) {
	o = o.withDefaults()
	if o.StartPeer == nil || o.Dial == nil {
		return Noise{}, errors.New("measure the noise: NoiseOptions need StartPeer and Dial")
	}
	if o.Messages > maxNoiseMessages {
		return Noise{}, fmt.Errorf("measure the noise: %d messages a pair, at most %d are possible", o.Messages, maxNoiseMessages)
	}
	began := time.Now()
	addr, stop, err := o.StartPeer(ctx)
	if err != nil {
		return Noise{}, fmt.Errorf("start the peer of the noise probe: %w", err)
	}
	defer func() {
		if failed := stop(); failed != nil {
			err = errors.Join(err, fmt.Errorf("end the peer of the noise probe: %w", failed))
		}
	}()
	p := newNoiseProbe(o, addr)
	if o.Limit > 0 {
		p.until = began.Add(o.Limit)
	}
	if err := p.run(ctx); err != nil {
		return Noise{}, fmt.Errorf("measure the noise: %w", err)
	}
	return judgeNoise(p.written, p.delivered(), p.crowd.Epoch, o.TieBelow), nil
}

func (o NoiseOptions) withDefaults() NoiseOptions {
	orInt := func(n *int, standard int) {
		if *n <= 0 {
			*n = standard
		}
	}
	orInt(&o.Pairs, 1000)
	orInt(&o.Clients, 1)
	orInt(&o.AtOnce, 16)
	orInt(&o.Messages, 1)
	if o.Across {
		o.Clients, o.AtOnce = max(2, o.Clients), 1
	}
	o.AtOnce = min(o.AtOnce, o.Clients)
	if o.MaxGap <= 0 {
		o.MaxGap = time.Millisecond
	}
	return o
}
