package target

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Knobs are what one design differs in from another, apart from its wire. A zero field is the design's own setting, so that
// a run can turn one knob and keep the rest: the difference that it makes is then its own. Each says which anomaly it causes
// or cures, by a number and in words: a thing that a client can see, or two clients together, and that nobody asked for.
type Knobs struct {
	// Dispatch says whether two events of one channel may be handed out at once. Concurrent causes A2: two subscribers of
	// one node see two events in different orders. Serialized cures it, on one node.
	Dispatch Dispatch
	// Stamp puts the channel's sequence number into every event, so that a client can put events into order and see that
	// one is missing. It cures nothing by itself, but every cure at the client needs it. Over a bus without an order each
	// node numbers by itself, and the numbers of two nodes do not compare.
	Stamp Stamp
	// Echo says by which way a sender hears of its own event. EchoReply causes A1 (it sees its own event before or after
	// others that everybody else sees the other way round), A4 (its reply comes after somebody's answer to its event) and A6
	// (it never hears of an event that it sent while it had no stream). EchoStream cures all three.
	Echo Echo
	// Registry says where a node looks for the sender's stream before it puts a self-echo into the reply. NodeLocal causes
	// A7: a command that reaches another node than the sender's stream has no echo at all. Shared cures it: it asks the
	// other nodes. On one node there is no difference, nor where the echo comes by the stream.
	Registry Registry
	// WhenFull says what becomes of a subscriber whose outbox (Options.OutboxFrames, Options.OutboxBytes) is full.
	WhenFull WhenFull
	// FanoutOrder says in which order one event goes to its subscribers. Registration causes A10: who came last is always
	// told last. Shuffled spreads that evenly, and makes two orders where dispatch is concurrent more likely.
	FanoutOrder FanoutOrder
	// Replay is how many events of a channel are kept for streams that come back (Last-Event-ID, from=N). None causes A8:
	// what is sent while a client reconnects is lost to it. Negative is none. Where it is not none, messages have ids.
	// With concurrent dispatch ids may come out of order, and a stream that ends between two such events misses one.
	Replay int
	// ServerTriggered is how many events a second the node makes by itself in each channel that has subscribers: their name
	// is "server" and no client caused them, so that they meet a client's own without being an answer to it.
	ServerTriggered float64
}

// Dispatch is a setting of Knobs.Dispatch.
type Dispatch string

// How events of one channel are handed out.
const (
	Concurrent Dispatch = "concurrent" // each in the goroutine of its own request, without a lock, as Phoenix.PubSub does
	Serialized Dispatch = "serialized" // one after the other
)

// Stamp is a setting of Knobs.Stamp.
type Stamp string

// What events bear.
const (
	StampNone     Stamp = "none"
	StampSequence Stamp = "sequence" // the number in its channel; "seq" on the JSON wire
)

// Echo is a setting of Knobs.Echo.
type Echo string

// How a sender hears of its own event.
const (
	EchoReply  Echo = "reply"  // from the reply to its command, and its stream is left out
	EchoStream Echo = "stream" // from its stream, like everybody
	EchoNone   Echo = "none"   // not at all
)

// Registry is a setting of Knobs.Registry.
type Registry string

// Where a node looks for the sender's stream.
const (
	NodeLocal Registry = "node-local"
	Shared    Registry = "shared"
)

// WhenFull is a setting of Knobs.WhenFull.
type WhenFull string

// What becomes of a subscriber that does not keep up.
const (
	// CutStream ends it, so that it knows that it missed something; the other two leave it in the belief that it did not.
	CutStream WhenFull = "cut"
	// DropOldest leaves out the event that has waited longest.
	DropOldest WhenFull = "drop-oldest"
	// Coalesce lets a newer value of a key take the place of one that waits, full or not, so that what waits is bounded by
	// the number of keys. When even those are too many the stream is cut.
	Coalesce WhenFull = "coalesce"
)

// FanoutOrder is a setting of Knobs.FanoutOrder.
type FanoutOrder string

// In which order one event goes to its subscribers.
const (
	Registration FanoutOrder = "registration" // as they came
	Shuffled     FanoutOrder = "shuffled"     // drawn anew for each event, from Options.Seed
)

// over returns k with the zero fields filled in from the design's own settings.
func (k Knobs) over(own Knobs) Knobs {
	return Knobs{
		Dispatch:        cmp.Or(k.Dispatch, own.Dispatch, Concurrent),
		Stamp:           cmp.Or(k.Stamp, own.Stamp, StampNone),
		Echo:            cmp.Or(k.Echo, own.Echo, EchoStream),
		Registry:        cmp.Or(k.Registry, own.Registry, NodeLocal),
		WhenFull:        cmp.Or(k.WhenFull, own.WhenFull, CutStream),
		FanoutOrder:     cmp.Or(k.FanoutOrder, own.FanoutOrder, Registration),
		Replay:          max(cmp.Or(k.Replay, own.Replay), 0),
		ServerTriggered: cmp.Or(k.ServerTriggered, own.ServerTriggered),
	}
}

// The limits of what Knobs can ask for.
const (
	maxReplay          = 1 << 20
	maxServerTriggered = 10_000 // a second
)

// check names the first setting that does not exist.
func (k Knobs) check() error {
	for _, knob := range []struct {
		name, value string
		settings    []string
	}{
		{"dispatch", string(k.Dispatch), []string{string(Concurrent), string(Serialized)}},
		{"stamp", string(k.Stamp), []string{string(StampNone), string(StampSequence)}},
		{"echo", string(k.Echo), []string{string(EchoReply), string(EchoStream), string(EchoNone)}},
		{"registry", string(k.Registry), []string{string(NodeLocal), string(Shared)}},
		{"when-full", string(k.WhenFull), []string{string(CutStream), string(DropOldest), string(Coalesce)}},
		{"fan-out order", string(k.FanoutOrder), []string{string(Registration), string(Shuffled)}},
	} {
		if !slices.Contains(knob.settings, knob.value) {
			return fmt.Errorf("%s cannot be %q; it is one of %s", knob.name, knob.value, strings.Join(knob.settings, ", "))
		}
	}
	if k.Replay > maxReplay {
		return fmt.Errorf("replay of %d events is too much; at most %d are kept", k.Replay, maxReplay)
	}
	if !(k.ServerTriggered >= 0 && k.ServerTriggered <= maxServerTriggered) {
		return fmt.Errorf("server-triggered rate %v/s is not in 0..%d", k.ServerTriggered, maxServerTriggered)
	}
	return nil
}
