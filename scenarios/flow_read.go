package scenarios

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Defaults of the steps that wait.
const (
	defaultExpect    = 5 * time.Second
	defaultReconnect = 10 * time.Second
	defaultBarrier   = time.Minute
)

// flowReader reads the flow of one load, step by step in the order of the file: a step may use what an earlier one has captured.
type flowReader struct {
	*resolver
	load     *Load
	clients  Clients   // that go through it
	groups   []Clients // all of the file
	base     []string  // what all its templates know
	captured []string  // by the steps so far
	all      []string  // by any step of the flow
	sent     bool      // a command was sent so far
	answered bool      // a reply came so far, or failed to
	steps    int
}

// nesting is how deep a step stands, and in what.
type nesting struct {
	depth int
	reply *Send // the send in whose on_reply it stands; nil = in none
}

// flow resolves the flow of a load; its clients, channel and payload are known already.
func (r *resolver) flow(form *loadForm, l *Load, clients []Clients) []Step {
	if !form.Flow.given() {
		return nil
	}
	if form.Send.given() {
		r.add(form.Send.at, form.Send.path+" stands beside flow", "keep one of the two: a flow says itself what is sent: flow: [{send: "+form.Send.v+"}]")
	}
	if l.Flood {
		r.add(form.Flow.at, form.Flow.path+" does not go with a flood: nobody in particular sends it", "leave it out, or leave flood: true out")
		return nil
	}
	c, ok := group(clients, l.By)
	if !ok {
		return nil // reported already, and nothing is known of them
	}
	w := &flowReader{resolver: r, load: l, clients: c, groups: clients}
	w.base = append(r.clientWords(c), "iteration", "seq", "event.name", "event.channel", "event.text")
	w.collect(&form.Flow)
	flow := w.read(&form.Flow, nesting{})
	switch work := actSteps(flow); {
	case form.Flow.usable() && len(form.Flow.items) == 0:
		r.add(form.Flow.at, form.Flow.path+": there is no step in it", "write what a client does: flow: [{send: message}, {expect: own}]")
	case w.steps > maxFlowSteps:
		r.add(form.Flow.at, form.Flow.path+": there are "+counted(w.steps, "step")+", the limit is "+strconv.Itoa(maxFlowSteps), "")
	case work > maxActSteps:
		r.add(form.Flow.at, form.Flow.path+": with all that is repeated one act has up to "+strconv.FormatFloat(work, 'f', 0, 64)+" steps, the limit is "+
			strconv.Itoa(maxActSteps), "let the load act more often instead")
	}
	return flow
}

// collect notes all names that a flow captures, and refuses those that mean something else.
func (w *flowReader) collect(form *flowForm) {
	for _, step := range form.items {
		for _, e := range step.Capture.list {
			w.checkKey(e.key, step.Capture.path)
			switch {
			case slices.Contains(ownNames(), e.name):
				w.add(e.key, step.Capture.path+": the name "+quote(e.name)+" is one of holobench's own", "take another name")
			case slices.ContainsFunc(w.values, func(v Value) bool { return v.Name == e.name }):
				w.add(e.key, step.Capture.path+": there is a value of the name "+quote(e.name), "take another name for one of them")
			case !slices.Contains(w.all, e.name):
				w.all = append(w.all, e.name)
			}
		}
		for _, reply := range step.OnReply.list {
			w.collect(&reply.form)
		}
		for _, way := range step.Choose.items {
			w.collect(&way.Flow)
		}
		for _, inner := range []*flowForm{&step.Repeat.Flow, &step.If.Then, &step.If.Else} {
			w.collect(inner)
		}
	}
}

// read resolves a flow.
func (w *flowReader) read(form *flowForm, in nesting) []Step {
	if in.depth > maxFlowDepth {
		w.add(form.at, form.path+": flows are nested more than "+strconv.Itoa(maxFlowDepth)+" deep", "")
		return nil
	}
	var all []Step
	for _, step := range form.items {
		w.steps++
		all = append(all, w.step(step, in)...)
	}
	return all
}

// step resolves one step; a capture of several names makes several.
func (w *flowReader) step(form *flowStepForm, in nesting) []Step {
	verb := w.oneVerb(&form.spot, []verb{
		{"send", &form.Send.spot},
		{"get", &form.Get.spot},
		{"resend", &form.Resend.spot},
		{"subscribe", &form.Subscribe.spot},
		{"unsubscribe", &form.Unsubscribe.spot},
		{"think", &form.Think.spot},
		{"expect", &form.Expect.spot},
		{"capture", &form.Capture.spot},
		{"repeat", &form.Repeat.spot},
		{"choose", &form.Choose.spot},
		{"if", &form.If.spot},
		{"barrier", &form.Barrier.spot},
		{"disconnect", &form.Disconnect.spot},
		{"reconnect", &form.Reconnect.spot},
		{"log", &form.Log.spot},
	}, "a step", "begin it with what is done: one of ")
	if verb == "" {
		return nil
	}
	w.checkCompanions(form, verb)
	switch verb {
	case "send":
		return []Step{w.send(form, in)}
	case "get":
		return []Step{w.get(form, in)}
	case "resend":
		return w.resend(form, in)
	case "capture":
		return w.capture(form)
	case "repeat":
		return []Step{w.repeat(form, in)}
	case "choose":
		return []Step{w.choose(form, in)}
	case "if":
		return w.branch(form, in)
	default:
		return []Step{w.simple(form, verb)}
	}
}

