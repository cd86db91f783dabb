package target

// Bus joins the nodes of one target. It is made by whoever starts the nodes: in memory for tests (MemoryBus), by a broker for
// real ones (NATSBus, JetStreamBus).
//
// Without an order (core NATS, and Phoenix.PubSub) what one node published comes to each other node in the order in which
// that node published it, and nothing more: the node hands its own event out at once, the others when it comes to them, and so
// two nodes see two events of two nodes in different orders (A3). With an order (a JetStream stream) every message
// of a channel has a number, and comes to every node, its own too, in the order of the numbers: a node hands out nothing that
// has not come back to it, and the reply to a command waits for that.
type Bus interface {
	// Publish sends data to the nodes. It must not wait for them, nor call receive: the caller may hold a channel's lock. Data
	// is the bus's from then on. The channel "" is what nodes ask each other: an ordered bus need not number or keep it.
	Publish(channel string, data []byte) error
	// Subscribe calls receive for every message of every channel, one at a time for each channel, until stop is called, which
	// returns after the last call. A bus without an order leaves out what this node published itself. An ordered bus may
	// begin with messages of the past, so that a node which was started anew has a log to send again from.
	Subscribe(receive func(BusMessage)) (stop func(), err error)
	// Ordered says whether messages of a channel are numbered and come back.
	Ordered() bool
}

// BusMessage is one message as it comes out of a Bus. Data is valid only during the call.
type BusMessage struct {
	Channel  string
	Data     []byte
	Sequence uint64 // its number in the channel, from 1; of meaning when the bus is ordered
}
