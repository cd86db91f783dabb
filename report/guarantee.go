package report

import (
	"fmt"

	"holobench/history"
)

// Guarantee is an order that the scenario demands, with its verdict.
type Guarantee struct {
	history.Guarantee
	Verdict Verdict
	Broken  int64  // pairs that broke it
	Of      int64  // pairs that could have
	Reason  string // why it is unknown; "" otherwise
}

// String spells the guarantee: "fifo", "total among observers".
func (g *Guarantee) String() string {
	if g.Among == "" || g.Among == everyoneWord {
		return g.Name
	}
	return g.Name + " among " + g.Among
}

// Outcome says what was seen of it.
func (g *Guarantee) Outcome() string {
	seen := fmt.Sprintf("%s of %s broke it", thousands(g.Broken), plural(g.Of, "pair"))
	if g.Reason == "" {
		return "is " + string(g.Verdict) + ": " + seen
	}
	return "is unknown: " + g.Reason + "; " + seen
}

// The names and words of guarantees, as scenarios spell them.
const (
	fifoName      = "fifo"
	totalName     = "total"
	everyoneWord  = "everyone"
	observersWord = "observers"
)

// demand judges one guarantee over the whole run. What speaks against it is proof, however little could have: a doubt keeps
// it from being held, and from being violated only where it could have made the evidence itself.
func (r *Report) demand(asked history.Guarantee) Guarantee {
	g := Guarantee{Guarantee: asked, Verdict: Unknown}
	f := &r.Order.Overall
	var doubts []string
	sure := int64(0) // pairs that broke it on one socket
	switch {
	case asked.Name == fifoName:
		g.Broken, g.Of = int64(f.FIFO.Violations+f.Beyond.FIFOViolations), int64(f.FIFO.Pairs)
		doubts = r.socketDoubts("", false)
	case asked.Name == totalName && asked.Among == observersWord:
		g.Broken, g.Of = int64(f.ObserverObserver.Divergent+f.Beyond.ObserverObserver), int64(f.ObserverObserver.AtRisk)
		doubts = append(tooTied(f.ObserverObserver), r.socketDoubts("", true)...)
	case asked.Name == totalName:
		g.Broken, g.Of = int64(f.All.Divergent+f.Beyond.Divergent), int64(f.All.AtRisk)
		doubts = append(tooTied(f.All), r.socketDoubts("", false)...)
		if len(r.socketDoubts("", true)) == 0 {
			sure = int64(f.ObserverObserver.Divergent + f.Beyond.ObserverObserver)
		}
	default:
		g.Reason = "this version knows no guarantee of that name"
		return g
	}
	if r.Damaged > 0 {
		doubts = append(doubts, plural(int64(r.Damaged), "segment")+" of the history cannot be read")
	}
	switch {
	case sure > 0 || g.Broken > 0 && len(doubts) == 0:
		g.Verdict = Violated
	case len(doubts) > 0:
		g.Reason = doubts[0]
	case g.Of < int64(asked.AtRisk):
		g.Reason = fmt.Sprintf("fewer than %s could have broken it", plural(int64(asked.AtRisk), "pair"))
	default:
		g.Verdict = Held
	}
	return g
}
