package scenarios

import "slices"

// expect resolves the step of that name.
func (w *flowReader) expect(step *flowStepForm) Step {
	form := &step.Expect
	e := &Expect{
		Place: placeOf(&step.spot), Event: form.Event.or(Own), Channel: w.channel(&form.Channel), Within: w.wait(&form.Within, defaultExpect),
		Count: int(w.upTo(&form.Count, 1, maxEvents, "a step can wait for")), //nolint:gosec // within its limits
	}
	w.require(&form.Event.spot, &form.spot, "event", "say whose: own, others, or the name of a command that others send: expect: {event: own, within: 2s}")
	w.check(&form.Event, checkLabel)
	switch {
	case form.Event.usable() && e.Event == Own && !w.sent:
		w.add(form.Event.at, form.path+": nothing was sent before it, so that there is no event of the client's own", "put a send before it, or wait for others")
	case form.Event.usable() && e.Event != Own && !w.clients.Streams:
		w.add(form.Event.at, form.path+": the clients "+w.clients.Name+" hold no stream by which they could hear of others", "leave the step out, or leave stream: none out")
	}
	if !form.Until.given() {
		return e
	}
	until := &form.Until
	if form.Count.given() {
		w.add(form.Count.at, form.Count.path+" stands beside until", "keep one of the two: both say when it is over")
	}
	if !until.JSON.given() && !until.Regex.given() {
		w.require(&until.JSON.spot, &until.spot, "json", "say what the last event has: until: {json: done, is: \"true\"}, or {regex: END}")
	}
	e.Until = &Match{By: w.selector(&until.JSON, &until.Regex, nil), Is: until.Is.or("")}
	if until.Is.given() && until.Is.v == "" {
		w.add(until.Is.at, until.Is.path+": nothing is no value to wait for", "leave it out: it is enough then that there is such a part")
	}
	return e
}

// selector resolves how a part is found; header is nil where there are no header fields.
func (r *resolver) selector(json, regex, header *text) Selector {
	s := Selector{JSON: json.or(""), Regex: regex.or("")}
	for _, form := range []*text{json, regex, header} {
		if form != nil && form.usable() && form.v == "" {
			r.add(form.at, form.path+" is empty", "write how it is found, or leave it out")
			return Selector{}
		}
	}
	if json.given() && regex.given() {
		r.add(regex.at, regex.path+" stands beside json", "keep one of the two: a part is found by json or by regex")
		return Selector{}
	}
	if len(s.Regex) > maxPattern {
		r.add(regex.at, regex.path+": the expression is longer than "+counted(maxPattern, "byte"), "")
		return Selector{}
	}
	if header != nil {
		s.Header = header.or("")
	}
	compiled, err := s.Compile()
	if err != nil {
		at := json
		if !json.given() {
			at = regex
		}
		r.addError(at.at, at.path, err)
	}
	return compiled
}

// capture resolves the step of that name, one for each name.
func (w *flowReader) capture(step *flowStepForm) []Step {
	var all []Step
	for _, e := range step.Capture.list {
		form := &e.form
		c := &Capture{
			Place: Place{Line: e.key.line, Path: form.path}, Name: e.name,
			From: Source(w.oneOf(&form.From, string(FromReply), []string{string(FromReply), string(FromEvent)})),
			By:   w.selector(&form.JSON, &form.Regex, &form.Header),
		}
		switch {
		case c.From == FromEvent && form.Header.given():
			w.add(form.Header.at, form.Header.path+": an event has no header fields", "leave it out, or capture from the reply")
		case form.From.or(string(FromReply)) == string(FromReply) && !w.answered && !form.From.broken:
			w.add(e.key, form.path+": no reply came before it", "put a send or a get before it, or write from: event")
		}
		if !slices.Contains(w.captured, e.name) {
			w.captured = append(w.captured, e.name)
		}
		all = append(all, c)
	}
	if len(all) == 0 && step.Capture.usable() {
		w.add(step.Capture.at, step.Capture.path+": there is no name in it", "write under which name what is kept: capture: {version: {json: document.version}}")
	}
	return all
}
