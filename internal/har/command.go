package har

import (
	"html"
	"slices"
	"strconv"
	"strings"
)

// candidates are the requests that can be commands: all behind the beginning of a stream that may have changed something.
func (d *deduction) candidates(stream *exchange) []*exchange {
	var all []*exchange
	for _, x := range d.recording.exchanges {
		if x.number > stream.number && x.changes() && x.good() && !background(x) && len(all) < 1000 {
			all = append(all, x)
		}
	}
	return all
}

// background says whether a request is one of those that a page makes about itself.
func background(x *exchange) bool {
	return x.kind == "ping" || x.kind == "beacon" || x.kind == "cspviolationreport" || x.kind == "preflight"
}

// shape names requests that are alike: the method and the address, without what looks like a name of one thing.
func (x *exchange) shape() string {
	segments := strings.Split(x.url.EscapedPath(), "/")
	for i, s := range segments {
		if random(s) || s != "" && strings.Trim(s, "0123456789") == "" {
			segments[i] = "*"
		}
	}
	return x.method + " " + x.url.Host + strings.Join(segments, "/")
}

// alikes groups requests by their shape, in the order of the first of each.
func alikes(all []*exchange) [][]*exchange {
	var groups [][]*exchange
	at := make(map[string]int)
	for _, x := range all {
		shape := x.shape()
		i, ok := at[shape]
		if !ok {
			i = len(groups)
			at[shape] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], x)
	}
	return groups
}

// findCommand looks for the request whose text came back, in an event or in its own answer. Of several streams that
// counts by which most came back.
func (d *deduction) findCommand(streams []*exchange) bool {
	best := 0.0
	for _, stream := range streams {
		for _, group := range alikes(d.candidates(stream)) {
			if slices.Contains(group, stream) {
				continue
			}
			s, score := d.bestSlot(group, stream)
			if score > best {
				best = score
				d.stream, d.samples, d.payload = stream, group, s
			}
		}
	}
	if best == 0 {
		return false
	}
	d.settle()
	return true
}

// settle chooses the sample whose text came back first, and sorts the events.
func (d *deduction) settle() {
	for _, x := range d.samples[:min(len(d.samples), maxSamples)] {
		s, ok := sameSlot(x, &d.payload)
		if !ok {
			continue
		}
		inStream, inReply := d.hears(d.stream, x, s.value), d.carries(x.answer, s.value)
		d.inStream, d.inReply = d.inStream || inStream, d.inReply || inReply
		if d.command == nil && (inStream || inReply) {
			d.command, d.payload = x, s
		}
	}
	if d.command == nil { // the search of settle ended before that of the command did
		d.command = d.samples[0]
		d.payload, _ = sameSlot(d.command, &d.payload)
	}
	for _, e := range d.stream.events {
		ours := slices.ContainsFunc(d.samples[:min(len(d.samples), maxSamples)], func(x *exchange) bool {
			s, ok := sameSlot(x, &d.payload)
			return ok && d.carries(e.data, s.value)
		})
		if ours {
			d.messages = append(d.messages, e)
		} else {
			d.others = append(d.others, e)
		}
	}
}

// sameSlot is the slot of another request of the same kind.
func sameSlot(x *exchange, like *slot) (slot, bool) {
	for _, s := range x.slots() {
		if s.alike(like) {
			return s, true
		}
	}
	return slot{}, false
}

// maxSamples is how many requests of a kind are looked at: the first few tell as much as all.
const maxSamples = 10

// bestSlot is the place in the requests of a group whose texts came back; score 0 = none did. What looks random counts only where
// nothing else came back: ids come back with the texts.
func (d *deduction) bestSlot(group []*exchange, stream *exchange) (best slot, score float64) {
	if best, score = d.bestOf(group, stream, false); score > 0 {
		return best, score
	}
	return d.bestOf(group, stream, true)
}

func (d *deduction) bestOf(group []*exchange, stream *exchange, ofMachines bool) (best slot, score float64) {
	type tally struct {
		slot  slot
		score float64
	}
	var all []*tally
	for _, x := range group[:min(len(group), maxSamples)] {
		for _, s := range x.slots() {
			if random(s.value) != ofMachines || s.place == inHeader || s.place == inPath || len(s.value) < 2 || s.place == inJSON && !s.leaf.text {
				continue
			}
			found := 0.0
			if d.hears(stream, x, s.value) {
				found = 4
			} else if d.carries(x.answer, s.value) {
				found = 1
			}
			if found == 0 || d.seenBefore(s.value, x) {
				continue
			}
			i := slices.IndexFunc(all, func(t *tally) bool { return t.slot.alike(&s) })
			if i < 0 {
				i = len(all)
				all = append(all, &tally{slot: s})
			}
			all[i].score += found + appeal(&s)
		}
	}
	for _, t := range all {
		if t.score > score {
			best, score = t.slot, t.score
		}
	}
	return best, score
}

