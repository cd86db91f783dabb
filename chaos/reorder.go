package chaos

import "errors"

// Reorder holds events of streams back until Distance others have passed, as an application does that sends from several goroutines. An
// event that waits for others which do not come goes on when the window ends, or the connection.
type Reorder struct {
	Pick
	Distance int // how many events overtake it
}

// Kind implements Effect.
func (Reorder) Kind() string { return "reorder" }

func (Reorder) needs() needs { return needs{down: true, ramp: true, streams: true, http: true} }

func (r Reorder) check() error {
	if r.Distance < 1 {
		return errors.New("give a distance of at least 1 event")
	}
	return r.Pick.check()
}

func (r Reorder) picking() (p Pick, amount int64) { return r.Pick, int64(r.Distance) }

type reorderRule struct {
	scope
	Reorder
	until   int64
	waiting []waiting
}

// waiting is an event that is overtaken.
type waiting struct {
	message
	left int // how many have still to pass
}

func (r Reorder) rule(s scope) eventStage { return &reorderRule{scope: s, Reorder: r, until: forever} }

func (r *reorderRule) busy(at int64) bool { return r.moment(at).in || len(r.waiting) > 0 }

func (r *reorderRule) wake() int64 {
	if len(r.waiting) == 0 {
		return forever
	}
	return r.until
}

// tick implements eventStage: all that waited goes on, at that time.
func (r *reorderRule) tick(now int64, next func(message)) {
	for _, w := range r.waiting {
		w.at, w.notBefore = now, now
		next(w.message)
	}
	r.waiting = nil
}

func (r *reorderRule) judge(m message, next func(message)) {
	if r.wake() <= m.at {
		r.tick(r.until, next)
	}
	at := r.moment(m.at)
	if r.picks(r.Pick, at, &m) {
		r.judged(r.Pick, at, &m, int64(r.Distance))
		m.bytes = append([]byte(nil), m.bytes...)
		r.waiting, r.until = append(r.waiting, waiting{m, r.Distance}), at.end
		return
	}
	next(m)
	if m.event.Seq == 0 {
		return
	}
	left := r.waiting[:0]
	for _, w := range r.waiting {
		if w.left--; w.left > 0 {
			left = append(left, w)
			continue
		}
		w.at, w.notBefore, w.loose = m.at, m.notBefore, m.loose // it comes with the one that was the last to overtake it
		next(w.message)
	}
	r.waiting = left
}
