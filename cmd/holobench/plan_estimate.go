package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"holobench/report"
	"holobench/run"
	"holobench/scenarios"
)

// expectedOf says what a load, or all of them, are expected to ask for and to cause; random = as an average, since its arrivals are drawn.
func expectedOf(e *scenarios.Estimate, random bool) string {
	if math.IsNaN(e.Commands) {
		return "how many commands there will be depends on what happens"
	}
	about := ""
	if e.Rough {
		about = "about "
	}
	onAverage := ""
	if random {
		onAverage = " on average, since arrivals are random"
	}
	commands := about + counted(e.Commands, "command")
	if math.IsNaN(e.Deliveries) {
		return fmt.Sprintf("%s expected%s, %s up; how many deliveries depends on where they go", commands, onAverage, bytesOf(e.Up))
	}
	return fmt.Sprintf("%s, %s expected%s; %s up, %s down; at its peak %s and %s a second",
		commands, counted(e.Deliveries, "delivery"), onAverage, bytesOf(e.Up), bytesOf(e.Down), report.Number(e.PeakCommands), report.Number(e.PeakDeliveries))
}

// counted says how many of a thing there are.
func counted(n float64, noun string) string {
	if n = math.Round(n); n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		return report.Number(n) + " " + stem + "ies"
	}
	return report.Number(n) + " " + noun + "s"
}

// drawn says whether the seed decides how many acts a load has: its rate says so on average only.
func drawn(l *run.Load) bool {
	return l.Arrivals.Kind == scenarios.Poisson && (l.Stages != nil || l.Capacity != nil)
}

// bytesOf says how many bytes of payload that is.
func bytesOf(n float64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.3g GB", n/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.3g MB", n/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.3g kB", n/1e3)
	}
	return fmt.Sprintf("%.0f B", n)
}

// joinOf says how the clients of a group join, and what they do with what comes.
func joinOf(g run.Group) string {
	text := ""
	if g.JoinOver > 0 {
		text = fmt.Sprintf(", joining over %v", g.JoinOver)
	}
	if g.MaxHold > 0 {
		text += fmt.Sprintf(", holding events back for those before them for %v at most", g.MaxHold)
	}
	if g.Optimistic {
		text += ", showing their own changes at once"
	}
	return text
}

// faultOf says when a fault is at work, whom it hits, and what it does.
func faultOf(f *scenarios.Fault, end time.Duration) string {
	var parts []string
	for _, begins := range f.Begins(end) {
		parts = append(parts, fmt.Sprintf("%v to %v", begins, begins+f.For))
	}
	if len(parts) > 3 {
		parts = append(parts[:3], fmt.Sprintf("... %d times", len(parts)))
	}
	if n, ok := f.Effect.(scenarios.NodeFault); ok {
		return strings.Join(parts, ", ") + ": " + nodeFaultOf(&n) + rising(f)
	}
	whom := "all that listen"
	if f.Where.Clients != "" {
		whom = f.Where.Clients
	}
	if f.Where.Share < 1 {
		whom = fmt.Sprintf("%.4g%% of %s", 100*f.Where.Share, whom)
	}
	return strings.Join(parts, ", ") + ": " + whom + " " + effectOf(f)
}

// effectOf says what a fault does.
func effectOf(f *scenarios.Fault) string {
	switch e := f.Effect.(type) {
	case scenarios.Disconnection:
		return fmt.Sprintf("lose their streams within %v, each for %s", e.Within, e.Away.TextDurations())
	case scenarios.ReconnectStorm:
		return fmt.Sprintf("lose their streams at once, and come back within %v after %v", e.Within, e.Away)
	case scenarios.Churn:
		return fmt.Sprintf("leave at %g/s%s, each for %s", e.Rate, rising(f), e.Away.TextDurations())
	case scenarios.LinkFault:
		return "have a link with " + linkFaultOf(&e, f)
	}
	return "have trouble"
}

// linkFaultOf names what happens on the way between clients and server, and where on it.
func linkFaultOf(l *scenarios.LinkFault, f *scenarios.Fault) string {
	what := l.Kind
	switch {
	case !l.By.Zero():
		what += " " + l.By.TextDurations()
	case l.Status != 0:
		what += fmt.Sprintf(" %d", l.Status)
	}
	if l.Share > 0 {
		what += fmt.Sprintf(" of %g%%", l.Share*100)
	}
	if f.Where.Path != "" {
		what += ", path " + f.Where.Path
	}
	if f.Where.Direction != "" {
		what += ", " + f.Where.Direction
	}
	return what
}

// rising says for how long a fault comes on; "" = it does not.
func rising(f *scenarios.Fault) string {
	if f.Ramp == 0 {
		return ""
	}
	return fmt.Sprintf(", rising for %v", f.Ramp)
}

// nodeFaultOf says what happens to nodes, or between them.
func nodeFaultOf(n *scenarios.NodeFault) string {
	switch n.Kind {
	case scenarios.LinkDelay:
		return n.Text() + ": what they say to each other is later by " + n.By.TextDurations()
	case scenarios.Partition:
		return n.Text() + " do not hear each other"
	case scenarios.Isolate:
		return n.Text() + " hears no other, and is heard by none"
	case scenarios.BusDuplicate:
		return fmt.Sprintf("%s: %.4g%% of what they say to each other comes twice", n.Text(), 100*n.Share)
	case scenarios.PauseNode:
		return n.Text() + " stands still"
	}
	if n.Restart {
		return n.Text() + " is killed, and started again"
	}
	return n.Text() + " is killed"
}
