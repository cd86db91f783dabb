package report

import (
	"time"

	"holobench/history"
)

// whole is the index of the whole run in every table that is kept by window; the windows of the scenario follow it.
const whole = 0

// windows tells to which windows a moment belongs.
type windows struct {
	barrier int64
	named   []history.Window
	load    time.Duration // how long the load lasted; 0 when nobody knows
}

func windowsOf(run *history.Run) windows {
	w := windows{barrier: run.Barrier, named: run.Windows}
	if run.LoadEnd > run.Barrier && run.Barrier > 0 {
		w.load = time.Duration(run.LoadEnd - run.Barrier)
	}
	return w
}

// has says whether the moment lies in the window: in the whole run always, in one of the scenario from its beginning up
// to and without its end.
func (w *windows) has(window int, moment int64) bool {
	if window == whole {
		return true
	}
	since := moment - w.barrier
	return since >= w.named[window-1].From && since < w.named[window-1].To
}

// count is the number of windows, the whole run being one of them.
func (w *windows) count() int { return len(w.named) + 1 }

// name is the name of a window; "" for the whole run.
func (w *windows) name(window int) string {
	if window == whole {
		return ""
	}
	return w.named[window-1].Name
}

// length is how long a window was, cut at the end of the load when that is known; 0 when it is not known.
func (w *windows) length(window int) time.Duration {
	if window == whole {
		return w.load
	}
	from, to := time.Duration(w.named[window-1].From), time.Duration(w.named[window-1].To)
	if w.load > 0 {
		to = min(to, w.load)
	}
	return max(0, to-from)
}
