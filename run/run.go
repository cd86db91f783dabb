package run

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"holobench/chaos"
	"holobench/clients"
	"holobench/history"
	"holobench/target"
	"holobench/wire"
)

// Recorder takes the Observations of a run, as history.Writer does: Run writes until Close, and what was observed before
// Close is complete when it returns.
type Recorder interface {
	Observe(batch []history.Observation)
	Run(ctx context.Context) error
	Close()
}

// Options are what a run needs of the world.
type Options struct {
	ID          wire.RunID
	Software    history.Software
	Machine     history.Machine
	Names       *history.Names
	Record      Recorder
	SaveRun     func(history.Run) error      // writes run.json; called again whenever it changed
	SaveSamples func([]history.Sample) error // nil = health is not sampled
	StartNode   StartNode
	StartBus    StartBus // for plans of several nodes that name no bus of their own

	StartNoisePeer StartNoisePeer // of the self-test before the load; nil = none is made
	TieBelow       time.Duration  // of the self-test: what the analysis of this run will have, see NoiseOptions

	Judge Judge // of budgets, while the run goes on; nil = none ends it early, and nothing can search for the capacity

	Dial      clients.DialFunc
	Loops     int                  // that hold streams without a goroutine each, where a connection of Dial lets them; 0 = none, as in tests in a bubble
	Nanosleep func(time.Duration)  // blocks the thread until a command is due; nil = timers alone, late by up to 1 ms
	Decided   func(chaos.Decision) // is told what the faults of links decide, by many goroutines; nil = nobody is
	Progress  func(Progress)       // nil = silence; called in turn, never at once
	Log       func(line string)    // takes what flows log, several at once; nil = nobody does
}

// Progress says how far a run has come.
type Progress struct {
	Stage      string        // "probe", "start", "join", "load", "drain", "end"
	Elapsed    time.Duration // of the stage; of "load": since the barrier
	Total      time.Duration // of the stage when it is known
	Subscribed int
	Clients    int
	Missing    int64 // deliveries that are still expected
}

// execution is one run at work.
type execution struct {
	plan  Plan
	o     Options
	epoch int64
	tally tally
	guard *guard
	crowd *clients.Crowd

	mu  sync.Mutex // guards run
	run history.Run

	bus       BusProcess // nil = the run started none
	joined    NodeBus    // how each node reaches the others
	nodes     []*nodeSlot
	everybody []*clients.Client // of this share, by their numbers
	streams   []*clients.Client
	joinAfter []time.Duration     // when each of them opens its stream
	senders   [][]*clients.Client // of each load; nil = of another share of the plan
	holding   sync.WaitGroup      // the goroutines of the clients

	due        []atomic.Uint64 // commands that each load asked for
	over       []loadOver      // of each load
	messages   [][]*clients.Message
	performers [][]performer
	reacting   []*reaction // of each load; nil = it does not react
	answers    answers
	listeners  map[uint32][]func(*clients.Heard) // by client
	flow       func(ctx context.Context, a act)  // goes through the flow of a load once; nil = nobody can
	acting     sync.WaitGroup                    // flows at work
	posting    context.Context                   // its end ends them
	judging    sync.Mutex

	links *chaos.Chaos // faults on the way between clients and server; nil = there are none
	began atomic.Int64 // the barrier
	scripts

	onBus     sync.Mutex // guards busFaults; held while nodes are told of one, or started again
	busFaults map[string]target.BusFault

	watching sync.WaitGroup // those that wait for a node to die
	ending   chan struct{}  // closed before the nodes are told to end: that is no death
}

// errNodeDied is the cause that ends a run when its target does.
var errNodeDied = errors.New("the bundled target died")

