package target

// Promises says what a server with these options guarantees to its clients, by the name of the guarantee. What is not in the
// map may happen to hold and is not promised. It follows from the knobs, so that a turned knob breaks no promise but takes it
// back. It is nil when New would refuse the options. The caller may change the map.
//
//	fifo        nobody sees what a publisher sent second, after the reply to the first, before that
//	total       all subscribers see the events of a channel in one order
//	self_echo   by which way a sender hears of its own event while it is subscribed
//	gap_free    a client that comes back in time misses nothing
//	converge    all replicas of a document that have seen its last change are equal
//	freshness   nobody sees an older value after a newer one; values in between may be left out
func (o Options) Promises() map[string]string {
	o, err := o.withDefaults()
	if err != nil {
		return nil
	}
	own, err := o.Design.preset()
	if err != nil {
		return nil
	}
	wire, err := o.Wire.protocol()
	if err != nil {
		return nil
	}
	oneOrder := o.Bus == nil || o.Bus.Ordered() // what holds on the node holds in the cluster
	promises := make(map[string]string)
	promise := func(name, whole, perNode string) {
		if oneOrder {
			promises[name] = whole
		} else {
			promises[name] = perNode
		}
	}
	k := o.Knobs
	numbered := own.answer == answerSequence || own.answer == answerVersion
	switch {
	case k.WhenFull == Coalesce: // a value that takes the place of an older one overtakes what waits behind that
		promise("freshness", "latest value per key", "latest value per key and node")
	case k.Dispatch == Serialized && k.Echo != EchoReply && (numbered || o.ordered()):
		promises["total"] = "per channel"
	case k.Dispatch == Serialized && k.Echo != EchoReply:
		promises["total"] = "per channel and node"
	}
	if k.WhenFull != Coalesce {
		fifo := wire.fifo()
		promise("fifo", fifo, fifo+" and node")
	}
	switch k.Echo {
	case EchoReply:
		promises["self_echo"] = "reply"
	case EchoStream:
		promises["self_echo"] = wire.path()
	case EchoNone:
	}
	switch {
	case own.document:
		promises["converge"] = "per channel"
	case k.Replay > 0 && k.Dispatch == Serialized && k.WhenFull == CutStream && (numbered || o.ordered()):
		promises["gap_free"] = "after reconnect"
	case k.Replay > 0 && k.Dispatch == Serialized && k.WhenFull == CutStream:
		promises["gap_free"] = "after reconnect to the same node"
	}
	return promises
}
