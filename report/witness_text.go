package report

import (
	"bufio"
	"fmt"
	"io"
)

// WitnessText prints what proves that clients disagreed: for each class the divergent pairs with the largest, the median and
// the smallest margin. Without any it says out of how many pairs none diverged. With colour it uses ANSI escapes. An error is
// one of w.
func (r *Report) WitnessText(w io.Writer, colour bool) error {
	p := printer{w: bufio.NewWriter(w), colour: colour}
	o := &r.Order.Overall
	p.line("")
	p.line("  " + p.paint(bold, clean(fmt.Sprintf("%s: %s of %s came in two orders", r.Run.Name, thousands(int64(o.All.Divergent)),
		plural(int64(o.All.AtRisk), "at-risk pair")))))
	p.line("  " + p.paint(grey, r.pairsTitle()+"."))
	p.line("  " + p.paint(grey, "Noise floor "+r.noiseText()+"."))
	p.line("  " + p.paint(grey, "Times count from the first sending of the two."))
	for _, explained := range r.witnesses() {
		p.witness(&explained)
	}
	p.line("")
	if err := p.w.Flush(); err != nil {
		return fmt.Errorf("print the witnesses: %w", err)
	}
	return nil
}

func (p *printer) witness(w *witness) {
	p.line("")
	p.line("  " + p.paint(bold, clean(w.Title)))
	for _, e := range w.Events {
		p.line("")
		p.line("    " + p.paint(bold, e.Letter) + "  " + clean(e.Name) + "  " + clean(e.Facts))
		p.line("       " + p.paint(grey, clean(e.Payload)))
	}
	for _, v := range w.Views {
		p.line("")
		p.line("    " + clean(v.Who+", "+v.Order))
		for _, seen := range v.Seen {
			p.line("       " + clean(seen))
		}
		p.line("       " + p.paint(grey, clean(v.Margin)))
	}
	p.line("")
	if w.Server != "" {
		p.line("    " + clean(w.Server) + ".")
	}
	p.line("    " + clean(w.Verdict) + ".")
}
