package run

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"

	"holobench/clients"
)

// The policies by which clients are spread over nodes.
const (
	// RoundRobin gives the clients of each channel to the nodes in turn, so that each channel is heard on every node. A client's
	// stream and its commands go to the same node. It is the default.
	RoundRobin = "round-robin"
	// Sticky gives each channel to one node, in turn: all that hear it and all that post to it as their own are together there,
	// and what the nodes disagree on nobody sees.
	Sticky = "sticky"
	// Random leaves the streams as RoundRobin does and sends each command to a node that is drawn for it, as a balancer does that
	// looks at nothing: the wrong-node case. A command for another node than the last takes a new connection.
	Random = "random"
)

// spread says to which node the next connection of a client goes.
type spread struct {
	nodes  []Node
	homes  []int // by client, from 0
	random bool
	seed   uint64
	asked  []atomic.Uint32 // commands, by client; the last counts for everybody else, which is a flood
}

// newSpread spreads the clients of a plan over its nodes.
func newSpread(p *Plan, nodes []Node) *spread {
	s := &spread{nodes: nodes, random: p.Spread == Random, seed: p.Seed, asked: make([]atomic.Uint32, p.Clients()+1)}
	ordinals, members := make(map[string]int), make(map[string]int)
	for _, g := range p.Groups {
		for i := range g.Count {
			channel := ""
			if g.Channel != nil {
				channel = g.Channel(i)
			}
			ordinal, known := ordinals[channel]
			if !known {
				ordinal = len(ordinals)
				ordinals[channel] = ordinal
			}
			home := ordinal // so that the only members of many small channels are not all on one node
			if p.Spread != Sticky || channel == "" {
				home += members[channel]
			}
			members[channel]++
			s.homes = append(s.homes, home%len(nodes))
		}
	}
	return s
}

// place is a clients.Crowd's Place. When the node that it is to be has died, the next one that lives takes its place.
func (s *spread) place(client uint32, purpose clients.Purpose) clients.Place {
	wanted := 0
	flood := int(client) >= len(s.homes)
	if !flood {
		wanted = s.homes[client]
	}
	if purpose == clients.ForCommand && (s.random || flood) {
		counter := min(int(client), len(s.asked)-1)
		draw := rand.New(rand.NewPCG(s.seed, uint64(client)<<32|uint64(s.asked[counter].Add(1))))
		wanted = draw.IntN(len(s.nodes))
	}
	at := wanted
	for s.dead(at) {
		if at = (at + 1) % len(s.nodes); at == wanted {
			break // all are: the connection will be refused, and the refusal noted
		}
	}
	return clients.Place{Addr: s.nodes[at].Addr(), Node: uint16(at + 1)} //nolint:gosec // check bounds it
}

func (s *spread) dead(at int) bool {
	select {
	case <-s.nodes[at].Done():
		return true
	default:
		return false
	}
}

// checkCluster finds what is wrong with the nodes of a plan, their bus, and the clients' way to them.
func (p *Plan) checkCluster() error {
	if p.Nodes < 1 || p.Nodes > MaxNodes {
		return fmt.Errorf("check the plan: %d nodes are asked for, the bundled target has 1..%d", p.Nodes, MaxNodes)
	}
	switch p.Bus.Kind {
	case "", BusNATS, BusJetStream, BusMemory:
	default:
		return fmt.Errorf("check the plan: there is no bus %q; the buses are %s, %s", p.Bus.Kind, BusNATS, BusJetStream)
	}
	switch p.Spread {
	case "", RoundRobin, Sticky, Random:
	default:
		return fmt.Errorf("check the plan: clients cannot be spread by %q; it is one of %s, %s, %s", p.Spread, RoundRobin, Sticky, Random)
	}
	if p.Bus.Delay < 0 {
		return fmt.Errorf("check the plan: a delay of %v between nodes is negative", p.Bus.Delay)
	}
	return nil
}

// MaxNodes bounds the nodes of one target.
const MaxNodes = 16
