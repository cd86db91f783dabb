package target

// sequencedPreset makes the order of a channel a thing that clients can hold in their hands: the reply to a command is the
// number of its event, each event bears its number, and a stream can start at any number that is kept. So a client knows its
// own event when it comes, sees that one is missing, and asks for it. In a cluster it needs a bus with an order: numbers
// that each node gives by itself would name different events.
func sequencedPreset() preset {
	return preset{
		knobs:  Knobs{Dispatch: Serialized, Stamp: StampSequence, Echo: EchoStream, Replay: defaultReplay},
		answer: answerSequence,
		wire:   JSON,
	}
}
