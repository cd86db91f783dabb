package report

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"holobench/history"
	"holobench/ordering"
)

// spacetime is the picture of a witness: a line for each client and for the server, time going down, and what travelled
// between them. It is drawn by hand, because charts are no lines of life.
type spacetime struct {
	w      *ordering.Witness
	width  float64
	from   int64 // the time at the top
	to     int64 // at the bottom
	lanes  []lane
	labels []label
	out    strings.Builder
}

// lane is a line of life.
type lane struct {
	client int64 // serverLane = the server's
	name   string
	x      float64
}

const serverLane = -1

// label is a text beside a lane; those of one side are moved apart where they would overlap.
type label struct {
	lane  int
	left  bool
	y     float64
	text  string
	class string
}

// The measures of a picture, in points.
const (
	laneTop      = 44.0
	laneHeight   = 270.0
	laneBottom   = laneTop + laneHeight
	pictureHigh  = laneBottom + 14
	labelSpacing = 14.0
)

// diagram draws a witness, so many points wide.
func diagram(w *ordering.Witness, width float64) template.HTML {
	d := &spacetime{w: w, width: width}
	d.span()
	d.makeLanes()
	fmt.Fprintf(&d.out, `<svg class="spacetime" viewBox="0 0 %g %g" role="img" aria-hidden="true">`, width, pictureHigh)
	for i := range d.lanes {
		l := &d.lanes[i]
		fmt.Fprintf(&d.out, `<line class="life" x1="%.1f" y1="%g" x2="%.1f" y2="%g"/>`, l.x, laneTop-6, l.x, laneBottom)
		for n, word := range strings.Split(l.name, "|") {
			fmt.Fprintf(&d.out, `<text class="name" x="%.1f" y="%d" text-anchor="middle">%s</text>`, l.x, 14+13*n, template.HTMLEscapeString(word))
		}
	}
	d.event(&w.A, letterA)
	d.event(&w.B, letterB)
	d.writeLabels()
	d.out.WriteString(`</svg>`)
	return template.HTML(d.out.String()) // our own drawing, whose texts are escaped
}

// span finds the time that the picture shows: from the first sending to the last arrival.
func (d *spacetime) span() {
	w := d.w
	d.from, d.to = origin(w), origin(w)+1
	for _, v := range []*ordering.View{&w.First, &w.Second} {
		d.to = max(d.to, v.Later.At)
		d.from = min(d.from, v.Earlier.At)
	}
}

// makeLanes puts the server between the two clients, and publishers that are neither at the outside.
func (d *spacetime) makeLanes() {
	w := d.w
	first, second := int64(w.First.Client), int64(w.Second.Client)
	a, b := author(&w.A), author(&w.B)
	order := []int64{first, serverLane, second}
	if a != first && a != second && a != serverLane {
		order = append([]int64{a}, order...)
	}
	if b != first && b != second && b != a && b != serverLane {
		order = append(order, b)
	}
	margin := d.width / 6 // what stands beside the outer lanes must fit
	for i, client := range order {
		l := lane{client: client, name: "server", x: margin + float64(i)*(d.width-2*margin)/float64(len(order)-1)}
		if client != serverLane {
			l.name = fmt.Sprintf("client %d", client)
			var wrote []string
			if client == a {
				wrote = append(wrote, letterA)
			}
			if client == b {
				wrote = append(wrote, letterB)
			}
			if len(wrote) > 0 {
				l.name += "|author of " + strings.Join(wrote, ", ")
			}
		}
		d.lanes = append(d.lanes, l)
	}
}

// author is the lane in which an event begins: that of its publisher, or of the server, as far as anybody knows.
func author(e *ordering.Event) int64 {
	if e.ID.Foreign() {
		return serverLane
	}
	return int64(e.ID.Publisher)
}

func (d *spacetime) lane(client int64) int {
	return slices.IndexFunc(d.lanes, func(l lane) bool { return l.client == client })
}

func (d *spacetime) y(at int64) float64 {
	return laneTop + laneHeight*float64(max(d.from, min(d.to, at))-d.from)/float64(d.to-d.from)
}

