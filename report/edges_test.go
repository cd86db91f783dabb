package report

import (
	"slices"
	"strings"
	"testing"

	"holobench/history"
)

func TestWindowsAreHalfOpen(t *testing.T) {
	t.Parallel()
	w := windowsOf(&history.Run{Barrier: 100, LoadEnd: 1000, Windows: []history.Window{{Name: "a", From: 10, To: 20}, {Name: "b", From: 15, To: 5000}}})
	for moment, want := range map[int64][]int{
		0: {0}, 109: {0}, 110: {0, 1}, 114: {0, 1}, 115: {0, 1, 2}, 119: {0, 1, 2}, 120: {0, 2}, 6000: {0},
	} {
		var got []int
		for i := range w.count() {
			if w.has(i, moment) {
				got = append(got, i)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d lies in the windows %v, want %v", moment, got, want)
		}
	}
	if w.length(0) != 900 || w.length(1) != 10 || w.length(2) != 885 {
		t.Errorf("lengths %d, %d, %d; want 900, 10 and, cut at the end of the load, 885", w.length(0), w.length(1), w.length(2))
	}
}

func TestSpreadNeedsTwo(t *testing.T) {
	t.Parallel()
	b := fewClients()
	b.send(1, 1, "lobby", 3000, 3000, 3000)
	b.deliver(2, history.SSE, 1, 1, "lobby", 3000, 3010, 0)
	if got := value(t, b.report(t), FanoutSpread, nil, "count"); got != 1 {
		t.Errorf("%v events have a spread, want 1: the other one reached a single client", got)
	}
}

func TestHealthIsThatOfTheMeasurement(t *testing.T) {
	t.Parallel()
	b := fewClients()
	for _, s := range []history.Sample{
		{At: 900 * msec, Source: generatorSource, Name: "cpu_cores", Value: 100}, // joining
		{At: 1000 * msec, Source: generatorSource, Name: "cpu_cores", Value: 1},
		{At: 2000 * msec, Source: "node-1", Name: "cpu_cores", Value: 100},
		{At: 3000 * msec, Source: generatorSource, Name: "cpu_cores", Value: 2},
		{At: 3000 * msec, Source: generatorSource, Name: "a_ms", Value: -1},
		{At: 12_001 * msec, Source: generatorSource, Name: "cpu_cores", Value: 100}, // after the drain
	} {
		if err := b.memory.Write(s); err != nil {
			t.Fatal(err)
		}
	}
	want := []Condition{{Name: "a_ms", Mean: -1, Max: -1, Samples: 1}, {Name: "cpu_cores", Mean: 1.5, Max: 2, Samples: 2}}
	if got := b.report(t).Health; !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestPageShowsTheScenario(t *testing.T) {
	t.Parallel()
	b := fewClients()
	b.run.Scenario = history.Scenario{File: "mine.yaml", Text: "version: 1\nname: mine # <b>\n"}
	page, err := b.report(t).HTML()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "<details><summary>Scenario mine.yaml</summary><pre>version: 1\nname: mine # &lt;b&gt;\n</pre>") {
		t.Error("the page does not show the scenario as it was read")
	}
}
