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
	reply  []noiseRow
	stream []noiseRow
}

// noiseRow is a delivery, and where it stands among all.
type noiseRow struct {
	history.Observation

	row int64
}

// judgeNoise compares what was written with what was seen, message by message. Intervals that are less than tieBelow apart
// are ties.
func judgeNoise(written []noiseCommand, delivered []history.Observation, epoch int64, tieBelow time.Duration) Noise {
	all := make(map[wire.EventID]*noiseSeen)
	for i, o := range delivered {
		seen := all[o.Event]
		if seen == nil {
			seen = new(noiseSeen)
			all[o.Event] = seen
		}
		if o.Path == history.Reply {
			seen.reply = append(seen.reply, noiseRow{o, int64(i)})
		} else {
			seen.stream = append(seen.stream, noiseRow{o, int64(i)})
		}
	}
	var n Noise
	for _, command := range written {
		n.waits(command.Reply)
		for _, w := range command.Stream {
			n.waits(w)
		}
		seen := all[command.Event]
		if seen == nil || len(seen.reply) != 1 || len(seen.stream) != len(command.Stream) {
			n.Missing += len(command.Stream)
			continue
		}
		for i, message := range command.Stream {
			n.judge(command.Reply, message, seen.reply[0], seen.stream[i], epoch, tieBelow)
		}
	}
	return n
}

// waits counts a write that TCP held back.
func (n *Noise) waits(w NoiseWrite) {
	if w.Waited > 0 {
		n.Waited++
		n.LongestWait = max(n.LongestWait, time.Duration(w.Waited))
	}
}

// judge adds one pair.
func (n *Noise) judge(reply, message NoiseWrite, replySeen, messageSeen noiseRow, epoch int64, tieBelow time.Duration) {
	a, b := replySeen, messageSeen
	pair := WrongPair{First: reply, Second: message, Epoch: epoch}
	switch {
	case reply.End <= message.Begin:
	case message.End <= reply.Begin:
		a, b = messageSeen, replySeen
		pair.First, pair.Second = message, reply
	default: // the peer's clock was set back between the two
		n.Overlapping++
		return
	}
	n.Pairs++
	pair.FirstSeen, pair.SecondSeen = a.Observation, b.Observation
	if n.Intervals.add(b.NotBefore-a.At, a.NotBefore-b.At, max(1, int64(tieBelow))) && len(n.Wrong) < maxWrongPairs {
		n.Wrong = append(n.Wrong, pair)
	}
	n.Kernel.add(b.At-a.At, a.At-b.At, 1)
	if a.Client == b.Client && a.Conn == b.Conn && a.Conn != 0 {
		n.Rows.add(b.row-a.row, a.row-b.row, 1)
	}
	n.User.add(b.Handled-a.Handled, a.Handled-b.Handled, 1)
}

// add counts one pair, which was reported in the right order by one margin and in the wrong one by the other, and says
// whether it is wrong. A margin below least says nothing.
func (c *NoiseCount) add(right, wrong, least int64) bool {
	switch {
	case right >= least:
		c.Right++
	case wrong >= least:
		c.Wrong++
		c.LargestWrong = max(c.LargestWrong, time.Duration(wrong))
		return true
	default:
		c.Tied++
	}
	return false
}
