package run_test

import (
	"context"
	"errors"
	"net"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"holobench/clients"
	"holobench/history"
	"holobench/internal/memnet"
	"holobench/run"
	"holobench/scenarios"
)

// tested runs a short plan with a self-test on a network in memory, after change has had its way with the options.
func tested(t *testing.T, change func(*run.Options, *memnet.Network)) (history.Run, []string) {
	t.Helper()
	network := memnet.New(nil)
	var stages []string
	o := run.Options{
		ID: 0xabc, Names: new(history.Names), Record: &memoryRecord{closed: make(chan struct{})},
		SaveRun:   func(history.Run) error { return nil },
		StartNode: startLocal(network.Listen, "target:80"), StartNoisePeer: startNoiseInBubble(network), Dial: network.DialContext,
		Progress: func(p run.Progress) {
			if !slices.Contains(stages, p.Stage) {
				stages = append(stages, p.Stage)
			}
		},
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	start := o.StartNoisePeer
	change(&o, network)
	if o.StartNoisePeer == nil { // stands for: the user interrupts while the peer is at work
		o.StartNoisePeer = func(ctx context.Context) (string, func() error, error) {
			time.AfterFunc(20*time.Millisecond, cancel)
			return start(ctx)
		}
	}
	p := rooms("hologram", 20, 2, 2*time.Second)
	p.Warnings = []string{"one of the plan"}
	result, err := run.Run(ctx, p, o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(p.Warnings, []string{"one of the plan"}) || result.Warnings[0] != p.Warnings[0] {
		t.Errorf("warnings: %q", result.Warnings)
	}
	return result, stages
}

func TestSelfTest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		result, stages := tested(t, func(*run.Options, *memnet.Network) {})
		n := result.Noise
		if n == nil || n.Pairs != run.BriefNoise().Pairs || n.Wrong != 0 || n.Floor != 0 || len(result.Warnings) != 1 {
			t.Errorf("noise %+v, warnings %q", n, result.Warnings)
		}
		if want := []string{"probe", "start", "join", "load", "drain", "end"}; !slices.Equal(stages, want) {
			t.Errorf("stages %q, want %q", stages, want)
		}
		if result.Ending != history.EndingComplete || result.Loads[0].Due != 4 {
			t.Errorf("the run behind it: %+v", result)
		}
	})
}

// A harness that stamps what comes on a stream 300 us too late is told so, and by how much.
func TestSelfTestOfAWrongHarness(t *testing.T) {
	t.Parallel()
	const lag = 300 * time.Microsecond
	synctest.Test(t, func(t *testing.T) {
		result, _ := tested(t, func(o *run.Options, network *memnet.Network) {
			o.Dial = func(ctx context.Context, kind, addr string) (net.Conn, error) {
				conn, err := network.DialContext(ctx, kind, addr)
				if err != nil {
					return nil, err
				}
				return &lateStream{StampedConn: clients.Stamped(conn), lag: lag}, nil
			}
		})
		n := result.Noise
		if n == nil || n.Wrong < n.Pairs/20 || n.WrongByKernel < n.Wrong || n.WrongByUser != 0 || n.Floor > int64(lag) || n.Floor < int64(lag)*9/10 {
			t.Errorf("noise %+v", n)
		}
	})
}

func TestSelfTestJudgesAsTheRunWill(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		result, _ := tested(t, func(o *run.Options, _ *memnet.Network) {
			o.Machine.Stamps, o.TieBelow = "user", 5*time.Millisecond
		})
		if n := result.Noise; n == nil || n.Tied != n.Pairs || n.WrongByKernel != 0 {
			t.Errorf("messages that are at most 2 ms apart with a threshold of 5 ms: %+v", n)
		}
	})
}

func TestSelfTestThatIsInterrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		result, stages := tested(t, func(o *run.Options, _ *memnet.Network) {
			o.StartNoisePeer = nil
			o.StartNode = func(context.Context, run.NodeOptions) (run.Node, error) {
				t.Error("a node was started after the interruption")
				return nil, errors.New("too late")
			}
		})
		if result.Ending != history.EndingInterrupted || !result.Finished || result.Noise != nil || len(result.Warnings) != 1 || !slices.Equal(stages, []string{"probe"}) {
			t.Errorf("stages %q, run %+v", stages, result)
		}
	})
}

func TestSelfTestThatCannotBeMade(t *testing.T) {
	t.Parallel()
	const warning = "the self-test was not carried out, so nobody knows whether this machine turns the order of what arrives: "
	for want, change := range map[string]func(*run.Options, *memnet.Network){
		"start the peer of the noise probe: no such program": func(o *run.Options, _ *memnet.Network) {
			o.StartNoisePeer = func(context.Context) (string, func() error, error) {
				return "", nil, errors.New("no such program")
			}
		},
		"measure the noise: it was not over after 2s": func(o *run.Options, network *memnet.Network) {
			var dials atomic.Int32
			o.Dial = func(ctx context.Context, kind, addr string) (net.Conn, error) {
				if strings.HasPrefix(addr, "peer") && dials.Add(1) == 3 {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return network.DialContext(ctx, kind, addr)
			}
		},
		"measure the noise: when its clients were ready, the 1.2s were over in which it may send": func(o *run.Options, network *memnet.Network) {
			start := startNoiseInBubble(network)
			o.StartNoisePeer = func(ctx context.Context) (string, func() error, error) {
				<-time.After(1500 * time.Millisecond)
				return start(ctx)
			}
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			result, _ := tested(t, change)
			if result.Ending != history.EndingComplete || result.Noise != nil || !slices.Equal(result.Warnings[1:], []string{warning + want}) {
				t.Errorf("ending %q, noise %v, warnings %q; want %s", result.Ending, result.Noise, result.Warnings, want)
			}
			if took := time.Since(began); took > 2*time.Second+2*time.Second+100*time.Millisecond {
				t.Errorf("with a load of 2 s it took %v", took)
			}
		})
	}
}

func TestRunSaysWhatItWasAskedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := rooms("single-channel", 20, 5, 2*time.Second)
		p.Guarantees = []history.Guarantee{{Name: "total", Among: "observers", AtRisk: 7}}
		p.PairWindow = 1500 * time.Millisecond
		second := p.Loads[0]
		second.Name, second.Message = "chat", clients.Message{Name: "chat", Text: "hello", Size: 300}
		third := run.Load{Name: "press", Stages: scenarios.Stages{{From: 5, To: 5, For: time.Second}}, Flood: true, Workers: 1, Message: clients.Message{Channel: "press", Name: "news"}}
		p.Loads = append(p.Loads, second, third)
		all, result := inMemory(t.Context(), t, p, asIs)
		if !reflect.DeepEqual(result.Guarantees, p.Guarantees) || result.PairWindow != 1500e6 || len(result.Promises) == 0 {
			t.Errorf("guarantees %v, pair window %d, promises %v", result.Guarantees, result.PairWindow, result.Promises)
		}
		for i, want := range []history.Message{{Name: "message", Size: 200}, {Name: "chat", Text: "hello", Size: 300}, {Name: "news"}} {
			if got := result.Loads[i].Message; got != want {
				t.Errorf("load %d says %+v, want %+v", i+1, got, want)
			}
		}
		rows := make(map[history.Kind]map[uint16]int)
		for _, o := range all {
			if rows[o.Kind] == nil {
				rows[o.Kind] = make(map[uint16]int)
			}
			rows[o.Kind][o.Load]++
		}
		want := map[uint16]int{1: 10, 2: 10, 3: 5}
		if !reflect.DeepEqual(rows[history.Sent], want) || !reflect.DeepEqual(rows[history.Replied], want) {
			t.Errorf("commands by load: %v sent, %v replied, want %v", rows[history.Sent], rows[history.Replied], want)
		}
	})
}
