package har

import (
	"html"
	"slices"
	"strconv"
	"strings"
)

// writeEvents says which events are messages, and which say nothing.
func (d *deduction) writeEvents(p *page) {
	if len(d.stream.events) == 0 {
		p.check(0, "the recording has no events of the stream. All events are taken for messages, wherever the text stands in them; "+
			"if there are others, name them: events: {ignore: [{event: ping}]}")
		return
	}
	if d.polls != nil {
		return
	}
	name, path, clash := d.messageOf()
	ignored, doubtful := d.ignored(name)
	if name == "message" && path == "" && len(ignored) == 0 && !clash {
		return // the defaults say so
	}
	p.line(0, "events:")
	if len(ignored) > 0 {
		if len(doubtful) > 0 {
			p.check(2, "events that are no messages: "+strings.Join(doubtful, ", ")+". If what was sent can come by one of them, it is a message as well")
		}
		p.line(2, "ignore:")
		for _, i := range ignored {
			p.line(4, "- {event: %s}", scalar(i))
		}
	}
	if len(d.messages) == 0 {
		return
	}
	p.line(2, "message:")
	match := "event: " + scalar(name)
	if clash && path != "" {
		match += ", has: " + scalar(path)
	}
	if d.guessed {
		p.check(4, "the text that is sent was taken to come back in these events, since the names are alike")
	}
	p.line(4, "match: {%s}", match)
	if path != "" {
		p.line(4, "payload: {json: %s}", scalar(path))
	}
}

// messageOf is the name of the events that messages are, and where in them the text stands; clash says that others have that name, too.
func (d *deduction) messageOf() (name, path string, clash bool) {
	if len(d.messages) == 0 {
		return "message", "", false
	}
	name = d.messages[0].name
	text := d.payload.value
	if !d.guessed {
		for _, e := range d.messages {
			if d.carries(e.data, text) {
				name, path = e.name, pathOf(e.data, text)
				break
			}
		}
	} else if found, ok := leaves(d.messages[0].data); ok {
		for _, l := range found {
			if l.key == d.payload.name {
				path = l.path
				break
			}
		}
	}
	clash = slices.ContainsFunc(d.others, func(e event) bool { return e.name == name && !d.isReady(&e) })
	return name, path, clash
}

func (d *deduction) isReady(e *event) bool { return d.ready != nil && d.ready.event == *e }

// pathOf is where in a JSON text a value stands: the place that holds nothing else before one that holds more.
func pathOf(data, text string) string {
	found, ok := leaves(data)
	if !ok {
		return ""
	}
	for _, l := range found {
		if l.value == text && l.path != "" {
			return l.path
		}
	}
	for _, l := range found {
		if l.path != "" && (within(l.value, text) || within(l.value, html.EscapeString(text))) {
			return l.path
		}
	}
	return ""
}

// ignored are the names of events that are no messages; doubtful those that say something all the same.
func (d *deduction) ignored(message string) (names, doubtful []string) {
	for _, e := range d.others {
		if e.name == message || d.isReady(&e) || slices.Contains(names, e.name) || d.ready != nil && d.ready.event.name == e.name {
			continue
		}
		names = append(names, e.name)
		lower := strings.ToLower(e.name)
		if strings.Trim(e.data, " {}\"") != "" && !slices.ContainsFunc([]string{"ping", "heart", "keep", "beat"}, func(s string) bool { return strings.Contains(lower, s) }) {
			doubtful = append(doubtful, shown(e.name))
		}
	}
	return names, doubtful
}

// writePublish says how a command is sent.
func (d *deduction) writePublish(p *page) {
	p.line(0, "publish:")
	s := d.phrase(d.command)
	s.stay, s.status = false, ""
	if d.command.status >= 300 {
		s.stay, s.status = true, strconv.Itoa(d.command.status)
	}
	if d.guessed {
		s.checks = append(s.checks, "this was taken for the command, and "+shown(d.payload.name)+" for its text"+d.otherCommands())
	} else if others := d.otherCommands(); others != "" {
		s.checks = append(s.checks, "what makes an event is this request"+others)
	}
	p.line(2, "request:")
	p.request(4, false, &s)
	if d.command.answerType == "text/event-stream" {
		framing := "none"
		if d.inReply && !d.inStream {
			framing = "sse"
		}
		p.line(2, "reply: {framing: %s}", framing)
	}
}

// adviseNumbers tells of ids that rise: they may be numbers of the server's, by which an order could be checked. One client cannot
// know whether another sees the same.
func (d *deduction) adviseNumbers(p *page) {
	last := -1
	for _, e := range d.messages {
		n, err := strconv.Atoi(e.id)
		if err != nil || n <= last {
			return
		}
		last = n
	}
	if len(d.messages) > 1 {
		p.comment(0, "The ids of the events rose. If they are the same for everybody, the history can keep them: identity: {server_seq: sse_id}")
	}
}

// otherCommands lists what else was sent while the stream was open.
func (d *deduction) otherCommands() string {
	var all []string
	for _, group := range alikes(d.candidates(d.stream)) {
		if x := group[0]; !slices.Contains(d.samples, x) && x.number > d.command.number && len(all) < 5 {
			all = append(all, x.method+" "+shown(x.url.Path)+", "+strconv.Itoa(len(group))+" times")
		}
	}
	if len(all) == 0 {
		return ""
	}
	return "; there was also " + strings.Join(all, "; ")
}

// found says what was found, for the person who asked.
func (d *deduction) found() []string {
	count := strconv.Itoa(len(d.stream.events)) + " events"
	if len(d.stream.events) == 0 {
		count = "whose events were not recorded"
	}
	stream := "stream: " + d.stream.method + " " + shown(d.stream.url.Path) + ", " + count
	if d.polls != nil {
		stream = "polls: " + d.stream.method + " " + shown(d.stream.url.Path) + ", " + strconv.Itoa(len(d.polls)) + " of them"
	}
	how := "; its text came back in an event"
	switch {
	case d.guessed:
		how = "; a guess: no text came back"
	case !d.inStream:
		how = "; its text came back in its own answer"
	}
	if d.looked > maxLooked {
		how += "; the recording is too long to be searched to its end: record less"
	}
	return []string{stream, "command: " + d.command.method + " " + shown(d.command.url.Path) + ", " + strconv.Itoa(len(d.samples)) + " times" + how}
}
