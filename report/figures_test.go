package report

import (
	"slices"
	"testing"
	"time"

	"holobench/history"
	"holobench/scenarios"
	"holobench/wire"
)

// value looks an aggregation up, as a budget does.
func value(t *testing.T, r *Report, metric string, tags map[string]string, aggregation string) float64 {
	t.Helper()
	m := r.find(metric, tags)
	if m == nil {
		t.Fatalf("there is no %s with tags %v", metric, tags)
	}
	v, ok := m.Aggregate(aggregation)
	if !ok {
		t.Fatalf("%s has no %s", m, aggregation)
	}
	return v.Value
}

func TestFiguresByHand(t *testing.T) {
	t.Parallel()
	b := fewClients()
	// A second command, due in the warmup (1.2 s = 200 ms after the barrier), refused; a third, dropped; a fourth, rejected.
	b.settle(history.Refused, 1, 1, 1200, 1210, "connection refused")
	b.settle(history.Dropped, 1, 2, 3000, 3000, "queue of the client is full")
	b.settle(history.Dropped, 1, 3, 3001, 3001, interruptedText)
	b.send(2, 1, "lobby", 4000, 4000, 4000)
	b.settle(history.Replied, 2, 1, 4000, 4050, "http 503")
	// The first client reconnects, after a dial of 3 ms and a wait for the head of 4 ms.
	b.add(history.Observation{Kind: history.Ended, Client: 1, Conn: 1, At: 5000 * msec, Err: uint16(b.names.Number("connection reset"))})
	b.add(history.Observation{Kind: history.Opened, Client: 1, Conn: 3, NotBefore: 5001 * msec, At: 5004 * msec})
	b.add(history.Observation{Kind: history.Subscribed, Client: 1, Conn: 3, Channel: b.names.Number("lobby"), NotBefore: 5004 * msec, At: 5008 * msec})
	r := b.report(t)
	steady, warmup := map[string]string{"window": "steady"}, map[string]string{"window": "warmup"}
	for _, c := range []struct {
		metric      string
		tags        map[string]string
		aggregation string
		want        float64
	}{
		{FanoutLatency, nil, "count", 3},
		{FanoutLatency, nil, "min", 10},
		{FanoutLatency, nil, "max", 30},
		{FanoutLatency, nil, "avg", 17.333333},
		{FanoutLatency, steady, "count", 3},
		{FanoutLatency, map[string]string{"path": "reply"}, "max", 10},
		{FanoutLatency, map[string]string{"path": "sse", "window": "steady"}, "min", 12},
		{OwnLatency, nil, "max", 10},
		{OtherLatency, nil, "min", 12},
		{OtherLatency, nil, "max", 30},
		{FanoutSpread, nil, "max", 20},
		{HTTPReqDuration, nil, "min", 8},
		{HTTPReqDuration, nil, "max", 50},
		{HTTPReqFailed, nil, "rate", 2.0 / 3},
		{HTTPReqFailed, warmup, "rate", 1},
		{HTTPReqFailed, steady, "rate", 0.5},
		{HTTPReqs, nil, "count", 3},
		{HTTPReqs, nil, "rate", 0.3},
		{HTTPReqs, warmup, "rate", 2},
		{DroppedIterations, nil, "count", 1},
		{DroppedIterations, warmup, "count", 0},
		{PublishDelay, nil, "max", 1},
		{QueueDelay, nil, "max", 1},
		{GeneratorLag, nil, "max", 3},
		{GeneratorLag, nil, "count", 5},
		{Reach, nil, "value", 1},
		{EventsLost, nil, "count", 0},
		{EventsDuplicated, nil, "count", 0},
		{Indeterminate, nil, "count", 3}, // of the rejected command
		{SSEEvents, nil, "count", 2},
		{SSEConnecting, nil, "count", 4},
		{SSEConnecting, steady, "max", 7},
		{SSEReconnects, nil, "count", 1},
		{SSEReconnects, warmup, "count", 0},
		{Clients, nil, "value", 3},
	} {
		if got := value(t, r, c.metric, c.tags, c.aggregation); got-c.want > 1e-6 || c.want-got > 1e-6 {
			t.Errorf("%s %v %s = %v, want %v", c.metric, c.tags, c.aggregation, got, c.want)
		}
	}
	if m := r.find(FanoutLatency, warmup); m == nil || m.Count != 0 {
		t.Errorf("nothing was delivered of the warmup: %+v", m)
	}
	want := []Trouble{
		{"dropped", interruptedText, 1},
		{"dropped", "queue of the client is full", 1},
		{"ended", "connection reset", 1},
		{"refused", "connection refused", 1},
		{"replied", "http 503", 1},
	}
	if !slices.Equal(r.Troubles, want) {
		t.Errorf("troubles %+v, want %+v", r.Troubles, want)
	}
}

