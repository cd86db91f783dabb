package run_test

import (
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/chaos"
	"holobench/history"
	"holobench/internal/memnet"
	"holobench/ordering"
	"holobench/run"
	"holobench/scenarios"
	"holobench/wire"
)

// sighting is one event at one client.
type sighting struct {
	event  wire.EventID
	client uint32
}

// faulted carries a plan out in memory with one fault on its links, and returns what the fault decided too.
func faulted(t *testing.T, seed uint64, fault scenarios.LinkFault) (all []history.Observation, result history.Run, decided map[sighting]int) {
	t.Helper()
	p := rooms("single-channel", 20, 20, 5*time.Second)
	p.Seed = seed
	p.Faults = []scenarios.Fault{{
		Name: "worse", At: time.Second, For: 3 * time.Second, Where: scenarios.Where{Share: 1, Path: scenarios.PathStream}, Effect: fault,
	}}
	network := memnet.New(nil)
	record := &memoryRecord{closed: make(chan struct{})}
	var mu sync.Mutex
	decided = make(map[sighting]int)
	result, err := run.Run(t.Context(), p, run.Options{
		ID: 0xabc, Names: new(history.Names), Record: record, StartNode: startLocal(func(string) (net.Listener, error) { return network.Listen("target:80") }, ""),
		Dial: network.DialContext, SaveRun: func(history.Run) error { return nil },
		Decided: func(d chaos.Decision) {
			mu.Lock()
			defer mu.Unlock()
			decided[sighting{d.Event, d.Client}]++
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := record.Scan(func(batch []history.Observation) error {
		all = append(all, batch...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all, result, decided
}

// found is what the analysis says of a history: by event and client how often it came, and the figures.
type found struct {
	copies           map[sighting]int
	lost, duplicated int
	inversions       int
	brute            int // inversions by counting: pairs of one client that came against their due times
	wrong            int // FIFO, divergence at other clients, what is indeterminate: none of it was injected
}

func analysed(all []history.Observation, result history.Run) found {
	f := found{copies: make(map[sighting]int)}
	var members ordering.Membership
	var analysis ordering.Analysis
	members.Add(all)
	analysis.Add(all)
	members.Close(result)
	members.Events(func(s ordering.Standing) {
		f.lost += s.Lost
		f.duplicated += s.Duplicated
		f.wrong += s.Indeterminate + s.Stray
	})
	d := analysis.Close(result)
	f.inversions = d.Overall.Inversions
	order := make(map[uint32][]int64)
	for _, o := range all {
		if o.Kind != history.Delivered {
			continue
		}
		key := sighting{o.Event, o.Client}
		if f.copies[key]++; f.copies[key] == 1 {
			for _, due := range order[o.Client] {
				if due > o.Due {
					f.brute++
				}
			}
			order[o.Client] = append(order[o.Client], o.Due)
		}
	}
	return f
}

// What is injected is found again, whole and alone: the events that are lost, doubled or overtaken are those that the fault
// decided on, at those clients, and nothing else is reported.
func TestTheInjectedIsFound(t *testing.T) {
	t.Parallel()
	for _, kind := range []scenarios.LinkFault{
		{Kind: "drop", Share: 0.05}, {Kind: "duplicate", Share: 0.05}, {Kind: "reorder", Share: 0.03, Distance: 2},
	} {
		t.Run(kind.Kind, func(t *testing.T) {
			t.Parallel()
			total := 0
			for seed := range uint64(20) {
				synctest.Test(t, func(t *testing.T) {
					all, result, decided := faulted(t, seed, kind)
					f := analysed(all, result)
					total += len(decided)
					if got := result.Faults[0]; int(got.Decisions) != len(decided) || got.Kind != kind.Kind || got.Clients != 20 {
						t.Errorf("seed %d: run.json says %+v of %d decisions", seed, got, len(decided))
					}
					want := found{copies: make(map[sighting]int)}
					for key := range decided {
						switch kind.Kind {
						case "drop":
							want.lost++
							if f.copies[key] != 0 {
								t.Errorf("seed %d: %v came %d times though it was dropped", seed, key, f.copies[key])
							}
						case "duplicate":
							want.duplicated++
							if f.copies[key] != 2 {
								t.Errorf("seed %d: %v came %d times though it was doubled", seed, key, f.copies[key])
							}
						}
					}
					if kind.Kind == "reorder" {
						want.inversions = f.brute
						if len(decided) > 0 && f.brute < len(decided) {
							t.Errorf("seed %d: %d events were to be overtaken, and there are %d inversions", seed, len(decided), f.brute)
						}
					}
					if f.lost != want.lost || f.duplicated != want.duplicated || f.inversions != want.inversions || f.wrong != 0 {
						t.Errorf("seed %d: lost %d, duplicated %d, inversions %d, other %d; want %d, %d, %d, 0", seed,
							f.lost, f.duplicated, f.inversions, f.wrong, want.lost, want.duplicated, want.inversions)
					}
				})
			}
			if total < 100 {
				t.Errorf("only %d decisions in 20 runs: the test shows nothing", total)
			}
		})
	}
}

// A fault begins and ends on the timeline of the run, exactly, and the same seed decides alike.
func TestFaultsOfLinksAreMarkedAndReplayed(t *testing.T) {
	t.Parallel()
	var digests []string
	for _, seed := range []uint64{1, 1, 2} {
		synctest.Test(t, func(t *testing.T) {
			all, result, _ := faulted(t, seed, scenarios.LinkFault{Kind: "drop", Share: 0.2})
			var marks []string
			for _, o := range all {
				if o.Kind == history.FaultBegins || o.Kind == history.FaultEnds {
					marks = append(marks, fmt.Sprintf("%v %v", o.Kind, time.Duration(o.At-result.Barrier)))
				}
			}
			if want := []string{"fault-begins 1s", "fault-ends 4s"}; !slices.Equal(marks, want) {
				t.Errorf("marks %q, want %q", marks, want)
			}
			digests = append(digests, result.Faults[0].Digest)
		})
	}
	if digests[0] != digests[1] || digests[0] == digests[2] {
		t.Errorf("digests of seeds 1, 1, 2: %q", digests)
	}
}
