package run

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"holobench/clients"
	"holobench/internal/draw"
	"holobench/scenarios"
)

// planned is one act that a plan asks for.
type planned struct {
	index  uint64        // which act of the load it is; of a closed load, which of its sender
	due    time.Duration // after the start of the load
	sender int
}

// acts are the acts of a load in the order of their due times, as far as the plan knows them: a pure function of the plan and its
// seed. Those of all senders are among them, whatever the share. Loads that act by what they see have none here.
func (p *Plan) acts(i int) (iter.Seq[planned], error) {
	l := &p.Loads[i]
	switch {
	case l.Burst != nil:
		return p.burstActs(i), nil
	case l.Replay != nil:
		return p.replayActs(i), nil
	}
	arrivals, err := p.arrivals(i)
	if err != nil {
		return nil, err
	}
	return p.deal(i, arrivals, 0), nil
}

// deal gives the acts of a schedule to senders who are drawn for each. Key tells schedules of one load apart.
func (p *Plan) deal(i int, arrivals *clients.Arrivals, key uint64) iter.Seq[planned] {
	seed, senders := draw.Hash(p.seed(i, ofSender), key), float64(p.Loads[i].Only)
	return func(yield func(planned) bool) {
		for index := uint64(0); ; index++ {
			due, ok := arrivals.Next()
			if !ok || !yield(planned{index: index, due: due, sender: int(draw.Unit(seed, index) * senders)}) {
				return
			}
		}
	}
}

// arrivals makes the schedule of an open load: the same for the same plan and seed.
func (p *Plan) arrivals(i int) (*clients.Arrivals, error) {
	return p.arrivalsOf(i, p.Loads[i].Stages, 0)
}

// arrivalsOf makes a schedule of these stages, spread in time as the load wants it.
func (p *Plan) arrivalsOf(i int, stages scenarios.Stages, key uint64) (*clients.Arrivals, error) {
	how := &p.Loads[i].Arrivals
	arrivals := new(clients.Arrivals)
	var rng *rand.Rand
	switch how.Kind {
	case scenarios.Poisson:
		rng = rand.New(rand.NewPCG(p.seed(i, ofGaps), key))
	case scenarios.Bursts:
		if err := arrivals.Pulse(how.Busy, how.Period); err != nil {
			return nil, err
		}
	case scenarios.Sine:
		return arrivals, addSine(arrivals, how, stages)
	case "", scenarios.Constant:
	default:
		return nil, fmt.Errorf("there are no arrivals %q", how.Kind)
	}
	for _, s := range stages {
		if err := arrivals.Add(s.From, s.To, s.For, rng); err != nil {
			return nil, err
		}
	}
	return arrivals, nil
}

func addSine(arrivals *clients.Arrivals, how *scenarios.Arrivals, stages scenarios.Stages) error {
	for _, s := range stages {
		if s.From != s.To {
			return fmt.Errorf("a rate that goes from %v/s to %v/s cannot swing, too", s.From, s.To)
		}
		if err := arrivals.AddSine(s.From, how.Swing, how.Period, s.For); err != nil {
			return err
		}
	}
	return nil
}
