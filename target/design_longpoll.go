package target

// longPollPreset is Phoenix over long-poll: each event is handed out in the goroutine of its own request, and everybody, the
// sender too, is told by its own queue. The reply says nothing of the event, so that it cannot overtake one (no A1, no A4);
// but two subscribers can still disagree (A2). On the plain wire the queue is a stream.
func longPollPreset() preset {
	return preset{
		knobs:  Knobs{Dispatch: Concurrent, Echo: EchoStream},
		answer: answerAccepted,
		wire:   LongPollWire,
	}
}
