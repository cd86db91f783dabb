package run_test

import (
	"net"
	"slices"
	"testing"
	"time"

	"holobench/clients"
	"holobench/history"
	"holobench/run"
	"holobench/scenarios"
	"holobench/wire"
)

// BenchmarkPublishDelay is the generator's own lateness in sending: 200 commands a second, by Poisson, from 50 clients over real sockets,
// for two seconds an iteration. It fails when the p99 is above 5 ms, which says as much of what else the machine does as of the
// generator: run it on an idle one.
func BenchmarkPublishDelay(b *testing.B) {
	listen := func(addr string) (net.Listener, error) { return net.Listen("tcp", addr) }
	p := senders(50, run.Load{Name: "talk", Stages: constant(200, 2*time.Second), Arrivals: scenarios.Arrivals{Kind: scenarios.Poisson}})
	var delays []int64
	for b.Loop() {
		p.Seed++
		record := &memoryRecord{closed: make(chan struct{})}
		_, err := run.Run(b.Context(), p, run.Options{
			ID: 0xabc, Names: new(history.Names), Record: record, SaveRun: func(history.Run) error { return nil },
			StartNode: startStub(listen, "127.0.0.1:0", oneServer(0)), Nanosleep: run.Nanosleep(),
			Dial: clients.StampedDial((&net.Dialer{KeepAlive: -1}).DialContext, wire.StampKernel),
		})
		if err != nil {
			b.Fatal(err)
		}
		record.Scan(func(batch []history.Observation) error {
			for _, o := range batch {
				if o.Kind == history.Sent {
					delays = append(delays, o.At-o.NotBefore)
				}
			}
			return nil
		})
	}
	slices.Sort(delays)
	at := func(q float64) float64 { return float64(delays[int(q*float64(len(delays)-1))]) / 1e6 }
	b.ReportMetric(at(0.5), "ms-p50")
	b.ReportMetric(at(0.99), "ms-p99")
	b.ReportMetric(0, "ns/op") // an iteration takes as long as its load
	if at(0.99) > 5 {
		b.Errorf("the p99 of publish_delay is %.2f ms, at most 5 ms are allowed on an idle machine", at(0.99))
	}
}
