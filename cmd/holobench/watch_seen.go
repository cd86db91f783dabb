package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"holobench/history"
	"holobench/run"
)

// watched counts what a report of order and times has no figure for: the signs of life of the streams, and how they ended.
type watched struct {
	mu      sync.Mutex
	streams map[connection]*life
	beats   int
	gaps    time.Duration  // between the beats of one stream, all together
	spaces  int            // how many of them
	cuts    map[string]cut // by why
	failed  map[string]int // streams that never opened, by why
}

// cut is what ended streams that had been open.
type cut struct {
	times  int
	lasted time.Duration // all together
}

type connection struct{ client, conn uint32 }

// life is that of one stream.
type life struct{ opened, beat int64 }

// observe is told of all that the subscribers note. Reasons are numbers until the names of the run are known.
func (w *watched) observe(batch []history.Observation, names *history.Names) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.streams == nil {
		w.streams, w.cuts, w.failed = make(map[connection]*life), make(map[string]cut), make(map[string]int)
	}
	for i := range batch {
		o := &batch[i]
		at := connection{o.Client, o.Conn}
		switch o.Kind {
		case history.Opened:
			w.streams[at] = &life{opened: o.At}
		case history.Heartbeat:
			if l := w.streams[at]; l != nil && o.Err == history.NoErr {
				w.beats++
				if l.beat != 0 {
					w.gaps += time.Duration(o.At - l.beat)
					w.spaces++
				}
				l.beat = o.At
			}
		case history.Ended:
			why := cmp.Or(names.Name(uint32(o.Err)), "it was not said why")
			if l := w.streams[at]; l != nil {
				w.cuts[why] = cut{w.cuts[why].times + 1, w.cuts[why].lasted + time.Duration(o.At-l.opened)}
			} else {
				w.failed[why]++
			}
			delete(w.streams, at)
		case history.Closed:
			delete(w.streams, at)
		default:
		}
	}
}

// print writes it for a person.
func (w *watched) print(out io.Writer) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	switch {
	case w.beats == 0:
		fmt.Fprint(t, "heartbeats\tnone\n")
	case w.spaces == 0:
		fmt.Fprintf(t, "heartbeats\t%d, at most one on each stream\n", w.beats)
	default:
		fmt.Fprintf(t, "heartbeats\t%d, one every %s on each stream\n", w.beats, run.Brief(w.gaps/time.Duration(w.spaces)))
	}
	if len(w.cuts) == 0 {
		fmt.Fprint(t, "cuts\tnone: no stream was ended by the server or on the way\n")
	}
	for _, why := range mostFirst(w.cuts, func(c cut) int { return c.times }) {
		c := w.cuts[why]
		fmt.Fprintf(t, "cuts\t%s: %s, %s after it was opened on average\n", strconv.Quote(why), times(c.times), run.Brief(c.lasted/time.Duration(c.times)))
	}
	for _, why := range mostFirst(w.failed, func(n int) int { return n }) {
		fmt.Fprintf(t, "not opened\t%s: %s\n", strconv.Quote(why), times(w.failed[why]))
	}
	return t.Flush()
}

// mostFirst returns the keys of what was counted, the most frequent first.
func mostFirst[T any](counted map[string]T, count func(T) int) []string {
	return slices.SortedFunc(maps.Keys(counted), func(a, b string) int {
		return cmp.Or(count(counted[b])-count(counted[a]), strings.Compare(a, b))
	})
}
