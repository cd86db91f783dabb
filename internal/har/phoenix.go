package har

import (
	"fmt"
	"slices"
	"strings"

	"holobench/wire/phoenix"
)

// spokenOnTopic is a message of Phoenix Channels, and by which way it went.
type spokenOnTopic struct {
	sent    bool
	message phoenix.Message
}

// phoenix looks for Phoenix Channels, over a WebSocket or by long polling. Both are built in, so that the scenario names one.
func (d *deduction) phoenix() (files Files, ok bool, err error) {
	for _, x := range d.recording.exchanges {
		switch {
		case len(x.frames) > 0 && x.url.Query().Get("vsn") == phoenix.Version && strings.HasSuffix(x.url.Path, "/websocket"):
			var all []spokenOnTopic
			for _, f := range x.frames {
				all = appendSpoken(all, f.sent, f.text)
			}
			files, err = d.channels(x, all, "phoenix-channels", phoenix.WebSocketPath)
			return files, err == nil, err
		case x.url.Query().Get("vsn") == phoenix.Version && strings.HasSuffix(x.url.Path, "/longpoll"):
			files, err = d.channels(x, d.polled(x), "phoenix-longpoll", phoenix.LongPollPath)
			return files, err == nil, err
		}
	}
	return Files{}, false, nil
}

func appendSpoken(all []spokenOnTopic, sent bool, text string) []spokenOnTopic {
	var m phoenix.Message
	if m.Parse([]byte(text)) == nil {
		all = append(all, spokenOnTopic{sent, m})
	}
	return all
}

// polled lists what went by long polling, in the order of the requests.
func (d *deduction) polled(first *exchange) []spokenOnTopic {
	var all []spokenOnTopic
	for _, x := range d.recording.exchanges {
		if x.url.Host != first.url.Host || x.url.Path != first.url.Path {
			continue
		}
		if x.method == "POST" {
			for line := range strings.SplitSeq(x.body, "\n") {
				all = appendSpoken(all, true, line)
			}
			continue
		}
		var p phoenix.Poll
		if p.Parse([]byte(x.answer)) == nil {
			for _, m := range p.Messages {
				all = appendSpoken(all, false, string(m))
			}
		}
	}
	return all
}

// channels writes the scenario. What the built-in protocol sends is an object with the payload in it, and nothing else.
func (d *deduction) channels(x *exchange, all []spokenOnTopic, protocol, path string) (Files, error) {
	u := *x.url
	if u.Scheme = "http"; x.url.Scheme == "wss" || x.url.Scheme == "https" {
		u.Scheme = "https"
	}
	x.url = &u
	d.stream = x
	if x.url.Path != path {
		return Files{}, fmt.Errorf("%w: Phoenix Channels are spoken at %s, and holobench speaks them at %s only: mount the socket there as well", ErrNoStream, shown(x.url.Path), path)
	}
	push := slices.IndexFunc(all, func(s spokenOnTopic) bool { return s.said() && d.cameBack(all, s) })
	guessed := push < 0
	if guessed {
		push = slices.IndexFunc(all, func(s spokenOnTopic) bool { return s.said() })
	}
	if push < 0 {
		return Files{}, fmt.Errorf("%w: nothing was pushed to a topic at %s: %s", ErrNoCommand, shown(x.url.Path), remedyRecord)
	}
	m := all[push].message
	d.channel = m.Topic
	parts := new(plan)
	for _, y := range d.recording.exchanges[:x.number-1] {
		if y.changes() && y.good() && !background(y) && y.url.Host == x.url.Host && len(d.needed) < maxSteps {
			d.need(y)
		}
	}
	parts.login = d.needed
	files := d.scenario(parts, protocol, m.Event, true)
	note := new(page)
	if found, _ := leaves(string(m.Payload)); len(found) != 1 || found[0].path != "payload" || !found[0].text {
		note.check(0, "the browser sent an object with "+keysOf(string(m.Payload))+"; the protocol "+protocol+` sends {"payload": TEXT}. The app must take that as well, and pass it on`)
	}
	if guessed {
		note.check(0, "nothing that was pushed came back; "+shown(m.Event)+" was taken for the command")
	}
	if len(joinParams(all, m.Topic)) > 0 {
		note.check(0, "the topic was joined with parameters, which the protocol "+protocol+" does not send")
	}
	files.Scenario = note.b.String() + files.Scenario
	files.Checks += note.checks
	files.Found = []string{"wire: " + protocol + ", topic " + shown(m.Topic), "command: " + shown(m.Event)}
	return files, nil
}

// said says whether a message is one that a person may have caused.
func (s spokenOnTopic) said() bool {
	return s.sent && s.message.Topic != phoenix.TopicPhoenix && !strings.HasPrefix(s.message.Event, "phx_") && s.message.Event != phoenix.EventHeartbeat
}

// cameBack says whether a text of a push is in what came down.
func (d *deduction) cameBack(all []spokenOnTopic, push spokenOnTopic) bool {
	found, _ := leaves(string(push.message.Payload))
	return slices.ContainsFunc(all, func(s spokenOnTopic) bool {
		return !s.sent && slices.ContainsFunc(found, func(l leaf) bool { return l.text && len(l.value) > 1 && d.carries(string(s.message.Payload), l.value) })
	})
}

func joinParams(all []spokenOnTopic, topic string) []leaf {
	for _, s := range all {
		if s.sent && s.message.Topic == topic && s.message.Event == phoenix.EventJoin {
			found, _ := leaves(string(s.message.Payload))
			return found
		}
	}
	return nil
}

// keysOf lists the keys of an object for a comment.
func keysOf(text string) string {
	var keys []string
	found, _ := leaves(text)
	for _, l := range found {
		if len(keys) < 6 {
			keys = append(keys, shown(l.key))
		}
	}
	if len(keys) == 0 {
		return "nothing in it"
	}
	return strings.Join(keys, ", ")
}
