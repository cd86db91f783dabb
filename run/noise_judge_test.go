package run

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"holobench/history"
	"holobench/wire"
)

func TestJudgeNoise(t *testing.T) {
	t.Parallel()
	event := wire.EventID{Publisher: 3, Seq: 1}
	seen := func(path history.Path, notBefore, at, handled int64) history.Observation {
		return history.Observation{Kind: history.Delivered, Path: path, Event: event, NotBefore: notBefore, At: at, Handled: handled}
	}
	right, tied := NoiseCount{Right: 1}, NoiseCount{Tied: 1}
	early, late := NoiseWrite{Begin: 100, End: 110}, NoiseWrite{Begin: 150, End: 160}
	wrong := func(margin time.Duration) NoiseCount { return NoiseCount{Wrong: 1, LargestWrong: margin} }
	for _, c := range []struct {
		name          string
		reply, stream NoiseWrite
		seen          []history.Observation
		want          Noise // without Wrong
	}{
		{"in order", early, late, []history.Observation{seen(history.Reply, 10, 10, 70), seen(history.SSE, 60, 60, 80)}, Noise{Pairs: 1, Intervals: right, Kernel: right, User: right}},
		{"stream first, in order", late, early, []history.Observation{seen(history.Reply, 60, 60, 80), seen(history.SSE, 10, 10, 70)}, Noise{Pairs: 1, Intervals: right, Kernel: right, User: right}},
		{"turned", early, late, []history.Observation{seen(history.Reply, 61, 61, 90), seen(history.SSE, 40, 57, 80)}, Noise{Pairs: 1, Intervals: wrong(4), Kernel: wrong(4), User: wrong(10)}},
		{"overlapping intervals", early, late, []history.Observation{seen(history.Reply, 0, 61, 70), seen(history.SSE, 60, 60, 70)}, Noise{Pairs: 1, Intervals: tied, Kernel: wrong(1), User: tied}},
		{"touching intervals", early, late, []history.Observation{seen(history.Reply, 10, 20, 21), seen(history.SSE, 20, 30, 31)}, Noise{Pairs: 1, Intervals: tied, Kernel: right, User: right}},
		{"one stamp", early, late, []history.Observation{seen(history.Reply, 20, 20, 22), seen(history.SSE, 20, 20, 21)}, Noise{Pairs: 1, Intervals: tied, Kernel: tied, User: wrong(1)}},
		{"no order known", NoiseWrite{Begin: 100, End: 151}, late, []history.Observation{seen(history.Reply, 1, 1, 1), seen(history.SSE, 2, 2, 2)}, Noise{Overlapping: 1}},
		{"TCP held both", NoiseWrite{Begin: 100, End: 120, Waited: 7}, NoiseWrite{Begin: 150, End: 160, Waited: 5}, []history.Observation{seen(history.Reply, 1, 1, 1), seen(history.SSE, 2, 2, 2)}, Noise{Pairs: 1, Waited: 2, LongestWait: 7, Intervals: right, Kernel: right, User: right}},
		{"no message", early, late, []history.Observation{seen(history.Reply, 1, 1, 1)}, Noise{Missing: 1}},
		{"nothing", early, late, nil, Noise{Missing: 1}},
		{"a message too many", early, late, []history.Observation{seen(history.Reply, 1, 1, 1), seen(history.SSE, 2, 2, 2), seen(history.SSE, 3, 3, 3)}, Noise{Missing: 1}},
	} {
		got := judgeNoise([]noiseCommand{{Event: event, Reply: c.reply, Stream: []NoiseWrite{c.stream}}}, c.seen, 0, 0)
		if len(got.Wrong) != got.Intervals.Wrong || got.Floor() != c.want.Floor() {
			t.Errorf("%s: %d pairs of evidence, floor %v", c.name, len(got.Wrong), got.Floor())
		}
		got.Wrong = nil
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", c.name, got, c.want)
		}
	}
}

func TestJudgeNoiseWithAThreshold(t *testing.T) {
	t.Parallel()
	event := wire.EventID{Publisher: 3, Seq: 1}
	written := []noiseCommand{{Event: event, Reply: NoiseWrite{Begin: 1, End: 2}, Stream: []NoiseWrite{{Begin: 3, End: 4}}}}
	for _, c := range []struct {
		second int64 // when it came; the first came at 100
		want   NoiseCount
	}{
		{110, NoiseCount{Right: 1}},
		{109, NoiseCount{Tied: 1}},
		{100, NoiseCount{Tied: 1}},
		{91, NoiseCount{Tied: 1}},
		{90, NoiseCount{Wrong: 1, LargestWrong: 10}},
	} {
		got := judgeNoise(written, []history.Observation{
			{Kind: history.Delivered, Path: history.Reply, Event: event, NotBefore: 100, At: 100, Handled: 100},
			{Kind: history.Delivered, Path: history.SSE, Event: event, NotBefore: c.second, At: c.second, Handled: c.second},
		}, 0, 10)
		if got.Intervals != c.want || got.Kernel.Tied > 0 != (c.second == 100) {
			t.Errorf("second at %d: intervals %+v, want %+v; kernel %+v", c.second, got.Intervals, c.want, got.Kernel)
		}
	}
}

func TestWrongPairTellsItsTimes(t *testing.T) {
	t.Parallel()
	w := WrongPair{
		First: NoiseWrite{Begin: 1000, End: 3000}, Second: NoiseWrite{Begin: 5000, End: 6000}, Epoch: 900,
		FirstSeen:  history.Observation{Client: 2, Event: wire.EventID{Seq: 8}, Path: history.SSE, NotBefore: 7100, At: 8100, Handled: 9100},
		SecondSeen: history.Observation{Client: 2, Event: wire.EventID{Seq: 8}, Path: history.Reply, NotBefore: 5100, At: 5100, Handled: 6100},
	}
	const want = "client 2, command 8: written 0 to 2.0 us, seen on sse in (7.0, 8.0], handled 9.0; " +
		"written 4.0 to 5.0 us, seen on reply in (5.0, 5.0], handled 6.0"
	if got := w.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestNoiseOrder(t *testing.T) {
	t.Parallel()
	for place := range 4 {
		o := noiseOrder{place: place, gaps: []time.Duration{0, 7, time.Second}}
		if got, err := parseNoiseOrder(o.text()); err != nil || !reflect.DeepEqual(got, o) {
			t.Errorf("%q reads as %v, %v", o.text(), got, err)
		}
	}
	const reading = "reading an order of the noise probe: "
	for text, want := range map[string]string{
		"":             "0 numbers",
		"0":            "1 numbers",
		"2 5":          `the reply cannot have place "2"`,
		"-1 5":         `the reply cannot have place "-1"`,
		"x 5":          `the reply cannot have place "x"`,
		"1 x":          `a pause of "x" ns`,
		"1 -1":         `a pause of "-1" ns`,
		"1 9999999999": `a pause of "9999999999" ns`,
		fmt.Sprint(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17): "18 numbers",
	} {
		if _, err := parseNoiseOrder(text); err == nil || err.Error() != reading+want {
			t.Errorf("%q: %v, want %s", text, err, reading+want)
		}
	}
}
