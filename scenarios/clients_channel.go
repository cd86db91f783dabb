package scenarios

import (
	"math"
	"slices"
	"strconv"

	"holobench/internal/draw"
)

// channels resolves the channels of a group: a name, one of each client's own, or a pattern with a count.
func (r *resolver) channels(form *channelForm, c *Clients) {
	switch {
	case form.name.given():
		name := r.channelName(&form.name, "client", "group")
		c.ChannelNames = make([]string, 1)
		if slices.Contains(name.Uses(), "client") {
			c.ChannelNames = make([]string, c.Count)
		}
		for i := range c.ChannelNames {
			c.ChannelNames[i] = name.name(numbers{group: c.Name, client: i + 1})
		}
	case form.Same.given():
		for _, s := range []*spot{&form.Pattern.spot, &form.Count.spot, &form.Popularity.spot} {
			if s.given() {
				r.add(s.at, s.path+" stands beside same, which says all about the channels", "keep one of the two")
			}
		}
	case form.given() && !form.broken:
		c.ChannelNames = r.pattern(form, c.Name)
		c.deal(r.popularity(&form.Popularity))
	}
}

// pattern resolves a pattern with a count.
func (r *resolver) pattern(form *channelForm, group string) []string {
	r.require(&form.Pattern.spot, &form.spot, "pattern", `write {pattern: "room-${n}", count: 20}, or one name alone`)
	r.require(&form.Count.spot, &form.spot, "count", `write {pattern: "room-${n}", count: 20}, or one name alone`)
	if !form.Pattern.usable() || !form.Count.usable() {
		return nil
	}
	before := len(r.list)
	name := r.channelName(&form.Pattern, "n", "group")
	switch {
	case len(r.list) > before:
		return nil
	case !slices.Contains(name.Uses(), "n"):
		r.add(form.Pattern.at, form.Pattern.path+": the pattern has no ${n}, so that all channels would be one",
			`put it where the number belongs: "room-${n}"; the quotes matter in {}`)
		return nil
	}
	count := int(r.upTo(&form.Count, 1, maxChannels, "there can be")) //nolint:gosec // within its limits
	names := make([]string, count)
	for i := range names {
		names[i] = name.name(numbers{group: group, n: i + 1})
	}
	return names
}

// popularity resolves the key of that name: the exponent of a zipf law, 0 = all channels are alike.
func (r *resolver) popularity(form *popularityForm) float64 {
	if !form.given() || form.broken {
		return 0
	}
	r.require(&form.Zipf.spot, &form.spot, "zipf", "write {zipf: 1.1}: the second channel then has less than half of the clients of the first")
	if form.Zipf.usable() && (form.Zipf.v < minZipf || form.Zipf.v > maxZipf) {
		r.add(form.Zipf.at, form.Zipf.path+": "+strconv.FormatFloat(form.Zipf.v, 'g', -1, 64)+" is outside of the limits: it can be from 0.01 to 10", "1 is usual; more is steeper")
		return 0
	}
	return form.Zipf.v
}

// deal gives each client its channel where some are more popular than others: of every number of clients, counted from the first, each
// channel has its share by the zipf law, as nearly as it can be. Nothing is drawn, so that another seed does not move anybody.
func (c *Clients) deal(exponent float64) {
	c.zipf, c.Dealt = exponent, nil
	if exponent == 0 || len(c.ChannelNames) == 0 {
		return
	}
	law, err := draw.NewZipf(len(c.ChannelNames), exponent)
	if err != nil {
		return // the limits of both are below its own
	}
	c.Dealt = make([]int, c.Count)
	for i := range c.Dealt {
		// The multiples of the golden ratio fill the line from 0 to 1 more evenly than anything else.
		_, u := math.Modf((float64(i) + 0.5) * math.Phi)
		c.Dealt[i] = law.Rank(u) - 1
	}
}

// sameChannels gives the i-th group the channels of another one.
func (r *resolver) sameChannels(all []Clients, i int, same *text) {
	names := r.form.Clients.names()
	other, ok := group(all, same.v)
	switch {
	case !ok:
		r.add(same.at, same.path+": there are no clients "+quote(same.v)+suggest(same.v, names), known("clients", names))
		return
	case r.form.Clients.find(same.v).form.Channel.Same.given():
		r.add(same.at, same.path+": the clients "+same.v+" have their channels from others themselves", "name those others")
		return
	case len(other.ChannelNames) == 0 && !r.form.Clients.find(same.v).form.Channel.given():
		r.add(same.at, same.path+": the clients "+same.v+" have no channels", "name clients that have some")
		return
	}
	all[i].ChannelNames = other.ChannelNames
	all[i].deal(other.zipf)
}
