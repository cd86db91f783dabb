package run

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/chaos"
	"holobench/clients"
	"holobench/history"
	"holobench/internal/memnet"
	"holobench/scenarios"
	"holobench/target"
)

// oneWay is what each message takes from the target to its client in these tests.
const oneWay = 10 * time.Millisecond

// rehearsal is a run without its loads: a test plays the executor.
type rehearsal struct {
	*execution

	t      *testing.T
	ctx    context.Context
	memory history.Memory

	mu    sync.Mutex
	lines []string
}

// rehearse lets the clients of a plan subscribe, calls play, and ends all. It has to be in a bubble.
func rehearse(t *testing.T, p Plan, play func(r *rehearsal)) {
	t.Helper()
	network := memnet.New(nil)
	server, err := target.New(target.Options{Design: target.Design(p.Design), Wire: target.Wire(p.Wire), Knobs: p.Knobs})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := network.Listen("target:80")
	if err != nil {
		t.Fatal(err)
	}
	serving, stop := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() {
		defer close(served)
		server.Serve(serving, listener)
	}()
	ctx, interrupt := context.WithCancel(context.Background())
	r := &rehearsal{t: t, ctx: ctx}
	p.Nodes = 1
	x := &execution{plan: p, epoch: time.Now().UnixNano(), ending: make(chan struct{})}
	r.execution = x
	x.o = Options{
		ID: 0xabc, Names: new(history.Names), Record: discard{&r.memory}, Dial: chaos.Late(network.DialContext, oneWay),
		SaveRun: func(history.Run) error { return nil },
		Log: func(line string) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.lines = append(r.lines, line)
		},
	}
	x.tally.next = r.memory.Observe
	x.prepare()
	x.prepareFlows()
	x.crowd = &clients.Crowd{Addr: "target:80", Run: 0xabc, Epoch: x.epoch, Names: x.o.Names, Observe: x.tally.observe, Dial: x.o.Dial}
	holding, letGo := context.WithCancel(context.Background())
	posting, hang := context.WithCancel(context.Background())
	if err := x.join(ctx, holding, posting); err != nil {
		t.Fatal(err)
	}
	x.began.Store(x.now())
	play(r)
	interrupt()
	hang()
	letGo()
	x.holding.Wait()
	stop()
	<-served
}

// discard is a Recorder over a Memory.
type discard struct{ *history.Memory }

func (discard) Run(context.Context) error { return nil }
func (discard) Close()                    {}

// acts lets the senders of a load go through its flow once, all at once, and returns when they are through.
func (r *rehearsal) acts(load int) {
	var all sync.WaitGroup
	for sender := range r.plan.Loads[load].Only {
		all.Go(func() {
			if !r.act(r.ctx, act{load: load, sender: sender, due: r.now()}) {
				r.t.Errorf("the act of sender %d was interrupted", sender)
			}
		})
	}
	all.Wait()
}

// told is what was seen of some kinds, with the times in ms since the barrier, sorted by them.
func (r *rehearsal) told(kinds ...history.Kind) []string {
	type line struct {
		at   int64
		text string
	}
	var lines []line
	if err := r.memory.Scan(func(batch []history.Observation) error {
		for _, o := range batch {
			if !slices.Contains(kinds, o.Kind) || o.At < r.began.Load() {
				continue
			}
			ms := func(t int64) int64 { return (t - r.began.Load()) / 1e6 }
			text := fmt.Sprintf("%d %s c%d", ms(o.At), o.Kind, o.Client)
			if o.Kind == history.Expectation {
				text = fmt.Sprintf("%d-%d c%d", ms(o.Due), ms(o.At), o.Client)
			}
			if o.Event.Seq != 0 {
				text += fmt.Sprintf(" of c%d.%d", o.Event.Publisher, o.Event.Seq)
			}
			if o.Channel != 0 {
				text += " in " + r.o.Names.Name(o.Channel)
			}
			if o.Err != 0 {
				text += ": " + r.o.Names.Name(uint32(o.Err))
			}
			lines = append(lines, line{o.At, text})
		}
		return nil
	}); err != nil {
		r.t.Fatal(err)
	}
	slices.SortFunc(lines, func(a, b line) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.text, b.text)) })
	var told []string
	for _, l := range lines {
		told = append(told, l.text)
	}
	return told
}

