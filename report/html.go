package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"

	"holobench/history"
)

//go:embed page.html
var pageText string

// page is what page.html shows. Everything but the charts is text, which html/template escapes for where it stands.
type page struct {
	Title, Word, Class string
	Ties, Headline     string
	Sentence, Ending   string
	OrderSentence      string
	Subject            string
	Warnings, Notes    []string
	Budgets            []pageBudget
	Guarantees         []pageCheck
	Capacity           *pageCapacity
	Views              *pageViews
	Faults             []pageFault
	Order              *pageOrder
	Cures              *pageCures
	Promises           []pageCheck
	Charts             []figure
	Windows            []pageWindow
	Checks             []pageCheck
	Totals             []pageFact
	Troubles           []pageFact
	Health             []pageHealth
	Groups             []groupRow
	GroupTimes         []string
	GroupsTitle        string
	Provenance         []pageFact
	ScenarioFile       string
	ScenarioText       string
	Protocol           *history.Protocol // nil = none
	Thin               int
}

type pageBudget struct{ Class, Mark, Metric, Threshold, Outcome string }

type pageWindow struct {
	Title string
	Rows  []pageTrend
}

type pageTrend struct {
	Name   string
	Values []string
	Count  string
	Events string
}

type pageCheck struct{ Class, Mark, Name, Text string }

type pageFact struct{ Name, Value string }

type pageHealth struct{ Name, Mean, Max string }

// HTML is the report as one page that needs nothing but itself: no script, no font, no image, no request to any host.
func (r *Report) HTML() ([]byte, error) {
	t, err := template.New("page.html").Parse(pageText)
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", PageFile, err)
	}
	data, err := r.page()
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", PageFile, err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		return nil, fmt.Errorf("make %s: %w", PageFile, err)
	}
	return out.Bytes(), nil
}

func (r *Report) page() (*page, error) {
	word, headline := r.Headline()
	p := &page{
		Title: r.Run.Name, Word: word, Class: "held", Ties: r.Ties(), Headline: headline, Sentence: r.Sentence(), OrderSentence: r.OrderSentence(), Ending: r.Ending(), Subject: r.Subject(),
		Warnings: r.Warnings, Notes: r.Notes, ScenarioFile: r.Run.Scenario.File, ScenarioText: r.Run.Scenario.Text, Protocol: r.Run.Scenario.Protocol, Thin: ThinTail,
		Provenance: r.provenance(),
	}
	switch r.Exit() {
	case ExitHeld:
	case ExitUnknown:
		p.Class = "unknown"
	default:
		p.Class = "violated"
	}
	for i := range r.Budgets {
		j := &r.Budgets[i]
		p.Budgets = append(p.Budgets, pageBudget{string(j.Verdict), verdictMark(j.Verdict), j.Metric, j.Threshold, j.Outcome()})
	}
	for i := range r.Checks {
		c := &r.Checks[i]
		verdict := Held
		if !c.Agree {
			verdict = Violated
		}
		p.Checks = append(p.Checks, pageCheck{string(verdict), verdictMark(verdict), c.Name, c.text()})
	}
	for _, t := range r.Troubles {
		name := t.Kind
		if t.Reason != "" {
			name += ": " + t.Reason
		}
		p.Troubles = append(p.Troubles, pageFact{name, thousands(t.Count)})
	}
	for _, c := range r.Health {
		name, mean, top := c.text()
		p.Health = append(p.Health, pageHealth{name, mean, top})
	}
	for _, m := range r.totals() {
		p.Totals = append(p.Totals, pageFact{m.String(), m.total()})
	}
	p.Groups, p.GroupTimes, p.GroupsTitle = r.groupRows(), groupTimes(), windowTitle(r.mainWindow())
	p.Windows, p.Capacity, p.Views = r.pageWindows(), r.pageCapacity(), r.pageViews()
	p.Guarantees, p.Promises, p.Faults = r.pageGuarantees(), r.pagePromises(), r.pageFaults()
	var err error
	if p.Order, err = r.pageOrder(); err != nil {
		return nil, err
	}
	if p.Cures, err = r.pageCures(); err != nil {
		return nil, err
	}
	p.Charts, err = r.figures()
	return p, err
}

