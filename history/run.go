package history

import (
	"strings"
	"time"

	"holobench/wire"
)

// Run is run.json: all that a reader of the Observations must know about the run they come from.
type Run struct {
	Version  int        `json:"version"` // of this layout; 1
	Name     string     `json:"name"`
	ID       wire.RunID `json:"id"`
	Seed     uint64     `json:"seed"`
	Started  time.Time  `json:"started"`
	Epoch    int64      `json:"epoch_ns"`           // CLOCK_REALTIME of time 0 of every Observation, in ns since 1970
	Barrier  int64      `json:"barrier_ns"`         // when all clients were subscribed: the 0s of windows; 0 = never reached
	LoadEnd  int64      `json:"load_end_ns"`        // when the last load ended; 0 = it did not
	End      int64      `json:"end_ns"`             // when the drain was over; 0 = never reached
	Resident Resident   `json:"resident"`           // memory of the generator
	Drain    int64      `json:"drain_limit_ns"`     // how long the run waits at most for deliveries after the load
	Finished bool       `json:"finished"`           // false: the generator died before it could say how it ended
	Ending   string     `json:"ending,omitempty"`   // one of the Ending constants
	Failure  string     `json:"failure,omitempty"`  // for EndingFailed: what happened, in one sentence
	Warnings []string   `json:"warnings,omitempty"` // what the run wants its reader to know, such as short descriptors

	Software Software          `json:"software"`
	Machine  Machine           `json:"machine"`
	Scenario Scenario          `json:"scenario"`
	Digest   string            `json:"plan_digest,omitempty"`   // of all that the plan asks for: the same for the same file and seed
	Planned  uint64            `json:"plan_commands,omitempty"` // that are in it
	Design   string            `json:"design,omitempty"`        // of the bundled target; "" = a server of the user's own
	Promises map[string]string `json:"promises,omitempty"`
	Bus      *Bus              `json:"bus,omitempty"` // nil = there is one node
	Nodes    []Node            `json:"nodes"`
	Met      []string          `json:"nodes_met,omitempty"` // the names of the nodes of a server of the user's own, by their number from 1
	Groups   []Group           `json:"clients"`
	Loads    []Load            `json:"load"`
	Windows  []Window          `json:"windows"`
	Budgets  []Budget          `json:"budgets"`

	PairWindow int64       `json:"pair_window_ns"` // how far apart two events may be due and still be compared; 0 = the analysis's own default
	Guarantees []Guarantee `json:"guarantees,omitempty"`
	Faults     []Fault     `json:"faults,omitempty"` // on the timeline of the run, in the order of the scenario
	Noise      *Noise      `json:"noise,omitempty"`  // nil = the self-test was not made

	Convergence *Convergence `json:"convergence,omitempty"` // nil = nothing was to be compared
	Documents   []Document   `json:"documents,omitempty"`   // none = clients keep no replicas
}

// NodeCount is how many nodes the run had, as far as anybody knows; 0 = nobody does.
func (r *Run) NodeCount() int { return max(len(r.Nodes), len(r.Met)) }

// How a run ended.
const (
	EndingComplete    = "complete"    // the load was sent and drained
	EndingInterrupted = "interrupted" // by Ctrl-C or SIGTERM; what ran was drained
	EndingFailed      = "failed"      // it could not go on: Failure says why
	EndingAborted     = "aborted"     // a budget failed that ends the run: Failure names it; what was sent was drained
)

// Software names the versions that made a run.
type Software struct {
	Holobench string `json:"holobench"`
	Go        string `json:"go"`
}

// Machine is where the generator ran.
type Machine struct {
	Hostname string `json:"hostname"`
	OS       string `json:"os"`
	Kernel   string `json:"kernel"`
	CPU      string `json:"cpu"`
	CPUs     int    `json:"cpus"`
	MemoryMB int    `json:"memory_mb"`
	MaxFiles int    `json:"max_files"`             // soft limit of open descriptors of the generator
	Ports    int    `json:"local_ports,omitempty"` // for connections that it makes; 0 = not known
	Stamps   string `json:"stamps"`                // "kernel" or "user": who took the receive stamps
}

