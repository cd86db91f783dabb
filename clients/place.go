package clients

import "sync"

// Purpose is what a connection is for, or a use of one that is there.
type Purpose uint8

// The purposes.
const (
	ForStream  Purpose = iota // a down stream is to be opened
	ForCommand                // a command is to be sent, or the connection for commands to be made before the first
)

// Place is where a connection goes.
type Place struct {
	Addr string // host:port
	Node uint16 // of the target, from 1; 0 = not known
}

// place says where the next connection of c goes.
func (c *Client) place(p Purpose) Place {
	if c.crowd.Place == nil {
		return Place{Addr: c.crowd.Addr, Node: c.node}
	}
	return c.crowd.Place(c.id, p)
}

// nodeOf is the node that a socket of c was made to.
func (c *Client) nodeOf(conn uint32) uint16 {
	if c.crowd.Place == nil {
		return c.node
	}
	return c.nodes.get(conn)
}

// nodesOfConns remembers to which node each socket of a client went: a client that is sent elsewhere after a cut has
// observations of both.
type nodesOfConns struct {
	mu    sync.Mutex
	nodes []uint16 // by the number of the socket, from 1
}

func (n *nodesOfConns) put(conn uint32, node uint16) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for uint32(len(n.nodes)) < conn { //nolint:gosec // as many as there are sockets, which are counted in 32 bits
		n.nodes = append(n.nodes, 0)
	}
	n.nodes[conn-1] = node
}

func (n *nodesOfConns) get(conn uint32) uint16 {
	n.mu.Lock()
	defer n.mu.Unlock()
	if conn == 0 || int(conn) > len(n.nodes) {
		return 0
	}
	return n.nodes[conn-1]
}
