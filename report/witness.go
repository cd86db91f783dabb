package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"holobench/history"
	"holobench/ordering"
	"holobench/wire"
)

// witness is an ordering.Witness as people read it: the events are called a and b, times are spelled out.
type witness struct {
	ordering.Witness
	Title   string
	Events  []witnessEvent
	Views   []witnessView
	Server  string // the order of the server itself; "" = no journal says
	Verdict string
}

type witnessEvent struct {
	Letter  string
	Name    string // "c18.s92"
	Facts   string
	Payload string
}

type witnessView struct {
	Who    string
	Order  string
	Seen   []string // the two deliveries, earlier first
	Margin string
}

// letters call the two events of a witness, in the order in which they were due.
const (
	letterA = "a"
	letterB = "b"
)

// origin is the time from which a witness counts: when the first of its commands was sent, or else due.
func origin(w *ordering.Witness) int64 {
	return min(started(&w.A), started(&w.B))
}

func started(e *ordering.Event) int64 {
	if e.Sent != 0 {
		return e.Sent
	}
	return e.Due
}

// after prints a time of a witness since its origin, to a microsecond: two that are close must not look the same.
func after(w *ordering.Witness, at int64) string {
	return strconv.FormatFloat(float64(at-origin(w))/1e6, 'f', 3, 64) + " ms"
}

// witnesses explains every witness of the run.
func (r *Report) witnesses() []witness {
	list := make([]witness, 0, len(r.Order.Witnesses))
	for i := range r.Order.Witnesses {
		list = append(list, r.explain(&r.Order.Witnesses[i]))
	}
	return list
}

func (r *Report) explain(w *ordering.Witness) witness {
	return witness{
		Witness: *w,
		Title: fmt.Sprintf("%s: witness with the %s margin of %s, channel %s, %s after the barrier", w.Class, rankText(w), plural(int64(w.Of), "divergent pair"),
			r.names.Name(w.Channel), formatDuration(time.Duration(origin(w)-r.Run.Barrier))),
		Events:  []witnessEvent{r.explainEvent(w, letterA, &w.A), r.explainEvent(w, letterB, &w.B)},
		Views:   []witnessView{r.explainView(w, &w.First), r.explainView(w, &w.Second)},
		Server:  serverWord(w),
		Verdict: marginText(w),
	}
}

// rankText says where a witness stands among those of its class.
func rankText(w *ordering.Witness) string {
	switch w.Rank {
	case 1:
		return "largest"
	case w.Of:
		return "smallest"
	}
	return "median"
}

func (r *Report) explainEvent(w *ordering.Witness, letter string, e *ordering.Event) witnessEvent {
	if e.ID.Foreign() {
		return witnessEvent{
			Letter: letter, Name: eventName(e.ID, e.Part), Facts: "no command of this run is known to have caused it; first seen " + after(w, e.Earliest),
			Payload: "(its data are not on record)",
		}
	}
	facts := []string{fmt.Sprintf("published by client %d", e.ID.Publisher)}
	payload, size := r.payload(e)
	length := "what follows is not on record"
	if load := r.loadOf(e); load != nil {
		facts[0] += fmt.Sprintf(" as %q of load %s", load.Message.Name, load.Name)
		length = fmt.Sprintf("%d B with its filler", size)
	}
	facts = append(facts, "due "+after(w, e.Due))
	if e.Sent != 0 {
		facts = append(facts, "sent "+after(w, e.Sent))
	}
	if e.Replied != 0 {
		facts = append(facts, "answered "+after(w, e.Replied))
	}
	for _, d := range e.Dispatched {
		facts = append(facts, fmt.Sprintf("handed out by node %d as number %s at %s", d.Node, thousands(int64(d.Sequence)), after(w, d.At)))
	}
	return witnessEvent{
		Letter: letter, Name: eventName(e.ID, e.Part), Facts: strings.Join(facts, ", "),
		Payload: fmt.Sprintf("%s (%s)", payload, length),
	}
}

// loadOf is the load that asked for the event; nil when that is not on record.
func (r *Report) loadOf(e *ordering.Event) *history.Load {
	if e.Load == 0 || int(e.Load) > len(r.Run.Loads) {
		return nil
	}
	return &r.Run.Loads[e.Load-1]
}

// payload is what the event carried, made again from its name and the message of its load: its marker and text without the
// filler, and how many bytes it had; 0 when the load is not on record.
func (r *Report) payload(e *ordering.Event) (text string, size int) {
	var m history.Message
	if load := r.loadOf(e); load != nil {
		m = load.Message
	}
	head := wire.AppendPayload(nil, wire.Marker{Run: r.Run.ID, Event: e.ID, Due: e.Due}, m.Text, 0)
	if r.loadOf(e) != nil {
		size = max(len(head), m.Size)
	}
	return clip(string(head), maxPayloadShown), size
}