// Scenario is the file that the run carried out, as it was read: "${env.X}" stands as written, never its value.
type Scenario struct {
	File string `json:"file"`
	Text string `json:"text"`

	Resized []string `json:"resized,omitempty"` // the flags that made it another size, without what may be secret

	Protocol *Protocol `json:"protocol,omitempty"` // nil = no file of its own said how the server is spoken to
}

// Protocol is the protocol file of a run, without what may be secret in it.
type Protocol struct {
	File string `json:"file"`
	Text string `json:"text"`
}

// Node is one process of the bundled target. Counters are those of its counters file: a nil map means that nobody could
// read them.
type Node struct {
	Node     int               `json:"node"` // from 1
	PID      int               `json:"pid"`
	Addr     string            `json:"addr"`
	Exit     string            `json:"exit,omitempty"`     // how it ended, when it ended by itself
	EndedBy  string            `json:"ended_by,omitempty"` // the fault that killed it, when it was not started again
	Counters map[string]uint64 `json:"counters,omitempty"`

	PIDsBefore []int `json:"pids_before,omitempty"` // of the processes that faults killed and that were started again
}

// Bus is what joined the nodes of the bundled target, and how the clients were spread over them. Its URL is left out, which may
// hold a password.
type Bus struct {
	Kind   string `json:"kind"`
	PID    int    `json:"pid,omitempty"` // 0 = it was the user's own
	Delay  int64  `json:"delay_ns"`      // that each message took longer from one node to another
	Spread string `json:"spread"`
}

// Group is one entry of "clients": Count clients numbered from First.
type Group struct {
	Name  string `json:"name"`
	First uint32 `json:"first"`
	Count uint32 `json:"count"`

	SlowReader bool `json:"slow_reader,omitempty"` // they read slowly on purpose, or not at all

	Engine    string `json:"engine,omitempty"`     // what held their streams while nothing came; "" = they have none
	EngineWhy string `json:"engine_why,omitempty"` // why it is not the one that was asked for, or not that of all of them

	MaxHold    int64 `json:"resequence_ns,omitempty"` // for which their resequencer holds an event back at most; 0 = they have none
	Optimistic bool  `json:"optimistic,omitempty"`    // they show their own changes before the server has taken them
}

// Load is one entry of "load" with what its schedule asked for.
type Load struct {
	Name     string  `json:"name"`
	From     int64   `json:"from_ns"` // relative to the barrier
	To       int64   `json:"to_ns"`
	Expected uint64  `json:"expected_commands"` // by the plan: rate x time
	Due      uint64  `json:"due_commands"`      // how many the schedule asked for
	Flood    bool    `json:"flood,omitempty"`   // plain POSTs: no streams, no order, latency from the actual send
	Message  Message `json:"message"`           // what each of its commands says

	Capacity *Capacity `json:"capacity,omitempty"` // of a load that searched for it: what it found
}

// Capacity is what a search found: the highest rate at which all budgets of the run hold.
type Capacity struct {
	Rate      float64 `json:"rate"`                // commands a second of the last good step; 0 = not even the first was good
	Failed    float64 `json:"failed,omitempty"`    // of the lowest bad step; 0 = none was bad: the capacity is this or more
	Saturated bool    `json:"saturated,omitempty"` // the search ended because the generator was too slow for more
	Held      string  `json:"held,omitempty"`      // the window in which that rate was held in the end; budgets of the whole run are judged there
	Steps     []Step  `json:"steps"`               // in the order in which they were tried
}

// Step is one rate that a search tried, in a window of its own.
type Step struct {
	Window string  `json:"window"`
	Rate   float64 `json:"rate"` // commands a second
	Good   bool    `json:"good"`
	Reason string  `json:"reason,omitempty"` // why it is not

	Saturated bool `json:"saturated,omitempty"` // that is because the generator was too slow: nothing is known of the server
}

