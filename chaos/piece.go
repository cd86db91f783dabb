package chaos

import "math"

// piece is a part of what is on its way in one direction, or the end of it.
type piece struct {
	bytes     []byte
	notBefore int64 // as in wire.StampedConn; 0 = not known
	at        int64 // when its last byte gets here
	unit      int64 // the message that it belongs to, counted from 0 on its connection; see units
	first     bool  // it is the first of its message
	loose     bool  // at is not the kernel's stamp of its last byte
	err       error // non-nil = the end: what a read or a write says from there on
	cut       cut   // how the connection is brought to that end; for ends that came by themselves it is none
	room      *room // what bytes are in, of a piece in a queue; nil = in one of their own
}

// cut is how a connection is ended on purpose.
type cut uint8

const (
	cutNone cut = iota
	cutFIN
	cutRST
)

// after returns p without its first n bytes, and with another start it makes no difference to.
func (p piece) after(n int) piece {
	p.bytes = p.bytes[n:]
	p.first = p.first && n == 0
	return p
}

// stage is a rule at work on one direction of one socket: pieces go in, and what becomes of them comes out, in the order in which it
// shall be seen. The bytes of a piece are valid during the call only.
type stage interface {
	// pass judges p, and calls next with each piece that it makes of it.
	pass(p piece, next func(piece))
	// busy says whether what arrives at that time has to pass here; false = it would come out as it went in.
	busy(at int64) bool
	// wake is when tick wants to be called though nothing arrives; forever = it does not.
	wake() int64
	// tick lets go what was held until now.
	tick(now int64, next func(piece))
}

// never is embedded by stages that hold nothing which they would let go without being asked.
type never struct{}

func (never) wake() int64 { return math.MaxInt64 }

func (never) tick(int64, func(piece)) {}

// pipeline is the stages of one direction of one socket, in a row.
type pipeline struct {
	stages []stage
	nexts  []func(piece) // what each hands on to
}

// newPipeline ends in last.
func newPipeline(stages []stage, last func(piece)) *pipeline {
	if len(stages) == 0 {
		return nil
	}
	p := &pipeline{stages: stages, nexts: make([]func(piece), len(stages))}
	next := last
	for i := len(stages) - 1; i >= 0; i-- {
		p.nexts[i] = next
		s, after := stages[i], next
		next = func(one piece) { s.pass(one, after) }
	}
	return p
}

// pass sends a piece through all stages.
func (p *pipeline) pass(one piece) { p.stages[0].pass(one, p.nexts[0]) }

// quiet says whether what arrives at that time may go round the stages.
func (p *pipeline) quiet(at int64) bool {
	for _, s := range p.stages {
		if s.busy(at) {
			return false
		}
	}
	return true
}

// wake is the earliest time at which a stage wants a tick.
func (p *pipeline) wake() int64 {
	if p == nil {
		return forever
	}
	earliest := int64(forever)
	for _, s := range p.stages {
		earliest = min(earliest, s.wake())
	}
	return earliest
}

// tick lets all stages go what they held until now.
func (p *pipeline) tick(now int64) {
	for i, s := range p.stages {
		for s.wake() <= now {
			s.tick(now, p.nexts[i])
		}
	}
}