// appeal says how much a value looks like something that a person has typed.
func appeal(s *slot) float64 {
	sum := 0.0
	if hints(s.name) {
		sum += 3
	}
	if strings.ContainsAny(s.value, " ") {
		sum++
	}
	if s.place == inBody {
		sum += 2
	}
	if random(s.value) {
		sum -= 0.5 // less than what comes back is worth: it may be all there is
	}
	return sum
}

func hints(name string) bool {
	lower := strings.ToLower(name)
	return slices.ContainsFunc([]string{"text", "message", "msg", "body", "content", "payload", "comment", "title", "value", "data", "note", "prompt", "bid"}, func(hint string) bool {
		return lower == hint || strings.HasSuffix(lower, hint)
	})
}

// seenBefore says whether a value stood somewhere in the recording before the request with it was sent.
func (d *deduction) seenBefore(value string, x *exchange) bool {
	for _, y := range d.recording.exchanges[:x.number-1] {
		if d.asks(y, value) || y.before(x) && d.holds(y.answer, value) {
			return true
		}
		for _, e := range y.events {
			if !e.at.IsZero() && e.at.Before(x.start) && d.holds(e.data, value) {
				return true
			}
		}
	}
	return false
}

// maxHeard is behind how many events it is not looked for a text any more: what was sent came back long before.
const maxHeard = 2000

// hears says whether an event of a stream, behind the sending of command, has a text in it.
func (d *deduction) hears(stream, command *exchange, text string) bool {
	for i, looked := 0, 0; i < len(stream.events) && looked < maxHeard; i++ {
		e := &stream.events[i]
		if e.at.IsZero() || e.at.After(command.start) {
			looked++
		}
		if (e.at.IsZero() || e.at.After(command.start.Add(-rounding))) && d.carries(e.data, text) {
			return true
		}
	}
	return false
}

// carries says whether a text stands in another, as it is, or as it is spelled in JSON, in JavaScript or in HTML.
func (d *deduction) carries(data, text string) bool {
	d.looked += len(data)
	if text == "" || data == "" || d.looked > maxLooked {
		return false
	}
	if within(data, text) {
		return true
	}
	quoted := strconv.Quote(text)
	if escaped := quoted[1 : len(quoted)-1]; escaped != text && within(data, escaped) {
		return true
	}
	if escaped := html.EscapeString(text); escaped != text && within(data, escaped) {
		return true
	}
	if strings.IndexByte(data, '\\') < 0 {
		return false
	}
	d.looked += 20 * len(data) // reading takes so much longer than searching
	found, _ := leaves(data)
	return slices.ContainsFunc(found, func(l leaf) bool { return within(l.value, text) })
}

// guessCommand takes the request that looks most like a command, where no text came back: the stream was not recorded, or a sender
// does not hear of its own.
func (d *deduction) guessCommand(stream *exchange) bool {
	var keys []string
	for _, e := range stream.events {
		found, _ := leaves(e.data)
		for _, l := range found {
			keys = append(keys, l.key)
		}
	}
	best := 0.0
	for _, group := range alikes(d.candidates(stream)) {
		for _, s := range group[0].slots() {
			if s.place == inHeader || s.place == inPath || s.value == "" || s.place == inJSON && !s.leaf.text || secretName(s.name) {
				continue
			}
			score := appeal(&s)
			if slices.Contains(keys, s.name) {
				score += 3
			}
			if varies(group, &s) {
				score += 2
			}
			if d.seenBefore(s.value, group[0]) {
				score -= 3
			}
			if score > best {
				best = score
				d.stream, d.command, d.samples, d.payload = stream, group[0], group, s
			}
		}
	}
	d.guessed = best > 0
	d.others = stream.events
	for i := range stream.events {
		if found, ok := leaves(stream.events[i].data); ok && slices.ContainsFunc(found, func(l leaf) bool { return l.key == d.payload.name }) {
			d.messages = append(d.messages, stream.events[i])
		}
	}
	if len(d.messages) > 0 {
		d.others = slices.DeleteFunc(slices.Clone(stream.events), func(e event) bool { return slices.Contains(d.messages, e) })
	}
	return d.guessed
}

// varies says whether requests of one kind differ in a slot.
func varies(group []*exchange, s *slot) bool {
	for _, x := range group[1:] {
		if other, ok := sameSlot(x, s); ok && other.value != s.value {
			return true
		}
	}
	return false
}