func verdictMark(v Verdict) string {
	switch v {
	case Held:
		return "✓"
	case Violated:
		return "✗"
	case Unknown:
	}
	return "?"
}

// pageWindows are the tables of times: the main window first, because that is where the budgets are.
func (r *Report) pageWindows() []pageWindow {
	var list []pageWindow
	for _, name := range r.windowNames() {
		w, all := pageWindow{Title: windowTitle(name)}, int64(0)
		for i := range r.Metrics {
			m := &r.Metrics[i]
			if m.Type != Trend || m.Count == 0 || m.Tag("window") != name || m.Tag("group") != "" || m.idle() {
				continue
			}
			if m.Tag("path") == "" {
				all = m.Count
			} else if m.Count == all {
				continue // everything came by one path: the row above says it
			}
			row := pageTrend{Name: m.Name, Count: thousands(m.Count), Events: m.eventCount()}
			for _, t := range m.Tags {
				if t.Key != "window" {
					row.Name += " " + t.Key + ":" + t.Value
				}
			}
			for _, aggregation := range []string{"p(50)", "p(90)", "p(95)", "p(99)", "p(99.9)", "max"} {
				v, _ := m.Aggregate(aggregation)
				row.Values = append(row.Values, v.text(m.Unit))
			}
			w.Rows = append(w.Rows, row)
		}
		if len(w.Rows) > 0 {
			list = append(list, w)
		}
	}
	return list
}

// text prints a condition in the unit that its name ends in.
func (c *Condition) text() (name, mean, top string) {
	show := func(v float64) string { return significant(v) }
	name = c.Name
	switch {
	case strings.HasSuffix(name, "_ms"):
		name, show = strings.TrimSuffix(name, "_ms"), formatMS
	case strings.HasSuffix(name, "_share"):
		name, show = strings.TrimSuffix(name, "_share"), func(v float64) string { return significant(100*v) + " %" }
	case strings.HasSuffix(name, "_mb"):
		name, show = strings.TrimSuffix(name, "_mb"), func(v float64) string { return significant(v) + " MB" }
	}
	return strings.ReplaceAll(name, "_", " "), show(c.Mean), show(c.Max)
}

// provenance says what was run by what, where and when: all that somebody else needs to run it again.
func (r *Report) provenance() []pageFact {
	run := &r.Run
	facts := []pageFact{
		{"measured", r.Subject()},
		{"run", fmt.Sprintf("%s (id %s)", run.Name, run.ID)},
		{"seed", strconv.FormatUint(run.Seed, 10)},
		{"started", run.Started.UTC().Format(time.RFC3339)},
		{"holobench", fmt.Sprintf("%s, built with %s", run.Software.Holobench, run.Software.Go)},
		{"machine", fmt.Sprintf("%s: %d × %s, %s MB, %s, kernel %s", run.Machine.Hostname, run.Machine.CPUs, run.Machine.CPU,
			thousands(int64(run.Machine.MemoryMB)), run.Machine.OS, run.Machine.Kernel)},
		{"arrivals stamped by", stampedBy(run.Machine.Stamps)},
		{"observations", thousands(r.Rows)},
	}
	for _, n := range run.Nodes {
		said := fmt.Sprintf("pid %d at %s", n.PID, n.Addr)
		if n.Exit != "" {
			said += ", ended by itself: " + n.Exit
		}
		facts = append(facts, pageFact{fmt.Sprintf("node %d", n.Node), said})
	}
	for _, g := range run.Groups {
		facts = append(facts, pageFact{"clients " + g.Name, thousands(int64(g.Count)) + engineText(&g)})
	}
	for _, l := range run.Loads {
		said := fmt.Sprintf("%s to %s, about %s commands", formatDuration(time.Duration(l.From)), formatDuration(time.Duration(l.To)),
			thousands(int64(l.Expected)))
		facts = append(facts, pageFact{"load " + l.Name, said})
	}
	return facts
}

func stampedBy(stamps string) string {
	switch stamps {
	case "kernel":
		return "the kernel"
	case "user":
		return "the generator (its own lag is part of every latency)"
	}
	return "not recorded"
}
