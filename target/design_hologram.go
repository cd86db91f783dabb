package target

// hologramPreset hands each event out in the goroutine of its own request. Nothing puts two dispatches into an order: each
// walks over the subscribers by itself, and where two overlap, one subscriber may get A before B and the next one B
// before A. The sender's own stream is left out; it learns of its event from the reply (self-echo), which is written
// after the fan-out, so that its next command can never overtake this one at any subscriber. Nothing is kept: what is sent
// while a client reconnects it never hears of.
func hologramPreset() preset {
	return preset{
		knobs:  Knobs{Dispatch: Concurrent, Echo: EchoReply},
		answer: answerAction,
		wire:   HologramWire,
	}
}