func TestFloodsStandApart(t *testing.T) {
	t.Parallel()
	b := fewClients()
	b.run.Groups = append(b.run.Groups, history.Group{Name: "press", First: 3, Count: 1})
	b.run.Loads = []history.Load{{Name: "talk"}, {Name: "press", Flood: true}}
	for seq := range uint32(4) {
		b.add(history.Observation{
			Kind: history.Sent, Client: 3, Event: wire.EventID{Publisher: 3, Seq: seq + 1},
			Due: 2000 * msec, NotBefore: 2000 * msec, At: 2000 * msec,
		})
		b.settle(history.Replied, 3, seq+1, 2000, 2100, "")
	}
	r := b.report(t)
	press := map[string]string{"load": "press"}
	if got := value(t, r, HTTPReqDuration, nil, "max"); got != 8 {
		t.Errorf("http_req_duration of the clients: max %v, want 8", got)
	}
	if got := value(t, r, HTTPReqDuration, press, "min"); got != 100 {
		t.Errorf("http_req_duration of the flood: min %v, want 100", got)
	}
	if got := value(t, r, HTTPReqs, press, "count"); got != 4 {
		t.Errorf("http_reqs of the flood: %v, want 4", got)
	}
	if got := value(t, r, PublishDelay, nil, "count"); got != 1 {
		t.Errorf("publish_delay counts %v commands, want only the one of a client", got)
	}
	if r.Events != 1 {
		t.Errorf("%d events, want 1: a flood's commands are none", r.Events)
	}
}

func TestPercentilesCountEvents(t *testing.T) {
	t.Parallel()
	// 100 events at 40 clients; of 20 events every delivery is late. One delivery in five is late, but that is 20 chances.
	b := newBook()
	for event := range uint32(100) {
		for client := range uint32(40) {
			late := int64(10)
			if event < 20 {
				late = 500
			}
			b.deliver(client, history.SSE, 99, event+1, "lobby", 2000, 2000+late, 0)
		}
	}
	m := b.report(t).find(FanoutLatency, nil)
	if m.Count != 4000 || m.Events != 100 {
		t.Errorf("%d deliveries of %d events, want 4000 of 100", m.Count, m.Events)
	}
	for aggregation, thin := range map[string]bool{"p(50)": false, "med": false, "p(90)": true, "p(99)": true, "max": false, "avg": false} {
		v, ok := m.Aggregate(aggregation)
		if !ok || v.Thin != thin {
			t.Errorf("%s: %+v, %v; thin must be %v", aggregation, v, ok, thin)
		}
	}
}

func TestEveryMetricOfABudgetIsMeasured(t *testing.T) {
	t.Parallel()
	b := fewClients()
	b.run.Loads = []history.Load{{Name: "find", Capacity: &history.Capacity{Rate: 100, Steps: []history.Step{{Window: "find.step-1", Rate: 100, Good: true}}}}}
	b.run.Convergence = diverged()
	b.run.Faults = []history.Fault{{Name: "cut", Turns: []history.Turn{{From: 1000 * msec, To: 2000 * msec}}}}
	b.wait(1, 2000, 2040, "")
	AsIf(&b.run, 100*time.Millisecond, true)
	r := b.report(t)
	for _, info := range scenarios.Metrics() {
		m := r.find(info.Name, nil)
		if m == nil {
			t.Errorf("scenarios lets a budget name %s, which no report has", info.Name)
			continue
		}
		if m.Type != string(info.Type) || m.Unit != string(info.Unit) {
			t.Errorf("%s is a %s in %s, scenarios says a %s in %s", m, m.Type, m.Unit, info.Type, info.Unit)
		}
		for _, aggregation := range info.Type.Aggregations() {
			if aggregation == "p(N)" {
				aggregation = "p(12.5)"
			}
			if _, ok := m.Aggregate(aggregation); !ok && m.Count > 0 && aggregation != "rate" {
				t.Errorf("scenarios lets a budget ask for the %s of %s, which it does not have", aggregation, m)
			}
		}
	}
}

func TestTimelineIsBounded(t *testing.T) {
	t.Parallel()
	var line timeline
	const seconds = 5000
	for second := range int64(seconds) {
		line.add(second*1e9+5e8, second*msec)
		line.add(second*1e9+6e8, second*msec)
	}
	line.add(-1, 7)
	moments := line.moments()
	if len(moments) > timelineBins {
		t.Errorf("%d bins, more than %d", len(moments), timelineBins)
	}
	sum := int64(0)
	for _, m := range moments {
		sum += m.Deliveries
		if m.Length.Seconds() != 8 || m.Deliveries == 16 && m.PerSecond != 2 {
			t.Fatalf("bin %+v", m)
		}
	}
	if sum != 2*seconds {
		t.Errorf("%d deliveries in the bins, want %d", sum, 2*seconds)
	}
	if at := moments[100]; at.P50.Seconds() < 0.79 || at.P50.Seconds() > 0.82 || at.P99.Seconds() < 0.80 {
		t.Errorf("the bin of second 800 to 808: %+v", at)
	}
}

func TestFiguresDoNotDependOnBatches(t *testing.T) {
	t.Parallel()
	b := fewClients()
	whole, err := b.report(t).Summary()
	if err != nil {
		t.Fatal(err)
	}
	single := newBook()
	single.run = b.run
	single.names = b.names
	h := b.history()
	err = h.Scan(func(batch []history.Observation) error {
		for _, o := range batch {
			single.add(o)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	again, err := single.report(t).Summary()
	if err != nil || string(again) != string(whole) {
		t.Errorf("the summary changed (%v)", err)
	}
}