// Message is what the commands of a load say, apart from the marker that stands before Text: with it the payload of every
// event can be told from its name and its due time alone.
type Message struct {
	Name string `json:"name"`
	Text string `json:"text,omitempty"`
	Size int    `json:"size"` // bytes of the payload, filled up with "x"; a marker and a text that are longer are not cut
}

// Window is a named interval of the run, relative to the barrier. An event belongs to it when it was due in [From, To).
type Window struct {
	Name string `json:"name"`
	From int64  `json:"from_ns"`
	To   int64  `json:"to_ns"`
}

// Budget is one bound that the run is judged by, as it stands in the scenario: Metric with its tags, for example
// "fanout_latency{window:steady}", and a k6 threshold expression, for example "p(99)<250ms".
type Budget struct {
	Metric    string `json:"metric"`
	Threshold string `json:"threshold"`

	AbortOnFail bool  `json:"abort_on_fail,omitempty"`  // the run ends as soon as it does not hold
	AbortDelay  int64 `json:"abort_delay_ns,omitempty"` // but not before that time after the barrier
}

// Whole says whether the budget speaks of no window.
func (b Budget) Whole() bool { return !strings.Contains(b.Metric, "{window:") }

// In is the budget for one window, in place of the whole run.
func (b Budget) In(window string) Budget {
	name, tags, tagged := strings.Cut(b.Metric, "{")
	if !tagged {
		tags = "}"
	} else {
		tags = "," + tags
	}
	b.Metric = name + "{window:" + window + tags
	return b
}

// Guarantee is an order that the scenario demands of the run.
type Guarantee struct {
	Name   string `json:"name"`             // "fifo" or "total"
	Among  string `json:"among,omitempty"`  // of "total": "everyone", or "observers" = without the publishers of the two events
	AtRisk int    `json:"at_risk_at_least"` // pairs that could have broken it; with fewer it is unknown, never held
}

// Fault is one fault of the run, and what it did. The digest is of its decisions, in whatever order they were made: two runs in which
// the same events met it have the same.
type Fault struct {
	Name      string `json:"name"`
	Kind      string `json:"kind"`
	Backend   string `json:"backend"`   // what carried it out
	Whom      string `json:"whom"`      // in words
	Turns     []Turn `json:"turns"`     // as the plan has them
	Clients   int    `json:"clients"`   // how many it hit; of one that hits nodes 0
	Decisions uint64 `json:"decisions"` // of one of the bus: messages that it touched
	Digest    string `json:"digest"`    // "" = its decisions are not on record
}

// Turn is one time at which a fault was at work, in ns after the barrier.
type Turn struct {
	From int64 `json:"from_ns"`
	To   int64 `json:"to_ns"`
}

// Noise is what the self-test before the load found: a peer wrote pairs of messages to the two sockets of a client, each
// pair in an order that it knew, and the receive path of the run said in which order they came.
type Noise struct {
	Pairs int   `json:"pairs"`    // that were judged
	Wrong int   `json:"wrong"`    // came out in the other order, as this run tells order
	Tied  int   `json:"tied"`     // came out without an order
	Floor int64 `json:"floor_ns"` // the largest margin by which a pair came out wrong: what is closer has no order; 0 = none was wrong

	WrongByKernel int `json:"wrong_by_kernel_stamp"` // would have come out wrong by the lone kernel stamp
	WrongByUser   int `json:"wrong_by_user_stamp"`   // by the moment at which the client's code ran
}

// Sample is one figure of the generator's or the target's health at one time, apart from the Observations.
type Sample struct {
	At     int64  // ns since the epoch of the run
	Source string // "generator", "node-1", ...
	Name   string // snake_case with its unit last, e.g. "cpu_share", "sched_lag_p99_ms"
	Value  float64
}
