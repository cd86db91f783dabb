package report

import (
	"holobench/history"
	"holobench/wire"
)

// interruptedText is the error text of commands that were not sent because the run was told to stop: they speak of the
// user's patience, not of a generator that could not keep up.
const interruptedText = "interrupted"

// Figures accumulates what the Observations of a run say, in memory that does not grow with the deliveries: about 260 KB
// for each figure and window, 150 bytes an event, and some 30 bytes a client. Both the progress of a run and its report are
// computed by it. Not safe for concurrent use.
type Figures struct {
	windows windows
	names   *history.Names
	floods  map[uint32]string
	live    bool // progress only: nothing is kept by event

	tallies  []tally // by window, whole first
	late     lateness
	timeline timeline
	trouble  map[trouble]int64
	open     unanswered
	recovery recovery
	cures    *cures  // nil = they are not worked out
	steps    []int64 // REALTIME jumped at these times

	rows       int64
	deliveries int64
	foreign    int64 // deliveries of events that no command is known to have caused
	last       int64 // of all times

	foreignEvents int64 // known when the membership is closed

	pending map[wire.EventID]int64 // when the commands without an outcome were sent
	dialled map[stream]int64       // when the dial of the connections began that carry no stream yet
	streams map[uint32]uint32      // the newest connection by which a client was subscribed
	end     int64                  // of the drain; 0 = not known
	left    int64                  // streams that their clients gave up before that, and channels of them
}

type stream struct{ client, conn uint32 }

// trouble is one way in which something went wrong.
type trouble struct {
	kind history.Kind
	err  uint16
}

// NewFigures returns the accumulator for a run, of which Barrier, LoadEnd, Windows, Groups and Loads matter. Names resolves
// the error texts; it may grow while batches are added.
func NewFigures(run *history.Run, names *history.Names) *Figures {
	w := windowsOf(run)
	return &Figures{
		windows: w, names: names, floods: floodClients(run), open: newUnanswered(run), tallies: make([]tally, w.count()), trouble: make(map[trouble]int64),
		pending: make(map[wire.EventID]int64), dialled: make(map[stream]int64), streams: make(map[uint32]uint32),
		end: run.End, recovery: newRecovery(run),
	}
}

// Add takes Observations, of which it keeps nothing. Those of one connection must come in their order.
func (f *Figures) Add(batch []history.Observation) {
	f.rows += int64(len(batch))
	for i := range batch {
		o := &batch[i]
		f.last = max(f.last, o.At, o.Handled)
		switch o.Kind {
		case history.Delivered:
			f.delivered(o)
		case history.Sent:
			f.sent(o)
		case history.Replied, history.Unknown, history.Refused, history.Dropped:
			f.settled(o)
		case history.Opened, history.Subscribed, history.Ended, history.Closed:
			f.stream(o)
		case history.Unsubscribed:
			f.left++
		case history.Expectation:
			f.waited(o)
		case history.Foreign: // it was never due, so that it has no latency
			f.foreign++
			f.streamed(o)
		case history.Heartbeat: // most say nothing; some, that the stream is not what it should be
			if o.Err != history.NoErr {
				f.trouble[trouble{o.Kind, o.Err}]++
			}
		case history.Alien:
			f.trouble[trouble{o.Kind, o.Err}]++
		case history.ClockStep:
			f.steps = append(f.steps, o.At)
		default: // says nothing that is counted here
		}
	}
}

// Close ends the accumulation: from now on the figures know how many events stand behind them.
func (f *Figures) Close() {
	f.late.distribute(&f.windows, f.tallies)
	f.open.abandoned(func(o *history.Observation) {
		f.commands(o, func(_ *tally, c *commands) { c.abandoned++ })
	})
	f.late = lateness{}
}

