package run

import (
	"fmt"

	"holobench/internal/draw"
)

// Digest stands for all that a plan asks for: two plans that want the same commands sent have the same digest. It is a sum over
// them, so that the digests of the shares of a plan add up to that of the whole.
//
// A command is its load, its number there, when it is due, who sends it, to which channel, of what size and under what name. Of
// an act that is a flow there is one row, and not one for each command in it; what it does is drawn from the same seed. Of what a
// run finds out only when it is there (how long an act takes, what is heard, which rate is too much) the digest has what the plan
// knows beforehand: the pauses of closed loads, the law of reactions, and the first way up of a search.
type Digest struct {
	Commands uint64 // that are in it
	Sum      uint64
}

// Add is the digest of two parts of a plan together.
func (d Digest) Add(other Digest) Digest {
	return Digest{Commands: d.Commands + other.Commands, Sum: d.Sum + other.Sum}
}

// String is the sum as 16 hexadecimal digits.
func (d Digest) String() string { return fmt.Sprintf("%016x", d.Sum) }

// maxClosedActs bounds the acts of one sender of a closed load in a digest.
const maxClosedActs = 1000

// Digest walks the whole plan, or its share: some 100 ns a command.
func (p *Plan) Digest() (Digest, error) {
	var d Digest
	for i := range p.Loads {
		if err := p.digest(i, &d); err != nil {
			return Digest{}, fmt.Errorf("load %q: %w", p.Loads[i].Name, err)
		}
	}
	return d, nil
}

// digest adds the commands of one load.
func (p *Plan) digest(i int, d *Digest) error {
	l := &p.Loads[i]
	switch {
	case l.Flood:
		return p.digestFlood(i, d)
	case l.Closed != nil:
		p.digestClosed(i, d)
		return nil
	case l.Reaction != nil:
		p.digestReaction(i, d)
		return nil
	case l.Capacity != nil:
		return p.digestCapacity(i, d)
	}
	acts, err := p.acts(i)
	if err != nil {
		return err
	}
	for a := range acts {
		p.digestAct(i, a, 0, d)
	}
	return nil
}

// digestAct adds the commands of one act, when it belongs to the share. Key tells schedules of one load apart.
func (p *Plan) digestAct(i int, a planned, key uint64, d *Digest) {
	if !p.sends(i, a.sender) {
		return
	}
	l := &p.Loads[i]
	if l.Flow != nil {
		p.add(d, i, a, key, "", 0, "flow")
		return
	}
	for _, channel := range p.channels(i, a) {
		p.add(d, i, a, key, channel, p.size(i, a), l.Message.Name)
	}
}

// add adds one command.
func (p *Plan) add(d *Digest, load int, a planned, key uint64, channel string, size int, name string) {
	d.Commands++
	due := p.Loads[load].Start + a.due
	d.Sum += draw.Hash(uint64(load), a.index, uint64(due), uint64(a.sender), key, draw.Name(channel), uint64(size), draw.Name(name)) //nolint:gosec // none is negative
}

func (p *Plan) digestFlood(i int, d *Digest) error {
	arrivals, err := p.arrivals(i)
	if err != nil {
		return err
	}
	m := &p.Loads[i].Message
	for index := uint64(0); ; index++ {
		due, ok := arrivals.Next()
		if !ok {
			return nil
		}
		if p.share.has(index) {
			p.add(d, i, planned{index: index, due: due}, 0, m.Channel, m.Size, m.Name)
		}
	}
}

// digestClosed takes acts for over at once.
func (p *Plan) digestClosed(i int, d *Digest) {
	l := &p.Loads[i]
	for sender := range l.Only {
		a := planned{sender: sender, due: p.firstAct(i, sender)}
		for (l.Closed.For == 0 || a.due < l.Closed.For) && (l.Closed.Iterations == 0 || a.index < uint64(l.Closed.Iterations)) && a.index < maxClosedActs { //nolint:gosec // not negative
			p.digestAct(i, a, 0, d)
			a.due += p.pause(i, sender, a.index)
			a.index++
		}
	}
}

// digestReaction has a row for each client that may react.
func (p *Plan) digestReaction(i int, d *Digest) {
	l := &p.Loads[i]
	r := l.Reaction
	law := draw.Name(fmt.Sprintf("%s %v %v %d %v", r.Event, r.Share, r.After, r.Depth, r.For))
	for sender := range l.Only {
		p.digestAct(i, planned{sender: sender}, law, d)
	}
}

func (p *Plan) digestCapacity(i int, d *Digest) error {
	for n, rate := range p.Loads[i].Capacity.Rates() {
		acts, err := p.stepActs(i, n, rate)
		if err != nil {
			return err
		}
		for a := range acts {
			p.digestAct(i, a, uint64(n)+1, d)
		}
	}
	return nil
}

// takeDigest writes the digest of the plan into run.json.
func (x *execution) takeDigest() error {
	d, err := x.plan.Digest()
	if err != nil {
		return fmt.Errorf("check the plan: %w", err)
	}
	x.run.Digest, x.run.Planned = d.String(), d.Commands
	return nil
}
