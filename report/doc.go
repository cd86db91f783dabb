// Package report turns a history into figures, plots and a verdict on each budget.
//
// It reads what a run left behind (a Source: the description of the run, its Observations, its samples), and nothing else:
// no clock, no network, no scenario file. The same history gives the same bytes, on every machine and on every day, so
// that a report can be made again, and compared.
//
// # What is measured
//
// Latency counts from due, the moment at which the schedule wanted the command sent, and never from the moment at which
// a busy generator got round to it. For an event due at 1.000 s, sent at 1.002 s, that its sender hears of at 1.010 s and
// two other clients at 1.012 s and 1.030 s:
//
//	publish_delay    the generator's own lateness in sending (here at most 2 ms)
//	own_latency      10 ms
//	other_latency    12 ms and 30 ms
//	fanout_latency   10, 12 and 30 ms
//	fanout_spread    20 ms
//
// A figure belongs to every window in which its command was due, and to the whole run. Percentiles come from HDR
// histograms (see Histogram for range and resolution), are never averaged, and stand beside two counts: of deliveries,
// and of events, because the deliveries of one event share its fate. A percentile with fewer than thirty events at or
// above it is thin: printed with "~", and no budget is judged by it.
//
// # What is judged
//
// Each budget is held, violated or unknown. A generator that was itself too slow makes figures of time unknown; what was
// counted stays judged. docs/results.md explains every number and every threshold.
package report