func (r *rehearsal) expectTold(want []string, kinds ...history.Kind) {
	r.t.Helper()
	if got := r.told(kinds...); !slices.Equal(got, want) {
		r.t.Errorf("seen:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// stage is a plan of clients in one room, the first of which go through flows, a load each.
func stage(design string, count int, flows ...[]scenarios.Step) Plan {
	p := Plan{
		Name: "stage", Seed: 7, Design: design,
		Groups: []Group{{Name: "members", Count: count, Channel: func(int) string { return "room" }, ChannelNumber: func(int) int { return 1 }}},
	}
	for i, flow := range flows {
		p.Loads = append(p.Loads, Load{Name: fmt.Sprintf("load%d", i), Only: 1, Flow: flow})
	}
	return p
}

// template reads a template that is known to be one.
func template(text string) scenarios.Template {
	t, err := scenarios.ParseTemplate(text)
	if err != nil {
		panic(err)
	}
	return t
}

func at(path string) scenarios.Place { return scenarios.Place{Path: path} }

func say(name, text string) *scenarios.Send {
	return &scenarios.Send{Place: at("send"), Name: name, Payload: scenarios.Payload{Size: scenarios.Exactly(100), Text: template(text)}}
}

func await(event string, within time.Duration) *scenarios.Expect {
	return &scenarios.Expect{Place: at("expect " + event), Event: event, Within: within, Count: 1}
}

func rest(d time.Duration) *scenarios.Think {
	return &scenarios.Think{Place: at("think"), For: scenarios.Exactly(float64(d))}
}

// TestFlowSendsAndExpects holds the times of the two steps that most flows are made of: a send lasts until its reply is there,
// and an expect until the event arrives, or not at all when it has.
func TestFlowSendsAndExpects(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rehearse(t, stage("single-channel", 2, []scenarios.Step{
			rest(5 * time.Millisecond), say("ask", "how are you"), await(scenarios.Own, time.Second),
			await("answer", time.Second), await("ask", 100*time.Millisecond), await(scenarios.Others, time.Second),
		}), func(r *rehearsal) {
			go func() {
				time.Sleep(50 * time.Millisecond)
				r.streams[1].PostThen(r.now(), &clients.Message{Channel: "room", Name: "answer"}, nil)
			}()
			go r.streams[1].PostCommands(r.ctx, context.Background(), nil)
			r.acts(0)
			r.expectTold([]string{
				"5 sent c0 of c0.1 in room",
				"15 replied c0 of c0.1 in room",
				"15-15 c0 of c0.1", // it came with the reply
				"50 sent c1 of c1.1 in room",
				"15-60 c0 of c1.1",
				"60 replied c1 of c1.1 in room",
				"160-160 c0 of c1.1",                      // it was heard since the latest send
				"60-160 c0: expect ask: not within 100ms", // that is its own, and an own event is nobody else's
			}, history.Sent, history.Replied, history.Expectation)
			if due := r.dueOf(); !slices.Equal(due, []int64{0}) {
				t.Errorf("the commands of the flow were due at %v ms, want 0: when the act was", due)
			}
		})
	})
}

// dueOf is when the commands of the first client were due, in ms since the barrier.
func (r *rehearsal) dueOf() (due []int64) {
	r.memory.Scan(func(batch []history.Observation) error {
		for _, o := range batch {
			if o.Kind == history.Sent && o.Client == 0 {
				due = append(due, (o.Due-r.began.Load())/1e6)
			}
		}
		return nil
	})
	return due
}

// TestFlowResendsAfterAConflict is the editor that everybody writes: send a change that is based on a version, and when that is
// old take the new one from the refusal and send again.
func TestFlowResendsAfterAConflict(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		edit := say("set", "hello")
		edit.With = []scenarios.Field{{Name: "key", Value: template("title")}, {Name: "base", Value: template("${version|default:0}")}}
		edit.OnReply = []scenarios.OnReply{
			{Status: "409", Flow: []scenarios.Step{
				&scenarios.Capture{Place: at("capture"), Name: "version", From: scenarios.FromReply, By: scenarios.Selector{JSON: "conflict.version"}},
				rest(5 * time.Millisecond),
				&scenarios.Resend{Place: at("resend"), Times: 2},
				&scenarios.Log{Place: at("log"), Text: template("given up at ${version} after ${reply.status}, as ${group} ${client}/${n} in ${channel} of ${run.id}")},
			}},
			{Status: scenarios.OK, Flow: []scenarios.Step{
				&scenarios.Capture{Place: at("ok"), Name: "version", From: scenarios.FromReply, By: scenarios.Selector{JSON: "version"}},
				&scenarios.Log{Place: at("log ok"), Text: template("saved ${version}")},
			}},
		}
		stubborn := *edit // its base is always old
		stubborn.With = []scenarios.Field{{Name: "key", Value: template("title")}, {Name: "base", Value: template("0")}}
		rehearse(t, stage("state-sync", 1, []scenarios.Step{say("set", "first"), edit, edit, &stubborn}), func(r *rehearsal) {
			r.plan.Loads[0].Flow[0].(*scenarios.Send).With = edit.With[:1]
			r.acts(0)
			r.expectTold([]string{
				"10 replied c0 of c0.1 in room",
				"20 replied c0 of c0.2 in room: http 409", // nobody had told it of version 1
				"35 replied c0 of c0.3 in room",
				"45 replied c0 of c0.4 in room", // it has kept the version
				"55 replied c0 of c0.5 in room: http 409",
				"70 replied c0 of c0.6 in room: http 409",
				"85 replied c0 of c0.7 in room: http 409", // and goes on behind the resend
			}, history.Replied, history.Expectation)
			want := []string{
				"35ms c0 log ok saved 2", "45ms c0 log ok saved 3",
				"90ms c0 log given up at 3 after 409, as members 1/1 in room of 00000abc",
			}
			if !slices.Equal(r.lines, want) {
				t.Errorf("logged %q, want %q", r.lines, want)
			}
		})
	})
}

