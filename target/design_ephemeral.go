package target

// ephemeralPreset is for presence and cursors: an event is the new value of a key (of its sender, unless the command names
// one), and makes every older value of that key worthless. Where a client does not keep up, a newer value takes the place of
// the one that waits, so that it is late by what it cannot read in time, and never by a queue. The sender knows what it
// sent, and is not told.
func ephemeralPreset() preset {
	return preset{
		knobs:  Knobs{Dispatch: Concurrent, Echo: EchoNone, WhenFull: Coalesce},
		answer: answerAccepted,
		wire:   JSON,
	}
}
