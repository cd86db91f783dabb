package report

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// chart is what a plot shows. The curves and bands of one chart share its axes, which begin at 0.
type chart struct {
	title  string // for those who do not see it
	xLabel string
	yLabel string
	xMin   float64
	xMax   float64
	xTicks []tick // nil = every so often
	curves []curve
	bands  []band
}

type tick struct {
	at    float64
	label string
}

// curve is a line; from the point number dashedFrom on it is dashed, because there it stands on too little.
type curve struct {
	name       string
	hue        hue
	thick      bool // so that it can be seen under another one
	points     []point
	dashedFrom int
}

type point struct{ x, y float64 }

// band is a named stretch of the x axis, shaded or only bordered.
type band struct {
	name     string
	from, to float64
	shaded   bool
}

// hue is one of the colours of a page: its style sheet says which, by day and by night. The number is a placeholder that
// nothing else in an SVG contains.
type hue uint8

const (
	hueText hue = iota + 1
	hueGrid
	hueBand
	hueFirst
	hueSecond
	hueThird
)

func (h hue) placeholder() color.Color { return color.NRGBA{R: 1, G: 2, B: byte(h), A: 255} }

// variables replaces the placeholders of a drawing by variables of the style sheet. gonum/plot draws for paper: without
// this a chart would be black on black at night.
func variables() *strings.Replacer {
	var pairs []string
	for h, name := range []string{"text", "grid", "band", "first", "second", "third"} {
		pairs = append(pairs, fmt.Sprintf("#0102%02X", h+1), "var(--"+name+")")
	}
	pairs = append(pairs, "font-family:Liberation Sans;", "", "font-variant:none;", "", "font-variant:normal;", "",
		"font-weight:normal;", "", "font-style:normal;", "")
	return strings.NewReplacer(pairs...)
}

// svg draws the chart, width x height points large, as an SVG element that scales with the page around it.
func (c *chart) svg(width, height float64) (string, error) {
	p := plot.New()
	p.BackgroundColor = color.Transparent
	c.axes(p, width)
	c.addBands(p)
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = hueGrid.placeholder(), hueGrid.placeholder()
	p.Add(grid)
	for _, curve := range c.curves {
		if err := curve.add(p); err != nil {
			return "", fmt.Errorf("draw the chart %q: %w", c.title, err)
		}
	}
	p.X.Min, p.X.Max = c.xMin, c.xMax
	p.Y.Min, p.Y.Max = 0, c.top()
	c.nameBands(p)

	canvas := vgsvg.New(vg.Points(width), vg.Points(height))
	// The last label of an axis stands with its middle at the end of it: without a margin it is cut.
	p.Draw(draw.Crop(draw.New(canvas), 0, -vg.Points(22), 0, -vg.Points(6)))
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return "", fmt.Errorf("draw the chart %q: %w", c.title, err)
	}
	_, element, _ := strings.Cut(out.String(), "<svg")
	_, body, ok := strings.Cut(element, ">")
	if !ok {
		return "", fmt.Errorf("draw the chart %q: the library wrote no SVG", c.title)
	}
	return fmt.Sprintf(`<svg viewBox="0 0 %g %g" role="img" aria-hidden="true">`, width, height) + variables().Replace(body), nil
}

// axes sets the style of both axes.
func (c *chart) axes(p *plot.Plot, width float64) {
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Color, axis.Tick.Color = hueGrid.placeholder(), hueGrid.placeholder()
		axis.Padding, axis.Label.Padding = 0, vg.Points(6) // a browser's font is wider than the one that was measured with
		for _, style := range []*draw.TextStyle{&axis.Label.TextStyle, &axis.Tick.Label} {
			style.Color, style.Font.Variant, style.Font.Size = hueText.placeholder(), "Sans", 11
		}
	}
	p.X.Label.Text, p.Y.Label.Text = c.xLabel, c.yLabel
	p.X.Tick.Marker = plot.TickerFunc(func(from, to float64) []plot.Tick { return even(from, to, int(width/80)) })
	p.Y.Tick.Marker = plot.TickerFunc(func(from, to float64) []plot.Tick { return even(from, to, 6) })
	if c.xTicks != nil {
		ticks := make([]plot.Tick, len(c.xTicks))
		for i, t := range c.xTicks {
			ticks[i] = plot.Tick{Value: t.at, Label: t.label}
		}
		p.X.Tick.Marker = plot.ConstantTicks(ticks)
	}
}