// TestFlowMeetsAtBarriers holds that actors wait for each other, as often as they come, and for nobody for ever.
func TestFlowMeetsAtBarriers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		meet := &scenarios.Barrier{Place: at("meet"), Name: "half", Within: time.Second}
		p := stage("single-channel", 3, []scenarios.Step{
			&scenarios.If{Place: at("if"), Value: template("${client}"), Is: scenarios.IsAbove, Operand: template("1"), Then: []scenarios.Step{rest(300 * time.Millisecond)}},
			meet, meet,
			&scenarios.If{Place: at("if2"), Value: template("${client}"), Is: scenarios.Is, Operand: template("1"), Else: []scenarios.Step{
				&scenarios.Barrier{Place: at("in vain"), Name: "alone", Within: 2 * time.Second},
			}},
		})
		p.Loads[0].Only = 3
		rehearse(t, p, func(r *rehearsal) {
			r.acts(0)
			got := r.told(history.Expectation)
			slices.Sort(got)
			want := []string{
				"0-300 c0", "300-2300 c1: in vain: not within 2s", "300-2300 c2: in vain: not within 2s",
				"300-300 c0", "300-300 c1", "300-300 c1", "300-300 c2", "300-300 c2",
			}
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("seen %q, want %q", got, want)
			}
		})
	})
}

// TestFlowFetches holds that a get waits for its answer, and that captures and conditions see it.
func TestFlowFetches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		missed := &scenarios.Get{Place: at("missed"), Path: template("/nowhere"), OnReply: []scenarios.OnReply{{Status: "4xx", Flow: []scenarios.Step{
			&scenarios.Log{Place: at("log"), Text: template("status ${reply.status} of ${reply.header.Content-Type}")},
		}}}}
		rehearse(t, stage("single-channel", 1, []scenarios.Step{
			&scenarios.Get{Place: at("get"), Path: template("/healthz")},
			&scenarios.Capture{Place: at("status"), Name: "status", From: scenarios.FromReply, By: scenarios.Selector{JSON: "status"}},
			&scenarios.Capture{Place: at("kind"), Name: "kind", From: scenarios.FromReply, By: scenarios.Selector{Header: "content-type", Regex: "/(.*)"}},
			&scenarios.Capture{Place: at("no"), Name: "status", From: scenarios.FromReply, By: scenarios.Selector{JSON: "nothing"}},
			&scenarios.Log{Place: at("log"), Text: template("${status} ${kind}${unheard}")},
			missed, &scenarios.Get{Place: at("unnoticed"), Path: template("/nowhere")},
		}), func(r *rehearsal) {
			r.acts(0)
			want := []string{"10ms c0 log ok json", "20ms c0 log status 404 of text/plain; charset=utf-8"}
			if !slices.Equal(r.lines, want) {
				t.Errorf("logged %q, want %q", r.lines, want)
			}
			r.expectTold([]string{
				"10-10 c0: log: nothing is known yet under the name unheard",
				"10-10 c0: no: there was nothing to capture",
				"30-30 c0: unnoticed: http 404",
			}, history.Expectation)
		})
	})
}

