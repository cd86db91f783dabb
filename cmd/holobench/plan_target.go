package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"

	"holobench/run"
	"holobench/target"
)

// printTarget writes what a plan measures against: the design, its knobs, and beside each that was turned what the design
// would have set it to.
func printTarget(w io.Writer, p *run.Plan) {
	if p.Server != nil {
		printServer(w, p)
		return
	}
	design := target.Design(p.Design)
	fmt.Fprintf(w, "target\tbundled, design %s, wire %s%s, %s\n", p.Design, cmp.Or(p.Wire, string(design.Wire())), overTransport(p), plural(p.Nodes, "node"))
	if p.Nodes > 1 {
		fmt.Fprintf(w, "nodes\t%s\n", nodesOf(p))
	}
	own := design.Knobs()
	turned := p.Knobs
	if turned.Replay < 0 {
		turned.Replay = 0
	}
	knob := func(name, value, unturned string) string {
		if value = cmp.Or(value, unturned); value != unturned {
			return name + " " + value + " (its own is " + unturned + ")"
		}
		return name + " " + value
	}
	fmt.Fprintf(w, "knobs\t%s\n", strings.Join([]string{
		knob("dispatch", string(turned.Dispatch), string(own.Dispatch)),
		knob("stamp", string(turned.Stamp), string(own.Stamp)),
		knob("echo", string(turned.Echo), string(own.Echo)),
		knob("registry", string(turned.Registry), string(own.Registry)),
	}, ", "))
	fmt.Fprintf(w, "\t%s\n", strings.Join([]string{
		knob("when full", string(turned.WhenFull), string(own.WhenFull)),
		knob("fan-out order", string(turned.FanoutOrder), string(own.FanoutOrder)),
		knob("replay", strconv.Itoa(turned.Replay), strconv.Itoa(own.Replay)),
	}, ", "))
	fmt.Fprintf(w, "\toutbox %d, heartbeat %v, server-triggered %s\n", p.Outbox, p.Heartbeat, rateOf(turned.ServerTriggered))
	for _, promise := range promisesOf(p) {
		fmt.Fprintf(w, "promise\t%s\n", promise)
	}
}

// overTransport names the transport where it is another than plain HTTP/1.1.
func overTransport(p *run.Plan) string {
	if p.Transport == "" || p.Transport == target.HTTP1 {
		return ""
	}
	return " over " + string(p.Transport)
}

// nodesOf says what joins the nodes, and how clients are spread over them.
func nodesOf(p *run.Plan) string {
	server := "a server of its own"
	if p.Bus.URL != "" {
		server = p.Bus.URL
	}
	delay := ""
	if p.Bus.Delay > 0 {
		delay = fmt.Sprintf(", %v longer from one to another", p.Bus.Delay)
	}
	return fmt.Sprintf("joined by %s at %s%s; clients spread %s", p.Bus.Kind, server, delay, p.Spread)
}

// promisesOf lists what the target promises as its knobs are turned, in a fixed order.
func promisesOf(p *run.Plan) []string {
	var all []string
	promises := p.Promises()
	for _, name := range []string{"fifo", "total", "self_echo", "gap_free", "converge", "freshness"} {
		if how, ok := promises[name]; ok {
			all = append(all, name+": "+how)
		}
	}
	return all
}

func rateOf(perSecond float64) string {
	if perSecond == 0 {
		return "none"
	}
	return strconv.FormatFloat(perSecond, 'g', -1, 64) + "/s"
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
