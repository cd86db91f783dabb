package chaos

import "slices"

// LiveLink is a link whose rules change while it is open.
type LiveLink struct {
	*link

	live    *Live
	opened  int64
	parts   []*livePart // in the order of the faults
	reading reading
	asking  asking
}

// livePart is one fault at work on one link.
type livePart struct {
	fault    *liveFault
	rule     eventStage
	down, up stage
	request  *requestStage
	slow     *slowReads
}

// open is a stage that lets everything through. A pipeline has one at least, so that nothing goes round what is still held.
type open struct{ never }

func (open) busy(int64) bool { return false }

func (open) pass(p piece, next func(piece)) { next(p) }

// update takes the parts of faults away that are not set any more, and adds those that are new. What was held comes out.
func (k *LiveLink) update(now int64, faults []*liveFault) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed || k.cut != cutNone {
		return
	}
	gone := slices.ContainsFunc(k.parts, func(p *livePart) bool { return !slices.Contains(faults, p.fault) })
	if gone {
		k.letGo(now, faults)
	}
	var parts []*livePart
	for _, p := range k.parts { // who is dead stays so
		if h, ok := p.down.(*halfOpenStage); ok && h.dead && !slices.Contains(faults, p.fault) {
			parts = append(parts, p)
		}
	}
	for _, f := range faults {
		if !f.takes(k.live.options.Seed, k.socket) {
			continue
		}
		i := slices.IndexFunc(k.parts, func(p *livePart) bool { return p.fault == f })
		switch {
		case i < 0:
			parts = append(parts, k.part(f))
		case gone:
			parts = append(parts, k.renew(k.parts[i]))
		default:
			parts = append(parts, k.parts[i])
		}
	}
	k.parts = parts
	k.lay(now)
	k.interrupt()
	k.fly()
}

// part puts a fault to work.
func (k *LiveLink) part(f *liveFault) *livePart {
	p := &livePart{fault: f}
	s := scope{chaos: f.chaos, fault: f.fault, socket: k.socket, opened: k.opened}
	switch e := f.Effect.(type) {
	case onMessages:
		p.rule = e.rule(s)
	case SlowReader:
		p.slow = &slowReads{scope: s, SlowReader: e}
	case onRequests:
		s.dir = Up
		p.request, _ = e.stageUp(s, k.inject).(*requestStage)
	case onBytes:
		if f.Where.Direction != Up {
			p.down = e.stage(s)
		}
		if s.dir = Up; f.Where.Direction != Down {
			p.up = e.stage(s)
		}
	}
	return p
}

// renew makes the parts anew that know when the last bytes come out, since these came out before; what counts goes on.
func (k *LiveLink) renew(p *livePart) *livePart {
	fresh := k.part(p.fault)
	p.down, p.up = renewed(p.down, fresh.down), renewed(p.up, fresh.up)
	return p
}

func renewed(old, fresh stage) stage {
	switch old.(type) {
	case *limitStage, *halfOpenStage, *silenceStage, *lapseStage, *slowCloseStage:
		return old
	}
	return fresh
}

// lay puts the stages into their rows. The caller holds mu.
func (k *LiveLink) lay(now int64) {
	var rules []eventStage
	down, up := []stage{&k.reading}, []stage{open{}}
	k.asking.rules, k.slow = nil, nil
	for _, p := range k.parts {
		if p.rule != nil {
			rules = append(rules, p.rule)
		}
		if p.request != nil {
			k.asking.rules = append(k.asking.rules, p.request)
		}
		if p.slow != nil {
			k.slow = p.slow
		}
		if p.down != nil {
			down = append(down, p.down)
		}
		if p.up != nil {
			up = append(up, p.up)
		}
	}
	k.units = k.reading.units
	k.down = newPipeline(down, k.queue.push)
	k.reading.change(rules, now, k.down.nexts[0])
	k.asking.bytes = up
	k.up.line = newPipeline(append(k.asking.inForce(), up...), k.up.queue.push)
}

// letGo lets everything out that is held, before a fault goes. The caller holds mu.
func (k *LiveLink) letGo(now int64, faults []*liveFault) {
	k.down.tick(now)
	k.up.line.tick(now)
	for _, line := range []*pipeline{k.down, k.up.line} {
		for i, s := range line.stages {
			if b, ok := s.(*bufferStage); ok {
				b.release(now, line.nexts[i])
			}
		}
	}
	for _, p := range k.parts {
		if slices.Contains(faults, p.fault) {
			continue
		}
		if p.rule != nil {
			k.reading.end(p.rule, now, k.down.nexts[0])
		}
		endSilence(k.down, p.down, now)
		endSilence(k.up.line, p.up, now)
	}
	k.queue.release(now)
	k.up.queue.release(now)
}

// endSilence ends the connection where a stage has silenced it.
func endSilence(line *pipeline, s stage, now int64) {
	if silent, ok := s.(*silenceStage); ok {
		silent.end(now, line.nexts[slices.Index(line.stages, s)])
	}
}

// release makes all that waits due.
func (q *queue) release(now int64) {
	for i := range q.pieces {
		q.pieces[i].at = min(q.pieces[i].at, now)
		q.pieces[i].notBefore = min(q.pieces[i].notBefore, now)
	}
	q.latest = min(q.latest, now)
}
