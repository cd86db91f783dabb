package target

// channelsPreset is Phoenix Channels: each event is handed out in the goroutine of its sender, to everybody (broadcast),
// or to everybody but the sender, whose reply holds it (broadcast_from: the knob echo set to reply). On their own socket
// replies and events cannot overtake each other (no A1, no A4); two subscribers can still disagree (A2). On the
// plain wire the socket is a stream, and a reply that echoes brings A1 and A4 back.
func channelsPreset() preset {
	return preset{
		knobs:  Knobs{Dispatch: Concurrent, Echo: EchoStream},
		answer: answerAccepted,
		wire:   ChannelsWire,
	}
}
