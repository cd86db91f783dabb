package scenarios

import (
	"slices"
	"strings"
)

// Unit says what the values of a metric count.
type Unit string

// The units. Text, summary.json and budgets all speak in them.
const (
	Milliseconds Unit = "ms"
	Ratio        Unit = "ratio" // from 0 to 1
	Count        Unit = "count"
)

// MetricType says how the values of a metric are put together, and so which aggregations of it make sense. The words
// are k6's.
type MetricType string

// The types.
const (
	Trend   MetricType = "trend"   // many values: avg, min, med, max, p(N), and count, which says how many there are
	Counter MetricType = "counter" // a sum: count, and rate, which is the sum by the seconds of its window
	Rate    MetricType = "rate"    // a share of yes and no: rate, from 0 to 1
	Gauge   MetricType = "gauge"   // one value
)

// percentileForm is how the aggregation of a percentile is listed.
const percentileForm = "p(N)"

// Aggregations lists what a budget can ask of a metric of that type, in the order in which errors name them.
func (t MetricType) Aggregations() []string {
	switch t {
	case Trend:
		return []string{"avg", "min", "med", "max", percentileForm, "count"}
	case Counter:
		return []string{"count", "rate"}
	case Rate:
		return []string{"rate"}
	case Gauge:
		return []string{"value"}
	default:
		return nil
	}
}

// The tags that a selector can name, in the order in which it names them.
const (
	TagWindow = "window" // a window of the scenario: what was due in it
	TagClass  = "class"  // who disagrees, or could: originator-observer or observer-observer
	TagPath   = "path"   // by which way a delivery came: reply, sse, poll or websocket
	TagLoad   = "load"   // a flood of the scenario; without it a metric leaves floods out
	TagFault  = "fault"  // a fault of the scenario
	TagGroup  = "group"  // clients of the scenario: what these alone did and saw
)

// allTags lists them.
func allTags() []string { return []string{TagWindow, TagClass, TagPath, TagLoad, TagFault, TagGroup} }

// tagWords lists the values of a tag that are words of the language; nil for one whose values the scenario names.
func tagWords(tag string) []string {
	switch tag {
	case TagClass:
		return []string{"originator-observer", "observer-observer"}
	case TagPath:
		return []string{"reply", "sse", "poll", "websocket"}
	default:
		return nil
	}
}

// MetricInfo describes one metric that a budget can judge.
type MetricInfo struct {
	Name    string
	Type    MetricType
	Unit    Unit
	Tags    []string // that a selector of it can name
	Meaning string   // in one phrase
}

// UnitOf is the unit of an aggregation of the metric: the values of a trend are in its own unit, how many there are is a count, and
// the rate of a counter is a count a second.
func (m MetricInfo) UnitOf(aggregation string) Unit {
	if aggregation == "count" {
		return Count
	}
	return m.Unit
}

