package ordering_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"holobench/history"
	"holobench/ordering"
	"holobench/wire"
)

// talk makes a run like the default scenario: so many events at random over 35 s in each of 20 channels of 100 subscribers,
// of whom two send. What the originator sent comes in its reply, 1 ms before the stream.
func talk(events int) (rows []history.Observation) {
	const channels, subscribers, span = 20, 100, 35_000 * ms
	random := rand.New(rand.NewPCG(1, 1))
	dues := make([]int64, events*channels)
	for i := range dues {
		dues[i] = random.Int64N(span)
	}
	for i := range channels {
		slices.Sort(dues[i*events : (i+1)*events])
	}
	for i, due := range dues {
		channel, n := uint32(i/events), uint32(i%events)
		id := wire.EventID{Publisher: channel*subscribers + n%2, Seq: n/2 + 1}
		o := history.Observation{Client: id.Publisher, Event: id, Channel: channel + 1, Due: due, At: due}
		o.Kind = history.Sent
		rows = append(rows, o)
		o.Kind, o.At = history.Replied, due+ms
		rows = append(rows, o)
		o.Kind = history.Delivered
		for j := range uint32(subscribers) {
			o.Client, o.Conn, o.Path, o.At = channel*subscribers+j, 2, history.SSE, due+2*ms+int64(j)*1000
			if o.Client == id.Publisher {
				o.Conn, o.Path, o.At = 1, history.Reply, due+ms
			}
			o.NotBefore, o.Handled = o.At, o.At+1000
			rows = append(rows, o)
		}
	}
	return rows
}

// BenchmarkAnalysis judges the 690,000 deliveries of the default scenario.
func BenchmarkAnalysis(b *testing.B) {
	rows := talk(345)
	b.ReportAllocs()
	var pairs int
	for b.Loop() {
		var a ordering.Analysis
		a.Add(rows)
		pairs = a.Close(history.Run{}).Overall.All.AtRisk
	}
	b.ReportMetric(float64(pairs), "at-risk-pairs")
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/run")
}

// TestReplyOvertakesStream knows the answer beforehand: in talk the reply beats the stream by 1 ms and 1 us for each client
// before its owner, so that the second of two senders, and nobody else, sees a pair the other way round when it sent less
// than that after the first one.
func TestReplyOvertakesStream(t *testing.T) {
	t.Parallel()
	rows := talk(345)
	var sends [21][]history.Observation // by channel
	for _, o := range rows {
		if o.Kind == history.Sent {
			sends[o.Channel] = append(sends[o.Channel], o)
		}
	}
	crossed, near := 0, 0
	for channel, list := range sends {
		for i, a := range list {
			for _, b := range list[i+1:] {
				if b.Due-a.Due <= 1000*ms {
					near++
				}
				second := int64(b.Client) - int64(channel-1)*100
				if a.Client != b.Client && b.Due-a.Due < ms+second*1000 {
					crossed++
				}
			}
		}
	}
	got := analyse(history.Run{}, rows, 0, 0).Overall
	want := ordering.Classes{
		All:                ordering.Pairs{AtRisk: near, Divergent: crossed},
		OriginatorObserver: ordering.Pairs{AtRisk: near, Divergent: crossed},
		ObserverObserver:   ordering.Pairs{AtRisk: near},
	}
	if got.Classes != want || crossed < 20 || got.TiedViews != 0 || got.FIFO.Violations != 0 {
		t.Errorf("\ngot  %+v\nwant %+v", got, want)
	}
	t.Logf("%d of %d pairs at risk are divergent", crossed, near)
	for i := range rows { // the same with everything on the stream: nobody disagrees
		if o := &rows[i]; o.Kind == history.Delivered && o.Path == history.Reply {
			o.Path, o.Conn = history.SSE, 2
		}
	}
	if got := analyse(history.Run{}, rows, 0, 0).Overall; got.All.AtRisk != near || got.TiedViews != 0 || got.Beyond.Divergent != 0 {
		t.Errorf("on one socket: %+v", got)
	}
}

// BenchmarkElsewhere asks who knew first, of the deliveries of the default scenario.
func BenchmarkElsewhere(b *testing.B) {
	rows := talk(345)
	b.ReportAllocs()
	for b.Loop() {
		var e ordering.Elsewhere
		e.Add(rows)
		e.Close(history.Run{}, func(ordering.Headway) {})
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(rows)), "ns/row")
}
