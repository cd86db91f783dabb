package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"holobench/history"
)

// State is what was seen of a promise, or of what is none.
type State string

// The states. Only a broken promise is the server's fault: what nobody promised may happen, and is shown so that its reader
// knows.
const (
	Kept     State = "kept"
	Broken   State = "broken"
	Untested State = "untested" // promised, and nothing happened that could have broken it, or the run itself broke it
	Observed State = "observed" // not promised, and seen
	Unseen   State = "unseen"   // not promised, and not seen
)

// Promise is one thing that a server may promise of order, and what was seen of it.
type Promise struct {
	Name     string // "fifo", "total", "self_echo"
	Promised string // how far, in the server's words, for example "per publisher"; "" = not at all
	State    State
	Seen     string // in words
}

// Text says what is promised.
func (p *Promise) Text() string {
	if p.Promised == "" {
		return p.Name + " (not promised)"
	}
	return p.Name + " (promised: " + p.Promised + ")"
}

// promises lays what the server promises beside what was seen. There are none for a server that nobody described.
func (r *Report) promises(f *Figures) []Promise {
	if r.Run.Promises == nil {
		return nil
	}
	o := &r.Order.Overall
	violations, fifoPairs := int64(o.FIFO.Violations+o.Beyond.FIFOViolations), int64(o.FIFO.Pairs)
	divergent, atRisk := int64(o.All.Divergent+o.Beyond.Divergent), int64(o.All.AtRisk)
	if r.perNode(fifoName) {
		violations = int64(o.FIFO.Violations - o.FIFO.OtherNode)
	}
	if r.perNode(totalName) {
		divergent, atRisk = int64(o.SameNode.Divergent), int64(o.SameNode.AtRisk)
	}
	fifoWhat, totalWhat := "of one publisher, the second sent after the reply to the first, changed places", "at risk were seen in two orders"
	if r.perNode(fifoName) {
		fifoWhat += ", both sent to one node"
	}
	if r.perNode(totalName) {
		totalWhat += " by clients of one node"
	}
	list := []Promise{r.promise(fifoName, violations, fifoPairs, fifoWhat), r.promise(totalName, divergent, atRisk, totalWhat)}
	if path, said := r.Run.Promises[selfEchoName]; said && path != "" {
		list = append(list, selfEcho(path, &f.tallies[whole]))
	} else if said {
		list = append(list, noEcho(&f.tallies[whole]))
	}
	if r.Run.Promises[freshnessName] != "" {
		list = append(list, r.promise(freshnessName, violations, fifoPairs, "of values of one publisher arrived with the older one last"))
	}
	if r.Run.Promises[gapFreeName] != "" {
		list = append(list, r.gapFree())
	}
	if promised := r.Run.Promises[convergeName]; promised != "" {
		list = append(list, r.converge(promised))
	}
	if r.Run.Promises[broadcastName] != "" {
		list = append(list, r.broadcast(&f.tallies[whole].standing))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Run.Promises)) {
		if !slices.Contains([]string{fifoName, totalName, selfEchoName, freshnessName, gapFreeName, convergeName, broadcastName}, name) {
			list = append(list, Promise{Name: name, Promised: r.Run.Promises[name], State: Untested, Seen: "no figure of this run speaks of it"})
		}
	}
	for i := range list {
		if p := &list[i]; p.State == Broken {
			if why := excuse(&r.Run, p.Name); why != "" {
				p.State, p.Seen = Untested, p.Seen+"; "+why
			}
		}
	}
	return list
}

// perNode says whether a promise is made for the clients of one node only, where there are several.
func (r *Report) perNode(name string) bool {
	return r.Run.NodeCount() > 1 && strings.HasSuffix(r.Run.Promises[name], "node")
}

// The names of promises that are no guarantees.
const (
	selfEchoName  = "self_echo"
	freshnessName = "freshness"
	gapFreeName   = "gap_free"
	convergeName  = "converge"
	broadcastName = "broadcast"
)

// broadcast looks whether every event of a channel came to all its subscribers.
func (r *Report) broadcast(s *standings) Promise {
	p := Promise{
		Name: broadcastName, Promised: r.Run.Promises[broadcastName], State: Kept,
		Seen: fmt.Sprintf("%s did not come of %s to subscribers of its channel", plural(s.lost, "delivery"), thousands(s.expected)),
	}
	switch {
	case s.lost > 0:
		p.State = Broken
	case s.expected == 0:
		p.State = Untested
	}
	return p
}

// gapFree looks whether clients whose stream was cut missed anything.
func (r *Report) gapFree() Promise {
	lost, reconnects := r.total(EventsLost), r.total(SSEReconnects)
	p := Promise{
		Name: gapFreeName, Promised: r.Run.Promises[gapFreeName], State: Kept,
		Seen: fmt.Sprintf("%s lost, %s", plural(lost, "delivery"), plural(reconnects, "reconnect")),
	}
	switch {
	case lost > 0:
		p.State = Broken
	case reconnects == 0:
		p.State = Untested
	}
	return p
}

func (r *Report) promise(name string, broken, of int64, what string) Promise {
	p := Promise{
		Name: name, Promised: r.Run.Promises[name], State: Kept, Seen: fmt.Sprintf("%s of %s %s", thousands(broken), plural(of, "pair"), what),
	}
	switch {
	case p.Promised == "" && broken > 0:
		p.State = Observed
	case p.Promised == "":
		p.State = Unseen
	case broken > 0:
		p.State = Broken
	case of == 0:
		p.State = Untested
	}
	return p
}

// noEcho looks whether publishers heard nothing of their own events.
func noEcho(t *tally) Promise {
	var came int64
	for p := range paths {
		came += t.latency[own][p].Count()
	}
	promise := Promise{Name: selfEchoName, Promised: "none", State: Kept, Seen: plural(came, "event") + " came back to their publishers"}
	switch {
	case came > 0:
		promise.State = Broken
	case t.clients.sent == 0:
		promise.State = Untested
	}
	return promise
}

// selfEcho looks by which way publishers heard of their own events. What came to one that was away when it was sent came as to everybody
// who was, and is none of it.
func selfEcho(path string, t *tally) Promise {
	var right int64
	for p := range paths {
		if history.Path(p).String() == path {
			right = t.latency[own][p].Count()
		}
	}
	all := right + t.standing.ownOtherWay + t.standing.ownLost
	promise := Promise{
		Name: selfEchoName, Promised: path, State: Kept,
		Seen: fmt.Sprintf("%s of %s came back to their publishers that way", thousands(right), plural(all, "event")),
	}
	switch {
	case all == 0:
		promise.State = Untested
	case right < all:
		promise.State = Broken
	}
	return promise
}
