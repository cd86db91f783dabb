package scenarios

import (
	"slices"
	"strconv"
	"time"
)

// Clients is a group of clients that are alike.
type Clients struct {
	Name         string
	Count        int           // at least 1
	ChannelNames []string      // at least one, unless Streams is false
	Dealt        []int         // of each client, which of ChannelNames is its own; nil = they are spread over them evenly, in turn
	Streams      bool          // each holds an SSE stream on its channel; false = they post and never listen
	JoinOver     time.Duration // before the barrier they open their streams one after the other, evenly over this time; 0 = as fast as it goes
	ReadRate     int           // bytes a second that each reads of its stream at most; 0 = as fast as they come; negative = none once it is subscribed
	Network      string        // the kind of network that they have all the time, such as "wifi"; "" = as it is
	Engine       string        // that holds their streams while nothing comes: "auto", "goroutine" or "epoll"; "" is the first

	HTTP        int           // the version that they speak: 1 or 2
	Connections int           // of HTTP/1.1 that each has at once at most, that of its stream included; 0 = as many as it needs
	MaxHold     time.Duration // for which their resequencer holds an event back at most, until those before it have come; 0 = they have none
	Optimistic  bool          // they show their own changes before the server has taken them

	zipf float64 // the exponent by which some of ChannelNames are more popular; 0 = none is
}

// ChannelOf is the channel of the i-th client of the group, i from 0: where it listens, and where its commands go unless
// the load names another one. It is "" for a group without a channel.
func (c *Clients) ChannelOf(i int) string {
	if len(c.ChannelNames) == 0 {
		return ""
	}
	return c.ChannelNames[c.ChannelNumber(i)-1]
}

// ChannelNumber says which of the group's channels that is, from 1; 0 = it has none.
func (c *Clients) ChannelNumber(i int) int {
	switch {
	case len(c.ChannelNames) == 0:
		return 0
	case i < len(c.Dealt):
		return c.Dealt[i] + 1
	}
	return i%len(c.ChannelNames) + 1
}

// clients resolves the section of that name, of clients of that server.
func (r *resolver) clients(s *Server) []Clients {
	form := &r.form.Clients
	var all []Clients
	total := 0
	for _, e := range form.list {
		r.checkKey(e.key, "clients")
		c := r.group(e)
		c.HTTP = r.http(&e.form.HTTP, s)
		c.Connections = r.connections(&e.form.Connections, &c)
		total += c.Count
		all = append(all, c)
	}
	for i, e := range form.list {
		if same := &e.form.Channel.Same; same.usable() {
			r.sameChannels(all, i, same)
		}
	}
	if total > maxClients && len(all) > 1 {
		r.add(form.at, "clients: there are "+strconv.Itoa(total)+" in all, the limit is "+strconv.Itoa(maxClients), "")
	}
	if len(all) > maxGroups {
		r.add(form.at, "clients: there are "+strconv.Itoa(len(all))+" groups, the limit is "+strconv.Itoa(maxGroups), "")
	}
	return all
}

// group resolves one group, but for channels that are those of another.
func (r *resolver) group(e *namedEntry[clientsForm]) Clients {
	r.require(&e.form.Count.spot, &e.form.spot, "count", "say how many there are: count: 100")
	c := Clients{
		Name:     e.name,
		Count:    int(r.upTo(&e.form.Count, 1, maxClients, "there can be")), //nolint:gosec // within its limits
		Streams:  r.oneOf(&e.form.Stream, "sse", []string{"sse", "none"}) == "sse",
		JoinOver: e.form.JoinOver.or(0),
	}
	if c.Streams {
		r.require(&e.form.Channel.spot, &e.form.spot, "channel", "name what they subscribe to: channel: lobby")
	}
	switch join := &e.form.JoinOver; {
	case !join.usable():
	case !c.Streams:
		r.add(join.at, join.path+": clients without a stream join nothing", "leave it out")
	case join.v > maxJoin:
		r.add(join.at, join.path+": "+join.v.String()+" is more than the limit, "+maxJoin.String(), "")
	}
	c.ReadRate, c.Network = r.readRate(&e.form.ReadRate, c.Streams), r.network(&e.form.Network)
	c.Engine = r.engine(&e.form.Engine, c.Streams)
	r.cures(&e.form, &c)
	r.channels(&e.form.Channel, &c)
	return c
}

// readNever says that clients read nothing once they are subscribed.
const readNever = "never"

// readRate resolves how fast the clients of a group read; see Clients.ReadRate.
func (r *resolver) readRate(form *text, streams bool) int {
	switch {
	case !form.usable():
		return 0
	case !streams:
		r.add(form.at, form.path+": clients without a stream read nothing", "leave it out")
		return 0
	case form.v == readNever:
		return -1
	}
	rate, err := parseThroughput(form.v)
	switch {
	case err != nil:
		r.add(form.at, form.path+": "+quote(form.v)+" is no throughput", "write a size and /s, such as 4KiB/s, or "+readNever)
	case rate < 10:
		r.add(form.at, form.path+": fewer than 10 bytes a second are not read any more", "write 10B/s or more, or "+readNever)
	}
	return int(rate)
}

// group finds clients by their name.
func group(all []Clients, name string) (c Clients, ok bool) {
	at := slices.IndexFunc(all, func(c Clients) bool { return c.Name == name })
	if at < 0 {
		return Clients{}, false
	}
	return all[at], true
}
