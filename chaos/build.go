package chaos

// The parts that an effect may have in a link.
type (
	onBytes    interface{ stage(s scope) stage }     // a rule on what goes through in one direction
	onMessages interface{ rule(s scope) eventStage } // a rule on the messages that come down
	onRequests interface {                           // a rule on the requests that go up
		stageUp(s scope, inject func(b []byte, at int64)) stage
		decide(s *scope, m moment, number int64) (hit bool, amount int64)
	}
)

// build gives a link its rules, in this order: what happens to messages, which is nearest to the server, then what happens
// to bytes, in the order of the faults; and up first what happens to requests. It says whether the timeline may cut the link.
func (l *link) build(now int64) (cutByTime bool) {
	var down, up, requests []stage
	var rules []eventStage
	var unitsDown bool
	for _, f := range l.chaos.faults {
		if !f.meets(l.socket) {
			continue
		}
		s := scope{chaos: l.chaos, fault: f, socket: l.socket, opened: now}
		if t, ok := f.Effect.(timed); ok {
			_, _, ok := t.timedCut()
			cutByTime = cutByTime || ok
		}
		switch e := f.Effect.(type) {
		case onMessages:
			rules = append(rules, e.rule(s))
		case onRequests:
			s.dir = Up
			requests = append(requests, e.stageUp(s, l.inject))
		case SlowReader:
			l.slow = &slowReads{scope: s, SlowReader: e}
		case onBytes:
			if one := e.stage(s); f.Where.Direction != Up && one != nil {
				down = append(down, one)
				unitsDown = unitsDown || byMessage(f.Effect)
			}
			s.dir = Up
			if f.Where.Direction != Down {
				up = append(up, e.stage(s))
			}
		}
	}
	l.down = newPipeline(l.below(rules, unitsDown, down), l.queue.push)
	l.up.line = newPipeline(append(requests, up...), l.up.queue.push)
	return cutByTime
}

// below puts what reads messages before the rules on bytes.
func (l *link) below(rules []eventStage, byMessage bool, bytes []stage) []stage {
	var all []stage
	if len(rules) > 0 {
		all = append(all, newRewriter(rules))
	}
	if byMessage {
		l.units = &units{opaque: l.chaos.options.opaque(l.socket.Client)}
		all = append(all, l.units)
	}
	return append(all, bytes...)
}

// byMessage says whether an effect draws for each message.
func byMessage(e Effect) bool {
	switch e := e.(type) {
	case Delay:
		return !e.Jitter.Zero()
	case Loss:
		return true
	}
	return false
}
