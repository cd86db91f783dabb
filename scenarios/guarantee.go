package scenarios

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// Guarantee is an order that the run must have kept. It is held, violated, or, with too few pairs that could have broken
// it, unknown.
type Guarantee struct {
	Name   string // FIFO or Total
	Among  string // of Total: Everyone or Observers; "" of FIFO
	AtRisk int    // pairs that could have broken it, at least 1: with fewer it is unknown, never held
}

// The guarantees.
const (
	FIFO  = "fifo"  // what a publisher sent second, after the reply to the first, nobody sees first
	Total = "total" // no two clients see two events of a channel in different order
)

// Whom the total guarantee binds.
const (
	Everyone  = "everyone"
	Observers = "observers" // all but the publishers of the two events
)

const (
	held          = "held" // the short form of a guarantee
	defaultAtRisk = 1000

	// defaultPairWindow is long enough for what crosses in a server that keeps up, and short enough for a laptop to compare
	// all of it.
	defaultPairWindow = time.Second
)

// guarantees resolves the section of that name, in the order of the file.
func (r *resolver) guarantees() []Guarantee {
	form := &r.form.Guarantees
	type placed struct {
		Guarantee
		at *node
	}
	var found []placed
	if fifo := &form.FIFO; fifo.given() {
		r.checkHeld(&fifo.word)
		found = append(found, placed{Guarantee{Name: FIFO, AtRisk: r.atRisk(&fifo.AtRisk)}, fifo.at})
	}
	if total := &form.Total; total.given() {
		r.checkHeld(&total.word)
		among := r.oneOf(&total.Among, Everyone, []string{Everyone, Observers})
		found = append(found, placed{Guarantee{Name: Total, Among: among, AtRisk: r.atRisk(&total.AtRisk)}, total.at})
	}
	slices.SortStableFunc(found, func(a, b placed) int {
		return cmp.Or(a.at.line-b.at.line, a.at.column-b.at.column)
	})
	var all []Guarantee
	for _, p := range found {
		all = append(all, p.Guarantee)
	}
	return all
}

// checkHeld notes that the short form of a guarantee is another word than the only one there is.
func (r *resolver) checkHeld(word *text) {
	if word.usable() && word.v != held {
		r.add(word.at, word.path+": unknown word "+quote(word.v)+suggest(word.v, []string{held}),
			"write held, or {at_risk_at_least: "+strconv.Itoa(defaultAtRisk)+"}; leave the guarantee out when it need not hold")
	}
}

// atRisk returns how many pairs a guarantee needs.
func (r *resolver) atRisk(form *integer) int {
	if form.usable() && form.v == 0 {
		r.add(form.at, form.path+": a guarantee that no pair could have broken proves nothing",
			"write how many pairs it takes: at_risk_at_least: "+strconv.Itoa(defaultAtRisk))
		return defaultAtRisk
	}
	return int(r.upTo(form, defaultAtRisk, maxAtRisk, "it can be")) //nolint:gosec // within its limits
}

// pairWindow resolves ordering.window.
func (r *resolver) pairWindow() time.Duration {
	form := &r.form.Ordering.Window
	switch {
	case !form.usable():
	case form.v == 0:
		r.add(form.at, form.path+": no time at all makes no pairs", "write how far apart two events may be due and still be compared: window: 1s")
	case form.v > maxPairWindow:
		r.add(form.at, form.path+": "+form.v.String()+" is more than the limit, "+maxPairWindow.String(),
			"the pairs to compare, and the time for them, grow with it; what crosses is due closer together")
	}
	return form.or(defaultPairWindow)
}
