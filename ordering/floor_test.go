package ordering_test

import (
	"reflect"
	"slices"
	"testing"

	"holobench/history"
	"holobench/ordering"
)

// TestNoiseFloorMakesTies: an order with a margin that the harness was seen to invent is no order, on two sockets; on one the
// bytes decide as ever.
func TestNoiseFloorMakesTies(t *testing.T) {
	t.Parallel()
	rows := []history.Observation{
		saw{0, "a", 1, 10, 0}.row(), saw{0, "b", 2, 13, 0}.row(), saw{1, "b", 1, 10, 0}.row(), saw{1, "a", 2, 14, 0}.row(),
		saw{2, "a", 2, 10, 0}.row(), saw{2, "b", 2, 11, 0}.row(),
	}
	for _, c := range []struct {
		noise     *history.Noise
		stamps    string
		views     int // tied
		divergent int
	}{
		{nil, "kernel", 0, 1},
		{&history.Noise{Pairs: 1000, Tied: 30}, "kernel", 0, 1},
		{&history.Noise{Pairs: 1000, Wrong: 1, Floor: 3*ms - 1}, "kernel", 0, 1},
		{&history.Noise{Pairs: 1000, Wrong: 1, Floor: 3 * ms}, "kernel", 1, 1},
		{&history.Noise{Pairs: 1000, Wrong: 1, Floor: 4 * ms}, "kernel", 2, 0},
		{&history.Noise{Pairs: 1000, Wrong: 1, Floor: 1 * ms}, "user", 2, 0},
	} {
		run := history.Run{Noise: c.noise, Machine: history.Machine{Stamps: c.stamps}}
		got := analyse(run, rows, 0, 0).Overall
		if got.TiedViews != c.views || got.All.Divergent != c.divergent {
			t.Errorf("noise %+v, stamps %s: %d tied views and %d divergent, want %d and %d",
				c.noise, c.stamps, got.TiedViews, got.All.Divergent, c.views, c.divergent)
		}
	}
}

// TestWitnessHasTheServersWord: what the journals of the nodes say stands in the witness by time.
func TestWitnessHasTheServersWord(t *testing.T) {
	t.Parallel()
	rows := slices.Concat(command("a", 1, 1, 11), command("b", 2, 2, 10))
	rows[0].Load = 2
	for _, d := range []struct {
		event    string
		at, node int64
	}{{"a", 9, 2}, {"a", 5, 1}, {"b", 7, 1}} {
		rows = append(rows, history.Observation{
			Kind: history.Dispatched, Event: eventOf(d.event), At: d.at * ms, Node: uint16(d.node), Sequence: uint64(d.at),
		})
	}
	for _, s := range []saw{{0, "a", 1, 11, 0}, {0, "b", 2, 14, 0}, {1, "b", 1, 10, 0}, {1, "a", 2, 13, 0}} {
		rows = append(rows, s.row())
	}
	got := analyse(history.Run{}, rows, 0, 0).Witnesses
	if len(got) != 1 {
		t.Fatalf("%d witnesses", len(got))
	}
	a := []ordering.Dispatch{{At: 5 * ms, Sequence: 5, Node: 1}, {At: 9 * ms, Sequence: 9, Node: 2}}
	b := []ordering.Dispatch{{At: 7 * ms, Sequence: 7, Node: 1}}
	if w := got[0]; !reflect.DeepEqual(w.A.Dispatched, a) || !reflect.DeepEqual(w.B.Dispatched, b) || w.A.Load != 2 || w.B.Load != 0 {
		t.Errorf("got %+v and %+v", w.A, w.B)
	}
}

// TestStampsThatRunBackwards: when the clock was set back, the stamps of a socket contradict its bytes, and the bytes decide.
func TestStampsThatRunBackwards(t *testing.T) {
	t.Parallel()
	rows := []history.Observation{
		saw{2, "a", 2, 20, 0}.row(), saw{2, "b", 2, 10, 0}.row(), saw{3, "a", 2, 20, 0}.row(), saw{3, "b", 2, 11, 0}.row(),
		saw{4, "a", 2, 21, 0}.row(), saw{4, "b", 2, 12, 0}.row(),
	}
	if got := analyse(history.Run{}, rows, 0, 0).Overall; line(&got) != "at risk 1, oo at risk 1, inversions 3" {
		t.Errorf("%s; all saw a first, by the bytes", line(&got))
	}
}
