package har

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// plan is where the requests go that have to be made.
type plan struct {
	login, setup, before, after []*need
}

// generic writes the files for a server that speaks no wire that is known.
func (d *deduction) generic() Files {
	d.findChannel()
	d.trace(d.stream)
	for _, x := range d.joins() {
		d.need(x)
	}
	d.trace(d.command)
	for _, x := range d.recording.exchanges[:d.stream.number-1] {
		if x.changes() && x.good() && !background(x) && x.url.Host == d.stream.url.Host && len(d.needed) < maxSteps {
			d.need(x)
		}
	}
	parts := d.plan()
	p := new(page)
	p.comment(0, "Made from the recording "+shown(d.names.Recording)+" by holobench new --from. docs/protocols.md explains every key; comments that begin with CHECK mark guesses.")
	p.line(0, "version: 1")
	p.line(0, "self_echo: %s", d.selfEcho(p))
	d.writeList(p, 0, "setup", parts.setup, "")
	d.writeSubscribe(p, &parts)
	d.writeEvents(p)
	d.writePublish(p)
	d.adviseNumbers(p)
	files := d.scenario(&parts, d.names.Protocol, "", false)
	files.Protocol, files.Checks = p.b.String(), files.Checks+p.checks
	files.Found = append(d.found(), files.Found...)
	return files
}

// plan puts the requests that are needed where they belong: into the login when a secret is sent in one of them or behind
// it, into subscribe.before when the stream's own request uses what they give, into subscribe.after behind its beginning.
func (d *deduction) plan() plan {
	slices.SortFunc(d.needed, func(a, b *need) int { return cmp.Compare(a.x.number, b.x.number) })
	var all plan
	lastSecret := 0
	for _, n := range d.needed {
		if n.x.number < d.stream.number && d.bearsSecret(n.x) {
			lastSecret = n.x.number
		}
	}
	for _, n := range d.needed {
		switch {
		case n.x.number > d.stream.number:
			all.after = append(all.after, n)
		case n.x.number <= lastSecret:
			all.login = append(all.login, n)
		case n.direct && !n.x.document() && n.x.url.Host == d.stream.url.Host && d.lastOnes(n):
			all.before = append(all.before, n)
		default:
			all.setup = append(all.setup, n)
		}
	}
	return all
}

// lastOnes says whether nothing else that is needed, and is no part of subscribe.before, comes behind a request.
func (d *deduction) lastOnes(n *need) bool {
	for _, other := range d.needed {
		if other.x.number > n.x.number && other.x.number < d.stream.number && !other.direct {
			return false
		}
	}
	return true
}

// bearsSecret says whether a password or the like is sent in a request.
func (d *deduction) bearsSecret(x *exchange) bool {
	return slices.ContainsFunc(x.slots(), func(s slot) bool {
		_, known := d.refs[s.value]
		return !known && s.place != inHeader && d.secret(&s)
	})
}

func (d *deduction) selfEcho(p *page) string {
	const ways = "none: a sender never hears of its own; stream: like everybody; reply: in the answer to its command"
	switch {
	case d.guessed && len(d.stream.events) == 0 && d.stream.kind != "eventsource":
		p.check(0, "the events were not recorded. "+ways)
		return "stream"
	case d.guessed:
		p.check(0, "no text that was sent was seen again. "+ways)
		return "none"
	case d.inStream:
		return "stream"
	default:
		return "reply"
	}
}

// writeList writes a list of requests under a key.
func (d *deduction) writeList(p *page, indent int, key string, all []*need, check string) {
	if len(all) == 0 {
		return
	}
	if check != "" {
		p.check(indent, check)
	}
	p.line(indent, "%s:", key)
	for _, n := range all {
		s := d.phrase(n.x)
		s.captures = n.captures
		if len(n.captures) == 0 && !n.cookies && !n.linked && !d.usesEvent(n.x) {
			s.checks = append(s.checks, "nothing that it answered was sent again; leave it out if the server can do without")
		}
		p.request(indent+2, true, &s)
	}
}

// usesEvent says whether a request sends something that an event brought.
func (d *deduction) usesEvent(x *exchange) bool {
	if d.ready == nil {
		return false
	}
	return slices.ContainsFunc(x.slots(), func(s slot) bool {
		return slices.ContainsFunc(pieces(s.value), func(v string) bool {
			ref, ok := d.refs[v]
			return ok && slices.ContainsFunc(d.ready.captures, func(c capture) bool { return c.name == ref.name })
		})
	})
}

func (d *deduction) writeSubscribe(p *page, parts *plan) {
	p.line(0, "subscribe:")
	check := "these are asked for at every connect; if once is enough, move them up into setup:"
	if d.askedAgain(parts.before) {
		check = ""
	}
	d.writeList(p, 2, "before", parts.before, check)
	s := d.phrase(d.stream)
	s.status, s.stay = "", false
	p.line(2, "request:")
	p.request(4, false, &s)
	switch {
	case d.polls != nil:
		p.line(2, "framing: long-poll")
		d.writeCursor(p)
	case d.stream.byLines():
		p.line(2, "framing: ndjson")
	case d.constantID():
		p.comment(2, "All events had one id: it does not say where the stream was.")
		p.line(2, "resume: {}")
	}
	if d.ready != nil {
		p.line(2, "ready:")
		p.line(4, "match: %s", d.matchOf(&d.ready.event))
		p.line(4, "capture:")
		p.captures(6, d.ready.captures)
	}
	d.writeList(p, 2, "after", parts.after, "")
}

// askedAgain says whether the recording has a second stream, and what comes before it a second time.
func (d *deduction) askedAgain(before []*need) bool {
	if len(before) == 0 {
		return true
	}
	for _, n := range before {
		again := 0
		for _, x := range d.recording.exchanges {
			if x.shape() == n.x.shape() {
				again++
			}
		}
		if again < 2 {
			return false
		}
	}
	return true
}

// constantID says whether all events bear the same id.
func (d *deduction) constantID() bool {
	events := d.stream.events
	if len(events) < 2 || events[0].id == "" {
		return false
	}
	return !slices.ContainsFunc(events, func(e event) bool { return e.id != events[0].id })
}

// writeCursor says how a poll goes on where the last one was.
func (d *deduction) writeCursor(p *page) {
	var lines []string
	later := d.polls[1]
	for _, f := range later.header {
		for _, answered := range d.polls[0].answerHeader {
			if f.value != "" && f.value == answered.value && sendable(f.name) && isHeader(answered.name) && !strings.EqualFold(f.name, "Content-Type") && !strings.EqualFold(answered.name, "Set-Cookie") {
				lines = append(lines, fmt.Sprintf("%s: %s", scalar(f.name), scalar("${header."+strings.ToLower(answered.name)+"}")))
				break
			}
		}
	}
	if len(lines) == 0 {
		p.check(2, "no header field of a poll repeats one of the answer before it; if a poll says where it goes on, say it here: resume: {NAME: \"${header.NAME}\"}")
		return
	}
	slices.Sort(lines)
	p.line(2, "resume:")
	for _, line := range slices.Compact(lines) {
		p.line(4, "%s", line)
	}
}

// matchOf says what an event must be to be like e.
func (d *deduction) matchOf(e *event) string {
	match := "event: " + scalar(e.name)
	if d.ready != nil && d.ready.event == *e && len(d.ready.captures) > 0 && d.ready.captures[0].json != "" {
		sameName := slices.ContainsFunc(d.stream.events, func(o event) bool { return o.name == e.name && o != *e })
		if sameName {
			match += ", has: " + scalar(d.ready.captures[0].json)
		}
	}
	return "{" + match + "}"
}
