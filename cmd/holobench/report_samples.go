package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"time"

	"holobench/history"
)

// writeSamples writes the latencies of a run, from due to delivery, to a file that an amount of a scenario can be drawn from: one a
// line, in the order of the history.
func writeSamples(dir, path string) error {
	h, err := history.Open(dir)
	if err != nil {
		return noRun(err)
	}
	file, err := os.Create(path)
	if err != nil {
		return failed(err)
	}
	out := bufio.NewWriter(file)
	fmt.Fprintf(out, "# Latencies of the run %s (%s), from due to delivery.\n", h.Run.Name, h.Run.Started.Format(time.RFC3339))
	err = h.Scan(func(batch []history.Observation) error {
		for i := range batch {
			if o := &batch[i]; o.Kind == history.Delivered && o.Due != 0 && o.At >= o.Due {
				fmt.Fprintln(out, time.Duration(o.At-o.Due))
			}
		}
		return nil
	})
	return failed(errors.Join(err, out.Flush(), file.Close()))
}