// Run carries the plan out and returns its description as it stands in run.json. The error says why the run could not be
// carried to its end; the history holds what was seen until then. The end of ctx interrupts the load and is no error: what
// was sent is still drained.
func Run(ctx context.Context, p Plan, o Options) (history.Run, error) {
	if err := p.check(); err != nil {
		return history.Run{}, err
	}
	started := time.Now()
	x := &execution{plan: p, o: o, epoch: started.UnixNano(), ending: make(chan struct{})}
	x.guard = newGuard(&x.plan, o.Record.Observe)
	x.tally.next = x.guard.observe
	x.describe(started)
	if err := x.takeDigest(); err != nil {
		return history.Run{}, err
	}
	x.prepare()
	x.prepareFlows()
	links, err := p.links(x.epoch, o.Decided)
	if err != nil {
		return history.Run{}, err
	}
	x.links, x.run.Faults = links, p.describeFaults()
	x.crowd = &clients.Crowd{
		Header: p.Header, Run: o.ID, Epoch: x.epoch, Names: o.Names, Observe: x.tally.observe, Dial: linkedDial(links, o.Dial),
		TLS: p.clientTLS(),
	}

	work, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	x.guard.end = fail
	recorded := make(chan error, 1)
	go func() {
		err := o.Record.Run(context.WithoutCancel(ctx))
		if err != nil {
			fail(err) // nothing that is measured from here on would be kept
		}
		recorded <- err
	}()
	err = x.carryOut(ctx, work, fail)
	o.Record.Close()
	if failed := <-recorded; !errors.Is(err, failed) { // it may be the very cause of err
		err = errors.Join(err, failed)
	}
	return x.finish(ctx, err)
}

// describe fills run.json as far as it is known before anything ran.
func (x *execution) describe(started time.Time) {
	p := &x.plan
	x.run = history.Run{
		Version: history.RunVersion, Name: p.Name, ID: x.o.ID, Seed: p.Seed, Started: started.UTC(), Epoch: x.epoch, Drain: int64(p.Drain),
		Software: x.o.Software, Machine: x.o.Machine, Scenario: p.Scenario, Design: p.Design, Promises: p.Promises(),
		Windows: p.Windows, Budgets: p.Budgets, PairWindow: int64(p.PairWindow), Guarantees: p.Guarantees,
		Warnings: slices.Clone(p.Warnings),
	}
	first := uint32(0)
	for i, g := range p.Groups {
		x.run.Groups = append(x.run.Groups, history.Group{
			Name: g.Name, First: first, Count: uint32(g.Count), SlowReader: g.ReadRate != 0, MaxHold: int64(g.MaxHold), Optimistic: g.Optimistic,
		})
		x.describeEngine(i, &x.run.Groups[i])
		first += uint32(g.Count)
	}
	for i := range p.Loads {
		l := &p.Loads[i]
		x.run.Loads = append(x.run.Loads, p.describeLoad(l))
		if l.Flood {
			x.run.Groups = append(x.run.Groups, history.Group{Name: l.Name, First: first, Count: 1})
			first++
		}
	}
}

// carryOut goes through the phases. It returns why it could not reach the end. However far it comes, it ends the nodes.
func (x *execution) carryOut(ctx, work context.Context, fail context.CancelCauseFunc) error {
	if err := x.save(nil); err != nil {
		return err
	}
	err := x.selfTest(work)
	if err == nil && work.Err() == nil {
		x.progress(Progress{Stage: "start"})
		err = x.startNodes(work, fail)
	}
	err = x.whyStopped(work, err)
	if err == nil && work.Err() == nil {
		stopHealth := x.sampleHealth(fail)
		err = x.measure(ctx, work, fail)
		stopHealth()
	}
	return errors.Join(err, x.endNodes(), x.endBus())
}

