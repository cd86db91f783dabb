package scenarios

import (
	"strconv"
	"strings"
)

// The words of clients.NAME.connections, and what a browser has to one server over HTTP/1.1.
const (
	browserConnections   = "browser"
	unlimitedConnections = "unlimited"

	connectionsOfABrowser = 6
)

// http resolves the version of HTTP that the clients of a group speak to that server; see Clients.HTTP.
func (r *resolver) http(form *text, s *Server) int {
	own, wire := s.URL != nil, s.Bundled.Wire
	if own {
		wire = s.Protocol.Wire
	}
	switch {
	case !form.usable():
		if !own && s.Bundled.multiplexed() {
			return 2 // what is wrong with that is told where the transport is
		}
		return 1
	case form.v == "1.1":
		return 1
	case form.v != "2":
		r.add(form.at, form.path+": "+quote(form.v)+" is no version of HTTP that clients speak", "write 1.1 or 2")
		return 1
	case !own && !s.Bundled.multiplexed():
		instead := map[string]string{HTTP1: H2C, TLS: TLSH2}[s.Bundled.Transport]
		r.add(form.at, form.path+": over the transport "+s.Bundled.Transport+" the bundled target speaks HTTP/1.1 only",
			"write server.bundled.transport: "+instead+", which speaks both")
	case wire == GenericWire:
		if why := overOneConnection(s); why != "" {
			r.add(form.at, form.path+": over HTTP/2 "+why, "leave http out")
		}
	case wire != JSONWire && wire != HologramWire:
		r.add(form.at, form.path+": the simulated clients do not speak the wire "+wire+" over HTTP/2", "leave it out")
	}
	return 2
}

// overOneConnection says what of a protocol file one connection of HTTP/2 cannot carry; "" = nothing.
func overOneConnection(s *Server) string {
	g := s.Protocol.Generic
	switch {
	case g == nil:
		return ""
	case g.Subscribe.Framing == FrameLongPoll:
		return "clients poll no server"
	case g.Publish == nil:
		return ""
	case g.Publish.Request.Elsewhere(s.URL) != nil:
		return "commands go where the stream is"
	case g.Publish.Reply.Framing == FrameSSE:
		return "no answers come in parts"
	case g.Publish.Reply.Stream != nil:
		return "no command is answered on the stream"
	}
	return ""
}

// connections resolves how many connections each client of a group may have; see Clients.Connections.
func (r *resolver) connections(form *text, c *Clients) int {
	switch {
	case !form.usable(), form.v == browserConnections:
		return connectionsOfABrowser
	case form.v == unlimitedConnections:
		return 0
	}
	n, err := strconv.Atoi(form.v)
	switch {
	case err != nil && strings.Trim(form.v, "0123456789") != "":
		r.add(form.at, form.path+": "+quote(form.v)+" is no number of connections"+suggest(form.v, []string{browserConnections, unlimitedConnections}),
			"write "+browserConnections+", "+unlimitedConnections+" or how many")
	case err != nil || n < 1 || n > maxConnections:
		r.add(form.at, form.path+": "+form.v+" is outside of the limits: a client can have from 1 to "+strconv.Itoa(maxConnections)+" connections", "")
	case c.HTTP == 2:
		r.add(form.at, form.path+": over HTTP/2 a client has one connection, whatever stands here", "leave it out")
	case c.Streams && n == 1:
		r.add(form.at, form.path+": the stream of a client takes its only connection, and leaves none for a command", "write 2 or more")
	default:
		return n
	}
	return connectionsOfABrowser
}

// lanes is how many connections for commands one client of the group has that may have so many in flight.
func (c *Clients) lanes(inFlight int) int {
	switch {
	case c.HTTP == 2 && c.Streams: // that of the stream
		return 0
	case c.HTTP == 2:
		return 1
	case c.Connections == 0:
		return inFlight
	case c.Streams:
		return min(inFlight, c.Connections-1)
	}
	return min(inFlight, c.Connections)
}