// TestFlowDrawsAsTheSeedSays holds that what a flow draws depends on what it is drawn for, and on nothing else.
func TestFlowDrawsAsTheSeedSays(t *testing.T) {
	t.Parallel()
	draws := func(seed uint64) (lines []string) {
		synctest.Test(t, func(t *testing.T) {
			log := func(text string) []scenarios.Step {
				return []scenarios.Step{&scenarios.Log{Place: at("log"), Text: template(text + " ${v} ${v}")}}
			}
			p := stage("single-channel", 1, []scenarios.Step{&scenarios.Repeat{Place: at("repeat"), Times: scenarios.Exactly(200), Flow: []scenarios.Step{
				&scenarios.Choose{Place: at("choose"), Ways: []scenarios.Way{{Share: 0.25, Flow: log("left")}, {Share: 0.75, Flow: log("right")}}},
			}}})
			p.Seed = seed
			p.Values = []scenarios.Value{{Name: "v", Per: scenarios.PerUse, Kind: scenarios.IntValue, To: 1e6}}
			rehearse(t, p, func(r *rehearsal) {
				r.acts(0)
				lines = r.lines
			})
		})
		return lines
	}
	one, same, other := draws(1), draws(1), draws(2)
	if !slices.Equal(one, same) {
		t.Error("the same seed drew something else")
	}
	if slices.Equal(one, other) {
		t.Error("another seed drew the same")
	}
	left, values := 0, map[string]bool{}
	for _, line := range one {
		if strings.Contains(line, " left ") {
			left++
		}
		for _, value := range strings.Fields(line)[4:] {
			values[value] = true
		}
	}
	if len(one) != 200 || left < 35 || left > 65 || len(values) < 390 {
		t.Errorf("of %d rounds %d went left, with %d values", len(one), left, len(values))
	}
}

// TestFlowEndsWhenItIsTold holds that the end of an act's context ends every wait at once, that it says nothing about the
// server, and that nothing is left behind: a bubble would not end.
func TestFlowEndsWhenItIsTold(t *testing.T) {
	t.Parallel()
	waits := map[string]scenarios.Step{
		"think": rest(time.Hour), "expect": await(scenarios.Others, time.Hour), "expect for ever": await("never", 0),
		"barrier":     &scenarios.Barrier{Place: at("barrier"), Name: "b", Within: time.Hour},
		"reconnect":   &scenarios.Repeat{Place: at("r"), Times: scenarios.Exactly(1), Flow: []scenarios.Step{&scenarios.Disconnect{}, rest(time.Hour)}},
		"send":        say("message", ""),
		"get":         &scenarios.Get{Place: at("get"), Path: template("/healthz")},
		"subscribe":   &scenarios.Subscribe{Place: at("subscribe"), Channel: template("hall")},
		"unsubscribe": &scenarios.Unsubscribe{Place: at("unsubscribe"), Channel: template("room")},
	}
	for name, step := range waits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := stage("single-channel", 2, []scenarios.Step{step, say("late", "")})
				p.Loads[0].Only = 2
				rehearse(t, p, func(r *rehearsal) {
					ctx, cancel := context.WithTimeout(r.ctx, 5*time.Millisecond)
					defer cancel()
					if r.act(ctx, act{due: r.now()}) && name != "unsubscribe" {
						t.Error("it says that it came to its end")
					}
					if at := r.now() - r.began.Load(); at > 5e6 && name != "unsubscribe" {
						t.Errorf("it ended after %v", time.Duration(at))
					}
					time.Sleep(time.Second)
					r.expectTold(nil, history.Expectation)
				})
			})
		})
	}
}

// TestJoinOver holds that the clients of a group open their streams one after the other, as far apart as the plan says.
func TestJoinOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := stage("single-channel", 4)
		p.Groups[0].JoinOver = 2 * time.Minute // longer than a barrier may take where nobody asks for that
		rehearse(t, p, func(r *rehearsal) {
			var opened []time.Duration
			r.memory.Scan(func(batch []history.Observation) error {
				for _, o := range batch {
					if o.Kind == history.Opened {
						opened = append(opened, time.Duration(o.At))
					}
				}
				return nil
			})
			if want := []time.Duration{0, 30 * time.Second, time.Minute, 90 * time.Second}; !slices.Equal(opened, want) {
				t.Errorf("opened at %v, want %v", opened, want)
			}
		})
	})
}