// event draws the way of one event: from its publisher to the server, and from there to the two clients.
func (d *spacetime) event(e *ordering.Event, letter string) {
	server, publisher := d.lane(serverLane), d.lane(author(e))
	source, leaves := publisher, started(e)
	if len(e.Dispatched) > 0 {
		first := e.Dispatched[0].At
		d.arrow(letter, publisher, leaves, server, first, "way up")
		d.dot(letter, server, first, first)
		d.labels = append(d.labels, label{lane: server, y: d.y(first) - 6, text: letter, class: letter})
		source, leaves = server, first
	}
	if publisher != server {
		d.label(publisher, publisher < server, started(e), letter, "sent")
	}
	for _, v := range []*ordering.View{&d.w.First, &d.w.Second} {
		for _, o := range []*history.Observation{&v.Earlier, &v.Later} {
			if letterOf(d.w, o) != letter {
				continue
			}
			at := d.lane(int64(v.Client))
			d.arrow(letter, source, leaves, at, o.At, "way down")
			d.dot(letter, at, o.NotBefore, o.At)
			d.label(at, at < server, o.At, letter, o.Path.String())
		}
	}
}

// arrow draws a message with its head.
func (d *spacetime) arrow(letter string, from int, leaves int64, to int, arrives int64, class string) {
	x1, y1, x2, y2 := d.lanes[from].x, d.y(leaves), d.lanes[to].x, d.y(arrives)
	fmt.Fprintf(&d.out, `<line class="%s %s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, class, letter, x1, y1, x2, y2)
}

// dot draws an arrival: a point when it is known exactly, and else a bar over the interval with a point at its end.
func (d *spacetime) dot(letter string, lane int, notBefore, at int64) {
	x, y := d.lanes[lane].x, d.y(at)
	if top := d.y(notBefore); notBefore < at && y-top >= 1 {
		fmt.Fprintf(&d.out, `<line class="interval %s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, letter, x, top, x, y)
	}
	fmt.Fprintf(&d.out, `<circle class="%s" cx="%.1f" cy="%.1f" r="4"/>`, letter, x, y)
}

// label says what happened at a lane and when. In a narrow picture there is room for the time alone; the words stand below
// the picture.
func (d *spacetime) label(lane int, left bool, at int64, letter, what string) {
	text := letter + " " + what + " " + after(d.w, at)
	if d.width < wideWidth {
		text = letter + " " + strings.TrimSuffix(after(d.w, at), " ms")
	}
	d.labels = append(d.labels, label{lane: lane, left: left, y: d.y(at) + 4, text: text, class: letter})
}

// writeLabels moves the labels of each side apart, downwards, and from the bottom up again where they would leave the
// picture.
func (d *spacetime) writeLabels() {
	slices.SortStableFunc(d.labels, func(a, b label) int {
		side := func(l label) int {
			if l.left {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.lane, b.lane), cmp.Compare(side(a), side(b)), cmp.Compare(a.y, b.y))
	})
	for from := 0; from < len(d.labels); {
		to := from + 1
		for to < len(d.labels) && d.labels[to].lane == d.labels[from].lane && d.labels[to].left == d.labels[from].left {
			to++
		}
		spread(d.labels[from:to])
		from = to
	}
	for _, l := range d.labels {
		x, anchor := d.lanes[l.lane].x+9, "start"
		if l.left {
			x, anchor = d.lanes[l.lane].x-9, "end"
		}
		fmt.Fprintf(&d.out, `<text class="%s" x="%.1f" y="%.1f" text-anchor="%s">%s</text>`, l.class, x, l.y, anchor, template.HTMLEscapeString(l.text))
	}
}

func spread(labels []label) {
	for i := 1; i < len(labels); i++ {
		labels[i].y = max(labels[i].y, labels[i-1].y+labelSpacing)
	}
	lowest := laneBottom + 8
	for i := len(labels) - 1; i >= 0; i-- {
		labels[i].y = min(labels[i].y, lowest)
		lowest = labels[i].y - labelSpacing
	}
}