// maxPayloadShown is how much of a payload a witness shows, in characters.
const maxPayloadShown = 160

// eventName names an event as its marker does.
func eventName(id wire.EventID, part uint32) string {
	if id.Foreign() {
		return fmt.Sprintf("foreign.%08x%08x", id.Publisher, id.Seq)
	}
	name := fmt.Sprintf("c%d.s%d", id.Publisher, id.Seq)
	if part > 0 {
		name += fmt.Sprintf(" part %d", part)
	}
	return name
}

// letterOf is the letter of the event that a delivery of a witness brought.
func letterOf(w *ordering.Witness, o *history.Observation) string {
	if o.Event == w.A.ID && o.Part == w.A.Part {
		return letterA
	}
	return letterB
}

func (r *Report) explainView(w *ordering.Witness, v *ordering.View) witnessView {
	first, second := letterOf(w, &v.Earlier), letterOf(w, &v.Later)
	view := witnessView{
		Who: whoText(w, v), Order: fmt.Sprintf("saw %s, then %s", first, second),
		Margin: formatDuration(v.Margin) + " between the two intervals, on two sockets",
	}
	if v.ByBytes {
		view.Margin = "on one socket, where the order of bytes decides; their stamps are " + formatDuration(v.Margin) + " apart"
	}
	for _, o := range []*history.Observation{&v.Earlier, &v.Later} {
		view.Seen = append(view.Seen, fmt.Sprintf("%s by %s at %s", letterOf(w, o), pathText(o.Path), whenText(w, o)))
	}
	return view
}

// whoText names a client by what it had to do with the pair.
func whoText(w *ordering.Witness, v *ordering.View) string {
	var wrote []string
	if w.A.ID.Publisher == v.Client {
		wrote = append(wrote, letterA)
	}
	if w.B.ID.Publisher == v.Client {
		wrote = append(wrote, letterB)
	}
	if len(wrote) == 0 {
		return fmt.Sprintf("client %d, an onlooker", v.Client)
	}
	return fmt.Sprintf("client %d, author of %s", v.Client, strings.Join(wrote, " and "))
}

func pathText(p history.Path) string {
	if p == history.Reply {
		return "the reply"
	}
	return p.String()
}

// whenText prints an arrival: a moment, or the interval in which it happened.
func whenText(w *ordering.Witness, o *history.Observation) string {
	if o.NotBefore >= o.At {
		return after(w, o.At)
	}
	if o.NotBefore == 0 {
		return "some time up to " + after(w, o.At)
	}
	return "some time between " + after(w, o.NotBefore) + " and " + after(w, o.At)
}

// serverWord is the order of the server's own journal, where one node handed both out.
func serverWord(w *ordering.Witness) string {
	for _, a := range w.A.Dispatched {
		for _, b := range w.B.Dispatched {
			if a.Node != b.Node || a.Sequence == b.Sequence {
				continue
			}
			first, second := letterA, letterB
			if b.Sequence < a.Sequence {
				first, second = letterB, letterA
			}
			return fmt.Sprintf("The server (node %d) began with %s, then %s", a.Node, first, second)
		}
	}
	return ""
}

// marginText says how far the witness is from a tie, and how wide the intervals are that it stands on.
func marginText(w *ordering.Witness) string {
	if w.First.ByBytes && w.Second.ByBytes {
		return "Both clients got both events on one socket: the order of bytes is beyond doubt"
	}
	margin, width := time.Duration(0), time.Duration(0)
	for _, v := range []*ordering.View{&w.First, &w.Second} {
		if v.ByBytes {
			continue
		}
		if margin == 0 || v.Margin < margin {
			margin = v.Margin
		}
		for _, o := range []*history.Observation{&v.Earlier, &v.Later} {
			width = max(width, time.Duration(max(0, o.At-o.NotBefore)))
		}
	}
	if width == 0 {
		return "The smallest margin between two sockets is " + formatDuration(margin) + ", and every arrival is known exactly"
	}
	return "The smallest margin between two sockets is " + formatDuration(margin) + ", the widest interval " + formatDuration(width)
}

// shortWitness is a witness in one line.
func (r *Report) shortWitness(w *ordering.Witness) string {
	a, b := eventName(w.A.ID, w.A.Part), eventName(w.B.ID, w.B.Part)
	say := func(v *ordering.View, first, second string) string {
		return fmt.Sprintf("%s, saw %s before %s", whoText(w, v), first, second)
	}
	return fmt.Sprintf("for example (a = %s, b = %s, channel %s): %s; %s (holobench witness DIR shows it)", a, b, r.names.Name(w.Channel),
		say(&w.First, letterA, letterB), say(&w.Second, letterB, letterA))
}
