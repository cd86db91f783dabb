package run

import (
	"context"
	"fmt"
	"time"

	"holobench/clients"
	"holobench/history"
)

// selfTestLimit is the longest that the self-test may take. It usually takes a quarter of a second.
const selfTestLimit = 2 * time.Second

// selfTest measures, before there is any load, how often this run would report two messages in another order than that in
// which they left, and puts that into run.json. That it cannot be carried out is a warning to the reader, and no reason to
// measure nothing; the end of work ends it, and is no error here. The error is one of saving.
func (x *execution) selfTest(work context.Context) error {
	if x.o.StartNoisePeer == nil {
		return nil
	}
	x.progress(Progress{Stage: "probe"})
	ctx, cancel := context.WithTimeoutCause(work, selfTestLimit, fmt.Errorf("it was not over after %v", selfTestLimit))
	defer cancel()
	o := BriefNoise()
	o.StartPeer, o.Dial, o.Seed, o.TieBelow = x.o.StartNoisePeer, x.o.Dial, x.plan.Seed, x.o.TieBelow
	if x.wantsLoops() {
		o.Engine = clients.EngineEpoll
	}
	noise, err := MeasureNoise(ctx, o)
	switch {
	case work.Err() != nil:
		return nil // the run is told to stop, and says so itself
	case err != nil:
		return x.save(func(r *history.Run) {
			r.Warnings = append(r.Warnings, fmt.Sprintf("the self-test was not carried out, so nobody knows whether this machine turns the order of what arrives: %v", err))
		})
	}
	return x.save(func(r *history.Run) {
		r.Noise = noise.record(r.Machine.Stamps != "user")
		if lost := noise.Missing + noise.Overlapping; lost > 0 {
			r.Warnings = append(r.Warnings, fmt.Sprintf("the self-test could not judge %d of its %d pairs: a message did not come, or a clock was set back", lost, lost+noise.Pairs))
		}
	})
}

// record is what run.json keeps of it. Where the kernel does not stamp nobody knows what its stamps would have said: 0.
func (n Noise) record(kernelStamps bool) *history.Noise {
	record := &history.Noise{
		Pairs: n.Pairs, Wrong: n.Intervals.Wrong, Tied: n.Intervals.Tied, Floor: int64(n.Floor()), WrongByUser: n.User.Wrong,
	}
	if kernelStamps {
		record.WrongByKernel = n.Kernel.Wrong
	}
	return record
}
