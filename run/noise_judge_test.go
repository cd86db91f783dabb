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
	wrong := NoiseCount{Wrong: 1, LargestWrong: 40}
	for _, c := range []struct {
		name          string
		reply, stream NoiseWrite
		seen          []history.Observation
		want          Noise // without Wrong
	}{
		{"in order", early, late, []history.Observation{seen(history.Reply, 10, 10, 70), seen(history.SSE, 60, 60, 80)}, Noise{Pairs: 1, Intervals: right, Kernel: right, User: right}},
		{"stream first, in order", late, early, []history.Observation{seen(history.Reply, 60, 60, 80), seen(history.SSE, 10, 10, 70)}, Noise{Pairs: 1, Intervals: right, Kernel: right, User: right}},
		{"turned", early, late, []history.Observation{seen(history.Reply, 61, 61, 90), seen(history.SSE, 60, 60, 80)}, Noise{Pairs: 1, Intervals: wrong, Kernel: wrong, User: wrong}},
		{"overlapping intervals", early, late, []history.Observation{seen(history.Reply, 0, 61, 70), seen(history.SSE, 60, 60, 70)}, Noise{Pairs: 1, Intervals: tied, Kernel: wrong, User: tied}},
		{"touching intervals", early, late, []history.Observation{seen(history.Reply, 10, 20, 21), seen(history.SSE, 20, 30, 31)}, Noise{Pairs: 1, Intervals: tied, Kernel: right, User: right}},
		{"one stamp", early, late, []history.Observation{seen(history.Reply, 20, 20, 22), seen(history.SSE, 20, 20, 21)}, Noise{Pairs: 1, Intervals: tied, Kernel: tied, User: wrong}},
		{"no order known", NoiseWrite{Begin: 100, End: 151}, late, []history.Observation{seen(history.Reply, 1, 1, 1), seen(history.SSE, 2, 2, 2)}, Noise{Overlapping: 1}},
		{"held", NoiseWrite{Begin: 100, End: 110, Unsent: 1}, late, []history.Observation{seen(history.Reply, 1, 1, 1), seen(history.SSE, 2, 2, 2)}, Noise{Held: 1}},
		{"held and turned", NoiseWrite{Begin: 100, End: 110, Unsent: 1}, late, []history.Observation{seen(history.Reply, 3, 3, 3), seen(history.SSE, 2, 2, 2)}, Noise{Held: 1, HeldTurned: 1}},
		{"the second is held", early, NoiseWrite{Begin: 150, End: 160, Unsent: 1}, []history.Observation{seen(history.Reply, 1, 1, 1), seen(history.SSE, 2, 2, 2)}, Noise{Pairs: 1, Intervals: right, Kernel: right, User: right}},
		{"no message", early, late, []history.Observation{seen(history.Reply, 1, 1, 1)}, Noise{Missing: 1}},
		{"nothing", early, late, nil, Noise{Missing: 1}},
		{"a message too many", early, late, []history.Observation{seen(history.Reply, 1, 1, 1), seen(history.SSE, 2, 2, 2), seen(history.SSE, 3, 3, 3)}, Noise{Missing: 1}},
	} {
		got := judgeNoise([]noiseCommand{{Event: event, Reply: c.reply, Stream: []NoiseWrite{c.stream}}}, c.seen, 0)
		if len(got.Wrong) != got.Intervals.Wrong || got.Floor() != c.want.Floor() {
			t.Errorf("%s: %d pairs of evidence, floor %v", c.name, len(got.Wrong), got.Floor())
		}
		got.Wrong = nil
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", c.name, got, c.want)
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
