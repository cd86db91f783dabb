package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// quickFlags describe a run without a scenario file.
type quickFlags struct {
	clients  int
	channels int
	senders  int
	rate     string
	duration time.Duration
	design   string
}

func (q *quickFlags) register(c *cobra.Command) {
	c.Flags().IntVarP(&q.clients, "clients", "u", 100, "without FILE: how many clients hold a stream")
	c.Flags().IntVar(&q.channels, "channels", 1, "without FILE: over how many channels they are spread")
	c.Flags().IntVar(&q.senders, "senders", 10, "without FILE: how many of them send")
	c.Flags().StringVar(&q.rate, "rate", "50/s", "without FILE: commands of all senders together")
	c.Flags().DurationVarP(&q.duration, "duration", "d", 10*time.Second, "without FILE: how long they send")
	c.Flags().StringVar(&q.design, "design", "hologram", "without FILE: design of the bundled target: "+strings.Join(designNames(), ", "))
}

// given names the first quick-run flag that was set; "" when none was.
func (q *quickFlags) given(c *cobra.Command) string {
	for _, name := range []string{"clients", "channels", "senders", "rate", "duration", "design"} {
		if c.Flags().Changed(name) {
			return name
		}
	}
	return ""
}

// quickKeys names the key of a scenario file that says what a quick-run flag says.
func quickKeys(flag string) string {
	switch flag {
	case "clients":
		return "clients.NAME.count"
	case "channels":
		return "clients.NAME.channel.count"
	case "senders":
		return "load.NAME.by.only"
	case "rate":
		return "load.NAME.rate"
	case "duration":
		return "load.NAME.for"
	default:
		return "server.bundled.design"
	}
}

// fit brings what was not asked for down to what was: five clients are five senders at most. What was asked for stays, and is an error
// when it does not fit.
func (q *quickFlags) fit(c *cobra.Command) {
	if !c.Flags().Changed("senders") {
		q.senders = min(q.senders, max(1, q.clients))
	}
}

// scenario writes the flags as a scenario, so that one reader checks both and run.json shows what was run.
func (q *quickFlags) scenario() string {
	return fmt.Sprintf(`version: 1
name: quick
server:
  bundled: {design: %q}
clients:
  members: {count: %d, channel: {pattern: "room-${n}", count: %d}}
load:
  talk: {by: {clients: members, only: %d}, rate: %q, arrivals: poisson, send: message, payload: 200B, for: %s}
`, q.design, q.clients, q.channels, q.senders, q.rate, q.duration)
}
