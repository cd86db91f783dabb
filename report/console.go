package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Console prints the summary of a run as k6 does: the verdict, the budgets, then the totals. With colour it uses ANSI
// escapes. Control bytes of foreign text are taken out. An error is one of w.
func (r *Report) Console(w io.Writer, colour bool) error {
	p := printer{w: bufio.NewWriter(w), colour: colour}
	p.head(r)
	p.budgets(r)
	p.guarantees(r)
	p.capacity(r)
	p.checks(r)
	p.views(r)
	p.faults(r)
	p.order(r)
	p.cures(r)
	p.promises(r)
	p.times(r)
	p.groups(r)
	p.totals(r)
	p.troubles(r)
	p.line("")
	if err := p.w.Flush(); err != nil {
		return fmt.Errorf("print the summary: %w", err)
	}
	return nil
}

// labelWidth is where the values begin; k6 has about the same.
const labelWidth = 44

type printer struct {
	w      *bufio.Writer
	colour bool
}

func (p *printer) line(text string) {
	p.w.WriteString(strings.TrimRight(text, " ") + "\n") //nolint:errcheck // Flush returns the first error
}

// The colours, as ANSI has them.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	grey   = "90"
	bold   = "1"
)

func (p *printer) paint(colour, text string) string {
	if !p.colour {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// mark is the sign of a verdict.
func (p *printer) mark(v Verdict) string {
	switch v {
	case Held:
		return p.paint(green, "✓")
	case Violated:
		return p.paint(red, "✗")
	case Unknown:
	}
	return p.paint(yellow, "?")
}

// dotted prints a label, dotted leaders, and a value.
func (p *printer) dotted(mark, label, value string) {
	const indent = 4
	label = clean(label)
	left, width := strings.Repeat(" ", indent)+label, labelWidth-indent
	if mark != "" {
		left = strings.Repeat(" ", indent) + mark + " " + label
		width -= 2
	}
	dots := max(3, width-utf8.RuneCountInString(label))
	p.line(left + p.paint(grey, strings.Repeat(".", dots)) + ": " + value)
}

func (p *printer) head(r *Report) {
	word, sentence := r.Headline()
	hue := green
	switch r.Exit() {
	case ExitHeld:
	case ExitUnknown:
		hue = yellow
	default:
		hue = red
	}
	p.line("")
	if ties := r.Ties(); ties != "" {
		p.line("  " + p.paint(yellow, clean(ties)))
	}
	p.line("  " + p.paint(bold+";"+hue, word) + "  " + clean(sentence))
	p.line("  " + r.Sentence())
	if sentence := r.OrderSentence(); sentence != "" {
		p.line("  " + sentence)
	}
	if ending := r.Ending(); ending != "" {
		p.line("  " + p.paint(red, clean(ending)))
	}
	p.line("  " + p.paint(grey, clean(fmt.Sprintf("%s: %s, seed %d", r.Run.Name, r.Subject(), r.Run.Seed))))
	for _, warning := range r.Warnings {
		p.line("  " + p.paint(yellow, "warning: "+clean(warning)))
	}
	for _, note := range r.Notes {
		p.line("  " + p.paint(grey, "note: "+clean(note)))
	}
}

func (p *printer) budgets(r *Report) {
	if len(r.Budgets) == 0 {
		return
	}
	p.line("")
	p.line("  " + p.paint(bold, "BUDGETS"))
	last := ""
	for i := range r.Budgets {
		j := &r.Budgets[i]
		if j.Metric != last {
			p.line("")
			p.line("    " + clean(j.Metric))
			last = j.Metric
		}
		p.line("    " + p.mark(j.Verdict) + " " + clean(j.Threshold) + "  " + p.outcome(j.Verdict, j.Outcome()))
	}
}

// outcome prints what was measured in the colour of its verdict.
func (p *printer) outcome(v Verdict, text string) string {
	switch v {
	case Held:
		return clean(text)
	case Violated:
		return p.paint(red, clean(text))
	case Unknown:
	}
	return p.paint(yellow, clean(text))
}

func (p *printer) checks(r *Report) {
	if len(r.Checks) == 0 {
		return
	}
	p.line("")
	p.line("  " + p.paint(bold, "COUNTS"))
	p.line("")
	for i := range r.Checks {
		c := &r.Checks[i]
		mark := p.mark(Held)
		if !c.Agree {
			mark = p.mark(Violated)
		}
		p.dotted(mark, c.Name, c.text())
	}
}

// text prints the sides of a check: "6,012 sent = 6,012 accepted".
func (c *Check) text() string {
	sign := " = "
	if !c.Agree {
		sign = " ≠ "
	}
	sides := make([]string, len(c.Sides))
	for i, s := range c.Sides {
		sides[i] = thousands(s.Count) + " " + s.Who
	}
	text := strings.Join(sides, sign)
	if c.Note != "" {
		text += " (" + c.Note + ")"
	}
	return text
}

// totals prints what was counted, over the whole run.
func (p *printer) totals(r *Report) {
	p.line("")
	p.line("  " + p.paint(bold, "TOTALS"))
	p.line("")
	for _, m := range r.totals() {
		p.dotted("", m.String(), m.total())
	}
}

// totals are the figures that count something, over the whole run. Where clients only looked on, most of them speak of what nobody did:
// those that counted nothing are left out.
func (r *Report) totals() []*Metric {
	var all []*Metric
	looked := r.lookedOn()
	for i := range r.Metrics {
		m := &r.Metrics[i]
		if m.Type == Trend || m.Tag("window") != "" || hasSection(m.Name) {
			continue
		}
		if nothing := m.Count == 0 || m.Type == Counter && m.Values[0].Value == 0; !looked || !nothing {
			all = append(all, m)
		}
	}
	return all
}

// lookedOn says whether no command was ever due: the clients listened, and nothing else.
func (r *Report) lookedOn() bool {
	m := r.find(DroppedIterations, nil)
	return m != nil && m.Count == 0
}

// total prints the one or two values of a metric that counts.
func (m *Metric) total() string {
	if m.Count == 0 {
		return "no data"
	}
	text := formatValue(m.Values[0].Value, m.Unit)
	if len(m.Values) > 1 {
		text += "  " + significant(m.Values[1].Value) + "/s"
	}
	return text
}

func (p *printer) troubles(r *Report) {
	if len(r.Troubles) == 0 {
		return
	}
	p.line("")
	p.line("  " + p.paint(bold, "WHAT WENT WRONG"))
	p.line("")
	for _, t := range r.Troubles {
		label := t.Kind
		if t.Reason != "" {
			label += ": " + t.Reason
		}
		p.dotted("", label, thousands(t.Count))
	}
}
