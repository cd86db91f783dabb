package run

import (
	"context"
	"io"
	"time"

	"holobench/target"
)

// Node is one running process of the bundled target, or in a test its likeness inside this process.
type Node interface {
	Addr() string          // host:port that it listens on
	PID() int              // of its process
	Done() <-chan struct{} // closed when it has ended
	Exit() string          // how it ended, in words; of meaning after Done
	Counters() (map[string]uint64, error)
	Journal() (io.ReadCloser, error) // wire.Dispatch records; to be read after Done
	Stop(ctx context.Context) error  // ends it gracefully and waits; when ctx ends first, not gracefully
}

// NodeOptions say which node to start.
type NodeOptions struct {
	Number    int // from 1
	Nodes     int // how many the target has
	Bus       NodeBus
	Design    string
	Wire      string           // "" = the design's own
	Transport target.Transport // "" = HTTP/1.1
	Knobs     target.Knobs
	Outbox    int           // events that may wait for one subscriber; 0 = the target's default
	Heartbeat time.Duration // 0 = the target's default
	Seed      uint64        // of what the node draws at random

	Addr      string // host:port to listen on; "" = any
	Start     int    // which process of that node it is, from 1; one that is started again counts on where the one before it ended. 0 = 1
	BusFaults bool   // faults will be put on its bus
}

// StartNode starts a node and returns when it answers.
type StartNode func(ctx context.Context, o NodeOptions) (Node, error)
