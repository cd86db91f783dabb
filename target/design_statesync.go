package target

// stateSyncPreset is our reading of a local-first layer: a command is a mutation of one key of the channel's document, the
// reply is the version that the document has got by it, or the conflict when the key changed since the version on which the
// sender based it. A stream begins with a snapshot and goes on by patches; it resumes from a version, by the patches since
// then, or by a snapshot when they are not kept any more. The last writer wins by the server's version, never by arrival at
// a client, so that all replicas converge whatever they missed. A mutation that is sent again with the same idempotency
// key is carried out once. In a cluster it needs a bus with an order.
func stateSyncPreset() preset {
	return preset{
		knobs:    Knobs{Dispatch: Serialized, Stamp: StampSequence, Echo: EchoStream, Replay: defaultReplay},
		answer:   answerVersion,
		wire:     JSON,
		document: true,
	}
}
