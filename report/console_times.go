package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"holobench/history"
)

// times prints what took time: all of it for the window that the reader wants to see first, and the main figures of each other. The
// page and summary.json have everything of every window.
func (p *printer) times(r *Report) {
	names := r.windowNames()
	p.timesOf(r, names[0])
	if len(names) > 1 {
		p.timesByWindow(r, names)
	}
}

func (p *printer) timesOf(r *Report, window string) {
	var rows []*Metric
	for i := range r.Metrics {
		m := &r.Metrics[i]
		if m.Type == Trend && m.Count > 0 && m.Tag("window") == window && m.Tag("path") == "" && m.Tag("group") == "" && !m.idle() {
			rows = append(rows, m)
		}
	}
	if len(rows) == 0 {
		return
	}
	p.line("")
	p.line("  " + p.paint(bold, "TIMES") + "  " + clean(windowTitle(window)))
	p.line(fmt.Sprintf("%*s%10s%10s%10s%10s%10s%10s%13s%11s", labelWidth-2, "", "p50", "p90", "p95", "p99", "p99.9", "max", "count", "events"))
	for _, m := range rows {
		p.trend(m)
	}
}

// timesByWindow prints one line a window, the whole run first.
func (p *printer) timesByWindow(r *Report, windows []string) {
	shown := []string{"fanout_latency", "own_latency", "http_req_duration", "sse_connecting"}
	slices.SortStableFunc(windows, func(a, b string) int { return r.place(a) - r.place(b) })
	var heads, sides strings.Builder
	for _, name := range shown {
		fmt.Fprintf(&heads, "%20s", name)
		fmt.Fprintf(&sides, "%10s%10s", "p50", "p99")
	}
	p.line("")
	p.line(fmt.Sprintf("  %s  %-*s%s", p.paint(bold, "TIMES"), labelWidth-11, "by window", heads.String()))
	p.line(strings.Repeat(" ", labelWidth-2) + sides.String())
	for _, w := range windows {
		label := clean(cmp.Or(w, "whole run"))
		var row strings.Builder
		row.WriteString("    " + label + p.paint(grey, strings.Repeat(".", max(3, labelWidth-8-utf8.RuneCountInString(label)))) + ": ")
		for _, name := range shown {
			row.WriteString(p.middleAndTail(r, name, w))
		}
		p.line(row.String())
	}
}

// middleAndTail prints two percentiles of a metric in a window, "-" where it has no value.
func (p *printer) middleAndTail(r *Report, name, window string) string {
	for i := range r.Metrics {
		m := &r.Metrics[i]
		if m.Name != name || m.Count == 0 || m.Tag("window") != window || m.Tag("path") != "" || m.Tag("load") != "" || m.Tag("group") != "" {
			continue
		}
		middle, _ := m.Aggregate("p(50)")
		tail, _ := m.Aggregate("p(99)")
		return fmt.Sprintf("%10s%10s", middle.text(m.Unit), tail.text(m.Unit))
	}
	return fmt.Sprintf("%10s%10s", "-", "-")
}

// place orders windows by where the scenario has them; the whole run is the first.
func (r *Report) place(window string) int {
	return 1 + slices.IndexFunc(r.Run.Windows, func(w history.Window) bool { return w.Name == window })
}

func (p *printer) trend(m *Metric) {
	label := m.Name
	if load := m.Tag("load"); load != "" {
		label += "{load:" + load + "}"
	}
	label = clean(label)
	dots := max(3, labelWidth-8-utf8.RuneCountInString(label))
	var row strings.Builder
	row.WriteString("    " + label + p.paint(grey, strings.Repeat(".", dots)) + ": ")
	for _, name := range []string{"p(50)", "p(90)", "p(95)", "p(99)", "p(99.9)", "max"} {
		v, _ := m.Aggregate(name)
		fmt.Fprintf(&row, "%10s", v.text(m.Unit))
	}
	p.line(row.String() + fmt.Sprintf("%13s%11s", thousands(m.Count), m.eventCount()))
}

// eventCount prints how many events stand behind the values, "-" where there are none to speak of.
func (m *Metric) eventCount() string {
	if m.Events == 0 {
		return "-"
	}
	return thousands(m.Events)
}

// windowNames are the windows of the scenario and "" for the whole run: the main one first, then in the order of time. The steps of
// a search are not among them.
func (r *Report) windowNames() []string {
	names := []string{r.mainWindow()}
	if names[0] != "" {
		names = append(names, "")
	}
	for _, w := range r.Run.Windows {
		if w.Name != names[0] && !r.isStep(w.Name) {
			names = append(names, w.Name)
		}
	}
	return names
}

func windowTitle(window string) string {
	if window == "" {
		return "whole run"
	}
	return "window " + window
}
