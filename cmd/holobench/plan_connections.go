package main

import (
	"fmt"

	"holobench/clients"
	"holobench/run"
	"holobench/target"
)

// connectionsOf says which HTTP clients speak and over how many connections, where that is not what one would think: HTTP/1.1 as browsers
// do, or HTTP/2 where the transport is that.
func connectionsOf(p *run.Plan, g run.Group) string {
	two := p.Server == nil && (p.Transport == target.H2C || p.Transport == target.TLSH2)
	switch {
	case g.HTTP == 2 && !two:
		return ", over HTTP/2"
	case g.HTTP != 1 || !two && g.Connections == clients.BrowserConnections:
		return ""
	case g.Connections == 0:
		return ", over as many connections of HTTP/1.1 as they need"
	}
	return fmt.Sprintf(", over at most %d connections of HTTP/1.1 each", g.Connections)
}
