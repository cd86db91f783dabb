package target

// singleChannelPreset keeps one order for each channel: its lock is held while an event is put into every outbox, that of
// the sender included, so that all subscribers get all events in the order of the lock. The reply says only that the command
// was taken. Each message has the channel's number as its id, and the last ones are kept, so that a browser's EventSource
// which comes back with its Last-Event-ID misses nothing.
func singleChannelPreset() preset {
	return preset{
		knobs:  Knobs{Dispatch: Serialized, Echo: EchoStream, Replay: defaultReplay},
		answer: answerAccepted,
		wire:   JSON,
	}
}

// defaultReplay is how many events of a channel the designs keep that keep some: at 100 a second, those of ten seconds.
const defaultReplay = 1024
