package chaos

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"
)

// Mark is the beginning or the end of a window of a fault.
type Mark struct {
	Fault      string
	Kind       string
	Occurrence uint64
	At         int64 // ns since 1970, as the window has it; the call comes a moment later
	Begins     bool
}

// Begin says when the barrier is, ns since 1970: 0s of every window. From there on the rules know their times; Run does
// what has to be done at a moment. It is called once, before Run, and best a moment before the barrier.
func (c *Chaos) Begin(barrier int64) { c.zero.CompareAndSwap(0, barrier) }

// Run tells mark of each beginning and end of a window, cuts the connections that are to be cut at a moment, and returns
// when nothing is to come any more, or ctx ends. What is always in force has no marks.
func (c *Chaos) Run(ctx context.Context, mark func(Mark)) error {
	zero := c.zero.Load()
	if zero == 0 {
		return errors.New("run a timeline of faults: nobody has said when it begins: call Begin first")
	}
	if mark == nil {
		mark = func(Mark) {}
	}
	t := &timeline{chaos: c, zero: zero, mark: mark}
	for _, f := range c.faults {
		t.plan(f, 0)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for len(t.steps) > 0 {
		next := t.steps[0]
		t.steps = t.steps[1:]
		timer.Reset(time.Until(time.Unix(0, next.at)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
		next.take()
	}
	return nil
}

// timeline is the steps to come, in their order.
type timeline struct {
	chaos *Chaos
	zero  int64
	mark  func(Mark)
	steps []step
}

// step is one thing that the timeline does, at a time.
type step struct {
	at   int64
	take func()
}

// add puts a step into its place, behind those of the same moment.
func (t *timeline) add(at int64, take func()) {
	i, _ := slices.BinarySearchFunc(t.steps, at+1, func(s step, at int64) int { return cmp.Compare(s.at, at) })
	t.steps = slices.Insert(t.steps, i, step{at, take})
}

// plan adds an occurrence of a fault: its beginning, which adds its end and the next.
func (t *timeline) plan(f *fault, k uint64) {
	begin, end, ok := f.Window.occurrence(t.zero, k)
	if !ok {
		return
	}
	how, within, cuts := cutNone, time.Duration(0), false
	if e, timed := f.Effect.(timed); timed {
		how, within, cuts = e.timedCut()
	}
	if cuts && f.Window.For == 0 {
		end = begin + int64(within)
	}
	say := func(at int64, begins bool) {
		t.mark(Mark{Fault: f.Name, Kind: f.Effect.Kind(), Occurrence: k, At: at, Begins: begins})
	}
	t.add(begin, func() {
		say(begin, true)
		if cuts {
			t.cut(f, k, begin, how, within)
		}
		if end < forever {
			t.add(end, func() { say(end, false) })
		}
		t.plan(f, k+1)
	})
}

// cut adds the cuts of an occurrence: of the links that are there now.
func (t *timeline) cut(f *fault, k uint64, begin int64, how cut, within time.Duration) {
	for _, l := range t.chaos.concerned(f) {
		after := t.chaos.cutAfter(f, l.socket.Client, k, within)
		at := begin + int64(after)
		t.add(at, func() {
			if l.cutAt(how, at) {
				s := scope{chaos: t.chaos, fault: f, socket: l.socket}
				s.decided(moment{occurrence: k}, 0, int64(after))
			}
		})
	}
}

// concerned returns the links that a fault concerns, in the order of their clients.
func (c *Chaos) concerned(f *fault) []*link {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []*link
	for l := range c.links {
		if f.meets(l.socket) {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b *link) int {
		return cmp.Or(cmp.Compare(a.socket.Client, b.socket.Client), cmp.Compare(a.socket.Path, b.socket.Path), cmp.Compare(a.socket.Epoch, b.socket.Epoch))
	})
	return all
}
