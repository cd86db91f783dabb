package target

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"holobench/wire"
	"holobench/wire/sse"
)

// resumption is where a stream wants to go on: for each of its channels the number of the first event that it wants. nil = it
// hears what comes from now on.
type resumption []uint64

// parseResumption reads where a stream goes on: Last-Event-ID, which a browser sends when it comes back and which is newer than
// what its URL says, or from, both with a number for each of n channels. Neither is no resumption.
func parseResumption(lastEventID string, from []string, n int) (resumption, *refusal) {
	numbers, what, next := from, "from", uint64(0)
	if lastEventID != "" {
		numbers, what, next = strings.Split(lastEventID, ","), "Last-Event-ID", 1
	}
	if len(numbers) == 0 {
		return nil, nil
	}
	if len(numbers) != n {
		return nil, refuse(http.StatusBadRequest, "%s has %d numbers for %d channels", what, len(numbers), n)
	}
	r := make(resumption, n)
	for i, text := range numbers {
		number, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			return nil, refuse(http.StatusBadRequest, "%s %q is no number of an event", what, text)
		}
		r[i] = max(1, number+next)
	}
	return r, nil
}

// places are the ids of a stream that hears several channels: the number of the last event of each, in the order in which it
// asked for them. Such an id is a frame of its own in front of the event, which all streams share. It costs an allocation a
// delivery, on these streams only.
type places struct {
	numbers []uint64
}

// move notes that the channel at slot has come to a number, and returns the id of the event that follows.
func (p *places) move(slot int, number uint64) *frame {
	p.numbers[slot] = max(p.numbers[slot], number)
	return newIDFrame("\n", p.numbers...)
}

// newIDFrame makes the line that sets an id, and what is to follow it: a second line end makes it a message without data, which
// is no event, but from which on the id is in force.
func newIDFrame(end string, numbers ...uint64) *frame {
	room := append(make([]byte, chunkRoom, 64), "id: "...)
	for i, n := range numbers {
		if i > 0 {
			room = append(room, ',')
		}
		room = strconv.AppendUint(room, n, 10)
	}
	return newFrame(idFrame, append(room, end...))
}

// subscribe lets st, which was added and does not write yet, hear channels, whose logs (none where this node keeps none) the
// caller has acquired. Where events are kept, what st needs to go on where it was comes first, and all logs are locked
// meanwhile: nothing is lost and nothing comes twice in between.
func (s *Server) subscribe(st *stream, names []string, kept []*channelLog, from resumption) {
	if s.ids {
		inOrder := slices.SortedFunc(slices.Values(kept), func(a, b *channelLog) int { return strings.Compare(a.name, b.name) })
		for _, l := range inOrder { // everybody who locks more than one does it in this order
			l.order.Lock()
			defer l.order.Unlock()
		}
		s.sendPast(st, kept, from)
	}
	for _, name := range names {
		s.registry.join(st, name)
	}
}

// sendPast puts into the outbox what st must have before it can go on with what comes from now on, and the id of that place:
// who is cut before its first event must come back there. The caller has locked all logs.
func (s *Server) sendPast(st *stream, kept []*channelLog, from resumption) {
	numbers := make([]uint64, len(kept))
	for slot, l := range kept {
		numbers[slot] = l.newest()
		if from != nil {
			numbers[slot] = from[slot] - 1
		}
	}
	if len(kept) > 1 {
		st.places = &places{numbers: numbers}
	}
	for slot, l := range kept {
		events, gap := []*message(nil), (*wire.Gap)(nil)
		if from != nil {
			events, gap = l.since(from[slot])
		}
		switch {
		case l.doc != nil && (from == nil || gap != nil):
			events = nil
			numbers[slot] = l.newest()
			st.box.prepend(controlMessage(wire.SnapshotMessage, wire.AppendSnapshotJSON(nil, l.doc.snapshot(l.name, numbers[slot]))))
		case gap != nil:
			numbers[slot] = gap.First - 1
			st.box.prepend(controlMessage(wire.GapMessage, wire.AppendGapJSON(nil, *gap)))
		}
		if gap != nil {
			s.counters.Add(GapsFound, 1)
		}
		st.box.prepend(newIDFrame("\n\n", numbers...))
		s.sendAgain(st, slot, events)
	}
}

// sendAgain puts kept events into the outbox of a stream that does not write yet, without those that it knows from replies.
func (s *Server) sendAgain(st *stream, slot int, events []*message) {
	events = slices.DeleteFunc(slices.Clone(events), func(m *message) bool { return m.left != "" && m.left == st.instance })
	for _, m := range events {
		if st.places != nil {
			st.box.prepend(st.places.move(slot, m.sequence))
		}
		st.box.prepend(m.frame(s, st.format))
	}
	s.counters.Add(DeliveriesReplayed, len(events))
	s.counters.Add(st.format.counters().enqueued, len(events))
}

// controlMessage is an SSE message that is no event.
func controlMessage(kind string, data []byte) *frame {
	room := make([]byte, chunkRoom, chunkRoom+len("event: \ndata: \n\n\r\n")+len(kind)+len(data))
	return newFrame(controlFrame, sse.AppendEvent(room, "", kind, data))
}
