package run

import (
	"fmt"
	"slices"

	"holobench/history"
	"holobench/scenarios"
)

// What carries faults out, as run.json and the report name it.
const (
	backendClients = "the clients themselves"
	backendLink    = "stamped connection wrapper"
	backendBus     = "the bus end of each node"
	backendSignal  = "signals to the process"
)

// describeFaults is what run.json says of the faults before they were at work.
func (p *Plan) describeFaults() []history.Fault {
	var all []history.Fault
	for i := range p.Faults {
		f := &p.Faults[i]
		d := history.Fault{Name: f.Name, Whom: whomOf(&f.Where)}
		for _, begin := range f.Begins(p.End()) {
			d.Turns = append(d.Turns, history.Turn{From: int64(begin), To: int64(begin + f.For)})
		}
		switch e := f.Effect.(type) {
		case scenarios.Disconnection:
			d.Kind, d.Backend, d.Clients = "disconnect", backendClients, p.hit(f)
		case scenarios.ReconnectStorm:
			d.Kind, d.Backend, d.Clients = "reconnect_storm", backendClients, p.hit(f)
		case scenarios.Churn:
			d.Kind, d.Backend, d.Clients = "churn", backendClients, p.hearing(f.Where.Clients)
		case scenarios.LinkFault:
			d.Kind, d.Backend = e.Kind, backendLink
		case scenarios.NodeFault:
			d.Kind, d.Backend, d.Whom = e.Kind, backendSignal, e.Text()
			if e.OnBus() {
				d.Backend = backendBus
			}
		}
		all = append(all, d)
	}
	return all
}

// hit counts the clients that one turn of a fault of clients hits.
func (p *Plan) hit(f *scenarios.Fault) int { return len(f.Hits(p.Seed, 0, p.hearing(f.Where.Clients))) }

// hearing counts the clients of a group that hold a stream, of all groups when it is "".
func (p *Plan) hearing(group string) (count int) {
	for i := range p.Groups {
		if g := &p.Groups[i]; g.listens() && (group == "" || group == g.Name) {
			count += g.Count
		}
	}
	return count
}

// whomOf says in words which clients a fault hits.
func whomOf(w *scenarios.Where) string {
	whom := "all clients"
	if w.Clients != "" {
		whom = w.Clients
	}
	if w.Share > 0 && w.Share < 1 {
		whom = fmt.Sprintf("%.4g %% of %s", 100*w.Share, whom)
	}
	if w.Path != "" {
		whom += ", path " + w.Path
	}
	if w.Direction != "" {
		whom += ", " + w.Direction
	}
	return whom
}

// completeFaults adds what the faults of links did; the ones that are no faults of the timeline, such as networks, stand behind it.
func (x *execution) completeFaults(all []history.Fault) []history.Fault {
	for _, did := range x.ledger() {
		at := slices.IndexFunc(all, func(f history.Fault) bool { return f.Name == did.Name })
		if at < 0 {
			all = append(all, did)
			continue
		}
		f := &all[at]
		f.Kind, f.Backend, f.Clients, f.Decisions, f.Digest = did.Kind, did.Backend, did.Clients, did.Decisions, did.Digest
	}
	return all
}

// noteDecisions adds what a fault of the bus has touched in one of its turns.
func (x *execution) noteDecisions(fault string, count uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range x.run.Faults {
		if f := &x.run.Faults[i]; f.Name == fault {
			f.Decisions += count
		}
	}
}