// Metrics lists every metric that a budget can judge, in the order of the manual. What is not in it is not measured, and
// a budget on it is an error of the scenario and never an unknown verdict after the run.
func Metrics() []MetricInfo {
	window := []string{TagWindow}
	delivery := []string{TagWindow, TagPath, TagGroup}
	request := []string{TagWindow, TagLoad}
	pairs := []string{TagWindow, TagClass}
	seen := []string{TagWindow, TagClass, TagGroup}
	wait := []string{TagWindow, TagGroup}
	return []MetricInfo{
		{"fanout_latency", Trend, Milliseconds, delivery, "due -> delivery, at every subscriber"},
		{"own_latency", Trend, Milliseconds, delivery, "due -> delivery, at the client that sent it"},
		{"other_latency", Trend, Milliseconds, delivery, "due -> delivery, at all other clients"},
		{"fanout_spread", Trend, Milliseconds, window, "first -> last delivery of one event"},
		{"http_req_duration", Trend, Milliseconds, []string{TagWindow, TagLoad, TagGroup}, "sent -> last byte of the reply"},
		{"http_req_failed", Rate, Ratio, request, "commands without a reply, or with one that is not 2xx"},
		{"http_reqs", Counter, Count, request, "commands with a known outcome"},
		{"dropped_iterations", Counter, Count, window, "commands that were due and were never sent"},
		{"publish_delay", Trend, Milliseconds, window, "the generator's own lateness in sending"},
		{"queue_delay", Trend, Milliseconds, wait, "due -> the sender's previous command was answered"},
		{"connection_wait", Trend, Milliseconds, wait, "the sender's turn came -> it had a connection for the command"},
		{"generator_lag", Trend, Milliseconds, window, "arrival -> the client's code saw it"},
		{"reach", Gauge, Ratio, window, "deliveries that arrived, divided by those expected"},
		{"events_lost", Counter, Count, window, "expected deliveries that never came"},
		{"events_duplicated", Counter, Count, window, "deliveries beyond the first of an event at one client"},
		{"indeterminate", Counter, Count, window, "deliveries neither expected nor lost: a stream began or ended meanwhile"},
		{"events_missed_away", Counter, Count, window, "deliveries that a client missed because it was away when the event was sent, and came back later"},
		{"events_caught_up", Counter, Count, window, "deliveries to such clients of what was sent while they were away"},
		{"order_divergence", Rate, Ratio, seen, "divergent pairs, divided by those at risk"},
		{"divergent_pairs", Counter, Count, seen, "pairs of events that one client saw in one order and another in the other"},
		{"at_risk_pairs", Counter, Count, seen, "pairs that enough clients order, so that they could disagree"},
		{"ties", Counter, Count, seen, "pairs that would be at risk, but for stamps that give no order"},
		{"order_inversions", Counter, Count, window, "(pair, client): seen against the order of first sight"},
		{"events_touched", Counter, Count, window, "events in at least one divergent pair"},
		{"fifo_violations", Counter, Count, window, "pairs of one publisher that somebody saw reversed, the second sent after the reply to the first"},
		{"fifo_concurrent", Counter, Count, window, "pairs of one publisher that somebody saw reversed, in flight together: no violation"},
		{"seen_elsewhere_first", Rate, Ratio, window, "commands whose event another client saw before their sender knew the outcome, divided by those with a known order"},
		{"seen_elsewhere_lead", Trend, Milliseconds, window, "... the first arrival elsewhere -> the sender learned of it"},
		{"resequence_hold", Trend, Milliseconds, window, "an event arrived at a resequencer -> it was handed on to the app"},
		{"resequence_depth", Trend, Count, window, "events of the channel that the resequencer held back when one arrived"},
		{"resequence_gaps", Counter, Count, window, "numbers that resequencers gave up, by client"},
		{"resequenced_latency", Trend, Milliseconds, window, "due -> handed on to the app of a resequencer"},
		{"resequenced_divergence", Rate, Ratio, pairs, "order_divergence of what apps saw behind their resequencers"},
		{"optimistic_confirmed", Trend, Milliseconds, window, "a change of an optimistic client was due -> it knew that the server took it"},
		{"optimistic_wrong", Trend, Milliseconds, window, "how long an optimistic client saw what no server ever had, by change"},
		{"optimistic_rebases", Counter, Count, window, "changes of others that came below one that was not merged yet, by change"},
		{"optimistic_rollbacks", Rate, Ratio, window, "changes that optimistic clients took back, divided by those with an outcome"},
		{"sse_events", Counter, Count, window, "deliveries by stream"},
		{"sse_reconnects", Counter, Count, window, "streams that were opened again"},
		{"sse_connecting", Trend, Milliseconds, window, "a stream was dialled -> its response head arrived"},
		{"clients", Gauge, Count, nil, "clients of the run"},
		{"capacity", Gauge, Count, nil, "commands a second of the last good step of a search for the capacity"},
		{"expectations", Rate, Ratio, window, "waits of flows that were not met, and steps that failed, divided by all"},
		{"expectation_wait", Trend, Milliseconds, window, "a wait of a flow began -> it was met"},
		{RecoveryTime, Trend, Milliseconds, []string{TagFault}, "end of a fault -> the figures are back inside their budgets, by the second"},
		{"converged", Gauge, Ratio, nil, "clients with the view that most have at the end, divided by all that fetched one"},
	}
}

// Metric finds a metric by its name; ok is false when there is none.
func Metric(name string) (info MetricInfo, ok bool) {
	metrics := Metrics()
	at := slices.IndexFunc(metrics, func(m MetricInfo) bool { return m.Name == name })
	if at < 0 {
		return MetricInfo{}, false
	}
	return metrics[at], true
}

// metricNames lists the names of all metrics, sorted.
func metricNames() []string {
	var names []string
	for _, m := range Metrics() {
		names = append(names, m.Name)
	}
	slices.Sort(names)
	return names
}

// allows tells whether a budget can ask for that aggregation ("p(99)" for a percentile).
func (m MetricInfo) allows(aggregation string) bool {
	if strings.HasPrefix(aggregation, "p(") {
		aggregation = percentileForm
	}
	return slices.Contains(m.Type.Aggregations(), aggregation)
}
