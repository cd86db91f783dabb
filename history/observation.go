// Package history is the record of a run: what each client sent and saw, and when, as a stream that one process writes
// and another reads.
//
// A run is a directory. run.json describes it (written at the start, replaced at the end), segments/*.parquet hold its
// Observations, samples.csv the health of the generator and the counters of the target over time. Everything that a
// report says is computed from these files; nothing else connects the process that measured with the one that judges.
//
// # Time
//
// Every time is CLOCK_REALTIME in nanoseconds since the epoch of the run (Run.Epoch), in kernel and user stamps alike, so
// that all processes of one machine compare. Zero means "not known".
package history

import "holobench/wire"

// Observation is one thing that one client did or saw: plain data, without pointers, at most 96 bytes. Which of the
// fields a Kind fills, and with what, stands beside the Kind.
type Observation struct {
	Due       int64 // when the schedule wanted the command of Event sent
	NotBefore int64 // with At the interval in which it happened; equal to At when it is known exactly
	At        int64 // when it happened, by the best clock there is (for arrivals the kernel's receive stamp)
	Handled   int64 // when the client's own code saw it; Handled - At is the generator's lag

	Sequence uint64 // the server's own number for the event, where it exposes one

	Client  uint32       // who sent or saw it; clients are numbered from 0
	Event   wire.EventID // which event it is about; zero when it is about none
	Part    uint32       // 0 = the whole event; 1.. = parts of one command's stream
	Channel uint32       // index into the channel names of the history (see Names); NoChannel when it is about none
	Conn    uint32       // which socket of this client, from 1; a reconnect makes a new number
	Host    uint16       // whose clock it is, when several machines measured; 0 = the only one
	Node    uint16       // which node of the target, from 1; 0 = not known
	Load    uint16       // which entry of Run.Loads asked for the command, from 1; 0 = none, or not known
	Err     uint16       // index into the error texts of the history (see Names); 0 = none
	Kind    Kind
	Path    Path
}

// NoChannel and NoErr stand for the empty name.
const (
	NoChannel = 0
	NoErr     = 0
)

// Kind says what an Observation is.
type Kind uint8

// The kinds. Those that "due" to "refused" name are the life of a command, in order.
const (
	Invalid      Kind = iota
	DueKind           // reserved: the schedule asked for a command (Sent carries Due, so that none is written today)
	Queued            // reserved: a command waited in its client (see Sent.NotBefore and Sent.Sequence)
	Sent              // a command went out. Due; NotBefore = when its client was free to send it, and had a connection for it; Sequence = how many ns of that it waited for the connection; At = just before write(2) of its last byte; Handled = when that write returned; Load
	Replied           // the last byte of the reply arrived. Due, NotBefore, At, Handled; Err when the status was not 2xx
	Refused           // the command was never sent: no connection could be had. Due, At, Err
	Unknown           // it was sent and no whole reply came back: whether the server took it is not known. Due, At, Err
	Dropped           // it was due and will never be sent: its client's queue was full, or the run ended first. Due, At, Err
	Opened            // a connection was made. Conn, NotBefore = when the dial began, At
	Subscribed        // the stream of Conn is a ready subscription to Channel. NotBefore = when the request was sent, At = arrival of the response head
	Unsubscribed      // the client left Channel on Conn, which may go on, or reads nothing of it any more. At = just before it said so
	Delivered         // an event arrived. Due, NotBefore, At, Handled, Channel, Conn, Path
	Dispatched        // a node began to hand the event out. Node, Sequence, At
	Ended             // the server or the network ended the stream of Conn. At, Err ("end of stream" when it was a clean end)
	Closed            // the client itself closed Conn. At
	Expectation       // a wait of a flow ended. Due = when it began, At = when it was met or given up, Load, Event when it was for one, Err = which step was not met, and why
	FaultBegins       // a fault on clients began. At, Sequence = its turn, from 1, Err = its name
	FaultEnds         // as above
	ClockStep         // REALTIME jumped against MONOTONIC by more than 1 ms; At, Sequence = |step| in ns
	Alien             // an event arrived that bears the marker of another run (or none). At, Channel, Conn, Path, Err
	Heartbeat         // a comment arrived on a stream. At, Conn; of a snapshot Channel and Sequence = its version; of word that a part is missing those, Sequence = the first number that comes, and Err
	Foreign           // an event arrived that no command of this run is known to have caused, named by the server (wire.ForeignEvent). As Delivered, without Due
)

// Path says by which way an event reached a client.
type Path uint8

// The paths.
const (
	NoPath Path = iota
	Reply       // in the body of the reply to the client's own command
	SSE
	Poll
	WebSocket
	Browser
)
