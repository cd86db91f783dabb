package report

import (
	"fmt"
	"strconv"
	"strings"

	"holobench/history"
)

// converged is the figure of the views that clients fetched at the end: the share of them that have the view which most have
// of their thing. Who got none has not.
func converged(run *history.Run) []Metric {
	c := run.Convergence
	if c == nil {
		return nil
	}
	return []Metric{share(Converged, Gauge, nil, int64(c.Alike), int64(c.Clients))}
}

// viewVerdict says whether all views are the same.
func viewVerdict(c *history.Convergence) Verdict {
	switch {
	case len(c.Differing) > 0:
		return Violated
	case c.Failed > 0 || c.Clients == 0:
		return Unknown
	}
	return Held
}

// viewSentence says what clients found who fetched their views.
func viewSentence(c *history.Convergence) string {
	text := fmt.Sprintf("%s of %s of %s have the view of most", thousands(int64(c.Alike)), plural(int64(c.Clients), "client"), plural(int64(c.Things), "thing"))
	if c.Failed > 0 {
		text += fmt.Sprintf("; %s got none (%s)", thousands(int64(c.Failed)), c.Reason)
	}
	return text
}

// differences says of each thing with more than one view who differs, and where.
func differences(c *history.Convergence) []pageFact {
	var list []pageFact
	for i := range c.Differing {
		d := &c.Differing[i]
		list = append(list, pageFact{d.Thing, fmt.Sprintf("%d views: %s; first difference at byte %s: %s for most, %s at client %d",
			d.Views, whoDiffers(d), thousands(int64(d.Offset)), d.Most, d.First, d.Clients[0])})
	}
	return list
}

// whoDiffers names the clients that have not the view of most.
func whoDiffers(d *history.Difference) string {
	names := make([]string, len(d.Clients))
	for i, client := range d.Clients {
		names[i] = strconv.FormatUint(uint64(client), 10)
	}
	text := "client " + names[0] + " differs"
	if len(names) > 1 {
		text = "clients " + strings.Join(names, ", ") + " differ"
	}
	if more := d.Others - len(names); more > 0 {
		text = "clients " + strings.Join(names, ", ") + " and " + thousands(int64(more)) + " more differ"
	}
	return text
}

// converge judges the promise that all replicas which have seen the last change of a document are equal.
func (r *Report) converge(promised string) Promise {
	p := Promise{Name: convergeName, Promised: promised, State: Untested}
	compared, differing, behind := int64(0), int64(0), int64(0)
	for i := range r.Run.Documents {
		d := &r.Run.Documents[i]
		behind += int64(d.Behind)
		if d.Newest > 0 && d.Clients-d.Behind > 1 {
			compared++
		}
		if d.Views > 1 {
			differing++
		}
	}
	p.Seen = fmt.Sprintf("%s of %s differ between clients that have seen the last change; %s behind", thousands(differing), plural(compared, "document"),
		plural(behind, "replica"))
	switch {
	case differing > 0:
		p.State = Broken
	case compared > 0:
		p.State = Kept
	}
	return p
}

// views prints what clients found who fetched their views at the end.
func (p *printer) views(r *Report) {
	c := r.Run.Convergence
	if c == nil {
		return
	}
	p.line("")
	p.line("  " + p.paint(bold, "VIEWS") + "  " + clean(viewSentence(c)))
	p.line("")
	p.dotted(p.mark(viewVerdict(c)), c.Get, clean("by "+c.Compare))
	for _, d := range differences(c) {
		p.dotted("", d.Name, clean(d.Value))
	}
}

// pageViews is what clients found who fetched their views at the end.
type pageViews struct {
	pageCheck

	Differing []pageFact
}

func (r *Report) pageViews() *pageViews {
	c := r.Run.Convergence
	if c == nil {
		return nil
	}
	verdict := viewVerdict(c)
	return &pageViews{pageCheck{string(verdict), verdictMark(verdict), c.Get, viewSentence(c) + ", by " + c.Compare}, differences(c)}
}
