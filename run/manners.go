package run

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"holobench/scenarios"
)

// Manners says what a run will do to a server on another machine, for its first line; "" where it does it to this one.
func (p *Plan) Manners() string {
	if p.Server == nil || scenarios.IsLoopback(p.Server.URL.Hostname()) {
		return ""
	}
	streams, unknown := 0, false
	for _, count := range p.Subscribers() {
		streams += count
	}
	for i := range p.Loads {
		l := &p.Loads[i]
		unknown = unknown || l.Reaction != nil || l.Replay != nil || l.Closed != nil
	}
	if p.Expected.Commands == 0 && !unknown {
		return fmt.Sprintf("will open %s streams at %s for %v, and send nothing", grouped(streams), p.Server.URL.Host, p.End())
	}
	commands := grouped(int(math.Round(p.Expected.Commands))) + " commands"
	switch {
	case unknown:
		commands += " or more, as it comes about,"
	case p.Expected.Rough:
		commands = "about " + commands
	}
	return fmt.Sprintf("will open %s streams at %s and send %s in %v", grouped(streams), p.Server.URL.Host, commands, p.End())
}

// grouped writes a number that people read: 10,000.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// Limit lets the loads of the plan together send so many commands a second, and no more. A plan that asks for more is refused: to send
// them more slowly would be another load than the one that was asked for. Loads that go by replies or events may do so only when it is
// carried out, which ends it then.
func (p *Plan) Limit(rate float64) error {
	if peak := p.Expected.PeakCommands; peak > rate {
		return fmt.Errorf("--max-rate %g/s: at its peak the scenario sends %.4g commands a second (make it smaller: --scale %.3g%%, or allow more)", rate, peak, math.Floor(100*rate/peak*10)/10)
	}
	p.MaxRate = rate
	return nil
}

// agent is how the clients introduce themselves, so that whoever reads the server's log knows what that was.
func (x *execution) agent() string {
	version := strings.Map(func(c rune) rune {
		if c > ' ' && c < 0x7f && !strings.ContainsRune("()<>@,;:\\\"/[]?={}", c) {
			return c
		}
		return -1
	}, x.o.Software.Holobench)
	if version == "" {
		version = "unknown"
	}
	return "holobench/" + version + " (run " + x.o.ID.String() + ")"
}
