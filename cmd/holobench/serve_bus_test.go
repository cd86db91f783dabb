package main

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"testing"

	"holobench/target"
)

// TestANodeHeedsItsInput: faults come over standard input, one a line; what is none is told, counted, and does no harm, and the node
// ends with its input.
func TestANodeHeedsItsInput(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	bus := target.NewFaultyBus(target.NewMemoryBus(target.MemoryBusOptions{}).Node(1), 1, target.MemoryCounters())
	o := target.Options{Bus: bus, Counters: target.MemoryCounters(), Logger: slog.New(slog.NewTextHandler(&said, nil))}
	input := "nonsense\n" + `{"name":"cut","kind":"cut","links":[[2,1]],"law":{}}` + "\n" + `{"name":"cut"}` + "\n" + strings.Repeat("x", 2*maxOrder) + "\nbehind\n"
	whole, end := untilStdinCloses(t.Context(), io.NopCloser(strings.NewReader(input)), heedBusFaults(&o))
	defer end()
	<-whole.Done()
	if got := o.Counters.Get(target.BusFailed); got != 2 || strings.Count(said.String(), "was not understood") != 2 {
		t.Errorf("%d faults were not understood, and it said:\n%s", got, said.String())
	}
	if heedBusFaults(new(target.Options)) != nil {
		t.Error("a node without a bus heeds faults of one")
	}
}
