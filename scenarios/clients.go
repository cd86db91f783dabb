package scenarios

import (
	"slices"
	"strconv"
	"strings"
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
}

// ChannelOf is the channel of the i-th client of the group, i from 0: where it listens, and where its commands go unless
// the load names another one. It is "" for a group without a channel.
func (c *Clients) ChannelOf(i int) string {
	if len(c.ChannelNames) == 0 {
		return ""
	}
	if i < len(c.Dealt) {
		return c.ChannelNames[c.Dealt[i]]
	}
	return c.ChannelNames[i%len(c.ChannelNames)]
}

// clients resolves the section of that name.
func (r *resolver) clients() []Clients {
	form := &r.form.Clients
	var all []Clients
	total := 0
	for _, e := range form.list {
		r.checkKey(e.key, "clients")
		r.require(&e.form.Count.spot, &e.form.spot, "count", "say how many there are: count: 100")
		c := Clients{
			Name:    e.name,
			Count:   int(r.upTo(&e.form.Count, 1, maxClients, "there can be")), //nolint:gosec // within its limits
			Streams: r.oneOf(&e.form.Stream, "sse", []string{"sse", "none"}) == "sse",
		}
		if c.Streams {
			r.require(&e.form.Channel.spot, &e.form.spot, "channel", "name what they subscribe to: channel: lobby")
		}
		c.ChannelNames = r.channels(&e.form.Channel)
		total += c.Count
		all = append(all, c)
	}
	if total > maxClients && len(all) > 1 {
		r.add(form.at, "clients: there are "+strconv.Itoa(total)+" in all, the limit is "+strconv.Itoa(maxClients), "")
	}
	if len(all) > maxGroups {
		r.add(form.at, "clients: there are "+strconv.Itoa(len(all))+" groups, the limit is "+strconv.Itoa(maxGroups), "")
	}
	return all
}

const (
	numbered   = "${n}"      // of channels, in a pattern
	numberedBy = "${client}" // of clients in their group
)

// numberClient fills the number of the i-th client of its group, i from 0, into the name of a channel.
func numberClient(channel string, i int) string {
	return strings.ReplaceAll(channel, numberedBy, strconv.Itoa(i+1))
}

// channels resolves a name, or a pattern with a count.
func (r *resolver) channels(form *channelForm) []string {
	if form.name.given() {
		r.check(&form.name, checkChannel)
		return []string{form.name.v}
	}
	if !form.given() || form.broken {
		return nil
	}
	r.require(&form.Pattern.spot, &form.spot, "pattern", `write {pattern: "room-${n}", count: 20}, or one name alone`)
	r.require(&form.Count.spot, &form.spot, "count", `write {pattern: "room-${n}", count: 20}, or one name alone`)
	if !form.Pattern.usable() || !form.Count.usable() {
		return nil
	}
	if !strings.Contains(form.Pattern.v, numbered) {
		r.add(form.Pattern.at, form.Pattern.path+": the pattern has no "+numbered+", so that all channels would be one",
			`put it where the number belongs: "room-${n}"; the quotes matter in {}`)
		return nil
	}
	count := int(r.upTo(&form.Count, 1, maxChannels, "there can be")) //nolint:gosec // within its limits
	last := strings.ReplaceAll(form.Pattern.v, numbered, strconv.Itoa(count))
	if err := checkLabel(last); err != nil {
		r.addError(form.Pattern.at, form.Pattern.path, err)
		return nil
	}
	names := make([]string, count)
	for i := range names {
		names[i] = strings.ReplaceAll(form.Pattern.v, numbered, strconv.Itoa(i+1))
	}
	return names
}

// checkChannel is checkLabel without the word that will once mean the channels of another group.
func checkChannel(name string) error {
	if name == "same" {
		return problem(`"same" is kept for a later version of the language`, "take another name")
	}
	if strings.Contains(name, numbered) {
		return problem("a single name has no number for "+numbered, `write {pattern: "`+name+`", count: 20}`)
	}
	return checkLabel(name)
}

// group finds clients by their name.
func group(all []Clients, name string) (c Clients, ok bool) {
	at := slices.IndexFunc(all, func(c Clients) bool { return c.Name == name })
	if at < 0 {
		return Clients{}, false
	}
	return all[at], true
}
