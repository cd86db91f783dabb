package report

import (
	"fmt"
	"html/template"
	"math"
	"time"
)

// The x axis of latency percentiles runs from 50 % to 99.999 %, each further nine as wide as the last.
const (
	tailFrom = 0.3010299956639812 // -log10(1 - 50 %)
	tailTo   = 5                  // -log10(1 - 99.999 %)
)

// figure is a chart as the page shows it: drawn twice, because text that is right on a wide screen is too small to read
// on a telephone.
type figure struct {
	Title   string
	Caption string
	Legend  []legendEntry
	Wide    template.HTML
	Narrow  template.HTML
}

type legendEntry struct {
	Class string
	Name  string
}

// figures draws the charts of the page; one without data is left out.
func (r *Report) figures() ([]figure, error) {
	var list []figure
	for _, c := range []struct {
		chart   chart
		caption string
	}{
		{r.latencyChart(), "From due to arrival. Each step to the right is ten times rarer. Dashed: fewer than " +
			fmt.Sprint(ThinTail) + " events lie there, so that the next run may differ much."},
		{r.throughputChart(), "Arrivals at all clients, by time since all were subscribed." + r.leftOut()},
		{r.timeChart(), "Fan-out latency of the deliveries that arrived in each second."},
	} {
		if len(c.chart.curves) == 0 {
			continue
		}
		f, err := c.chart.figure(c.caption)
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, nil
}

// The widths for which everything is drawn, in points.
const (
	wideWidth   = 760
	narrowWidth = 360
)

// figure draws the chart.
func (c *chart) figure(caption string) (figure, error) {
	f := figure{Title: c.title, Caption: caption}
	for _, curve := range c.curves {
		f.Legend = append(f.Legend, legendEntry{className(curve.hue), curve.name})
	}
	wide, err := c.svg(wideWidth, 300)
	if err != nil {
		return figure{}, err
	}
	narrow, err := c.svg(narrowWidth, 280)
	if err != nil {
		return figure{}, err
	}
	f.Wide, f.Narrow = template.HTML(wide), template.HTML(narrow) // our own drawing, whose texts the library escapes
	return f, nil
}

// className is the class of the style sheet that has the colour of a curve.
func className(h hue) string {
	switch h {
	case hueSecond:
		return "second"
	case hueThird:
		return "third"
	default:
		return "first"
	}
}

// mainWindow is the window that a reader wants to see first: "steady" when there is one with data, else the whole run.
func (r *Report) mainWindow() string {
	if load := searchOf(&r.Run); load != nil && load.Capacity.Held != "" {
		return load.Capacity.Held
	}
	if m := r.find(FanoutLatency, map[string]string{"window": "steady"}); m != nil && m.Count > 0 {
		return "steady"
	}
	return ""
}

func (r *Report) latencyChart() chart {
	return r.percentileChart("Latency percentiles", []percentileLine{
		{FanoutLatency, "all", hueFirst}, {OtherLatency, "at other clients", hueSecond}, {OwnLatency, "at the sender itself", hueThird},
	})
}

// percentileLine is a curve of a percentileChart.
type percentileLine struct {
	metric, name string
	hue          hue
}

// percentileChart draws times by percentile, in the window that a reader wants to see first; one without data is left out.
func (r *Report) percentileChart(title string, lines []percentileLine) chart {
	window := r.mainWindow()
	c := chart{
		title: title + ", " + windowTitle(window), xLabel: "percentile", yLabel: "latency, ms", xMin: tailFrom, xMax: tailTo,
		xTicks: []tick{{tailFrom, "50"}, {1, "90"}, {2, "99"}, {3, "99.9"}, {4, "99.99"}, {5, "99.999"}},
	}
	tags := map[string]string{}
	if window != "" {
		tags["window"] = window
	}
	for _, line := range lines {
		m := r.find(line.metric, tags)
		if m == nil || m.Count == 0 {
			continue
		}
		tail := m.tailCurve(line.name, line.hue)
		tail.thick = line.metric == FanoutLatency // which runs nearly under that of the others
		c.curves = append(c.curves, tail)
	}
	end := tailFrom
	for _, curve := range c.curves {
		end = max(end, curve.points[len(curve.points)-1].x)
	}
	if c.xMax = min(tailTo, math.Ceil(end)); c.xMax <= c.xMin {
		c.xMax = 1
	}
	return c
}

// tailCurve is the latency by percentile, up to the percentile that a single delivery makes up.
func (m *Metric) tailCurve(name string, h hue) curve {
	const steps = 80
	c := curve{name: name, hue: h}
	for i := range steps + 1 {
		x := tailFrom + (tailTo-tailFrom)*float64(i)/steps
		above := math.Pow(10, -x)
		if i > 0 && above*float64(m.Count) < 1 {
			break
		}
		v := m.percentile("", 100*(1-above))
		if v.Thin && c.dashedFrom == 0 {
			c.dashedFrom = max(1, i)
		}
		c.points = append(c.points, point{x, v.Value})
	}
	return c
}

// overTime is a chart over the time since the barrier, with the windows as bands.
func (r *Report) overTime(title, yLabel string) chart {
	c := chart{title: title, xLabel: "seconds since all were subscribed", yLabel: yLabel}
	for _, m := range r.Timeline {
		c.xMax = (m.From + m.Length).Seconds()
	}
	c.bands = r.faultBands(c.xMax)
	for _, w := range r.Run.Windows {
		if r.ofFault(w.Name) {
			continue // its turns are there
		}
		from, to := time.Duration(w.From).Seconds(), time.Duration(w.To).Seconds()
		if from < c.xMax {
			c.bands = append(c.bands, band{w.Name, max(0, from), min(to, c.xMax), w.Name == "warmup"})
		}
	}
	return c
}

func (r *Report) throughputChart() chart {
	c := r.overTime("Fan-out throughput", "deliveries a second")
	line := curve{name: "deliveries a second", hue: hueFirst}
	for i, m := range r.Timeline {
		middle := (m.From + m.Length/2).Seconds()
		if i == len(r.Timeline)-1 && len(line.points) > 0 {
			continue // the last bin is cut by the end of the run: it would show a fall that was none
		}
		line.points = append(line.points, point{middle, m.PerSecond})
	}
	if len(line.points) > 0 {
		c.curves = append(c.curves, line)
	}
	return c
}

// leftOut says that the curve of the throughput ends sooner than that of the latency, where it does.
func (r *Report) leftOut() string {
	if len(r.Timeline) < 2 {
		return ""
	}
	return " The last point is left out, since the end of the run cuts its time short; latency over time has it."
}

func (r *Report) timeChart() chart {
	c := r.overTime("Latency over time", "latency, ms")
	p99, p50 := curve{name: "p99", hue: hueSecond}, curve{name: "p50", hue: hueFirst}
	for _, m := range r.Timeline {
		if m.Deliveries == 0 {
			continue
		}
		middle := (m.From + m.Length/2).Seconds()
		p50.points = append(p50.points, point{middle, ms(float64(m.P50))})
		p99.points = append(p99.points, point{middle, ms(float64(m.P99))})
	}
	if len(p50.points) > 0 {
		c.curves = append(c.curves, p99, p50)
	}
	return c
}