// measure is the part of a run in which there are nodes and clients.
func (x *execution) measure(ctx, work context.Context, fail context.CancelCauseFunc) error {
	debug.FreeOSMemory() // the garbage of the self-test is no part of what the clients cost
	before := resident()
	stopLoops, err := x.startLoops()
	if err != nil {
		return err
	}
	defer stopLoops()
	holding, letGo := context.WithCancelCause(context.WithoutCancel(ctx))
	defer x.leave()
	defer x.holding.Wait()
	defer letGo(nil)
	posting, hang := context.WithCancelCause(context.WithoutCancel(ctx))
	defer hang(nil)
	x.posting = posting
	closeData, err := x.openData()
	if err != nil {
		return err
	}
	defer closeData()
	defer x.guard.watch(work)()
	if err := x.join(work, holding, posting); err != nil {
		return x.whyStopped(work, err)
	}
	debug.FreeOSMemory() // what thousands of dials left behind is collected now, not in the middle of the measurement:
	debug.FreeOSMemory() // a sync.Pool lets go of what is in it at the second time only
	held := resident()
	barrier := time.Now()
	x.began.Store(barrier.UnixNano() - x.epoch)
	if err := x.save(func(r *history.Run) {
		r.Barrier = barrier.UnixNano() - x.epoch
		r.Resident = history.Resident{Before: before, Barrier: held, Streams: len(x.streams)}
	}); err != nil {
		return err
	}
	stopWatching := x.watchBudgets(work, barrier, fail)
	stopNodeFaults := x.faultNodes(work, barrier, fail)
	defer stopNodeFaults()
	stopFaults, stopLinks := x.faultClients(work, barrier), x.faultLinks(work, barrier, fail)
	defer stopFaults()
	defer stopLinks()
	err = x.loads(work, barrier)
	stopWatching()
	if err == nil {
		err = x.save(func(r *history.Run) { r.LoadEnd = x.now() })
	}
	if work.Err() != nil {
		hang(nil) // what is queued is not sent any more
	}
	if !errors.Is(context.Cause(work), errNodeDied) && !errors.Is(context.Cause(work), errBusDied) {
		x.drain()
	}
	if work.Err() == nil {
		err = errors.Join(err, x.atEnd(work))
	}
	hang(clients.ErrOverdue)
	x.acting.Wait()
	end := x.now()
	letGo(nil)
	x.progress(Progress{Stage: "end"})
	return errors.Join(x.whyStopped(work, err), x.save(func(r *history.Run) { r.End = end }))
}

// whyStopped puts the cause of a stop in the place of the error that the stop made; an interruption is no error.
func (x *execution) whyStopped(work context.Context, err error) error {
	if work.Err() == nil {
		return err
	}
	if cause := context.Cause(work); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// finish completes run.json.
func (x *execution) finish(ctx context.Context, err error) (history.Run, error) {
	saveErr := x.save(func(r *history.Run) {
		r.Finished, r.Ending = true, history.EndingComplete
		r.Faults = x.completeFaults(r.Faults)
		r.Met = x.crowd.NodeNames()
		switch {
		case ctx.Err() != nil:
			r.Ending = history.EndingInterrupted // also when something failed behind it: the user's word comes first
		case errors.As(err, new(*abortedError)):
			r.Ending = history.EndingAborted
		case err != nil:
			r.Ending = history.EndingFailed
		}
		if err != nil {
			r.Failure = err.Error()
		}
	})
	return x.run, errors.Join(err, saveErr)
}

// save changes run.json and writes it. It is written at every turn of the run, so that a reader of a killed one knows
// where its barrier was and which processes it had.
func (x *execution) save(change func(*history.Run)) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if change != nil {
		change(&x.run)
	}
	return x.o.SaveRun(x.run)
}

// now is the time of the run.
func (x *execution) now() int64 { return time.Now().UnixNano() - x.epoch }

func (x *execution) progress(p Progress) {
	if x.o.Progress != nil {
		p.Clients = x.plan.Clients()
		p.Subscribed = int(x.tally.subscribed.Load())
		p.Missing = x.tally.missing()
		x.o.Progress(p)
	}
}

// every reports at once and then each second, until the function that it returns is called.
func (x *execution) every(stage string, total time.Duration) (stop func()) {
	if x.o.Progress == nil {
		return func() {}
	}
	began := time.Now()
	report := func() (more bool) {
		x.progress(Progress{Stage: stage, Elapsed: time.Since(began), Total: total})
		return true
	}
	report()
	return eachSecond(nil, report)
}

// eachSecond calls look once a second as long as that wants more, until over is closed (nil = it never is) or the function that it returns is
// called, which waits for a call that is under way.
func eachSecond(over <-chan struct{}, look func() (more bool)) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-quit:
				return
			case <-over:
				return
			}
			if !look() {
				return
			}
		}
	}()
	return func() {
		close(quit)
		<-done
	}
}
