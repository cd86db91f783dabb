package scenarios

import (
	"fmt"
	"strconv"
	"time"
)

// Load is one schedule of commands, and who sends them.
type Load struct {
	Name     string
	By       string        // the name of the Clients that send; "" for a flood
	Only     int           // how many of them send, counted from the first; 0 for a flood
	Flood    bool          // plain POSTs: no streams, no order, latency from the actual send
	Workers  int           // of a flood; 0 otherwise
	Channel  string        // where the commands go, as a pattern; see ChannelOf. "" = each sender posts to its own channel; never "" for a flood
	Start    time.Duration // after the barrier; with After it is counted in when that load is to be over
	Stages   Stages        // of an open load: at least one; a constant rate is one stage with From == To. None = one of the executors below
	InFlight int           // commands that one client has on the wire at most, from 1 to 64
	Send     string        // the name of the command
	Payload  Payload

	After    string    // the load at whose end it starts, earlier than Start says when that is over earlier; "" = the barrier
	Arrivals Arrivals  // of Stages
	Closed   *Closed   // nil = Stages say when
	Burst    *Burst    // as above
	Reaction *Reaction // as above
	Replay   *Replay   // as above
	Capacity *Capacity // as above
	To       *To       // to whose channel; nil = Channel says it
	Flow     []Step    // of one act; nil = it sends Send with Payload

	channel *Template // Channel, compiled; nil = it has no names in it, or is a literal of Go

	pause time.Duration // from the end of the load After to Start
}

// Defaults of a load.
const (
	defaultSend    = "message"
	defaultWorkers = 10
)

// loads resolves the section "load".
func (r *resolver) loads(clients []Clients) []Load {
	form := &r.form.Load
	r.require(&form.spot, &r.form.spot, "load", "say what is sent, for example load: {talk: {by: members, rate: 50/s, for: 10s}}")
	if form.usable() && len(form.list) == 0 {
		r.add(form.at, "load: there is none, so that nothing would be sent", "say what is sent, for example {talk: {by: members, rate: 50/s, for: 10s}}")
	}
	var all []Load
	commands := 0.0
	for _, e := range form.list {
		r.checkKey(e.key, "load")
		l := r.load(&e.form, clients)
		l.Name = e.name
		all = append(all, l)
	}
	r.chain(all)
	for i := range all {
		acts, _ := all[i].acts()
		commands += acts
	}
	if commands > maxCommands {
		r.add(form.at, fmt.Sprintf("load: %.0f commands are asked for, the limit is %d", commands, maxCommands), "send for a shorter time")
	}
	if len(all) > maxLoads {
		r.add(form.at, "load: there are "+strconv.Itoa(len(all))+", the limit is "+strconv.Itoa(maxLoads), "")
	}
	return all
}

// load resolves one load but its name, and when it starts after another.
func (r *resolver) load(form *loadForm, clients []Clients) Load {
	l := Load{
		Flood:    form.Flood.or(false),
		Channel:  form.Channel.or(""),
		Start:    form.Start.or(0),
		After:    form.After.or(""),
		InFlight: int(r.upTo(&form.InFlight, 1, maxInFlight, "in_flight can be")), //nolint:gosec // within its limits
		Send:     form.Send.or(defaultSend),
	}
	r.check(&form.Send, checkLabel)
	r.executor(form, &l)
	if l.Flood {
		r.flood(form, &l)
	} else {
		r.senders(form, &l, clients)
		r.loadChannel(form, &l, clients)
		r.to(form, &l, clients)
	}
	l.Payload = r.payload(&form.Payload, r.payloadWords(&l, clients))
	l.Flow = r.flow(form, &l, clients)
	return l
}

// loadChannel resolves the key of that name.
func (r *resolver) loadChannel(form *loadForm, l *Load, clients []Clients) {
	words := []string{"client", "group"}
	if c, _ := group(clients, l.By); len(c.ChannelNames) > 0 {
		words = append(words, "channel", "n")
	}
	t := r.channelName(&form.Channel, words...)
	if name, constant := t.Constant(); constant {
		l.Channel = Literal(name).Text
		return
	}
	l.channel = &t
}

// flood resolves what only a flood has, and refuses what it has not.
func (r *resolver) flood(form *loadForm, l *Load) {
	l.Workers = int(r.upTo(&form.Workers, defaultWorkers, maxWorkers, "there can be")) //nolint:gosec // within its limits
	r.require(&form.Channel.spot, &form.spot, "channel", "a flood has no clients whose channel it could take: channel: lobby")
	name := r.channelName(&form.Channel)
	l.Channel, _ = name.Constant()
	for _, s := range []*spot{
		&form.By.spot, &form.To.spot, &form.InFlight.spot, &form.Each.spot, &form.When.spot, &form.Replay.spot, &form.Burst.spot, &form.Capacity.spot,
	} {
		if s.given() {
			r.add(s.at, s.path+" does not go with a flood: nobody in particular sends it", "leave it out, or leave flood: true out")
		}
	}
}

// senders resolves by, and where its commands go.
func (r *resolver) senders(form *loadForm, l *Load, clients []Clients) {
	by := &form.By
	r.require(&by.spot, &form.spot, "by", "name the clients that send, for example by: members; only flood: true needs nobody")
	if by.given() && !by.Clients.given() {
		r.require(&by.Clients.spot, &by.spot, "clients", "name the clients that send: {clients: members, only: 40}")
	}
	if form.Workers.given() {
		r.add(form.Workers.at, form.Workers.path+": only a flood has workers", "leave it out, or add flood: true")
	}
	if !by.Clients.usable() {
		return
	}
	l.By = by.Clients.v
	c, ok := group(clients, l.By)
	if !ok && r.unsure(&r.form.Clients.spot) {
		return
	}
	if !ok {
		names := r.form.Clients.names()
		r.add(by.Clients.at, by.path+": there are no clients "+quote(l.By)+suggest(l.By, names), known("clients", names))
		return
	}
	l.Only = c.Count
	if by.Only.usable() {
		l.Only = int(min(by.Only.v, maxClients)) //nolint:gosec // within its limits
	}
	counted := r.form.Clients.find(l.By).form.Count.usable()
	if counted && by.Only.usable() && (l.Only < 1 || l.Only > c.Count) {
		r.add(by.Only.at, by.Only.path+": "+strconv.FormatUint(by.Only.v, 10)+" of "+strconv.Itoa(c.Count)+" clients cannot send",
			"write a number from 1 to "+strconv.Itoa(c.Count)+", the count of "+l.By)
	}
	if l.Reaction != nil && !c.Streams {
		r.add(by.Clients.at, by.path+": the clients "+l.By+" hold no stream, and hear nothing to react to", "name clients that listen")
	}
	channel := &r.form.Clients.find(l.By).form.Channel
	if !c.Streams && !channel.given() && !form.Channel.given() && !form.To.given() {
		r.add(by.Clients.at, by.path+": the clients "+l.By+" have no channel to send to", "add channel: NAME to the load or to these clients")
	}
}
