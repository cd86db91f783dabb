package scenarios

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Bundled is the target that holobench brings along.
type Bundled struct {
	Design    string
	Wire      string // by which clients speak to it
	Transport string // that carries the wire: HTTP1, H2C, TLS or TLSH2
	Nodes     int    // processes, at least 1
	Bus       Bus    // the zero Bus when there is one node
	Spread    string // RoundRobin, Sticky or Random: over which node a client's stream and commands go; "" when there is one node
	Knobs     Knobs
	Outbox    int           // events that may wait for one subscriber
	Heartbeat time.Duration // a stream that was silent for so long gets a comment

	idle string // the first key of the file that only several nodes give a meaning, when there is one node
}

// Bus joins the nodes of the bundled target.
type Bus struct {
	Kind  string        // NATS or JetStream
	URL   string        // of a NATS server of the user's own; "" = holobench starts one
	Delay time.Duration // that every message takes longer from one node to another
}

// The designs of the bundled target.
const (
	Hologram      = "hologram"
	SingleChannel = "single-channel"
	LongPoll      = "long-poll"
	Channels      = "channels"
	Sequenced     = "sequenced"
	StateSync     = "state-sync"
	Ephemeral     = "ephemeral"
)

// designs lists them in the order in which docs/designs.md explains them.
func designs() []string {
	return []string{Hologram, SingleChannel, LongPoll, Channels, Sequenced, StateSync, Ephemeral}
}

// The wires by which the bundled target can be spoken to.
const (
	JSONWire     = "json"      // POST /command up, GET /events down
	HologramWire = "hologram"  // that of Hologram v0.9 to v0.11
	LongPollWire = "long-poll" // that of Phoenix over long polling
	ChannelsWire = "channels"  // that of Phoenix Channels over WebSocket
)

func wires() []string { return []string{JSONWire, HologramWire, LongPollWire, ChannelsWire} }

// ownWire is what a design is spoken to by unless a scenario says otherwise.
func ownWire(design string) string {
	switch design {
	case Hologram:
		return HologramWire
	case LongPoll:
		return LongPollWire
	case Channels:
		return ChannelsWire
	}
	return JSONWire
}

// The kinds of bus.
const (
	NATS      = "nats"      // FIFO of each node, and no order across nodes
	JetStream = "jetstream" // one order a channel
)

// How clients are spread over nodes.
const (
	RoundRobin = "round-robin" // those of each channel to the nodes in turn; commands go where the stream is
	Sticky     = "sticky"      // all of a channel to one node
	Random     = "random"      // streams as round-robin, and each command to any node
)

// Defaults of the bundled target.
const (
	defaultOutbox    = 1024
	defaultHeartbeat = 15 * time.Second
)

// bundled resolves server.bundled.
func (r *resolver) bundled() Bundled {
	form := &r.form.Server.Bundled
	b := Bundled{
		Design:    r.oneOf(&form.Design, Hologram, designs()),
		Nodes:     int(r.upTo(&form.Nodes, 1, maxNodes, "the nodes of the bundled target can be")), //nolint:gosec // within its limits
		Outbox:    int(r.upTo(&form.Outbox, defaultOutbox, maxOutbox, "an outbox can hold")),       //nolint:gosec // within its limits
		Heartbeat: form.Heartbeat.or(defaultHeartbeat),
	}
	b.Wire = r.oneOf(&form.Wire, ownWire(b.Design), wires())
	b.Transport = r.oneOf(&form.Transport, HTTP1, []string{HTTP1, H2C, TLS, TLSH2})
	b.Knobs = r.knobs(b.Design)
	r.checkWire(&b)
	bus, spread := r.bus(b.Design), r.oneOf(&form.Spread, RoundRobin, []string{RoundRobin, Sticky, Random})
	switch {
	case b.Nodes > 1:
		b.Bus, b.Spread = bus, spread
		r.checkOrder(&b)
	case form.Bus.given():
		b.idle = "bus"
	case form.Spread.given():
		b.idle = "spread"
	}
	r.checkTransport(&b)
	switch {
	case form.Heartbeat.usable() && form.Heartbeat.v == 0:
		r.add(form.Heartbeat.at, form.Heartbeat.path+": no time at all makes no heartbeat", "write how long a stream may be silent: heartbeat: 15s")
	case b.Heartbeat > maxHeartbeat:
		r.add(form.Heartbeat.at, form.Heartbeat.path+": "+b.Heartbeat.String()+" is more than the limit, "+maxHeartbeat.String(), "")
	}
	return b
}

// checkWire refuses a replay on a wire that sends nothing again: all but the plain one.
func (r *resolver) checkWire(b *Bundled) {
	if b.Wire == JSONWire || b.Knobs.Replay == 0 {
		return
	}
	at, remedy := &r.form.Server.Bundled.Wire.spot, "write replay: 0, or wire: "+JSONWire
	switch {
	case !at.given(): // it is the design's own
		at = &r.form.Server.Bundled.Replay.spot
	case b.Design == StateSync:
		remedy = "write wire: " + JSONWire
	}
	r.add(at.at, at.path+": the wire "+b.Wire+" sends nothing again to a client that comes back: a replay of "+strconv.Itoa(b.Knobs.Replay)+
		" events would be kept for nobody", remedy)
}

// bus resolves server.bundled.bus.
func (r *resolver) bus(design string) Bus {
	form := &r.form.Server.Bundled.Bus
	unset := NATS
	if needsOrder(design) {
		unset = JetStream
	}
	b := Bus{Kind: r.oneOf(&form.Kind, unset, []string{NATS, JetStream}), URL: form.URL.or(""), Delay: form.Delay.or(0)}
	r.check(&form.URL, checkBusURL)
	if b.Delay > maxBusDelay {
		r.add(form.Delay.at, form.Delay.path+": "+b.Delay.String()+" is more than the limit, "+maxBusDelay.String(),
			"what an event or an answer waits for comes over this link")
	}
	return b
}

// checkOrder refuses a design that numbers events on a bus that gives no numbers.
func (r *resolver) checkOrder(b *Bundled) {
	kind := &r.form.Server.Bundled.Bus.Kind
	if b.Bus.Kind != JetStream && needsOrder(b.Design) {
		r.add(kind.at, kind.path+": the design "+b.Design+" needs a bus with an order: numbers that each node gives by itself name different events",
			"write jetstream, or leave it out: then holobench takes it")
	}
}

// checkBusURL takes the address of a NATS server. It never shows it: there may be a password in it.
func checkBusURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case strings.Contains(text, "@"):
		return problem("there is a user or a password in the URL", "name a server that needs none, for example nats://127.0.0.1:4222")
	case err != nil || u.Scheme != "nats" && u.Scheme != "tls" || u.Hostname() == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "":
		return problem("this is no URL of a NATS server", "write nats://HOST:PORT, or leave it out: then holobench starts a server of its own")
	}
	return checkLiteral(text)
}
