package run_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"holobench/chaos"
	"holobench/clients"
	"holobench/history"
	"holobench/internal/draw"
	"holobench/ordering"
	"holobench/run"
	"holobench/scenarios"
)

// A slow network that the sockets of a client share makes no two clients disagree; what each socket adds of its own does, and as
// often as theory says.
//
// The design hologram, two clients that both send: the author of the first of two events sees its own late when its reply takes
// longer than the gap and the other's way by stream; the author of the second sees the other's late by the same rule. With a jitter
// that is exponential with mean m each happens with q = exp(-D/m)/2, independently, and they disagree when exactly one of both does.
// D is the gap that is left at the client when both are through the part of the way that its sockets share: where that gets quicker, what
// had queued up comes at once, so that gaps are gone, and nothing else of it counts.
func TestWiFiDivergesByItsJitterAlone(t *testing.T) {
	t.Parallel()
	const mean, length, hold = 3 * time.Millisecond, 600 * time.Second, time.Second
	jitter := draw.Law{Kind: draw.KindExponential, A: float64(mean)}
	for name, shared := range map[string]draw.Law{
		"jitter alone":    {},
		"one slow way":    {Kind: draw.KindConstant, A: 80e6},
		"ways that sway":  {Kind: draw.KindNormal, A: 80e6, B: 10e6},
		"ways that stall": {Kind: draw.KindLognormal, A: 20e6, B: 200e6},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := run.Plan{
				Name: "wifi", Seed: 11, Design: "hologram", Nodes: 1, Drain: 5 * time.Second,
				Groups: []run.Group{{Name: "members", Count: 2, Channel: func(int) string { return "room" }}},
				Loads: []run.Load{{
					Name: "talk", Stages: scenarios.Stages{{From: 20, To: 20, For: length}}, Arrivals: scenarios.Arrivals{Kind: scenarios.Poisson},
					Only: 2, Message: clients.Message{Name: "message", Size: 200},
				}},
				Faults: []scenarios.Fault{{
					Name: "wifi", For: length, Where: scenarios.Where{Share: 1, Direction: scenarios.Down},
					Effect: scenarios.LinkFault{Kind: "delay", By: scenarios.Amount{Law: shared}, Hold: hold, Jitter: scenarios.Amount{Law: jitter}},
				}},
			}
			all, result := inMemory(t.Context(), t, p, asIs)
			var analysis ordering.Analysis
			analysis.Add(all)
			got := analysis.Close(result).Overall.All

			same, err := chaos.New(chaos.Options{Seed: p.Seed, Faults: []chaos.Fault{{
				Name: "wifi", Window: chaos.Window{For: length}, Effect: chaos.Delay{Law: shared, Hold: hold, Jitter: jitter},
			}}})
			if err != nil {
				t.Fatal(err)
			}
			var ways [2]sharedWay
			for client := range ways {
				ways[client] = newSharedWay(same.Slots("wifi", uint32(client), chaos.Down, int64(length/hold)+10), hold, result.Barrier)
			}
			expected, variance := expectedDivergence(all, mean, ways)
			if off := math.Abs(float64(got.Divergent) - expected); off > 3*math.Sqrt(variance) || expected < 200 {
				t.Errorf("%s: %d divergent pairs of %d, theory says %.1f +- %.1f", name, got.Divergent, got.AtRisk, expected, math.Sqrt(variance))
			}
			t.Logf("%s: %d divergent pairs of %d at risk, theory %.1f +- %.1f", name, got.Divergent, got.AtRisk, expected, math.Sqrt(variance))
		})
	}
}

// sharedWay is when something gets off the part of a client's way that its sockets share: later by the delay of its slot of time,
// and not before all from earlier slots are off.
type sharedWay struct {
	begin  int64
	hold   int64
	delays []time.Duration
	floors []int64 // when the last is off that got on before each slot
}

func newSharedWay(delays []time.Duration, hold time.Duration, begin int64) sharedWay {
	w := sharedWay{begin: begin, hold: int64(hold), delays: delays, floors: []int64{0}}
	for slot, delay := range delays {
		w.floors = append(w.floors, max(w.floors[slot], begin+int64(slot+1)*int64(hold)+int64(delay)))
	}
	return w
}

func (w *sharedWay) off(at int64) int64 {
	slot := (at - w.begin) / w.hold
	return max(at+int64(w.delays[slot]), w.floors[slot])
}

// expectedDivergence sums the law over all pairs of events of two authors, by the gaps that are left at each of the two.
func expectedDivergence(all []history.Observation, mean time.Duration, ways [2]sharedWay) (expected, variance float64) {
	var sent []history.Observation
	for _, o := range all {
		if o.Kind == history.Sent {
			sent = append(sent, o)
		}
	}
	for i, a := range sent {
		for _, b := range sent[:i] {
			if a.Client == b.Client || math.Abs(float64(a.At-b.At)) > float64(time.Second) {
				continue
			}
			var q [2]float64
			for client := range q {
				gap := math.Abs(float64(ways[client].off(a.At) - ways[client].off(b.At)))
				q[client] = math.Exp(-gap/float64(mean)) / 2
			}
			p := q[0]*(1-q[1]) + q[1]*(1-q[0])
			expected += p
			variance += p * (1 - p)
		}
	}
	return expected, variance
}
