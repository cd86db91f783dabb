package target

import (
	"fmt"
	"strings"
)

// Design names one way to build a realtime server. The zero value is no design; New takes it for Hologram.
type Design string

// The designs.
const (
	// Hologram imitates Hologram v0.9-v0.11 in Go: commands race, the sender is told by its reply, the others by SSE.
	Hologram Design = "hologram"
	// SingleChannel sends everything down the stream, in one order for all subscribers of a channel.
	SingleChannel Design = "single-channel"
	// LongPoll imitates Phoenix over long-poll: commands race, everybody is told by the queue that it polls.
	LongPoll Design = "long-poll"
	// Channels imitates Phoenix Channels: commands race, and replies and events share one socket.
	Channels Design = "channels"
	// Sequenced numbers the events of a channel, says the number in the reply, and sends again from any number it keeps.
	Sequenced Design = "sequenced"
	// StateSync keeps a document for each channel: commands change keys, streams begin with the whole and go on by patches.
	StateSync Design = "state-sync"
	// Ephemeral is for what is worthless when it is old, such as cursors: the latest value of a key is what counts.
	Ephemeral Design = "ephemeral"
)

// Designs lists all designs, in the order in which a user should read about them.
func Designs() []Design {
	return []Design{Hologram, SingleChannel, LongPoll, Channels, Sequenced, StateSync, Ephemeral}
}

// ParseDesign returns the design with that name; the error lists those there are.
func ParseDesign(name string) (Design, error) {
	names := make([]string, 0, len(Designs()))
	for _, d := range Designs() {
		if string(d) == name {
			return d, nil
		}
		names = append(names, string(d))
	}
	return "", fmt.Errorf("reading the design: there is no design %q; the designs are %s", name, strings.Join(names, ", "))
}

// preset is what a design is: settings of the knobs, and how it answers a command where its echo is not the answer. There is
// one path by which an event goes, and it knows knobs only; see publish.
type preset struct {
	knobs    Knobs
	answer   answer
	wire     Wire // the one that it speaks by default
	document bool // its events are changes of a document; see document
}

// answer is what a command is replied with on the plain JSON wire.
type answer uint8

const (
	answerAccepted answer = iota // 202 without a body, or the action where the echo has to go somewhere
	answerAction                 // the action, and the echo
	answerSequence               // the number of the event
	answerVersion                // the version that the document has got by it, or the conflict
)

// preset returns what the design is.
func (d Design) preset() (preset, error) {
	switch d {
	case Hologram:
		return hologramPreset(), nil
	case SingleChannel:
		return singleChannelPreset(), nil
	case LongPoll:
		return longPollPreset(), nil
	case Channels:
		return channelsPreset(), nil
	case Sequenced:
		return sequencedPreset(), nil
	case StateSync:
		return stateSyncPreset(), nil
	case Ephemeral:
		return ephemeralPreset(), nil
	}
	_, err := ParseDesign(string(d))
	return preset{}, err
}

// Knobs returns the design's own settings, with nothing left to a default; the zero Knobs for an unknown design.
func (d Design) Knobs() Knobs {
	own, err := d.preset()
	if err != nil {
		return Knobs{}
	}
	return Knobs{}.over(own.knobs)
}

// Wire returns the wire that the design speaks unless told otherwise; "" for an unknown design.
func (d Design) Wire() Wire {
	own, _ := d.preset()
	return own.wire
}

// Promises says what the design guarantees to its clients on one node with its own settings; see Options.Promises. It is nil
// for an unknown design.
func (d Design) Promises() map[string]string {
	return Options{Design: d}.Promises()
}
