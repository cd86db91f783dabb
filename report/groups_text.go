package report

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"holobench/ordering"
)

// groupRow is one line of the tables that lay groups side by side.
type groupRow struct {
	Name    string
	Times   [][2]string // p50 and p99 of each of groupTimes
	timed   bool        // one of them is known
	Classes [][]string  // divergent and at risk of each class; nil = nothing is known of their order
}

// groupTimes are the times that the table has.
func groupTimes() []string {
	return []string{OwnLatency, OtherLatency, HTTPReqDuration, ConnectionWait}
}

// groupRows are a line for each group: its times in the main window, and the order that it saw over the whole run.
func (r *Report) groupRows() []groupRow {
	var rows []groupRow
	for _, g := range r.groups {
		row := groupRow{Name: fmt.Sprintf("%s (%s)", g.Name, plural(int64(g.Count), "client"))}
		for _, name := range groupTimes() {
			times, known := r.timeOf(g, name)
			row.Times, row.timed = append(row.Times, times), row.timed || known
		}
		if g.found != nil {
			for _, class := range classes(&g.found.Overall.Classes) {
				row.Classes = append(row.Classes, []string{thousands(int64(class.pairs.Divergent)), thousands(int64(class.pairs.AtRisk))})
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// timeOf is the middle and the tail of a time of a group in the main window, dashes where there is none.
func (r *Report) timeOf(g *group, name string) (times [2]string, known bool) {
	tags := map[string]string{"group": g.Name}
	if window := r.mainWindow(); window != "" {
		tags["window"] = window
	}
	m := r.find(name, tags)
	if m == nil {
		return [2]string{"-", "-"}, false
	}
	middle, tail := m.percentile("p(50)", 50), m.percentile("p(99)", 99)
	return [2]string{middle.text(m.Unit), tail.text(m.Unit)}, true
}

// groups prints two tables with a line for each group.
func (p *printer) groups(r *Report) {
	rows := r.groupRows()
	if len(rows) == 0 {
		return
	}
	if slices.ContainsFunc(rows, func(row groupRow) bool { return row.timed }) { // who only looks on has none
		p.line("")
		p.groupsHead("times of "+windowTitle(r.mainWindow()), groupTimes(), "p50", "p99")
		for i := range rows {
			var cells strings.Builder
			for _, times := range rows[i].Times {
				fmt.Fprintf(&cells, "%10s%10s", times[0], times[1])
			}
			p.line(p.groupsLabel(&rows[i]) + cells.String())
		}
	}
	ordered := false
	for i := range rows {
		if len(rows[i].Classes) == 0 {
			continue
		}
		if !ordered {
			p.line("")
			p.groupsHead("order, whole run", []string{ordering.OriginatorObserver.String(), ordering.ObserverObserver.String()}, "divergent", "at risk")
			ordered = true
		}
		var cells strings.Builder
		for _, class := range rows[i].Classes {
			fmt.Fprintf(&cells, "%10s%10s", class[0], class[1])
		}
		p.line(p.groupsLabel(&rows[i]) + cells.String())
	}
}

// groupsHead prints the head of a table with two columns for each name.
func (p *printer) groupsHead(title string, names []string, first, second string) {
	var heads, sides strings.Builder
	for _, name := range names {
		fmt.Fprintf(&heads, "%20s", name)
		fmt.Fprintf(&sides, "%10s%10s", first, second)
	}
	p.line(fmt.Sprintf("  %s  %-*s%s", p.paint(bold, "GROUPS"), labelWidth-12, clean(title), heads.String()))
	p.line(strings.Repeat(" ", labelWidth-2) + sides.String())
}

func (p *printer) groupsLabel(row *groupRow) string {
	label := clean(row.Name)
	return "    " + label + p.paint(grey, strings.Repeat(".", max(3, labelWidth-8-utf8.RuneCountInString(label)))) + ": "
}
