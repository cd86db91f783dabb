package har

import (
	"slices"
	"strings"
)

// findChannel looks for what stands both where the stream is asked for and in the command. It counts for how it is called, and for
// where it stands.
func (d *deduction) findChannel() {
	asks := slices.Clone(d.stream.slots())
	for _, x := range d.joins() {
		asks = append(asks, x.slots()...)
	}
	best := 1
	for _, s := range asks {
		if s.place == inHeader || s.value == "" || len(s.value) > 200 || random(s.value) && !d.inAddressOfPage(s.value) || secretName(s.name) {
			continue
		}
		for _, c := range d.command.slots() {
			if c.place == inHeader || c.value != s.value || c.alike(&d.payload) || d.constantPlace(&s, &c) {
				continue
			}
			if score := channelScore(&s) + channelScore(&c); score > best {
				best, d.channel = score, s.value
			}
		}
	}
}

// constantPlace says whether two slots are parts of paths that begin alike, of a name that does not speak of one of many.
func (d *deduction) constantPlace(s, c *slot) bool {
	switch {
	case s.value == "true" || s.value == "false" || s.value == "null" || s.value == "0" || s.value == "1" && s.place == inJSON:
		return true
	case s.place != inPath || c.place != inPath:
		return false
	}
	stream, command := pathSlots(d.stream.url.EscapedPath()), pathSlots(d.command.url.EscapedPath())
	if s.index >= len(stream)+1 || s.index != c.index {
		return false
	}
	for i := range min(len(stream), len(command)) {
		if stream[i].index >= s.index {
			break
		}
		if stream[i].value != command[i].value {
			return false // they went apart before it, and met again
		}
	}
	return channelScore(s) < 2
}

func channelScore(s *slot) int {
	score := 0
	name := strings.ToLower(s.name)
	if slices.ContainsFunc([]string{"room", "channel", "topic", "chat", "lobby", "thread", "conversation", "document", "doc", "board", "lot", "game", "stream", "subject", "sub"}, func(hint string) bool {
		return strings.HasPrefix(name, hint)
	}) {
		score += 3
	}
	switch {
	case s.place != inPath:
		score++
	case strings.HasSuffix(name, "s") && len(name) > 3:
		score += 2 // /rooms/42
	}
	if strings.ContainsAny(s.value, "0123456789") {
		score++
	}
	return score
}

// inAddressOfPage says whether a value stands in the address of a page that the person opened.
func (d *deduction) inAddressOfPage(value string) bool {
	return slices.ContainsFunc(d.recording.exchanges, func(x *exchange) bool {
		return x.document() && within(x.url.Path+"?"+x.url.RawQuery, value)
	})
}

// joins are the requests between the beginning of the stream and the first command that can have changed something: a client
// subscribes by them, if at all.
func (d *deduction) joins() []*exchange {
	var all []*exchange
	for _, x := range d.recording.exchanges {
		if x.number > d.stream.number && x.number < d.command.number && x.changes() && x.good() && !background(x) &&
			x.url.Host == d.stream.url.Host && !slices.Contains(d.samples, x) && len(all) < maxSteps {
			all = append(all, x)
		}
	}
	return all
}

// maxSteps bounds lists of requests.
const maxSteps = 20