// even puts at most so many ticks at round numbers.
func even(from, to float64, most int) []plot.Tick {
	step := roundStep((to - from) / float64(max(2, most)))
	var ticks []plot.Tick
	for n := math.Ceil(from / step); n*step <= to*(1+1e-9) && len(ticks) < 50; n++ {
		ticks = append(ticks, plot.Tick{Value: n * step, Label: significant(n * step)})
	}
	return ticks
}

// roundStep is the smallest of 1, 2 and 5 times a power of ten that is not below step.
func roundStep(step float64) float64 {
	if step <= 0 || math.IsNaN(step) || math.IsInf(step, 0) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(step)))
	for _, factor := range []float64{1, 2, 5} {
		if factor*power >= step {
			return factor * power
		}
	}
	return 10 * power
}

// top is the upper end of the y axis: a little above the highest point.
func (c *chart) top() float64 {
	highest := 0.0
	for _, curve := range c.curves {
		for _, p := range curve.points {
			highest = max(highest, p.y)
		}
	}
	if highest == 0 {
		return 1
	}
	return highest * 1.12
}

func (c *curve) add(p *plot.Plot) error {
	solid, dashed := c.points, c.points[:0]
	if c.dashedFrom > 0 && c.dashedFrom < len(c.points) {
		solid, dashed = c.points[:c.dashedFrom], c.points[c.dashedFrom-1:]
	}
	for i, part := range [][]point{solid, dashed} {
		if len(part) == 0 {
			continue
		}
		xys := make(plotter.XYs, len(part))
		for j, at := range part {
			xys[j] = plotter.XY{X: at.x, Y: at.y}
		}
		line, err := plotter.NewLine(xys)
		if err != nil {
			return err
		}
		line.Color, line.Width = c.hue.placeholder(), vg.Points(1.8)
		if c.thick {
			line.Width = vg.Points(4)
		}
		if i == 1 {
			line.Dashes = []vg.Length{vg.Points(2), vg.Points(3)}
		}
		p.Add(line)
	}
	return nil
}

func (c *chart) addBands(p *plot.Plot) {
	top := c.top()
	for _, b := range c.bands {
		if b.to <= b.from {
			continue
		}
		area, err := plotter.NewPolygon(plotter.XYs{{X: b.from, Y: 0}, {X: b.to, Y: 0}, {X: b.to, Y: top}, {X: b.from, Y: top}})
		if err != nil {
			continue // it only decorates
		}
		area.LineStyle = draw.LineStyle{Color: hueGrid.placeholder(), Width: vg.Points(1), Dashes: []vg.Length{vg.Points(4), vg.Points(3)}}
		if b.shaded {
			area.Color = hueBand.placeholder()
		}
		p.Add(area)
	}
}

// nameBands writes the name of each band at its top.
func (c *chart) nameBands(p *plot.Plot) {
	var labels plotter.XYLabels
	for _, b := range c.bands {
		labels.XYs = append(labels.XYs, plotter.XY{X: b.from, Y: p.Y.Max})
		labels.Labels = append(labels.Labels, clip(clean(b.name), 24))
	}
	names, err := plotter.NewLabels(labels)
	if err != nil {
		return // there is none
	}
	for i := range names.TextStyle {
		style := &names.TextStyle[i]
		style.Color, style.Font.Variant, style.Font.Size = hueText.placeholder(), "Sans", 10
		style.YAlign = draw.YTop
	}
	names.Offset = vg.Point{X: vg.Points(4), Y: vg.Points(-3)}
	p.Add(names)
}

// clip shortens a text to so many characters.
func clip(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
