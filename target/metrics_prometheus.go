package target

import (
	"cmp"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metricsHandler answers a scrape by Prometheus. Its registry is its own, so that two servers in one process do not meet.
func (s *Server) metricsHandler(version string) (http.Handler, error) {
	registry := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{
		serverCollector{server: s, version: version},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("registering a metric: %w", err)
		}
	}
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}), nil
}

// serverCollector reads a server when it is asked, and costs nothing until then.
type serverCollector struct {
	server  *Server
	version string
}

// Describe describes nothing: which counters there are is not known before the file is read, and may grow.
func (c serverCollector) Describe(chan<- *prometheus.Desc) {}

// Collect reads all figures.
func (c serverCollector) Collect(to chan<- prometheus.Metric) {
	s := c.server
	for name, value := range s.counters.Snapshot() {
		f := familyOf(name)
		var labels []string
		if f.label != "" {
			labels = []string{f.label}
		}
		desc := prometheus.NewDesc("holobench_"+f.name+"_total", f.help, labels, nil)
		if labels != nil {
			labels = []string{f.value}
		}
		send(to, desc, func() (prometheus.Metric, error) {
			return prometheus.NewConstMetric(desc, prometheus.CounterValue, float64(value), labels...)
		})
	}
	backlog := s.backlog()
	for _, gauge := range []struct {
		name, help string
		value      int
	}{
		{"subscribers", "Open streams.", backlog.streams},
		{"channels", "Channels that somebody hears.", backlog.channels},
		{"outbox_frames", "Frames that wait in outboxes, those included that are being written.", backlog.frames},
		{"outbox_frames_max", "... in the fullest outbox.", backlog.mostFrames},
		{"outbox_bytes", "Bytes that wait in outboxes, those included that are being written.", backlog.bytes},
		{"outbox_bytes_max", "... in the fullest outbox.", backlog.mostBytes},
	} {
		desc := prometheus.NewDesc("holobench_"+gauge.name, gauge.help, nil, nil)
		send(to, desc, func() (prometheus.Metric, error) {
			return prometheus.NewConstMetric(desc, prometheus.GaugeValue, float64(gauge.value))
		})
	}
	sendLatency(to, "write_seconds", "How long one write to a subscriber took.", &s.writes)
	sendLatency(to, "bus_lag_seconds", "How long an event was under way on the bus, by the clocks of both nodes.", &s.busLag)
	about := prometheus.NewDesc("holobench_build_info", "Which server this is; always 1.",
		[]string{"version", "goversion", "design", "wire", "node"}, nil)
	send(to, about, func() (prometheus.Metric, error) {
		return prometheus.NewConstMetric(about, prometheus.GaugeValue, 1,
			c.version, runtime.Version(), string(s.options.Design), string(s.options.Wire), strconv.Itoa(s.options.Node))
	})
}

// send sends one metric; what cannot be made fails the scrape, with its reason.
func send(to chan<- prometheus.Metric, desc *prometheus.Desc, create func() (prometheus.Metric, error)) {
	metric, err := create()
	if err != nil {
		metric = prometheus.NewInvalidMetric(desc, err)
	}
	to <- metric
}

func sendLatency(to chan<- prometheus.Metric, name, help string, l *latency) {
	desc := prometheus.NewDesc("holobench_"+name, help, nil, nil)
	count, sum, atMost := l.read()
	send(to, desc, func() (prometheus.Metric, error) { return prometheus.NewConstHistogram(desc, count, sum, atMost) })
}

// family is where a counter stands in Prometheus.
type family struct {
	name, label, value, help string
}

// familyOf finds the family of a counter by its name: those that count one thing by path, reason or outcome are one family with
// a label. A counter that is added to Counters comes up here by itself.
func familyOf(counter string) family {
	for _, f := range []family{
		{"deliveries_enqueued", "path", "deliveries_enqueued_", "Deliveries that an outbox took, by the path of its stream."},
		{"deliveries_written", "path", "deliveries_written_", "Deliveries whose bytes were all accepted by the connection, by path."},
		{"bytes_written", "path", "bytes_written_", "Bytes accepted by the connections of subscribers, by path."},
		{"streams_cut", "reason", "cut_", "Streams that were cut, by reason."},
		{"bus_messages", "kind", "bus_", "Messages given to the bus, come from it, and failed."},
		{"commands", "outcome", "commands_", "Commands that were received, and what became of them."},
	} {
		if value, ok := strings.CutPrefix(counter, f.value); ok && value != "" {
			return family{f.name, f.label, value, f.help}
		}
	}
	help := map[string]string{
		"controls_written":     "Snapshots, gaps and other messages to one client that are no event.",
		"deliveries_expected":  "Sum over events of the subscribers that they had.",
		"deliveries_replayed":  "Deliveries to streams that came back.",
		"events_dispatched":    "Events that were handed out, also to nobody.",
		"events_triggered":     "Events that the node made by itself.",
		"gaps_found":           "Channels of streams that asked for events which are not kept any more.",
		"heartbeats_written":   "Comments written to silent streams.",
		"journal_dropped":      "Records of the dispatch journal that were lost.",
		"journal_written":      "Records of the dispatch journal that were written.",
		"mutations_conflicted": "Mutations that were refused because their key had changed.",
		"outbox_coalesced":     "Waiting values whose place a newer one took.",
		"outbox_dropped":       "Waiting events that were left out because the outbox was full.",
		"polls_failed":         "Answers to polls that could not be written.",
		"replies_failed":       "Replies that could not be written.",
		"streams_closed":       "Streams that ended, for any reason.",
		"streams_idle":         "Streams that were ended because their client said nothing for too long.",
		"streams_opened":       "Streams that were subscribed.",
		"streams_refused":      "Streams that were answered by an error.",
		"streams_superseded":   "Streams whose instance opened a newer one.",
	}[counter]
	return family{name: counter, help: cmp.Or(help, "The counter "+counter+" of the node's counters file.")}
}