func (f *Figures) delivered(o *history.Observation) {
	role := other
	if o.Client == o.Event.Publisher {
		role = own
	}
	path := o.Path
	if int(path) >= paths {
		path = history.NoPath
	}
	latency := o.At - o.Due
	for i := range f.tallies {
		if !f.windows.has(i, o.Due) {
			continue
		}
		t := &f.tallies[i]
		t.latency[role][path].Record(latency)
		t.lag.Record(o.Handled - o.At)
		if path == history.SSE {
			t.streamed++
		}
	}
	f.deliveries++
	if !f.live {
		f.late.add(o.Event, o.Due, role, path, latency)
		f.recovery.delivered(o.Due, role, latency)
		f.timeline.add(o.At-f.windows.barrier, latency)
	}
}

// streamed counts an event of nobody in the run, which belongs to the window in which it came.
func (f *Figures) streamed(o *history.Observation) {
	for i := range f.tallies {
		if o.Path == history.SSE && f.windows.has(i, o.At) {
			f.tallies[i].streamed++
		}
	}
}

// commands calls visit with the counts that a command belongs to.
func (f *Figures) commands(o *history.Observation, visit func(t *tally, c *commands)) {
	_, flood := f.floods[o.Client]
	for i := range f.tallies {
		if !f.windows.has(i, o.Due) {
			continue
		}
		c := &f.tallies[i].clients
		if flood {
			c = f.tallies[i].flood(o.Client)
		}
		visit(&f.tallies[i], c)
	}
}

func (f *Figures) sent(o *history.Observation) {
	_, flood := f.floods[o.Client]
	f.commands(o, func(t *tally, c *commands) {
		c.sent++
		if !flood { // a flood has no schedule of its own: its due is its send
			t.publish.Record(o.At - o.NotBefore)
			waited := int64(o.Sequence) //nolint:gosec // clients write no more than they waited
			t.queue.Record(o.NotBefore - waited - o.Due)
			t.wait.Record(waited)
		}
	})
	f.pending[o.Event] = o.At
}

func (f *Figures) settled(o *history.Observation) {
	f.open.add(o)
	sent, known := f.pending[o.Event]
	delete(f.pending, o.Event)
	_, flood := f.floods[o.Client]
	interrupted := o.Kind == history.Dropped && f.names.Name(uint32(o.Err)) == interruptedText
	if !flood && !f.live {
		f.recovery.settled(o, o.At-sent, known)
	}
	f.commands(o, func(t *tally, c *commands) {
		switch {
		case o.Kind == history.Unknown:
			c.unknown++
		case o.Kind == history.Refused:
			c.refused++
		case interrupted:
			c.interrupted++
		case o.Kind == history.Dropped:
			c.dropped++
		default:
			c.answered++
			if o.Err != history.NoErr {
				c.rejected++
			}
			if known {
				c.duration.Record(o.At - sent)
			}
			if !flood {
				t.lag.Record(o.Handled - o.At)
			}
		}
	})
	if o.Err != history.NoErr || o.Kind != history.Replied {
		f.trouble[trouble{o.Kind, o.Err}]++
	}
}

func (f *Figures) stream(o *history.Observation) {
	key := stream{o.Client, o.Conn}
	switch {
	case o.Kind == history.Opened && o.Path == history.NoPath:
		f.dialled[key] = o.NotBefore
	case o.Kind == history.Subscribed:
		f.subscribed(o, key)
	case o.Kind == history.Ended:
		delete(f.dialled, key)
		f.trouble[trouble{o.Kind, o.Err}]++
	case o.Kind == history.Closed:
		delete(f.dialled, key)
		if conn, subscribed := f.streams[o.Client]; subscribed && conn == o.Conn && o.At < f.end {
			f.left++
		}
	}
}

func (f *Figures) subscribed(o *history.Observation, key stream) {
	conn, before := f.streams[o.Client]
	if before && conn == o.Conn {
		return // a further channel of the same stream
	}
	f.streams[o.Client] = o.Conn
	began, known := f.dialled[key]
	if !known {
		began = o.NotBefore
	}
	delete(f.dialled, key)
	for i := range f.tallies {
		if f.windows.has(i, o.At) {
			f.tallies[i].connecting.Record(o.At - began)
			if before {
				f.tallies[i].reconnects++
			}
		}
	}
}
