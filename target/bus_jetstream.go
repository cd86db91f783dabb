package target

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// JetStreamBus is a Bus with an order: one stream of NATS JetStream, in the broker's memory, takes the events of all channels,
// and every node reads it from its beginning. The number of an event in its channel is how many events of that channel stand
// before it in the stream, plus one; each node counts that by itself and comes to the same number, because it reads the same
// stream. A stream for each channel would number by itself, but cost the broker a reader for each channel and node, and
// somebody would have to make it while the first event of the channel waits.
//
// An event is published without waiting for the broker's word: that it was taken shows when it comes back. The broker keeps
// about the last jetStreamBytes; a node that is started when the beginning is gone is refused, since it could not count.
type JetStreamBus struct {
	nats   *NATSBus
	stream jetstream.Stream
	delete func(ctx context.Context) error
	o      BrokerOptions
	broken atomic.Bool // this node has missed something, so that its numbers would be wrong
}

const (
	jetStreamBytes    = 256 << 20
	jetStreamChannels = 1 << 20 // events of more channels than that are not taken

	jetStreamReaderLife = 30 * time.Second // a reader that asks for nothing for so long is that of a dead node
)

var (
	errBusBroken   = errors.New("this node has missed a part of the bus's stream: it can number nothing any more")
	errBusLate     = errors.New("the beginning of the bus's stream is gone: a node that starts now cannot number events (restart all nodes)")
	errBusChannels = fmt.Errorf("there are more than %d channels on the bus", jetStreamChannels)
)

// DialJetStream joins a node to a broker that has JetStream, and makes the stream if no other node did. Call Close when the node
// has ended.
func DialJetStream(ctx context.Context, o BrokerOptions) (*JetStreamBus, error) {
	core, err := DialNATS(o)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, brokerTimeout)
	defer cancel()
	name := "HOLOBENCH_" + o.Name
	js, err := jetstream.New(core.conn)
	if err != nil {
		core.Close()
		return nil, fmt.Errorf("joining the bus at %s: %w", o.address(), err)
	}
	stream, err := js.CreateStream(ctx, jetstream.StreamConfig{ // the same stream made twice is one stream
		Name: name, Subjects: []string{core.subject + eventSubject + "*"}, Storage: jetstream.MemoryStorage,
		MaxBytes: jetStreamBytes, Discard: jetstream.DiscardOld, NoAck: true,
	})
	if err != nil {
		core.Close()
		return nil, fmt.Errorf("making the stream %s of the bus at %s: %w (does that server have JetStream? nats-server -js)", name, o.address(), err)
	}
	return &JetStreamBus{
		nats: core, stream: stream, o: o, delete: func(ctx context.Context) error { return js.DeleteStream(ctx, name) },
	}, nil
}

// Ordered implements Bus.
func (b *JetStreamBus) Ordered() bool { return true }

// Publish implements Bus.
func (b *JetStreamBus) Publish(channel string, data []byte) error {
	if b.broken.Load() {
		return errBusBroken
	}
	return b.nats.Publish(channel, data)
}

// Subscribe implements Bus. What nodes ask each other goes past the stream.
func (b *JetStreamBus) Subscribe(receive func(BusMessage)) (stop func(), err error) {
	ctx, cancel := context.WithTimeout(context.Background(), brokerTimeout)
	defer cancel()
	info, err := b.stream.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("subscribing to the bus: %w", err)
	}
	if info.State.FirstSeq > 1 {
		return nil, errBusLate
	}
	consumer, err := b.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverAllPolicy, InactiveThreshold: jetStreamReaderLife,
	})
	if err != nil {
		return nil, fmt.Errorf("subscribing to the bus: %w", err)
	}
	leave, err := b.nats.subscribe(askSubject, receive)
	if err != nil {
		return nil, err
	}
	gate := &busGate{receive: receive}
	numbers := &streamNumbers{channels: make(map[string]uint64)}
	reading, err := consumer.Consume(
		func(m jetstream.Msg) { b.take(m, numbers, gate) },
		jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
			b.o.trouble(fmt.Errorf("reading the bus's stream: %w", err))
		}),
	)
	if err != nil {
		leave()
		return nil, fmt.Errorf("subscribing to the bus: %w", err)
	}
	return func() {
		reading.Stop()
		gate.close()
		leave()
		b.forget(consumer)
	}, nil
}

// forget takes this node's reader from the broker, which would keep it for a while else.
func (b *JetStreamBus) forget(consumer jetstream.Consumer) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if info := consumer.CachedInfo(); info != nil {
		_ = b.stream.DeleteConsumer(ctx, info.Name) // a broker that is gone has forgotten it already
	}
}

// take numbers one message of the stream and hands it on. It is called for one at a time.
func (b *JetStreamBus) take(m jetstream.Msg, numbers *streamNumbers, gate *busGate) {
	if b.broken.Load() {
		return
	}
	meta, err := m.Metadata()
	if err != nil || meta.Sequence.Stream != numbers.last+1 {
		b.broken.Store(true) // to go on would be to give other numbers than the other nodes
		b.o.trouble(errors.Join(errBusBroken, err))
		return
	}
	channel, err := subjectChannel(strings.TrimPrefix(m.Subject(), b.nats.subject))
	if err != nil {
		channel = "" // no node made it: it takes its place in the stream and goes nowhere
	}
	number, err := numbers.next(channel)
	if err != nil {
		b.o.trouble(err)
		return
	}
	if channel != "" {
		gate.pass(BusMessage{Channel: channel, Data: m.Data(), Sequence: number})
	}
}

// streamNumbers counts the messages of each channel of a stream.
type streamNumbers struct {
	last     uint64 // of the stream
	channels map[string]uint64
}

// next counts one more message of the stream and returns its number in its channel.
func (n *streamNumbers) next(channel string) (uint64, error) {
	n.last++
	if _, known := n.channels[channel]; !known && len(n.channels) >= jetStreamChannels {
		return 0, errBusChannels
	}
	n.channels[channel]++
	return n.channels[channel], nil
}

// Close ends the connection. The last node to go takes the stream away, so that a broker of the user's own is left as it was
// found; after a node that was killed nobody is the last, until the broker has forgotten its reader.
func (b *JetStreamBus) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if info, err := b.stream.Info(ctx); err == nil && info.State.Consumers == 0 {
		_ = b.delete(ctx) // another node was faster, or the broker is gone
	}
	b.nats.Close()
}
