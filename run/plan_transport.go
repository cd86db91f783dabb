package run

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"slices"

	"holobench/scenarios"
	"holobench/target"
)

// checkTransport refuses what the simulated clients cannot speak: of the wires only those of HTTP go over HTTP/2, where one
// connection of a client carries all.
func (p *Plan) checkTransport() error {
	for i := range p.Groups {
		if g := &p.Groups[i]; g.HTTP == 2 && !p.clientHTTP2() {
			return fmt.Errorf("check the plan: the clients %q speak HTTP/2, and the bundled target does not over the transport %s: take %s or %s",
				g.Name, cmp.Or(p.Transport, target.HTTP1), target.H2C, target.TLSH2)
		}
	}
	if !slices.ContainsFunc(p.Groups, func(g Group) bool { return p.multiplexes(&g) }) {
		return nil
	}
	switch wire := p.wire(); wire {
	case target.JSON, target.HologramWire:
	default:
		return fmt.Errorf("check the plan: the simulated clients do not speak the wire %s over the transport %s: take %s or %s",
			wire, p.Transport, target.HTTP1, target.TLS)
	}
	if p.Spread == Random {
		return fmt.Errorf("check the plan: the spread %s sends commands elsewhere than the stream, and over the transport %s they share its connection: take %s or %s",
			Random, p.Transport, target.HTTP1, target.TLS)
	}
	return nil
}

// checkPaths refuses faults on connections that the clients which they are about have not.
func (p *Plan) checkPaths() error {
	for i := range p.Faults {
		fault := &p.Faults[i]
		at := slices.IndexFunc(p.Groups, func(g Group) bool { return p.multiplexes(&g) && fault.Where.OnLinksOf(g.Name) })
		if at >= 0 && fault.Where.Path == scenarios.PathCommand {
			return fmt.Errorf("check the plan: the fault %q is about the connections of commands, and the clients %q have one for all, of HTTP/2: leave path: %s out",
				fault.Name, p.Groups[at].Name, scenarios.PathCommand)
		}
	}
	return nil
}

// wire is how the bundled target is spoken to.
func (p *Plan) wire() target.Wire {
	if p.Wire != "" {
		return target.Wire(p.Wire)
	}
	return target.Design(p.Design).Wire()
}

// multiplexes says whether the clients of a group have one connection for all, which is one of HTTP/2.
func (p *Plan) multiplexes(g *Group) bool { return g.HTTP == 2 || g.HTTP == 0 && p.clientHTTP2() }

// clientHTTP2 says whether clients that do not say otherwise speak HTTP/2.
func (p *Plan) clientHTTP2() bool {
	return p.Server == nil && (p.Transport == target.H2C || p.Transport == target.TLSH2)
}

// clientTLS is how the clients of the plan speak TLS; nil = they do not.
func (p *Plan) clientTLS() *tls.Config {
	if p.Server != nil || !p.Transport.Encrypted() { // a server of the user's own says it by its address
		return nil
	}
	return &tls.Config{
		InsecureSkipVerify: true, //nolint:gosec // the run has started these nodes itself: whom it talks to is no question
		MinVersion:         tls.VersionTLS12,
	}
}
