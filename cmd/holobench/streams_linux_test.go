package main

import (
	"slices"
	"testing"
	"time"

	"holobench/history"
	"holobench/report"
)

// TestVerify15000 holds what one generator process can hold, by a run as a user would make it: the bundled target is a process of its own.
func TestVerify15000(t *testing.T) {
	if !*verify {
		t.Skip("a long proof: make verify-15000")
	}
	h, r := holobenchRun(t, "testdata/verify-15000.yaml")
	metric := func(name string) *report.Metric {
		at := slices.IndexFunc(r.Metrics, func(m report.Metric) bool { return m.String() == name })
		if at < 0 {
			t.Fatalf("the report has no %s", name)
		}
		return &r.Metrics[at]
	}
	value := func(name, aggregation string) float64 {
		v, ok := metric(name).Aggregate(aggregation)
		if !ok {
			t.Fatalf("%s has no %s", name, aggregation)
		}
		return v.Value
	}
	first, last := joined(t, h)
	perStream, ok := h.Run.Resident.PerStream()
	t.Logf("%d streams, held by %s: the last was subscribed %v after the first was dialled", h.Run.Resident.Streams, h.Run.Groups[0].Engine, last-first)
	t.Logf("%.2f KiB RSS a stream: (%d at the barrier - %d before the clients were made) / %d",
		perStream/1024, h.Run.Resident.Barrier, h.Run.Resident.Before, h.Run.Resident.Streams)
	t.Logf("%d deliveries of %d events, reach %v", r.Deliveries, r.Events, value("reach", "value"))
	for _, name := range []string{"generator_lag", "publish_delay", "other_latency", "http_req_duration", "fanout_spread"} {
		t.Logf("%-18s p50 %.3f, p99 %.3f, max %.3f ms", name, value(name, "p(50)"), value(name, "p(99)"), value(name, "max"))
	}
	switch {
	case h.Run.Groups[0].Engine != "epoll":
		t.Errorf("the streams were held by %s: %s", h.Run.Groups[0].Engine, h.Run.Groups[0].EngineWhy)
	case h.Run.Resident.Streams != 15000 || r.Deliveries != 15000*60 || value("reach", "value") != 1:
		t.Errorf("%d streams, %d deliveries, reach %v", h.Run.Resident.Streams, r.Deliveries, value("reach", "value"))
	}
	if last-first > 10*time.Second {
		t.Errorf("it took %v until all were subscribed, at most 10 s are allowed", last-first)
	}
	if !ok || perStream > 4096 {
		t.Errorf("a stream costs %.0f bytes, at most 4,096 are allowed", perStream)
	}
}

// joined is when the first dial of a stream began, and when the last stream was subscribed for the first time.
func joined(t *testing.T, h *history.History) (first, last time.Duration) {
	t.Helper()
	first = time.Duration(h.Run.Barrier)
	if err := h.Scan(func(batch []history.Observation) error {
		for i := range batch {
			switch o := &batch[i]; {
			case o.Kind == history.Opened && o.Path != history.Reply:
				first = min(first, time.Duration(o.NotBefore))
			case o.Kind == history.Subscribed && o.At <= h.Run.Barrier:
				last = max(last, time.Duration(o.At))
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return first, last
}
