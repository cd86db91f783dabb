package clients

import (
	"sync"
	"sync/atomic"

	"holobench/history"
)

// Client is one simulated browser tab. Make it with Crowd.NewClient; then HoldStream and PostCommands are its two halves,
// each a blocking call in a goroutine of its caller's.
type Client struct {
	crowd    *Crowd
	id       uint32
	node     uint16
	http2    bool // see ClientOptions.HTTP
	listens  bool // it has channels from the beginning
	instance string
	protocol protocol
	browser  *browser     // nil = it has nothing to keep between its requests
	listen   func(*Heard) // nil = nobody does
	inFlight int
	readRate int // see ClientOptions

	conns  atomic.Uint32 // sockets made so far: the source of Observation.Conn
	stays  bool          // no loop may hold its stream
	refers bool          // ... because the reference engine does
	nodes  nodesOfConns

	mu       sync.Mutex
	seq      uint32       // commands asked for so far
	queue    chan command // made by the first Post or PostCommands
	replicas map[string]*replica
	hold     hold

	connections int // see ClientOptions
}

// ClientOptions say who a client is.
type ClientOptions struct {
	ID       uint32   // its number in the run, from 0; the publisher of its events
	Instance string   // names its stream to the server, so that a command and a stream belong together
	Channels []string // it is subscribed to; none = it holds no stream
	Node     uint16   // of the target that it talks to, from 1; 0 = not known, or Crowd.Place says it for each connection

	InFlight int    // commands that it may have on the wire at once; 0 = 1
	ReadRate int    // bytes a second that it reads of its stream at most; 0 = as fast as they come; negative = none once it is subscribed
	Engine   Engine // that holds its stream while nothing comes

	// HTTP is which version of it the client speaks: 1, or 2 where the wire is JSON or Hologram; 0 = that of the Crowd.
	HTTP int

	// Connections bound those of HTTP/1.1 that it has at once, one for its stream and the rest for its commands; what it may have in
	// flight beside these waits in the client, which its Sent says. 0 = as many as it needs. A browser has BrowserConnections.
	Connections int

	// Listen is told of each event that the client hears, in the order of each of its connections, before it is in the history. It
	// must not wait: the stream stands still meanwhile. It may be called from the stream and from the commands at once.
	Listen func(*Heard)
}

// NewClient makes a client that does nothing yet.
func (c *Crowd) NewClient(o ClientOptions) *Client {
	c.init()
	client := &Client{crowd: c, id: o.ID, node: o.Node, instance: o.Instance, listen: o.Listen, inFlight: o.InFlight, readRate: o.ReadRate}
	client.hold.channels, client.listens, client.connections = o.Channels, len(o.Channels) > 0, o.Connections
	if c.Own.visits() {
		client.browser = newBrowser(client)
	}
	client.refers = o.Engine == EngineReference
	client.stays = client.refers || o.Engine == EngineGoroutine
	client.http2 = o.HTTP == 2 || o.HTTP == 0 && c.HTTP2
	client.protocol = c.protocol(client)
	return client
}

// ID is the client's number in the run.
func (c *Client) ID() uint32 { return c.id }

// newConn numbers a socket to that node.
func (c *Client) newConn(node uint16) uint32 {
	conn := c.conns.Add(1)
	if c.crowd.Place != nil {
		c.nodes.put(conn, node)
	}
	return conn
}

// note starts an Observation of this client.
func (c *Client) note(kind history.Kind, conn uint32, at int64) history.Observation {
	return history.Observation{Kind: kind, Client: c.id, Node: c.nodeOf(conn), Conn: conn, At: at, NotBefore: at, Handled: at}
}

// unsubscribed notes that the client is about to leave a channel, or to read nothing of it any more.
func (c *Client) unsubscribed(conn uint32, channel string) {
	o := c.note(history.Unsubscribed, conn, c.crowd.now())
	o.Channel = c.crowd.channel(channel)
	c.observe(o)
}

// observe hands over a single Observation.
func (c *Client) observe(o history.Observation) {
	c.crowd.Observe([]history.Observation{o})
}
