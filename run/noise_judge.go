package run

import (
	"time"

	"holobench/history"
	"holobench/wire"
)

// maxWrongPairs bounds the evidence that a Noise carries.
const maxWrongPairs = 5

// noiseSeen is what one client saw of one command: its reply, and the messages on the stream in the order of their bytes.
type noiseSeen struct {
	reply  []history.Observation
	stream []history.Observation
}

// judgeNoise compares what was written with what was seen, message by message.
func judgeNoise(written []noiseCommand, delivered []history.Observation, epoch int64) Noise {
	all := make(map[wire.EventID]*noiseSeen)
	for _, o := range delivered {
		seen := all[o.Event]
		if seen == nil {
			seen = new(noiseSeen)
			all[o.Event] = seen
		}
		if o.Path == history.Reply {
			seen.reply = append(seen.reply, o)
		} else {
			seen.stream = append(seen.stream, o)
		}
	}
	var n Noise
	for _, command := range written {
		seen := all[command.Event]
		if seen == nil || len(seen.reply) != 1 || len(seen.stream) != len(command.Stream) {
			n.Missing += len(command.Stream)
			continue
		}
		for i, message := range command.Stream {
			n.judge(command.Reply, message, seen.reply[0], seen.stream[i], epoch)
		}
	}
	return n
}

// judge adds one pair.
func (n *Noise) judge(reply, message NoiseWrite, replySeen, messageSeen history.Observation, epoch int64) {
	pair := WrongPair{First: reply, Second: message, FirstSeen: replySeen, SecondSeen: messageSeen, Epoch: epoch}
	switch {
	case reply.End <= message.Begin:
	case message.End <= reply.Begin:
		pair = WrongPair{First: message, Second: reply, FirstSeen: messageSeen, SecondSeen: replySeen, Epoch: epoch}
	default:
		n.Overlapping++
		return
	}
	a, b := pair.FirstSeen, pair.SecondSeen
	if pair.First.Unsent > 0 {
		n.Held++
		if b.At < a.NotBefore {
			n.HeldTurned++
		}
		return
	}
	n.Pairs++
	gap := time.Duration(pair.Second.Begin - pair.First.End)
	if n.Intervals.add(a.At < b.NotBefore, b.At < a.NotBefore, gap) && len(n.Wrong) < maxWrongPairs {
		n.Wrong = append(n.Wrong, pair)
	}
	n.Kernel.add(a.At < b.At, b.At < a.At, gap)
	n.User.add(a.Handled < b.Handled, b.Handled < a.Handled, gap)
}

// add counts one pair and says whether it was wrong.
func (c *NoiseCount) add(right, wrong bool, gap time.Duration) bool {
	switch {
	case right:
		c.Right++
	case wrong:
		c.Wrong++
		c.LargestWrong = max(c.LargestWrong, gap)
	default:
		c.Tied++
	}
	return wrong
}