// simple resolves the steps in which no other step stands.
func (w *flowReader) simple(form *flowStepForm, verb string) Step {
	at := placeOf(&form.spot)
	switch verb {
	case "think":
		return &Think{Place: at, For: w.amount(&form.Think, durations(maxThink), Amount{})}
	case "expect":
		return w.expect(form)
	case "barrier":
		form := &form.Barrier
		w.require(&form.Name.spot, &form.spot, "name", "write barrier: half-time, or {name: half-time, within: 1m}")
		w.check(&form.Name, checkName)
		return &Barrier{Place: at, Name: form.Name.or(""), Within: w.wait(&form.Within, defaultBarrier)}
	case "log":
		return &Log{Place: at, Text: w.text(&form.Log, nil)}
	}
	if !w.clients.Streams {
		w.add(form.at, form.path+": the clients "+w.clients.Name+" hold no stream that they could "+verb, "leave the step out, or leave stream: none out")
	}
	switch verb {
	case "subscribe":
		return &Subscribe{Place: at, Channel: w.channel(&form.Subscribe)}
	case "unsubscribe":
		return &Unsubscribe{Place: at, Channel: w.channel(&form.Unsubscribe)}
	case "disconnect":
		return &Disconnect{Place: at}
	default:
		return &Reconnect{Place: at, Within: w.wait(&form.Reconnect.Within, defaultReconnect)}
	}
}

// checkCompanions refuses what goes with another verb.
func (w *flowReader) checkCompanions(form *flowStepForm, verb string) {
	for _, companion := range []struct {
		at    *spot
		verbs []string
	}{
		{&form.Channel.spot, []string{"send"}},
		{&form.To.spot, []string{"send"}},
		{&form.Payload.spot, []string{"send"}},
		{&form.With.spot, []string{"send"}},
		{&form.OnReply.spot, []string{"send", "get"}},
	} {
		if companion.at.given() && !slices.Contains(companion.verbs, verb) {
			w.add(companion.at.at, companion.at.path+" does not go with "+verb+", only with "+strings.Join(companion.verbs, " and "), "leave it out, or make a step of its own of it")
		}
	}
}

// placeOf is where a step stands.
func placeOf(form *spot) Place { return Place{Line: form.at.line, Path: form.path} }

// words are what a template knows at this step.
func (w *flowReader) words(more ...string) *vocabulary {
	v := &vocabulary{names: slices.Concat(w.base, w.captured, more), clients: max(1, w.load.Only)}
	if w.answered {
		v.names = append(v.names, "reply.status", "reply.body")
		v.open = []string{"reply.header."}
	}
	for _, name := range w.all {
		if !slices.Contains(w.captured, name) {
			v.later = append(v.later, name)
		}
	}
	return v
}

// text resolves a template of at most maxText bytes.
func (w *flowReader) text(form *text, v *vocabulary) Template {
	if len(form.v) > maxText {
		w.add(form.at, form.path+": the text has "+strconv.Itoa(len(form.v))+" bytes, the limit is "+strconv.Itoa(maxText), "")
		return Template{}
	}
	if v == nil {
		v = w.words()
	}
	return w.fill(form, v)
}

// channel resolves a template that makes the name of a channel.
func (w *flowReader) channel(form *text) Template {
	t := w.text(form, nil)
	if name, constant := t.Constant(); constant && form.usable() {
		if err := checkPlainLabel(name); err != nil {
			w.addError(form.at, form.path, err)
		}
	}
	return t
}

// wait is how long a step waits.
func (w *flowReader) wait(form *duration, unset time.Duration) time.Duration {
	switch {
	case !form.usable():
	case form.v == 0:
		w.add(form.at, form.path+": nothing can come in no time at all", "write how long it may take: within: "+unset.String())
	case form.v > maxWithin:
		w.add(form.at, form.path+": "+form.v.String()+" is more than the limit, "+maxWithin.String(), "")
	}
	return form.or(unset)
}

// actSteps is how many steps one act has at most.
func actSteps(flow []Step) float64 {
	sum := 0.0
	for _, step := range flow {
		sum++
		switch step := step.(type) {
		case *Send:
			sum += mostSteps(step.OnReply) * (1 + resends(step.OnReply))
		case *Get:
			sum += mostSteps(step.OnReply)
		case *Repeat:
			sum += step.Times.Max() * actSteps(step.Flow)
		case *Choose:
			most := 0.0
			for _, way := range step.Ways {
				most = max(most, actSteps(way.Flow))
			}
			sum += most
		case *If:
			sum += max(actSteps(step.Then), actSteps(step.Else))
		}
	}
	return sum
}

// mostSteps is how many steps follow a reply at most.
func mostSteps(replies []OnReply) float64 {
	most := 0.0
	for _, reply := range replies {
		most = max(most, actSteps(reply.Flow))
	}
	return most
}

// resends is how often a command is sent again at most.
func resends(replies []OnReply) float64 {
	most := 0.0
	for _, reply := range replies {
		Walk(reply.Flow, func(step Step) {
			if again, ok := step.(*Resend); ok {
				most = max(most, float64(again.Times))
			}
		})
	}
	return most
}

// Walk calls see for each step of a flow, and for those in it, in the order of the file.
func Walk(flow []Step, see func(Step)) {
	for _, step := range flow {
		see(step)
		for _, inner := range flowsIn(step) {
			Walk(inner, see)
		}
	}
}
