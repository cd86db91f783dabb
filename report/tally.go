package report

import "holobench/history"

// Of whom a delivery is, seen from the client that got it.
const (
	own   = iota // the client published the event itself
	other        // somebody else did
	roles
	everyone = roles // both
)

// paths is the number of history.Path constants; history.NoPath stands for all of them where figures are asked for.
const paths = int(history.Browser) + 1

// audience names a set of deliveries: those of one role or everyone, by one path or, with NoPath, by any.
type audience struct {
	role int
	path history.Path
}

// tally is what one window holds. The zero value is empty.
type tally struct {
	latency [roles][paths]Histogram // due -> arrival, of each delivery
	worst   map[audience]*Histogram // due -> the latest arrival among the audience, of each event

	spread     Histogram // first -> last arrival, of each event that reached two clients or more
	connecting Histogram // dial -> head of the stream
	publish    Histogram // the client could send -> write(2): the generator's own lateness
	queue      Histogram // due -> the client was free to send
	wait       Histogram // ... -> and had a connection for it
	lag        Histogram // arrival -> the client's code saw it

	clients commands             // what the clients sent
	floods  map[uint32]*commands // what each flood sent, by its number among the clients

	streamed   int64 // deliveries by SSE
	reconnects int64
	standing   standings
	waits      waits
}

// commands counts what became of the commands that were due in a window.
type commands struct {
	sent        int64
	answered    int64 // a whole reply came, whatever its status
	rejected    int64 // of these: not 2xx
	unknown     int64 // sent, and no whole reply came
	refused     int64 // never sent: no connection could be had
	abandoned   int64 // of the last two: the target died under them
	dropped     int64 // never sent, not counting interrupted
	interrupted int64 // never sent because the run was told to stop
	duration    Histogram
}

// due is how many commands the schedule asked for.
func (c *commands) due() int64 { return c.sent + c.refused + c.dropped + c.interrupted }

// outcomes is how many commands are known to have succeeded or failed.
func (c *commands) outcomes() int64 { return c.answered + c.unknown + c.refused - c.abandoned }

func (c *commands) failed() int64 { return c.rejected + c.unknown + c.refused - c.abandoned }

// standings sums up where the events of a window stand.
type standings struct {
	events        int64 // of commands
	foreign       int64 // of nobody in the run
	owed          int64 // those of the last of which somebody should have received one
	ownLost       int64 // events that their publisher should have heard of and did not
	ownOtherWay   int64 // events of which their publisher heard by another way than is promised, though it was not away
	expected      int64
	reached       int64
	lost          int64
	duplicated    int64
	indeterminate int64
	stray         int64
	missedAway    int64
	caughtUp      int64
}

// counted is how many events stand behind a count of that name: where nobody knows who should have received an event, it says
// nothing about what was lost.
func (s *standings) counted(name string) int64 {
	if name == EventsLost {
		return s.events + s.owed
	}
	return s.events + s.foreign
}

// of returns the latencies of an audience.
func (t *tally) of(a audience) *Histogram {
	sum := new(Histogram)
	for role := range t.latency {
		for path := range t.latency[role] {
			if (a.role == everyone || a.role == role) && (a.path == history.NoPath || int(a.path) == path) {
				sum.Merge(&t.latency[role][path])
			}
		}
	}
	return sum
}

// flood returns the counts of one flood.
func (t *tally) flood(client uint32) *commands {
	if t.floods == nil {
		t.floods = make(map[uint32]*commands)
	}
	c := t.floods[client]
	if c == nil {
		c = new(commands)
		t.floods[client] = c
	}
	return c
}
