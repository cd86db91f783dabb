package target

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// BrokerOptions say how a node reaches the broker that joins it to the others.
type BrokerOptions struct {
	URL  string // nats://host:port
	Name string // of the target: its nodes agree on it, and two targets at one broker do not; letters, digits, "-" and "_"
	Node int    // from 1
	// Dial makes the connections, as a net.Dialer does.
	Dial func(network, addr string) (net.Conn, error)
	// Trouble is told what goes wrong while nobody asks: a connection that was lost, messages that were dropped because this
	// node did not take them in time, an order that cannot be kept. nil = nobody is.
	Trouble func(error)
}

// NATSBus is a Bus without an order: core NATS. What one node publishes goes over one connection, and each node has one
// subscription for all channels; so everything that one node says, in whichever channel, comes to another node in the order in
// which it was said, as between two nodes of Phoenix.PubSub. A subscription for each channel would be called back by a
// goroutine of its own, and keep the order within a channel only. Nothing is kept: who is not connected misses it.
type NATSBus struct {
	conn    *nats.Conn
	subject string // what the subjects of this target begin with
}

// How long a node waits for its broker, and what it lets wait for itself: beyond it messages are dropped, and Trouble is told.
const (
	brokerTimeout         = 5 * time.Second
	brokerReconnectWait   = 100 * time.Millisecond
	brokerPendingMessages = 1 << 20
	brokerPendingBytes    = 256 << 20
)

var errBusSubject = errors.New("a message of the bus has a subject that no node makes")

// DialNATS joins a node to a broker. Call Close when the node has ended.
func DialNATS(o BrokerOptions) (*NATSBus, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	conn, err := nats.Connect(o.URL,
		nats.Name(fmt.Sprintf("holobench %s node %d", o.Name, o.Node)),
		nats.NoEcho(), // a node has handed its own events out already
		nats.SetCustomDialer(brokerDialer(o.Dial)),
		nats.Timeout(brokerTimeout),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(brokerReconnectWait),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil { // else it was closed
				o.trouble(fmt.Errorf("the connection to the bus was lost: %w", err))
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { o.trouble(fmt.Errorf("the bus: %w", err)) }),
	)
	if err != nil {
		return nil, fmt.Errorf("joining the bus at %s: %w", o.address(), err)
	}
	return &NATSBus{conn: conn, subject: "holobench." + o.Name + "."}, nil
}

func (o BrokerOptions) check() error {
	switch {
	case o.Dial == nil:
		return errors.New("joining the bus: there is no way to dial")
	case o.Name == "" || strings.Trim(o.Name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "":
		return fmt.Errorf("joining the bus: the name %q is not of letters, digits, - and _", o.Name)
	}
	return nil
}

// address is the URL, or several of them, without a password.
func (o BrokerOptions) address() string {
	parts := strings.Split(o.URL, ",")
	for i, part := range parts {
		parsed, err := url.Parse(strings.TrimSpace(part))
		if err != nil {
			return "an address that is no URL" // it may hold a password all the same
		}
		parts[i] = parsed.Redacted()
	}
	return strings.Join(parts, ",")
}

func (o BrokerOptions) trouble(err error) {
	if o.Trouble != nil {
		o.Trouble(err)
	}
}

// brokerDialer makes a function what nats.go asks for.
type brokerDialer func(network, addr string) (net.Conn, error)

// Dial implements nats.CustomDialer.
func (d brokerDialer) Dial(network, addr string) (net.Conn, error) { return d(network, addr) }

// Ordered implements Bus.
func (b *NATSBus) Ordered() bool { return false }

// Publish implements Bus.
func (b *NATSBus) Publish(channel string, data []byte) error {
	if err := b.conn.Publish(b.subject+channelSubject(channel), data); err != nil {
		return fmt.Errorf("publishing to the bus: %w", err)
	}
	return nil
}

// Subscribe implements Bus. When it returns, the broker knows of the subscription.
func (b *NATSBus) Subscribe(receive func(BusMessage)) (stop func(), err error) {
	return b.subscribe(">", receive)
}

func (b *NATSBus) subscribe(subjects string, receive func(BusMessage)) (stop func(), err error) {
	gate := &busGate{receive: receive}
	sub, err := b.conn.Subscribe(b.subject+subjects, func(m *nats.Msg) {
		channel, err := subjectChannel(m.Subject[len(b.subject):])
		if err != nil {
			return // whoever says it is no node of ours
		}
		gate.pass(BusMessage{Channel: channel, Data: m.Data})
	})
	if err != nil {
		return nil, fmt.Errorf("subscribing to the bus: %w", err)
	}
	if err = errors.Join(sub.SetPendingLimits(brokerPendingMessages, brokerPendingBytes), b.conn.FlushTimeout(brokerTimeout)); err != nil {
		_ = sub.Unsubscribe() // the first error is the one to tell
		return nil, fmt.Errorf("subscribing to the bus: %w", err)
	}
	return func() {
		_ = sub.Unsubscribe() // a connection that is gone has no subscriptions either
		gate.close()
	}, nil
}

// Close sends what was published and ends the connection.
func (b *NATSBus) Close() {
	_ = b.conn.FlushTimeout(brokerTimeout) // there is nobody left whom it could hurt
	b.conn.Close()
}

// The subjects of a target, behind its name. A channel is any text, and a subject has no spaces, dots and wildcards.
const (
	askSubject   = "ask"
	eventSubject = "event."
)

func channelSubject(channel string) string {
	if channel == "" {
		return askSubject
	}
	return eventSubject + base64.RawURLEncoding.EncodeToString([]byte(channel))
}

func subjectChannel(subject string) (string, error) {
	if subject == askSubject {
		return "", nil
	}
	token, ok := strings.CutPrefix(subject, eventSubject)
	channel, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if !ok || err != nil || len(channel) == 0 || strings.ContainsAny(token, "\r\n") { // which the decoder skips
		return "", errBusSubject
	}
	return string(channel), nil
}

// busGate lets messages through one at a time, and none after it was closed.
type busGate struct {
	mu      sync.Mutex
	receive func(BusMessage) // nil = closed
}

func (g *busGate) pass(m BusMessage) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.receive != nil {
		g.receive(m)
	}
}

// close waits for the call that is under way.
func (g *busGate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.receive = nil
}
